#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/response/patient.h"

// The criteria beside RECIST 1.1 from whole patients: what applies, what it is compared with, and where they disagree.

namespace retromass::response {
namespace {

using test::lesion;
using test::stated;
using test::timepoint;
using test::of;
using test::with;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Observation sized(const std::string& id, const std::string& long_axis, const std::string& short_axis, std::optional<double> volume = {}, std::optional<double> hu = {})
{
    auto out = test::measured(id, long_axis);
    out.short_axis = *Length::parse(short_axis);
    out.volume_ml = volume;
    out.hu_mean = hu;
    return out;
}

Timepoint venous(Timepoint timepoint, double kvp = 120)
{
    timepoint.study.phase = "portal-venous";
    timepoint.study.kvp = kvp;
    timepoint.study.image_kind = "attenuation";
    return timepoint;
}

Assessment assessed(const Patient& patient, const Policies& policies = {}, const Criteria& criteria = {})
{
    auto result = assess(patient, policies, criteria);
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
    return result.ok() ? std::move(result).value() : Assessment{};
}

CriterionPeriod period_of(const Assessment& assessment, const std::string& criterion, int line = 0)
{
    for (const auto& period : assessment.criteria) {
        if (period.criterion == criterion && period.line == line) return period;
    }
    return {};
}

CriterionTimepoint point(const Assessment& assessment, const std::string& criterion, const std::string& id, int line = 0)
{
    for (const auto& now : period_of(assessment, criterion, line).timepoints) {
        if (now.timepoint == id) return now;
    }
    return {};
}

std::string input(const Decision& decision, const std::string& wanted)
{
    for (const auto& [name, value] : decision.inputs) {
        if (name == wanted) return value;
    }
    return "absent";
}

TEST(FurtherCriteria, AnswerSideBySideFromTheSameLesions)
{
    // Size -9 %, product -10.8 %, volume -66 %, density -20 %.
    const auto assessment = assessed(of({venous(timepoint("2024-01-01", {sized("T1", "100", "50", 100, 80)})), venous(timepoint("2024-03-01", {sized("T1", "91", "49", 34, 64)}))}));
    EXPECT_EQ(test::row_of(assessment, "2024-03-01").overall.category, Category::sd);
    EXPECT_EQ(point(assessment, "choi", "2024-03-01").decision.category, Category::pr);
    EXPECT_EQ(point(assessment, "modified-choi", "2024-03-01").decision.category, Category::sd);
    EXPECT_EQ(point(assessment, "who", "2024-03-01").decision.category, Category::sd);
    EXPECT_EQ(point(assessment, "volume", "2024-03-01").decision.category, Category::pr);
    EXPECT_THAT(period_of(assessment, "irecist").not_applicable, HasSubstr("not stated as immunotherapy"));
}

TEST(FurtherCriteria, HoldRuleInputsLimitsBaselineAndNadirWithTheirDates)
{
    const auto assessment = assessed(of({timepoint("2024-01-01", {sized("T1", "40", "30", 20)}), timepoint("2024-03-01", {sized("T1", "30", "20", 8)}), timepoint("2024-05-01", {sized("T1", "32", "20", 9)})}));
    const auto who = point(assessment, "who", "2024-05-01");
    EXPECT_EQ(input(who.decision, "T1 long x short axis"), "640.00 mm2");
    EXPECT_EQ(input(who.decision, "baseline"), "1200.00 mm2 (2024-01-01, 2024-01-01)");
    EXPECT_EQ(input(who.decision, "nadir"), "600.00 mm2 (2024-03-01, 2024-03-01)");
    EXPECT_EQ(input(who.decision, "limit of PR"), "at most 600.00 mm2");
    EXPECT_EQ(who.nadir_timepoint, "2024-03-01");
    EXPECT_THAT(who.decision.rule, HasSubstr("WHO 11.1"));
    EXPECT_NEAR(who.change_from_nadir_pct.value(), 6.6667, 1e-3);
    const auto volume = point(assessment, "volume", "2024-05-01");
    EXPECT_EQ(input(volume.decision, "limit of PR"), "at most 6.86 ml");
    EXPECT_EQ(input(volume.decision, "limit of PD"), "at least 13.82 ml");
    EXPECT_EQ(input(volume.decision, "by ellipsoid-30/20"), "PR");
    EXPECT_THAT(volume.decision.reason, HasSubstr("exact-sphere"));
}

TEST(FurtherCriteria, FollowTheirPolicies)
{
    const auto patient = of({timepoint("2024-01-01", {sized("T1", "60", "50", 100), sized("T2", "20", "10", 10)}), timepoint("2024-03-01", {sized("T1", "30", "20", 70), sized("T2", "20", "12.5", 7)})}, {lesion("T1"), lesion("T2")});
    EXPECT_EQ(point(assessed(patient), "who", "2024-03-01").decision.category, Category::pd);
    EXPECT_EQ(point(assessed(patient, with({{"who_pd", "spd-over-nadir"}})), "who", "2024-03-01").decision.category, Category::pr);
    EXPECT_EQ(point(assessed(patient), "volume", "2024-03-01").decision.category, Category::sd);
    EXPECT_EQ(point(assessed(patient, with({{"volume_rule", "ellipsoid-30/20"}})), "volume", "2024-03-01").decision.category, Category::pr);
}

TEST(FurtherCriteria, JoinOtherDiseaseAndNewLesionsAndSilenceLikeRecist)
{
    auto patient = of({timepoint("2024-01-01", {sized("T1", "40", "30", 20), stated("N1", LesionStatus::present)}),
                       timepoint("2024-03-01", {stated("T1", LesionStatus::absent), stated("N1", LesionStatus::present)})},
                      {lesion("T1"), lesion("N1", Role::non_target)});
    for (const char* criterion : {"who", "volume", "choi"}) EXPECT_EQ(point(assessed(patient), criterion, "2024-03-01").decision.category, Category::pr) << criterion;
    patient.timepoints[1].new_lesions.reset();
    for (const char* criterion : {"who", "volume", "choi"}) {
        const auto now = point(assessed(patient), criterion, "2024-03-01");
        EXPECT_EQ(now.decision.category, Category::ne) << criterion;
        EXPECT_EQ(now.target, Category::cr) << criterion;
        EXPECT_THAT(now.decision.reason, HasSubstr("new lesions not stated"));
    }
    patient.timepoints[1].new_lesions = NewLesions::unequivocal;
    for (const char* criterion : {"who", "volume", "choi", "modified-choi"}) EXPECT_EQ(point(assessed(patient), criterion, "2024-03-01").decision.category, Category::pd) << criterion;
}

TEST(FurtherCriteria, SayWhyTheyDoNotApply)
{
    auto patient = of({timepoint("2024-01-01", {test::measured("T1", "40")}), timepoint("2024-03-01", {test::measured("T1", "30")})});
    for (auto& t : patient.timepoints) t.observations[0].short_axis.reset();
    const auto assessment = assessed(patient);
    EXPECT_THAT(period_of(assessment, "who").not_applicable, HasSubstr("T1 has no product of two axes at the baseline: no short axis"));
    EXPECT_THAT(period_of(assessment, "volume").not_applicable, HasSubstr("no volume"));
    EXPECT_THAT(period_of(assessment, "modified-choi").not_applicable, HasSubstr("density was comparable at no study"));
    EXPECT_THAT(period_of(assessment, "who").timepoints, IsEmpty());
    const auto none = assessed(of({timepoint("2024-01-01", {stated("N1", LesionStatus::present)}), timepoint("2024-03-01", {stated("N1", LesionStatus::present)})}, {lesion("N1", Role::non_target)}));
    EXPECT_THAT(period_of(none, "volume").not_applicable, HasSubstr("no target disease"));
}

TEST(FurtherCriteria, NeverTakeAMissingValueForZero)
{
    const auto assessment = assessed(of({timepoint("2024-01-01", {sized("T1", "40", "30", 20), sized("T2", "40", "30", 20)}), timepoint("2024-03-01", {sized("T1", "20", "10", 2), stated("T2", LesionStatus::not_evaluable)}),
                                         timepoint("2024-05-01", {sized("T1", "60", "50", 80), stated("T2", LesionStatus::not_evaluable)})},
                                        {lesion("T1"), lesion("T2")}));
    for (const char* criterion : {"who", "volume"}) {
        EXPECT_EQ(point(assessment, criterion, "2024-03-01").decision.category, Category::ne) << criterion;
        EXPECT_FALSE(point(assessment, criterion, "2024-03-01").value) << criterion;
        EXPECT_EQ(point(assessment, criterion, "2024-05-01").decision.category, Category::pd) << criterion << ": the evaluated one alone";
        EXPECT_EQ(point(assessment, criterion, "2024-05-01").nadir_timepoint, "2024-01-01") << "an incomplete sum is no nadir";
    }
}

TEST(FurtherCriteria, CallNothingCompleteByVolumeWhileATargetIsThere)
{
    const auto assessment = assessed(of({timepoint("2024-01-01", {sized("T1", "40", "30", 20)}), timepoint("2024-03-01", {sized("T1", "2", "2", 0.004)})}));
    EXPECT_EQ(point(assessment, "volume", "2024-03-01").decision.category, Category::pr);
}

TEST(FurtherCriteria, TakeTheMergerOfTwoLesionsForNoWhoProgression)
{
    // 30 x 20 and 20 x 10 mm coalesce to 40 x 20 mm (rule 3.4): 800 mm2 before and after.
    const auto at = [](const char* second) {
        auto merged = stated("T2", LesionStatus::merged);
        merged.merged_into = "T1";
        return assessed(of({timepoint("2024-01-01", {sized("T1", "30", "20", 6), sized("T2", "20", "10", 1)}), timepoint("2024-03-01", {sized("T1", "40", "20", 8), merged}), timepoint("2024-05-01", {sized("T1", second, "20", 9), merged})},
                           {lesion("T1"), lesion("T2")}));
    };
    EXPECT_EQ(point(at("40"), "who", "2024-03-01").decision.category, Category::sd);
    EXPECT_EQ(point(at("49.9"), "who", "2024-05-01").decision.category, Category::sd);
    EXPECT_EQ(point(at("50"), "who", "2024-05-01").decision.category, Category::pd) << "25 % over what both were";
}

TEST(FurtherCriteria, AskForConfirmationOfAWhoResponseWhateverRecistIsTold)
{
    const auto assessment = assessed(of({timepoint("2024-01-01", {sized("T1", "40", "30")}), timepoint("2024-03-01", {sized("T1", "20", "20")}), timepoint("2024-03-28", {sized("T1", "20", "20")})}));
    EXPECT_EQ(assessment.lines.at(0).best_overall_response.category, Category::pr);
    EXPECT_EQ(period_of(assessment, "who").summary.best_overall_response.category, Category::sd) << "27 days are not four weeks";
    EXPECT_THAT(period_of(assessment, "who").summary.best_overall_response.rule, HasSubstr("WHO"));
}

TEST(Choi, JudgesDensityOnlyBetweenComparableStudies)
{
    const auto baseline = venous(timepoint("2024-01-01", {sized("T1", "100", "50", 100, 80)}));
    auto later = venous(timepoint("2024-03-01", {sized("T1", "100", "50", 100, 60)}));
    const auto category = [&](const Timepoint& now, const Policies& policies = {}) { return point(assessed(of({baseline, now}), policies), "choi", "2024-03-01"); };
    EXPECT_EQ(category(later).decision.category, Category::pr);
    auto other = later;
    other.study.kvp = 100;  // 20 apart: still comparable
    EXPECT_EQ(category(other).decision.category, Category::pr);
    other.study.kvp = 99;
    EXPECT_EQ(category(other).decision.category, Category::sd);
    auto kind_unstated = baseline, also = later;  // definitions 6.6: the same kind, which silence twice does not show
    kind_unstated.study.image_kind = also.study.image_kind = "";
    EXPECT_EQ(point(assessed(of({kind_unstated, also})), "choi", "2024-03-01").decision.category, Category::sd);
    EXPECT_TRUE(has(category(other).decision.notices, Code::density_not_comparable));
    other = later;
    other.study.phase = "arterial";
    EXPECT_EQ(category(other).decision.category, Category::sd);
    EXPECT_EQ(category(other, with({{"choi_phases", "stated-matching"}})).decision.category, Category::pr) << "the reader's word";
    other = later;
    other.study.image_kind = "virtual-non-contrast";
    EXPECT_EQ(category(other).decision.category, Category::sd);
    other = later;
    other.study.kvp.reset();
    EXPECT_EQ(category(other).decision.category, Category::sd);
}

TEST(Choi, WeightsDensityByVolumeAndSaysWhenItCannot)
{
    // 100 ml at 80 HU and 300 ml at 40 HU are 50 HU on the mean; then 42.5 HU is exactly -15 %.
    auto patient = of({venous(timepoint("2024-01-01", {sized("T1", "50", "50", 100, 80), sized("T2", "50", "50", 300, 40)})),
                       venous(timepoint("2024-03-01", {sized("T1", "50", "50", 200, 42.5), sized("T2", "50", "50", 200, 42.5)}))},
                      {lesion("T1"), lesion("T2")});
    const auto now = point(assessed(patient), "choi", "2024-03-01");
    EXPECT_EQ(input(now.decision, "baseline mean HU"), "50.00 HU");
    EXPECT_EQ(now.decision.category, Category::pr);
    EXPECT_TRUE(has(now.decision.notices, Code::at_limit));
    patient.timepoints[1].observations[0].volume_ml.reset();
    EXPECT_EQ(point(assessed(patient), "choi", "2024-03-01").decision.category, Category::sd);
}

TEST(Choi, FlagsAResponseOfAGrowingTumourAndTakesANoduleForProgression)
{
    auto patient = of({venous(timepoint("2024-01-01", {sized("T1", "100", "50", 100, 80)})), venous(timepoint("2024-03-01", {sized("T1", "115", "50", 100, 60)}))});
    EXPECT_EQ(point(assessed(patient), "choi", "2024-03-01").decision.category, Category::pr);
    EXPECT_TRUE(has(point(assessed(patient), "choi", "2024-03-01").decision.notices, Code::response_while_growing));
    patient.timepoints[1].observations[0].nodule = true;
    EXPECT_EQ(point(assessed(patient), "choi", "2024-03-01").decision.category, Category::pd);
}

Patient on_immunotherapy(std::vector<Timepoint> timepoints, std::vector<Lesion> lesions = {lesion("T1")})
{
    auto patient = of(std::move(timepoints), std::move(lesions));
    patient.treatments = {test::systemic(1, "2024-01-02")};
    patient.treatments[0].immunotherapy = true;
    return patient;
}

TEST(ImmuneRecist, ConfirmsOrWipesAProgressionThatRecistCounts)
{
    const auto wiped = assessed(on_immunotherapy({timepoint("2024-01-01", {test::measured("T1", "100")}), timepoint("2024-03-01", {test::measured("T1", "125")}), timepoint("2024-05-01", {test::measured("T1", "60")})}));
    EXPECT_EQ(wiped.lines.at(0).best_overall_response.category, Category::pd);
    EXPECT_TRUE(wiped.lines.at(0).pfs_event);
    const auto immune = period_of(wiped, "irecist", 1);
    EXPECT_EQ(immune.summary.best_overall_response.category, Category::ipr);
    EXPECT_FALSE(immune.summary.pfs_event);
    const auto confirmed = assessed(on_immunotherapy({timepoint("2024-01-01", {test::measured("T1", "100")}), timepoint("2024-03-01", {test::measured("T1", "125")}), timepoint("2024-05-01", {test::measured("T1", "130")})}));
    const auto last = point(confirmed, "irecist", "2024-05-01", 1);
    EXPECT_EQ(last.decision.category, Category::icpd);
    EXPECT_EQ(input(last.decision, "progression first seen"), "2024-03-01, 2024-03-01");
    EXPECT_EQ(period_of(confirmed, "irecist", 1).summary.pfs_end, parse_date("2024-03-01")) << "dated by the first unconfirmed progression";
}

TEST(ImmuneRecist, TakesATargetThatIsBackAfterACompleteResponseForProgression)
{
    const auto patient = on_immunotherapy({timepoint("2024-01-01", {test::measured("T1", "50"), test::measured("T2", "50")}),
                                           timepoint("2024-03-01", {stated("T1", LesionStatus::absent), stated("T2", LesionStatus::absent)}),
                                           timepoint("2024-05-01", {test::measured("T1", "4"), stated("T2", LesionStatus::not_evaluable)})},
                                          {lesion("T1"), lesion("T2")});
    EXPECT_EQ(point(assessed(patient), "irecist", "2024-05-01", 1).decision.category, Category::iupd);
    EXPECT_EQ(point(assessed(patient, with({{"cr_then_less", "reread-as-pr"}})), "irecist", "2024-05-01", 1).decision.category, Category::ne);
}

TEST(ImmuneRecist, MeasuresNewLesionsApart)
{
    auto node = lesion("X1", Role::new_lesion);
    const auto assessment = assessed(on_immunotherapy({timepoint("2024-01-01", {test::measured("T1", "100")}), timepoint("2024-03-01", {test::measured("T1", "100"), test::measured("X1", "12")}),
                                                       timepoint("2024-05-01", {test::measured("T1", "100"), test::measured("X1", "17")})},
                                                      {lesion("T1"), node}));
    EXPECT_EQ(point(assessment, "irecist", "2024-03-01", 1).decision.category, Category::iupd);
    const auto last = point(assessment, "irecist", "2024-05-01", 1);
    EXPECT_EQ(last.decision.category, Category::icpd);
    EXPECT_EQ(input(last.decision, "sum of measured new lesions"), "17 mm");
    EXPECT_EQ(last.value, 100) << "never added to the sum of the baseline";
}

TEST(ImmuneRecist, TakesAnyIncreaseOfANewLesionTooSmallToBeMeasured)
{
    const auto at = [](const char* second) {
        return on_immunotherapy({timepoint("2024-01-01", {test::measured("T1", "100")}), timepoint("2024-03-01", {test::measured("T1", "100"), test::measured("X1", "8")}),
                                 timepoint("2024-05-01", {test::measured("T1", "100"), test::measured("X1", second)})},
                                {lesion("T1"), lesion("X1", Role::new_lesion)});
    };
    EXPECT_EQ(point(assessed(at("8")), "irecist", "2024-05-01", 1).decision.category, Category::iupd);
    EXPECT_EQ(point(assessed(at("9")), "irecist", "2024-05-01", 1).decision.category, Category::icpd);
}

TEST(ImmuneRecist, TakesANewNodeThatShrankBelowTenMillimetresForGone)
{
    auto node = lesion("X1", Role::new_lesion);
    node.nodal = true;
    const auto at = [&](const Observation& target, const Observation& now) {
        const auto patient = on_immunotherapy({timepoint("2024-01-01", {test::measured("T1", "100")}), timepoint("2024-03-01", {test::measured("T1", "100"), test::measured("X1", "16")}), timepoint("2024-05-01", {target, now})},
                                              {lesion("T1"), node});
        return point(assessed(patient), "irecist", "2024-05-01", 1).decision.category;
    };
    EXPECT_EQ(at(stated("T1", LesionStatus::absent), test::measured("X1", "8")), Category::icr);
    EXPECT_EQ(at(test::measured("T1", "100"), test::measured("X1", "8")), Category::isd);
    EXPECT_EQ(at(test::measured("T1", "100"), stated("X1", LesionStatus::normal_node)), Category::isd);
    EXPECT_EQ(at(stated("T1", LesionStatus::absent), test::measured("X1", "10")), Category::ipr);
}

TEST(ImmuneRecist, AppliesToStatedImmunotherapyOrWhereToldTo)
{
    auto patient = on_immunotherapy({timepoint("2024-01-01", {test::measured("T1", "100")}), timepoint("2024-03-01", {test::measured("T1", "125")})});
    patient.treatments[0].immunotherapy = false;
    EXPECT_THAT(period_of(assessed(patient), "irecist", 1).not_applicable, HasSubstr("line 1 is not stated as immunotherapy"));
    EXPECT_EQ(point(assessed(patient, with({{"irecist_for", "all-lines"}})), "irecist", "2024-03-01", 1).decision.category, Category::iupd);
}

TEST(Disagreement, IsNamedWithBothReasonsAndAgreementIsNot)
{
    const auto assessment = assessed(of({venous(timepoint("2024-01-01", {sized("T1", "100", "50", 100, 80)})), venous(timepoint("2024-03-01", {sized("T1", "95", "50", 95, 60)})), venous(timepoint("2024-05-01", {sized("T1", "60", "30", 30, 40)}))}));
    std::vector<std::string> found;
    for (const auto& d : assessment.disagreements) found.push_back(d.timepoint + " " + d.other + " " + std::string(name(d.primary_category)) + "/" + std::string(name(d.other_category)));
    EXPECT_THAT(found, ElementsAre("2024-03-01 choi SD/PR"));
    EXPECT_THAT(assessment.disagreements.at(0).reason, HasSubstr("density fell by 15 %"));
    EXPECT_THAT(assessment.disagreements.at(0).reason, HasSubstr("RECIST 1.1 SD: -5.0 % from baseline"));
}

TEST(Criteria, OneIsPrimaryAndAnUnknownOneIsRefused)
{
    const auto patient = of({timepoint("2024-01-01", {sized("T1", "40", "30", 20)}), timepoint("2024-03-01", {sized("T1", "30", "30", 6)})});
    Criteria criteria{"volume", {"who"}};
    const auto assessment = assessed(patient, {}, criteria);
    EXPECT_EQ(assessment.primary, "volume");
    std::vector<std::string> found;
    for (const auto& period : assessment.criteria) found.push_back(period.criterion);
    EXPECT_THAT(found, ElementsAre("who", "volume"));
    ASSERT_FALSE(assessment.disagreements.empty());
    EXPECT_EQ(assessment.disagreements.front().primary, "volume");
    criteria.others = {"mrecist"};
    EXPECT_EQ(assess(patient, {}, criteria).error().code, Code::policy);
    EXPECT_THAT(assess(patient, {}, criteria).error().message, HasSubstr("modified-choi"));
}

TEST(LineSummary, CountsProgressionWithoutDeathAndTheLengthOfAStableDisease)
{
    auto patient = of({timepoint("2024-01-01", {test::measured("T1", "100")}), timepoint("2024-03-01", {test::measured("T1", "100")})});
    patient.treatments = {test::systemic(1, "2024-01-02")};
    patient.events = {{"death", *parse_date("2024-04-01")}};
    const auto line = assessed(patient).lines.at(0);
    EXPECT_TRUE(line.pfs_event);
    EXPECT_EQ(line.pfs_days, 91);    // 2 January to 1 April, both counted
    EXPECT_FALSE(line.ttp_event);
    EXPECT_EQ(line.ttp_days, 60);    // censored at the last assessment
    EXPECT_EQ(line.stable_days, 91);
}

TEST(SumKinetics, GivesRatesAndTheLawThatFits)
{
    // Sums that follow exp(-0.01 t) within 0.2 mm, to either side in turn.
    const auto assessment = assessed(of({timepoint("2024-01-01", {test::measured("T1", "100")}), timepoint("2024-02-10", {test::measured("T1", "67.2")}), timepoint("2024-03-21", {test::measured("T1", "44.8")}),
                                         timepoint("2024-04-30", {test::measured("T1", "30.3")}), timepoint("2024-06-09", {test::measured("T1", "20")})}));
    const auto& kinetics = assessment.kinetics.at(0);
    EXPECT_EQ(kinetics.points, 5);
    EXPECT_EQ(kinetics.model, "dx");
    EXPECT_NEAR(kinetics.regression_per_day->value, 0.01, 1e-4);  // 0.2 mm of 67 mm over 40 days is 7e-5 a day
    ASSERT_TRUE(kinetics.regression_per_day->interval);
    EXPECT_NEAR(kinetics.steps.at(0).growth_rate_pct_month, 100 * (std::pow(0.672, 3 * 30.4375 / 40) - 1), 1e-6);
    const auto two = assessed(of({timepoint("2024-01-01", {test::measured("T1", "100")}), timepoint("2024-02-10", {test::measured("T1", "67")})}));
    EXPECT_EQ(two.kinetics.at(0).model, "");
    EXPECT_THAT(two.kinetics.at(0).text, HasSubstr("three are the least"));
}

}  // namespace
}  // namespace retromass::response

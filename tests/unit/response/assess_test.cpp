#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/response/patient.h"

namespace retromass::response {
namespace {

using test::lesion;
using test::measured;
using test::row_of;
using test::stated;
using test::timepoint;
using test::with;
using testing::HasSubstr;

Patient one_target(std::vector<Timepoint> timepoints)
{
    Patient patient;
    patient.id = "P";
    patient.lesions = {lesion("T1")};
    patient.timepoints = std::move(timepoints);
    return patient;
}

Assessment assessed(const Patient& patient, const Policies& policies = {})
{
    auto result = assess(patient, policies);
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
    return result.ok() ? std::move(result).value() : Assessment{};
}

TEST(Assess, TakesTheFirstTimePointAsBaselineWhereNoTreatmentIsStated)
{
    const auto assessment = assessed(one_target({timepoint("2024-01-01", {measured("T1", "100")}), timepoint("2024-03-01", {measured("T1", "70")})}));
    EXPECT_TRUE(row_of(assessment, "2024-01-01").is_baseline);
    EXPECT_EQ(row_of(assessment, "2024-03-01").overall.category, Category::pr);
}

TEST(Assess, GivesTheTargetResponseButNoOverallOneWhileNewLesionsAreNotStated)
{
    const auto patient = one_target({timepoint("2024-01-01", {measured("T1", "100")}), timepoint("2024-03-01", {measured("T1", "70")}, std::nullopt)});
    const auto silent = row_of(assessed(patient), "2024-03-01");
    EXPECT_EQ(silent.target, Category::pr);
    EXPECT_EQ(silent.overall.category, Category::ne);
    EXPECT_THAT(silent.overall.reason, HasSubstr("not evaluable: new lesions not stated"));
    EXPECT_TRUE(has(silent.overall.notices, Code::new_lesions_not_stated));
    EXPECT_EQ(row_of(assessed(patient, with({{"new_lesions_unstated", "assume-none"}})), "2024-03-01").overall.category, Category::pr);
}

TEST(Assess, KeepsProgressionWhateverIsUnsaidAboutNewLesions)
{
    const auto row = row_of(assessed(one_target({timepoint("2024-01-01", {measured("T1", "100")}), timepoint("2024-03-01", {measured("T1", "120")}, std::nullopt)})), "2024-03-01");
    EXPECT_EQ(row.overall.category, Category::pd);
    EXPECT_TRUE(has(row.overall.notices, Code::new_lesions_not_stated));
}

TEST(Assess, ReadsALesionWithoutObservationAsNotEvaluableNeverAsGone)
{
    const auto row = row_of(assessed(one_target({timepoint("2024-01-01", {measured("T1", "100")}), timepoint("2024-03-01", {})})), "2024-03-01");
    EXPECT_EQ(row.overall.category, Category::ne);
    EXPECT_FALSE(row.sum);
    EXPECT_TRUE(has(row.overall.notices, Code::not_evaluable));
    EXPECT_THAT(row.overall.reason, HasSubstr("T1"));
}

TEST(Assess, RefusesABaselineOlderThanFourWeeks)
{
    auto patient = one_target({timepoint("2024-01-01", {measured("T1", "100")}), timepoint("2024-03-01", {measured("T1", "70")})});
    patient.treatments = {test::systemic(1, "2024-01-29")};  // 28 days later: still valid
    EXPECT_EQ(row_of(assessed(patient), "2024-03-01", 1).overall.category, Category::pr);
    patient.treatments = {test::systemic(1, "2024-01-30")};
    const auto assessment = assessed(patient);
    EXPECT_EQ(row_of(assessment, "2024-03-01", 1).overall.category, Category::none);
    EXPECT_TRUE(has(assessment.lines.at(0).notices, Code::no_valid_baseline));
    EXPECT_EQ(row_of(assessed(patient, with({{"baseline_window_days", "29"}})), "2024-03-01", 1).overall.category, Category::pr);
}

TEST(Assess, StartsEachLineAfreshFromItsOwnBaselineAndNadir)
{
    auto patient = one_target({timepoint("2024-01-01", {measured("T1", "100")}), timepoint("2024-03-01", {measured("T1", "50")}),
                               timepoint("2024-05-01", {measured("T1", "90")}), timepoint("2024-07-01", {measured("T1", "62")})});
    patient.treatments = {test::systemic(1, "2024-01-05"), test::systemic(2, "2024-05-10")};
    const auto assessment = assessed(patient);
    EXPECT_EQ(row_of(assessment, "2024-05-01", 1).overall.category, Category::pd);  // 90 over the nadir 50
    EXPECT_TRUE(row_of(assessment, "2024-05-01", 2).is_baseline);
    EXPECT_EQ(row_of(assessment, "2024-07-01", 2).overall.category, Category::pr);  // 62 of 90
    EXPECT_EQ(row_of(assessment, "2024-07-01", 2).nadir_sum, Length::mm(90));
    ASSERT_EQ(assessment.lines.size(), 2u);
    EXPECT_TRUE(assessment.lines[0].pfs_event);
    EXPECT_EQ(assessment.lines[0].pfs_end, parse_date("2024-05-01"));
}

TEST(Assess, DatesTheNadirByCompleteSumsOnly)
{
    auto patient = one_target({});
    patient.lesions = {lesion("T1"), lesion("T2")};
    patient.timepoints = {timepoint("2024-01-01", {measured("T1", "30"), measured("T2", "30")}),
                          timepoint("2024-03-01", {stated("T1", LesionStatus::not_evaluable), measured("T2", "20")}),
                          timepoint("2024-05-01", {measured("T1", "31"), measured("T2", "20")})};
    const auto row = row_of(assessed(patient), "2024-05-01");
    EXPECT_EQ(row.overall.category, Category::sd);
    EXPECT_EQ(row.nadir_timepoint, "2024-01-01");
}

TEST(Assess, CountsALesionMergedIntoItsPartnerAsZeroAndIntoNothingAsNotEvaluable)
{
    auto patient = one_target({});
    patient.lesions = {lesion("T1"), lesion("T2")};
    auto merged = stated("T2", LesionStatus::merged);
    merged.merged_into = "T1";
    patient.timepoints = {timepoint("2024-01-01", {measured("T1", "20"), measured("T2", "25")}), timepoint("2024-03-01", {measured("T1", "38"), merged})};
    EXPECT_EQ(row_of(assessed(patient), "2024-03-01").sum, Length::mm(38));
    patient.timepoints[1].observations[1].merged_into = "T9";
    EXPECT_EQ(row_of(assessed(patient), "2024-03-01").overall.category, Category::ne);
}

TEST(Assess, CallsAnyDiseaseAfterACompleteResponseProgression)
{
    const auto assessment = assessed(one_target({timepoint("2024-01-01", {measured("T1", "30")}), timepoint("2024-03-01", {stated("T1", LesionStatus::absent)}),
                                                 timepoint("2024-05-01", {measured("T1", "3")})}));
    EXPECT_EQ(row_of(assessment, "2024-03-01").overall.category, Category::cr);
    EXPECT_EQ(row_of(assessment, "2024-05-01").overall.category, Category::pd);
}

TEST(Assess, DoesNotCallATinyReappearanceProgressionWhileNonTargetDiseaseWasLeft)
{
    auto patient = one_target({timepoint("2024-01-01", {measured("T1", "30"), stated("N1", LesionStatus::present)}),
                               timepoint("2024-03-01", {stated("T1", LesionStatus::absent), stated("N1", LesionStatus::present)}),
                               timepoint("2024-05-01", {measured("T1", "4.9"), stated("N1", LesionStatus::present)})});
    patient.lesions.push_back(lesion("N1", Role::non_target));
    EXPECT_EQ(row_of(assessed(patient), "2024-03-01").overall.category, Category::pr);
    EXPECT_EQ(row_of(assessed(patient), "2024-05-01").overall.category, Category::pr);
}

TEST(Assess, ReadsNonTargetDiseaseByItsWorst)
{
    auto patient = one_target({timepoint("2024-01-01", {stated("N1", LesionStatus::present), stated("N2", LesionStatus::present)}),
                               timepoint("2024-03-01", {stated("N1", LesionStatus::absent), stated("N2", LesionStatus::increased)}),
                               timepoint("2024-05-01", {stated("N1", LesionStatus::absent), stated("N2", LesionStatus::unequivocal_progression)})});
    patient.lesions = {lesion("N1", Role::non_target), lesion("N2", Role::non_target)};
    const auto assessment = assessed(patient);
    EXPECT_EQ(row_of(assessment, "2024-03-01").overall.category, Category::non_cr_non_pd);  // an increase is not unequivocal
    EXPECT_EQ(row_of(assessment, "2024-05-01").overall.category, Category::pd);
}

TEST(Assess, HoldsACompleteResponseBackWhileTheMarkerIsHigh)
{
    auto patient = one_target({timepoint("2024-01-01", {measured("T1", "30")}), timepoint("2024-03-01", {stated("T1", LesionStatus::absent)})});
    patient.timepoints[1].marker_normal = false;
    EXPECT_EQ(row_of(assessed(patient), "2024-03-01").overall.category, Category::pr);
}

TEST(Assess, DatesAnEquivocalNewLesionBackToWhenItWasFirstSeen)
{
    auto patient = one_target({timepoint("2024-01-01", {measured("T1", "30")}),
                               timepoint("2024-03-01", {measured("T1", "30"), stated("X1", LesionStatus::equivocal)}, NewLesions::equivocal),
                               timepoint("2024-05-01", {measured("T1", "30"), measured("X1", "14")}, NewLesions::unequivocal)});
    patient.lesions.push_back(lesion("X1", Role::new_lesion));
    EXPECT_EQ(row_of(assessed(patient), "2024-03-01").overall.category, Category::pd);
    patient.timepoints[2].observations[1] = stated("X1", LesionStatus::absent);
    patient.timepoints[2].new_lesions = NewLesions::none;
    EXPECT_EQ(row_of(assessed(patient), "2024-03-01").overall.category, Category::sd);
}

TEST(Assess, IgnoresANewNodeBelowTenMillimetres)
{
    auto patient = one_target({timepoint("2024-01-01", {measured("T1", "30")}), timepoint("2024-03-01", {measured("T1", "30"), measured("X1", "9.9")})});
    patient.lesions.push_back({"X1", Role::new_lesion, "axilla", "node", true});
    EXPECT_EQ(row_of(assessed(patient), "2024-03-01").overall.category, Category::sd);
    patient.timepoints[1].observations[1] = measured("X1", "10");
    EXPECT_EQ(row_of(assessed(patient), "2024-03-01").overall.category, Category::pd);
}

TEST(Assess, CarriesAStandingPartialResponseForwardUnlessToldOtherwise)
{
    const auto patient = one_target({timepoint("2024-01-01", {measured("T1", "100")}), timepoint("2024-03-01", {measured("T1", "70")}),
                                     timepoint("2024-05-01", {measured("T1", "80")})});
    EXPECT_EQ(row_of(assessed(patient), "2024-05-01").overall.category, Category::pr);
    EXPECT_EQ(row_of(assessed(patient, with({{"pr_persistence", "per-timepoint"}})), "2024-05-01").overall.category, Category::sd);
    // Not confirmed, it does not stand where confirmation is required.
    EXPECT_EQ(row_of(assessed(patient, with({{"confirmation", "required"}})), "2024-05-01").overall.category, Category::sd);
}

TEST(Assess, MarksGrowthSoonAfterRadiotherapyAsPossibleTreatmentEffect)
{
    auto patient = one_target({timepoint("2024-01-01", {measured("T1", "100")}), timepoint("2024-03-01", {measured("T1", "110")})});
    patient.treatments = {test::systemic(1, "2024-01-05"), test::local("radiotherapy", "2024-01-10", "2024-01-20", {"T1"})};
    const auto keep = with({{"local_therapy", "keep"}});
    EXPECT_TRUE(has(row_of(assessed(patient, keep), "2024-03-01", 1).overall.notices, Code::treatment_effect));
    patient.timepoints[1] = timepoint("2024-06-01", {measured("T1", "110")});  // 133 days after: no longer
    EXPECT_FALSE(has(row_of(assessed(patient, keep), "2024-06-01", 1).overall.notices, Code::treatment_effect));
}

TEST(Assess, RefusesMissingWrongAndSharedDates)
{
    auto patient = one_target({timepoint("2024-01-01", {measured("T1", "100")}), timepoint("2024-03-01", {measured("T1", "70")})});
    patient.timepoints[1].date.reset();
    EXPECT_EQ(assess(patient).error().code, Code::date_missing);
    patient.timepoints[1].date = parse_date("2023-12-31");
    EXPECT_EQ(assess(patient).error().code, Code::date_order);
    patient.timepoints[1].date = parse_date("2024-01-01");
    EXPECT_EQ(assess(patient).error().code, Code::date_shared);
    patient.timepoints[0].visit = "1a";
    patient.timepoints[1].visit = "1b";
    EXPECT_TRUE(assess(patient).ok());
}

TEST(Assess, WorksFromDaysWhereThereAreNoDates)
{
    auto patient = one_target({timepoint("base", {measured("T1", "100")}), timepoint("later", {measured("T1", "60")})});
    patient.timepoints[0].day = 0;
    patient.timepoints[1].day = 60;
    const auto assessment = assessed(patient);
    EXPECT_EQ(row_of(assessment, "later").overall.category, Category::pr);
    EXPECT_FALSE(assessment.lines.at(0).best_response_date) << "a day is no date";
    EXPECT_EQ(assessment.lines.at(0).pfs_days, 61);
}

TEST(Assess, SaysTheRuleTheThresholdsAndThePoliciesBehindACategory)
{
    const auto assessment = assessed(one_target({timepoint("2024-01-01", {measured("T1", "100")}), timepoint("2024-03-01", {measured("T1", "70")})}));
    const auto decision = row_of(assessment, "2024-03-01").overall;
    EXPECT_THAT(decision.rule, HasSubstr("4.3 partial response"));
    const auto value = [&](const std::string& input) {
        for (const auto& [name, text] : decision.inputs) {
            if (name == input) return text;
        }
        return std::string("absent");
    };
    EXPECT_EQ(value("sum"), "70 mm");
    EXPECT_EQ(value("limit of PR"), "at most 70.00 mm");
    EXPECT_EQ(value("limit of PD"), "at least 120.00 mm");
    EXPECT_THAT(value("nadir"), HasSubstr("2024-01-01"));
    EXPECT_EQ(assessment.policies.at("local_therapy"), "ne");
    EXPECT_EQ(assessment.policies.size(), policy_table().size());
}

TEST(Assess, SurvivesAPatientWithNothing)
{
    EXPECT_TRUE(assess(Patient{}).ok());
}

TEST(Assess, DatesAProgressionByTheSumByTheLastScanOfItsVisitWhereThePolicySaysSo)
{
    auto patient = one_target({timepoint("2023-12-20", {measured("T1", "50")}), timepoint("2024-02-26", {measured("T1", "60")}), timepoint("2024-03-01", {measured("T1", "61")}),
                               timepoint("2024-04-22", {measured("T1", "70")}), timepoint("2024-06-17", {measured("T1", "70")})});
    patient.treatments = {test::systemic(1, "2024-01-01")};
    const char* visits[] = {"BASELINE", "WEEK 8", "WEEK 8", "WEEK 16", "WEEK 8"};  // the last one is misnamed: another visit lies between
    for (std::size_t t = 0; t < 5; ++t) patient.timepoints[t].visit = visits[t];
    const auto line = [&](const char* pd_date) { return assessed(patient, with({{"pd_date", pd_date}})).lines.at(0); };
    // 2024-01-01 to 2024-02-26 are 31 + 25 days, and the first counts: 57; to 2024-03-01 there are 31 + 29, so 61.
    EXPECT_EQ(line("first-scan").pfs_days, 57);
    EXPECT_EQ(line("last-scan-of-visit").pfs_days, 61);
    EXPECT_EQ(line("last-scan-of-visit").pfs_end, parse_date("2024-03-01"));
    EXPECT_EQ(line("last-scan-of-visit").ttp_days, 61);
    EXPECT_TRUE(line("last-scan-of-visit").pfs_event);
    // A new therapy between the two scans comes after what the first one showed.
    patient.events = {{"new-anticancer-therapy", *parse_date("2024-02-28")}};
    EXPECT_EQ(line("last-scan-of-visit").pfs_days, 61);
    EXPECT_TRUE(line("last-scan-of-visit").pfs_event);
    patient.events.clear();
    // What is new is dated by the scan that shows it, and so is a scan whose visit has no name.
    patient.timepoints[1].new_lesions = NewLesions::unequivocal;
    EXPECT_EQ(line("last-scan-of-visit").pfs_days, 57);
    patient.timepoints[1].new_lesions = NewLesions::none;
    patient.timepoints[2].visit.clear();
    EXPECT_EQ(line("last-scan-of-visit").pfs_days, 57);
    patient.timepoints[1].visit.clear();
    EXPECT_EQ(line("last-scan-of-visit").pfs_days, 57);
}

TEST(Assess, DatesDiseaseSeenAgainAfterACompleteResponseByTheScanThatShowsIt)
{
    auto patient = one_target({timepoint("2023-12-20", {measured("T1", "50")}), timepoint("2024-02-26", {stated("T1", LesionStatus::absent)}), timepoint("2024-04-22", {measured("T1", "6")}),
                               timepoint("2024-04-26", {measured("T1", "6")})});
    patient.treatments = {test::systemic(1, "2024-01-01")};
    const char* visits[] = {"BASELINE", "WEEK 8", "WEEK 16", "WEEK 16"};
    for (std::size_t t = 0; t < 4; ++t) patient.timepoints[t].visit = visits[t];
    const auto assessment = assessed(patient, with({{"pd_date", "last-scan-of-visit"}}));
    EXPECT_THAT(row_of(assessment, "2024-04-22", 1).overall.rule, HasSubstr("4.7"));
    EXPECT_EQ(assessment.lines.at(0).pfs_end, parse_date("2024-04-22"));  // whatever its size: not by the sum
}

}  // namespace

}  // namespace retromass::response

#include "measurement/response/irecist.h"

#include <gtest/gtest.h>

namespace retromass::response {
namespace {

/// A time point by day and sum; the rest by the fields.
ImmuneTimepoint at(long day, const char* sum, long new_lesions = 0, const char* new_sum = nullptr)
{
    ImmuneTimepoint out;
    out.date = Date{std::chrono::days{day}};
    if (sum) out.sum = *Length::parse(sum);
    out.targets_gone = out.sum == Length{};
    out.new_lesions = new_lesions;
    if (new_sum) out.new_target_sum = *Length::parse(new_sum);
    return out;
}

ImmuneTimepoint with_non_target(ImmuneTimepoint timepoint, ImmuneNonTarget state)
{
    timepoint.non_target = state;
    return timepoint;
}

std::string series(const std::vector<ImmuneTimepoint>& timepoints, const ImmuneRules& rules = {})
{
    std::string out;
    for (const auto& outcome : immune_responses(Length::mm(100), timepoints, rules)) out.append(out.empty() ? "" : " ").append(name(outcome.outcome.category));
    return out;
}

std::optional<ImmuneProgression> progression(const std::vector<ImmuneTimepoint>& timepoints) { return immune_progression(immune_responses(Length::mm(100), timepoints, {})); }

TEST(Irecist, ConfirmsOnTheTwentyEighthDayAndNotBefore)
{
    EXPECT_EQ(series({at(56, "120"), at(84, "125")}), "iUPD iCPD");
    EXPECT_EQ(series({at(56, "120"), at(83, "125")}), "iUPD iUPD");
    EXPECT_EQ(series({at(56, "120"), at(83, "125")}, {27, PrPersistence::per_timepoint}), "iUPD iCPD");
}

TEST(Irecist, LetsAScanThatIsTooEarlyChangeNothing)
{
    // The early 60 mm neither resets nor lowers the nadir: 78 mm is then -22 % from 100 mm, not +30 % from 60 mm.
    EXPECT_EQ(series({at(56, "125"), at(70, "60"), at(91, "78")}), "iUPD iUPD iSD");
}

TEST(Irecist, ConfirmsEarlyOnlyForANewSymptomWithAFurtherNewLesion)
{
    auto early = at(70, "125", 1, "12");
    EXPECT_EQ(series({at(56, "125"), early}), "iUPD iUPD");
    early.new_symptom = true;
    EXPECT_EQ(series({at(56, "125"), early}), "iUPD iCPD");
    auto larger = at(70, "140");
    larger.new_symptom = true;
    EXPECT_EQ(series({at(56, "125"), larger}), "iUPD iUPD") << "a symptom alone is not enough";
}

TEST(Irecist, AddsUpGrowthSinceTheFirstUnconfirmedProgression)
{
    EXPECT_EQ(series({at(56, "125"), at(91, "129"), at(126, "129.9"), at(161, "130")}), "iUPD iUPD iUPD iCPD");
}

TEST(Irecist, ConfirmsByACategoryThatHadNotProgressedBefore)
{
    const auto present = ImmuneNonTarget::present, unequivocal = ImmuneNonTarget::unequivocal;
    EXPECT_EQ(series({with_non_target(at(56, "125"), present), with_non_target(at(91, "125"), unequivocal)}), "iUPD iCPD");
    EXPECT_EQ(series({with_non_target(at(56, "100"), unequivocal), with_non_target(at(91, "120"), unequivocal)}), "iUPD iCPD");
    EXPECT_EQ(series({at(56, "125"), at(91, "125", 1)}), "iUPD iCPD");
    EXPECT_EQ(series({with_non_target(at(56, "100"), unequivocal), with_non_target(at(91, "100"), ImmuneNonTarget::increased)}), "iUPD iCPD");
}

TEST(Irecist, TakesAnIncreaseAloneForNoProgression)
{
    EXPECT_EQ(series({with_non_target(at(56, "100"), ImmuneNonTarget::increased)}), "iSD");
}

TEST(Irecist, ResetsOnAResponseAndThenAsksForAConfirmationOfItsOwn)
{
    EXPECT_EQ(series({at(56, "125"), at(91, "65"), at(126, "78"), at(161, "83")}), "iUPD iPR iUPD iCPD");
    const auto found = progression({at(56, "125"), at(91, "65"), at(126, "78"), at(161, "83")});
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->confirmed);
    EXPECT_EQ(found->index, 2u) << "the wiped progression dates nothing";
}

TEST(Irecist, StaysUnconfirmedWhileTheTargetsAreAboveTheLimit)
{
    EXPECT_EQ(series({at(56, "60"), at(91, "75"), at(126, "72")}), "iPR iUPD iUPD");   // 72 is +20 % of 60
    EXPECT_EQ(series({at(56, "60"), at(91, "75"), at(126, "71.9")}), "iPR iUPD iSD");
}

TEST(Irecist, KeepsAStableNewLesionUnlessTheBaselineLesionsRespondAfterIt)
{
    EXPECT_EQ(series({at(56, "100", 1, "12"), at(91, "65", 1, "12")}), "iUPD iPR");
    EXPECT_EQ(series({at(56, "65"), at(91, "65", 1, "12"), at(126, "65", 1, "12")}), "iPR iUPD iUPD") << "the response came first";
    EXPECT_EQ(series({at(56, "100", 1, "12"), at(91, "100", 1, "0")}), "iUPD iSD") << "a new lesion that went";
}

TEST(Irecist, CallsNothingCompleteWhileANewLesionIsThere)
{
    EXPECT_EQ(series({at(56, "100", 1, "12"), at(91, "0", 1, "12")}), "iUPD iPR");
    EXPECT_EQ(series({at(56, "100", 1, "12"), at(91, "0", 1, "0")}), "iUPD iCR");
}

TEST(Irecist, TakesOldNewLesionsAfterAResetOnlyByTheirOwnGrowth)
{
    const std::vector<ImmuneTimepoint> reset{at(56, "100", 1, "20"), at(91, "60", 1, "20")};
    auto with = [&](ImmuneTimepoint last) {
        auto all = reset;
        all.push_back(last);
        return series(all);
    };
    EXPECT_EQ(with(at(126, "60", 1, "24.9")), "iUPD iPR iPR");   // +24.5 %, but only 4.9 mm
    EXPECT_EQ(with(at(126, "60", 1, "25")), "iUPD iPR iUPD");
    EXPECT_EQ(with(at(126, "60", 2, "20")), "iUPD iPR iUPD");
    auto unmeasured = at(126, "60", 1, "20");
    unmeasured.new_non_target = unmeasured.new_non_target_increased = true;
    EXPECT_EQ(with(unmeasured), "iUPD iPR iPR") << "an increase is not unequivocal";
    unmeasured.new_non_target_unequivocal = true;
    EXPECT_EQ(with(unmeasured), "iUPD iPR iUPD");
}

TEST(Irecist, NeitherConfirmsNorRefutesUnseen)
{
    EXPECT_EQ(series({at(56, "125"), at(91, nullptr), at(126, "130")}), "iUPD NE iCPD");
    const auto unequivocal = ImmuneNonTarget::unequivocal, unseen = ImmuneNonTarget::not_evaluable;
    EXPECT_EQ(series({with_non_target(at(56, "90"), unequivocal), with_non_target(at(91, "90"), unseen)}), "iUPD NE");
    auto silent = at(91, "60", 1, "12");
    silent.new_lesions_known = false;
    EXPECT_EQ(series({at(56, "100", 1, "12"), silent}), "iUPD NE");
}

TEST(Irecist, TakesTheEvaluatedTargetsAloneWhereTheyAreProgression)
{
    auto partial = at(56, nullptr);
    partial.partial = Length::mm(120);
    EXPECT_EQ(series({partial}), "iUPD");
    partial.partial = *Length::parse("119.9");
    EXPECT_EQ(series({partial}), "NE");
}

TEST(Irecist, CountsNothingAfterAConfirmedProgression)
{
    EXPECT_EQ(series({at(56, "125"), at(91, "130"), at(126, "50")}), "iUPD iCPD iPR");
    const auto found = progression({at(56, "125"), at(91, "130"), at(126, "50")});
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->confirmed);
    EXPECT_EQ(found->index, 0u);
}

TEST(Irecist, DatesAProgressionThatNothingRefutedByItsFirstStudy)
{
    const auto found = progression({at(56, "125"), at(91, "125"), at(126, nullptr)});
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->confirmed);
    EXPECT_EQ(found->index, 0u);
    EXPECT_FALSE(progression({at(56, "125"), at(91, "90")}));
}

TEST(Irecist, CarriesAResponseForwardWhereToldTo)
{
    const std::vector<ImmuneTimepoint> timepoints{at(56, "65"), at(91, "77.9")};
    EXPECT_EQ(series(timepoints), "iPR iSD");
    EXPECT_EQ(series(timepoints, {28, PrPersistence::carry_forward}), "iPR iPR");
}

TEST(Irecist, CarriesForwardOnlyAConfirmedResponseWhereConfirmationIsRequired)
{
    ImmuneRules rules{28, PrPersistence::carry_forward};
    rules.confirmation = BestResponseRules{};
    rules.confirmation->confirm = true;
    EXPECT_EQ(series({at(56, "65"), at(91, "77.9")}, rules), "iPR iSD") << "rule 4.6: the response never stood";
    EXPECT_EQ(series({at(56, "65"), at(91, "65"), at(126, "77.9")}, rules), "iPR iPR iPR");
    auto treated = at(91, "65");
    treated.may_confirm = false;
    EXPECT_EQ(series({at(56, "65"), treated, at(126, "77.9")}, rules), "iPR iPR iSD") << "after a local treatment nothing is confirmed";
}

TEST(Irecist, TakesTheReturnOfAProgressionOfTheSameBlockForNoOtherCategory)
{
    // Rules 9.3 to 9.5: the targets had their iUPD in this block, and 125 mm are not 5 mm over 125 mm.
    const auto unequivocal = ImmuneNonTarget::unequivocal, present = ImmuneNonTarget::present;
    EXPECT_EQ(series({with_non_target(at(56, "125"), unequivocal), with_non_target(at(91, "115"), unequivocal), with_non_target(at(126, "125"), unequivocal)}), "iUPD iUPD iUPD");
    EXPECT_EQ(series({with_non_target(at(56, "125"), unequivocal), with_non_target(at(91, "115"), unequivocal), with_non_target(at(126, "130"), unequivocal)}), "iUPD iUPD iCPD");
    EXPECT_EQ(series({with_non_target(at(56, "125"), unequivocal), with_non_target(at(91, "125"), present), with_non_target(at(126, "125"), unequivocal)}), "iUPD iUPD iUPD");
}

TEST(Irecist, WorksWithoutTargets)
{
    auto none = at(56, nullptr);
    none.has_targets = false;
    EXPECT_EQ(series({with_non_target(none, ImmuneNonTarget::present)}), "NON-iCR/NON-iUPD");
    EXPECT_EQ(series({with_non_target(none, ImmuneNonTarget::absent)}), "iCR");
}

TEST(Irecist, TakesDiseaseAfterAnOverallCompleteResponseForProgression)
{
    // Rules 4.7 and 6.6: whatever its size, and as target or as non-target disease.
    EXPECT_EQ(series({at(56, "0"), at(91, "4"), at(126, "8.9"), at(161, "9")}), "iCR iUPD iUPD iCPD");
    EXPECT_EQ(series({at(56, "0"), at(91, "4"), at(126, "0")}), "iCR iUPD iCR");
    const auto absent = ImmuneNonTarget::absent, present = ImmuneNonTarget::present, increased = ImmuneNonTarget::increased;
    EXPECT_EQ(series({with_non_target(at(56, "0"), absent), with_non_target(at(91, "0"), present)}), "iCR iUPD");
    EXPECT_EQ(series({with_non_target(at(56, "0"), absent), with_non_target(at(91, "0"), present), with_non_target(at(126, "0"), present), with_non_target(at(161, "0"), increased)}), "iCR iUPD iUPD iCPD");
    EXPECT_EQ(series({with_non_target(at(56, "0"), present), with_non_target(at(91, "4"), present)}), "iPR iPR") << "never an overall complete response";
    auto node = at(91, "8");
    node.targets_gone = true;
    EXPECT_EQ(series({at(56, "0"), node}), "iCR iCR") << "a node below 10 mm is gone";
    auto partial = at(91, nullptr);
    partial.target_seen = true;
    partial.partial = Length::mm(4);
    EXPECT_EQ(series({at(56, "0"), partial}), "iCR iUPD") << "the one that is back is enough";
    ImmuneRules reread;
    reread.disease_after_cr_progresses = false;
    EXPECT_EQ(series({at(56, "0"), at(91, "4")}, reread), "iCR iPR");
}

TEST(Irecist, ConfirmsByTheGrowthOfOldNewLesionsWhereOthersOpenedTheProgression)
{
    const std::vector<ImmuneTimepoint> timepoints{at(56, "100", 1, "20"), at(91, "60", 1, "20"), at(126, "75", 1, "20"), at(161, "75", 1, "26")};
    EXPECT_EQ(series(timepoints), "iUPD iPR iUPD iCPD");
    ASSERT_TRUE(progression(timepoints));
    EXPECT_EQ(progression(timepoints)->index, 2u);
    EXPECT_EQ(series({at(56, "100", 1, "20"), at(91, "60", 1, "20"), at(126, "75", 1, "20"), at(161, "75", 1, "24.9")}), "iUPD iPR iUPD iUPD");
}

TEST(Irecist, StartsTheNadirOfTheNewLesionsAfreshWithAFurtherOne)
{
    const std::vector<ImmuneTimepoint> further{at(56, "100", 1, "20"), at(91, "60", 1, "20"), at(126, "80", 2, "35"), at(161, "60", 2, "35")};
    auto with = [&](const char* sum) {
        auto all = further;
        all.push_back(at(196, "60", 2, sum));
        return series(all);
    };
    EXPECT_EQ(with("35"), "iUPD iPR iUPD iPR iPR") << "35 mm are two lesions, 20 mm was one";
    EXPECT_EQ(with("41.9"), "iUPD iPR iUPD iPR iPR");
    EXPECT_EQ(with("42"), "iUPD iPR iUPD iPR iUPD");
}

TEST(Irecist, ConfirmsWhereTheSumWasIncompleteAtTheFirstProgression)
{
    auto partial = [](long day, const char* sum) {
        auto out = at(day, nullptr);
        out.partial = *Length::parse(sum);
        return out;
    };
    EXPECT_EQ(series({partial(56, "125"), at(91, "130"), at(126, "134.9"), at(161, "135")}), "iUPD iUPD iUPD iCPD") << "counted from the first complete sum";
    EXPECT_EQ(series({at(56, "100", 1), at(91, "100", 1, "12"), at(126, "100", 1, "16.9"), at(161, "100", 1, "17")}), "iUPD iUPD iUPD iCPD");
    EXPECT_EQ(series({at(56, "125"), partial(91, "130")}), "iUPD iCPD") << "what was measured alone grew by 5 mm";
    EXPECT_EQ(series({at(56, "125"), partial(91, "129.9")}), "iUPD iUPD");
}

std::vector<DatedResponse> on_days(const std::vector<std::pair<long, Category>>& days)
{
    std::vector<DatedResponse> out;
    for (const auto& [day, category] : days) out.push_back({Date{std::chrono::days{day}}, category});
    return out;
}

TEST(ImmuneBestResponse, AsksForConfirmationAndAMinimumWhereToldTo)
{
    using enum Category;
    BestResponseRules rules;
    rules.confirm = true;
    const auto best = [&](const std::vector<std::pair<long, Category>>& days) { return immune_best_response(Date{}, on_days(days), rules).category; };
    EXPECT_EQ(best({{56, ipr}, {84, ipr}}), ipr);
    EXPECT_EQ(best({{56, ipr}, {83, ipr}}), isd);
    EXPECT_EQ(best({{56, icr}, {84, ipr}}), ipr) << "a complete response not confirmed as such is a confirmed partial one";
    EXPECT_EQ(best({{56, iupd}, {91, ipr}, {126, ipr}}), ipr);
    EXPECT_EQ(best({{56, ipr}, {91, iupd}, {126, ipr}}), isd) << "a progression between them";
    EXPECT_EQ(best({{41, isd}, {56, iupd}}), iupd) << "stable too early";
    EXPECT_EQ(best({{42, isd}, {56, iupd}}), isd);
    EXPECT_EQ(best({{56, iupd}, {91, icpd}, {126, icr}, {170, icr}}), icpd) << "nothing after the confirmed progression";
}

}  // namespace
}  // namespace retromass::response

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/response/patient.h"

namespace retromass::response {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

BaselineLesion of(const char* id, const char* organ, const char* mm)
{
    BaselineLesion out;
    out.id = id;
    out.organ = organ;
    out.size = *Length::parse(mm);
    return out;
}

std::string why(const TargetProposal& proposal, const std::string& id)
{
    for (const auto& [lesion, reason] : proposal.others) {
        if (lesion == id) return reason;
    }
    return "proposed";
}

std::string baseline_reason(const Patient& patient, const Policies& policies = {}) { return assess(patient, policies)->recist.front().overall.reason; }

}  // namespace

TEST(BaselineHelp, ProposesTheLargestOfEachOrganFirstAndAtMostFive)
{
    // E09 4.1.1 and rule 2.5: two an organ, five in all; the 12 mm adrenal comes before the liver's second.
    const auto proposal = propose_targets(std::vector{of("L1", "liver", "60"), of("L2", "liver", "50"), of("L3", "liver", "40"), of("A1", "adrenal", "12"), of("P1", "lung", "30"), of("P2", "lung", "20"), of("S1", "spleen", "11")});
    EXPECT_THAT(proposal.targets, ElementsAre("L1", "L2", "A1", "P1", "S1"));
    EXPECT_THAT(why(proposal, "L3"), HasSubstr("others come first"));
    EXPECT_THAT(why(proposal, "P2"), HasSubstr("others come first"));
    EXPECT_THAT(proposal.measurable, ElementsAre("L1", "L2", "L3", "A1", "P1", "P2", "S1"));
}

TEST(BaselineHelp, NamesWhyALesionIsNoTarget)
{
    auto thick = of("T", "liver", "13.9");
    thick.slice_mm = 7;
    auto fits = of("F", "lung", "14");
    fits.slice_mm = 7;
    auto node = of("N", "neck", "14.9");
    node.nodal = true;
    auto normal = of("O", "neck", "9.9");
    normal.nodal = true;
    auto big = of("B", "groin", "15");
    big.nodal = true;
    auto irradiated = of("I", "bone", "40");
    irradiated.treated_locally = true;
    const auto proposal = propose_targets(std::vector{thick, fits, node, normal, big, irradiated, of("S", "spleen", "9.9")});
    EXPECT_THAT(proposal.targets, ElementsAre("F", "B"));
    EXPECT_THAT(proposal.measurable, ElementsAre("F", "B"));
    big.slice_mm = 8;
    EXPECT_THAT(propose_targets(std::vector{big}).targets, testing::IsEmpty());  // rule 1.4: twice the slice, unless the protocol leaves that out
    EXPECT_THAT(propose_targets(std::vector{big}, test::with({{"node_slice_rule", "none"}})).targets, ElementsAre("B"));
    EXPECT_THAT(why(proposal, "T"), HasSubstr("13.9 mm, below twice the slice thickness of 7 mm"));
    EXPECT_THAT(why(proposal, "N"), HasSubstr("14.9 mm short axis, below measurability (15 mm)"));
    EXPECT_THAT(why(proposal, "O"), HasSubstr("normal"));
    EXPECT_THAT(why(proposal, "I"), HasSubstr("treated locally before"));
    EXPECT_THAT(why(proposal, "S"), HasSubstr("below measurability (10 mm)"));
}

TEST(BaselineHelp, AnOrganNobodyStatedIsNotTakenForAnotherLesions)
{
    EXPECT_THAT(propose_targets(std::vector{of("A", "", "30"), of("B", "", "29"), of("C", "", "28")}).targets, ElementsAre("A", "B", "C"));
}

TEST(BaselineHelp, TheBaselineNamesWhatTheRuleWouldHaveChosenUnlessTheProtocolLeavesItToTheReader)
{
    const std::vector lesions{test::lesion("T1"), test::lesion("T2"), test::lesion("NT1", Role::non_target)};
    const auto patient = test::of({test::timepoint("2020-01-01", {test::measured("T1", "30"), test::measured("T2", "9"), test::measured("NT1", "50")})}, lesions);
    const auto by_rule = baseline_reason(patient);
    EXPECT_THAT(by_rule, HasSubstr("kept as the reader's choice: T2 (9 mm, below measurability (10 mm))"));
    EXPECT_THAT(by_rule, HasSubstr("the largest of each organ first would also take: NT1"));
    const auto notices = assess(patient)->recist.front().overall.notices;
    ASSERT_TRUE(has(notices, Code::target_not_eligible));
    EXPECT_THAT(notices.front().text, HasSubstr("T2 (9 mm, below measurability (10 mm))"));
    const auto by_reader = baseline_reason(patient, test::with({{"target_choice", "reader"}}));
    EXPECT_THAT(by_reader, HasSubstr("T2 (9 mm, below measurability"));
    EXPECT_THAT(by_reader, Not(HasSubstr("NT1")));
}

TEST(BaselineHelp, IsSilentWhereEveryTargetFits)
{
    EXPECT_FALSE(has(assess(test::of({test::timepoint("2020-01-01", {test::measured("T1", "10")})}, {test::lesion("T1")}))->recist.front().overall.notices, Code::target_not_eligible));
}

TEST(BaselineHelp, ATargetIrradiatedBeforeTheBaselineIsNamed)
{
    auto patient = test::of({test::timepoint("2020-01-01", {test::measured("T1", "30")}), test::timepoint("2020-03-01", {test::measured("T1", "30")})});
    EXPECT_THAT(baseline_reason(patient), Not(HasSubstr("treated locally")));
    patient.treatments.push_back(test::local("radiotherapy", "2019-11-01", "2019-11-20", {"T1"}));
    EXPECT_THAT(baseline_reason(patient), HasSubstr("T1 (treated locally before, so a target only where it has grown since)"));
}

}  // namespace retromass::response

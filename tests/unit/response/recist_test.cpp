#include "measurement/response/recist.h"

#include <gtest/gtest.h>

namespace retromass::response {
namespace {

// E09: "at least" in both limits. Every pair that lies exactly on a limit is judged, where doubles fail on about half.
TEST(TargetSums, HoldAtEveryExactLimitOfPartialResponse)
{
    for (std::int64_t base = 1000; base <= 30000; base += 100) {  // 10 to 300 mm; 70 % is a whole number of 0.01 mm
        const Length limit{base * 7 / 10};
        EXPECT_TRUE(responded(limit, Length{base})) << base;
        EXPECT_FALSE(responded(limit + Length{1}, Length{base})) << base;
    }
}

TEST(TargetSums, HoldAtEveryExactLimitOfProgression)
{
    for (std::int64_t nadir = 0; nadir <= 30000; nadir += 50) {
        const Length limit{std::max(nadir * 6 / 5, nadir + 500)};
        EXPECT_TRUE(progressed(limit, Length{nadir})) << nadir;
        EXPECT_FALSE(progressed(limit - Length{1}, Length{nadir})) << nadir;
    }
}

TEST(Measurability, IsNeverLoweredByThinSlicesAndRaisedByThickOnes)
{
    MeasurabilityFacts facts;
    facts.long_axis = facts.short_axis = *Length::parse("9.99");
    facts.slice = Length::mm(1);
    EXPECT_EQ(measurability(facts), Measurability::non_measurable);
    facts.long_axis = Length::mm(14);
    facts.slice = Length::mm(7);
    EXPECT_EQ(measurability(facts), Measurability::target_eligible);
    facts.long_axis = *Length::parse("13.99");
    EXPECT_EQ(measurability(facts), Measurability::non_measurable);
}

TEST(Measurability, LetsThePolicyRaiseTheLimitOfNodesInThickSlices)
{
    MeasurabilityFacts facts;
    facts.kind = DiseaseKind::nodal;
    facts.long_axis = facts.short_axis = Length::mm(15);
    facts.slice = Length::mm(8);
    EXPECT_EQ(measurability(facts), Measurability::non_target_pathological);
    Policies policies;
    ASSERT_TRUE(policies.set("node_slice_rule", "none").ok());
    EXPECT_EQ(measurability(facts, policies), Measurability::target_eligible);
}

TEST(BaselineTargets, CountBothLungsAndAllNodesAsOneOrganEach)
{
    const std::vector<Candidate> candidates{{"a", "left lung", DiseaseKind::non_nodal, Length::mm(50)}, {"b", "right lung", DiseaseKind::non_nodal, Length::mm(40)},
                                            {"c", "left lung", DiseaseKind::non_nodal, Length::mm(30)}, {"d", "axilla", DiseaseKind::nodal, Length::mm(20)},
                                            {"e", "mediastinum", DiseaseKind::nodal, Length::mm(19)},   {"f", "groin", DiseaseKind::nodal, Length::mm(18)}};
    EXPECT_EQ(baseline_targets(candidates).size(), 4u);
}

TEST(TargetReading, TakesTheShortAxisOfANodeAndNeverReadsSilenceAsZero)
{
    Observation observation;
    observation.status = LesionStatus::measured;
    observation.long_axis = Length::mm(30);
    EXPECT_TRUE(target_reading({"N", Role::target, "", "", true}, &observation).parts.empty());
    observation.short_axis = Length::mm(12);
    EXPECT_EQ(target_reading({"N", Role::target, "", "", true}, &observation).parts.front(), Length::mm(12));
    EXPECT_EQ(target_reading({"T", Role::target, "", "", false}, &observation).parts.front(), Length::mm(30));
    EXPECT_TRUE(target_reading({"T", Role::target, "", "", false}, nullptr).parts.empty());
}

}  // namespace
}  // namespace retromass::response

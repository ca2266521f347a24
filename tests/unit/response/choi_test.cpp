#include "measurement/response/choi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace retromass::response {
namespace {

using testing::HasSubstr;

Density hu(double value) { return Density::recorded(value); }

ChoiFacts facts(const char* baseline, const char* current, std::optional<double> before = {}, std::optional<double> after = {})
{
    ChoiFacts out;
    out.baseline = out.growth_reference = *Length::parse(baseline);
    out.current = *Length::parse(current);
    if (before) out.baseline_hu = hu(*before);
    if (after) out.current_hu = hu(*after);
    return out;
}

Category of(const ChoiFacts& f) { return choi(f).outcome.category; }

TEST(Choi, MeetsEachLimitExactlyAndMissesItByTheSmallestStep)
{
    using enum Category;
    EXPECT_EQ(of(facts("100", "90")), pr);
    EXPECT_EQ(of(facts("100", "90.01")), sd);
    EXPECT_EQ(of(facts("100", "110")), pd);
    EXPECT_EQ(of(facts("100", "109.99")), sd);
    EXPECT_EQ(of(facts("100", "100", 80, 68)), pr);
    EXPECT_EQ(of(facts("100", "100", 80, 68.01)), sd);
    // 27.9 of 31 mm is exactly -10 %; binary fractions miss such limits
    EXPECT_EQ(of(facts("31", "27.9")), pr);
    EXPECT_EQ(of(facts("31", "34.1")), pd);
}

TEST(Choi, FlagsAnExactLimitAndReadsItStrictlyWhereToldTo)
{
    for (const auto& exact : {facts("100", "90"), facts("100", "110"), facts("100", "100", 80, 68)}) {
        EXPECT_TRUE(choi(exact).at_limit);
        EXPECT_EQ(choi(exact, ChoiLimits::strict).outcome.category, Category::sd);
    }
    EXPECT_FALSE(choi(facts("100", "89.99")).at_limit);
}

TEST(Choi, TakesNewLesionsNodulesAndOtherProgressionBeforeEverything)
{
    for (bool ChoiFacts::*flag : {&ChoiFacts::new_lesion, &ChoiFacts::nodule, &ChoiFacts::non_target_progression}) {
        auto f = facts("100", "0", 80, 10);
        f.all_gone = true;
        f.*flag = true;
        EXPECT_EQ(of(f), Category::pd);
        EXPECT_EQ(modified_choi(f).outcome.category, Category::pd);
    }
}

TEST(Choi, LetsDensitySpeakBeforeGrowthAndFlagsThat)
{
    const auto answer = choi(facts("100", "130", 80, 68));
    EXPECT_EQ(answer.outcome.category, Category::pr);
    EXPECT_TRUE(answer.responds_while_growing);
    EXPECT_FALSE(choi(facts("100", "80", 80, 68)).responds_while_growing);
}

TEST(Choi, JudgesBySizeAloneWhereDensityIsUnknownOrItsBaselineIsNotAboveZero)
{
    for (const auto& f : {facts("100", "100"), facts("100", "100", 80), facts("100", "100", {}, 10), facts("100", "100", 0, -20), facts("100", "100", -5, -50)}) {
        const auto answer = choi(f);
        EXPECT_EQ(answer.outcome.category, Category::sd);
        EXPECT_FALSE(answer.density_judged);
        EXPECT_THAT(answer.outcome.reason, HasSubstr("density not judged"));
    }
}

TEST(Choi, CountsGrowthFromItsReferenceAndShrinkageFromTheBaseline)
{
    auto f = facts("100", "77");
    f.growth_reference = Length::mm(70);
    EXPECT_EQ(of(f), Category::pr) << "-23 % from the baseline comes before +10 % from the nadir";
    f = facts("100", "99");
    f.growth_reference = Length::mm(90);
    EXPECT_EQ(of(f), Category::pd);
}

TEST(Choi, SaysNothingWithoutASizeAndTakesGrowthFromZeroAsProgression)
{
    EXPECT_EQ(of(facts("0", "0")), Category::ne);
    EXPECT_EQ(of(facts("0", "3")), Category::pd);
}

TEST(ModifiedChoi, NeedsBothAndSettlesNothingTheSourceLeavesOpen)
{
    using enum Category;
    EXPECT_EQ(modified_choi(facts("100", "90", 80, 68)).outcome.category, pr);
    EXPECT_EQ(modified_choi(facts("100", "90", 80, 68.01)).outcome.category, sd);
    EXPECT_EQ(modified_choi(facts("100", "90.01", 80, 10)).outcome.category, sd);
    EXPECT_EQ(modified_choi(facts("100", "60")).outcome.category, ne) << "size alone is no response";
    EXPECT_EQ(modified_choi(facts("100", "110", 80, 68)).outcome.category, ne) << "open in the source";
    EXPECT_EQ(modified_choi(facts("100", "110", 80, 80)).outcome.category, pd);
    EXPECT_EQ(modified_choi(facts("100", "110")).outcome.category, pd);
}

}  // namespace
}  // namespace retromass::response

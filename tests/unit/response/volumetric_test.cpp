#include "measurement/response/volumetric.h"

#include <gtest/gtest.h>

namespace retromass::response {
namespace {

Category by(const char* rule, std::int64_t baseline, std::int64_t nadir, std::int64_t current)
{
    return volume_response({baseline, nadir, current}, volume_rule(rule)).category;
}

TEST(VolumeResponse, MeetsTheLimitsOfEachRuleExactly)
{
    using enum Category;
    const struct { const char* rule; std::int64_t response, progression; } rules[] = {
        {"exact-sphere", 343'000, 1'728'000}, {"65/73", 350'000, 1'730'000}, {"66/73", 340'000, 1'730'000}, {"ellipsoid-30/20", 700'000, 1'200'000}};
    for (const auto& [rule, response, progression] : rules) {
        SCOPED_TRACE(rule);
        EXPECT_EQ(by(rule, 1'000'000, 1'000'000, response), pr);
        EXPECT_EQ(by(rule, 1'000'000, 1'000'000, response + 1), sd);
        EXPECT_EQ(by(rule, 1'000'000, 1'000'000, progression), pd);
        EXPECT_EQ(by(rule, 1'000'000, 1'000'000, progression - 1), sd);
    }
}

TEST(VolumeResponse, TestsProgressionBeforeResponse)
{
    EXPECT_EQ(by("exact-sphere", 1000, 100, 173), Category::pd);
    EXPECT_EQ(by("exact-sphere", 1000, 100, 172), Category::pr);
}

TEST(VolumeResponse, TakesZeroAsCompleteAndAnyReturnFromItAsProgression)
{
    EXPECT_EQ(by("exact-sphere", 1000, 1000, 0), Category::cr);
    EXPECT_EQ(by("exact-sphere", 1000, 0, 0), Category::cr);
    EXPECT_EQ(by("exact-sphere", 1000, 0, 1), Category::pd);
    EXPECT_EQ(by("exact-sphere", 0, 0, 0), Category::ne);
    EXPECT_EQ(by("exact-sphere", 0, 0, 5), Category::pd);
}

TEST(VolumeResponse, NamesTheRuleItUsed)
{
    EXPECT_NE(volume_response({1000, 1000, 345}, volume_rule("65/73")).reason.find("65/73"), std::string::npos);
}

}  // namespace
}  // namespace retromass::response

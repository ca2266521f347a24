#include "measurement/response/who.h"

#include <gtest/gtest.h>

namespace retromass::response {
namespace {

Product product(const char* a, const char* b) { return Product::of(*Length::parse(a), *Length::parse(b)); }

Category by_lesion(std::vector<WhoLesion> lesions)
{
    Product nadir;
    for (const auto& lesion : lesions) nadir = nadir + lesion.nadir;
    return who_response(lesions, nadir, WhoProgression::per_lesion).category;
}

Category by_sum(std::vector<WhoLesion> lesions)
{
    Product nadir;
    for (const auto& lesion : lesions) nadir = nadir + lesion.nadir;
    return who_response(lesions, nadir, WhoProgression::sum_over_nadir).category;
}

TEST(Who, MeetsHalfAndAQuarterExactly)
{
    using enum Category;
    const auto whole = product("40", "30");  // 1200 mm2
    EXPECT_EQ(by_lesion({{"A", whole, whole, product("30", "20"), false}}), pr);
    EXPECT_EQ(by_lesion({{"A", whole, whole, product("30.01", "20"), false}}), sd);
    EXPECT_EQ(by_lesion({{"A", whole, whole, product("50", "30"), false}}), pd);
    EXPECT_EQ(by_lesion({{"A", whole, whole, product("49.99", "30"), false}}), sd);
    // 1.1 x 1.1 = 1.21 and 11 x 11 = 121: exact products of tenths
    EXPECT_EQ(by_lesion({{"A", product("1.1", "1.1"), product("1.1", "1.1"), product("1.21", "1.25"), false}}), pd);
}

TEST(Who, TakesOneGrowingLesionOrTheSumByTheModeAsked)
{
    const auto big = product("60", "50"), small = product("20", "10");
    const std::vector<WhoLesion> lesions{{"A", big, big, product("30", "20"), false}, {"B", small, small, product("25", "10"), false}};
    EXPECT_EQ(by_lesion(lesions), Category::pd);
    EXPECT_EQ(by_sum(lesions), Category::pr);
}

TEST(Who, CountsEachLesionFromItsOwnNadir)
{
    EXPECT_EQ(by_lesion({{"A", product("50", "40"), product("20", "20"), product("25", "20"), false}}), Category::pd);
}

TEST(Who, NeverTakesZeroAndZeroForGrowthAndAnyReturnFromZeroForInfinite)
{
    const auto whole = product("40", "30");
    const WhoLesion left{"A", whole, whole, whole, false};
    EXPECT_EQ(by_lesion({left, {"B", whole, Product{}, Product{}, true}}), Category::pr) << "half of the sum is left, and nothing grew";
    EXPECT_EQ(by_lesion({left, {"B", whole, Product{}, product("1", "1"), false}}), Category::pd);
}

TEST(Who, SaysOnlyProgressionWhereALesionIsNotEvaluable)
{
    const auto whole = product("40", "30");
    const WhoLesion missing{"B", whole, whole, {}, false};
    EXPECT_EQ(by_lesion({{"A", whole, whole, product("1", "1"), false}, missing}), Category::ne);
    EXPECT_EQ(by_lesion({{"A", whole, whole, product("50", "30"), false}, missing}), Category::pd);
    EXPECT_EQ(by_lesion({{"A", whole, whole, Product{}, true}, missing}), Category::ne) << "no complete response unseen";
    EXPECT_EQ(by_lesion({{"A", Product{}, Product{}, Product{}, true}}), Category::ne) << "no disease at the baseline";
}

TEST(Who, ReadsNormalNodesAsGoneThoughTheyKeepTheirSize)
{
    const auto whole = product("40", "30");
    EXPECT_EQ(by_lesion({{"N", whole, whole, product("12", "9.9"), true}}), Category::cr);
}

}  // namespace
}  // namespace retromass::response

#include "segmentation/components.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/itk/components.h"

namespace retromass::segmentation {
namespace {

/// Voxels in or out by the toss of a coin that lands `part` of the time inside: below a third, specks; above, one piece with holes.
Mask tossed(Dimensions size, double part, unsigned seed)
{
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> coin(0, 1);
    Mask out(size);
    for (auto& v : out.values()) v = coin(random) < part;
    return out;
}

bool same(const Mask& a, const Mask& b) { return std::equal(a.values().begin(), a.values().end(), b.values().begin(), b.values().end()); }

}  // namespace

TEST(SeededComponents, AreThoseOfItk)
{
    for (const Dimensions size : {Dimensions{23, 17, 9}, Dimensions{64, 3, 2}, Dimensions{1, 11, 13}, Dimensions{9, 1, 1}}) {
        for (unsigned seed = 1; seed <= 20; ++seed) {
            const auto mask = tossed(size, 0.04 * seed, seed);
            for (const auto& seeds : {Mask(size), tossed(size, 0.02, seed + 100)}) ASSERT_TRUE(same(seeded_components(mask, seeds), test::seeded_components(mask, seeds))) << seed;
        }
    }
}

TEST(SeededComponents, WithoutASeedTheFirstOfTheLargestStays)
{
    const Dimensions size{7, 1, 1};
    Mask mask(size);
    for (const std::size_t i : {0, 2, 3, 5, 6}) mask[i] = 1;
    const auto left = seeded_components(mask, Mask(size));
    for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(left[i], i == 2 || i == 3) << i;
}

TEST(Filled, IsWhatItkFills)
{
    for (const Dimensions size : {Dimensions{23, 17, 9}, Dimensions{64, 4, 3}, Dimensions{1, 11, 13}, Dimensions{9, 1, 1}}) {
        for (unsigned seed = 1; seed <= 20; ++seed) {
            const auto mask = tossed(size, 0.05 * seed, seed);
            ASSERT_TRUE(same(filled(mask), test::filled(mask))) << seed;
        }
    }
}

TEST(Filled, ClosesAHollowAndLeavesWhatIsOpenOnOneSide)
{
    const Dimensions size{5, 5, 5};
    Mask box(size);
    for (int k = 1; k < 4; ++k) {
        for (int r = 1; r < 4; ++r) {
            for (int c = 1; c < 4; ++c) box.at(c, r, k) = c != 2 || r != 2 || k != 2;
        }
    }
    EXPECT_EQ(filled(box).at(2, 2, 2), 1);
    box.at(2, 2, 1) = 0;
    EXPECT_EQ(filled(box).at(2, 2, 2), 0);
}

}  // namespace retromass::segmentation

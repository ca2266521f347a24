#include "pipeline/outputs/outline.h"

#include <gmock/gmock.h>

#include <random>

namespace retromass::outputs {
namespace {

struct Picture {
    int columns, rows;
    std::vector<std::uint8_t> inside;
};

/// Even-odd at pixel centres, all loops together.
std::vector<std::uint8_t> filled(const std::vector<Loop>& loops, int columns, int rows)
{
    std::vector<std::uint8_t> out;
    for (int r = 0; r < rows; ++r) {
        for (int c = 0; c < columns; ++c) {
            bool in = false;
            for (const auto& loop : loops) {
                for (std::size_t i = 0, j = loop.corners.size() - 1; i < loop.corners.size(); j = i++) {
                    const double y = r + 0.5;
                    const auto& [ax, ay] = loop.corners[i];
                    const auto& [bx, by] = loop.corners[j];
                    if ((ay > y) != (by > y) && c + 0.5 < ax + (y - ay) * (bx - ax) / double(by - ay)) in = !in;
                }
            }
            out.push_back(in);
        }
    }
    return out;
}

Picture random_picture(unsigned seed)
{
    std::mt19937 random(seed);
    Picture out{3 + int(random() % 9), 3 + int(random() % 9), {}};
    for (int i = 0; i < out.columns * out.rows; ++i) out.inside.push_back(random() % 100 < 60);
    return out;
}

TEST(Outlines, OfAPixelAreItsFourCorners)
{
    const std::vector<std::uint8_t> one{0, 0, 0, 0, 1, 0, 0, 0, 0};
    const auto loops = outlines_of(one, 3, 3);
    ASSERT_EQ(loops.size(), 1U);
    EXPECT_THAT(loops[0].corners, testing::UnorderedElementsAre(std::array{1, 1}, std::array{2, 1}, std::array{2, 2}, std::array{1, 2}));
    EXPECT_FALSE(loops[0].hole);
}

TEST(Outlines, OfPixelsThatTouchByACornerAreOneLoop)
{
    EXPECT_EQ(outlines_of(std::vector<std::uint8_t>{1, 0, 0, 1}, 2, 2).size(), 1U);
    EXPECT_EQ(outlines_of(std::vector<std::uint8_t>{0, 1, 1, 0}, 2, 2).size(), 1U);
}

TEST(Outlines, FilledByTheEvenOddRuleAreThePictureAgain)
{
    for (unsigned seed = 0; seed < 500; ++seed) {
        const auto picture = random_picture(seed);
        const auto loops = outlines_of(picture.inside, picture.columns, picture.rows);
        ASSERT_EQ(filled(loops, picture.columns, picture.rows), picture.inside) << seed;
        const auto keyed = keyholes_of(loops);
        ASSERT_EQ(filled(keyed, picture.columns, picture.rows), picture.inside) << seed;
        for (const auto& loop : keyed) ASSERT_FALSE(loop.hole);
    }
}

TEST(Outlines, OfARingHaveAHoleThatAKeyholeJoins)
{
    const std::vector<std::uint8_t> ring{1, 1, 1, 1, 0, 1, 1, 1, 1};
    const auto loops = outlines_of(ring, 3, 3);
    ASSERT_EQ(loops.size(), 2U);
    EXPECT_EQ(doubled_area(loops[0]) + doubled_area(loops[1]), 2 * 8);
    EXPECT_EQ(keyholes_of(loops).size(), 1U);
}

}  // namespace
}  // namespace retromass::outputs

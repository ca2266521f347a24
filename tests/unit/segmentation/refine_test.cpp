#include "segmentation/refine.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sample_data/phantom.h"

namespace retromass::segmentation {
namespace {

constexpr double kBall_mm = 60;

sample_data::ShapePhantom ball_in_fat(double pixel_mm, int pixels)
{
    sample_data::ShapeSpecification s;
    s.shape = sample_data::Shape::ball;
    s.size_mm = {kBall_mm, kBall_mm, kBall_mm};
    s.grid = {pixels, pixels, 26};
    s.column_spacing_mm = s.row_spacing_mm = pixel_mm;
    s.slice_spacing_mm = 3;
    s.noise_hu = 15;
    return sample_data::make_shape(s).value();
}

/// The ball as a reader would have drawn it so many mm too large, or too small.
Mask drawn_off(const CtVolume& ct, double by_mm)
{
    const auto n = ct.geometry.size();
    Mask out(n);
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            for (int c = 0; c < n.columns; ++c) out.at(c, r, k) = norm(ct.geometry.to_patient(Index{c, r, k})) < kBall_mm / 2 + by_mm;
        }
    }
    return out;
}

double voxels(const Mask& mask)
{
    double n = 0;
    for (const auto v : mask.values()) n += v != 0;
    return n;
}

double disagreement(const Mask& a, const Mask& b)
{
    double n = 0;
    for (std::size_t i = 0; i < a.values().size(); ++i) n += (a[i] != 0) != (b[i] != 0);
    return n;
}

}  // namespace

// The finer the pixels, the more of them share the means of the two sides: from one voxel alone to blocks of 4 x 4; the plain version is that of 1 mm.
TEST(Refined, FindsTheEdgeAgainHoweverFineThePixels)
{
    for (const auto& [pixel_mm, pixels] : {std::pair{1.0, 84}, std::pair{0.8, 104}, std::pair{0.55, 148}, std::pair{0.42, 190}}) {
        const auto truth = ball_in_fat(pixel_mm, pixels);
        const auto n = truth.mask.size();
        for (const double by_mm : {-1.2, 1.2}) {  // less than what is left out on both sides of the boundary, so that each side is one tissue
            const auto drawn = drawn_off(truth.ct, by_mm);
            ASSERT_GT(disagreement(drawn, truth.mask), 0.1 * voxels(truth.mask));  // a shell of 1.2 mm round a radius of 30
            const auto found = refined(truth.ct, drawn, {{0, 0, 0}, {n.columns - 1, n.rows - 1, n.slices - 1}}, 4, kBall_mm, 2);
            // 0.2 mm of a radius of 30: voxels that the edge halves fall to either side, and where it lies flat in slices of 3 mm most of them are halved.
            EXPECT_LT(disagreement(found, truth.mask), 0.02 * voxels(truth.mask)) << pixel_mm << " mm, drawn " << by_mm << " mm off";
        }
    }
}

TEST(Refined, IsTheSameForAnyNumberOfThreads)
{
    const auto truth = ball_in_fat(0.8, 104);
    const auto n = truth.mask.size();
    const MaskBox all{{0, 0, 0}, {n.columns - 1, n.rows - 1, n.slices - 1}};
    const auto drawn = drawn_off(truth.ct, 2);
    const auto alone = refined(truth.ct, drawn, all, 4, kBall_mm, 1);
    for (const int threads : {2, 5}) EXPECT_EQ(disagreement(refined(truth.ct, drawn, all, 4, kBall_mm, threads), alone), 0) << threads;
}

// Muscle beside muscle: no step to move to, so the mask is the reader's.
TEST(Refined, LeavesTheMaskWhereNothingTellsTheSidesApart)
{
    auto truth = ball_in_fat(0.8, 104);
    for (auto& hu : truth.ct.hu.values()) hu = static_cast<std::int16_t>(50 + (hu % 15));
    const auto n = truth.mask.size();
    const auto drawn = drawn_off(truth.ct, 2);
    EXPECT_EQ(disagreement(refined(truth.ct, drawn, {{0, 0, 0}, {n.columns - 1, n.rows - 1, n.slices - 1}}, 4, kBall_mm, 2), drawn), 0);
}

}  // namespace retromass::segmentation

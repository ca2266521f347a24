#include "segmentation/refine.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <tuple>

#include "sample_data/phantom.h"
#include "segmentation/distance.h"
#include "segmentation/filters.h"

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

/// What `refined` does as its definition has it: whole volumes of distances and of Gaussians, nothing left out.
Mask plainly_refined(const CtVolume& ct, const Mask& mask, double band_mm, double side_mm)
{
    const auto n = mask.size();
    const std::array<double, 3> spacing_mm{ct.geometry.column_spacing_mm(), ct.geometry.row_spacing_mm(), *ct.geometry.slice_spacing_mm()};
    const auto away = signed_distance(mask, {spacing_mm[0], spacing_mm[1], std::min(spacing_mm[2], 0.95 * band_mm)});
    const double window_mm = 0.75 * side_mm;
    const std::array<int, 2> block{std::max(1, static_cast<int>(window_mm / (3 * spacing_mm[0]))), std::max(1, static_cast<int>(window_mm / (3 * spacing_mm[1])))};
    const Dimensions blocks{(n.columns + block[0] - 1) / block[0], (n.rows + block[1] - 1) / block[1], n.slices};
    std::array<Grid<float>, 2> sum{Grid<float>(blocks), Grid<float>(blocks)};   // outside, inside
    std::array<Grid<float>, 2> weight{Grid<float>(blocks), Grid<float>(blocks)};
    Grid<float> calm(n);
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            for (int c = 0; c < n.columns; ++c) {
                calm.at(c, r, k) = std::clamp(static_cast<float>(ct.hu.at(c, r, k)), -200.0F, 300.0F);
                const float d = std::abs(away.at(c, r, k));
                if (d < 1.5F || d > static_cast<float>(side_mm)) continue;
                const std::size_t inside = away.at(c, r, k) > 0;
                sum[inside].at(c / block[0], r / block[1], k) += calm.at(c, r, k);
                weight[inside].at(c / block[0], r / block[1], k) += 1;
            }
        }
    }
    calm = gaussian(calm, spacing_mm, 0.7, 1);
    for (auto* const of : {&sum, &weight}) {
        for (auto& values : *of) values = gaussian(values, {block[0] * spacing_mm[0], block[1] * spacing_mm[1], spacing_mm[2]}, window_mm, 1);
    }
    Mask out = mask;
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            for (int c = 0; c < n.columns; ++c) {
                if (std::abs(away.at(c, r, k)) > static_cast<float>(band_mm)) continue;
                std::array<float, 2> mean{};
                bool seen = true;
                for (std::size_t side = 0; side < 2; ++side) {
                    const float w = weight[side].at(c / block[0], r / block[1], k);
                    seen = seen && w >= 1e-3F * static_cast<float>(block[0] * block[1]);
                    mean[side] = sum[side].at(c / block[0], r / block[1], k) / w;
                }
                if (seen && std::abs(mean[1] - mean[0]) >= 85) out.at(c, r, k) = (calm.at(c, r, k) - (mean[1] + mean[0]) / 2) * (mean[1] - mean[0]) > 0;
            }
        }
    }
    return out;
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

// A long box of thin slices, whose parts come one after the other, and a wide one; the mask reaches to within the margin of both ends, so that the box is the whole scan.
TEST(Refined, IsThePlainVersionBitForBit)
{
    for (const auto& [pixel_mm, pixels, slice_mm, slices] : {std::tuple{1.0, 40, 0.5, 230}, std::tuple{0.8, 60, 3.0, 24}}) {
        sample_data::ShapeSpecification s;
        s.shape = sample_data::Shape::ellipsoid;
        s.size_mm = {0.5 * pixel_mm * pixels, 0.6 * pixel_mm * pixels, 0.8 * slice_mm * slices};
        s.grid = {pixels, pixels, slices};
        s.column_spacing_mm = s.row_spacing_mm = pixel_mm;
        s.slice_spacing_mm = slice_mm;
        s.noise_hu = 40;
        const auto truth = sample_data::make_shape(s).value();
        auto drawn = truth.mask;
        drawn.at(1, 1, 1) = drawn.at(pixels - 2, pixels - 2, slices - 2) = 1;
        const auto found = refined(truth.ct, drawn, {{0, 0, 0}, {pixels - 1, pixels - 1, slices - 1}}, 4, 1000, 2);
        EXPECT_GT(disagreement(found, drawn), 100);
        EXPECT_EQ(disagreement(found, plainly_refined(truth.ct, drawn, 4, 7)), 0) << pixel_mm;
    }
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

// The fast measurements against the plain ones, on masks with lobes, holes, several parts and every kind of grid.

#include "tests/unit/measurement/plain.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "measurement/measure.h"

namespace retromass::measurement {
namespace {

/// Balls thrown at random: lobes, bridges, holes (every third ball is taken away again) and separate parts.
Mask lobulated(const VolumeGeometry& geometry, unsigned seed)
{
    std::mt19937 random(seed);
    const auto n = geometry.size();
    Mask mask(n);
    const auto between = [&](double low, double high) { return low + (high - low) * static_cast<double>(random()) / static_cast<double>(std::mt19937::max()); };
    const int balls = 3 + static_cast<int>(random() % 6);
    for (int ball = 0; ball < balls; ++ball) {
        const PatientPoint centre = geometry.to_patient(ContinuousIndex{between(6, n.columns - 7), between(6, n.rows - 7), between(2, n.slices - 3)});
        const double radius_mm = between(1, 7);
        for (int k = 1; k < n.slices - 1; ++k) {
            for (int r = 1; r < n.rows - 1; ++r) {
                for (int c = 1; c < n.columns - 1; ++c) {
                    if (distance(geometry.to_patient(Index{c, r, k}), centre) < radius_mm) mask.at(c, r, k) = ball % 3 != 2;
                }
            }
        }
    }
    mask.at(n.columns / 2, n.rows / 2, n.slices / 2) = 1;
    return mask;
}

std::vector<VolumeGeometry> grids()
{
    const PatientPoint tilted{0, std::cos(0.3), std::sin(0.3)};
    std::vector<PatientPoint> sheared, uneven, downwards;
    for (int k = 0; k < 9; ++k) {
        sheared.push_back({0, 0, 3.0 * k});
        uneven.push_back({0, 0, k < 4 ? 2.0 * k : 8 + 3.5 * (k - 4)});
        downwards.push_back({0, 0, -2.5 * k});
    }
    return {VolumeGeometry::axial({70, 30, 9}, 0.7, 0.7, 2.5), VolumeGeometry::axial({31, 26, 9}, 0.9, 0.6, 1.25, {-3, 200, 12}),
            VolumeGeometry::from_slices(33, 30, {1, 0, 0}, tilted, 0.8, 0.8, sheared).value(), VolumeGeometry::from_slices(30, 30, {1, 0, 0}, {0, 1, 0}, 1, 1, uneven).value(),
            VolumeGeometry::from_slices(30, 30, {1, 0, 0}, {0, -1, 0}, 1, 0.8, downwards).value()};
}

TEST(PlainMeasurements, AgreeWithTheFastOnesOnEveryKindOfGrid)
{
    for (const auto& geometry : grids()) {
        for (unsigned seed = 1; seed <= 12; ++seed) {
            SCOPED_TRACE("columns " + std::to_string(geometry.size().columns) + " seed " + std::to_string(seed));
            const Mask mask = lobulated(geometry, seed);
            const auto m = measure(mask, geometry, nullptr).value();
            const auto axes = test::plain_axes(mask, geometry);
            // What doubles lose in sums of a few hundred millimetres.
            constexpr double rounding_mm = 1e-8;
            EXPECT_NEAR(m.long_axis.exact_mm, axes.long_mm, rounding_mm);
            EXPECT_NEAR(m.short_axis.exact_mm, axes.short_mm, rounding_mm);
            EXPECT_EQ(m.long_axis.slice, axes.slice);
            EXPECT_NEAR(distance(m.long_axis.a, m.long_axis.b), m.long_axis.exact_mm, rounding_mm);
            EXPECT_NEAR(distance(m.short_axis.a, m.short_axis.b), m.short_axis.exact_mm, rounding_mm);
            EXPECT_NEAR(dot(m.long_axis.b - m.long_axis.a, m.short_axis.b - m.short_axis.a), 0, 1e-6);
            EXPECT_NEAR(m.max_3d_diameter_mm, test::plain_max_3d_diameter_mm(mask, geometry), rounding_mm);
            const auto variances = test::plain_variances_mm2(mask, geometry);
            double eigenvalues = 0;  // their sum is the trace
            for (const double axis : m.principal_axes_mm) eigenvalues += axis * axis / 16;
            EXPECT_NEAR(eigenvalues, variances[0] + variances[1] + variances[2], 1e-7);
        }
    }
}

TEST(PlainMeasurements, ClassifyEachVoxelAsTheFastOnesDo)
{
    for (const auto& geometry : grids()) {
        SCOPED_TRACE("columns " + std::to_string(geometry.size().columns));
        const Mask mask = lobulated(geometry, 7);
        Grid<std::int16_t> hu(geometry.size());
        std::mt19937 random(3);
        for (auto& v : hu.values()) v = random() % 97 == 0 ? kPaddingHu : static_cast<std::int16_t>(static_cast<int>(random() % 700) - 350);
        std::array<double, 6> expected_ml{};
        for (int k = 0; k < mask.size().slices; ++k) {
            const double voxel_ml = geometry.column_spacing_mm() * geometry.row_spacing_mm() * geometry.slab_mm(k) / 1000;
            for (int r = 0; r < mask.size().rows; ++r) {
                for (int c = 0; c < mask.size().columns; ++c) {
                    if (!mask.at(c, r, k)) continue;
                    const double value = hu.at(c, r, k) == kPaddingHu ? NAN : test::plain_smoothed_hu(mask, geometry, hu, {c, r, k}, 1.5);
                    expected_ml[std::isnan(value) ? 5 : value < -200 ? 0 : value < -30 ? 1 : value < 20 ? 2 : value < 200 ? 3 : 4] += voxel_ml;
                }
            }
        }
        for (const int threads : {1, 3}) {
            const auto parts = *measure(mask, geometry, &hu, {.threads = threads}).value().components;
            // Limits fall between no two voxels of random numbers: single precision changes none.
            EXPECT_NEAR(parts.gas_ml, expected_ml[0], 1e-9);
            EXPECT_NEAR(parts.fat_ml, expected_ml[1], 1e-9);
            EXPECT_NEAR(parts.low_attenuation_ml, expected_ml[2], 1e-9);
            EXPECT_NEAR(parts.solid_ml, expected_ml[3], 1e-9);
            EXPECT_NEAR(parts.dense_ml, expected_ml[4], 1e-9);
            EXPECT_NEAR(parts.unclassified_ml, expected_ml[5], 1e-9);
        }
    }
}

}  // namespace
}  // namespace retromass::measurement

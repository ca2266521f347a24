#include "measurement/measure.h"

#include <gtest/gtest.h>

#include <cmath>

namespace retromass::measurement {
namespace {

const VolumeGeometry kUnit = VolumeGeometry::axial({40, 40, 40}, 1, 1, 1);

Mask box(Dimensions size, Index low, Index high)
{
    Mask mask(size);
    for (int k = low.slice; k <= high.slice; ++k) {
        for (int r = low.row; r <= high.row; ++r) {
            for (int c = low.column; c <= high.column; ++c) mask.at(c, r, k) = 1;
        }
    }
    return mask;
}

LesionMeasurements measured(const Mask& mask, const VolumeGeometry& geometry, const Grid<std::int16_t>* hu = nullptr)
{
    auto made = measure(mask, geometry, hu);
    EXPECT_TRUE(made.ok());
    return std::move(made).value();
}

TEST(Measure, OneVoxelIsOnePixelLongWideAndOneSlabHigh)
{
    const auto m = measured(box(kUnit.size(), {5, 6, 7}, {5, 6, 7}), kUnit);
    EXPECT_DOUBLE_EQ(m.long_axis.exact_mm, 1);
    EXPECT_DOUBLE_EQ(m.short_axis.exact_mm, 1);
    EXPECT_DOUBLE_EQ(m.craniocaudal.exact_mm, 1);
    EXPECT_DOUBLE_EQ(m.volume_ml, 0.001);
    EXPECT_DOUBLE_EQ(m.max_3d_diameter_mm, 1);
}

TEST(Measure, TheLongAxisOfABoxIsTheDiagonalBetweenEdgeMidpoints)
{
    // m x n unit pixels, m <= n: sqrt((m - 1)^2 + n^2) (docs/clinical.md 2.1)
    const auto m = measured(box(kUnit.size(), {4, 4, 3}, {13, 33, 12}), kUnit);
    EXPECT_NEAR(m.long_axis.exact_mm, std::hypot(9, 30), 1e-12);
    EXPECT_DOUBLE_EQ(m.craniocaudal.exact_mm, 10);
    EXPECT_DOUBLE_EQ(m.volume_ml, 3);
    // The corner voxels' faces: the largest of the three ways to lose half a voxel at each end of two axes.
    EXPECT_NEAR(m.max_3d_diameter_mm, std::sqrt(9. * 9 + 30 * 30 + 9 * 9), 1e-12);
    EXPECT_GE(m.max_3d_diameter_mm, m.long_axis.exact_mm);
}

TEST(Measure, TheShortAxisOfACrossIsItsArmEvenWhereItMissesTheLongAxis)
{
    // A bar of 31 pixels with an arm of 11 at its end: the arm is perpendicular, but the long axis ends beside it.
    Mask mask = box(kUnit.size(), {4, 20, 5}, {34, 20, 5});
    for (int r = 15; r <= 25; ++r) mask.at(19, r, 5) = 1;
    const auto m = measured(mask, kUnit);
    EXPECT_DOUBLE_EQ(m.long_axis.exact_mm, 31);
    EXPECT_DOUBLE_EQ(m.short_axis.exact_mm, 11);
}

TEST(Measure, TheLongAxisNeverBridgesTwoRegions)
{
    Mask mask = box(kUnit.size(), {2, 2, 5}, {11, 4, 5});
    for (int c = 30; c < 35; ++c) mask.at(c, 30, 5) = 1;
    const auto m = measured(mask, kUnit);
    EXPECT_NEAR(m.long_axis.exact_mm, std::hypot(10, 2), 1e-12);
    EXPECT_EQ(m.components_3d, 2);
    ASSERT_EQ(m.parts_ml.size(), 2u);
    EXPECT_DOUBLE_EQ(m.parts_ml[0], 0.030) << "10 x 3 voxels of 1 mm3";
    EXPECT_DOUBLE_EQ(m.parts_ml[1], 0.005);
    EXPECT_TRUE(has(m.notices, Code::several_components));
}

TEST(Measure, AnAxisThatRunsOutsideAHorseshoeSaysSo)
{
    Mask horseshoe = box(kUnit.size(), {2, 2, 5}, {22, 4, 5});
    for (int r = 5; r < 18; ++r) {
        for (int c = 2; c < 5; ++c) horseshoe.at(c, r, 5) = 1;
    }
    for (int r = 18; r < 21; ++r) {
        for (int c = 2; c < 23; ++c) horseshoe.at(c, r, 5) = 1;
    }
    const auto m = measured(horseshoe, kUnit);
    // From the end of one arm to the far corner of the other: between rows 4.5 and 17.5 it is outside, 13 of 18 rows. An end lies on an edge
    // midpoint, half a pixel from its centre, at most: a row of 18.
    EXPECT_NEAR(m.outside_fraction, 13.0 / 18, 1.0 / 18);
    EXPECT_TRUE(has(m.notices, Code::axis_leaves_lesion));
    EXPECT_FALSE(has(measured(box(kUnit.size(), {2, 2, 5}, {22, 20, 5}), kUnit).notices, Code::axis_leaves_lesion));
}

TEST(Measure, ABallIsRoundWithinAVoxel)
{
    const auto geometry = VolumeGeometry::axial({60, 60, 30}, 0.8, 0.8, 2, {-24, -24, -30});
    Mask mask(geometry.size());
    Grid<std::int16_t> hu(geometry.size(), 40);
    for (int k = 0; k < 30; ++k) {
        for (int r = 0; r < 60; ++r) {
            for (int c = 0; c < 60; ++c) mask.at(c, r, k) = norm(geometry.to_patient(Index{c, r, k})) < 20;
        }
    }
    const auto m = measured(mask, geometry, &hu);
    const double pi = std::acos(-1.0);
    const double volume = 4.0 / 3 * pi * 8000;
    EXPECT_NEAR(m.long_axis.exact_mm, 40, 0.8);
    EXPECT_NEAR(m.short_axis.exact_mm, 40, 0.8);
    EXPECT_NEAR(m.craniocaudal.exact_mm, 40, 2);
    EXPECT_NEAR(m.volume_ml * 1000, volume, 0.01 * volume);        // Gauss's circle problem leaves far less than a percent
    EXPECT_NEAR(m.mesh_volume_mm3, volume, 0.02 * volume);         // the mesh cuts the corners of voxels
    EXPECT_NEAR(m.principal_axes_mm[0], 4 * 20 / std::sqrt(5), 1); // covariance of a ball: r^2 / 5
    EXPECT_NEAR(m.max_3d_diameter_mm, 40, 2);                      // a slab
    EXPECT_DOUBLE_EQ(m.hu->mean, 40);
    EXPECT_NEAR(m.components->solid_ml, m.volume_ml, 1e-9);
}

TEST(Measure, TheMeshOfAVoxelIsAnOctahedron)
{
    // Six vertices half a voxel from the centre: volume 4/3 (1/2)^3 = 1/6, surface 8 triangles of side sqrt(1/2).
    const auto m = measured(box(kUnit.size(), {5, 5, 5}, {5, 5, 5}), kUnit);
    EXPECT_NEAR(m.mesh_volume_mm3, 1.0 / 6, 1e-12);
    EXPECT_NEAR(m.surface_area_mm2, std::sqrt(3.0), 1e-12);
}

TEST(Measure, TheMeshOfABoxLosesItsEdgesAndCorners)
{
    // a x b x c voxels: faces at half a voxel outside the centres; each of the 12 edges loses a prism of cross-section 1/8,
    // each corner what is left of a voxel's eighth: 1/8 - 1/48, already without the prisms.
    const auto m = measured(box(kUnit.size(), {5, 5, 5}, {14, 24, 34}), kUnit);
    const double a = 10, b = 20, c = 30;
    const double edges = 4 * ((a - 1) + (b - 1) + (c - 1)) / 8;
    const double corners = 8 * (1.0 / 8 - 1.0 / 48);
    EXPECT_NEAR(m.mesh_volume_mm3, a * b * c - edges - corners, 1e-9);
}

TEST(Measure, UnevenSlicesCountWithTheirSlabs)
{
    const std::vector<PatientPoint> origins{{0, 0, 0}, {0, 0, 2}, {0, 0, 4}, {0, 0, 10}, {0, 0, 16}};
    const auto geometry = VolumeGeometry::from_slices(10, 10, {1, 0, 0}, {0, 1, 0}, 1, 1, origins).value();
    const auto m = measured(box(geometry.size(), {4, 4, 1}, {5, 5, 3}), geometry);
    EXPECT_DOUBLE_EQ(m.craniocaudal.exact_mm, 2 + 4 + 6);
    EXPECT_DOUBLE_EQ(m.volume_ml, 4 * 12 / 1000.0);
}

TEST(Measure, ALesionAtTheEdgeIsTruncated)
{
    EXPECT_TRUE(has(measured(box(kUnit.size(), {5, 5, 0}, {9, 9, 4}), kUnit).notices, Code::truncated));
    EXPECT_FALSE(has(measured(box(kUnit.size(), {5, 5, 1}, {9, 9, 4}), kUnit).notices, Code::truncated));
    Grid<std::int16_t> hu(kUnit.size(), 30);
    hu.at(10, 7, 3) = kPaddingHu;
    EXPECT_TRUE(has(measured(box(kUnit.size(), {5, 5, 1}, {9, 9, 4}), kUnit, &hu).notices, Code::truncated));
}

TEST(Measure, AnEmptyMaskIsAnErrorAndNotZero)
{
    const auto made = measure(Mask(kUnit.size()), kUnit, nullptr);
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().code, Code::empty_mask);
    EXPECT_EQ(measure(Mask({3, 3, 3}), kUnit, nullptr).error().code, Code::mask_grid);
}

TEST(Measure, ACoronalStackIsMeasuredInItsAxialPlane)
{
    // Columns to the left, rows to the feet, slices to the back: 20 x 10 x 4 voxels of 1 x 2 x 3 mm (x, z, y).
    std::vector<PatientPoint> origins;
    for (int k = 0; k < 12; ++k) origins.push_back({0, 3.0 * k, 0});
    const auto geometry = VolumeGeometry::from_slices(40, 40, {1, 0, 0}, {0, 0, -1}, 1, 2, origins).value();
    const auto m = measured(box(geometry.size(), {5, 5, 3}, {24, 14, 6}), geometry);
    EXPECT_TRUE(has(m.notices, Code::not_axial));
    EXPECT_NEAR(m.craniocaudal.exact_mm, 20, 1e-9);
    EXPECT_NEAR(m.long_axis.exact_mm, std::hypot(20 - 1, 12), 1e-9);  // 20 x 12 mm with pixels of 1 x 3: the longer of (19, 12) and (20, 9)
}

TEST(Measure, ComponentsShareOutTheVolume)
{
    Grid<std::int16_t> hu(kUnit.size(), 60);
    for (int k = 0; k < 40; ++k) {
        for (int r = 0; r < 40; ++r) {
            for (int c = 0; c < 15; ++c) hu.at(c, r, k) = -100;
        }
    }
    const auto m = measured(box(kUnit.size(), {5, 5, 5}, {24, 24, 24}), kUnit, &hu);
    const auto& p = *m.components;
    EXPECT_NEAR(p.gas_ml + p.fat_ml + p.low_attenuation_ml + p.solid_ml + p.dense_ml + p.unclassified_ml, m.volume_ml, 1e-9);
    // Half fat; the blurred border of 1.5 mm is some 2 voxels of 20 thick.
    EXPECT_NEAR(p.fat_ml, 4, 0.4);
    EXPECT_NEAR(p.solid_ml, 4, 0.4);
    EXPECT_DOUBLE_EQ(p.dense_ml, 0);
}

TEST(Measure, HuStatisticsLeavePaddingOutAndFollowLinearPercentiles)
{
    Grid<std::int16_t> hu(kUnit.size(), kPaddingHu);
    for (int c = 5; c < 10; ++c) hu.at(c, 5, 5) = static_cast<std::int16_t>(10 * (c - 5));  // 0 10 20 30 40
    const auto m = measured(box(kUnit.size(), {5, 5, 5}, {12, 5, 5}), kUnit, &hu);
    EXPECT_EQ(m.hu->voxels, 5u);
    EXPECT_DOUBLE_EQ(m.hu->mean, 20);
    EXPECT_DOUBLE_EQ(m.hu->sd, std::sqrt(200));
    EXPECT_DOUBLE_EQ(m.hu->p10, 4);
    EXPECT_DOUBLE_EQ(m.hu->p90, 36);
}

}  // namespace
}  // namespace retromass::measurement

#include "core/geometry.h"

#include <gtest/gtest.h>

#include <cmath>

namespace retromass {
namespace {

VolumeGeometry tilted(double degrees)
{
    // The couch moves 2.5 mm along z between slices whose normal leans by `degrees` about x.
    const double a = degrees * M_PI / 180;
    std::vector<PatientPoint> origins;
    for (int k = 0; k < 5; ++k) origins.push_back({-50, 20, 2.5 * k});
    return VolumeGeometry::from_slices(64, 48, {1, 0, 0}, {0, std::cos(a), std::sin(a)}, 0.8, 0.9, origins).value();
}

}  // namespace

TEST(VolumeGeometry, OfATiltedStackKeepsTheShearAndMeasuresAlongTheNormal)
{
    const auto g = tilted(18.5);
    EXPECT_NEAR(g.tilt_deg(), 18.5, 1e-9);
    EXPECT_NEAR(*g.slice_spacing_mm(), 2.5 * std::cos(18.5 * M_PI / 180), 1e-12);  // 2.3708, not the couch step
    EXPECT_NEAR(*g.voxel_volume_mm3(), 0.8 * 0.9 * 2.5 * std::cos(18.5 * M_PI / 180), 1e-12);
    const auto affine = *g.affine_lps();
    EXPECT_NEAR(affine[2], 0, 1e-12);
    EXPECT_NEAR(affine[6], 0, 1e-12);
    EXPECT_NEAR(affine[10], 2.5, 1e-12);
}

TEST(VolumeGeometry, TurnsIndicesIntoPointsAndBack)
{
    const auto g = tilted(-12);
    for (const ContinuousIndex i : {ContinuousIndex{0, 0, 0}, ContinuousIndex{63, 47, 4}, ContinuousIndex{10.25, 3.5, 2.75}, ContinuousIndex{-3, 50, -1.5}}) {
        const auto back = g.to_index(g.to_patient(i));
        EXPECT_NEAR(back.column, i.column, 1e-9);
        EXPECT_NEAR(back.row, i.row, 1e-9);
        EXPECT_NEAR(back.slice, i.slice, 1e-9);
    }
}

TEST(VolumeGeometry, OfUnevenSlicesHasSlabsHalfWayToEachNeighbour)
{
    const auto g = VolumeGeometry::from_slices(4, 4, {1, 0, 0}, {0, 1, 0}, 1, 1, {{0, 0, 0}, {0, 0, 4}, {0, 0, 11}}).value();
    EXPECT_FALSE(g.uniform());
    EXPECT_FALSE(g.affine_lps().has_value());
    EXPECT_DOUBLE_EQ(g.slab_mm(0), 4);
    EXPECT_DOUBLE_EQ(g.slab_mm(1), 5.5);
    EXPECT_DOUBLE_EQ(g.slab_mm(2), 7);
    const auto there = g.to_index({1, 2, 7.5});
    EXPECT_DOUBLE_EQ(there.slice, 1.5);
}

TEST(VolumeGeometry, RefusesWhatIsNoStack)
{
    const std::vector<PatientPoint> two{{0, 0, 0}, {0, 0, 1}};
    EXPECT_FALSE(VolumeGeometry::from_slices(4, 4, {1, 0, 0}, {0, 1, 0}, 1, 0, two).ok());
    EXPECT_FALSE(VolumeGeometry::from_slices(4, 4, {1, 0, 0}, {1, 0, 0}, 1, 1, two).ok());
    EXPECT_FALSE(VolumeGeometry::from_slices(4, 4, {1, 0, 0}, {0, 1, 0}, 1, 1, {{0, 0, 1}, {0, 0, 1}}).ok());
    EXPECT_FALSE(VolumeGeometry::from_slices(4, 4, {1, 0, 0}, {0, 1, 0}, NAN, 1, two).ok());
}

TEST(SameGrid, HoldsWithinHalfAVoxelOnly)
{
    const auto a = VolumeGeometry::axial({8, 8, 4}, 1, 1, 3);
    EXPECT_TRUE(same_grid(a, VolumeGeometry::axial({8, 8, 4}, 1, 1, 3, {0.4, 0, 0})));
    EXPECT_FALSE(same_grid(a, VolumeGeometry::axial({8, 8, 4}, 1, 1, 3, {0.6, 0, 0})));
    EXPECT_FALSE(same_grid(a, VolumeGeometry::axial({8, 8, 5}, 1, 1, 3)));
}

}  // namespace retromass

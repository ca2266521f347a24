#include "pipeline/outputs/rectified.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

namespace retromass {
namespace {

ingest::CtSeries series_on(const VolumeGeometry& geometry)
{
    ingest::CtSeries ct;
    ct.volume.geometry = geometry;
    for (int k = 0; k < geometry.size().slices; ++k) ct.slices.push_back({{}, "1.2", "1.2." + std::to_string(k), 0, {}});
    return ct;
}

/// Another area on every slice, so that a slice taken for its neighbour shows.
Mask steps(const VolumeGeometry& geometry)
{
    Mask mask(geometry.size());
    for (int k = 1; k + 1 < geometry.size().slices; ++k) {
        for (int r = 2; r < 3 + k; ++r) {
            for (int c = 2; c < 8; ++c) mask.at(c, r, k) = 1;
        }
    }
    return mask;
}

double volume_of(const Mask& mask, const VolumeGeometry& geometry)
{
    double sum = 0;
    for (int k = 0; k < mask.size().slices; ++k) {
        const auto plane = mask.plane(k);
        sum += static_cast<double>(std::count(plane.begin(), plane.end(), 1)) * geometry.column_spacing_mm() * geometry.row_spacing_mm() * geometry.slab_mm(k);
    }
    return sum;
}

VolumeGeometry stack(const std::vector<double>& z, double drift_per_mm)
{
    std::vector<PatientPoint> origins;
    for (const double at : z) origins.push_back({-10, 5 + drift_per_mm * at, at});
    return *VolumeGeometry::from_slices(12, 20, {1, 0, 0}, {0, 1, 0}, 0.7, 0.9, origins);
}

TEST(Rectified, IsNotMadeOfAStackThatIsRightAngledAndEven)
{
    EXPECT_FALSE(outputs::rectified(series_on(stack({0, 2, 4, 6}, 0)), {}).has_value());
}

TEST(Rectified, OfALeaningStackKeepsTheVolumeAndMovesNoVoxelByMoreThanHalfAPixel)
{
    const auto leaning = stack({0, 3, 6, 9, 12, 15}, 0.335);  // 18.5 degrees
    const auto mask = steps(leaning);
    const auto made = outputs::rectified(series_on(leaning), {&mask});
    ASSERT_TRUE(made.has_value());
    const auto& grid = made->ct.volume.geometry;
    EXPECT_NEAR(grid.tilt_deg(), 0, 1e-9);
    EXPECT_NEAR(*grid.slice_spacing_mm(), 3, 1e-12);
    EXPECT_NEAR(volume_of(made->masks[0], grid), volume_of(mask, leaning), 1e-9);
    for (int k = 0; k < grid.size().slices; ++k) {
        for (int r = 0; r < grid.size().rows; ++r) {
            for (int c = 0; c < grid.size().columns; ++c) {
                if (!made->masks[0].at(c, r, k)) continue;
                const auto native = leaning.to_index(grid.to_patient(Index{c, r, k}));
                EXPECT_NEAR(native.slice, k, 1e-9);
                EXPECT_LE(std::abs(native.row - std::round(native.row)), 0.5 + 1e-9);
                EXPECT_TRUE(mask.at(static_cast<int>(std::lround(native.column)), static_cast<int>(std::lround(native.row)), k));
            }
        }
    }
}

TEST(Rectified, OfAnUnevenStackHasOneDistanceAndAgreesWithinItsDiscretisation)
{
    const auto uneven = stack({0, 4, 8, 12, 19, 26, 33}, 0.335);
    const auto mask = steps(uneven);
    const auto made = outputs::rectified(series_on(uneven), {&mask});
    ASSERT_TRUE(made.has_value());
    const auto& grid = made->ct.volume.geometry;
    EXPECT_NEAR(*grid.slice_spacing_mm(), 4, 1e-12);
    EXPECT_EQ(made->ct.slices.size(), static_cast<std::size_t>(grid.size().slices));
    // A face between slabs moves by at most half the distance: what it costs is the step of area there.
    double bound = 0, before = 0;
    for (int k = 0; k < 7; ++k) {
        const auto plane = mask.plane(k);
        const double area = static_cast<double>(std::count(plane.begin(), plane.end(), 1)) * 0.7 * 0.9;
        bound += std::abs(area - before) * 4 / 2;
        before = area;
    }
    EXPECT_NEAR(volume_of(made->masks[0], grid), volume_of(mask, uneven), bound);
    for (int k = 0; k < grid.size().slices; ++k) {  // each slice came from the slab it lies in
        const int source = std::stoi(made->ct.slices[static_cast<std::size_t>(k)].sop_instance_uid.substr(4));
        const auto faces = uneven.slab_faces_mm(source);
        EXPECT_GE(grid.slice_position_mm(k), faces[0] - 1e-9);
        EXPECT_LE(grid.slice_position_mm(k), faces[1] + 1e-9);
    }
}

}  // namespace
}  // namespace retromass

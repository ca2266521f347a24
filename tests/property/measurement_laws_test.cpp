// What must not change a measurement, and what must change it in a known way.

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "measurement/measure.h"

namespace retromass::measurement {
namespace {

constexpr Dimensions kSize{44, 36, 14};
constexpr double kColumn_mm = 0.7, kRow_mm = 0.9, kSlice_mm = 2.5;

VolumeGeometry grid(double scale = 1) { return VolumeGeometry::axial(kSize, kColumn_mm * scale, kRow_mm * scale, kSlice_mm * scale, {-10, 5, 40}); }

using Inside = std::function<bool(int, int, int)>;

Mask mask_of(Dimensions size, const Inside& inside)
{
    Mask mask(size);
    for (int k = 0; k < size.slices; ++k) {
        for (int r = 0; r < size.rows; ++r) {
            for (int c = 0; c < size.columns; ++c) mask.at(c, r, k) = inside(c, r, k);
        }
    }
    return mask;
}

/// A lobulated mass with a hole and a satellite, well inside the grid; no two of its sizes are equal.
Mask mass(unsigned seed)
{
    std::mt19937 random(seed);
    const auto phase = [&] { return static_cast<double>(random() % 1000) / 150; };
    const double a = phase(), b = phase(), d = phase();
    return mask_of(kSize, [&](int c, int r, int k) {
        const double x = (c - 20) * kColumn_mm, y = (r - 16) * kRow_mm, z = (k - 6) * kSlice_mm;
        const double wave = 1 + 0.25 * std::sin(0.7 * x + a) * std::cos(0.6 * y + b) + 0.1 * std::sin(0.5 * z + d);
        const double rho = x * x / 81 + y * y / 49 + z * z / 90;
        const bool satellite = c >= 35 && c <= 37 && r >= 28 && r <= 29 && k == 9;
        return (rho < wave && rho > 0.04) || satellite;
    });
}

LesionMeasurements measured(const Mask& mask, const VolumeGeometry& geometry, const Grid<std::int16_t>* hu = nullptr, int threads = 1)
{
    return measure(mask, geometry, hu, {.threads = threads}).value();
}

/// Every figure of one against the other; lengths scale by `scale`.
void expect_same(const LesionMeasurements& one, const LesionMeasurements& other, double scale = 1)
{
    // What doubles lose: a billionth of a figure.
    const auto near = [](double value, double expected) { EXPECT_NEAR(value, expected, 1e-9 * std::max(1.0, std::abs(expected))); };
    near(other.long_axis.exact_mm, scale * one.long_axis.exact_mm);
    near(other.short_axis.exact_mm, scale * one.short_axis.exact_mm);
    near(other.craniocaudal.exact_mm, scale * one.craniocaudal.exact_mm);
    near(other.max_3d_diameter_mm, scale * one.max_3d_diameter_mm);
    near(other.volume_ml, scale * scale * scale * one.volume_ml);
    near(other.mesh_volume_mm3, scale * scale * scale * one.mesh_volume_mm3);
    near(other.surface_area_mm2, scale * scale * one.surface_area_mm2);
    for (std::size_t i = 0; i < 3; ++i) near(other.principal_axes_mm[i], scale * one.principal_axes_mm[i]);
    EXPECT_EQ(other.voxels, one.voxels);
    EXPECT_EQ(other.components_3d, one.components_3d);
}

class Laws : public ::testing::TestWithParam<unsigned> {};

TEST_P(Laws, AShiftChangesNothing)
{
    const Mask original = mass(GetParam());
    const Mask shifted = mask_of(kSize, [&](int c, int r, int k) { return kSize.contains(c - 3, r - 2, k - 1) && original.at(c - 3, r - 2, k - 1); });
    const auto before = measured(original, grid());
    const auto after = measured(shifted, grid());
    expect_same(before, after);
    const PatientPoint step{3 * kColumn_mm, 2 * kRow_mm, kSlice_mm};
    EXPECT_NEAR(distance(after.long_axis.a, before.long_axis.a + step), 0, 1e-9);
    EXPECT_NEAR(distance(after.centroid, before.centroid + step), 0, 1e-9);
}

TEST_P(Laws, AMirrorChangesNoLength)
{
    const Mask original = mass(GetParam());
    const auto before = measured(original, grid());
    const std::vector<Mask> mirrored{mask_of(kSize, [&](int c, int r, int k) { return original.at(kSize.columns - 1 - c, r, k); }),
                                     mask_of(kSize, [&](int c, int r, int k) { return original.at(c, kSize.rows - 1 - r, k); }),
                                     mask_of(kSize, [&](int c, int r, int k) { return original.at(c, r, kSize.slices - 1 - k); })};
    for (const auto& mask : mirrored) {
        const auto after = measured(mask, grid());
        EXPECT_NEAR(after.long_axis.exact_mm, before.long_axis.exact_mm, 1e-9);
        EXPECT_NEAR(after.short_axis.exact_mm, before.short_axis.exact_mm, 1e-9);
        EXPECT_NEAR(after.craniocaudal.exact_mm, before.craniocaudal.exact_mm, 1e-9);
        EXPECT_NEAR(after.max_3d_diameter_mm, before.max_3d_diameter_mm, 1e-9);
        EXPECT_NEAR(after.volume_ml, before.volume_ml, 1e-9);
        for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(after.principal_axes_mm[i], before.principal_axes_mm[i], 1e-9);
        // The mesh cuts a saddle one way or the other: its triangles have no mirror, and differ on the few cubes that hold one.
        EXPECT_NEAR(after.mesh_volume_mm3, before.mesh_volume_mm3, 0.002 * before.mesh_volume_mm3);
        EXPECT_NEAR(after.surface_area_mm2, before.surface_area_mm2, 0.005 * before.surface_area_mm2);
    }
}

TEST_P(Laws, AQuarterTurnChangesNoLength)
{
    const Mask original = mass(GetParam());
    const Dimensions turned_size{kSize.rows, kSize.columns, kSize.slices};
    const Mask turned = mask_of(turned_size, [&](int c, int r, int k) { return original.at(r, kSize.rows - 1 - c, k); });
    const auto before = measured(original, grid());
    const auto after = measured(turned, VolumeGeometry::axial(turned_size, kRow_mm, kColumn_mm, kSlice_mm));
    EXPECT_NEAR(after.long_axis.exact_mm, before.long_axis.exact_mm, 1e-9);
    EXPECT_NEAR(after.short_axis.exact_mm, before.short_axis.exact_mm, 1e-9);
    EXPECT_NEAR(after.max_3d_diameter_mm, before.max_3d_diameter_mm, 1e-9);
    EXPECT_NEAR(after.volume_ml, before.volume_ml, 1e-9);
}

TEST_P(Laws, TwiceTheSpacingIsTwiceTheLengthAndEightTimesTheVolume)
{
    const Mask original = mass(GetParam());
    expect_same(measured(original, grid()), measured(original, grid(2)), 2);
}

TEST_P(Laws, AGrowingMassGrowsInEveryLength)
{
    Mask mask = mass(GetParam());
    auto before = measured(mask, grid());
    for (int step = 0; step < 3; ++step) {
        const Mask grown = mask_of(kSize, [&](int c, int r, int k) {
            if (c == 0 || r == 0 || k == 0 || c == kSize.columns - 1 || r == kSize.rows - 1 || k == kSize.slices - 1) return false;
            return mask.at(c, r, k) || mask.at(c - 1, r, k) || mask.at(c + 1, r, k) || mask.at(c, r - 1, k) || mask.at(c, r + 1, k);
        });
        const auto after = measured(grown, grid());
        EXPECT_GT(after.long_axis.exact_mm, before.long_axis.exact_mm);
        EXPECT_GE(after.craniocaudal.exact_mm, before.craniocaudal.exact_mm);
        EXPECT_GT(after.max_3d_diameter_mm, before.max_3d_diameter_mm);
        EXPECT_GT(after.volume_ml, before.volume_ml);
        EXPECT_GT(after.mesh_volume_mm3, before.mesh_volume_mm3);
        EXPECT_LE(after.long_axis.exact_mm, after.max_3d_diameter_mm);
        mask = grown;
        before = after;
    }
}

TEST_P(Laws, HuFollowTheirOffsetAndTheComponentsShareTheVolume)
{
    const Mask mask = mass(GetParam());
    std::mt19937 random(GetParam());
    Grid<std::int16_t> hu(kSize);
    for (auto& v : hu.values()) v = static_cast<std::int16_t>(static_cast<int>(random() % 400) - 150);
    Grid<std::int16_t> brighter = hu;
    for (auto& v : brighter.values()) v = static_cast<std::int16_t>(v + 17);
    const auto before = measured(mask, grid(), &hu);
    const auto after = measured(mask, grid(), &brighter);
    EXPECT_NEAR(after.hu->mean, before.hu->mean + 17, 1e-9);
    EXPECT_NEAR(after.hu->sd, before.hu->sd, 1e-9);
    EXPECT_NEAR(after.hu->median, before.hu->median + 17, 1e-9);
    EXPECT_NEAR(after.hu_core->mean, before.hu_core->mean + 17, 1e-9);
    EXPECT_LT(after.hu_core->voxels, after.hu->voxels);
    const auto& p = *after.components;
    EXPECT_NEAR(p.gas_ml + p.fat_ml + p.low_attenuation_ml + p.solid_ml + p.dense_ml + p.unclassified_ml, after.volume_ml, 1e-9);
    EXPECT_GE(p.solid_ml, before.components->solid_ml) << "17 HU more moved nothing out of solid: none of it was near dense";
}

TEST_P(Laws, TheNumberOfThreadsChangesNoBit)
{
    const Mask mask = mass(GetParam());
    Grid<std::int16_t> hu(kSize);
    std::mt19937 random(GetParam());
    for (auto& v : hu.values()) v = static_cast<std::int16_t>(static_cast<int>(random() % 400) - 150);
    const auto one = measured(mask, grid(), &hu, 1);
    for (const int threads : {2, 5, 14}) {
        const auto many = measured(mask, grid(), &hu, threads);
        EXPECT_EQ(many.long_axis.exact_mm, one.long_axis.exact_mm);
        EXPECT_EQ(many.short_axis.exact_mm, one.short_axis.exact_mm);
        EXPECT_EQ(many.components->low_attenuation_ml, one.components->low_attenuation_ml);
        EXPECT_EQ(many.components->solid_ml, one.components->solid_ml);
        EXPECT_EQ(many.components->fat_ml, one.components->fat_ml);
    }
}

INSTANTIATE_TEST_SUITE_P(Masses, Laws, ::testing::Range(1U, 9U));

}  // namespace
}  // namespace retromass::measurement

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sample_data/mass.h"
#include "sample_data/phantom.h"

namespace retromass::sample_data {
namespace {

double voxels(const Mask& mask) { return static_cast<double>(std::count(mask.values().begin(), mask.values().end(), std::uint8_t{1})); }

ShapeSpecification specification(Shape shape, std::vector<double> size_mm)
{
    ShapeSpecification s;
    s.shape = shape;
    s.size_mm = std::move(size_mm);
    s.grid = {96, 96, 64};
    return s;
}

}  // namespace

TEST(Shapes, FillAsManyVoxelsAsTheirVolumeSays)
{
    const std::vector<ShapeSpecification> all{specification(Shape::ball, {40, 40, 40}),      specification(Shape::box, {40, 30, 20}),
                                              specification(Shape::ellipsoid, {50, 40, 30}), specification(Shape::shell, {40, 40, 40}),
                                              specification(Shape::dumbbell, {70, 24, 24}),  specification(Shape::crescent, {50, 50, 50}),
                                              specification(Shape::reuleaux, {50, 50, 30}),  specification(Shape::two_components, {70, 24, 24}),
                                              specification(Shape::rim_necrosis, {50, 40, 30})};
    for (const auto& s : all) {
        const auto made = make_shape(s);
        ASSERT_TRUE(made.ok());
        const double exact = made->truth.volume_ml * 1000;
        // Voxels of 1 mm: the count is off by a few percent of the surface at most; a surface of 6 V^(2/3) bounds these bodies but the thin ones.
        const double bound = 0.05 * 12 * std::pow(exact, 2.0 / 3);
        EXPECT_NEAR(voxels(made->mask), exact, bound) << static_cast<int>(s.shape);
    }
}

TEST(Shapes, OfATiltedScanKeepTheirVolumeByTheDeterminant)
{
    auto s = specification(Shape::ball, {40, 40, 40});
    s.gantry_tilt_deg = 20;
    const auto made = make_shape(s);
    ASSERT_TRUE(made.ok());
    EXPECT_NEAR(made->ct.geometry.tilt_deg(), 20, 1e-9);
    EXPECT_NEAR(voxels(made->mask) * *made->ct.geometry.voxel_volume_mm3(), made->truth.volume_ml * 1000, 0.01 * made->truth.volume_ml * 1000);
}

TEST(Shapes, HaveTheAxesOfGeometry)
{
    EXPECT_DOUBLE_EQ(make_shape(specification(Shape::box, {40, 30, 20}))->truth.long_axis_mm, 50);
    EXPECT_DOUBLE_EQ(make_shape(specification(Shape::ellipsoid, {50, 40, 30}))->truth.short_axis_mm, 40);
    const auto necrotic = make_shape(specification(Shape::rim_necrosis, {50, 40, 30}));
    EXPECT_DOUBLE_EQ(necrotic->truth.long_axis_mm, 50) << "necrosis inside changes no outer size";
}

TEST(Shapes, AreTheSameForTheSameSeedAndOthersForAnother)
{
    auto s = specification(Shape::ball, {20, 20, 20});
    s.noise_hu = 12;
    const auto a = make_shape(s);
    const auto b = make_shape(s);
    s.seed = 2;
    const auto c = make_shape(s);
    EXPECT_TRUE(std::equal(a->ct.hu.values().begin(), a->ct.hu.values().end(), b->ct.hu.values().begin()));
    EXPECT_FALSE(std::equal(a->ct.hu.values().begin(), a->ct.hu.values().end(), c->ct.hu.values().begin()));
}

TEST(LobulatedMass, WithoutLobesIsTheEllipsoidOfItsHalfAxes)
{
    const LobulatedMass mass({3, -4, 5}, {30, 20, 25}, 25, 0, LobulatedMass::Pattern::irregular);
    EXPECT_NEAR(mass.truth().long_axis_mm, 60, 0.02);        // the nearest sampled plane lies within 0.3 mm of the middle
    EXPECT_NEAR(mass.truth().short_axis_mm, 40, 0.02);
    EXPECT_NEAR(mass.truth().craniocaudal_mm, 50, 0.001);
    EXPECT_NEAR(mass.truth().volume_ml, 4.0 / 3 * M_PI * 30 * 20 * 25 / 1000, 0.01);
    EXPECT_GT(mass.depth_mm({3, -4, 5}), 0);
    EXPECT_LT(mass.depth_mm({3, -4, 31}), 0);
}

}  // namespace retromass::sample_data

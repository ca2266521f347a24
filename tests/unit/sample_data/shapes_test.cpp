#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sample_data/body.h"
#include "sample_data/mass.h"
#include "sample_data/phantom.h"
#include "sample_data/random.h"
#include "sample_data/scan.h"
#include "sample_data/scanner.h"
#include "sample_data/studies.h"

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
    const LobulatedMass mass({3, -4, 5}, {30, 20, 25}, 25, {});
    const auto truth = truth_of(mass, {}).truth;
    EXPECT_NEAR(truth.long_axis_mm, 60, 0.01);
    EXPECT_NEAR(truth.short_axis_mm, 40, 0.01);
    EXPECT_NEAR(truth.craniocaudal_mm, 50, 0.01);
    EXPECT_NEAR(truth.max_3d_diameter_mm, 60, 0.01);
    EXPECT_NEAR(truth.volume_ml, 4.0 / 3 * M_PI * 30 * 20 * 25 / 1000, 1e-3);
    EXPECT_GT(mass.depth_mm({3, -4, 5}), 0);
    EXPECT_LT(mass.depth_mm({3, -4, 31}), 0);
}

TEST(LobulatedMass, InATiltedPlaneHasTheAxesOfTheEllipsoidsSection)
{
    // Planes tilted by t about x cut x^2/a^2 + y^2/b^2 + z^2/c^2 = 1 through its middle in half axes a and bc / sqrt(b^2 sin^2 t + c^2 cos^2 t);
    // its extent along their normal is 2 sqrt(b^2 sin^2 t + c^2 cos^2 t).
    const double t = 20 * M_PI / 180;
    const LobulatedMass mass({0, 0, 0}, {30, 20, 25}, 0, {});
    const Frame tilted{{1, 0, 0}, {0, std::cos(t), std::sin(t)}, {0, -std::sin(t), std::cos(t)}};
    const double reach = std::sqrt(20 * 20 * std::sin(t) * std::sin(t) + 25 * 25 * std::cos(t) * std::cos(t));
    const auto truth = truth_of(mass, tilted).truth;
    EXPECT_NEAR(truth.long_axis_mm, 60, 0.01);
    EXPECT_NEAR(truth.short_axis_mm, 2 * 20 * 25 / reach, 0.01);
    EXPECT_NEAR(truth.craniocaudal_mm, 2 * reach, 0.01);
}

TEST(LobulatedMass, HasNoLongerChordThanItsTruth)
{
    const LobulatedMass mass({-40, -12, 215}, {106.387, 75.997, 141.411}, -20, irregular_lobes(0.22));
    const auto found = truth_of(mass, {});
    EXPECT_NEAR(distance(found.long_axis.a, found.long_axis.b), found.truth.long_axis_mm, 1e-6);
    EXPECT_NEAR(mass.depth_mm(found.long_axis.a), 0, 1e-3) << "its ends lie on the surface";
    EXPECT_NEAR(found.long_axis.a.z, found.long_axis.b.z, 1e-6) << "in one axial plane";
    // Another search: every pair among outlines walked by marching outwards in planes 5 mm apart.
    double longest = 0;
    for (double z = 130; z < 300; z += 5) {
        std::vector<PatientPoint> outline;
        for (int i = 0; i < 240; ++i) {
            PatientPoint p = mass.middle_of({0, 0, 1}, z - mass.centre().z);
            const PatientPoint step{0.25 * std::cos(i * M_PI / 120), 0.25 * std::sin(i * M_PI / 120), 0};
            while (mass.depth_mm(p) > 0) p = p + step;
            outline.push_back(p);
        }
        for (const auto& a : outline) {
            for (const auto& b : outline) longest = std::max(longest, distance(a, b));
        }
    }
    EXPECT_LT(longest, found.truth.long_axis_mm + 0.5);  // each end oversteps by at most a step of 0.25 mm
    EXPECT_GT(longest, found.truth.long_axis_mm - 1.0);  // planes 5 mm and azimuths 1.5 degrees apart
}

TEST(Shapes, KeepTheirVolumeAndTruthInEveryScan)
{
    const std::vector<std::array<double, 6>> scans{*orientation_named("axial"), *orientation_named("coronal"), *orientation_named("sagittal"), {1, 0, 0, 0, 0.9659258, 0.2588190}};
    for (const auto shape : {Shape::ball, Shape::box, Shape::ellipsoid, Shape::shell, Shape::dumbbell, Shape::crescent, Shape::reuleaux, Shape::two_components, Shape::rim_necrosis}) {
        auto s = specification(shape, {44, 20, 20});
        s.grid = {32, 32, 32};
        s.column_spacing_mm = s.row_spacing_mm = s.slice_spacing_mm = 2;
        const auto upright = make_shape(s);
        ASSERT_TRUE(upright.ok());
        const double exact = upright->truth.volume_ml * 1000;
        const double bound = 2 * 0.05 * 12 * std::pow(exact, 2.0 / 3);  // as above, voxels of 2 mm
        for (const auto& orientation : scans) {
            s.orientation = orientation;
            const auto made = make_shape(s);
            ASSERT_TRUE(made.ok());
            EXPECT_EQ(made->truth.long_axis_mm, upright->truth.long_axis_mm);
            EXPECT_NEAR(8 * voxels(made->mask), exact, bound) << static_cast<int>(shape);
        }
    }
}

TEST(Shapes, OfRimNecrosisKeepTheirMaskAndLoseSolidTissueByItsFraction)
{
    auto s = specification(Shape::rim_necrosis, {50, 50, 50});
    s.lesion_hu = 60;
    s.surrounding_hu = 60;  // so that only dead tissue differs
    const auto whole = make_shape(s);
    for (const double fraction : {0.1, 0.3, 0.5, 0.8}) {
        s.necrotic_fraction = fraction;
        const auto made = make_shape(s);
        ASSERT_TRUE(made.ok());
        EXPECT_TRUE(std::equal(made->mask.values().begin(), made->mask.values().end(), whole->mask.values().begin()));
        double dead = 0;
        for (std::size_t i = 0; i < made->mask.values().size(); ++i) dead += (60.0 - made->ct.hu[i]) / 45;
        EXPECT_NEAR(dead / voxels(made->mask), fraction, 0.005);  // 64 samples a voxel, HU rounded to 1 of 45
    }
}

TEST(Shapes, OfEccentricNecrosisKeepTheirMaskAndTheirFractionAndLieAtOneSide)
{
    auto s = specification(Shape::rim_necrosis, {50, 50, 50});
    s.lesion_hu = 60;
    s.surrounding_hu = 60;
    s.necrotic_offset = 1;
    const auto whole = make_shape(specification(Shape::ball, {50, 50, 50}));
    for (const double fraction : {0.1, 0.5}) {
        s.necrotic_fraction = fraction;
        const auto made = make_shape(s);
        ASSERT_TRUE(made.ok());
        EXPECT_TRUE(std::equal(made->mask.values().begin(), made->mask.values().end(), whole->mask.values().begin()));
        double dead = 0, y_mm = 0;
        for (int k = 0; k < s.grid.slices; ++k) {
            for (int r = 0; r < s.grid.rows; ++r) {
                for (int c = 0; c < s.grid.columns; ++c) {
                    const double part = (60.0 - made->ct.hu.at(c, r, k)) / 45;
                    dead += part;
                    y_mm += part * made->ct.geometry.to_patient(Index{c, r, k}).y;
                }
            }
        }
        EXPECT_NEAR(dead / voxels(made->mask), fraction, 0.005);
        EXPECT_NEAR(y_mm / dead, 25 * (1 - std::cbrt(fraction)), 0.1);  // the smaller ball touches the greater one from within
    }
    s.necrotic_offset = 1.5;
    EXPECT_FALSE(make_shape(s).ok());
}

TEST(Scans, ThatNoScannerMakesAreRefusedWithASentence)
{
    auto s = specification(Shape::ball, {20, 20, 20});
    s.orientation = {1, 0, 0, 0, 0.5, 0.8660254};  // 60 degrees from axial
    ASSERT_FALSE(make_shape(s).ok());
    EXPECT_NE(make_shape(s).error().message.find("60 degrees"), std::string::npos);
    s.orientation = *orientation_named("coronal");
    s.gantry_tilt_deg = 10;
    EXPECT_FALSE(make_shape(s).ok());
    s.gantry_tilt_deg = 0;
    s.orientation = {1, 0, 0, 1, 0, 0};
    EXPECT_FALSE(make_shape(s).ok());
}

TEST(Noise, HasItsDeviationAndIsCorrelatedInThePlaneMoreThanAcrossIt)
{
    const auto a = noise(7, 10, 256, 256);
    const auto b = noise(7, 11, 256, 256);
    double square = 0, beside = 0, across = 0;
    for (std::size_t i = 256 * 16; i < 256 * 240; ++i) {
        square += static_cast<double>(a[i]) * a[i];
        beside += static_cast<double>(a[i]) * a[i + 1];
        across += static_cast<double>(a[i]) * b[i];
    }
    const double n = 256 * 224;
    EXPECT_NEAR(std::sqrt(square / n), 1, 0.02);  // 57 344 values, about 10 of which vary together
    EXPECT_GT(beside / square, 0.5);
    EXPECT_GT(across / square, 0.1);
    EXPECT_LT(across / square, 0.35);
}

TEST(Patients, OfAnotherSeedHaveAnotherBodyAndAnotherMassWithinAdultLimits)
{
    const auto first = body_of(1);
    for (std::uint64_t seed = 2; seed < 12; ++seed) {
        const auto body = body_of(seed);
        EXPECT_NE(body.width, first.width);
        EXPECT_NE(body.fat, body_of(seed + 1).fat);
        for (const double factor : {body.width, body.depth, body.height}) {
            EXPECT_GT(factor, 0.85);
            EXPECT_LT(factor, 1.1);
        }
        const auto studies = studies_of(body);
        ASSERT_EQ(studies.size(), 5U);
        auto swollen = body;
        swollen.girth = studies[0].girth;
        const Wall wall(swollen);
        const auto& mass = studies[0].mass;
        for (int i = 0; i < 400; ++i) {  // the mass lies under the skin
            const double w = -1 + (2 * i + 1) / 400.0;
            const double rim = std::sqrt(1 - w * w);
            const PatientPoint d{rim * std::cos(2.4 * i), rim * std::sin(2.4 * i), w};
            EXPECT_GT(wall.depth(mass.unscaled(mass.surface(d) * d)), 0) << seed;
        }
        EXPECT_NE(mass.reach(), studies_of(first)[0].mass.reach());
    }
}

TEST(Patients, HaveTheirBowelInsideTheWallAtEveryTimePoint)
{
    for (const std::uint64_t seed : {1, 4, 7}) {
        const auto body = body_of(seed);
        for (const auto& study : studies_of(body)) {
            auto now = body;
            now.girth = study.girth;
            const Wall wall(now);
            std::vector<Solid> bowel;
            add_bowel(bowel, now, wall, tissue_in(Phase::portal_venous), &study.mass, hash_of(study.id, seed + 17));
            double least = 1e9;
            for (const auto& solid : bowel) {
                const auto middle = 0.5 * (solid.low + solid.high);
                least = std::min(least, wall.depth(middle) - wall.muscle_mm(middle));
            }
            EXPECT_GT(least, 0) << study.id << " of patient " << seed << ": the middle of a piece lies in the muscles";
        }
    }
}

}  // namespace retromass::sample_data

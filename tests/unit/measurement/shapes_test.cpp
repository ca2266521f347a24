// Phantoms of known truth through `measure`: within what voxels can resolve, stated as a formula.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "measurement/measure.h"
#include "sample_data/phantom.h"

namespace retromass::measurement {
namespace {

using sample_data::Shape;

struct Row {
    const char* name;
    Shape shape;
    std::vector<double> size_mm;
    double sharpest_deg = 180;  ///< angle of the outline where the long axis ends; 180 = smooth
};

sample_data::ShapePhantom made(const Row& row, double in_plane_mm, double slice_mm, double tilt_deg = 0)
{
    sample_data::ShapeSpecification s;
    s.shape = row.shape;
    s.size_mm = row.size_mm;
    s.gantry_tilt_deg = tilt_deg;
    s.column_spacing_mm = s.row_spacing_mm = in_plane_mm;
    s.slice_spacing_mm = slice_mm;
    // An odd number of slices puts one through the middle, where each of these bodies is longest.
    const double room_mm = *std::max_element(row.size_mm.begin(), row.size_mm.end()) + 6;
    s.grid = {static_cast<int>(room_mm / in_plane_mm), static_cast<int>(room_mm / in_plane_mm), static_cast<int>(room_mm / slice_mm) / 2 * 2 + 1};
    return sample_data::make_shape(s).value();
}

TEST(Phantoms, AreMeasuredWithinTheirDiscretisation)
{
    const std::vector<Row> rows{{"ball", Shape::ball, {40, 40, 40}},
                                {"box", Shape::box, {44.3, 30.1, 21.7}, 90},
                                {"ellipsoid", Shape::ellipsoid, {52, 38, 30}},
                                {"shell", Shape::shell, {42, 42, 42}},
                                {"dumbbell", Shape::dumbbell, {66, 24, 24}},
                                {"crescent", Shape::crescent, {54, 54, 54}},
                                {"reuleaux", Shape::reuleaux, {50, 50, 30}, 120},
                                {"two-components", Shape::two_components, {66, 24, 24}},
                                {"rim-necrosis", Shape::rim_necrosis, {50, 40, 30}}};
    for (const auto& row : rows) {
        for (const double in_plane_mm : {0.6, 0.9}) {
            SCOPED_TRACE(std::string(row.name) + " at " + std::to_string(in_plane_mm));
            constexpr double slice_mm = 1.5;
            const auto phantom = made(row, in_plane_mm, slice_mm);
            const auto m = measure(phantom.mask, phantom.ct.geometry, &phantom.ct.hu).value();
            const auto& truth = phantom.truth;
            // An edge midpoint lies at most half a pixel beyond a centre that is inside: a length never exceeds the truth by more than a pixel.
            EXPECT_LE(m.long_axis.exact_mm, truth.long_axis_mm + in_plane_mm + 1e-9);
            // A disc of half the pixel's diagonal holds a centre. It fits into a corner of angle a at 1 / sin(a / 2) of its radius from the tip.
            const double diagonal_mm = in_plane_mm * std::numbers::sqrt2;
            const double lost_mm = diagonal_mm * (1 + 1 / std::sin(row.sharpest_deg / 2 * std::numbers::pi / 180));
            EXPECT_GE(m.long_axis.exact_mm, truth.long_axis_mm - lost_mm);
            // The short axis turns with the long one, whose ends moved by no more than `lost_mm` over its length.
            const double turned_mm = 2 * diagonal_mm + lost_mm;
            EXPECT_LE(m.short_axis.exact_mm, truth.short_axis_mm + turned_mm);
            // Many diameters of the crescent are equal, and the truth takes the longest of their partners; pixels may break the tie otherwise.
            if (row.shape != Shape::crescent) {
                EXPECT_GE(m.short_axis.exact_mm, truth.short_axis_mm - turned_mm);
            }
            // As many slabs as slices hit the body: off by less than one.
            EXPECT_LE(std::abs(m.craniocaudal.exact_mm - truth.craniocaudal_mm), slice_mm);
            EXPECT_LE(m.long_axis.exact_mm, m.max_3d_diameter_mm + 1e-9);
            if (row.shape == Shape::box) {  // centres within half an extent of the middle, counted
                const auto count = [](double extent, int n, double spacing) {
                    int inside = 0;
                    for (int i = 0; i < n; ++i) inside += std::abs((i - 0.5 * (n - 1)) * spacing) < extent / 2 ? 1 : 0;
                    return inside * spacing;
                };
                const auto n = phantom.ct.geometry.size();
                EXPECT_NEAR(m.volume_ml, count(44.3, n.columns, in_plane_mm) * count(30.1, n.rows, in_plane_mm) * count(21.7, n.slices, slice_mm) / 1000, 1e-9);
            } else if (row.shape == Shape::reuleaux) {  // a prism: its area times the slabs it touches
                EXPECT_NEAR(m.volume_ml, truth.volume_ml * m.craniocaudal.exact_mm / truth.craniocaudal_mm, 0.01 * truth.volume_ml);
            } else {
                // Errors of some thousand surface voxels cancel to far below 1 %.
                EXPECT_NEAR(m.volume_ml, truth.volume_ml, 0.01 * truth.volume_ml);
            }
        }
    }
}

TEST(Phantoms, OfATiltedScanAreMeasuredAsIfItWereUpright)
{
    for (const double tilt_deg : {-20.0, 12.5, 25.0}) {
        const auto phantom = made({"ball", Shape::ball, {40, 40, 40}}, 0.8, 1.5, tilt_deg);
        ASSERT_NEAR(phantom.ct.geometry.tilt_deg(), std::abs(tilt_deg), 1e-9);
        const auto m = measure(phantom.mask, phantom.ct.geometry, nullptr).value();
        const double lost_mm = 2 * 0.8 * std::numbers::sqrt2;
        EXPECT_NEAR(m.long_axis.exact_mm, 40, lost_mm) << tilt_deg;
        EXPECT_NEAR(m.short_axis.exact_mm, 40, 2 * lost_mm) << tilt_deg;
        EXPECT_NEAR(m.craniocaudal.exact_mm, 40, 1.5) << tilt_deg;
        // Ignoring the tilt would make this 1 / cos(tilt) too large: 2 to 10 %.
        EXPECT_NEAR(m.volume_ml, phantom.truth.volume_ml, 0.01 * phantom.truth.volume_ml) << tilt_deg;
    }
}

TEST(Phantoms, OfOneTissueShowNoFalseComponentInNoise)
{
    // docs/clinical.md 4.2: below 2 % at 10, 25 and 45 HU of noise.
    for (const double noise_hu : {10.0, 25.0, 45.0}) {
        sample_data::ShapeSpecification s;
        s.size_mm = {45, 45, 45};
        s.noise_hu = noise_hu;
        s.surrounding_hu = s.lesion_hu = 60;  // no partial volume: the noise alone
        s.column_spacing_mm = s.row_spacing_mm = 0.8;
        s.slice_spacing_mm = 2.5;
        s.grid = {70, 70, 25};
        const auto phantom = sample_data::make_shape(s).value();
        const auto m = measure(phantom.mask, phantom.ct.geometry, &phantom.ct.hu).value();
        EXPECT_GT(m.components->solid_ml, 0.98 * m.volume_ml) << noise_hu;
        EXPECT_NEAR(m.hu->sd, noise_hu, 0.05 * noise_hu) << "the noise must be there for the check to mean anything";
    }
}

}  // namespace
}  // namespace retromass::measurement

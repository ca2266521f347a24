#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <string>

#include "measurement/measure.h"
#include "sample_data/phantom.h"
#include "segmentation/segment.h"

namespace retromass {
namespace {

constexpr double kAxis = 0.03, kVolume = 0.05;  // what a change of the dead part alone may do: less than a third of RECIST's smallest step

/// A retroperitoneal mass of one outer size in fat, whatever has died within it.
sample_data::ShapePhantom mass(double necrotic_fraction, double offset, double living_hu)
{
    sample_data::ShapeSpecification s;
    s.shape = sample_data::Shape::rim_necrosis;
    s.size_mm = {80, 66, 72};
    s.grid = {108, 96, 72};
    s.slice_spacing_mm = 1.25;  // two slices of 2.5 mm alone would be 7 % of the craniocaudal axis
    s.noise_hu = 12;
    s.lesion_hu = living_hu;
    s.necrotic_fraction = necrotic_fraction;
    s.necrotic_offset = offset;
    return sample_data::make_shape(s).value();
}

segmentation::Prompt prompt_of(bool marked_all)
{
    segmentation::Prompt p;
    p.lines = {{{-40, 0, 0.625}, {40, 0, 0.625}}};
    if (!marked_all) return p;
    p.lines.push_back({{0, -33, 0.625}, {0, 33, 0.625}});
    p.extent = {PatientPoint{0, 0, 35.6}, PatientPoint{0, 0, -35.6}};
    return p;
}

/// The largest deviation of an axis and that of the volume, relative to the truth.
std::array<double, 2> worst_of(const Mask& mask, const sample_data::ShapePhantom& body)
{
    const auto m = measurement::measure(mask, body.ct.geometry, &body.ct.hu).value();
    const auto off = [](double found, double truth) { return std::abs(found / truth - 1); };
    return {std::max({off(m.long_axis.exact_mm, body.truth.long_axis_mm), off(m.short_axis.exact_mm, body.truth.short_axis_mm), off(m.craniocaudal.exact_mm, body.truth.craniocaudal_mm)}),
            off(m.volume_ml, body.truth.volume_ml)};
}

}  // namespace

TEST(Necrosis, FromATenthToFourFifthsOfALesionChangesNeitherItsAxesNorItsVolume)
{
    for (const double living_hu : {90.0, 45.0}) {      // enhancing; without contrast
        for (const double offset : {0.0, 0.9}) {       // a rim all round; the dead part reaches to the surface but for a thin rim
            for (const double fraction : {0.1, 0.5, 0.8}) {
                const auto body = mass(fraction, offset, living_hu);
                for (const bool marked_all : {false, true}) {
                    const auto made = segmentation::segment(body.ct, "1.2", prompt_of(marked_all));
                    ASSERT_TRUE(made.ok()) << made.error().message;
                    const auto [axis, volume] = worst_of(made->mask, body);
                    const auto what = std::string(marked_all ? "both lines, top and bottom" : "line") + (living_hu > 60 ? ", enhancing" : ", without contrast") + (offset > 0 ? ", eccentric" : ", rim") + ", dead " + std::to_string(fraction);
                    std::cout << what << ": axes " << 100 * axis << " %, volume " << 100 * volume << " %\n";
                    EXPECT_LE(axis, kAxis) << what;
                    EXPECT_LE(volume, kVolume) << what;
                }
            }
        }
    }
}

TEST(Necrosis, IsJudgedByAMeasureThatAMaskOfTheLivingPartFails)
{
    const auto body = mass(0.5, 0.9, 90);
    auto living = body.mask;
    for (std::size_t i = 0; i < living.values().size(); ++i) living[i] = living[i] && body.ct.hu[i] > 52;
    EXPECT_GT(worst_of(living, body)[1], kVolume);
    const auto bare = segmentation::segment(body.ct, "1.2", prompt_of(false), {segmentation::Method::ellipsoid, 0});
    ASSERT_TRUE(bare.ok());
    EXPECT_GT(worst_of(bare->mask, body)[0], kAxis);
}

}  // namespace retromass

#include "segmentation/fat_plane.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "measurement/measure.h"
#include "segmentation/scene.h"

namespace retromass::segmentation {
namespace {

constexpr double kHalf_mm[3] = {50, 40, 40};   // of the mass; the usual proportions of its line make the third 62
constexpr double kPixel_mm = 1.5, kSlice_mm = 2.5;
constexpr int kPixels = 110, kSlices = 72;
constexpr double kTissue_hu = 70, kFat_hu = -100;

/// What lies above the mass, from its waist on: the same tissue, beyond a plane of fat.
struct Above {
    double plane_mm = 3;
    bool bridged = true;      ///< in patches a centimetre wide, over a third of it, there is no fat
    double from_half = 1;     ///< where the plane begins, in half axes of the mass
    bool lumps = false;       ///< fat in lumps of 5 mm within the mass instead
};

struct Body {
    CtVolume ct;
    Mask truth;
};

double surface(PatientPoint p) { return std::sqrt(std::pow(p.x / kHalf_mm[0], 2) + std::pow(p.y / kHalf_mm[1], 2) + std::pow(p.z / kHalf_mm[2], 2)); }

double tissue_at(PatientPoint p, const Above& above)
{
    const double r = surface(p);
    const bool bridge = above.bridged && std::abs(std::sin(p.x / 6) * std::sin(p.y / 6)) > 0.5;
    if (r < 1) return above.lumps && std::sin(p.x / 3) * std::sin(p.y / 3) * std::sin(p.z / 3) > 0.6 ? kFat_hu : kTissue_hu;
    if (p.z < 0 || std::abs(p.x) > 75 || std::abs(p.y) > 75) return kFat_hu;
    const double away_mm = (r - above.from_half) * std::hypot(p.x, p.y, p.z) / r;
    const bool in_plane = away_mm > 0 && away_mm < above.plane_mm;
    return in_plane && !bridge ? kFat_hu : kTissue_hu;
}

Body body(const Above& above)
{
    std::vector<PatientPoint> origins;
    for (int k = 0; k < kSlices; ++k) origins.push_back({-(kPixels - 1) / 2.0 * kPixel_mm, -(kPixels - 1) / 2.0 * kPixel_mm, (k - 24.5) * kSlice_mm});
    Body out;
    out.ct.geometry = VolumeGeometry::from_slices(kPixels, kPixels, {1, 0, 0}, {0, 1, 0}, kPixel_mm, kPixel_mm, origins).value();
    out.ct.hu = Grid<std::int16_t>(out.ct.geometry.size());
    out.truth = Mask(out.ct.geometry.size());
    std::mt19937 random(1);
    for (int k = 0; k < kSlices; ++k) {
        for (int r = 0; r < kPixels; ++r) {
            for (int c = 0; c < kPixels; ++c) {
                const auto middle = out.ct.geometry.to_patient(Index{c, r, k});
                double sum = 0;
                for (int part = 0; part < 27; ++part) {  // partial volumes, without which no plane of 3 mm is one
                    sum += tissue_at(middle + PatientPoint{(part % 3 - 1) * kPixel_mm / 3, (part / 3 % 3 - 1) * kPixel_mm / 3, (part / 9 - 1) * kSlice_mm / 3}, above);
                }
                double noise = -6;
                for (int n = 0; n < 12; ++n) noise += static_cast<double>(random() & 0xffff) / 65536;  // about normal, the same everywhere
                out.ct.hu.at(c, r, k) = static_cast<std::int16_t>(std::lround(sum / 27 + 12 * noise));
                out.truth.at(c, r, k) = surface(middle) < 1;
            }
        }
    }
    return out;
}

Prompt line_alone()
{
    Prompt p;
    p.lines = {{{-kHalf_mm[0], 0, 1.25}, {kHalf_mm[0], 0, 1.25}}};
    return p;
}

double craniocaudal_of(const Body& b, Method method)
{
    SegmentParameters parameters;
    parameters.method = method;
    const auto made = segment(b.ct, "1.2", line_alone(), parameters);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return made.ok() ? measurement::measure(made->mask, b.ct.geometry, &b.ct.hu).value().craniocaudal.exact_mm : 0;
}

}  // namespace

TEST(FatPlane, EndsALesionBelowAnOrganOfItsOwnBrightness)
{
    const auto b = body({});
    // One slice at the plane and one at the free end: neither end is known better than a slice.
    EXPECT_NEAR(craniocaudal_of(b, Method::fusion), 2 * kHalf_mm[2], 2 * kSlice_mm);
    EXPECT_GT(craniocaudal_of(b, Method::ellipsoid), 2 * kHalf_mm[2] + 15);  // the fake that looks at nothing
    const auto shape = shape_of(line_alone(), b.ct.geometry);
    EXPECT_TRUE(FatPlanes(b.ct, shape, 1).end_axis(2));
}

TEST(FatPlane, IsNoneWhereTheTwoTouchWithoutFat)
{
    const auto b = body({.plane_mm = 0});
    EXPECT_FALSE(FatPlanes(b.ct, shape_of(line_alone(), b.ct.geometry), 1).any());
}

TEST(FatPlane, IsNoneWhereFatLiesInLumps)
{
    const auto b = body({.plane_mm = 0, .lumps = true});
    EXPECT_FALSE(FatPlanes(b.ct, shape_of(line_alone(), b.ct.geometry), 1).any());
}

TEST(FatPlane, BeyondTheExpectedSurfaceIsAnybodys)
{
    const auto b = body({.bridged = false, .from_half = 1.75});  // 70 mm up; the usual proportions end at 62
    EXPECT_FALSE(FatPlanes(b.ct, shape_of(line_alone(), b.ct.geometry), 1).any());
}

TEST(FatPlane, DrawsInTheEndOfTheShapeAndLeavesTheOther)
{
    const auto b = body({});
    const auto usual = shape_of(line_alone(), b.ct.geometry);
    const auto ended = FatPlanes(b.ct, usual, 1).ended(usual);
    const auto top = [](const Shape& s, int sign) { return dot(s.centre, s.n) + sign * s.half_n_mm; };
    EXPECT_NEAR(top(ended, -1), top(usual, -1), 1e-9);
    // In units of the usual ellipsoid (50 x 38 x 62 mm) the plane lies at 0.67 on its axis and 0.86 in the corners of the square of rays: the median is between.
    EXPECT_GT(top(ended, 1), 0.67 * usual.half_n_mm);
    EXPECT_LT(top(ended, 1), 0.86 * usual.half_n_mm);
    EXPECT_EQ(ended.half_u_mm, usual.half_u_mm);
    EXPECT_EQ(ended.half_v_mm, usual.half_v_mm);
}

TEST(FatPlane, IsTheSameForAnyNumberOfThreads)
{
    const auto b = body({});
    const auto shape = shape_of(line_alone(), b.ct.geometry);
    const auto reach = reach_of(shape, b.ct.geometry, 2);
    const auto grid = working_grid(b.ct.geometry, reach[0], reach[1], 2.5);
    const auto one = FatPlanes(b.ct, shape, 1).beyond(b.ct.geometry, grid, 1);
    const auto three = FatPlanes(b.ct, shape, 3).beyond(b.ct.geometry, grid, 3);
    EXPECT_TRUE(std::ranges::equal(one.values(), three.values()));
    EXPECT_TRUE(std::any_of(one.values().begin(), one.values().end(), [](auto v) { return v != 0; }));
}

}  // namespace retromass::segmentation

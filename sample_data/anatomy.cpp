#include "sample_data/anatomy.h"

#include <algorithm>
#include <cmath>

#include "sample_data/random.h"

namespace retromass::sample_data {
namespace {

constexpr double kAir = -1000;
constexpr double kFat = -103;
constexpr double kMuscle = 60;
constexpr double kBowelWall = 55;
constexpr double kFatPlane_mm = 4;
constexpr double kMusclePlane_mm = 2.5;  // the fascia and fat between a mass and the muscle it presses on

/// Squared normalised radius in an ellipse or ellipsoid; inside below 1.
double ellipse(double x, double y, double cx, double cy, double rx, double ry)
{
    const double a = (x - cx) / rx;
    const double b = (y - cy) / ry;
    return a * a + b * b;
}

double ellipsoid(PatientPoint p, PatientPoint c, PatientPoint r)
{
    const double a = (p.x - c.x) / r.x;
    const double b = (p.y - c.y) / r.y;
    const double d = (p.z - c.z) / r.z;
    return a * a + b * b + d * d;
}

struct Loop {
    PatientPoint centre;
    double radius;
    double content_hu;
};

// Small bowel on the left and in front, colon with gas; one loop at the right front touches the mass.
constexpr Loop kLoops[] = {
    {{95, -62, 215}, 21, 25},  {{62, -78, 188}, 19, -850}, {{118, -30, 180}, 22, 30},  {{75, -45, 160}, 18, 15},  {{100, -10, 225}, 20, 35},
    {{40, -88, 232}, 17, 20},  {{128, 5, 205}, 18, -800},  {{60, -60, 255}, 19, 28},   {{92, -40, 275}, 18, 22},  {{25, -92, 190}, 17, -870},
    {{110, -50, 140}, 20, 18}, {{55, -70, 130}, 18, 30},   {{20, -80, 150}, 18, 25},   {{-15, -95, 165}, 16, 20}, {{85, -15, 130}, 19, 26},
    {{-70, -92, 185}, 15, 35}, {{-105, -70, 150}, 17, -820}, {{-60, -75, 120}, 18, 24}, {{135, 25, 250}, 17, -780}, {{70, -85, 300}, 20, -860},
};

double skeleton(PatientPoint p)
{
    const double back = p.z < 110 ? (110 - p.z) * 0.25 : 0;  // the sacrum recedes
    if (ellipse(p.x, p.y, 0, 90 + back, 24, 20) < 1) {
        const double cycle = p.z - 36 * std::floor(p.z / 36);
        if (cycle < 7) return 85;  // disc
        const double rim = ellipse(p.x, p.y, 0, 90 + back, 21, 17);
        return rim > 1 || cycle < 10 || cycle > 33 ? 420 : 190;
    }
    if (ellipse(p.x, p.y, 0, 116 + back, 8, 7) < 1) return 25;  // canal
    if (ellipse(p.x, p.y, 0, 117 + back, 15, 11) < 1) return 380;
    if (std::abs(p.x) < 3 && p.y > 116 + back && p.y < 134 && p.z - 36 * std::floor(p.z / 36) > 12) return 350;  // spinous process
    if (p.z < 165) {  // iliac wings
        const double flare = 70 + 0.45 * p.z;
        const double a = std::hypot((std::abs(p.x) - 42) / flare, (p.y - 78) / 55.0);
        if (std::abs(p.x) > 60 && p.y > 15 && std::abs(a - 1) < 0.055) return std::abs(a - 1) > 0.035 ? 520 : 260;
    }
    return kAir;
}

double soft_organs(PatientPoint p, double pressure)
{
    if (ellipsoid(p, {-72, -22, 425}, {112, 92, 72}) < 1) return 112;                                            // liver
    if (ellipsoid(p, {122, 42, 405}, {32, 44, 52}) < 1) return 122;                                              // spleen
    for (const double side : {1.0, -1.0}) {                                                                      // kidneys
        const PatientPoint c = side > 0 ? PatientPoint{80, 66, 305} : PatientPoint{-84 - 10 * pressure, 72 + 8 * pressure, 300 + 80 * pressure};
        const double k = ellipsoid(p, c, {29, 27, 54});
        if (k < 1) return k < 0.18 ? -40 : k < 0.45 ? 150 : 185;
    }
    if (ellipsoid(p, {0, -25, 25}, {48, 38, 36}) < 1) return ellipsoid(p, {0, -25, 25}, {45, 35, 33}) < 1 ? 8 : 45;  // bladder
    if (ellipsoid(p, {60, -20, 385}, {38, 45, 40}) < 1) return ellipsoid(p, {60, -20, 385}, {34, 41, 36}) < 1 ? (p.y < -30 ? -880 : 20) : 60;  // stomach
    return kAir;
}

double bowel(PatientPoint p, bool touching)
{
    for (std::size_t i = 0; i < std::size(kLoops); ++i) {
        const bool touches = i == 15;  // the right front loop
        if (touches != touching) continue;
        const auto& loop = kLoops[i];
        const double r = std::sqrt(ellipsoid(p, loop.centre, {loop.radius, loop.radius * 0.85, loop.radius * 1.25}));
        if (r >= 1) continue;
        if (r > 1 - 3.0 / loop.radius) return kBowelWall;
        return loop.content_hu < -500 && p.y > loop.centre.y + 2 ? 25 : loop.content_hu;  // gas floats in front
    }
    return kAir;
}

}  // namespace

double value_noise(PatientPoint p, unsigned long seed)
{
    const double fx = std::floor(p.x);
    const double fy = std::floor(p.y);
    const double fz = std::floor(p.z);
    const auto corner = [&](int i, int j, int k) {
        const auto h = mixed(seed ^ mixed(static_cast<std::uint64_t>(static_cast<std::int64_t>(fx) + i) ^
                                          mixed(static_cast<std::uint64_t>(static_cast<std::int64_t>(fy) + j) ^ mixed(static_cast<std::uint64_t>(static_cast<std::int64_t>(fz) + k)))));
        return 2.0 * uniform_of(h) - 1;
    };
    const auto ease = [](double t) { return t * t * (3 - 2 * t); };
    const double x = ease(p.x - fx);
    const double y = ease(p.y - fy);
    const double z = ease(p.z - fz);
    double sum = 0;
    for (int k = 0; k < 2; ++k) {
        for (int j = 0; j < 2; ++j) {
            for (int i = 0; i < 2; ++i) sum += (i ? x : 1 - x) * (j ? y : 1 - y) * (k ? z : 1 - z) * corner(i, j, k);
        }
    }
    return sum;
}

double Anatomy::hu(PatientPoint p, double outside_mass_mm) const
{
    const double rx = 182 * girth;
    const double ry = 132 * girth;
    const double outline = std::sqrt(ellipse(p.x, p.y, 0, 2, rx, ry));
    if (outline >= 1) {  // the table: a shallow carbon shell with foam
        const double y = 137 * girth + 6 + p.x * p.x / 2600;
        if (std::abs(p.x) < 195 && p.y > y && p.y < y + 22) return p.y < y + 2 || p.y > y + 20 ? -180 : -930;
        return kAir;
    }
    const double depth = (1 - outline) * std::min(rx, ry);  // about mm below the skin
    if (depth < 1.5) return 20;                               // skin
    const double fat = p.y < 0 ? 15 : 20;
    if (depth < fat) return kFat;
    if (const double bone = skeleton(p); bone > kAir) return bone;
    if (ellipse(std::abs(p.x), p.y, 36, 108, 27, 19) < 1) return kMuscle;  // paraspinal
    const double wall = p.y > 70 ? 9 : std::abs(p.x) > 90 ? 16 : 11;
    if (depth < fat + wall) {
        if (outside_mass_mm < kMusclePlane_mm) return kFat;
        if (p.z > 290) {  // ribs cross the wall obliquely
            const double phase = p.z + 0.35 * p.y - 34 * std::floor((p.z + 0.35 * p.y) / 34);
            if (std::abs(p.x) > 60 && phase < 9 && depth > fat + 2 && depth < fat + 10) return depth < fat + 3.5 || depth > fat + 8.5 || phase < 1.5 || phase > 7.5 ? 600 : 220;
        }
        return kMuscle;
    }
    if (p.z < 310 && ellipse(std::abs(p.x), p.y, 43 + 0.12 * (250 - p.z) * (p.z < 250), 86, 15 + 0.03 * (310 - p.z), 22) < 1) return outside_mass_mm < kMusclePlane_mm ? kFat : kMuscle + 3;  // psoas
    if (ellipse(p.x, p.y, 14, 58, 9.5, 9.5) < 1 && p.z > 130) return ellipse(p.x, p.y, 14, 58, 8.3, 8.3) < 1 ? 165 : 60;  // aorta
    const double cava_x = -17 + 8 * pressure;
    if (p.z > 135 && ellipse(p.x, p.y, cava_x, 57, 11 - 5 * pressure, 11 + 2 * pressure) < 1) return 148;
    if (const double loop = bowel(p, true); loop > kAir) return loop;
    if (outside_mass_mm < kFatPlane_mm) return kFat;
    if (const double organ = soft_organs(p, pressure); organ > kAir) return organ;
    if (p.z < 300) {
        if (const double loop = bowel(p, false); loop > kAir) return loop;
    }
    return kFat + 6 * value_noise({p.x / 9, p.y / 9, p.z / 12}, 77);  // vessels and strands make fat a little uneven
}

}  // namespace retromass::sample_data

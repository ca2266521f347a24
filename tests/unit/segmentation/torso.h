#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/parallel.h"
#include "core/volume.h"

/// A trunk of exactly known anatomy that can be scanned after any motion of its points.
namespace retromass::test {

inline double in_ellipsoid(PatientPoint p, PatientPoint middle, PatientPoint half)
{
    const auto d = p - middle;
    return std::hypot(d.x / half.x, d.y / half.y, d.z / half.z);
}

struct TorsoLesion {
    PatientPoint middle{62, -10, 110};
    PatientPoint half{0, 0, 0};    ///< none
    double hu = 85;
};

/// HU of the trunk, 340 x 220 mm, with skin fat, muscle, spine, psoas, liver, kidneys, aorta, bowel, and a lesion in the fat on the left.
inline double torso_hu(PatientPoint p, const TorsoLesion& lesion = {})
{
    const double skin = std::hypot(p.x / 170, p.y / 110);
    if (skin > 1) return p.y > 114 && p.y < 130 && std::abs(p.x) < 220 ? -150 : -1000;  // the table
    if (skin > 0.9) return -105;
    if (skin > 0.82) return 58;
    if (lesion.half.x > 0 && in_ellipsoid(p, lesion.middle, lesion.half) < 1) return lesion.hu;
    const double vertebra = p.z - 34 * std::round(p.z / 34);
    if (std::hypot(p.x / 24, (p.y - 62) / 19) < 1) return std::abs(vertebra) < 13 ? (std::hypot(p.x / 24, (p.y - 62) / 19) > 0.85 ? 520 : 240) : 95;
    if (std::hypot(p.x / 5, (p.y - 88) / 9) < 1 && std::abs(vertebra + 6) < 9) return 480;
    for (const int side : {-1, 1}) {
        if (std::hypot((p.x - side * (44 + 0.1 * (p.z - 120))) / 15, (p.y - 55) / 17) < 1) return 60;
        if (in_ellipsoid(p, {side * 62.0, 42, 150.0 + 8 * side}, {24, 20, 45}) < 1) return 170;
    }
    if (in_ellipsoid(p, {-72, -15, 205}, {66, 58, 62}) < 1) return 108;
    if (std::hypot(p.x - 8, p.y - 34) < 10) return 150;
    for (int loop = 0; loop < 22; ++loop) {
        const double a = 2.4 * loop;
        const PatientPoint middle{22 * std::sqrt(double(loop)) * std::cos(a) - 10, -28 + 7 * std::sqrt(double(loop)) * std::sin(a), 20 + 9.0 * loop};
        const double r = in_ellipsoid(p, middle, {15, 12, 14});
        if (r < 1) return r > 0.8 ? 62 : 24;
    }
    return -102;
}

/// The trunk after a motion: each voxel shows what lies at `from(voxel)`.
inline CtVolume torso_scan(const VolumeGeometry& geometry, const TorsoLesion& lesion, const std::function<PatientPoint(PatientPoint)>& from, double noise_hu, std::uint64_t seed)
{
    CtVolume out{geometry, Grid<std::int16_t>(geometry.size())};
    parallel_for(geometry.size().slices, 0, [&](int k) {
        std::uint64_t state = seed * 0x9E3779B97F4A7C15ULL + static_cast<std::uint64_t>(k) * 0xD1B54A32D192ED03ULL + 1;
        const auto uniform = [&] {
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            return static_cast<double>(state >> 11) / 9007199254740992.0;
        };
        for (int r = 0; r < geometry.size().rows; ++r) {
            for (int c = 0; c < geometry.size().columns; ++c) {
                const double sum = uniform() + uniform() + uniform() + uniform() - 2;  // variance 1/3
                out.hu.at(c, r, k) = static_cast<std::int16_t>(std::lround(torso_hu(from(geometry.to_patient(Index{c, r, k})), lesion) + noise_hu * 1.732 * sum));
            }
        }
    });
    return out;
}

inline Mask torso_mask(const VolumeGeometry& geometry, const TorsoLesion& lesion, const std::function<PatientPoint(PatientPoint)>& from)
{
    Mask out(geometry.size());
    parallel_for(geometry.size().slices, 0, [&](int k) {
        for (int r = 0; r < geometry.size().rows; ++r) {
            for (int c = 0; c < geometry.size().columns; ++c) out.at(c, r, k) = in_ellipsoid(from(geometry.to_patient(Index{c, r, k})), lesion.middle, lesion.half) < 1;
        }
    });
    return out;
}

}  // namespace retromass::test

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

#include "sample_data/mass.h"

namespace retromass::sample_data {
namespace {

constexpr double pi = std::numbers::pi;
constexpr int kPolar = 480;      // of the volume integral
constexpr int kPlanes = 61;      // of the search for the long axis, before it is refined
constexpr int kAzimuths = 180;
constexpr int kOutline = 3600;   // of the outline that the short axis is taken on: chords 0.2 mm long miss a curve by 0.0001 mm
constexpr int kLines = 4000;

/// Climbs `value` from `at` by a pattern search that halves its step down to `least`.
std::vector<double> climbed(const std::function<double(const std::vector<double>&)>& value, std::vector<double> at, std::vector<double> step, double least)
{
    double best = value(at);
    for (double scale = 1; scale > least; scale /= 2) {
        for (bool moved = true; moved;) {
            moved = false;
            for (std::size_t i = 0; i < at.size(); ++i) {
                for (const double sign : {1.0, -1.0}) {
                    auto next = at;
                    next[i] += sign * scale * step[i];
                    const double v = value(next);
                    if (v <= best + 1e-10) continue;
                    best = v;
                    at = std::move(next);
                    moved = true;
                }
            }
        }
    }
    return at;
}

PatientPoint direction(double polar, double azimuth) { return {std::sin(polar) * std::cos(azimuth), std::sin(polar) * std::sin(azimuth), std::cos(polar)}; }

PatientPoint on_surface(const LobulatedMass& mass, double polar, double azimuth)
{
    const auto d = direction(polar, azimuth);
    return mass.unscaled(mass.surface(d) * d);
}

/// The outline of one plane of the frame, along rays from the middle of the section.
PatientPoint on_outline(const LobulatedMass& mass, const Frame& frame, double offset, double azimuth)
{
    const auto start = mass.middle_of(frame.z, offset);
    const auto ray = std::cos(azimuth) * frame.x + std::sin(azimuth) * frame.y;
    double low = 0;
    double high = 1.5 * mass.reach();
    for (int it = 0; it < 44; ++it) {
        const double t = (low + high) / 2;
        (mass.depth_mm(start + t * ray) > 0 ? low : high) = t;
    }
    return start + low * ray;
}

double widest_across(const std::vector<PatientPoint>& outline, PatientPoint from, PatientPoint along, PatientPoint across, double length)
{
    std::vector<double> low(kLines, 1e9);
    std::vector<double> high(kLines, -1e9);
    for (std::size_t i = 0; i < outline.size(); ++i) {
        const auto& p = outline[i];
        const auto& q = outline[(i + 1) % outline.size()];
        const double sp = dot(p - from, along) / length * (kLines - 1);
        const double sq = dot(q - from, along) / length * (kLines - 1);
        const int first = std::max(0, static_cast<int>(std::ceil(std::min(sp, sq))));
        const int last = std::min(kLines - 1, static_cast<int>(std::floor(std::max(sp, sq))));
        for (int l = first; l <= last; ++l) {
            const double t = sq == sp ? 0 : (l - sp) / (sq - sp);
            const double y = dot(p, across) + t * (dot(q, across) - dot(p, across));
            low[static_cast<std::size_t>(l)] = std::min(low[static_cast<std::size_t>(l)], y);
            high[static_cast<std::size_t>(l)] = std::max(high[static_cast<std::size_t>(l)], y);
        }
    }
    double widest = 0;
    for (std::size_t l = 0; l < low.size(); ++l) widest = std::max(widest, high[l] - low[l]);
    return widest;
}

double volume_mm3(const LobulatedMass& mass)
{
    double sum = 0;  // of r^3 / 3 over solid angle, in the scaled frame
    for (int i = 0; i < kPolar; ++i) {
        const double w = -1 + (2 * i + 1.0) / kPolar;
        const double rim = std::sqrt(1 - w * w);
        for (int j = 0; j < kPolar; ++j) {
            const double phi = 2 * pi * j / kPolar;
            const double r = mass.surface({rim * std::cos(phi), rim * std::sin(phi), w});
            sum += r * r * r;
        }
    }
    const auto o = mass.centre();
    const double cube = dot(mass.unscaled({1, 0, 0}) - o, cross(mass.unscaled({0, 1, 0}) - o, mass.unscaled({0, 0, 1}) - o));
    return sum / 3 * 4 * pi / (static_cast<double>(kPolar) * kPolar) * cube;
}

}  // namespace

MassTruth truth_of(const LobulatedMass& mass, const Frame& frame)
{
    MassTruth out;
    constexpr int coarse = 60;
    std::vector<std::array<double, 2>> angles;
    std::vector<PatientPoint> points;
    for (int i = 0; i < coarse; ++i) {
        for (int j = 0; j < 2 * coarse; ++j) {
            angles.push_back({pi * (i + 0.5) / coarse, pi * j / coarse});
            points.push_back(on_surface(mass, angles.back()[0], angles.back()[1]));
        }
    }
    constexpr double step = pi / coarse;
    constexpr double least = 1e-6;
    const auto end = [&](double sign) {
        std::size_t best = 0;
        for (std::size_t i = 1; i < points.size(); ++i) {
            if (sign * dot(points[i] - points[best], frame.z) > 0) best = i;
        }
        const auto at = climbed([&](const std::vector<double>& a) { return sign * dot(on_surface(mass, a[0], a[1]), frame.z); }, {angles[best][0], angles[best][1]}, {step, step}, least);
        return on_surface(mass, at[0], at[1]);
    };
    out.highest = end(1);
    out.lowest = end(-1);
    const double top = dot(out.highest - mass.centre(), frame.z);
    const double bottom = dot(out.lowest - mass.centre(), frame.z);

    // Long axis: a coarse search over planes and pairs of azimuths, then all three refined together.
    double longest = -1;
    std::vector<double> at(3);
    for (int k = 0; k < kPlanes; ++k) {
        const double offset = bottom + (top - bottom) * (0.15 + 0.7 * k / (kPlanes - 1));
        std::vector<PatientPoint> outline;
        for (int j = 0; j < kAzimuths; ++j) outline.push_back(on_outline(mass, frame, offset, 2 * pi * j / kAzimuths));
        for (int i = 0; i < kAzimuths; ++i) {
            for (int j = i + 1; j < kAzimuths; ++j) {
                const double d = distance(outline[static_cast<std::size_t>(i)], outline[static_cast<std::size_t>(j)]);
                if (d <= longest) continue;
                longest = d;
                at = {offset, 2 * pi * i / kAzimuths, 2 * pi * j / kAzimuths};
            }
        }
    }
    at = climbed([&](const std::vector<double>& a) { return distance(on_outline(mass, frame, a[0], a[1]), on_outline(mass, frame, a[0], a[2])); }, at,
                 {(top - bottom) * 0.7 / kPlanes, 2 * pi / kAzimuths, 2 * pi / kAzimuths}, 1e-5);
    out.long_axis = {on_outline(mass, frame, at[0], at[1]), on_outline(mass, frame, at[0], at[2])};
    longest = distance(out.long_axis.a, out.long_axis.b);
    std::vector<PatientPoint> outline;
    for (int j = 0; j < kOutline; ++j) outline.push_back(on_outline(mass, frame, at[0], 2 * pi * j / kOutline));
    const auto along = (1 / longest) * (out.long_axis.b - out.long_axis.a);

    double farthest = -1;
    std::vector<double> pair(4);
    for (std::size_t i = 0; i < points.size(); i += 2) {
        for (std::size_t j = i + 2; j < points.size(); j += 2) {
            const auto d = points[i] - points[j];
            const double square = dot(d, d);
            if (square <= farthest) continue;
            farthest = square;
            pair = {angles[i][0], angles[i][1], angles[j][0], angles[j][1]};
        }
    }
    pair = climbed([&](const std::vector<double>& a) { return distance(on_surface(mass, a[0], a[1]), on_surface(mass, a[2], a[3])); }, pair, {step, step, step, step}, least);

    out.truth.volume_ml = volume_mm3(mass) / 1000;
    out.truth.long_axis_mm = longest;
    out.truth.short_axis_mm = widest_across(outline, out.long_axis.a, along, cross(frame.z, along), longest);
    out.truth.craniocaudal_mm = top - bottom;
    out.truth.max_3d_diameter_mm = distance(on_surface(mass, pair[0], pair[1]), on_surface(mass, pair[2], pair[3]));
    out.truth.how = "sampled analytic surface, refined";
    return out;
}

}  // namespace retromass::sample_data

#include "sample_data/mass.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

namespace retromass::sample_data {
namespace {

constexpr int kAzimuths = 720;        // of the boundary of a plane; a chord is then refined
constexpr int kPlanes = 121;
constexpr int kPolar = 720;            // of the volume integral

struct Lobe {
    PatientPoint direction;  ///< unit
    double height;
    double sharpness;
};

using Lobes = std::array<Lobe, 7>;

Lobes unit(Lobes lobes)
{
    for (auto& lobe : lobes) lobe.direction = (1 / norm(lobe.direction)) * lobe.direction;
    return lobes;
}

// Lobes and dents wide enough that no radiologist would call them spikes.
const Lobes kIrregular = unit({{{{0.80, 0.45, 0.35}, 1.0, 5},
                                {{-0.75, 0.55, -0.30}, 0.9, 6},
                                {{-0.55, -0.75, 0.25}, 1.0, 5},
                                {{0.60, -0.70, -0.35}, 0.8, 7},
                                {{0.05, 0.35, -0.90}, 0.6, 6},
                                {{0.10, -0.95, 0.20}, -0.8, 8},
                                {{0.95, -0.10, 0.05}, -0.5, 9}}});
// Four equal lobes in the plane, so that the axes across each other are alike.
const Lobes kEven = unit({{{{1, 1, 0}, 1.0, 5},
                           {{-1, 1, 0}, 1.0, 5},
                           {{-1, -1, 0}, 1.0, 5},
                           {{1, -1, 0}, 1.0, 5},
                           {{0.3, 0.1, 0.95}, 0.6, 6},
                           {{-0.4, 0.2, -0.90}, 0.5, 6},
                           {{0.1, -0.5, -0.85}, -0.4, 8}}});

struct Chord {
    double length = -1;
    PatientPoint a;
    PatientPoint b;
    std::size_t plane = 0;
};

}  // namespace

double LobulatedMass::surface(PatientPoint direction) const
{
    double height = 0;
    for (const auto& lobe : pattern_ == Pattern::even ? kEven : kIrregular) height += lobe.height * std::exp(lobe.sharpness * (dot(direction, lobe.direction) - 1));
    return 1 + lobes_ * height;
}

PatientPoint LobulatedMass::scaled(PatientPoint p) const
{
    const PatientPoint d = p - centre_;
    return {(cosine_ * d.x + sine_ * d.y) / half_mm_[0], (-sine_ * d.x + cosine_ * d.y) / half_mm_[1], d.z / half_mm_[2]};
}

double LobulatedMass::depth_mm(PatientPoint p) const
{
    const PatientPoint q = scaled(p);
    const double radius = norm(q);
    if (radius < 1e-9) return half_mm_[1];
    const double edge = surface((1 / radius) * q);
    // The radial gap in the scaled frame times the local mm per unit along the gradient of the unperturbed body.
    const double gradient = std::sqrt(q.x * q.x / (half_mm_[0] * half_mm_[0]) + q.y * q.y / (half_mm_[1] * half_mm_[1]) + q.z * q.z / (half_mm_[2] * half_mm_[2])) / radius;
    return (edge - radius) / gradient;
}

void LobulatedMass::sample()
{
    const auto place = [&](PatientPoint q) {
        const double x = q.x * half_mm_[0];
        const double y = q.y * half_mm_[1];
        return centre_ + PatientPoint{cosine_ * x - sine_ * y, sine_ * x + cosine_ * y, q.z * half_mm_[2]};
    };
    // Craniocaudal extent and volume from the surface over all directions.
    double top = -1e9;
    double bottom = 1e9;
    double volume = 0;
    for (int i = 0; i < kPolar; ++i) {
        const double w = -1 + (2 * i + 1.0) / kPolar;
        const double rim = std::sqrt(1 - w * w);
        for (int j = 0; j < kAzimuths; ++j) {
            const double phi = 2 * std::numbers::pi * j / kAzimuths;
            const PatientPoint direction{rim * std::cos(phi), rim * std::sin(phi), w};
            const double r = surface(direction);
            volume += r * r * r / 3 * (2.0 / kPolar) * (2 * std::numbers::pi / kAzimuths);
            const double z = r * w * half_mm_[2];
            top = std::max(top, z);
            bottom = std::min(bottom, z);
        }
    }
    volume *= half_mm_[0] * half_mm_[1] * half_mm_[2];
    // The poles of the polar grid are coarse: refine the two extremes by a pattern search over directions.
    for (const double sign : {1.0, -1.0}) {
        double best_a = 0;
        double best_b = 0;
        const auto height = [&](double a, double b) {
            PatientPoint d{a, b, sign};
            d = (1 / norm(d)) * d;
            return sign * surface(d) * d.z * half_mm_[2];
        };
        for (double step = 0.4; step > 1e-6; step /= 2) {
            for (bool moved = true; moved;) {
                moved = false;
                for (const auto& [da, db] : {std::pair{step, 0.0}, {-step, 0.0}, {0.0, step}, {0.0, -step}}) {
                    if (height(best_a + da, best_b + db) <= height(best_a, best_b) + 1e-12) continue;
                    best_a += da;
                    best_b += db;
                    moved = true;
                }
            }
        }
        (sign > 0 ? top : bottom) = sign * std::max(height(best_a, best_b), sign * (sign > 0 ? top : bottom));
    }
    // Axial planes: boundary by bisection along each azimuth, then the longest chord of a plane through support directions.
    Chord longest;
    std::vector<std::vector<PatientPoint>> planes;
    std::vector<double> heights;
    for (int k = 0; k < kPlanes; ++k) {
        const double w = (bottom + (top - bottom) * (0.15 + 0.7 * k / (kPlanes - 1))) / half_mm_[2];
        std::vector<PatientPoint> boundary;
        for (int j = 0; j < kAzimuths; ++j) {
            const double phi = 2 * std::numbers::pi * j / kAzimuths;
            double low = 0;
            double high = 3;
            for (int it = 0; it < 50; ++it) {
                const double rho = (low + high) / 2;
                const PatientPoint q{rho * std::cos(phi), rho * std::sin(phi), w};
                const double radius = norm(q);
                (radius < surface((1 / radius) * q) ? low : high) = rho;
            }
            boundary.push_back(place({low * std::cos(phi), low * std::sin(phi), w}));
        }
        planes.push_back(std::move(boundary));
        heights.push_back(w);
    }
    constexpr std::size_t coarse = 8;
    for (std::size_t k = 0; k < planes.size(); ++k) {
        const auto& b = planes[k];
        for (std::size_t i = 0; i < b.size(); i += coarse) {
            for (std::size_t j = i + coarse; j < b.size(); j += coarse) {
                const double d = distance(b[i], b[j]);
                if (d > longest.length) longest = {d, b[i], b[j], k};
            }
        }
    }
    // The same plane at full resolution, near the coarse ends.
    for (std::size_t k = longest.plane > 2 ? longest.plane - 3 : 0; k < std::min(planes.size(), longest.plane + 4); ++k) {
        const auto& b = planes[k];
        for (std::size_t i = 0; i < b.size(); ++i) {
            if (distance(b[i], longest.a) > 15 && distance(b[i], longest.b) > 15) continue;
            for (std::size_t j = i + 1; j < b.size(); ++j) {
                const double d = distance(b[i], b[j]);
                if (d > longest.length) longest = {d, b[i], b[j], k};
            }
        }
    }
    // Short axis: of all lines perpendicular to the long axis in its plane the widest outermost crossing.
    const auto& b = planes[longest.plane];
    const PatientPoint along = (1 / longest.length) * (longest.b - longest.a);
    const PatientPoint across{-along.y, along.x, 0};
    constexpr int lines = 2000;
    double widest = 0;
    std::vector<double> low(lines, 1e9);
    std::vector<double> high(lines, -1e9);
    const double start = dot(longest.a, along);
    for (std::size_t i = 0; i < b.size(); ++i) {
        const auto& p = b[i];
        const auto& q = b[(i + 1) % b.size()];
        const double sp = (dot(p, along) - start) / longest.length * (lines - 1);
        const double sq = (dot(q, along) - start) / longest.length * (lines - 1);
        for (int l = std::max(0, static_cast<int>(std::ceil(std::min(sp, sq)))); l <= std::min(lines - 1, static_cast<int>(std::floor(std::max(sp, sq)))); ++l) {
            const double t = sq == sp ? 0 : (l - sp) / (sq - sp);
            const double y = dot(p, across) + t * (dot(q, across) - dot(p, across));
            low[static_cast<std::size_t>(l)] = std::min(low[static_cast<std::size_t>(l)], y);
            high[static_cast<std::size_t>(l)] = std::max(high[static_cast<std::size_t>(l)], y);
        }
    }
    for (std::size_t l = 0; l < low.size(); ++l) widest = std::max(widest, high[l] - low[l]);

    double farthest = 0;  // 3-D diameter over a coarse set of surface points
    std::vector<PatientPoint> points;
    for (int i = 0; i < 60; ++i) {
        const double w = -1 + (2 * i + 1.0) / 60;
        for (int j = 0; j < 60; ++j) {
            const double phi = 2 * std::numbers::pi * j / 60;
            const double rim = std::sqrt(1 - w * w);
            const PatientPoint d{rim * std::cos(phi), rim * std::sin(phi), w};
            points.push_back(place(surface(d) * d));
        }
    }
    for (std::size_t i = 0; i < points.size(); ++i) {
        for (std::size_t j = i + 1; j < points.size(); ++j) farthest = std::max(farthest, distance(points[i], points[j]));
    }
    truth_.volume_ml = volume / 1000;
    truth_.long_axis_mm = longest.length;
    truth_.short_axis_mm = widest;
    truth_.craniocaudal_mm = top - bottom;
    truth_.max_3d_diameter_mm = std::max(farthest, longest.length);
    truth_.how = "sampled analytic surface";
    long_axis_ = {longest.a, longest.b};
    highest_ = centre_.z + top;
    lowest_ = centre_.z + bottom;
}

LobulatedMass::LobulatedMass(PatientPoint centre, std::array<double, 3> half_mm, double turn_deg, double lobes, Pattern pattern)
    : centre_(centre), half_mm_(half_mm), cosine_(std::cos(turn_deg * std::numbers::pi / 180)), sine_(std::sin(turn_deg * std::numbers::pi / 180)), lobes_(lobes), pattern_(pattern)
{
    sample();
}

}  // namespace retromass::sample_data

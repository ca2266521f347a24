#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>
#include <random>

#include "core/volume.h"
#include "segmentation/segment.h"

/// One phantom of the battery intervals are calibrated on and tested with, and the prompt a reader with an unsteady hand gives of it.
/// Shares no code with what measures it.
namespace retromass::tools {

struct IntervalPhantom {
    CtVolume ct;
    segmentation::Prompt prompt;
    std::array<double, 5> truth{};   ///< long axis, short axis, craniocaudal mm, volume ml, mean HU: closed forms of the analytic body
};

class PhantomDice {
public:
    explicit PhantomDice(int seed) : engine_(static_cast<std::uint64_t>(seed) * 0x9E3779B97F4A7C15ULL + 12345) {}
    double between(double low, double high) { return low + (high - low) * uniform(); }
    double normal(double sd) { return sd * std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform()); }
    int below(int n) { return static_cast<int>(engine_() % static_cast<std::uint64_t>(n)); }

private:
    double uniform() { return (static_cast<double>(engine_() >> 11) + 0.5) / 9007199254740992.0; }
    std::mt19937_64 engine_;
};

/// A convex body of 12 to 40 mm (of forty one to 120 and one to 320 mm), turned in the slice and anywhere between the voxels: ellipsoid, necrotic ellipsoid, prism
/// of constant width or box, in fat, in two of five with a muscle that touches it; slices of 1 to 5 mm, noise of 5 to 30 HU. Readers' points have
/// the jitter of the judge's, 1.5 mm a coordinate in the slice; six kinds of prompt.
inline IntervalPhantom interval_phantom(int seed)
{
    constexpr double pi = std::numbers::pi;
    constexpr double necrotic_hu = 15, fat_hu = -100, muscle_hu = 55;
    constexpr double jitter_mm = 1.5;
    PhantomDice dice(seed);
    const int shape = dice.below(5);   // 0, 1 ellipsoid; 2 necrotic; 3 Reuleaux prism; 4 box
    constexpr std::array<double, 4> lengths_mm{12, 40, 120, 320};
    const int thrown = dice.below(40);
    const std::size_t size_class = thrown == 0 ? 1 : thrown == 1 ? 2 : 0;
    const double length = lengths_mm[size_class] * std::pow(lengths_mm[size_class + 1] / lengths_mm[size_class], dice.between(0, 1));
    const double x = length / 2;
    const double y = shape == 3 ? x : x * dice.between(0.55, 1);
    const double z = x * dice.between(0.6, 1.6);
    const double finest = length / (size_class == 2 ? 100 : 35);   // few voxels, to be quick
    const double pixel = std::max(dice.between(0.6, 1.0), finest);
    const double slice = std::max(dice.between(1, std::min(5.0, 2 * z / 5)), finest);
    const double noise_hu = dice.between(5, 30);
    const double lesion_hu = dice.between(30, 110);
    const double necrotic = shape == 2 ? dice.between(0.1, 0.5) : 0;
    const double turn = dice.between(0, 2 * pi);
    const PatientPoint middle{dice.between(-0.5, 0.5) * pixel, dice.between(-0.5, 0.5) * pixel, dice.between(-0.5, 0.5) * slice};
    const double muscle_from = dice.below(5) < 2 ? dice.between(0.8, 1.0) : 10;   // of the half width, along y

    const double h = length / std::sqrt(3.0);   // circumradius of the prism
    const std::function<bool(double, double, double)> inside = [=](double u, double v, double w) {
        switch (shape) {
        case 3: return std::abs(w) < z && std::hypot(u - h, v) < length && std::hypot(u + h / 2, v - x) < length && std::hypot(u + h / 2, v + x) < length;
        case 4: return std::abs(u) < x && std::abs(v) < y && std::abs(w) < z;
        default: return u * u / (x * x) + v * v / (y * y) + w * w / (z * z) < 1;
        }
    };
    const double core = std::cbrt(necrotic);
    const double c = std::cos(turn), s = std::sin(turn);
    const auto hu_at = [&](PatientPoint p) {
        const double u = c * (p.x - middle.x) + s * (p.y - middle.y), v = -s * (p.x - middle.x) + c * (p.y - middle.y), w = p.z - middle.z;
        if (inside(u, v, w)) return necrotic > 0 && inside(u / core, v / core, w / core) ? necrotic_hu : lesion_hu;
        return v > muscle_from * y ? muscle_hu : fat_hu;
    };
    const auto in_ct = [&](double u, double v, double w) { return middle + PatientPoint{c * u - s * v, s * u + c * v, w}; };
    IntervalPhantom out;
    const double wide = 2.2 * (shape == 3 ? 1.16 * length : shape == 4 ? 2 * std::hypot(x, y) : length), tall = 2.2 * 2 * z;
    const Dimensions size{static_cast<int>(wide / pixel) + 10, static_cast<int>(wide / pixel) + 10, static_cast<int>(tall / slice) + 6};
    const PatientPoint corner{-pixel * (size.columns - 1) / 2, -pixel * (size.rows - 1) / 2, -slice * (size.slices - 1) / 2};
    out.ct.geometry = VolumeGeometry::axial(size, pixel, pixel, slice, corner);
    out.ct.hu = Grid<std::int16_t>(size);
    const auto at = [&](double i, double j, double k) { return hu_at(corner + PatientPoint{pixel * i, pixel * j, slice * k}); };
    for (int k = 0; k < size.slices; ++k) {
        for (int j = 0; j < size.rows; ++j) {
            for (int i = 0; i < size.columns; ++i) {
                double hu = at(i, j, k);
                bool mixed = false;   // only where the corners differ are there two tissues in a voxel
                for (int n = 0; n < 8 && !mixed; ++n) mixed = at(i + (n & 1) - 0.5, j + (n >> 1 & 1) - 0.5, k + (n >> 2) - 0.5) != hu;
                if (mixed) {
                    hu = 0;
                    for (int n = 0; n < 64; ++n) hu += at(i + ((n & 3) + 0.5) / 4 - 0.5, j + ((n >> 2 & 3) + 0.5) / 4 - 0.5, k + ((n >> 4) + 0.5) / 4 - 0.5) / 64;
                }
                out.ct.hu.at(i, j, k) = static_cast<std::int16_t>(std::lround(hu + dice.normal(noise_hu)));
            }
        }
    }

    // Definitions 2.2 and 2.3 of the analytic body: the diagonal of a box, and its widest perpendicular crossing, which ends at a corner.
    const double diagonal = 2 * std::hypot(x, y), crossing = 2 * y * std::hypot(1.0, y / x);
    const double volume = shape == 3 ? (pi - std::sqrt(3.0)) / 2 * length * length * 2 * z : shape == 4 ? 8 * x * y * z : 4.0 / 3 * pi * x * y * z;
    out.truth = {shape == 4 ? diagonal : length, shape == 4 ? crossing : 2 * y, 2 * z, volume / 1000, necrotic * necrotic_hu + (1 - necrotic) * lesion_hu};
    const double on_slice = corner.z + slice * std::lround((middle.z - corner.z) / slice) - middle.z;
    const auto drawn = [&](double u, double v, double w) { return in_ct(u, v, w) + PatientPoint{dice.normal(jitter_mm), dice.normal(jitter_mm), 0}; };
    const auto line = [&](double u0, double v0, double u1, double v1) { return segmentation::LineSegment{drawn(u0, v0, on_slice), drawn(u1, v1, on_slice)}; };
    segmentation::LineSegment along, across;
    if (shape == 4) {
        const double nu = -y / std::hypot(x, y) * crossing / 2, nv = x / std::hypot(x, y) * crossing / 2;
        along = line(-x, -y, x, y), across = line(-nu, -nv, nu, nv);
    } else if (shape == 3) {
        along = line(-h / 2, -x, -h / 2, x), across = line(h - length, 0, h, 0);
    } else {
        along = line(-x, 0, x, 0), across = line(0, -y, 0, y);
    }
    if (distance(across.a, across.b) > distance(along.a, along.b)) std::swap(along, across);
    enum Kind { line_only, line_extent, line2, line2_extent, box, contour };
    const auto kind = static_cast<Kind>(dice.below(6));
    if (kind == box || kind == contour) {   // the outline in the slice through the middle, by its radius from there
        std::vector<PatientPoint> outline;
        constexpr int points = 720;
        for (int n = 0; n < points; ++n) {
            const double t = 2 * pi * n / points;
            double low = 0, high = 2 * length;
            while (high - low > 1e-3) (inside((low + high) / 2 * std::cos(t), (low + high) / 2 * std::sin(t), on_slice) ? low : high) = (low + high) / 2;
            outline.push_back(in_ct(low * std::cos(t), low * std::sin(t), on_slice));
        }
        if (kind == box) {
            PatientPoint low = outline[0], high = outline[0];
            for (const auto& p : outline) {
                low = {std::min(low.x, p.x), std::min(low.y, p.y), middle.z - z};
                high = {std::max(high.x, p.x), std::max(high.y, p.y), middle.z + z};
            }
            const auto near = [&](PatientPoint p) { return p + PatientPoint{dice.normal(jitter_mm), dice.normal(jitter_mm), 0}; };
            out.prompt.box = {near(low), near(high)};
        } else {
            out.prompt.contours.emplace_back();
            for (int n = 0; n < points; n += 15) out.prompt.contours[0].push_back(outline[static_cast<std::size_t>(n)] + PatientPoint{dice.normal(jitter_mm), dice.normal(jitter_mm), 0});
        }
    } else {
        out.prompt.lines = {along};
        if (kind == line2 || kind == line2_extent) out.prompt.lines.push_back(across);
        if (kind == line_extent || kind == line2_extent) {   // the outermost slices whose centre lies in the body
            const double top = std::floor((middle.z + z - corner.z) / slice) * slice + corner.z, bottom = std::ceil((middle.z - z - corner.z) / slice) * slice + corner.z;
            out.prompt.extent = {PatientPoint{middle.x, middle.y, top}, PatientPoint{middle.x, middle.y, bottom}};
        }
    }
    return out;
}

}  // namespace retromass::tools

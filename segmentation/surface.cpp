#include "segmentation/surface.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

#include "core/parallel.h"
#include "segmentation/linear.h"

namespace retromass::segmentation {
namespace {

// Learned from the sarcomas, each by the others (docs/stages/segmentation.md).
constexpr double kFine_deg = 15;          // sigma on the sphere: below it is detail ...
constexpr double kWide_deg = 60;          // ... and above it the shape as a whole, which stays
constexpr double kFineKept = 0.5;         // of the height of detail, which is noise as much as surface
constexpr double kMiddleKept = 1.5;       // of the height of bulges and hollows between the two, which are held down by the prompt's ellipsoid
constexpr double kToUsual = 0.3;          // of the way to the usual volume, of the logarithm
constexpr double kFilledInBox = 0.73;     // of the inscribed ellipsoid, for a lesion lies askew in its box
constexpr double kFilledInAxes = 0.9;     // of the ellipsoid of three marked axes, each the widest of its kind
constexpr double kFewestCells = 50;       // of a shape: fewer cells do not tell its volume, and one thinner than a cell may have none

constexpr int kRings = 16;                // directions from pole to pole ...
constexpr int kARing = 32;                // ... and round; a power of two
constexpr double kFarthest_r = 2;
constexpr double kStep_r = 0.04;
constexpr double kNearest_r = 0.15;       // no surface lies nearer to the middle
constexpr float kSharp = 3;               // of the sigmoid that tells inside from outside
constexpr float kSure = 6;                // logits beyond this are alike

using Directions = std::array<double, kRings * kARing>;

double ring_rad(int ring) { return (ring + 0.5) * std::numbers::pi / kRings; }

/// Unit vector of a direction, in half axes of the shape; the poles lie along the slice normal.
PatientPoint direction(int ring, int place)
{
    const double around = 2 * std::numbers::pi * place / kARing;
    return {std::cos(around) * std::sin(ring_rad(ring)), std::sin(around) * std::sin(ring_rad(ring)), std::cos(ring_rad(ring))};
}

/// Means over the neighbours in each direction, weighted by a Gaussian of the angle and by the part of the sphere they stand for.
class Smoothing {
public:
    explicit Smoothing(double sigma_deg)
    {
        const double sigma = sigma_deg * std::numbers::pi / 180;
        for (int to = 0; to < kRings; ++to) {
            for (int from = 0; from < kRings; ++from) {
                for (int turn = 0; turn < kARing; ++turn) {
                    const double angle = std::acos(std::clamp(dot(direction(to, 0), direction(from, turn)), -1.0, 1.0));
                    heard_[place(to, from, turn)] = std::exp(-0.5 * angle * angle / (sigma * sigma)) * std::sin(ring_rad(from));
                }
            }
        }
    }
    Directions operator()(const Directions& values) const
    {
        Directions out{};
        for (int n = 0; n < kRings * kARing; ++n) {
            double sum = 0;
            double all = 0;
            for (int m = 0; m < kRings * kARing; ++m) {
                const double heard = heard_[place(n / kARing, m / kARing, (m - n) & (kARing - 1))];
                sum += heard * values[static_cast<std::size_t>(m)];
                all += heard;
            }
            out[static_cast<std::size_t>(n)] = sum / all;
        }
        return out;
    }

private:
    static std::size_t place(int to, int from, int turn) { return static_cast<std::size_t>((to * kRings + from) * kARing + turn); }
    std::array<double, kRings * kRings * kARing> heard_{};
};

/// Linear between the directions round one that is given in half axes.
double value_in(const Directions& values, PatientPoint d)
{
    const double length = std::max(norm(d), 1e-9);
    const double ring = std::clamp(std::acos(std::clamp(d.z / length, -1.0, 1.0)) * kRings / std::numbers::pi - 0.5, 0.0, kRings - 1.0);
    double place = std::atan2(d.y, d.x) * kARing / (2 * std::numbers::pi);
    if (place < 0) place += kARing;
    const int upper = std::min(static_cast<int>(ring), kRings - 2);
    const int left = static_cast<int>(place) % kARing;
    const double down = ring - upper;
    const double right = place - static_cast<int>(place);
    const auto at = [&](int k, int i) { return values[static_cast<std::size_t>(k * kARing + i % kARing)]; };
    return (1 - down) * ((1 - right) * at(upper, left) + right * at(upper, left + 1)) + down * ((1 - right) * at(upper + 1, left) + right * at(upper + 1, left + 1));
}

/// By how much, in its logarithm, the surface moves away from the middle in each direction; none in the mean of the volume.
Directions outward(const Grid<float>& logits, const Shape& shape, const VolumeGeometry& geometry, const WorkingGrid& grid)
{
    Directions radius{};
    for (std::size_t n = 0; n < radius.size(); ++n) {
        const auto d = direction(static_cast<int>(n) / kARing, static_cast<int>(n) % kARing);
        const auto ray = shape.half_u_mm * d.x * shape.u + shape.half_v_mm * d.y * shape.v + shape.half_n_mm * d.z * shape.n;
        double sum = 0;
        for (double r = kStep_r / 2; r < kFarthest_r; r += kStep_r) {
            const auto [x, y, z] = grid.cell(geometry.to_index(shape.centre + r * ray));
            sum += r * r / (1 + std::exp(-kSharp * linear_at(logits, x, y, z, kSure)));
        }
        radius[n] = std::log(std::max(std::cbrt(3 * kStep_r * sum), kNearest_r));  // the ball's sector of the same volume
    }
    static const Smoothing of_detail(kFine_deg);
    static const Smoothing of_all(kWide_deg);
    const auto fine = of_detail(radius);
    const auto wide = of_all(radius);
    Directions out{};
    double mean = 0;
    double all = 0;
    for (std::size_t n = 0; n < out.size(); ++n) {
        out[n] = (kFineKept - 1) * (radius[n] - fine[n]) + (kMiddleKept - 1) * (fine[n] - wide[n]);
        const double part = std::exp(3 * radius[n]) * std::sin(ring_rad(static_cast<int>(n) / kARing));
        mean += part * out[n];
        all += part;
    }
    for (auto& v : out) v -= mean / all;
    return out;
}

}  // namespace

void settle_surface(Grid<float>& logits, const Shape& shape, const Grid<float>& r, const Mask& active, const VolumeGeometry& geometry, const WorkingGrid& grid, double weight, int threads)
{
    const std::array<double, 3> half_mm{shape.half_u_mm, shape.half_v_mm, shape.half_n_mm};
    const bool flat = std::any_of(half_mm.begin(), half_mm.end(), [](double mm) { return !(mm > 0); });
    if (weight <= 0 || shape.kind != Shape::Kind::ellipsoid || flat) return;
    const auto middle = grid.cell(geometry.to_index(shape.centre));
    if (linear_at(logits, middle[0], middle[1], middle[2]) < 0) return;  // a crescent has no surface to be seen from there
    double cells = 0;
    for (std::size_t i = 0; i < logits.values().size(); ++i) cells += active[i] && logits[i] >= 0;
    auto moves = outward(logits, shape, geometry, grid);
    for (auto& v : moves) v *= weight;
    const Grid<float> before = logits;
    parallel_for(grid.size.slices, threads, [&](int k) {
        for (int j = 0; j < grid.size.rows; ++j) {
            for (int i = 0; i < grid.size.columns; ++i) {
                if (!active.at(i, j, k)) continue;
                const auto d = geometry.to_patient(grid.ct_index(i, j, k)) - shape.centre;
                const auto part = static_cast<float>(std::exp(-value_in(moves, {dot(d, shape.u) / shape.half_u_mm, dot(d, shape.v) / shape.half_v_mm, dot(d, shape.n) / shape.half_n_mm})));
                const auto from = [part](float centre, int cell) { return centre + part * (static_cast<float>(cell) - centre); };
                logits.at(i, j, k) = linear_at(before, from(middle[0], i), from(middle[1], j), from(middle[2], k));
            }
        }
    });

    // Where the depth is the usual one, the usual volume says nothing that the shape has not said.
    const bool box = shape.strokes.empty();
    const double usual = (box ? kFilledInBox : kFilledInAxes) * static_cast<double>(std::count_if(r.values().begin(), r.values().end(), [](float at) { return at < 1; }));
    if ((!box && (shape.free_v || shape.free_n)) || cells == 0 || usual < kFewestCells) return;
    std::vector<float> all;
    for (std::size_t i = 0; i < logits.values().size(); ++i) {
        if (active[i]) all.push_back(logits[i]);
    }
    const auto wanted = std::min(static_cast<std::size_t>(cells * std::pow(usual / cells, weight * kToUsual)), all.size() - 1);
    const auto last = all.begin() + static_cast<std::ptrdiff_t>(wanted);
    std::nth_element(all.begin(), last, all.end(), std::greater<>());
    const float end = std::clamp(*last, -kSure, kSure);
    for (std::size_t i = 0; i < logits.values().size(); ++i) {
        if (active[i]) logits[i] -= end;
    }
}

}  // namespace retromass::segmentation

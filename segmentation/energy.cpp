#include "segmentation/energy.h"

#include <algorithm>
#include <cmath>

namespace retromass::segmentation {
namespace {

constexpr double kLogitLimit = 11.5;  // 1e-5 as a probability

struct Sample {
    double u, v, n;   ///< relative to the unfitted centre, mm
    double evidence;
};

/// What a fit may change: factors on the half axes and shifts of the centre, as fractions of them.
struct Change {
    double log_u = 0, log_v = 0, log_n = 0;
    double shift_u = 0, shift_v = 0, shift_n = 0;
};

/// 0 where the lesion hardly differs from its surroundings, 1 where it stands out.
double clearness(const Appearance& appearance, double from, double to)
{
    return std::clamp((appearance.separation - from) / (to - from), 0.0, 1.0);
}

}  // namespace

Shape fitted(const Shape& shape, const Appearance& appearance, const VolumeGeometry& geometry, const WorkingGrid& grid, const EnergyConstants& constants)
{
    if (shape.kind != Shape::Kind::ellipsoid) return shape;
    const double full = clearness(appearance, constants.fit_from, constants.fit_to);
    if (full <= 0 && !shape.free_scale) return shape;
    const double hold = constants.fit_weight / std::max(full, 0.1);
    constexpr std::size_t kSamples = 40'000;
    const std::size_t cells = grid.size.voxels();
    const auto step = static_cast<int>(std::max(1.0, std::cbrt(static_cast<double>(cells) / kSamples)));
    std::vector<Sample> samples;
    for (int k = 0; k < grid.size.slices; ++k) {  // z is coarse already: all of it
        for (int j = k % step; j < grid.size.rows; j += step) {
            for (int i = j % step; i < grid.size.columns; i += step) {
                const PatientPoint d = geometry.to_patient(grid.ct_index(i, j, k)) - shape.centre;
                samples.push_back({dot(d, shape.u), dot(d, shape.v), dot(d, shape.n), appearance.evidence.at(i, j, k)});
            }
        }
    }
    // Spreads of what a fit may move: wide for what nobody marked, narrow for what the reader did.
    const double wide = 0.35;
    const double marked = 0.03;
    const double free_scale = 0.8;
    const double spread_u = shape.free_scale ? free_scale : marked;
    const double spread_v = shape.free_scale ? free_scale : shape.free_v ? wide : marked;
    const double spread_n = shape.free_scale ? free_scale : shape.free_n ? wide : std::max(marked, 2 * geometry.slab_mm(0) / shape.half_n_mm);
    const double shift_spread_v = shape.free_v || shape.free_scale ? 0.2 : 0.03;
    const double shift_spread_n = shape.free_n || shape.free_scale ? 0.25 : 0.03;
    double usual = 0;  // samples in the unfitted ellipsoid: the unit of the objective
    const auto gathered = [&](const Change& c) {
        const double hu = shape.half_u_mm * std::exp(c.log_u);
        const double hv = shape.half_v_mm * std::exp(c.log_v);
        const double hn = shape.half_n_mm * std::exp(c.log_n);
        const double cu = c.shift_u * shape.half_u_mm;
        const double cv = c.shift_v * shape.half_v_mm;
        const double cn = c.shift_n * shape.half_n_mm;
        double sum = 0;
        for (const auto& s : samples) {
            const double a = (s.u - cu) / hu;
            const double b = (s.v - cv) / hv;
            const double d = (s.n - cn) / hn;
            const double r = std::sqrt(a * a + b * b + d * d);
            sum += s.evidence * std::clamp((1.1 - r) / 0.2, 0.0, 1.0);  // a soft rim keeps the objective smooth
        }
        return sum;
    };
    for (const auto& s : samples) {
        const double a = s.u / shape.half_u_mm;
        const double b = s.v / shape.half_v_mm;
        const double d = s.n / shape.half_n_mm;
        usual += a * a + b * b + d * d < 1;
    }
    if (usual < 1) return shape;
    const auto square = [](double x) { return x * x; };
    const auto objective = [&](const Change& c) {
        const double held = square(c.log_u / spread_u) + square(c.log_v / spread_v) + square(c.log_n / spread_n) + square(c.shift_u / 0.03) + square(c.shift_v / shift_spread_v) +
                            square(c.shift_n / shift_spread_n);
        return gathered(c) / usual - hold * held;
    };
    Change best;
    double score = objective(best);
    for (const double size : {0.16, 0.08, 0.04, 0.02}) {
        for (int round = 0; round < 6; ++round) {
            bool moved = false;
            for (double Change::*what : {&Change::log_v, &Change::log_n, &Change::log_u, &Change::shift_v, &Change::shift_n, &Change::shift_u}) {
                for (const double sign : {1.0, -1.0}) {
                    Change other = best;
                    other.*what += sign * size;
                    const double value = objective(other);
                    if (value <= score + 1e-9) continue;
                    best = other;
                    score = value;
                    moved = true;
                }
            }
            if (!moved) break;
        }
    }
    Shape out = shape;
    out.centre = shape.centre + (best.shift_u * shape.half_u_mm) * shape.u + (best.shift_v * shape.half_v_mm) * shape.v + (best.shift_n * shape.half_n_mm) * shape.n;
    out.half_u_mm *= std::exp(best.log_u);
    out.half_v_mm *= std::exp(best.log_v);
    out.half_n_mm *= std::exp(best.log_n);
    return out;
}

Grid<float> first_logits(const Grid<float>& r, const Appearance& appearance, const Geodesic& path, double half_mm, const EnergyConstants& constants)
{
    const double full = clearness(appearance, constants.gain_from, constants.gain_to);
    const double evidence_weight = constants.evidence_weight * (1 + constants.evidence_gain * full);
    Grid<float> out(r.size());
    for (std::size_t i = 0; i < r.values().size(); ++i) {
        const double climbed = std::clamp((static_cast<double>(path.cost[i]) - path.length[i]) / half_mm, 0.0, 3.0);
        const double z = evidence_weight * std::min<double>(appearance.evidence[i], constants.evidence_cap) + constants.shape_weight * (1 - r[i]) - constants.geodesic_weight * climbed;
        out[i] = static_cast<float>(std::clamp(z, -kLogitLimit, kLogitLimit));
    }
    return out;
}

}  // namespace retromass::segmentation

#include "segmentation/energy.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace retromass::segmentation {
namespace {

constexpr double kCone = 0.7;           // cosine, in units of the shape, of the cone about each end of an axis
constexpr double kFat_hu = -20;         // of smoothed HU: fat, or gas
constexpr double kLogitLimit = 11.5;  // 1e-5 as a probability

struct Sample {
    double u, v, n;   ///< relative to the unfitted centre, mm
    double evidence;
};

/// Samples of the evidence in their order, and four at a time where they lie: most lie beyond the rim of an ellipsoid and are passed over.
class Samples {
public:
    void add(const Sample& sample)
    {
        const std::size_t lane = all_.size() % kLanes;
        if (lane == 0) places_.push_back({Four{} + kNowhere, Four{} + kNowhere, Four{} + kNowhere});
        places_.back().u[lane] = static_cast<float>(sample.u);
        places_.back().v[lane] = static_cast<float>(sample.v);
        places_.back().n[lane] = static_cast<float>(sample.n);
        all_.push_back(sample);
    }

    const std::vector<Sample>& all() const { return all_; }

    /// Calls of(sample), in order, with those within `reach` half axes of the middle, and with some beyond.
    template <class Of>
    void each_near(const Sample& middle, const Sample& half, double reach, Of of) const
    {
        constexpr double hair = 1.001;  // more than floats are rounded by
        const auto most = static_cast<float>(hair * reach * reach);
        const auto square = [](const Four& at, double from, double unit) {
            const Four x = (at - static_cast<float>(from)) * static_cast<float>(1 / unit);
            return x * x;
        };
        for (std::size_t g = 0; g < places_.size(); ++g) {
            const auto& place = places_[g];
            const auto near = square(place.u, middle.u, half.u) + square(place.v, middle.v, half.v) + square(place.n, middle.n, half.n) <= most;
            if (!(near[0] | near[1] | near[2] | near[3])) continue;
            for (std::size_t i = g * kLanes, end = std::min(i + kLanes, all_.size()); i < end; ++i) of(all_[i]);
        }
    }

private:
    using Four = float __attribute__((vector_size(16)));
    static constexpr std::size_t kLanes = 4;
    static constexpr float kNowhere = 1e15F;   // mm; its square is a float
    struct Places {
        Four u, v, n;
    };
    std::vector<Places> places_;
    std::vector<Sample> all_;
};

/// What a fit may change: factors on the half axes and shifts of the centre, as fractions of them.
struct Change {
    double log_u = 0, log_v = 0, log_n = 0;
    double shift_u = 0, shift_v = 0, shift_n = 0;
};

double ramp(double x, double from, double to) { return std::clamp((x - from) / (to - from), 0.0, 1.0); }

}  // namespace

Edges edges_of(const Shape& shape, const Grid<float>& r, const Grid<float>& smooth, const Appearance& appearance, const VolumeGeometry& geometry, const WorkingGrid& grid)
{
    constexpr double within_r[2] = {0.75, 0.95};
    constexpr double beyond_r[2] = {1.1, 1.3};
    std::array<double, 6> in{}, in_n{}, out{}, out_n{}, fat{};
    for (int k = 0; k < grid.size.slices; ++k) {
        for (int j = 0; j < grid.size.rows; ++j) {
            for (int i = 0; i < grid.size.columns; ++i) {
                const double at_r = r.at(i, j, k);
                const bool within = at_r > within_r[0] && at_r < within_r[1];
                if (!within && !(at_r > beyond_r[0] && at_r < beyond_r[1])) continue;
                const PatientPoint d = geometry.to_patient(grid.ct_index(i, j, k)) - shape.centre;
                const double at[3] = {dot(d, shape.u) / shape.half_u_mm, dot(d, shape.v) / shape.half_v_mm, dot(d, shape.n) / shape.half_n_mm};
                const double reach = kCone * std::sqrt(at[0] * at[0] + at[1] * at[1] + at[2] * at[2]);
                const double evidence = appearance.evidence.at(i, j, k);
                for (std::size_t a = 0; a < 3; ++a) {
                    if (std::abs(at[a]) < reach) continue;
                    const std::size_t end = 2 * a + (at[a] > 0);
                    if (within) in[end] += evidence, ++in_n[end];
                    else out[end] += evidence, ++out_n[end], fat[end] += smooth.at(i, j, k) < kFat_hu;
                }
            }
        }
    }
    Edges edges{};
    for (std::size_t end = 0; end < edges.size(); ++end) {
        if (in_n[end] > 0 && out_n[end] > 0) edges[end] = {in[end] / in_n[end] - out[end] / out_n[end], fat[end] / out_n[end]};
    }
    return edges;
}

Shape followed(const Shape& usual, const Shape& fit, const Edges& edges, double separation, double smooth_mm, const EnergyConstants& constants)
{
    if (usual.kind != Shape::Kind::ellipsoid) return fit;
    const double whole_rim = ramp(separation, constants.fit_from, constants.fit_to);
    const double rim_mm = constants.rim_eaten * smooth_mm;
    const auto moved = fit.centre - usual.centre;
    Shape out = usual;
    const auto follow = [&](std::size_t axis, PatientPoint direction, double usual_half, double fit_half, double& half) {
        const double eaten = axis == 0 ? 0 : rim_mm;  // the long axis was drawn from edge to edge
        double ends[2];
        for (std::size_t end = 0; end < 2; ++end) {
            const auto& edge = edges[2 * axis + end];
            // Beyond fat or gas there is no lesion; beyond a step within soft tissue there may be its living rim.
            const double clear = ramp(edge.fat, constants.fat_from, constants.fat_to) * std::max(whole_rim, ramp(edge.step, constants.edge_from, constants.edge_to));
            const double there = fit_half + eaten + (end ? 1 : -1) * dot(moved, direction);
            ends[end] = usual_half + clear * (there - usual_half);
        }
        half = (ends[0] + ends[1]) / 2;
        out.centre = out.centre + ((ends[1] - ends[0]) / 2) * direction;
    };
    follow(0, usual.u, usual.half_u_mm, fit.half_u_mm, out.half_u_mm);
    follow(1, usual.v, usual.half_v_mm, fit.half_v_mm, out.half_v_mm);
    follow(2, usual.n, usual.half_n_mm, fit.half_n_mm, out.half_n_mm);
    return out;
}

Shape fitted(const Shape& shape, const Appearance& appearance, const VolumeGeometry& geometry, const WorkingGrid& grid, const EnergyConstants& constants)
{
    if (shape.kind != Shape::Kind::ellipsoid) return shape;
    constexpr std::size_t kSamples = 40'000;
    const std::size_t cells = grid.size.voxels();
    const auto step = static_cast<int>(std::max(1.0, std::cbrt(static_cast<double>(cells) / kSamples)));
    Samples samples;
    for (int k = 0; k < grid.size.slices; ++k) {  // z is coarse already: all of it
        for (int j = k % step; j < grid.size.rows; j += step) {
            for (int i = j % step; i < grid.size.columns; i += step) {
                const PatientPoint d = geometry.to_patient(grid.ct_index(i, j, k)) - shape.centre;
                samples.add({dot(d, shape.u), dot(d, shape.v), dot(d, shape.n), appearance.evidence.at(i, j, k)});
            }
        }
    }
    // Spreads of what a fit may move: wide for what nobody marked, narrow for what the reader did.
    const double wide = 0.35;
    const double marked = 0.03;
    const double spread_v = shape.free_v ? wide : marked;
    const double spread_n = shape.free_n ? wide : std::max(marked, 2 * geometry.slab_mm(0) / shape.half_n_mm);
    const double shift_spread_v = shape.free_v ? 0.2 : 0.03;
    const double shift_spread_n = shape.free_n ? 0.25 : 0.03;
    double usual = 0;  // samples in the unfitted ellipsoid: the unit of the objective
    const auto gathered = [&](const Change& c) {
        const double hu = shape.half_u_mm * std::exp(c.log_u);
        const double hv = shape.half_v_mm * std::exp(c.log_v);
        const double hn = shape.half_n_mm * std::exp(c.log_n);
        const double cu = c.shift_u * shape.half_u_mm;
        const double cv = c.shift_v * shape.half_v_mm;
        const double cn = c.shift_n * shape.half_n_mm;
        constexpr double rim = 1.1;
        double sum = 0;
        samples.each_near({cu, cv, cn, 0}, {hu, hv, hn, 0}, rim, [&](const Sample& s) {
            const double a = (s.u - cu) / hu;
            const double b = (s.v - cv) / hv;
            const double d = (s.n - cn) / hn;
            const double r = std::sqrt(a * a + b * b + d * d);
            sum += s.evidence * std::clamp((rim - r) / 0.2, 0.0, 1.0);  // a soft rim keeps the objective smooth
        });
        return sum;
    };
    for (const auto& s : samples.all()) {
        const double a = s.u / shape.half_u_mm;
        const double b = s.v / shape.half_v_mm;
        const double d = s.n / shape.half_n_mm;
        usual += a * a + b * b + d * d < 1;
    }
    if (usual < 1) return shape;
    const auto square = [](double x) { return x * x; };
    const auto objective = [&](const Change& c) {
        const double held = square(c.log_u / marked) + square(c.log_v / spread_v) + square(c.log_n / spread_n) + square(c.shift_u / 0.03) + square(c.shift_v / shift_spread_v) +
                            square(c.shift_n / shift_spread_n);
        return gathered(c) / usual - constants.fit_weight * held;
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

Grid<float> first_logits(const Grid<float>& r, const Appearance& appearance, const Geodesic& path, double half_mm, double rim_step, const EnergyConstants& constants)
{
    const double full = std::max(ramp(appearance.separation, constants.gain_from, constants.gain_to), ramp(rim_step, constants.step_from, constants.step_to));
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

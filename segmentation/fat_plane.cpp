#include "segmentation/fat_plane.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"

namespace retromass::segmentation {
namespace {

constexpr double kLeastHalf_mm = 40;      // of the axis: what is looked at on both sides of a plane has to lie about its end
constexpr double kRay_mm = 4;             // of half the axis for each ray of a side ...
constexpr int kMostRays = 25;             // ... up to so many: planes bend over centimetres
constexpr double kFrom = 0.5;             // of the way to the surface, and beyond it
constexpr double kTo = 1.35;
constexpr double kStep_mm = 1;            // along the axis; other rays have as many steps
constexpr double kGap_mm = 2.5;           // from the middle of a plane to the tissue on either side, which is looked at over ...
constexpr double kSide_mm = 6;
constexpr float kLow_hu = -150;           // gas beyond a plane is no tissue
constexpr float kHigh_hu = 200;
constexpr float kFat_hu = 0;              // a thin plane of fat shares its voxels with tissue; necrosis is not as dark
constexpr float kDeep_hu = 80;            // darker than its sides by so much is as dark as counts
constexpr double kConvincing_hu = 44;     // mean over all rays: at the free ends of 29 sarcomas from their lines 36 at most, of masses under the liver 60 to 65
constexpr float kSlope = 0.15F;           // cost of a step between neighbouring rays, of a full depth
constexpr int kMostSlope = 3;             // steps; more is a jump ...
constexpr float kJump = 1;                // ... and costs a full depth

/// Mean HU of a voxel and its four neighbours in the slice, linear between voxels; outside the CT, and of padding, `kLow_hu`.
float hu_at(const CtVolume& ct, ContinuousIndex at)
{
    const auto n = ct.hu.size();
    const int c = static_cast<int>(std::floor(at.column));
    const int r = static_cast<int>(std::floor(at.row));
    const int k = static_cast<int>(std::floor(at.slice));
    if (c < 1 || r < 1 || k < 0 || c + 2 >= n.columns || r + 2 >= n.rows || at.slice > n.slices - 1) return kLow_hu;
    const auto x = static_cast<float>(at.column - c);
    const auto y = static_cast<float>(at.row - r);
    const auto z = static_cast<float>(at.slice - k);
    const auto voxel = [&](int i, int j, int slice) { return std::clamp(static_cast<float>(ct.hu.at(i, j, slice)), kLow_hu, kHigh_hu); };
    const auto cross = [&](int i, int j, int slice) { return (voxel(i, j, slice) + voxel(i - 1, j, slice) + voxel(i + 1, j, slice) + voxel(i, j - 1, slice) + voxel(i, j + 1, slice)) / 5; };
    const auto in_slice = [&](int slice) {
        const float above = cross(c, r, slice) + x * (cross(c + 1, r, slice) - cross(c, r, slice));
        const float below = cross(c, r + 1, slice) + x * (cross(c + 1, r + 1, slice) - cross(c, r + 1, slice));
        return above + y * (below - above);
    };
    const float first = in_slice(k);
    return z > 0 ? first + z * (in_slice(k + 1) - first) : first;
}

/// How much darker than both of its sides each place on a ray is, in parts of a full depth, 0 to 1. `side` and `gap` in steps.
std::vector<float> depths(const std::vector<float>& hu, int gap, int side)
{
    std::vector<float> sums(hu.size() + 1);
    for (std::size_t i = 0; i < hu.size(); ++i) sums[i + 1] = sums[i] + hu[i];
    std::vector<float> out(hu.size());
    for (int i = gap + side; i + gap + side < static_cast<int>(hu.size()); ++i) {
        const auto mean = [&](int first) { return (sums[static_cast<std::size_t>(first + side)] - sums[static_cast<std::size_t>(first)]) / static_cast<float>(side); };
        const float here = hu[static_cast<std::size_t>(i)];
        const float darker = std::min(mean(i - gap - side + 1), mean(i + gap)) - here;
        if (here < kFat_hu) out[static_cast<std::size_t>(i)] = std::clamp(darker / kDeep_hu, 0.0F, 1.0F);
    }
    return out;
}

/// The smooth surface that is deepest over all rays of a square: depths gathered from four sides by dynamic programming (semi-global matching,
/// Hirschmueller 2008). `steps` values a ray, rays row by row; returns a step for each.
std::vector<int> smooth_surface(const std::vector<float>& depth, int side, int steps)
{
    std::vector<float> sum(depth.size());
    const auto at = [&](int a, int b) { return static_cast<std::size_t>((a * side + b) * steps); };
    std::vector<float> before(static_cast<std::size_t>(steps));
    std::vector<float> now(static_cast<std::size_t>(steps));
    for (int way = 0; way < 4; ++way) {
        for (int line = 0; line < side; ++line) {
            std::fill(before.begin(), before.end(), 0.0F);
            for (int place = 0; place < side; ++place) {
                const int along = way % 2 == 0 ? place : side - 1 - place;
                const auto ray = way < 2 ? at(along, line) : at(line, along);
                const float best = *std::min_element(before.begin(), before.end());
                for (int s = 0; s < steps; ++s) {
                    float least = best + kJump;
                    for (int other = std::max(0, s - kMostSlope); other <= std::min(steps - 1, s + kMostSlope); ++other) {
                        least = std::min(least, before[static_cast<std::size_t>(other)] + kSlope * static_cast<float>(std::abs(other - s)));
                    }
                    now[static_cast<std::size_t>(s)] = least - best - depth[ray + static_cast<std::size_t>(s)];
                    sum[ray + static_cast<std::size_t>(s)] += now[static_cast<std::size_t>(s)];
                }
                std::swap(before, now);
            }
        }
    }
    std::vector<int> out;
    for (std::size_t ray = 0; ray < sum.size(); ray += static_cast<std::size_t>(steps)) {
        const auto first = sum.begin() + static_cast<std::ptrdiff_t>(ray);
        out.push_back(static_cast<int>(std::min_element(first, first + steps) - first));
    }
    return out;
}

struct Axes {
    std::array<PatientPoint, 3> unit;
    std::array<double, 3> half_mm;
};
Axes axes_of(const Shape& s) { return {{s.u, s.v, s.n}, {s.half_u_mm, s.half_v_mm, s.half_n_mm}}; }

}  // namespace

FatPlanes::FatPlanes(const CtVolume& ct, const Shape& shape, int threads) : shape_(shape)
{
    if (shape.kind == Shape::Kind::prior || ct.geometry.size().slices < 2) return;
    const auto axes = axes_of(shape);
    const std::array<bool, 3> free{false, shape.free_v, shape.free_n};
    side_ = std::min(2 * static_cast<int>(*std::max_element(axes.half_mm.begin(), axes.half_mm.end()) / kRay_mm / 2) + 1, kMostRays);
    for (std::size_t end = 0; end < planes_.size(); ++end) {
        if (free[end / 2] && axes.half_mm[end / 2] >= kLeastHalf_mm) planes_[end] = plane_at(ct, end, threads);
    }
}

FatPlanes::Plane FatPlanes::plane_at(const CtVolume& ct, std::size_t end, int threads) const
{
    const auto axes = axes_of(shape_);
    const std::size_t axis = end / 2;
    const std::array<std::size_t, 2> across{(axis + 1) % 3, (axis + 2) % 3};
    const double step = kStep_mm / axes.half_mm[axis];
    const int steps = static_cast<int>((kTo - kFrom) / step);
    std::vector<float> depth(static_cast<std::size_t>(side_ * side_ * steps));
    parallel_for(side_ * side_, threads, [&](int ray) {
        const auto slope = [&](int place) { return 2.0 * place / (side_ - 1) - 1; };
        std::array<double, 3> way{};
        way[axis] = end % 2 ? 1 : -1;
        way[across[0]] = slope(ray / side_);
        way[across[1]] = slope(ray % side_);
        const double length = std::sqrt(way[0] * way[0] + way[1] * way[1] + way[2] * way[2]);
        PatientPoint to_surface{};
        for (std::size_t a = 0; a < 3; ++a) to_surface = to_surface + (way[a] / length * axes.half_mm[a]) * axes.unit[a];
        std::vector<float> hu;
        for (int s = 0; s < steps; ++s) hu.push_back(hu_at(ct, ct.geometry.to_index(shape_.centre + (kFrom + s * step) * to_surface)));
        const auto in_steps = [&](double mm) { return std::max(1, static_cast<int>(std::lround(mm / (step * norm(to_surface))))); };
        const auto of_ray = depths(hu, in_steps(kGap_mm), in_steps(kSide_mm));
        std::copy(of_ray.begin(), of_ray.end(), depth.begin() + static_cast<std::ptrdiff_t>(ray) * steps);
    });
    const auto surface = smooth_surface(depth, side_, steps);
    double sum = 0;
    Plane out;
    for (std::size_t ray = 0; ray < surface.size(); ++ray) {
        sum += kDeep_hu * depth[ray * static_cast<std::size_t>(steps) + static_cast<std::size_t>(surface[ray])];
        out.met.push_back(static_cast<float>(kFrom + surface[ray] * step));
    }
    auto sorted = out.met;
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2), sorted.end());
    out.median = sorted[sorted.size() / 2];
    const bool convincing = sum >= kConvincing_hu * static_cast<double>(surface.size());
    return convincing && out.median < 1 ? out : Plane{};
}

bool FatPlanes::any() const
{
    return std::any_of(planes_.begin(), planes_.end(), [](const Plane& plane) { return !plane.met.empty(); });
}

bool FatPlanes::end_axis(std::size_t axis) const { return !planes_[2 * axis].met.empty() || !planes_[2 * axis + 1].met.empty(); }

Shape FatPlanes::ended(Shape shape) const
{
    const auto axes = axes_of(shape_);
    const std::array<double*, 3> half{&shape.half_u_mm, &shape.half_v_mm, &shape.half_n_mm};
    for (std::size_t end = 0; end < planes_.size(); ++end) {
        if (planes_[end].met.empty()) continue;
        const std::size_t axis = end / 2;
        const double sign = end % 2 ? 1 : -1;
        const double there = planes_[end].median * axes.half_mm[axis] + sign * dot(shape_.centre - shape.centre, axes.unit[axis]);
        const double drawn_in = *half[axis] - there;
        *half[axis] -= drawn_in / 2;
        shape.centre = shape.centre - (sign * drawn_in / 2) * axes.unit[axis];
    }
    return shape;
}

Mask FatPlanes::beyond(const VolumeGeometry& geometry, const WorkingGrid& grid, int threads) const
{
    Mask out(grid.size);
    const auto axes = axes_of(shape_);
    parallel_for(grid.size.slices, threads, [&](int k) {
        for (int j = 0; j < grid.size.rows; ++j) {
            for (int i = 0; i < grid.size.columns; ++i) {
                const auto d = geometry.to_patient(grid.ct_index(i, j, k)) - shape_.centre;
                std::array<double, 3> at{};
                std::size_t axis = 0;
                for (std::size_t a = 0; a < 3; ++a) {
                    at[a] = dot(d, axes.unit[a]) / axes.half_mm[a];
                    if (std::abs(at[a]) > std::abs(at[axis])) axis = a;
                }
                const auto& met = planes_[2 * axis + (at[axis] > 0)].met;
                if (met.empty()) continue;
                const auto ray = [&](std::size_t a) { return static_cast<std::size_t>(std::lround((at[a] / std::abs(at[axis]) + 1) / 2 * (side_ - 1))); };
                const double away = std::sqrt(at[0] * at[0] + at[1] * at[1] + at[2] * at[2]);
                out.at(i, j, k) = away > met[ray((axis + 1) % 3) * static_cast<std::size_t>(side_) + ray((axis + 2) % 3)];
            }
        }
    });
    return out;
}

}  // namespace retromass::segmentation

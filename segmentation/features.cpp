#include "segmentation/features.h"

#include <algorithm>
#include <cmath>

#include "segmentation/distance.h"

namespace retromass::segmentation {
namespace {

constexpr double kWideOfSmooth = 2;      // sigma of the wide Gaussian against the smooth one
constexpr float kFat_hu = -40;
constexpr float kBone_hu = 170;
constexpr float kFarthest_mm = 60;       // beyond this, fat and bone say nothing
constexpr double kRayStep_mm = 2;
constexpr double kAhead_mm = 20;         // how far beyond the cell a ray looks

/// Offset of the nearest core cell for each cell, by raster sweeps that hand on the neighbours' nearest.
Grid<int> nearest_core(const Mask& core, std::array<double, 3> spacing)
{
    const auto n = core.size();
    Grid<int> out(n, -1);
    for (std::size_t i = 0; i < core.values().size(); ++i) {
        if (core[i]) out[i] = static_cast<int>(i);
    }
    const auto plane = static_cast<int>(n.plane());
    const auto square = [&](int from, int c, int r, int k) {
        const int row = from / n.columns % n.rows;
        const int slice = from / plane;
        const double x = (from % n.columns - c) * spacing[0];
        const double y = (row - r) * spacing[1];
        const double z = (slice - k) * spacing[2];
        return x * x + y * y + z * z;
    };
    for (int pass = 0; pass < 4; ++pass) {
        const int sign = pass % 2 ? -1 : 1;
        for (int kk = 0; kk < n.slices; ++kk) {
            for (int rr = 0; rr < n.rows; ++rr) {
                for (int cc = 0; cc < n.columns; ++cc) {
                    const int c = sign > 0 ? cc : n.columns - 1 - cc;
                    const int r = sign > 0 ? rr : n.rows - 1 - rr;
                    const int k = sign > 0 ? kk : n.slices - 1 - kk;
                    int& best = out.at(c, r, k);
                    double least = best >= 0 ? square(best, c, r, k) : 1e30;
                    if (least == 0) continue;
                    for (const auto& [dc, dr, dk] : {std::array{-1, 0, 0}, std::array{0, -1, 0}, std::array{0, 0, -1}, std::array{-1, -1, 0}, std::array{1, -1, 0}}) {
                        if (!n.contains(c + sign * dc, r + sign * dr, k + sign * dk)) continue;
                        const int other = out.at(c + sign * dc, r + sign * dr, k + sign * dk);
                        if (other < 0) continue;
                        const double d = square(other, c, r, k);
                        if (d < least) least = d, best = other;
                    }
                }
            }
        }
    }
    return out;
}

/// Distance to what `holds` is true of, mm, up to kFarthest_mm; negative inside.
template <class Holds>
Grid<float> distance_to(const Grid<float>& hu, std::array<double, 3> spacing, int threads, Holds holds)
{
    Mask found(hu.size());
    bool any = false;
    for (std::size_t i = 0; i < hu.values().size(); ++i) {
        found[i] = holds(hu[i]);
        any = any || found[i];
    }
    Grid<float> out(hu.size(), kFarthest_mm);
    if (!any) return out;
    out = signed_distance(found, spacing, threads);
    for (auto& d : out.values()) d = std::clamp(-d, -kFarthest_mm, kFarthest_mm);
    return out;
}

}  // namespace

FeatureReader::FeatureReader(const Scene& scene, const Grid<float>& energy, const VolumeGeometry& geometry, int threads)
    : scene_(scene), energy_(energy), geometry_(geometry)
{
    const auto& spacing = scene.grid.spacing_mm;
    wide_ = gaussian(scene.fine, spacing, kWideOfSmooth * scene.smooth_mm, threads);
    wide_evidence_ = gaussian(scene.appearance.evidence, spacing, kWideOfSmooth * scene.smooth_mm, threads);
    variance_ = Grid<float>(scene.grid.size);
    for (std::size_t i = 0; i < variance_.values().size(); ++i) {
        const float d = scene.fine[i] - scene.smooth[i];
        variance_[i] = d * d;
    }
    variance_ = gaussian(variance_, spacing, scene.smooth_mm, threads);
    to_fat_ = distance_to(scene.smooth, spacing, threads, [](float hu) { return hu < kFat_hu; });
    to_bone_ = distance_to(scene.smooth, spacing, threads, [](float hu) { return hu > kBone_hu; });
    nearest_ = nearest_core(scene.core, spacing);
}

float FeatureReader::sample(const Grid<float>& values, const std::array<double, 3>& cell) const
{
    const auto n = values.size();
    const auto place = [](double x, int limit) { return std::clamp(static_cast<int>(std::floor(x + 0.5)), 0, limit - 1); };
    return values.at(place(cell[0], n.columns), place(cell[1], n.rows), place(cell[2], n.slices));
}

FeatureRow FeatureReader::at(int i, int j, int k) const
{
    const auto& s = scene_;
    const auto& spacing = s.grid.spacing_mm;
    const auto n = s.grid.size;
    const auto at = s.r.offset(i, j, k);
    FeatureRow row{};
    const auto set = [&](Feature f, double v) { row[static_cast<std::size_t>(f)] = static_cast<float>(v); };
    const PatientPoint d = geometry_.to_patient(s.grid.ct_index(i, j, k)) - s.shape.centre;
    const double c = std::abs(dot(d, s.shape.n)) / s.shape.half_n_mm;
    set(Feature::across_u, std::abs(dot(d, s.shape.u)) / s.shape.half_u_mm);
    set(Feature::across_v, std::abs(dot(d, s.shape.v)) / s.shape.half_v_mm);
    set(Feature::across_n, c);
    const double r = s.r[at];
    set(Feature::r, r);
    set(Feature::r_in_plane, std::sqrt(std::max(0.0, r * r - c * c)));
    const double half = s.shape.half_u_mm;
    set(Feature::half_mm, half);
    set(Feature::depth_mm, std::abs(dot(d, s.shape.n)));
    const double length = s.path.length[at];
    set(Feature::core_mm, length);
    set(Feature::core_of_half, length / half);
    const float mu = static_cast<float>(s.appearance.seed_hu);
    const float sd = static_cast<float>(s.appearance.seed_sd);
    set(Feature::fine_hu, s.fine[at] - mu);
    set(Feature::smooth_hu, s.smooth[at] - mu);
    set(Feature::wide_hu, wide_[at] - mu);
    set(Feature::smooth_of_sd, std::abs(s.smooth[at] - mu) / sd);
    set(Feature::wide_of_sd, std::abs(wide_[at] - mu) / sd);
    set(Feature::absolute_hu, s.smooth[at]);
    set(Feature::local_sd, std::sqrt(variance_[at]));
    set(Feature::evidence, s.appearance.evidence[at]);
    set(Feature::wide_evidence, wide_evidence_[at]);
    const double climbed = s.path.cost[at] - length;
    set(Feature::climbed_mm, climbed);
    set(Feature::climbed, climbed / half);
    set(Feature::seed_sd, sd);
    set(Feature::seed_hu, mu);
    set(Feature::separation, s.appearance.separation);
    set(Feature::fat_mm, to_fat_[at]);
    set(Feature::bone_mm, to_bone_[at]);
    set(Feature::energy, energy_[at]);
    set(Feature::marked_v, s.shape.free_v ? 0 : 1);
    set(Feature::marked_n, s.shape.free_n ? 0 : 1);
    set(Feature::kind, s.shape.kind == Shape::Kind::contour ? 2 : s.shape.free_scale ? 3 : s.shape.strokes.empty() ? 1 : 0);

    // From the nearest core cell to here and beyond.
    const int from = std::max(0, nearest_[at]);
    const std::array<int, 3> nearest{from % n.columns, from / n.columns % n.rows, from / (n.columns * n.rows)};
    const std::array<double, 3> start{double(nearest[0]), double(nearest[1]), double(nearest[2])};
    std::array<double, 3> along{i - start[0], j - start[1], k - start[2]};
    const double mm = std::sqrt(std::pow(along[0] * spacing[0], 2) + std::pow(along[1] * spacing[1], 2) + std::pow(along[2] * spacing[2], 2));
    if (mm > 0) for (auto& a : along) a /= mm;   // cells a mm of the ray
    const auto point = [&](double t) { return std::array<double, 3>{start[0] + t * along[0], start[1] + t * along[1], start[2] + t * along[2]}; };
    const int steps = std::max(1, static_cast<int>(mm / kRayStep_mm));
    float top = -1e9F, low = 1e9F, wide_top = -1e9F, wide_low = 1e9F;
    float sum = 0, squares = 0, size = 0, step = 0, variation = 0, wide_variation = 0, fat = 0, bone = 0, last = 0, wide_last = 0;
    for (int t = 0; t <= steps; ++t) {
        const auto p = point(mm * t / steps);
        const float value = sample(s.smooth, p);
        const float wide = sample(wide_, p);
        const float v = value - mu;
        const float w = wide - mu;
        top = std::max(top, v), low = std::min(low, v);
        wide_top = std::max(wide_top, w), wide_low = std::min(wide_low, w);
        sum += v, squares += v * v, size += std::abs(v);
        fat += value < kFat_hu, bone += value > kBone_hu;
        if (t > 0) {
            step = std::max(step, std::abs(v - last));
            variation += std::abs(v - last);
            wide_variation += std::abs(w - wide_last);
        }
        last = v, wide_last = w;
    }
    const auto count = static_cast<float>(steps + 1);
    set(Feature::ray_max, top);
    set(Feature::ray_min, low);
    set(Feature::ray_mean, size / count);
    set(Feature::ray_step, step);
    set(Feature::ray_variation, variation);
    set(Feature::ray_fat_mm, fat * kRayStep_mm);
    set(Feature::ray_bone_mm, bone * kRayStep_mm);
    set(Feature::ray_sd, std::sqrt(std::max(0.0F, squares / count - (sum / count) * (sum / count))));
    set(Feature::wide_ray_max, wide_top);
    set(Feature::wide_ray_min, wide_low);
    set(Feature::wide_ray_variation, wide_variation);
    const auto ahead = [&](const Grid<float>& values, double t) { return sample(values, point(std::max(0.0, mm + t))) - mu; };
    set(Feature::back_8, ahead(s.smooth, -8));
    set(Feature::ahead_6, ahead(s.smooth, 6));
    set(Feature::ahead_12, ahead(s.smooth, 12));
    set(Feature::ahead_20, ahead(s.smooth, kAhead_mm));
    set(Feature::wide_ahead_6, ahead(wide_, 6));
    set(Feature::wide_ahead_12, ahead(wide_, 12));
    set(Feature::wide_ahead_20, ahead(wide_, kAhead_mm));
    set(Feature::radial, (ahead(s.smooth, 3) - ahead(s.smooth, -3)) / 6);
    set(Feature::wide_radial, (ahead(wide_, 6) - ahead(wide_, -6)) / 12);
    const auto gradient = [&](const Grid<float>& values) {
        const auto difference = [&](int di, int dj, int dk, double cell) {
            const float upper = sample(values, {double(i + di), double(j + dj), double(k + dk)});
            const float lower = sample(values, {double(i - di), double(j - dj), double(k - dk)});
            return (upper - lower) / (2 * cell);
        };
        return std::sqrt(std::pow(difference(1, 0, 0, spacing[0]), 2) + std::pow(difference(0, 1, 0, spacing[1]), 2) + std::pow(difference(0, 0, 1, spacing[2]), 2));
    };
    set(Feature::gradient, gradient(s.smooth));
    set(Feature::wide_gradient, gradient(wide_));
    return row;
}

}  // namespace retromass::segmentation

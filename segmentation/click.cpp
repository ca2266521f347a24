#include "segmentation/click.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "segmentation/components.h"
#include "segmentation/distance.h"
#include "segmentation/filters.h"

namespace retromass::segmentation {
namespace {

constexpr float kMmPerHu = 1.5;   // what geodesic() adds to a path for each HU it climbs
constexpr double kSolid = 5;       // half axis squared over the variance along it, of a solid ellipsoid
constexpr double kLeastVariance_mm2 = 1;

/// Part of what lies one to three cells around the mask that differs clearly from what lies within it.
double clear_part(const ClickField& f, const Mask& mask, double clear_hu, double cell_mm)
{
    const auto depth = signed_distance(mask, f.grid.spacing_mm);
    double sum = 0, within = 0, around = 0, clear = 0;
    for (std::size_t i = 0; i < depth.values().size(); ++i) {
        if (depth[i] > cell_mm) sum += f.smooth[i], ++within;
    }
    for (std::size_t i = 0; i < depth.values().size(); ++i) {
        if (depth[i] > -cell_mm || depth[i] < -3 * cell_mm) continue;
        ++around;
        clear += within > 0 && std::abs(f.smooth[i] - sum / within) > clear_hu;
    }
    return around > 0 ? clear / around : 0;
}

}  // namespace

ClickField click_field(const CtVolume& ct, const Shape& points, const ClickConstants& constants, double lens, int threads)
{
    const auto& g = ct.geometry;
    Shape about = points;
    about.half_u_mm = about.half_v_mm = about.half_n_mm = constants.reach_mm / lens;
    const auto reach = reach_of(about, g, 1);
    ClickField f;
    f.grid = working_grid(g, reach[0], reach[1], constants.cell_mm / lens);
    f.smooth = gaussian(block_average(ct, f.grid, threads), f.grid.spacing_mm, constants.smooth_mm / lens, threads);
    f.away_mm = Grid<float>(f.grid.size);
    parallel_for(f.grid.size.slices, threads, [&](int k) {
        for (int j = 0; j < f.grid.size.rows; ++j) {
            for (int i = 0; i < f.grid.size.columns; ++i) {
                const auto p = g.to_patient(f.grid.ct_index(i, j, k));
                double least_mm = distance(p, points.centre);
                for (const auto& stroke : points.strokes) least_mm = std::min(least_mm, distance(p, stroke.a));
                f.away_mm.at(i, j, k) = static_cast<float>(lens * least_mm);
            }
        }
    });
    f.core = Mask(f.grid.size);
    const auto nearest = std::min_element(f.away_mm.values().begin(), f.away_mm.values().end()) - f.away_mm.values().begin();
    for (std::size_t i = 0; i < f.core.values().size(); ++i) f.core[i] = f.away_mm[i] < constants.core_mm || i == static_cast<std::size_t>(nearest);
    const auto path = geodesic(f.smooth, f.core, f.grid.spacing_mm, threads);
    f.climbed_hu = Grid<float>(f.grid.size);
    for (std::size_t i = 0; i < f.core.values().size(); ++i) f.climbed_hu[i] = std::max(0.0F, path.cost[i] - path.length[i]) / kMmPerHu;
    return f;
}

Mask reached(const ClickField& field, const ClickConstants& constants, double lens, int threads)
{
    Grid<float> logits(field.grid.size);
    const double level = constants.level - std::log(constants.threshold / (1 - constants.threshold));
    for (std::size_t i = 0; i < logits.values().size(); ++i) {
        logits[i] = static_cast<float>(level - constants.distance_weight * std::log(field.away_mm[i] + constants.near_mm) - constants.climb_weight * std::sqrt(field.climbed_hu[i]));
    }
    logits = gaussian(logits, field.grid.spacing_mm, constants.cell_mm / lens, threads);
    Mask mask(field.grid.size);
    for (std::size_t i = 0; i < logits.values().size(); ++i) mask[i] = logits[i] >= 0 || field.core[i];
    return filled(seeded_components(mask, field.core));
}

Shape sized(const CtVolume& ct, const Shape& points, const ClickConstants& constants, int threads)
{
    auto field = click_field(ct, points, constants, constants.lens, threads);
    auto mask = reached(field, constants, constants.lens, threads);
    if (clear_part(field, mask, constants.clear_hu, constants.cell_mm / constants.lens) < constants.clear_part) {
        field = click_field(ct, points, constants, 1, threads);
        mask = reached(field, constants, 1, threads);
    }
    const auto for_each_position = [&](auto use) {
        for (int k = 0; k < field.grid.size.slices; ++k) {
            for (int j = 0; j < field.grid.size.rows; ++j) {
                for (int i = 0; i < field.grid.size.columns; ++i) {
                    if (mask.at(i, j, k)) use(ct.geometry.to_patient(field.grid.ct_index(i, j, k)));
                }
            }
        }
    };
    double count = 0;
    PatientPoint sum;
    for_each_position([&](PatientPoint p) { sum = sum + p, ++count; });
    const PatientPoint moved = (1 / count) * sum - points.centre;
    Shape s = points;
    s.centre = points.centre + (points.free_n ? moved : moved - dot(moved, points.n) * points.n);
    double uu = 0, uv = 0, vv = 0, nn = 0;
    for_each_position([&](PatientPoint p) {
        const auto d = p - points.centre - moved;
        const double a = dot(d, points.u), b = dot(d, points.v), c = dot(d, points.n);
        uu += a * a / count, uv += a * b / count, vv += b * b / count, nn += c * c / count;
    });
    const double turn = 0.5 * std::atan2(2 * uv, uu - vv);
    const double half_sum = (uu + vv) / 2;
    const double half_difference = std::hypot((uu - vv) / 2, uv);
    s.u = std::cos(turn) * points.u + std::sin(turn) * points.v;
    s.v = cross(points.n, s.u);
    const auto half_mm = [](double variance) { return std::sqrt(kSolid * std::max(variance, kLeastVariance_mm2)); };
    s.half_u_mm = half_mm(half_sum + half_difference);
    s.half_v_mm = half_mm(half_sum - half_difference);
    if (points.free_n) s.half_n_mm = half_mm(nn);
    s.stroke_radius_mm = std::max(points.stroke_radius_mm, 0.12 * s.half_u_mm);
    s.core_r = 0.3;
    return s;
}

}  // namespace retromass::segmentation

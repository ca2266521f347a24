#include "segmentation/scene.h"

#include <algorithm>

#include "segmentation/click.h"
#include "segmentation/distance.h"

namespace retromass::segmentation {
namespace {

constexpr double kReach_r = 2.0;             // evidence is gathered up to here
constexpr double kFinestCell_mm = 1.5;
constexpr double kCoarsestCell_mm = 4;
constexpr double kCellsOfLength = 40;
constexpr double kSmooth_mm = 3;             // sigma of the Gaussian evidence and edges are read from; the seed is read from half of it
constexpr double kSmoothOfLength = 0.07;
constexpr double kDeepestOfLength = 1.6;

}  // namespace

Scene bare_scene(const CtVolume& ct, const Prompt& prompt, int threads, Pixels pixels)
{
    const auto& g = ct.geometry;
    Scene s;
    s.shape = shape_of(prompt, g);
    if (s.shape.free_scale && pixels == Pixels::seen) s.shape = sized(ct, s.shape, {}, threads);
    s.length_mm = 2 * std::max({s.shape.half_u_mm, s.shape.half_v_mm, s.shape.half_n_mm / kDeepestOfLength});
    s.cell_mm = std::clamp(s.length_mm / kCellsOfLength, kFinestCell_mm, kCoarsestCell_mm);
    const auto reach = reach_of(s.shape, g, kReach_r);
    s.grid = working_grid(g, reach[0], reach[1], s.cell_mm);
    if (prompt.prior) s.shape.prior_distance = signed_distance(block_majority(*prompt.prior, s.grid), s.grid.spacing_mm);
    s.r = shape_coordinate(s.shape, g, s.grid, threads);
    return s;
}

void look(Scene& s, const CtVolume& ct, const EnergyConstants& constants, int threads)
{
    const auto& g = ct.geometry;
    const auto hu = block_average(ct, s.grid, threads);
    s.smooth_mm = std::min(kSmooth_mm, kSmoothOfLength * s.length_mm);  // a small lesion would vanish in a wide one
    s.fine = gaussian(hu, s.grid.spacing_mm, s.smooth_mm / 2, threads);
    s.smooth = gaussian(hu, s.grid.spacing_mm, s.smooth_mm, threads);
    const auto ends = end_cells(s.shape, g, s.grid);
    const auto appear = [&] {
        s.core = core_cells(s.shape, s.r, g, s.grid);
        s.appearance = appearance_of(s.fine, s.smooth, s.r, s.core, ends, s.grid.spacing_mm, s.smooth_mm, threads);
    };
    appear();
    s.fit = s.shape;
    for (int pass = 0; pass < 2; ++pass) {  // the better shape shows the better background
        if (s.shape.kind != Shape::Kind::ellipsoid) break;
        s.fit = fitted(s.shape, s.appearance, g, s.grid, constants);
        s.fit_edges = edges_of(s.fit, shape_coordinate(s.fit, g, s.grid, threads), s.smooth, s.appearance, g, s.grid);
        s.shape = followed(s.shape, s.fit, s.fit_edges, s.appearance.separation, s.smooth_mm, constants);
        s.r = shape_coordinate(s.shape, g, s.grid, threads);
        appear();
    }
    s.planes.emplace(ct, s.shape, threads);
    if (s.planes->any()) {
        s.beyond = s.planes->beyond(g, s.grid, threads);
        s.shape = s.planes->ended(s.shape);
        s.r = shape_coordinate(s.shape, g, s.grid, threads);
        appear();
    }
    for (const auto& edge : edges_of(s.shape, s.r, s.smooth, s.appearance, g, s.grid)) s.rim_step += edge.step / 6;
    s.path = geodesic(s.smooth, s.core, s.grid.spacing_mm, threads);
}

Mask active_cells(const Scene& scene, const Grid<float>& r)
{
    Mask out(r.size());
    for (std::size_t i = 0; i < r.values().size(); ++i) out[i] = r[i] < kGrow_r && (scene.beyond.values().empty() || !scene.beyond[i]);
    return out;
}

}  // namespace retromass::segmentation

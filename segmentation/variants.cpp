#include "segmentation/variants.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

#include "core/parallel.h"
#include "segmentation/components.h"
#include "segmentation/surface.h"

namespace retromass::segmentation {
namespace {

constexpr double kWidthSpread = 0.20;   // of the logarithm of an unmarked width over the length: the sarcomas' own
constexpr double kDepthSpread = 0.25;   // of an unmarked depth over the length
constexpr double kSizeSpread = 0.40;    // of the size behind a point
constexpr double kSliceSpread = 0.5;    // of a slice: where top and bottom are put
constexpr float kBoundaryLogit = 1;     // the boundary's spread is read between P = 0.27 and 0.73
constexpr float kOutside = -12;

/// Standard normal numbers; the library's distributions differ between compilers.
class Normal {
public:
    explicit Normal(int seed) : engine_(0x5EEDULL + 7919ULL * static_cast<unsigned>(seed)) {}
    double operator()()
    {
        const double radius = std::sqrt(-2 * std::log(uniform()));
        return radius * std::cos(2 * std::numbers::pi * uniform());
    }

private:
    double uniform() { return (static_cast<double>(engine_() >> 11) + 0.5) / 9007199254740992.0; }
    std::mt19937_64 engine_;
};

PatientPoint in_slice(PatientPoint p, const VolumeGeometry& g, Normal& normal)
{
    const double a = kPromptJitter_mm * normal();
    const double b = kPromptJitter_mm * normal();
    return p + a * g.column_step() + b * g.row_step();
}

PatientPoint along_normal(PatientPoint p, const VolumeGeometry& g, Normal& normal)
{
    const int slice = std::clamp(static_cast<int>(std::lround(g.to_index(p).slice)), 0, g.size().slices - 1);
    return p + (kSliceSpread * g.slab_mm(slice) * normal()) * g.normal();
}

/// All of a contour drawn a little to one side, and a little wide or tight.
void redraw(std::vector<PatientPoint>& contour, const VolumeGeometry& g, Normal& normal)
{
    PatientPoint centre;
    for (const auto& p : contour) centre = centre + (1.0 / static_cast<double>(contour.size())) * p;
    const auto moved = in_slice(centre, g, normal) - centre;
    const double outward = kPromptJitter_mm * normal();
    for (auto& p : contour) {
        const double away = std::max(distance(p, centre), 1e-3);
        p = centre + std::max(1 + outward / away, 0.2) * (p - centre) + moved;
    }
}

std::string kind_of(const Prompt& p)
{
    const auto kind = [&p]() -> std::string {
        if (p.prior) return "prior";
        if (!p.contours.empty()) return std::string(p.contours.size() > 1 ? "contours" : "contour") + (p.extent ? "z" : "");
        if (!p.lines.empty()) return std::string(p.lines.size() > 1 ? "line2" : "line") + (p.extent ? "z" : "");
        return p.box ? "box" : "point";
    }();
    return !p.exclude.empty() || (!p.points.empty() && kind != "point") ? kind + "+marks" : kind;
}

/// The shape another hand and another lesion of this kind would have had. What nobody marked varies as lesions do, unless the image
/// shows where it ends.
Shape varied(const Settled& settled, const VolumeGeometry& ct, int i)
{
    const auto& scene = settled.scene;
    auto usual = shape_of(redrawn(settled.prompt, ct, i), ct);
    Normal normal(1000 + i);
    const double width = std::exp(kWidthSpread * normal());
    const double depth = std::exp(kDepthSpread * normal());
    const double size = std::exp(kSizeSpread * normal());
    const double offset = kPromptJitter_mm * normal();
    if (usual.free_scale) {
        auto seen = scene.shape;
        seen.centre = seen.centre + (usual.centre - shape_of(settled.prompt, ct).centre);
        seen.half_u_mm *= size;
        seen.half_v_mm *= size;
        seen.half_n_mm *= size;
        return seen;
    }
    if (usual.free_v) usual.half_v_mm *= width;
    if (usual.free_n) usual.half_n_mm *= depth;
    if (usual.kind == Shape::Kind::prior) {
        usual.prior_distance.emplace(*scene.shape.prior_distance);
        for (auto& d : usual.prior_distance->values()) d += static_cast<float>(offset);
    }
    return scene.planes->ended(usual.kind != Shape::Kind::ellipsoid ? usual : followed(usual, scene.fit, scene.fit_edges, scene.appearance.separation, scene.smooth_mm, settled.constants));
}

float logit(float p)
{
    const float q = std::clamp(p, 1e-5F, 1 - 1e-5F);
    return std::log(q / (1 - q));
}

Mask lesion_of(const Grid<float>& logits, float from, const Mask& core)
{
    Mask mask(logits.size());
    for (std::size_t i = 0; i < logits.values().size(); ++i) mask[i] = logits[i] >= from;
    return filled(seeded_components(mask, core));
}

/// The working grid as a geometry of its own.
VolumeGeometry geometry_of(const WorkingGrid& grid, const VolumeGeometry& ct)
{
    std::vector<PatientPoint> origins;
    for (int k = 0; k < grid.size.slices; ++k) origins.push_back(ct.to_patient(grid.ct_index(0, 0, k)));
    auto made = VolumeGeometry::from_slices(grid.size.columns, grid.size.rows, ct.column_step(), ct.row_step(), grid.spacing_mm[0], grid.spacing_mm[1], std::move(origins));
    RETROMASS_ASSERT(made.ok(), "blocks of a valid grid are one");
    return std::move(made).value();
}

}  // namespace

Prompt redrawn(const Prompt& prompt, const VolumeGeometry& ct, int i)
{
    Normal normal(i);
    Prompt out = prompt;
    for (auto& p : out.points) p = in_slice(p, ct, normal);
    for (auto& line : out.lines) line = {in_slice(line.a, ct, normal), in_slice(line.b, ct, normal)};
    for (auto& contour : out.contours) redraw(contour, ct, normal);
    if (out.extent) {
        for (auto& p : *out.extent) p = along_normal(p, ct, normal);
    }
    if (out.box) {
        for (auto& p : *out.box) p = along_normal(in_slice(p, ct, normal), ct, normal);
    }
    return out;
}

MaskVariants variants_of(const Settled& settled, const VolumeGeometry& ct, int count, int threads)
{
    const auto& scene = settled.scene;
    MaskVariants out;
    out.geometry = geometry_of(scene.grid, ct);
    out.hu = Grid<std::int16_t>(scene.grid.size);
    for (std::size_t i = 0; i < out.hu.values().size(); ++i) out.hu[i] = static_cast<std::int16_t>(std::lround(scene.fine[i]));
    out.prompt = kind_of(settled.prompt);
    out.rim_step = scene.rim_step;
    out.separation = scene.appearance.separation;
    out.soft_tissue = settled.likeness;
    out.length_mm = scene.length_mm;
    auto logits = settled.logits;
    for (std::size_t i = 0; i < logits.values().size(); ++i) logits[i] += settled.corrected[i];
    out.base = lesion_of(logits, 0, scene.core);
    out.grown = lesion_of(logits, -kBoundaryLogit, scene.core);
    out.shrunk = lesion_of(logits, kBoundaryLogit, scene.core);
    out.repeats.resize(static_cast<std::size_t>(count));
    for (int n = 0; n < count; ++n) {
        const auto shape = varied(settled, ct, n);
        const auto r = shape_coordinate(shape, ct, scene.grid, threads);
        auto z = first_logits(r, scene.appearance, scene.path, shape.half_u_mm, scene.rim_step, settled.constants);
        const Mask active = active_cells(scene, r);
        for (std::size_t i = 0; i < z.values().size(); ++i) z[i] = 1 / (1 + std::exp(-(z[i] + settled.added[i])));
        auto p = random_walker(scene.smooth, z, active, scene.grid.spacing_mm, settled.constants.confidence, threads);
        for (std::size_t i = 0; i < p.values().size(); ++i) p[i] = active[i] ? logit(p[i]) - settled.threshold : kOutside;
        settle_surface(p, shape, r, active, ct, scene.grid, settled.settled_surface, threads);
        for (std::size_t i = 0; i < p.values().size(); ++i) p[i] += settled.corrected[i];
        out.repeats[static_cast<std::size_t>(n)] = lesion_of(p, 0, scene.core);
    }
    return out;
}

}  // namespace retromass::segmentation

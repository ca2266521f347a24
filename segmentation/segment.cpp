#include "segmentation/segment.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/parallel.h"
#include "core/units.h"
#include "segmentation/components.h"
#include "segmentation/corrections.h"
#include "segmentation/drawn.h"
#include "segmentation/refine.h"
#include "segmentation/scene.h"
#include "segmentation/segment_with.h"
#include "segmentation/surface.h"
#include "segmentation/variants.h"

namespace retromass::segmentation {
namespace {

constexpr std::array kMethods{
    MethodEntry{Method::fusion, "fusion", "energy, corrected by trees learned from sarcomas where the lesion is like those"},
    MethodEntry{Method::energy, "energy", "shape from the prompt, appearance, climbed edges, smoothed by a random walker"},
    MethodEntry{Method::ellipsoid, "ellipsoid", "the prompt's bare shape, without a look at any pixel"},
};

constexpr double kStrand_mm = 7;              // half the width of what is cut off the mask of a giant mass as a strand (a vessel) ...
constexpr double kStrandOfLength = 0.08;      // ... less for a smaller one ...
constexpr double kNoStrand_mm = 115;          // ... and nothing up to this length, whose own tips are as thin
constexpr double kLogLimit = 12;
constexpr double kBadSeed_sd = 60;
constexpr double kVolumeRatio = 1.6;
constexpr double kVisibleStep = 1.5;    // of the evidence at the ends of an axis: an edge, though not clear enough to follow
constexpr double kDoubt = 0.15;         // of an axis: the image says another size than the mask
constexpr double kAlike = 1.8;          // separation below which half of the masks are bad (sarcomas): what was drawn, not the image, decides where the lesion ends
constexpr double kLearned = 0.5;        // from here on the trees have settled what the usual proportions had left open

Error cancelled() { return Error{Code::cancelled, "stopped while segmenting", "segmentation"}; }

/// The two cells between which a CT voxel lies along an axis, and how far it is on the way.
struct Between {
    std::size_t lower = 0;
    std::size_t upper = 0;
    float t = 0;
};
Between between(const WorkingGrid& grid, std::size_t axis, int voxel)
{
    const std::array<int, 3> first{grid.first.column, grid.first.row, grid.first.slice};
    const std::array<int, 3> cells{grid.size.columns, grid.size.rows, grid.size.slices};
    const float x = (static_cast<float>(voxel - first[axis]) + 0.5F) / static_cast<float>(grid.block[axis]) - 0.5F;
    const float f = std::floor(x);
    const auto clamped = [&](int cell) { return static_cast<std::size_t>(std::clamp(cell, 0, cells[axis] - 1)); };
    return {clamped(static_cast<int>(f)), clamped(static_cast<int>(f) + 1), x - f};
}

/// Rows of CT voxels from the values of the working grid, linear between cell centres, the edge cell beyond them.
class Interpolator {
public:
    Interpolator(const Grid<float>& values, const WorkingGrid& grid, int first_column, int last_column) : values_(values), grid_(grid)
    {
        for (int c = first_column; c <= last_column; ++c) columns_.push_back(between(grid, 0, c));
    }
    /// Calls to(row, values) for rows of one slice.
    template <class To>
    void rows(int first, int last, int slice, To to) const
    {
        const auto n = columns_.size();
        const auto z = between(grid_, 2, slice);
        std::array<std::vector<float>, 4> lines;  // along the columns between which the rows lie: the same for all rows between two cells
        for (auto& line : lines) line.resize(n);
        std::vector<float> out(n);
        std::size_t lower = values_.values().size();
        std::size_t upper = lower;
        for (int row = first; row <= last; ++row) {
            const auto y = between(grid_, 1, row);
            if (y.lower != lower || y.upper != upper) {
                lower = y.lower;
                upper = y.upper;
                lay(lower, z.lower, lines[0]);
                lay(upper, z.lower, lines[1]);
                lay(lower, z.upper, lines[2]);
                lay(upper, z.upper, lines[3]);
            }
            for (std::size_t i = 0; i < n; ++i) {
                const float a = lines[0][i] + y.t * (lines[1][i] - lines[0][i]);
                const float b = lines[2][i] + y.t * (lines[3][i] - lines[2][i]);
                out[i] = a + z.t * (b - a);
            }
            to(row, out.data());
        }
    }

private:
    void lay(std::size_t j, std::size_t k, std::vector<float>& line) const
    {
        const auto* const cells = values_.data() + values_.offset(0, static_cast<int>(j), static_cast<int>(k));
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            const auto& x = columns_[i];
            line[i] = cells[x.lower] + x.t * (cells[x.upper] - cells[x.lower]);
        }
    }

    const Grid<float>& values_;
    const WorkingGrid& grid_;
    std::vector<Between> columns_;
};

MaskBox region_of(const WorkingGrid& grid, const Dimensions& n)
{
    return {grid.first,
            {std::min(grid.first.column + grid.size.columns * grid.block[0], n.columns) - 1, std::min(grid.first.row + grid.size.rows * grid.block[1], n.rows) - 1,
             std::min(grid.first.slice + grid.size.slices * grid.block[2], n.slices) - 1}};
}

float logit(float p)
{
    const float q = std::clamp(p, 1e-5F, 1 - 1e-5F);
    return std::log(q / (1 - q));
}

float sigmoid(float z) { return 1 / (1 + std::exp(-z)); }

/// Lays working-grid logits on the CT; the mask is logit >= 0.
void to_ct(const Grid<float>& logits, const WorkingGrid& grid, Segmentation& out, int threads)
{
    const auto region = region_of(grid, out.mask.size());
    const Interpolator interpolate(logits, grid, region.low.column, region.high.column);
    parallel_for(region.high.slice - region.low.slice + 1, threads, [&](int s) {
        const int k = region.low.slice + s;
        const int columns = region.high.column - region.low.column + 1;
        float same = 0;  // far outside and deep inside one logit follows the other
        float its_probability = sigmoid(same);
        interpolate.rows(region.low.row, region.high.row, k, [&](int r, const float* z) {
            auto* const probability = out.probability.data() + out.probability.offset(region.low.column, r, k);
            auto* const mask = out.mask.data() + out.mask.offset(region.low.column, r, k);
            for (int c = 0; c < columns; ++c) {
                if (z[c] != same) {
                    same = z[c];
                    its_probability = sigmoid(same);
                }
                probability[c] = its_probability;
            }
            for (int c = 0; c < columns; ++c) mask[c] = z[c] >= 0;
        });
    });
}

/// Where post-processing changed the mask, the probability follows it across one half. Beyond the region both are 0.
void recalibrate(Segmentation& out, const MaskBox& region, int threads)
{
    constexpr float step = 0.02F;
    parallel_for(region.size().slices, threads, [&](int s) {
        for (int r = region.low.row; r <= region.high.row; ++r) {
            const auto first = out.probability.offset(region.low.column, r, region.low.slice + s);
            auto* const probability = out.probability.data() + first;
            const auto* const mask = out.mask.data() + first;
            for (int c = 0, columns = region.size().columns; c < columns; ++c) {
                probability[c] = mask[c] ? std::max(probability[c], 0.5F + step * 0.5F) : std::min(probability[c], 0.5F - step * 0.5F);
            }
        }
    });
}

/// Replaces the mask by what `apply` leaves of it, worked out in its own box; a voxel more each way, so that what lies round it is one piece.
template <class Apply>
void in_its_box(Mask& mask, const MaskBox& region, int threads, Apply apply)
{
    const auto inside = box_of(mask, region, threads);
    if (!inside) return;
    const auto box = widened(*inside, {1, 1, 1}, region);
    const Mask done = apply(part_of(mask, box, threads), box);
    parallel_for(box.size().slices, threads, [&](int k) {
        for (int r = 0; r < box.size().rows; ++r) {
            std::copy_n(done.data() + done.offset(0, r, k), box.size().columns, mask.data() + mask.offset(box.low.column, box.low.row + r, box.low.slice + k));
        }
    });
}

/// Says where an edge can be seen that was not clear enough to follow: the width is then the usual proportion of the line.
void add_doubt(Segmentation& out, const char* what, const char* remedy, double used_half_mm, double fit_half_mm, double step)
{
    if (step < kVisibleStep || std::abs(fit_half_mm / used_half_mm - 1) < kDoubt) return;
    out.notices.push_back({Code::low_confidence, std::string("the ") + what + ", which nobody marked, is taken as " + fixed(2 * used_half_mm, 0) + " mm from the usual proportion; the image shows an edge that would make it about " +
                                                     fixed(2 * fit_half_mm, 0) + " mm; " + remedy + " would settle it"});
}

void add_notices(Segmentation& out, const Scene& scene, const Prompt& prompt, const EnergyConstants& constants, double learned, double voxels, double voxel_mm3)
{
    const auto& shape = scene.shape;
    const double expected = shape.half_u_mm * shape.half_v_mm * shape.half_n_mm * 4.18879 / voxel_mm3;
    const bool ellipsoid = shape.kind == Shape::Kind::ellipsoid;
    if (shape.free_scale) out.notices.push_back({Code::low_confidence, "a point says nothing of the size; a line along the long axis would make the result surer"});
    else if (ellipsoid && (voxels > kVolumeRatio * expected || kVolumeRatio * voxels < expected)) {
        out.notices.push_back({Code::low_confidence, "the mask has " + fixed(100 * voxels / expected, 0) + " % of the volume its prompt leads one to expect; a second line or top and bottom slice would make it surer"});
    }
    const bool usual = !shape.free_scale && learned < kLearned;
    if (shape.free_v && usual && !scene.planes->end_axis(1)) add_doubt(out, "short axis", "a second line", shape.half_v_mm, scene.fit.half_v_mm, (scene.fit_edges[2].step + scene.fit_edges[3].step) / 2);
    if (shape.free_n && usual && !scene.planes->end_axis(2)) add_doubt(out, "craniocaudal extent", "the top and bottom slice", shape.half_n_mm, scene.fit.half_n_mm, (scene.fit_edges[4].step + scene.fit_edges[5].step) / 2);
    if (scene.appearance.separation < kAlike && scene.rim_step <= constants.clear_rim && prompt.contours.size() < 2) {
        out.notices.push_back({Code::low_confidence, "the lesion looks much like what lies round it (separation " + fixed(scene.appearance.separation, 2) + ", doubtful below " + fixed(kAlike, 1) +
                                                     "): the prompt more than the image decides where it ends; compare the outline, and draw a contour where it is off"});
    }
    if (out.seed_hu_sd > kBadSeed_sd) out.notices.push_back({Code::low_confidence, "the tissue under the prompt varies by " + fixed(out.seed_hu_sd, 0) + " HU; check that it lies in the lesion alone"});
}

}  // namespace

std::span<const MethodEntry> methods() { return kMethods; }

Result<Segmentation> segment(const CtVolume& ct, const std::string& frame_of_reference_uid, const Prompt& prompt, const SegmentParameters& parameters, const Progress& progress)
{
    return segment_with(sarcoma_trees(), ct, frame_of_reference_uid, prompt, parameters, progress);
}

Result<Segmentation> segment_with(const Trees& trees, const CtVolume& ct, const std::string& frame_of_reference_uid, const Prompt& prompt, const SegmentParameters& parameters,
                                  const Progress& progress)
{
    RETROMASS_TRY(check_prompt(ct, frame_of_reference_uid, prompt));
    const auto& g = ct.geometry;
    const EnergyConstants constants;
    Segmentation out;
    out.mask = Mask(g.size());
    out.probability = Grid<float>(g.size());

    auto scene = bare_scene(ct, prompt, parameters.threads, parameters.method == Method::ellipsoid ? Pixels::unseen : Pixels::seen);
    const auto& grid = scene.grid;
    const auto& r = scene.r;
    out.working_spacing_mm = grid.spacing_mm;
    if (parameters.method == Method::ellipsoid) {
        Grid<float> logits(grid.size);
        for (std::size_t i = 0; i < r.values().size(); ++i) logits[i] = static_cast<float>(constants.shape_weight) * (1 - r[i]);
        to_ct(logits, grid, out, parameters.threads);
        correct(out, g, corrections_of(out, g, prompt), parameters.threads);
        return out;
    }
    if (!goes_on(progress, "segmenting", 0.3)) return cancelled();
    look(scene, ct, constants, parameters.threads);
    const auto& shape = scene.shape;
    out.seed_hu = scene.appearance.seed_hu;
    out.seed_hu_sd = scene.appearance.seed_sd;
    if (!goes_on(progress, "segmenting", 0.5)) return cancelled();

    auto z = first_logits(r, scene.appearance, scene.path, shape.half_u_mm, scene.rim_step, constants);
    const auto of_energy = parameters.variants > 0 ? z : Grid<float>();
    const Mask active = active_cells(scene, r);
    const double alike = likeness(scene);
    const double learned = parameters.method == Method::fusion ? correct(z, scene, active, trees, alike, g, parameters.threads) : 0;
    const float threshold = logit(static_cast<float>(constants.threshold));
    if (parameters.method == Method::fusion) hold_to_drawing(z, prompt, shape, g, grid, threshold, alike, parameters.threads);
    Grid<float> p(grid.size);
    for (std::size_t i = 0; i < z.values().size(); ++i) p[i] = sigmoid(z[i]);
    p = random_walker(scene.smooth, p, active, grid.spacing_mm, constants.confidence, parameters.threads);
    if (!goes_on(progress, "segmenting", 0.7)) return cancelled();

    Grid<float> logits(grid.size);
    for (std::size_t i = 0; i < p.values().size(); ++i) logits[i] = active[i] ? logit(p[i]) - threshold : -static_cast<float>(kLogLimit);
    if (parameters.method == Method::fusion) settle_surface(logits, shape, r, active, g, grid, alike, parameters.threads);
    to_ct(logits, grid, out, parameters.threads);
    const auto region = region_of(grid, g.size());
    if (!goes_on(progress, "segmenting", 0.75)) return cancelled();
    const int passes = scene.rim_step > constants.clear_rim ? 2 : 1;  // the second sees what lies beyond a rim that the first has found
    for (int pass = 0; pass < passes; ++pass) out.mask = refined(ct, std::move(out.mask), region, 0.75 * scene.cell_mm + 1, scene.length_mm, parameters.threads);
    if (!goes_on(progress, "segmenting", 0.8)) return cancelled();
    const double strand_mm = std::min(kStrand_mm, kStrandOfLength * (scene.length_mm - kNoStrand_mm));
    in_its_box(out.mask, region, parameters.threads, [&](Mask part, const MaskBox& box) {
        Mask seeds(part.size());
        std::vector<int> cell_of;  // of a column
        for (int c = 0; c < part.size().columns; ++c) cell_of.push_back((box.low.column + c - grid.first.column) / grid.block[0]);
        parallel_for(part.size().slices, parameters.threads, [&](int k) {
            for (int row = 0; row < part.size().rows; ++row) {
                const auto* const core = scene.core.data() + scene.core.offset(0, (box.low.row + row - grid.first.row) / grid.block[1], (box.low.slice + k - grid.first.slice) / grid.block[2]);
                auto* const seed = seeds.data() + seeds.offset(0, row, k);
                if (first_nonzero(core, 0, grid.size.columns) == grid.size.columns) continue;  // most rows: their zeros need not be written
                for (std::size_t c = 0; c < cell_of.size(); ++c) seed[c] = core[cell_of[c]];
            }
        });
        auto opened = strand_mm > 0 ? without_strands(std::move(part), {g.column_spacing_mm(), g.row_spacing_mm(), g.slab_mm(0)}, strand_mm, parameters.threads) : std::move(part);
        return filled(seeded_components(std::move(opened), seeds));
    });
    if (!goes_on(progress, "segmenting", 0.9)) return cancelled();
    recalibrate(out, region, parameters.threads);
    if (prompt.contours.size() > 1) follow_contours(out, g, prompt.contours);
    const auto corrections = corrections_of(out, g, prompt);
    correct(out, g, corrections, parameters.threads);
    if (parameters.variants > 0) {
        Grid<float> added(grid.size);
        Grid<float> corrected(grid.size);
        for (int k = 0; k < grid.size.slices && !corrections.empty(); ++k) {
            for (int row = 0; row < grid.size.rows; ++row) {
                for (int c = 0; c < grid.size.columns; ++c) corrected.at(c, row, k) = static_cast<float>(change_at(corrections, g.to_patient(grid.ct_index(c, row, k))));
            }
        }
        for (std::size_t i = 0; i < z.values().size(); ++i) added[i] = z[i] - of_energy[i];
        out.variants = variants_of({scene, prompt, constants, added, logits, corrected, threshold, alike, parameters.method == Method::fusion ? alike : 0}, g, parameters.variants, parameters.threads);
    }
    // Nothing lies beyond the region unless a reader drew it there; to read memory that nobody has written costs as much as to write it.
    const bool drawn = prompt.contours.size() > 1 || !corrections.empty();
    const auto voxels = voxels_in(out.mask, drawn ? MaskBox{{0, 0, 0}, {g.size().columns - 1, g.size().rows - 1, g.size().slices - 1}} : region);
    if (voxels == 0) {
        return Error{Code::empty_mask, "nothing around the prompt looks like a lesion", "segmentation"};
    }
    add_notices(out, scene, prompt, constants, learned, static_cast<double>(voxels), g.voxel_volume_mm3().value_or(grid.spacing_mm[0] * grid.spacing_mm[1] * grid.spacing_mm[2] / (grid.block[0] * grid.block[1] * grid.block[2])));
    return out;
}

}  // namespace retromass::segmentation

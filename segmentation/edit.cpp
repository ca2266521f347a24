#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "core/units.h"
#include "segmentation/filters.h"
#include "segmentation/section.h"
#include "segmentation/segment.h"

namespace retromass::segmentation {
namespace {

using Kind = Edit::Kind;

constexpr double kSmoothReach = 3;   // sigmas a Gaussian reaches

int slice_at(const VolumeGeometry& g, PatientPoint p) { return std::clamp(static_cast<int>(std::lround(g.to_index(p).slice)), 0, g.size().slices - 1); }

Error contradict(std::string why) { return Error{Code::prompt_contradictory, std::move(why), {}}; }

void paint_sphere(Mask& mask, const VolumeGeometry& g, PatientPoint centre, double radius_mm, std::uint8_t value)
{
    const auto n = g.size();
    for (int k = 0; k < n.slices; ++k) {
        const auto from = centre - g.slice_origin(k);
        const double height = dot(from, g.normal());
        const double reach = radius_mm * radius_mm - height * height;
        if (reach < 0) continue;
        const double x = dot(from, g.column_step());
        const double y = dot(from, g.row_step());
        for (int r = 0; r < n.rows; ++r) {
            const double dy = r * g.row_spacing_mm() - y;
            for (int c = 0; c < n.columns; ++c) {
                const double dx = c * g.column_spacing_mm() - x;
                if (dx * dx + dy * dy <= reach) mask.at(c, r, k) = value;
            }
        }
    }
}

Status paint_contour(Mask& mask, const VolumeGeometry& g, const std::vector<PatientPoint>& contour, std::uint8_t value)
{
    const int k = slice_at(g, contour[0]);
    for (const auto& p : contour) {
        if (slice_at(g, p) != k) return contradict("the contour's points lie on different slices");
    }
    const auto section = section_of(g, contour, k);
    auto plane = mask.plane(k);
    for (std::size_t i = 0; i < plane.size(); ++i) {
        if (section[i]) plane[i] = value;
    }
    return Done{};
}

/// Value between the pixels of a slice, the edge pixel beyond them.
double between(const Grid<float>& values, double column, double row)
{
    const int columns = values.size().columns;
    const int rows = values.size().rows;
    const double x = std::clamp(column, 0.0, columns - 1.0);
    const double y = std::clamp(row, 0.0, rows - 1.0);
    const int c = static_cast<int>(x);
    const int r = static_cast<int>(y);
    const int c1 = std::min(c + 1, columns - 1);
    const int r1 = std::min(r + 1, rows - 1);
    const auto line = [&](int at) { return values.at(c, at, 0) + (x - c) * (values.at(c1, at, 0) - values.at(c, at, 0)); };
    return line(r) + (y - r) * (line(r1) - line(r));
}

/// Shape-based interpolation (Raya and Udupa 1990): between two slices the outline is where their signed distances, weighted by height, are 0.
Status fill(Mask& mask, const VolumeGeometry& g, const std::vector<PatientPoint>& ends)
{
    const auto [low, high] = std::minmax({slice_at(g, ends[0]), slice_at(g, ends[1])});
    if (high - low < 2) return contradict("no slice lies between the two");
    const auto below = section_distance(plane_of(mask, low), g);
    const auto above = section_distance(plane_of(mask, high), g);
    if (!below || !above) return contradict("the mask shows nothing on slice " + std::to_string((below ? high : low) + 1));
    for (int k = low + 1; k < high; ++k) {
        const double t = (g.slice_position_mm(k) - g.slice_position_mm(low)) / (g.slice_position_mm(high) - g.slice_position_mm(low));
        // A leaning stack drifts in its plane from slice to slice; the patient does not.
        const auto drift = [&](int other, PatientPoint step, double spacing) { return dot(g.slice_origin(k) - g.slice_origin(other), step) / spacing; };
        const double low_c = drift(low, g.column_step(), g.column_spacing_mm()), low_r = drift(low, g.row_step(), g.row_spacing_mm());
        const double high_c = drift(high, g.column_step(), g.column_spacing_mm()), high_r = drift(high, g.row_step(), g.row_spacing_mm());
        for (int r = 0; r < g.size().rows; ++r) {
            for (int c = 0; c < g.size().columns; ++c) {
                mask.at(c, r, k) = (1 - t) * between(*below, c + low_c, r + low_r) + t * between(*above, c + high_c, r + high_r) >= 0;
            }
        }
    }
    return Done{};
}

struct Bounds {
    Index low;
    Index high;
};

std::optional<Bounds> bounds_of(const Mask& mask)
{
    const auto n = mask.size();
    Bounds b{{n.columns, n.rows, n.slices}, {-1, -1, -1}};
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            for (int c = 0; c < n.columns; ++c) {
                if (!mask.at(c, r, k)) continue;
                b.low = {std::min(b.low.column, c), std::min(b.low.row, r), std::min(b.low.slice, k)};
                b.high = {std::max(b.high.column, c), std::max(b.high.row, r), std::max(b.high.slice, k)};
            }
        }
    }
    return b.high.slice < 0 ? std::nullopt : std::optional(b);
}

/// A Gaussian of the mask, cut where it holds as many voxels as before: a cut at one half would eat whatever is round.
void smoothen(Mask& mask, const VolumeGeometry& g, double sigma_mm)
{
    const auto bounds = bounds_of(mask);
    if (!bounds) return;
    const int last = g.size().slices - 1;
    const double dz = last > 0 ? (g.slice_position_mm(last) - g.slice_position_mm(0)) / last : 1;
    const std::array<double, 3> spacing{g.column_spacing_mm(), g.row_spacing_mm(), dz};
    const auto margin = [&](std::size_t axis) { return static_cast<int>(std::ceil(kSmoothReach * sigma_mm / spacing[axis])); };
    const Index low{std::max(bounds->low.column - margin(0), 0), std::max(bounds->low.row - margin(1), 0), std::max(bounds->low.slice - margin(2), 0)};
    const Index high{std::min(bounds->high.column + margin(0), g.size().columns - 1), std::min(bounds->high.row + margin(1), g.size().rows - 1), std::min(bounds->high.slice + margin(2), last)};
    Grid<float> part({high.column - low.column + 1, high.row - low.row + 1, high.slice - low.slice + 1});
    const auto each = [&](const std::function<void(std::size_t, std::size_t)>& visit) {
        for (int k = low.slice; k <= high.slice; ++k) {
            for (int r = low.row; r <= high.row; ++r) {
                for (int c = low.column; c <= high.column; ++c) visit(part.offset(c - low.column, r - low.row, k - low.slice), mask.offset(c, r, k));
            }
        }
    };
    std::size_t voxels = 0;
    each([&](std::size_t in_part, std::size_t in_mask) {
        part[in_part] = mask[in_mask] != 0;
        voxels += mask[in_mask] != 0;
    });
    part = gaussian(part, spacing, sigma_mm, 0);
    std::vector<float> values(part.values().begin(), part.values().end());
    const auto nth = values.begin() + static_cast<std::ptrdiff_t>(voxels - 1);
    std::nth_element(values.begin(), nth, values.end(), std::greater<>());
    const float limit = *nth;
    // Equal values (a symmetric shape has many) go in or stay out together, whichever comes nearer to the number of voxels.
    const auto above = static_cast<std::size_t>(std::count_if(part.values().begin(), part.values().end(), [&](float v) { return v > limit; }));
    const auto upto = static_cast<std::size_t>(std::count_if(part.values().begin(), part.values().end(), [&](float v) { return v >= limit; }));
    const bool with_equals = above == 0 || upto - voxels <= voxels - above;
    each([&](std::size_t in_part, std::size_t in_mask) { mask[in_mask] = with_equals ? part[in_part] >= limit : part[in_part] > limit; });
}

/// What is joined to the point over faces, edges or corners (docs/clinical.md 1.3).
Status keep(Mask& mask, const VolumeGeometry& g, PatientPoint point)
{
    const auto n = mask.size();
    const auto i = g.to_index(point);
    const Index seed{static_cast<int>(std::lround(i.column)), static_cast<int>(std::lround(i.row)), static_cast<int>(std::lround(i.slice))};
    if (!n.contains(seed.column, seed.row, seed.slice) || !mask.at(seed.column, seed.row, seed.slice)) return contradict("the point lies in no part of the mask");
    Mask kept(n);
    std::vector<Index> open{seed};
    kept.at(seed.column, seed.row, seed.slice) = 1;
    while (!open.empty()) {
        const auto at = open.back();
        open.pop_back();
        for (int k = at.slice - 1; k <= at.slice + 1; ++k) {
            for (int r = at.row - 1; r <= at.row + 1; ++r) {
                for (int c = at.column - 1; c <= at.column + 1; ++c) {
                    if (!n.contains(c, r, k) || !mask.at(c, r, k) || kept.at(c, r, k)) continue;
                    kept.at(c, r, k) = 1;
                    open.push_back({c, r, k});
                }
            }
        }
    }
    mask = std::move(kept);
    return Done{};
}

Status apply(Mask& mask, const VolumeGeometry& g, const Edit& edit)
{
    for (const auto& p : edit.points) {
        if (g.contains(p)) continue;
        return Error{Code::prompt_outside, fixed(p.x, 1) + "," + fixed(p.y, 1) + "," + fixed(p.z, 1) + " mm (LPS) lies outside the mask's volume", {}};
    }
    switch (edit.kind) {
    case Kind::add_sphere: paint_sphere(mask, g, edit.points[0], edit.mm, 1); return Done{};
    case Kind::remove_sphere: paint_sphere(mask, g, edit.points[0], edit.mm, 0); return Done{};
    case Kind::add_contour: return paint_contour(mask, g, edit.points, 1);
    case Kind::remove_contour: return paint_contour(mask, g, edit.points, 0);
    case Kind::fill_between: return fill(mask, g, edit.points);
    case Kind::smooth: smoothen(mask, g, edit.mm); return Done{};
    case Kind::keep_component: return keep(mask, g, edit.points[0]);
    case Kind::undo: break;  // settled before anything is replayed
    }
    return Done{};
}

std::string line_of(const Edit& edit)
{
    const auto text = text_of(EditLog{{}, {edit}});
    const auto from = text.find('\n') + 1;
    return text.substr(from, text.size() - from - 1);
}

}  // namespace

Result<EditedMask> edited(const Mask& mask, const VolumeGeometry& geometry, const EditLog& log)
{
    const std::string here = "segmentation: edited";
    RETROMASS_ASSERT(mask.size() == geometry.size(), "a mask is edited on its own grid");
    if (!log.start.empty() && log.start != fingerprint(mask)) {
        return Error{Code::verification_failed, "the edits were drawn on another mask: they name " + log.start + ", this one is " + fingerprint(mask), here};
    }
    EditedMask out{mask, {}};
    std::vector<std::size_t> standing;  // into effects
    std::vector<const Edit*> edits;     // beside effects
    for (const auto& edit : log.edits) {
        if (edit.kind != Kind::undo) {
            standing.push_back(out.effects.size());
            edits.push_back(&edit);
            out.effects.push_back({line_of(edit), 0, 0, false});
        } else if (standing.empty()) {
            return at(contradict("an undo has no edit before it to take back"), here);
        } else {
            out.effects[standing.back()].undone = true;
            standing.pop_back();
        }
    }
    for (const auto i : standing) {
        auto& effect = out.effects[i];
        const auto before = out.mask;
        const auto done = apply(out.mask, geometry, *edits[i]);
        if (!done) {
            constexpr std::size_t kShown = 60;
            std::string why = effect.what.substr(0, kShown);
            why += (effect.what.size() > kShown ? "...: " : ": ") + done.error().message;
            return at(Error{done.error().code, std::move(why), {}}, here);
        }
        for (std::size_t v = 0; v < before.values().size(); ++v) {
            effect.added += out.mask[v] && !before[v];
            effect.removed += !out.mask[v] && before[v];
        }
    }
    if (std::none_of(out.mask.values().begin(), out.mask.values().end(), [](auto v) { return v != 0; })) return Error{Code::empty_mask, "nothing is left of the mask; that is not 0 mm", here};
    return out;
}

std::string fingerprint(const Mask& mask)
{
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    const auto take = [&hash](std::uint8_t byte) { hash = (hash ^ byte) * 0x100000001b3ULL; };
    for (const int n : {mask.size().columns, mask.size().rows, mask.size().slices}) {
        for (int shift = 0; shift < 32; shift += 8) take(static_cast<std::uint8_t>(n >> shift));
    }
    for (const auto v : mask.values()) take(v != 0);
    std::string out;
    for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[hash >> shift & 15];
    return out;
}

}  // namespace retromass::segmentation

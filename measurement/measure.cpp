#include "measurement/measure.h"

#include <algorithm>
#include <cmath>

#include "measurement/axes.h"
#include "measurement/density.h"
#include "measurement/mesh.h"
#include "measurement/plane_view.h"
#include "measurement/regions.h"

namespace retromass::measurement {
namespace {

constexpr double kLeavesLesion = 0.10;  // definitions.md 2.2

/// Whether the mask reaches the edge of what was scanned: the grid's faces, or voxels the scanner did not measure.
std::string truncation(const Mask& mask, const VolumeGeometry& g, const Grid<std::int16_t>* hu)
{
    const auto n = mask.size();
    bool ends = false;
    bool sides = false;
    bool padded = false;
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            const auto* row = mask.data() + mask.offset(0, r, k);
            const bool edge_row = r == 0 || r == n.rows - 1;
            if (k == 0 || k == n.slices - 1) ends = ends || std::any_of(row, row + n.columns, [](auto v) { return v != 0; });
            if (edge_row) sides = sides || std::any_of(row, row + n.columns, [](auto v) { return v != 0; });
            sides = sides || row[0] || row[n.columns - 1];
            if (!hu || padded) continue;
            for (int c = 0; c < n.columns && !padded; ++c) {
                if (!row[c]) continue;
                const auto is_padding = [&](int cc, int rr, int kk) { return n.contains(cc, rr, kk) && hu->at(cc, rr, kk) == kPaddingHu; };
                padded = is_padding(c, r, k) || is_padding(c - 1, r, k) || is_padding(c + 1, r, k) || is_padding(c, r - 1, k) || is_padding(c, r + 1, k);
            }
        }
    }
    std::string where;
    const auto add = [&](bool what, const char* text) {
        if (what) where += (where.empty() ? "" : " and ") + std::string(text);
    };
    add(ends, g.size().slices == 1 ? "the only slice" : "the first or last slice");
    add(sides, "the edge of the image");
    add(padded, "voxels outside the field of view");
    return where;
}

std::vector<Notice> notices_of(const Mask& mask, const VolumeGeometry& g, const Grid<std::int16_t>* hu, const PlaneView& view, const Runs& runs, const LesionMeasurements& m)
{
    std::vector<Notice> out;
    if (!view.acquired_axial()) {
        out.push_back({Code::not_axial, "the slices are " + fixed(g.angle_to_axial_deg(), 1) + " degrees from axial; axes are taken in the grid plane nearest to axial"});
    }
    if (!g.uniform() && g.size().slices > 1) out.push_back({Code::uneven_slices, "the slice distance is not uniform; volume is the sum of area times slab"});
    if (runs.components.size() > 1) {
        auto sizes = runs.components;
        std::sort(sizes.rbegin(), sizes.rend());
        std::string list;
        constexpr std::size_t shown = 4;
        for (std::size_t i = 0; i < std::min(shown, sizes.size()); ++i) list += (i ? ", " : "") + fixed(static_cast<double>(sizes[i]) * m.voxel_volume_mm3 / 1000, 2);
        out.push_back({Code::several_components, std::to_string(sizes.size()) + " separate parts of " + list + (sizes.size() > shown ? ", ..." : "") + " ml; axes are taken within one, volume and extent cover all"});
    }
    if (m.outside_fraction > kLeavesLesion) {
        out.push_back({Code::axis_leaves_lesion, fixed(100 * m.outside_fraction, 0) + " % of the long axis lies outside the lesion; the longest part inside is " + fixed(m.longest_inside_chord_mm, 1) + " mm"});
    }
    const auto where = truncation(mask, g, hu);
    if (!where.empty()) out.push_back({Code::truncated, "the lesion reaches " + where + "; its values are lower bounds"});
    return out;
}

}  // namespace

Result<LesionMeasurements> measure(const Mask& mask, const VolumeGeometry& geometry, const Grid<std::int16_t>* hu, const MeasureParameters& parameters)
{
    if (mask.size() != geometry.size() || (hu && hu->size() != geometry.size())) {
        return Error{Code::mask_grid, "mask, geometry and CT differ in size", "measurement: measure"};
    }
    if (std::none_of(mask.values().begin(), mask.values().end(), [](auto v) { return v != 0; })) {
        return Error{Code::empty_mask, "the mask holds no voxel: not evaluable, not 0 mm", "measurement: measure"};
    }
    const PlaneView view(mask, geometry);
    const auto runs = runs_of(view.mask());
    LesionMeasurements m;
    const auto moments = moments_of(view, runs);
    m.voxels = moments.voxels;
    m.centroid = moments.centroid;
    m.principal_axes_mm = moments.principal_axes_mm;
    const auto axes = plane_axes(view, runs, parameters.recorded_precision_mm);
    m.long_axis = axes.long_axis;
    m.short_axis = axes.short_axis;
    m.outside_fraction = axes.outside_fraction;
    m.longest_inside_chord_mm = axes.longest_inside_chord_mm;
    m.craniocaudal = craniocaudal(view, runs, m.centroid, parameters.recorded_precision_mm);
    const auto at = [&](int slice) { return view.acquired_axial() ? view.ct_index(0, 0, slice).slice : slice; };
    m.long_axis.slice = at(m.long_axis.slice);
    m.short_axis.slice = m.long_axis.slice;

    // Volume by acquired slices, whatever plane the axes were taken in (definitions.md 3.1).
    double volume_mm3 = 0;
    const double pixel_mm2 = geometry.column_spacing_mm() * geometry.row_spacing_mm();
    for (int k = 0; k < mask.size().slices; ++k) {
        const auto plane = mask.plane(k);
        const auto count = plane.size() - static_cast<std::size_t>(std::count(plane.begin(), plane.end(), std::uint8_t{0}));
        if (count) volume_mm3 += static_cast<double>(count) * pixel_mm2 * geometry.slab_mm(k);
    }
    m.volume_ml = volume_mm3 / 1000;
    m.recorded_volume_ml = recorded_ml(m.volume_ml);
    m.voxel_volume_mm3 = volume_mm3 / static_cast<double>(m.voxels);

    const auto mesh = mesh_measures(view);
    m.mesh_volume_mm3 = mesh.volume_mm3;
    m.surface_area_mm2 = mesh.area_mm2;
    m.max_3d_diameter_mm = std::max(longest_3d_mm(view, runs), m.long_axis.exact_mm);
    m.components_3d = static_cast<int>(runs.components.size());
    if (hu) {
        m.hu = hu_of(view, *hu);
        m.hu_core = hu_core_of(view, *hu, parameters.metal_lower_hu);
        m.components = components_of(view, geometry, *hu, parameters);
    }
    m.notices = notices_of(mask, geometry, hu, view, runs, m);
    return m;
}

}  // namespace retromass::measurement

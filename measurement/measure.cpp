#include "measurement/measure.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "measurement/axes.h"
#include "measurement/density.h"
#include "measurement/mesh.h"
#include "measurement/moments.h"
#include "measurement/regions.h"

namespace retromass::measurement {
namespace {

constexpr double kAxialWithin_deg = 30;      ///< definitions 2.5
constexpr double kOutsideNotice = 0.10;      ///< definitions 2.2

/// The same mask with the grid plane nearest axial as its slices.
struct Turned {
    VolumeGeometry geometry;
    Mask mask;
};

/// Fails where the stack is tilted or uneven: its planes across are no grid.
Result<Turned> turned_axial(const Mask& mask, const VolumeGeometry& geometry)
{
    const auto spacing = geometry.slice_spacing_mm();
    if (!spacing || geometry.tilt_deg() > 0.1) return Error{Code::not_axial, "the planes across a tilted or uneven stack are no grid", "measurement"};
    const auto n = geometry.size();
    const bool columns_run_up = std::abs(geometry.column_step().z) >= std::abs(geometry.row_step().z);
    const PatientPoint up = columns_run_up ? geometry.column_step() : geometry.row_step();
    const double up_mm = columns_run_up ? geometry.column_spacing_mm() : geometry.row_spacing_mm();
    const int count = columns_run_up ? n.columns : n.rows;
    // (row, slice, column) and (slice, column, row) are right-handed like (column, row, slice).
    const PatientPoint across = columns_run_up ? geometry.row_step() : geometry.normal();
    const PatientPoint down = columns_run_up ? geometry.normal() : geometry.column_step();
    const double across_mm = columns_run_up ? geometry.row_spacing_mm() : *spacing;
    const double down_mm = columns_run_up ? *spacing : geometry.column_spacing_mm();
    const int wide = columns_run_up ? n.rows : n.slices;
    const int high = columns_run_up ? n.slices : n.columns;
    std::vector<PatientPoint> origins;
    origins.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) origins.push_back(geometry.slice_origin(0) + (i * up_mm) * up);
    Turned out;
    RETROMASS_TRY_ASSIGN(out.geometry, VolumeGeometry::from_slices(wide, high, across, down, across_mm, down_mm, std::move(origins)));
    out.mask = Mask({wide, high, count});
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            for (int c = 0; c < n.columns; ++c) {
                if (columns_run_up) {
                    out.mask.at(r, k, c) = mask.at(c, r, k);
                } else {
                    out.mask.at(k, c, r) = mask.at(c, r, k);
                }
            }
        }
    }
    return out;
}

/// Sum of the slabs touched, and where the centroid meets the first and last face (definitions 2.4).
Axis craniocaudal_of(const PackedMask& mask, const VolumeGeometry& geometry, PatientPoint centroid, double precision_mm)
{
    Axis axis;
    const int first = mask.low().slice;
    const int last = mask.high().slice;
    for (int k = first; k <= last; ++k) {
        if (mask.voxels_in(k) > 0) axis.exact_mm += geometry.slab_mm(k);
    }
    const PatientPoint normal = geometry.normal();
    const double here = dot(centroid, normal);
    axis.a = centroid + (geometry.slab_faces_mm(first)[0] - here) * normal;
    axis.b = centroid + (geometry.slab_faces_mm(last)[1] - here) * normal;
    axis.slice = first;
    axis.recorded = Length::recorded(axis.exact_mm, precision_mm);
    return axis;
}

/// Touches the edge of the stack, or voxels the scanner did not measure.
bool is_cut(const PackedMask& mask, const VolumeGeometry& geometry, const Grid<std::int16_t>* hu)
{
    const auto n = geometry.size();
    const Index low = mask.low();
    const Index high = mask.high();
    if (low.column == 0 || low.row == 0 || low.slice == 0 || high.column == n.columns - 1 || high.row == n.rows - 1 || high.slice == n.slices - 1) return true;
    if (!hu) return false;
    bool cut = false;
    const auto look = [&](int first, int last, int r, int k) {
        const auto* const start = hu->data() + hu->offset(0, r, k);
        bool found = false;  // no early end: the loop compares many voxels at once
        for (int c = first; c <= last; ++c) found |= start[c] == kPaddingHu;
        cut |= found;
    };
    for (int k = low.slice; k <= high.slice; ++k) {
        for (int r = low.row; r <= high.row; ++r) {
            for_each_stretch(mask.row(r, k), [&](int from, int to) {
                const int first = mask.column_of(from);
                const int last = mask.column_of(to);
                look(first, last, r - 1, k);
                look(first - 1, last + 1, r, k);
                look(first, last, r + 1, k);
            });
        }
    }
    return cut;
}

void measure_planes(LesionMeasurements& out, const PackedMask& mask, const VolumeGeometry& geometry, const MeasureParameters& parameters)
{
    const auto axes = planar_axes(mask, geometry, parameters.recorded_precision_mm, parameters.threads);
    out.long_axis = axes.long_axis;
    out.short_axis = axes.short_axis;
    out.outside_fraction = axes.outside_fraction;
    out.longest_inside_chord_mm = axes.longest_inside_chord_mm;
    out.craniocaudal = craniocaudal_of(mask, geometry, out.centroid, parameters.recorded_precision_mm);
}

void note_findings(LesionMeasurements& out, const std::vector<std::size_t>& parts, bool cut)
{
    if (cut) out.notices.push_back({Code::truncated, "the lesion touches the edge of the scan or of the field of view: its values are lower bounds (long axis >= " + out.long_axis.recorded.text() + " mm)"});
    if (parts.size() > 1) {
        const double rest_ml = out.volume_ml * static_cast<double>(out.voxels - parts.front()) / static_cast<double>(out.voxels);
        out.notices.push_back({Code::several_components, "the mask has " + std::to_string(parts.size()) + " separate parts; " + fixed(rest_ml, 2) + " ml lie outside the largest"});
    }
    if (out.outside_fraction > kOutsideNotice) {
        out.notices.push_back({Code::axis_leaves_lesion, fixed(100 * out.outside_fraction, 0) + " % of the long axis of " + out.long_axis.recorded.text() + " mm run outside the lesion; the longest part inside is " +
                                                             fixed(out.longest_inside_chord_mm, 1) + " mm"});
    }
}

}  // namespace

Result<LesionMeasurements> measure(const Mask& mask, const VolumeGeometry& geometry, const Grid<std::int16_t>* hu, const MeasureParameters& parameters)
{
    if (mask.size() != geometry.size() || (hu && hu->size() != mask.size())) return Error{Code::mask_grid, "mask, grid and HU differ in size", "measurement"};
    const PackedMask packed(mask);
    if (packed.empty()) return Error{Code::empty_mask, "the mask holds no voxel", "measurement"};

    LesionMeasurements out;
    out.voxels = packed.voxels();
    const auto moments = moments_of(packed, geometry);
    out.centroid = moments.centroid;
    out.principal_axes_mm = moments.principal_axes_mm;
    if (geometry.angle_to_axial_deg() > kAxialWithin_deg) {
        std::string how = "the nearest axial grid plane was used";
        if (auto turned = turned_axial(mask, geometry)) {
            measure_planes(out, PackedMask(turned->mask), turned->geometry, parameters);
        } else {
            how = "the stack is tilted or uneven, so the acquired plane was used";
            measure_planes(out, packed, geometry, parameters);
        }
        out.notices.push_back({Code::not_axial, "the slice normal is " + fixed(geometry.angle_to_axial_deg(), 0) + " degrees from the body axis; " + how});
    } else {
        measure_planes(out, packed, geometry, parameters);
    }

    const double pixel_mm2 = geometry.column_spacing_mm() * geometry.row_spacing_mm();
    double volume_mm3 = 0;
    for (int k = packed.low().slice; k <= packed.high().slice; ++k) volume_mm3 += static_cast<double>(packed.voxels_in(k)) * pixel_mm2 * geometry.slab_mm(k);
    out.volume_ml = volume_mm3 / 1000;
    out.recorded_volume_ml = recorded_ml(out.volume_ml);
    out.voxel_volume_mm3 = volume_mm3;
    const auto mesh = mesh_measures(packed, geometry);
    out.mesh_volume_mm3 = mesh.volume_mm3;
    out.surface_area_mm2 = mesh.surface_mm2;
    out.max_3d_diameter_mm = mesh.max_diameter_mm;
    auto parts = part_sizes(packed);
    std::sort(parts.begin(), parts.end(), std::greater<>());
    out.components_3d = static_cast<int>(parts.size());
    for (const auto voxels : parts) out.parts_ml.push_back(out.volume_ml * static_cast<double>(voxels) / static_cast<double>(out.voxels));
    if (hu) {
        const auto density = density_of(packed, *hu, parameters.metal_lower_hu);
        out.hu = density.all;
        out.hu_core = density.core;
        out.components = components_of(packed, geometry, *hu, parameters);
    }
    note_findings(out, parts, is_cut(packed, geometry, hu));
    return out;
}

}  // namespace retromass::measurement

#include "measurement/measure.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "measurement/axes.h"
#include "measurement/density.h"
#include "measurement/mesh.h"
#include "measurement/regions.h"

namespace retromass::measurement {
namespace {

constexpr double kAxialWithin_deg = 30;      ///< definitions 2.5
constexpr double kOutsideNotice = 0.10;      ///< definitions 2.2

struct Box {
    Index low;
    Index high;
    std::size_t voxels = 0;
};

Box box_of(const Mask& mask)
{
    const auto n = mask.size();
    Box box{{n.columns, n.rows, n.slices}, {-1, -1, -1}, 0};
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            for (int c = 0; c < n.columns; ++c) {
                if (!mask.at(c, r, k)) continue;
                ++box.voxels;
                box.low = {std::min(box.low.column, c), std::min(box.low.row, r), std::min(box.low.slice, k)};
                box.high = {std::max(box.high.column, c), std::max(box.high.row, r), std::max(box.high.slice, k)};
            }
        }
    }
    return box;
}

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

PatientPoint centroid_of(const Mask& mask, const VolumeGeometry& geometry, const Box& box)
{
    PatientPoint sum;
    for (int k = box.low.slice; k <= box.high.slice; ++k) {
        double columns = 0, rows = 0, count = 0;
        for (int r = box.low.row; r <= box.high.row; ++r) {
            for (int c = box.low.column; c <= box.high.column; ++c) {
                if (!mask.at(c, r, k)) continue;
                columns += c;
                rows += r;
                count += 1;
            }
        }
        if (count > 0) sum = sum + count * geometry.to_patient(ContinuousIndex{columns / count, rows / count, static_cast<double>(k)});
    }
    return (1.0 / static_cast<double>(box.voxels)) * sum;
}

/// Sum of the slabs touched, and where the centroid meets the first and last face (definitions 2.4).
Axis craniocaudal_of(const Mask& mask, const VolumeGeometry& geometry, PatientPoint centroid, double precision_mm)
{
    Axis axis;
    int first = -1;
    int last = -1;
    for (int k = 0; k < mask.size().slices; ++k) {
        const auto plane = mask.plane(k);
        if (std::find_if(plane.begin(), plane.end(), [](auto v) { return v != 0; }) == plane.end()) continue;
        if (first < 0) first = k;
        last = k;
        axis.exact_mm += geometry.slab_mm(k);
    }
    const PatientPoint normal = geometry.normal();
    const double here = dot(centroid, normal);
    axis.a = centroid + (geometry.slab_faces_mm(first)[0] - here) * normal;
    axis.b = centroid + (geometry.slab_faces_mm(last)[1] - here) * normal;
    axis.slice = first;
    axis.recorded = Length::recorded(axis.exact_mm, precision_mm);
    return axis;
}

/// Eigenvalues of a symmetric 3 x 3 matrix, largest first (Jacobi's rotations).
std::array<double, 3> eigenvalues(std::array<std::array<double, 3>, 3> m)
{
    for (int sweep = 0; sweep < 50; ++sweep) {
        double off = 0;
        for (std::size_t p = 0; p < 2; ++p) {
            for (std::size_t q = p + 1; q < 3; ++q) {
                off += std::abs(m[p][q]);
                if (m[p][q] == 0) continue;
                const double theta = (m[q][q] - m[p][p]) / (2 * m[p][q]);
                const double t = (theta >= 0 ? 1 : -1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
                const double c = 1 / std::sqrt(t * t + 1);
                const double s = t * c;
                for (std::size_t i = 0; i < 3; ++i) {
                    const double a = m[i][p];
                    const double b = m[i][q];
                    m[i][p] = c * a - s * b;
                    m[i][q] = s * a + c * b;
                }
                for (std::size_t i = 0; i < 3; ++i) {
                    const double a = m[p][i];
                    const double b = m[q][i];
                    m[p][i] = c * a - s * b;
                    m[q][i] = s * a + c * b;
                }
            }
        }
        if (off == 0) break;
    }
    std::array<double, 3> values{m[0][0], m[1][1], m[2][2]};
    std::sort(values.begin(), values.end(), std::greater<>());
    return values;
}

std::array<double, 3> principal_axes(const Mask& mask, const VolumeGeometry& geometry, const Box& box, PatientPoint centroid)
{
    std::array<double, 3> out{};
    if (box.voxels < 2) return out;
    std::array<std::array<double, 3>, 3> sums{};
    for (int k = box.low.slice; k <= box.high.slice; ++k) {
        for (int r = box.low.row; r <= box.high.row; ++r) {
            const PatientPoint start = geometry.to_patient(Index{0, r, k}) - centroid;
            for (int c = box.low.column; c <= box.high.column; ++c) {
                if (!mask.at(c, r, k)) continue;
                const PatientPoint p = start + (c * geometry.column_spacing_mm()) * geometry.column_step();
                const std::array<double, 3> v{p.x, p.y, p.z};
                for (std::size_t i = 0; i < 3; ++i) {
                    for (std::size_t j = i; j < 3; ++j) sums[i][j] += v[i] * v[j];
                }
            }
        }
    }
    for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 3; ++j) {
            if (j < i) {
                sums[i][j] = sums[j][i];
            } else {
                sums[i][j] /= static_cast<double>(box.voxels - 1);
            }
        }
    }
    const auto values = eigenvalues(sums);
    for (std::size_t i = 0; i < 3; ++i) out[i] = 4 * std::sqrt(std::max(0.0, values[i]));
    return out;
}

/// Touches the edge of the stack, or voxels the scanner did not measure.
bool is_cut(const Mask& mask, const Box& box, const Grid<std::int16_t>* hu)
{
    const auto n = mask.size();
    if (box.low.column == 0 || box.low.row == 0 || box.low.slice == 0 || box.high.column == n.columns - 1 || box.high.row == n.rows - 1 || box.high.slice == n.slices - 1) return true;
    if (!hu) return false;
    for (int k = box.low.slice; k <= box.high.slice; ++k) {
        for (int r = box.low.row; r <= box.high.row; ++r) {
            for (int c = box.low.column; c <= box.high.column; ++c) {
                if (!mask.at(c, r, k)) continue;
                if (hu->at(c - 1, r, k) == kPaddingHu || hu->at(c + 1, r, k) == kPaddingHu || hu->at(c, r - 1, k) == kPaddingHu || hu->at(c, r + 1, k) == kPaddingHu) return true;
            }
        }
    }
    return false;
}

void measure_planes(LesionMeasurements& out, const Mask& mask, const VolumeGeometry& geometry, const MeasureParameters& parameters)
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
        const auto largest = *std::max_element(parts.begin(), parts.end());
        const double rest_ml = out.volume_ml * static_cast<double>(out.voxels - largest) / static_cast<double>(out.voxels);
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
    const auto box = box_of(mask);
    if (box.voxels == 0) return Error{Code::empty_mask, "the mask holds no voxel", "measurement"};

    LesionMeasurements out;
    out.voxels = box.voxels;
    out.centroid = centroid_of(mask, geometry, box);
    if (geometry.angle_to_axial_deg() > kAxialWithin_deg) {
        std::string how = "the nearest axial grid plane was used";
        if (auto turned = turned_axial(mask, geometry)) {
            measure_planes(out, turned->mask, turned->geometry, parameters);
        } else {
            how = "the stack is tilted or uneven, so the acquired plane was used";
            measure_planes(out, mask, geometry, parameters);
        }
        out.notices.push_back({Code::not_axial, "the slice normal is " + fixed(geometry.angle_to_axial_deg(), 0) + " degrees from the body axis; " + how});
    } else {
        measure_planes(out, mask, geometry, parameters);
    }

    const double pixel_mm2 = geometry.column_spacing_mm() * geometry.row_spacing_mm();
    double volume_mm3 = 0;
    for (int k = box.low.slice; k <= box.high.slice; ++k) {
        const auto plane = mask.plane(k);
        const auto count = std::count_if(plane.begin(), plane.end(), [](auto v) { return v != 0; });
        volume_mm3 += static_cast<double>(count) * pixel_mm2 * geometry.slab_mm(k);
    }
    out.volume_ml = volume_mm3 / 1000;
    out.recorded_volume_ml = recorded_ml(out.volume_ml);
    out.voxel_volume_mm3 = volume_mm3 / static_cast<double>(box.voxels);
    const auto mesh = mesh_measures(mask, geometry, box.low, box.high);
    out.mesh_volume_mm3 = mesh.volume_mm3;
    out.surface_area_mm2 = mesh.surface_mm2;
    out.max_3d_diameter_mm = mesh.max_diameter_mm;
    out.principal_axes_mm = principal_axes(mask, geometry, box, out.centroid);
    const auto parts = part_sizes(mask, box.low, box.high);
    out.components_3d = static_cast<int>(parts.size());
    if (hu) {
        out.hu = hu_statistics(mask, *hu);
        out.hu_core = hu_statistics(core_of(mask, *hu, parameters.metal_lower_hu), *hu);
        out.components = components_of(mask, geometry, *hu, box.low, box.high, parameters);
    }
    note_findings(out, parts, is_cut(mask, box, hu));
    return out;
}

}  // namespace retromass::measurement

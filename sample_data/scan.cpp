#include "sample_data/scan.h"

#include <cmath>
#include <numbers>

namespace retromass::sample_data {
namespace {

constexpr double kNearAxial_deg = 30;  // docs/clinical.md 2.5
constexpr double kRightAngle = 1e-6;

Error refuse(std::string why) { return Error{Code::usage, std::move(why), "sample_data: scan"}; }

bool along_an_axis(PatientPoint d) { return std::max({std::abs(d.x), std::abs(d.y), std::abs(d.z)}) > 1 - kRightAngle; }

}  // namespace

std::optional<std::array<double, 6>> orientation_named(std::string_view name)
{
    if (name == "axial") return std::array<double, 6>{1, 0, 0, 0, 1, 0};
    if (name == "coronal") return std::array<double, 6>{1, 0, 0, 0, 0, -1};
    if (name == "sagittal") return std::array<double, 6>{0, 1, 0, 0, 0, -1};
    return std::nullopt;
}

Result<VolumeGeometry> scan_geometry(const Scan& scan, Dimensions grid, PatientPoint middle)
{
    const auto& o = scan.orientation;
    PatientPoint column{o[0], o[1], o[2]};
    PatientPoint row{o[3], o[4], o[5]};
    if (!(norm(column) > 0) || !(norm(row) > 0)) return refuse("an orientation needs two directions, not zeros");
    column = (1 / norm(column)) * column;
    row = (1 / norm(row)) * row;
    if (std::abs(dot(column, row)) > 1e-3) return refuse("the directions of rows and columns must be at right angles");
    row = row - dot(row, column) * column;
    row = (1 / norm(row)) * row;
    if (!(scan.column_spacing_mm > 0) || !(scan.row_spacing_mm > 0) || !(scan.slice_spacing_mm > 0)) return refuse("spacings must be greater than 0 mm");
    const PatientPoint couch = cross(column, row);
    // A tilted gantry turns the slices about their rows while the couch still moves along the untilted normal.
    const double a = scan.gantry_tilt_deg * std::numbers::pi / 180;
    if (std::abs(scan.gantry_tilt_deg) > kNearAxial_deg) return refuse("a gantry tilts by 30 degrees at most");
    const bool upright = along_an_axis(column) && along_an_axis(row);
    const double from_axial_deg = std::acos(std::min(1.0, std::abs(couch.z))) * 180 / std::numbers::pi;
    if (scan.gantry_tilt_deg != 0 && from_axial_deg > kNearAxial_deg) return refuse("a gantry tilts axial slices; leave the tilt out of a coronal or sagittal scan");
    row = std::cos(a) * row + std::sin(a) * couch;
    const PatientPoint normal = cross(column, row);
    const double tilted_deg = std::acos(std::min(1.0, std::abs(normal.z))) * 180 / std::numbers::pi;
    if (tilted_deg > kNearAxial_deg + 1e-9 && !upright) {
        return refuse("slices " + std::to_string(std::lround(tilted_deg)) + " degrees from axial have no plane in which the truth would hold; stay within 30 degrees, or take coronal or sagittal");
    }
    const PatientPoint step = (scan.slice_spacing_mm / std::cos(a)) * couch;
    const PatientPoint corner = middle - (0.5 * (grid.columns - 1) * scan.column_spacing_mm) * column - (0.5 * (grid.rows - 1) * scan.row_spacing_mm) * row - (0.5 * (grid.slices - 1)) * step;
    std::vector<PatientPoint> origins;
    for (int k = 0; k < grid.slices; ++k) origins.push_back(corner + static_cast<double>(k) * step);
    return VolumeGeometry::from_slices(grid.columns, grid.rows, column, row, scan.column_spacing_mm, scan.row_spacing_mm, std::move(origins));
}

Frame measuring_frame(const VolumeGeometry& g)
{
    if (g.angle_to_axial_deg() <= kNearAxial_deg + 1e-6) return {g.column_step(), g.row_step(), g.normal()};
    return {};
}

}  // namespace retromass::sample_data

#pragma once

#include <array>
#include <optional>
#include <vector>

#include "core/grid.h"
#include "core/result.h"

namespace retromass {

/// A point or direction in patient space: DICOM's LPS axes (x to the patient's left, y to the back, z to the head), mm.
struct PatientPoint {
    double x = 0;
    double y = 0;
    double z = 0;

    friend PatientPoint operator+(PatientPoint a, PatientPoint b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
    friend PatientPoint operator-(PatientPoint a, PatientPoint b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
    friend PatientPoint operator*(double s, PatientPoint a) { return {s * a.x, s * a.y, s * a.z}; }
    friend bool operator==(const PatientPoint&, const PatientPoint&) = default;
};

double dot(PatientPoint a, PatientPoint b);
PatientPoint cross(PatientPoint a, PatientPoint b);
double norm(PatientPoint a);
double distance(PatientPoint a, PatientPoint b);

/// A position on the grid in voxel units; whole numbers are voxel centres.
struct ContinuousIndex {
    double column = 0;
    double row = 0;
    double slice = 0;
};

/// Where the voxels of a volume lie in the patient. Slices are parallel and sorted along row x column, at any distance
/// and with any in-plane drift: uniform, tilted (sheared) and irregular series are all held as they were acquired.
/// Made by a function returning Result; valid for life.
class VolumeGeometry {
public:
    VolumeGeometry() = default;

    /// `column_step` is the unit direction in which the column index grows (DICOM's first IOP triple), `row_step` that of
    /// the row index; `slice_origins` are the centres of voxel (0, 0, k), strictly increasing along row x column.
    /// Fails with no_geometry if the directions are not orthonormal (within 1e-3), a spacing is not positive, or the
    /// origins do not increase.
    static Result<VolumeGeometry> from_slices(int columns, int rows, PatientPoint column_step, PatientPoint row_step,
                                              double column_spacing_mm, double row_spacing_mm,
                                              std::vector<PatientPoint> slice_origins);
    /// An upright axial grid: identity directions, constant spacing. For phantoms and tests.
    static VolumeGeometry axial(Dimensions size, double column_spacing_mm, double row_spacing_mm, double slice_spacing_mm,
                                PatientPoint origin = {});

    const Dimensions& size() const { return size_; }
    PatientPoint column_step() const { return column_step_; }
    PatientPoint row_step() const { return row_step_; }
    PatientPoint normal() const { return normal_; }
    double column_spacing_mm() const { return column_spacing_mm_; }  ///< between neighbouring columns
    double row_spacing_mm() const { return row_spacing_mm_; }        ///< between neighbouring rows
    PatientPoint slice_origin(int slice) const { return origins_[static_cast<std::size_t>(slice)]; }
    /// Position of a slice along the normal, mm.
    double slice_position_mm(int slice) const { return positions_[static_cast<std::size_t>(slice)]; }
    /// Thickness of the slab a slice stands for: half way to each neighbour, symmetric at the ends (docs/clinical.md 2.4).
    double slab_mm(int slice) const;
    /// The two faces of that slab along the normal, mm, lower first.
    std::array<double, 2> slab_faces_mm(int slice) const;

    /// True if every step between slices is the same vector within max(0.01 mm, 1 %) (docs/stages/ingest.md).
    bool uniform() const { return uniform_; }
    /// Distance of neighbouring slices along the normal; empty where it is not uniform.
    std::optional<double> slice_spacing_mm() const;
    /// Angle between the slice normal and the line through the slice origins, degrees; 0 for an upright stack.
    double tilt_deg() const;
    /// Angle between the slice normal and the patient's long axis, 0..90 degrees.
    double angle_to_axial_deg() const;
    /// 4 x 4, row-major, (column, row, slice, 1) of voxel centres to LPS mm, shear included; empty where not uniform.
    std::optional<std::array<double, 16>> affine_lps() const;
    /// Determinant of the affine; empty where not uniform.
    std::optional<double> voxel_volume_mm3() const;

    PatientPoint to_patient(ContinuousIndex index) const;
    PatientPoint to_patient(Index i) const
    {
        return to_patient(ContinuousIndex{double(i.column), double(i.row), double(i.slice)});
    }
    /// Inverse of to_patient; outside the stack the end spacing is continued.
    ContinuousIndex to_index(PatientPoint point) const;
    /// Whether the point lies within the voxels (their edges included).
    bool contains(PatientPoint point) const;

    friend bool operator==(const VolumeGeometry&, const VolumeGeometry&) = default;

private:
    Dimensions size_;
    PatientPoint column_step_{1, 0, 0};
    PatientPoint row_step_{0, 1, 0};
    PatientPoint normal_{0, 0, 1};
    double column_spacing_mm_ = 1;
    double row_spacing_mm_ = 1;
    std::vector<PatientPoint> origins_;
    std::vector<double> positions_;
    bool uniform_ = true;
};

/// Whether two grids are the same within half a voxel everywhere (docs/clinical.md 8.2) and of equal size.
bool same_grid(const VolumeGeometry& a, const VolumeGeometry& b);

}  // namespace retromass

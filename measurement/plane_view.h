#pragma once

#include <array>

#include "core/geometry.h"

namespace retromass::measurement {

/// The mask as the measuring plane sees it (definitions.md 2.5): cropped to its bounding box, its axes permuted so that
/// "slices" are the measuring planes. Everything behind measure() works on this, never on the CT's own order of axes.
class PlaneView {
public:
    /// The mask holds at least one voxel and has the geometry's size.
    PlaneView(const Mask& mask, const VolumeGeometry& geometry);

    const Mask& mask() const { return mask_; }
    bool acquired_axial() const { return acquired_axial_; }  ///< false: another grid plane than the acquired one
    PatientPoint to_patient(ContinuousIndex i) const;
    /// Unit normal of the measuring plane.
    PatientPoint normal() const { return normal_; }
    /// Faces of a slice's slab along the normal, mm, lower first.
    std::array<double, 2> slab_faces_mm(int slice) const;
    /// +1 if higher slices lie nearer to the head, else -1: for the tie rule (definitions.md 2.6).
    double cranial() const;
    /// CT voxel of a voxel of the view.
    Index ct_index(int column, int row, int slice) const;

private:
    std::array<int, 3> axis_{0, 1, 2};  ///< which CT axis each view axis is
    std::array<int, 3> low_{0, 0, 0};   ///< first CT voxel of the bounding box, by CT axis
    const VolumeGeometry* geometry_;
    Mask mask_;
    bool acquired_axial_ = true;
    PatientPoint normal_;
};

}  // namespace retromass::measurement

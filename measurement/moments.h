#pragma once

#include <array>

#include "core/geometry.h"
#include "measurement/packed_mask.h"

namespace retromass::measurement {

struct Moments {
    PatientPoint centroid;                      ///< of voxel centres, LPS mm
    std::array<double, 3> principal_axes_mm{};  ///< 4 sqrt(eigenvalue) of their covariance with N - 1 (definitions 3.2)
};

/// First and second moments of the voxel centres; the mask holds at least one voxel. Summed by runs, in whole numbers.
Moments moments_of(const PackedMask& mask, const VolumeGeometry& geometry);

}  // namespace retromass::measurement

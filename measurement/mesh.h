#pragma once

#include "measurement/plane_view.h"
#include "measurement/regions.h"

namespace retromass::measurement {

/// Surface of the mask at 0.5 by marching cubes, its vertices on the midpoints of voxel edges (IBSI 3.1; definitions.md 3.2).
struct MeshMeasures {
    double volume_mm3 = 0;
    double area_mm2 = 0;
};
MeshMeasures mesh_measures(const PlaneView& view);

/// Longest distance between two vertices of that mesh. Exact: the ends lie on hulls of the slices and of the layers between.
double longest_3d_mm(const PlaneView& view, const Runs& runs);

struct Moments {
    PatientPoint centroid;
    std::array<double, 3> principal_axes_mm{};  ///< 4 sqrt(eigenvalue), covariance of voxel centres with N - 1
    std::size_t voxels = 0;
};
Moments moments_of(const PlaneView& view, const Runs& runs);

}  // namespace retromass::measurement

#pragma once

#include "core/geometry.h"
#include "measurement/packed_mask.h"

namespace retromass::measurement {

struct MeshMeasures {
    double volume_mm3 = 0;
    double surface_mm2 = 0;
    double max_diameter_mm = 0;  ///< largest distance of two vertices
};

/// The mesh at one half of the mask (definitions 3.2): its vertices are the middles of voxel edges between inside and outside.
MeshMeasures mesh_measures(const PackedMask& mask, const VolumeGeometry& geometry);

}  // namespace retromass::measurement

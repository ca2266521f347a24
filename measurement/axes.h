#pragma once

#include <optional>

#include "core/geometry.h"
#include "measurement/measure.h"
#include "measurement/packed_mask.h"

namespace retromass::measurement {

struct PlanarAxes {
    Axis long_axis;
    Axis short_axis;
    double outside_fraction = 0;
    double longest_inside_chord_mm = 0;
};

/// Long and short axis of the mask over all slices (definitions 2.1-2.3, 2.6); the mask holds at least one voxel.
PlanarAxes planar_axes(const PackedMask& mask, const VolumeGeometry& geometry, double precision_mm, int threads);

}  // namespace retromass::measurement

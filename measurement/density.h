#pragma once

#include <optional>

#include "measurement/measure.h"
#include "measurement/plane_view.h"

namespace retromass::measurement {

/// HU over every voxel of the mask but padding (definitions.md 4.1).
std::optional<HuStatistics> hu_of(const PlaneView& view, const Grid<std::int16_t>& hu);
/// The same without the outermost voxel layer (voxels with a face outside the mask) and metal: what Choi uses.
std::optional<HuStatistics> hu_core_of(const PlaneView& view, const Grid<std::int16_t>& hu, double metal_lower_hu);
/// Tissue parts of the mask, smoothed inside the mask only (definitions.md 4.2). `voxel_ml` is by slice of the CT.
Components components_of(const PlaneView& view, const VolumeGeometry& geometry, const Grid<std::int16_t>& hu, const MeasureParameters& parameters);

}  // namespace retromass::measurement

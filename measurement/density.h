#pragma once

#include <optional>

#include "measurement/measure.h"

namespace retromass::measurement {

/// HU over the mask but padding; empty where nothing is left.
std::optional<HuStatistics> hu_statistics(const Mask& mask, const Grid<std::int16_t>& hu);

/// The mask without its outermost layer (6 neighbours; the edge of the volume counts as outside) and without metal.
Mask core_of(const Mask& mask, const Grid<std::int16_t>& hu, double metal_lower_hu);

/// Tissue parts after smoothing inside the mask (definitions 4.2).
Components components_of(const Mask& mask, const VolumeGeometry& geometry, const Grid<std::int16_t>& hu, Index low, Index high,
                         const MeasureParameters& parameters);

}  // namespace retromass::measurement

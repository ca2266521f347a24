#pragma once

#include <optional>

#include "measurement/measure.h"
#include "measurement/packed_mask.h"

namespace retromass::measurement {

struct Density {
    std::optional<HuStatistics> all;   ///< over the mask but padding; empty where nothing is left
    std::optional<HuStatistics> core;  ///< without the outermost layer (6 neighbours; outside the volume counts as outside) and metal
};

/// HU over the mask and its core (definitions 4.1). Counted into one bin a HU: exact, whatever the order.
Density density_of(const PackedMask& mask, const Grid<std::int16_t>& hu, double metal_lower_hu);

/// Tissue parts after smoothing inside the mask (definitions 4.2).
Components components_of(const PackedMask& mask, const VolumeGeometry& geometry, const Grid<std::int16_t>& hu, const MeasureParameters& parameters);

}  // namespace retromass::measurement

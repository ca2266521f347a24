#pragma once

#include <array>

#include "core/grid.h"

namespace retromass::segmentation {

/// Signed Euclidean distance to the mask's surface, mm, positive inside. `spacing_mm` is along column, row and slice.
Grid<float> signed_distance(const Mask& mask, std::array<double, 3> spacing_mm);

}  // namespace retromass::segmentation

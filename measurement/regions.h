#pragma once

#include <cstddef>
#include <vector>

#include "core/grid.h"

namespace retromass::measurement {

/// The 26-connected parts of a mask: voxels of each by slice are not kept, only their number, in order of first appearance.
std::vector<std::size_t> part_sizes(const Mask& mask, Index low, Index high);

}  // namespace retromass::measurement

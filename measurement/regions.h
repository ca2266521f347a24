#pragma once

#include <cstddef>
#include <vector>

#include "measurement/packed_mask.h"

namespace retromass::measurement {

/// Voxels of each 26-connected part of a mask.
std::vector<std::size_t> part_sizes(const PackedMask& mask);

/// A stretch of voxels of one row.
struct Run {
    int row = 0;
    int first = 0;  ///< columns
    int last = 0;
    friend bool operator==(const Run&, const Run&) = default;
};

/// One 8-connected region of a slice: its runs by row, then column; never empty.
using Region = std::vector<Run>;
std::vector<Region> regions_of(const PackedMask& mask, int slice);

}  // namespace retromass::measurement

#pragma once

#include <vector>

#include "core/grid.h"

namespace retromass::measurement {

/// Neighbouring voxels of one row, [first, last].
struct Run {
    int row = 0;
    int first = 0;
    int last = 0;
    int region = 0;     ///< 2-D region of its slice (8-neighbours), from 0
    int component = 0;  ///< 3-D component of the mask (26-neighbours), from 0
};

/// A mask as runs: what regions, moments and outlines are read from, without touching its empty voxels again.
struct Runs {
    std::vector<std::vector<Run>> slices;
    std::vector<int> regions;               ///< number of regions in each slice
    std::vector<std::size_t> components;    ///< voxels of each 3-D component
};
Runs runs_of(const Mask& mask);

}  // namespace retromass::measurement

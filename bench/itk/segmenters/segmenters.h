#pragma once

#include <array>
#include <cstddef>

#include "core/grid.h"

namespace retromass::bench {

/// What a crop of CT is to the three classic segmenters of ITK: HU, the middle of the lesion as the seed, and its radius as the place to stop.
struct Crop {
    Grid<float> hu;
    std::array<double, 3> spacing_mm{1, 1, 1};
    Index seed;
    double radius_mm = 0;
};
/// Voxels found: the answer is looked at, so that nobody times a filter that did nothing.
std::size_t confidence_connected(const Crop& crop);
std::size_t fast_marching(const Crop& crop);
std::size_t geodesic_active_contour(const Crop& crop);

}  // namespace retromass::bench

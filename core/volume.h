#pragma once

#include <cstdint>
#include <limits>

#include "core/geometry.h"
#include "core/grid.h"

namespace retromass {

/// Marks a voxel the scanner did not measure (DICOM pixel padding). Never part of a statistic.
inline constexpr std::int16_t kPaddingHu = std::numeric_limits<std::int16_t>::min();

/// A CT volume: Hounsfield units, rounded to the nearest, on their grid. One HU is a tenth of the least noise seen in a
/// body CT, so rounding moves no statistic that is reported.
struct CtVolume {
    VolumeGeometry geometry;
    Grid<std::int16_t> hu;
};

}  // namespace retromass

#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace retromass::outputs {

/// A closed line along pixel edges: corners as (column, row), 0,0 the outer corner of the first pixel; the last joins the first.
struct Loop {
    std::vector<std::array<int, 2>> corners;  ///< where it turns
    bool hole = false;
};
/// The outlines of a binary picture. Pixels that touch by a corner share a loop, as regions are 8-connected (docs/clinical.md 2.2). Filling all
/// loops by the even-odd rule gives the picture again, exactly.
std::vector<Loop> outlines_of(std::span<const std::uint8_t> inside, int columns, int rows);

/// The same with every hole joined to the loop round it by a channel of no width, there and back (PS3.3 C.8.8.6.3): for readers that know
/// one closed line a region.
std::vector<Loop> keyholes_of(const std::vector<Loop>& loops);

/// Twice the area inside a loop, in pixels; negative for a hole.
long doubled_area(const Loop& loop);

}  // namespace retromass::outputs

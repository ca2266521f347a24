#pragma once

#include <compare>
#include <vector>

namespace retromass::measurement {

/// A boundary point of a slice in half pixels: the middle of a pixel edge has one odd coordinate. Whole numbers compare exactly.
/// Ordered by row, then column (definitions 2.6).
struct Midpoint {
    int row2 = 0;
    int column2 = 0;
    friend auto operator<=>(const Midpoint&, const Midpoint&) = default;
};

/// Corners of the convex hull of points in ascending order without repeats (Andrew's chain): exact.
std::vector<Midpoint> convex_hull(const std::vector<Midpoint>& sorted);

}  // namespace retromass::measurement

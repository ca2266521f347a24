#pragma once

#include <algorithm>

#include "segmentation/picture.h"

namespace retromass::segmentation {

inline constexpr double kStillCovered = 0.98;   ///< of what both scans showed before a step; one that leaves less led out of the scan

/// What two pictures say of the displacement that would make them alike, the normal equations of a step of Gauss and Newton: summed over blocks of cells, since what displaces them changes little within one.
struct Pulls {
    /// Of a symmetric 3 x 3 matrix: 11, 12, 13, 22, 23, 33.
    using Six = std::array<float, 6>;

    int block;           ///< cells along each axis
    Grid<Six> seen;      ///< of each block: what a displacement costs beside the best one, by its square
    Grid<Four> pull;     ///< `seen` times the best displacement
    double covered = 0;  ///< cells that both show
    double apart = 0;    ///< how much they differ there, the mean; large differences count less and less: what has no counterpart must not pull the rest

    /// Where the middle of the block lies along an axis of so many cells; the last block may have fewer.
    double middle(int at, int cells) const { return 0.5 * (block * at + std::min(block * (at + 1), cells) - 1); }
};

/// `moved` is the moving picture as what is known of the displacement lays it. The same for any number of threads.
Pulls pulls_of(const Picture& fixed, const Picture& moved, int block, int threads);

}  // namespace retromass::segmentation

#pragma once

#include <string>
#include <vector>

#include "core/volume.h"

namespace retromass {

/// Masks that the same scan and reader could as well have given, on a coarse grid of their own: they say how far the numbers of a
/// lesion would move, not what they are. `base` is the lesion as it was segmented, on that grid.
struct MaskVariants {
    VolumeGeometry geometry;
    Grid<std::int16_t> hu;          ///< mean of each cell
    Mask base;
    Mask grown;                     ///< the boundary where the probability falls below `boundary_p`
    Mask shrunk;                    ///< and where it rises above 1 - `boundary_p`
    std::vector<Mask> repeats;      ///< from prompts as other hands would have drawn them
    std::string prompt;             ///< what was drawn: line, line2, line2z, linez, box, contour, contours, point, prior
    double rim_step = 0;            ///< how clearly the lesion ends all round (docs/stages/interval.md, "Which table")
    double separation = 0;          ///< how much it differs from its surroundings as a whole
    double soft_tissue = 0;         ///< 0..1: like the lesions the learned correction knows
    double length_mm = 0;           ///< of the prompt
};

}  // namespace retromass

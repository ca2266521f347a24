#pragma once

#include <array>

#include "core/grid.h"

namespace retromass::segmentation {

/// How the inside of the lesion looks against what lies around it (docs/stages/segmentation.md, step 2).
struct Appearance {
    double seed_hu = 0;       ///< mode of the core
    double seed_sd = 0;
    double separation = 0;    ///< mean evidence inside less that around; 0 = no contrast
    Grid<float> evidence;     ///< smoothed log-likelihood ratio, -3..3, positive = looks like the lesion
};

/// `fine` and `smooth` are the HU after two Gaussians; the evidence is smoothed by `sigma_mm`.
Appearance appearance_of(const Grid<float>& fine, const Grid<float>& smooth, const Grid<float>& r, const Mask& core, const Mask& ends, std::array<double, 3> spacing_mm, double sigma_mm, int threads);

}  // namespace retromass::segmentation

#pragma once

#include "segmentation/upright.h"

namespace retromass::segmentation {

/// A scan as registration sees it. Tissues keep their order and most of their contrast whatever the phase: air is 0, fat 0.4, soft tissue
/// about 0.6, cortical bone above 1. What lies outside the patient (the table) counts as air.
struct Anatomy {
    UprightGrid grid;
    Grid<float> tissue;   ///< 0 where nothing was measured
    Grid<float> weight;   ///< 1 where the scan has measured, 0 outside it
    Mask body;            ///< all within the skin
};

/// On the cells of `grid`, laid into the scan by `into`.
Anatomy anatomy_of(const CtVolume& ct, const UprightGrid& grid, const Rigid& into, int threads);

/// Cells twice as large.
Anatomy halved(const Anatomy& in);

}  // namespace retromass::segmentation

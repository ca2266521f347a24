#pragma once

#include "core/volume.h"

namespace retromass::segmentation {

/// Moves the boundary of `mask` on the CT's own grid to where the HU lies half way between the lesion and what borders it there,
/// within `band_mm`, where the two differ clearly; elsewhere the mask stays. `low` and `high` bound the work.
Mask refined(const CtVolume& ct, const Mask& mask, Index low, Index high, double band_mm, int threads);

}  // namespace retromass::segmentation

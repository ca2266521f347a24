#pragma once

#include <array>

#include "core/volume.h"
#include "segmentation/mask_box.h"

namespace retromass::segmentation {

/// Moves the boundary of `mask` on the CT's own grid to where the HU lies half way between the lesion and what borders it there,
/// within `band_mm`, where the two differ clearly; elsewhere the mask stays. `limits` bound what is looked at.
Mask refined(const CtVolume& ct, Mask mask, const MaskBox& limits, double band_mm, double length_mm, int threads);

/// Takes off what hangs on the mask by less than about two `radius_mm`: vessels and strands the mask ran into. What a ball of
/// that radius can reach inside the mask stays.
Mask without_strands(Mask mask, std::array<double, 3> spacing_mm, double radius_mm, int threads);

}  // namespace retromass::segmentation

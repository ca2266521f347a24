#pragma once

#include "core/grid.h"

namespace retromass::test {

/// ITK's connected components, a label a voxel, as `seeded_components` and `filled` (segmentation/components.h) define them.
Mask seeded_components(const Mask& mask, const Mask& seeds);
Mask filled(const Mask& mask);

}  // namespace retromass::test

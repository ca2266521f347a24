#pragma once

#include "core/grid.h"

namespace retromass::segmentation {

/// Keeps the face-connected components that hold a voxel of `seeds`; where none does, the largest one, of equal ones that which comes first.
Mask seeded_components(Mask mask, const Mask& seeds);

/// Fills what the mask encloses: background that does not reach the edge of the grid through faces.
Mask filled(Mask mask);

}  // namespace retromass::segmentation

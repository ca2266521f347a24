#pragma once

#include <array>
#include <functional>

#include "core/grid.h"
#include "segmentation/mask_box.h"

namespace retromass::segmentation {

inline constexpr float kNoSurface_mm = 1e9F;

/// Signed Euclidean distance, mm, to the nearest voxel of the mask that touches (by face, edge or corner) one outside it: 0 there, positive inside,
/// negative outside. `spacing_mm` is along column, row and slice; a mask without any such voxel has no surface: +-`kNoSurface_mm` everywhere.
/// Exact, by lower envelopes of parabolas (Felzenszwalb and Huttenlocher, Theory of Computing 8, 2012); the same for any number of threads.
/// Distances beyond `most_mm` may be any that are not nearer, up to `kNoSurface_mm`: who asks for a few mm round a surface pays for them alone.
Grid<float> signed_distance(const Mask& mask, std::array<double, 3> spacing_mm, int threads = 1, double most_mm = kNoSurface_mm);

/// Hands `take` the same distances, of a box of the mask taken by itself and counted from its corner, a row of columns at a time, those up to `most_mm` exact, the others any that are not nearer: of a giant mass a byte
/// or a bit of each is kept, not the volume of them. Each row of each slice comes once, in any order and on several threads.
void near_distance(const Mask& mask, const MaskBox& box, std::array<double, 3> spacing_mm, double most_mm, int threads, const std::function<void(int row, int slice, const float* mm)>& take);

}  // namespace retromass::segmentation

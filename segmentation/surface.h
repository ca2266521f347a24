#pragma once

#include "segmentation/shape.h"
#include "segmentation/working_grid.h"

namespace retromass::segmentation {

/// Gives a lesion the surface and the volume that lesions like it have (docs/stages/segmentation.md, "Learned correction"). Seen from the
/// middle of its shape, what is narrower than 15 degrees becomes half as high and what is 15 to 60 degrees wide half as high again; then, where
/// a box or three axes were marked, the volume of all active cells that are lesion goes a part of the way to the usual one of such a prompt. The
/// lesion is where the logits, which only change in `active` cells, are 0 or more; `r` is the shape's coordinate, `weight` (0..1) how much of
/// it all is done. Nothing changes for shapes of contours and of prior masks, nor where the middle of the shape is not lesion. The same for any
/// number of threads.
void settle_surface(Grid<float>& logits, const Shape& shape, const Grid<float>& r, const Mask& active, const VolumeGeometry& geometry, const WorkingGrid& grid, double weight, int threads);

}  // namespace retromass::segmentation

#pragma once

#include "segmentation/segment.h"
#include "segmentation/shape.h"
#include "segmentation/working_grid.h"

namespace retromass::segmentation {

/// Moves logits so that the lesion ends where its reader drew that it does: at the ends of the lines, and on the slice of a single
/// contour along that contour (docs/stages/segmentation.md, "Learned correction"). Less and less away from what was drawn, and
/// `weight` (0..1) of it all. The lesion begins at the logit `end`. The same for any number of threads.
void hold_to_drawing(Grid<float>& logits, const Prompt& prompt, const Shape& shape, const VolumeGeometry& geometry, const WorkingGrid& grid, float end, double weight, int threads);

}  // namespace retromass::segmentation

#pragma once

#include "segmentation/fusion.h"
#include "segmentation/segment.h"

namespace retromass::segmentation {

/// `segment` with other trees than those learned from all cases: what a case left out of the training is judged by.
Result<Segmentation> segment_with(const Trees& trees, const CtVolume& ct, const std::string& frame_of_reference_uid, const Prompt& prompt,
                                  const SegmentParameters& parameters, const Progress& progress = {});

}  // namespace retromass::segmentation

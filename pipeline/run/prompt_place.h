#pragma once

#include "core/geometry.h"
#include "core/result.h"
#include "segmentation/segment.h"

namespace retromass::run {

/// Whether every position of the prompt lies in the volume: what a dry run can say before pixels are read. The full check is
/// segmentation::check_prompt.
Status prompt_in_volume(const segmentation::Prompt& prompt, const VolumeGeometry& geometry);

}  // namespace retromass::run

#pragma once

#include <filesystem>
#include <vector>

#include "pipeline/outputs/outputs.h"

/// Written objects, read back as a stranger would: a difference fails with verification_failed.
namespace retromass::outputs {

/// Reads the written SEG, lays it on the CT by position, compares it voxel for voxel and measures again.
Status verify_seg(const std::filesystem::path& file, const TimepointResult& timepoint, const std::vector<const LesionResult*>& lesions);
/// Fills the written contours on the CT and compares voxel for voxel. A mask that skips slices is not compared: contours cannot say so.
Status verify_structure_set(const std::filesystem::path& file, const TimepointResult& timepoint, const std::vector<const LesionResult*>& lesions);
/// Reads the written report: every number as recorded, both axes where they were measured.
Status verify_report(const std::filesystem::path& file, const TimepointResult& timepoint);

}  // namespace retromass::outputs

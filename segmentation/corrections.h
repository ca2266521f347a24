#pragma once

#include <vector>

#include "core/volume.h"
#include "segmentation/segment.h"

namespace retromass::segmentation {

/// A place a reader marked inside or outside, where the boundary has to move: the logits change by `logit` there, by less around it, and not
/// at all beyond `reach_mm` (docs/stages/segmentation.md, "Corrections").
struct Correction {
    PatientPoint at;       ///< a voxel's centre
    double reach_mm = 0;
    double logit = 0;
};

/// What has to move so that `points` of the prompt lie inside and `exclude` outside; places that are right already ask for nothing.
std::vector<Correction> corrections_of(const Segmentation& made, const VolumeGeometry& geometry, const Prompt& prompt);

/// Sum of the corrections at a place.
double change_at(const std::vector<Correction>& corrections, PatientPoint p);

/// Moves mask and probability.
void correct(Segmentation& made, const VolumeGeometry& geometry, const std::vector<Correction>& corrections, int threads);

/// Makes the mask on each contour's slice what was drawn, and moves the slices around it in the same sense, the less the farther, up to the next
/// contour or half way to the end of the lesion.
void follow_contours(Segmentation& made, const VolumeGeometry& geometry, const std::vector<std::vector<PatientPoint>>& contours);

}  // namespace retromass::segmentation

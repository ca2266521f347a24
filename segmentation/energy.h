#pragma once

#include "segmentation/appearance.h"
#include "segmentation/filters.h"
#include "segmentation/shape.h"

namespace retromass::segmentation {

/// The constants of method `energy`; meaning and source in docs/stages/segmentation.md.
struct EnergyConstants {
    double shape_weight = 8;          ///< of 1 - r
    double evidence_weight = 0.35;    ///< of the log-likelihood ratio
    double evidence_gain = 2;         ///< times as much evidence where the lesion stands out fully from its surroundings
    double gain_from = 4.1;           ///< separation at which the gain begins ...
    double gain_to = 5.0;             ///< ... and at which it is full
    double evidence_cap = 3;          ///< most that a cell may gain by looking like the lesion: muscle does too
    double fit_from = 4.1;            ///< separation at which unmarked axes begin to follow the image ...
    double fit_to = 4.7;              ///< ... and at which they do fully
    double geodesic_weight = 0.5;
    double confidence = 0.5;          ///< of the prior in the random walker
    double threshold = 0.45;
    double trees_threshold = 0.40;    ///< instead of `threshold` where the learned correction is full
    double fit_weight = 0.03;         ///< how firmly an unmarked axis is held to its usual proportion
};

/// Lets the image choose what the reader did not mark (short axis, depth, the size behind a click): the ellipsoid that gathers
/// most evidence, held to the usual proportions. Marked axes move by a few percent only.
Shape fitted(const Shape& shape, const Appearance& appearance, const VolumeGeometry& geometry, const WorkingGrid& grid, const EnergyConstants& constants);

/// Logits before smoothing: evidence, shape and climbed edges.
Grid<float> first_logits(const Grid<float>& r, const Appearance& appearance, const Geodesic& path, double half_mm, const EnergyConstants& constants);

}  // namespace retromass::segmentation

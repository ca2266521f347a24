#pragma once

#include <array>

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
    double step_from = 2.6;           ///< or mean step at the six ends at which the gain begins ...
    double step_to = 3.6;             ///< ... and at which it is full
    double evidence_cap = 3;          ///< most that a cell may gain by looking like the lesion: muscle does too
    double fit_from = 4.1;            ///< separation at which unmarked axes begin to follow the image ...
    double fit_to = 4.7;              ///< ... and at which they do fully
    double edge_from = 2.8;           ///< or step of the evidence at one end of an axis: from where that end follows the image ...
    double edge_to = 3.2;             ///< ... and where it does fully
    double fat_from = 0.3;            ///< and only as far as fat or gas lies beyond it: part from which it counts ...
    double fat_to = 0.5;              ///< ... and counts in full
    double rim_eaten = 0.3;           ///< of the smoothing: so far within the true rim an edge of smoothed evidence lies
    double clear_rim = 2.2;           ///< mean step above which the boundary is refined twice
    double geodesic_weight = 0.5;
    double confidence = 0.5;          ///< of the prior in the random walker
    double threshold = 0.45;
    double fit_weight = 0.03;         ///< how firmly an unmarked axis is held to its usual proportion
};

/// What an end of an axis looks like.
struct Edge {
    double step = 0;   ///< mean evidence just within the surface less that just beyond it: about 4 where the lesion meets fat and looks like itself up to there, 0 to 2 in muscle
    double fat = 0;    ///< part of what lies just beyond that is fat or gas
};
using Edges = std::array<Edge, 6>;   ///< u-, u+, v-, v+, n-, n+
Edges edges_of(const Shape& shape, const Grid<float>& r, const Grid<float>& smooth, const Appearance& appearance, const VolumeGeometry& geometry, const WorkingGrid& grid);

/// The ellipsoid that gathers most evidence, held to the usual proportions in what the reader did not mark (short axis, depth).
/// Marked axes, and the long one seen behind a point, move by a few percent only.
Shape fitted(const Shape& shape, const Appearance& appearance, const VolumeGeometry& geometry, const WorkingGrid& grid, const EnergyConstants& constants);

/// Between the usual shape and the fit: each end of an axis follows the fit as far as the image shows an edge there, or all do
/// where the lesion stands out from all of its surroundings.
Shape followed(const Shape& usual, const Shape& fit, const Edges& edges, double separation, double smooth_mm, const EnergyConstants& constants);

/// Logits before smoothing: evidence, shape and climbed edges.
Grid<float> first_logits(const Grid<float>& r, const Appearance& appearance, const Geodesic& path, double half_mm, double rim_step, const EnergyConstants& constants);

}  // namespace retromass::segmentation

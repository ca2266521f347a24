#pragma once

#include "core/volume.h"
#include "segmentation/shape.h"
#include "segmentation/working_grid.h"

namespace retromass::segmentation {

/// A point says nothing of the size: the lesion is taken to be what can be reached from it without climbing many edges, the fewer
/// the farther (docs/stages/segmentation.md, "From a point"). The three weights are a logistic regression on 29 sarcomas; tools/train_click.cpp makes them anew from other cells.
struct ClickConstants {
    double level = 11.85;
    double distance_weight = 2.27;   ///< of log(distance + near_mm)
    double climb_weight = 0.69;      ///< of the square root of the HU climbed
    double near_mm = 8;
    double threshold = 0.42;
    double smooth_mm = 3;
    double cell_mm = 4;
    double core_mm = 6;              ///< about each point: certainly lesion
    double reach_mm = 110;
    double lens = 2;                 ///< a small lesion is looked at as if it were so many times larger ...
    double clear_hu = 40;            ///< ... and believed where it differs by more than tumour and muscle do (0 to 25 HU) ...
    double clear_part = 0.8;         ///< ... from so much of what lies around it
};

/// What is known of each cell about the points, seen through a lens: every mm counts for so many.
struct ClickField {
    WorkingGrid grid;
    Grid<float> smooth;        ///< HU
    Grid<float> away_mm;       ///< from the nearest point
    Grid<float> climbed_hu;    ///< on the cheapest path from it
    Mask core;
};
ClickField click_field(const CtVolume& ct, const Shape& points, const ClickConstants& constants, double lens, int threads);

/// What belongs to the points.
Mask reached(const ClickField& field, const ClickConstants& constants, double lens, int threads);

/// The ellipsoid of the same moments as what a point shows; what else the reader marked (top and bottom) stays as marked.
Shape sized(const CtVolume& ct, const Shape& points, const ClickConstants& constants, int threads);

}  // namespace retromass::segmentation

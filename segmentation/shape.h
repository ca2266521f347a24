#pragma once

#include <array>
#include <optional>
#include <vector>

#include "core/volume.h"
#include "segmentation/segment.h"
#include "segmentation/working_grid.h"

namespace retromass::segmentation {

/// What the prompt says of the lesion's shape: r = 1 is the expected surface (docs/stages/segmentation.md, step 1).
struct Shape {
    enum class Kind { ellipsoid, contour, prior } kind = Kind::ellipsoid;
    PatientPoint centre;
    PatientPoint u;                  ///< unit, along the long axis, in the slice
    PatientPoint v;                  ///< unit, across it, in the slice
    PatientPoint n;                  ///< the slice normal
    double half_u_mm = 0;
    double half_v_mm = 0;
    double half_n_mm = 0;
    bool free_v = false;             ///< not marked by the reader: may be fitted to the image
    bool free_n = false;
    bool free_scale = false;         ///< a point only: even the size is a guess, or read from the pixels
    std::vector<LineSegment> strokes;      ///< certain interior lies along these
    std::vector<LineSegment> ends;         ///< the outer parts of the lines: interior too, if the reader drew well
    double stroke_radius_mm = 2;
    double core_r = 0;                     ///< or where r is below this
    std::vector<PatientPoint> contour;
    std::optional<Grid<float>> prior_distance;  ///< signed distance of the prior mask on the working grid, mm
};

/// The shape of a checked prompt.
Shape shape_of(const Prompt& prompt, const VolumeGeometry& geometry);

/// How far within the shape's contour a point lies, in the plane of the slices, mm; negative outside.
double inside_contour_mm(const Shape& shape, PatientPoint point);

/// r at every cell of the working grid.
Grid<float> shape_coordinate(const Shape& shape, const VolumeGeometry& geometry, const WorkingGrid& grid, int threads);

/// Cells that are certainly inside.
Mask core_cells(const Shape& shape, const Grid<float>& r, const VolumeGeometry& geometry, const WorkingGrid& grid);

/// Cells under the outer parts of the reader's lines: a rim of living tissue shows there that the core does not hold.
Mask end_cells(const Shape& shape, const VolumeGeometry& geometry, const WorkingGrid& grid);

/// Box of CT voxels that holds r < `reach`.
std::array<ContinuousIndex, 2> reach_of(const Shape& shape, const VolumeGeometry& geometry, double reach);

}  // namespace retromass::segmentation

#pragma once

#include "measurement/measure.h"
#include "measurement/plane_view.h"
#include "measurement/regions.h"

namespace retromass::measurement {

struct PlaneAxes {
    Axis long_axis;
    Axis short_axis;
    double outside_fraction = 0;
    double longest_inside_chord_mm = 0;
};

/// Long and short axis (definitions.md 2.1-2.3, 2.6). Cost: one convex hull a region, pairs of hull corners only.
PlaneAxes plane_axes(const PlaneView& view, const Runs& runs, double precision_mm);

/// Sum of the slabs touched, from the first to the last face (definitions.md 2.4); `centroid` is the mask's.
Axis craniocaudal(const PlaneView& view, const Runs& runs, PatientPoint centroid, double precision_mm);

/// Corners of the convex hull of points in a plane, counter-clockwise, collinear ones left out.
struct PlanePoint {
    double x = 0;
    double y = 0;
    double column = 0;  ///< where it came from, in voxel units of the view
    double row = 0;
};
std::vector<PlanePoint> convex_hull(std::vector<PlanePoint> points);

}  // namespace retromass::measurement

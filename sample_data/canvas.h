#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "core/geometry.h"

namespace retromass::sample_data {

/// A body of known extent. `depth` is about the distance below its surface in mm, negative outside.
struct Solid {
    PatientPoint low;   ///< box that holds it
    PatientPoint high;
    std::function<double(PatientPoint)> depth;
    std::function<double(PatientPoint, double depth_mm)> hu;
    double gap_mm = 1.5;  ///< fat that stays between it and the mass, where there is one; it varies round this
};

/// One slice under the brush: later solids cover earlier ones, edges by the part of the voxel they fill.
class Canvas {
public:
    Canvas(const VolumeGeometry& geometry, int slice);

    void paint(const Solid& solid);
    PatientPoint at(int column, int row) const { return origin_ + column * u_ + row * v_; }

    struct Window {
        int first_column, last_column, first_row, last_row;
        bool empty() const { return first_column > last_column || first_row > last_row; }
    };
    /// Columns and rows of the slice that the box may touch.
    Window window(PatientPoint low, PatientPoint high) const;
    /// The part of a voxel at p inside a body of this depth function, `depth` being its value at p.
    template <class Depth>
    double coverage(PatientPoint p, double depth, const Depth& depth_at) const
    {
        if (depth > reach_mm_) return 1;
        if (depth < -reach_mm_) return 0;
        double sum = part(depth);  // two more levels within the slab
        for (const double side : {-1.0, 1.0}) sum += part(depth_at(p + side * third_));
        return sum / 3;
    }
    double part(double depth) const { return std::clamp(0.5 + depth / pixel_mm_, 0.0, 1.0); }
    double pixel_mm() const { return pixel_mm_; }
    double reach_mm() const { return reach_mm_; }
    int columns() const { return columns_; }
    int rows() const { return rows_; }

    std::vector<float> hu;
    std::vector<float> outside_mass_mm;  ///< distance to the mass; large where there is none

private:
    PatientPoint origin_;
    PatientPoint u_;
    PatientPoint v_;
    PatientPoint normal_;
    PatientPoint third_;
    double slab_mm_;
    double pixel_mm_;
    double reach_mm_;
    int columns_;
    int rows_;
};

/// How much of its usual width a plane of fat keeps at p: less than half at some places, half as much again at others.
double plane_width(PatientPoint p);

}  // namespace retromass::sample_data

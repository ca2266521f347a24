#pragma once

#include "core/volume.h"

/// Measurements straight from their definitions, with no thought of speed: what the program computes is held against these. They share no
/// code with measurement/.
namespace retromass::test {

struct PlainAxes {
    double long_mm = 0;
    double short_mm = 0;
    int slice = 0;
};

/// Definitions 2.1-2.3 and 2.6: every pair of edge midpoints of every region, every crossing of the outline.
PlainAxes plain_axes(const Mask& mask, const VolumeGeometry& geometry);

/// Definition 3.2: the largest distance of two vertices of the mesh at one half, every pair.
double plain_max_3d_diameter_mm(const Mask& mask, const VolumeGeometry& geometry);

/// Sum of the voxel centres' squares about their mean, divided by N - 1: xx yy zz.
std::array<double, 3> plain_variances_mm2(const Mask& mask, const VolumeGeometry& geometry);

/// Definition 4.2 at one voxel: the mean HU inside the mask weighted by a Gaussian of the distance along each axis, cut at 4 sigma.
double plain_smoothed_hu(const Mask& mask, const VolumeGeometry& geometry, const Grid<std::int16_t>& hu, Index at, double sigma_mm);

}  // namespace retromass::test

#pragma once

#include <array>
#include <vector>

#include "core/volume.h"
#include "segmentation/segment.h"

namespace retromass::test {

/// What a careful reader would give for a known mask, by brute force over voxel centres (nothing of measurement/ is used).
struct ReaderPrompts {
    segmentation::LineSegment long_axis;       ///< longest in-plane chord between voxel centres, on its slice
    segmentation::LineSegment short_axis;      ///< widest chord perpendicular to it
    std::array<PatientPoint, 2> extent;        ///< centroids of the top and the bottom slice
    std::array<PatientPoint, 2> box;           ///< tight, voxel edges
    PatientPoint middle;                       ///< the voxel whose shortest way out, in steps to neighbours, is longest
};
ReaderPrompts prompts_of(const Mask& mask, const VolumeGeometry& geometry);

/// The voxel of the mask whose shortest way out, in steps to neighbours, is longest.
PatientPoint middle_of(const Mask& mask, const VolumeGeometry& geometry);

/// The largest face-connected part of what differs, and whether the mask lacks it.
struct MaskError {
    Mask part;
    bool missing = false;
};
MaskError largest_error(const Mask& found, const Mask& truth);

/// The outline of a slice as a reader would draw it: the farthest pixel in each of 48 directions from the middle.
std::vector<PatientPoint> outline_of(const Mask& mask, const VolumeGeometry& geometry, int slice);

/// 2 |A and B| / (|A| + |B|).
double dice(const Mask& a, const Mask& b);

}  // namespace retromass::test

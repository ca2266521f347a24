#pragma once

#include <optional>
#include <vector>

#include "core/volume.h"

namespace retromass::segmentation {

/// What lies on one slice: masks of a single slice, and their distances in its plane.

/// Pixels whose centre is inside a contour by the even-odd rule (docs/clinical.md 8.2).
Mask section_of(const VolumeGeometry& geometry, const std::vector<PatientPoint>& contour, int slice);

Mask plane_of(const Mask& mask, int slice);

/// Signed distance to the outline, mm, positive inside, 0 on the pixels' edges; empty where there is none.
std::optional<Grid<float>> section_distance(const Mask& section, const VolumeGeometry& geometry);

}  // namespace retromass::segmentation

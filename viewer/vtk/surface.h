#pragma once

#include <vtkPolyData.h>
#include <vtkSmartPointer.h>

#include "core/geometry.h"

namespace retromass::viewer {

/// The surface of a mask in patient coordinates, smoothed for the eye; empty for an empty mask.
vtkSmartPointer<vtkPolyData> surface_of(const Mask& mask, const VolumeGeometry& geometry);

}  // namespace retromass::viewer

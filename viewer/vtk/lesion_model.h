#pragma once

#include <vtkActor.h>
#include <vtkNew.h>
#include <vtkPolyData.h>
#include <vtkRenderer.h>

#include <array>

#include "viewer/view.h"
#include "viewer/vtk/strokes.h"

namespace retromass::viewer {

/// A lesion in 3-D: the surface of its mask, smoothed for the eye, with the three axes inside. The same in the window and in the pictures of a report.
class LesionModel {
public:
    explicit LesionModel(vtkRenderer* renderer);
    /// Null or without a mask: nothing is shown.
    void show(const LesionView* lesion, const VolumeGeometry& geometry);
    bool empty() const;
    std::array<double, 6> bounds() const;   ///< of the surface, mm

private:
    vtkNew<vtkPolyData> surface_;
    vtkNew<vtkActor> actor_;
    Lines long_axis_;
    Lines short_axis_;
    Lines craniocaudal_;
};

}  // namespace retromass::viewer

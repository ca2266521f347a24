#include "viewer/vtk/surface.h"

#include <vtkFlyingEdges3D.h>
#include <vtkImageData.h>
#include <vtkNew.h>
#include <vtkPoints.h>
#include <vtkPolyDataNormals.h>
#include <vtkWindowedSincPolyDataFilter.h>

#include <algorithm>

namespace retromass::viewer {

vtkSmartPointer<vtkPolyData> surface_of(const Mask& mask, const VolumeGeometry& geometry)
{
    const auto n = mask.size();
    Index low{n.columns, n.rows, n.slices};
    Index high{-1, -1, -1};
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            for (int c = 0; c < n.columns; ++c) {
                if (!mask.at(c, r, k)) continue;
                low = {std::min(low.column, c), std::min(low.row, r), std::min(low.slice, k)};
                high = {std::max(high.column, c), std::max(high.row, r), std::max(high.slice, k)};
            }
        }
    }
    auto surface = vtkSmartPointer<vtkPolyData>::New();
    if (high.column < 0) return surface;

    // The mask's box in voxel units with one empty voxel all round, so that the surface closes at the edge of the scan.
    vtkNew<vtkImageData> box;
    box->SetExtent(low.column - 1, high.column + 1, low.row - 1, high.row + 1, low.slice - 1, high.slice + 1);
    box->AllocateScalars(VTK_UNSIGNED_CHAR, 1);
    auto* voxel = static_cast<unsigned char*>(box->GetScalarPointer());
    for (int k = low.slice - 1; k <= high.slice + 1; ++k) {
        for (int r = low.row - 1; r <= high.row + 1; ++r) {
            for (int c = low.column - 1; c <= high.column + 1; ++c) {
                *voxel++ = n.contains(c, r, k) && mask.at(c, r, k) ? 100 : 0;
            }
        }
    }

    vtkNew<vtkFlyingEdges3D> edges;
    edges->SetInputData(box);
    edges->SetValue(0, 50);
    edges->ComputeNormalsOff();
    edges->ComputeGradientsOff();
    edges->ComputeScalarsOff();

    // A low pass (Taubin's kind) takes the stairs away and hardly shrinks the lesion.
    vtkNew<vtkWindowedSincPolyDataFilter> smooth;
    smooth->SetInputConnection(edges->GetOutputPort());
    smooth->SetNumberOfIterations(20);
    smooth->SetPassBand(0.05);
    smooth->NonManifoldSmoothingOn();
    smooth->NormalizeCoordinatesOn();
    smooth->Update();

    // Voxel units to mm only now: tilted and uneven stacks are no image grid of the toolkit.
    surface->ShallowCopy(smooth->GetOutput());
    vtkNew<vtkPoints> points;
    points->SetNumberOfPoints(surface->GetNumberOfPoints());
    for (vtkIdType i = 0; i < surface->GetNumberOfPoints(); ++i) {
        double index[3];
        surface->GetPoint(i, index);
        const auto p = geometry.to_patient(ContinuousIndex{index[0], index[1], index[2]});
        points->SetPoint(i, p.x, p.y, p.z);
    }
    surface->SetPoints(points);

    vtkNew<vtkPolyDataNormals> normals;
    normals->SetInputData(surface);
    normals->SplittingOff();
    normals->Update();
    surface->ShallowCopy(normals->GetOutput());
    return surface;
}

}  // namespace retromass::viewer

// How long do all measurements of one mask take, on one core? ITK's label shape filter with its Feret diameter (the largest
// distance of border voxels) and perimeter gives fewer figures and no RECIST axes; it is quadratic in the border, so it is asked
// about the small lesion only. VTK's mesh with its mass properties gives surface and mesh volume alone.

#include <itkBinaryImageToShapeLabelMapFilter.h>
#include <itkImage.h>
#include <vtkDiscreteFlyingEdges3D.h>
#include <vtkImageImport.h>
#include <vtkMassProperties.h>
#include <vtkNew.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <random>

#include "bench/timing.h"
#include "measurement/measure.h"

using namespace retromass;

namespace {

[[noreturn]] void stop(const std::string& why)
{
    std::cerr << why << '\n';
    std::exit(1);
}

struct Lesion {
    VolumeGeometry geometry;
    Mask mask;
    Grid<std::int16_t> hu;
};

Lesion lesion_of(Dimensions size, double in_plane_mm, double slice_mm, const std::function<bool(PatientPoint)>& inside)
{
    Lesion made{VolumeGeometry::axial(size, in_plane_mm, in_plane_mm, slice_mm), Mask(size), Grid<std::int16_t>(size)};
    const PatientPoint centre = made.geometry.to_patient(Index{size.columns / 2, size.rows / 2, size.slices / 2});
    std::mt19937 random(1);
    for (int k = 0; k < size.slices; ++k) {
        for (int r = 0; r < size.rows; ++r) {
            for (int c = 0; c < size.columns; ++c) {
                made.mask.at(c, r, k) = inside(made.geometry.to_patient(Index{c, r, k}) - centre);
                made.hu.at(c, r, k) = static_cast<std::int16_t>(static_cast<int>(random() % 80));  // solid, fluid and noise
            }
        }
    }
    return made;
}

/// An ellipsoid with a wavy surface, so that no short cut for convex bodies helps.
std::function<bool(PatientPoint)> wavy_ellipsoid(double a, double b, double c)
{
    return [=](PatientPoint p) { return p.x * p.x / (a * a) + p.y * p.y / (b * b) + p.z * p.z / (c * c) < 1 + 0.05 * std::sin(0.15 * p.x) * std::cos(0.12 * p.y); };
}

/// A prism over a curve of constant width: every point of its outline has a farthest partner, which defeats pruning by distance.
bool reuleaux_prism(PatientPoint p)
{
    constexpr double width_mm = 260;
    for (int i = 0; i < 3; ++i) {
        const double angle = 2 * std::acos(-1.0) * i / 3;
        if (std::hypot(p.x - width_mm / std::sqrt(3) * std::cos(angle), p.y - width_mm / std::sqrt(3) * std::sin(angle)) > width_mm) return false;
    }
    return std::abs(p.z) < 100;
}

void measure_ours(const Lesion& lesion, bool with_hu)
{
    const auto measured = measurement::measure(lesion.mask, lesion.geometry, with_hu ? &lesion.hu : nullptr);
    if (!measured) stop(measured.error().message);
}

using Image = itk::Image<unsigned char, 3>;

Image::Pointer image_of(const Lesion& lesion)
{
    auto image = Image::New();
    const auto n = lesion.mask.size();
    image->SetRegions(Image::SizeType{{static_cast<unsigned>(n.columns), static_cast<unsigned>(n.rows), static_cast<unsigned>(n.slices)}});
    const double spacing[3] = {lesion.geometry.column_spacing_mm(), lesion.geometry.row_spacing_mm(), *lesion.geometry.slice_spacing_mm()};
    image->SetSpacing(spacing);
    image->Allocate();
    std::copy(lesion.mask.values().begin(), lesion.mask.values().end(), image->GetBufferPointer());
    return image;
}

void measure_with_itk(const Image::Pointer& image)
{
    auto filter = itk::BinaryImageToShapeLabelMapFilter<Image>::New();
    filter->SetInput(image);
    filter->SetInputForegroundValue(1);
    filter->ComputeFeretDiameterOn();
    filter->ComputePerimeterOn();
    filter->Update();
    if (filter->GetOutput()->GetNumberOfLabelObjects() == 0) stop("ITK found no lesion");
}

void mesh_with_vtk(const Lesion& lesion)
{
    const auto n = lesion.mask.size();
    vtkNew<vtkImageImport> import;
    import->SetDataScalarTypeToUnsignedChar();
    import->SetNumberOfScalarComponents(1);
    import->SetWholeExtent(0, n.columns - 1, 0, n.rows - 1, 0, n.slices - 1);
    import->SetDataExtentToWholeExtent();
    import->SetDataSpacing(lesion.geometry.column_spacing_mm(), lesion.geometry.row_spacing_mm(), *lesion.geometry.slice_spacing_mm());
    import->SetImportVoidPointer(const_cast<std::uint8_t*>(lesion.mask.data()));
    vtkNew<vtkDiscreteFlyingEdges3D> edges;
    edges->SetInputConnection(import->GetOutputPort());
    edges->SetValue(0, 1);
    vtkNew<vtkMassProperties> mass;
    mass->SetInputConnection(edges->GetOutputPort());
    mass->Update();
    if (!(mass->GetVolume() > 0)) stop("VTK found no lesion");
}

}  // namespace

int main()
{
    const Dimensions grid{512, 512, 300};
    const auto small = lesion_of(grid, 0.7, 1, wavy_ellipsoid(10, 8, 9));
    const auto image = image_of(small);
    bench::answer({.text = "axes, volume, mesh, moments and 3-D diameter of a 2 cm lesion, 512 x 512 x 300",
                   .limit_s = 0.05,
                   .ours = [&] { measure_ours(small, false); },
                   .peer = "ITK shape label map with Feret diameter and perimeter",
                   .peers = [&] { measure_with_itk(image); }});
    const auto big = lesion_of(grid, 0.7, 1, wavy_ellipsoid(150, 115, 75));
    bench::answer({.text = "the same of a 30 x 23 x 15 cm mass (11 million voxels)",
                   .limit_s = 0.05,
                   .ours = [&] { measure_ours(big, false); },
                   .peer = "VTK discrete flying edges and mass properties",
                   .peers = [&] { mesh_with_vtk(big); }});
    bench::answer({.text = "the same with HU statistics and components", .limit_s = 0.25, .ours = [&] { measure_ours(big, true); }});
    const auto constant_width = lesion_of(grid, 0.7, 1, reuleaux_prism);
    bench::answer({.text = "axes, volume, mesh, moments and 3-D diameter of a prism of constant width, 26 x 20 cm", .limit_s = 0.1, .ours = [&] { measure_ours(constant_width, false); }});
    return 0;
}

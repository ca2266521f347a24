// How long do all measurements of one mask take? The peer is ITK's label shape filter with its Feret diameter (the largest
// distance of border voxels) and perimeter: fewer figures, and no RECIST axes. It is quadratic in the border, so it is asked
// about the small lesion only.

#include <itkBinaryImageToShapeLabelMapFilter.h>
#include <itkImage.h>

#include <algorithm>
#include <cstdlib>

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

/// An ellipsoid with a wavy surface, so that no short cut for convex bodies helps.
Lesion lesion_of(std::array<double, 3> radii_mm, Dimensions size, double in_plane_mm, double slice_mm)
{
    Lesion made{VolumeGeometry::axial(size, in_plane_mm, in_plane_mm, slice_mm), Mask(size), Grid<std::int16_t>(size, 40)};
    const PatientPoint centre = made.geometry.to_patient(Index{size.columns / 2, size.rows / 2, size.slices / 2});
    for (int k = 0; k < size.slices; ++k) {
        for (int r = 0; r < size.rows; ++r) {
            for (int c = 0; c < size.columns; ++c) {
                const PatientPoint p = made.geometry.to_patient(Index{c, r, k}) - centre;
                const double waves = 1 + 0.05 * std::sin(0.15 * p.x) * std::cos(0.12 * p.y);
                const double x = p.x / radii_mm[0];
                const double y = p.y / radii_mm[1];
                const double z = p.z / radii_mm[2];
                if (x * x + y * y + z * z < waves) made.mask.at(c, r, k) = 1;
            }
        }
    }
    return made;
}

void measure_ours(const Lesion& lesion)
{
    const auto measured = measurement::measure(lesion.mask, lesion.geometry, &lesion.hu);
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

}  // namespace

int main()
{
    const auto small = lesion_of({10, 8, 9}, {512, 512, 100}, 0.75, 3);
    const auto image = image_of(small);
    bench::answer({.text = "all measurements of a 2 cm lesion on a 512 x 512 x 100 grid",
                   .limit_s = 1,
                   .ours = [&] { measure_ours(small); },
                   .peer = "ITK shape label map with Feret diameter and perimeter",
                   .peers = [&] { measure_with_itk(image); }});
    const auto big = lesion_of({150, 115, 75}, {512, 512, 100}, 0.75, 3);
    bench::answer({.text = "all measurements of a 30 x 23 x 15 cm mass on the same grid", .limit_s = 10, .repeats = 3, .ours = [&] { measure_ours(big); }});
    return 0;
}

#include "tests/support/itk/maurer.h"

#include <itkImportImageFilter.h>
#include <itkSignedMaurerDistanceMapImageFilter.h>

#include <algorithm>
#include <new>

namespace retromass::test {

Grid<float> maurer_distance(const Mask& mask, std::array<double, 3> spacing_mm)
{
    using Input = itk::Image<std::uint8_t, 3>;
    using Output = itk::Image<float, 3>;
    auto import = itk::ImportImageFilter<std::uint8_t, 3>::New();
    const auto size = mask.size();
    itk::Size<3> extent{{static_cast<itk::SizeValueType>(size.columns), static_cast<itk::SizeValueType>(size.rows), static_cast<itk::SizeValueType>(size.slices)}};
    import->SetRegion(itk::ImageRegion<3>(extent));
    import->SetSpacing(spacing_mm.data());
    import->SetImportPointer(const_cast<std::uint8_t*>(mask.data()), size.voxels(), false);
    auto filter = itk::SignedMaurerDistanceMapImageFilter<Input, Output>::New();
    filter->SetInput(import->GetOutput());
    filter->SetUseImageSpacing(true);
    filter->SetSquaredDistance(false);
    filter->SetInsideIsPositive(true);
    filter->SetNumberOfWorkUnits(1);
    try {
        filter->Update();
    } catch (const itk::MemoryAllocationError&) {
        throw std::bad_alloc();  // what everybody else throws then
    }
    Grid<float> out(size);
    const float* values = filter->GetOutput()->GetBufferPointer();
    std::copy(values, values + size.voxels(), out.data());
    return out;
}

}  // namespace retromass::test

#include "tests/support/itk/components.h"

#include <itkConnectedComponentImageFilter.h>
#include <itkImportImageFilter.h>

#include <algorithm>
#include <vector>

namespace retromass::test {
namespace {

using Labels = itk::Image<std::uint32_t, 3>;

/// Face-connected labels from 1; 0 is background.
Labels::Pointer labelled(const Mask& mask)
{
    auto import = itk::ImportImageFilter<std::uint8_t, 3>::New();
    const auto size = mask.size();
    itk::Size<3> extent{{static_cast<itk::SizeValueType>(size.columns), static_cast<itk::SizeValueType>(size.rows), static_cast<itk::SizeValueType>(size.slices)}};
    import->SetRegion(itk::ImageRegion<3>(extent));
    import->SetImportPointer(const_cast<std::uint8_t*>(mask.data()), size.voxels(), false);
    auto filter = itk::ConnectedComponentImageFilter<itk::Image<std::uint8_t, 3>, Labels>::New();
    filter->SetInput(import->GetOutput());
    filter->FullyConnectedOff();
    filter->SetNumberOfWorkUnits(1);
    filter->Update();
    return filter->GetOutput();
}

}  // namespace

Mask seeded_components(const Mask& mask, const Mask& seeds)
{
    const auto labels = labelled(mask);
    const auto* label = labels->GetBufferPointer();
    const std::size_t n = mask.values().size();
    std::vector<std::size_t> sizes(1, 0);
    std::vector<bool> seeded(1, false);
    for (std::size_t i = 0; i < n; ++i) {
        if (label[i] >= sizes.size()) {
            sizes.resize(label[i] + 1, 0);
            seeded.resize(label[i] + 1, false);
        }
        ++sizes[label[i]];
        if (seeds[i]) seeded[label[i]] = true;
    }
    seeded[0] = false;
    if (std::none_of(seeded.begin(), seeded.end(), [](bool s) { return s; }) && sizes.size() > 1) {
        seeded[static_cast<std::size_t>(std::max_element(sizes.begin() + 1, sizes.end()) - sizes.begin())] = true;
    }
    Mask out(mask.size());
    for (std::size_t i = 0; i < n; ++i) out[i] = label[i] && seeded[label[i]];
    return out;
}

Mask filled(const Mask& mask)
{
    Mask background(mask.size());
    for (std::size_t i = 0; i < mask.values().size(); ++i) background[i] = !mask[i];
    const auto labels = labelled(background);
    const auto* label = labels->GetBufferPointer();
    const auto size = mask.size();
    std::vector<bool> outside;
    const auto note = [&](int c, int r, int k) {
        const auto l = label[mask.offset(c, r, k)];
        if (l >= outside.size()) outside.resize(l + 1, false);
        outside[l] = true;
    };
    for (int k = 0; k < size.slices; ++k) {
        const bool end = k == 0 || k == size.slices - 1;
        for (int r = 0; r < size.rows; ++r) {
            const bool edge = end || r == 0 || r == size.rows - 1;
            for (int c = 0; c < size.columns; c += edge || size.columns == 1 ? 1 : size.columns - 1) note(c, r, k);
        }
    }
    Mask out(size);
    for (std::size_t i = 0; i < mask.values().size(); ++i) out[i] = mask[i] || (label[i] && !(label[i] < outside.size() && outside[label[i]]));
    return out;
}

}  // namespace retromass::test

#include "bench/itk/segmenters/segmenters.h"

#include <itkConfidenceConnectedImageFilter.h>
#include <itkFastMarchingImageFilter.h>
#include <itkGeodesicActiveContourLevelSetImageFilter.h>
#include <itkGradientMagnitudeRecursiveGaussianImageFilter.h>
#include <itkImage.h>
#include <itkSigmoidImageFilter.h>

#include <algorithm>

namespace retromass::bench {
namespace {

using Image = itk::Image<float, 3>;
using Labels = itk::Image<unsigned char, 3>;

Image::Pointer image_of(const Crop& crop)
{
    auto image = Image::New();
    const auto n = crop.hu.size();
    image->SetRegions(Image::SizeType{{static_cast<itk::SizeValueType>(n.columns), static_cast<itk::SizeValueType>(n.rows), static_cast<itk::SizeValueType>(n.slices)}});
    image->SetSpacing(crop.spacing_mm.data());
    image->Allocate();
    std::copy(crop.hu.values().begin(), crop.hu.values().end(), image->GetBufferPointer());
    return image;
}

Image::IndexType seed_of(const Crop& crop) { return {{crop.seed.column, crop.seed.row, crop.seed.slice}}; }

template <class Picture, class Inside>
std::size_t count(const Picture& picture, Inside inside)
{
    const auto* const first = picture.GetBufferPointer();
    return static_cast<std::size_t>(std::count_if(first, first + picture.GetLargestPossibleRegion().GetNumberOfPixels(), inside));
}

/// Speed of a front: near 1 where the image is flat, near 0 at an edge of tens of HU a mm.
Image::Pointer speed_of(const Crop& crop)
{
    auto gradient = itk::GradientMagnitudeRecursiveGaussianImageFilter<Image, Image>::New();
    gradient->SetInput(image_of(crop));
    gradient->SetSigma(1.0);
    auto sigmoid = itk::SigmoidImageFilter<Image, Image>::New();
    sigmoid->SetInput(gradient->GetOutput());
    sigmoid->SetAlpha(-4);
    sigmoid->SetBeta(20);
    sigmoid->SetOutputMinimum(0);
    sigmoid->SetOutputMaximum(1);
    sigmoid->Update();
    return sigmoid->GetOutput();
}

using Marching = itk::FastMarchingImageFilter<Image, Image>;

Marching::NodeContainer::Pointer start_at(const Crop& crop, double value)
{
    auto nodes = Marching::NodeContainer::New();
    nodes->Initialize();
    Marching::NodeType node;
    node.SetValue(static_cast<float>(value));
    node.SetIndex(seed_of(crop));
    nodes->InsertElement(0, node);
    return nodes;
}

}  // namespace

std::size_t confidence_connected(const Crop& crop)
{
    auto filter = itk::ConfidenceConnectedImageFilter<Image, Labels>::New();
    filter->SetInput(image_of(crop));
    filter->SetSeed(seed_of(crop));
    filter->SetInitialNeighborhoodRadius(2);
    filter->SetMultiplier(2.5);
    filter->SetNumberOfIterations(3);
    filter->SetReplaceValue(1);
    filter->Update();
    return count(*filter->GetOutput(), [](auto v) { return v != 0; });
}

std::size_t fast_marching(const Crop& crop)
{
    auto front = Marching::New();
    front->SetInput(speed_of(crop));
    front->SetTrialPoints(start_at(crop, 0));
    front->SetStoppingValue(2 * crop.radius_mm);
    front->Update();
    const double reached = 1.25 * crop.radius_mm;
    return count(*front->GetOutput(), [=](auto arrival) { return arrival <= reached; });
}

std::size_t geodesic_active_contour(const Crop& crop)
{
    constexpr int iterations = 100;  // its users take hundreds
    auto start = Marching::New();
    start->SetTrialPoints(start_at(crop, -0.7 * crop.radius_mm));
    start->SetSpeedConstant(1);
    auto picture = image_of(crop);
    start->SetOutputSize(picture->GetLargestPossibleRegion().GetSize());
    start->SetOutputSpacing(picture->GetSpacing());
    auto contour = itk::GeodesicActiveContourLevelSetImageFilter<Image, Image>::New();
    contour->SetInput(start->GetOutput());
    contour->SetFeatureImage(speed_of(crop));
    contour->SetPropagationScaling(1);
    contour->SetCurvatureScaling(0.5);
    contour->SetAdvectionScaling(1);
    contour->SetMaximumRMSError(0);
    contour->SetNumberOfIterations(iterations);
    contour->Update();
    return count(*contour->GetOutput(), [](auto level) { return level <= 0; });
}

}  // namespace retromass::bench

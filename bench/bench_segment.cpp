// How long does a reader wait from a line to a mask? ITK's classic segmenters get the middle of the lesion and, to stop at, its radius, on the lesion's
// crop alone; none of them leaves the organ beside a lesion out.

#include <cstdlib>

#include "bench/itk/segmenters/segmenters.h"
#include "bench/timing.h"
#include "sample_data/phantom.h"
#include "segmentation/distance.h"
#include "segmentation/segment.h"
#include "tests/support/itk/maurer.h"

using namespace retromass;

namespace {

[[noreturn]] void stop(const std::string& why)
{
    std::cerr << why << '\n';
    std::exit(1);
}

struct Size {
    double diameter_mm;
    int slices;
    double slice_mm;
    double limit_s;  ///< of processor time from the line to the mask
    bool contour;    ///< level sets too: on a giant mass they would cost more than all else here together
};

/// The lesion and half its diameter round it.
bench::Crop crop_of(const CtVolume& ct, double diameter_mm)
{
    const auto& g = ct.geometry;
    const auto n = g.size();
    const std::array<double, 3> spacing{g.column_spacing_mm(), g.row_spacing_mm(), *g.slice_spacing_mm()};
    const std::array<int, 3> most{n.columns, n.rows, n.slices};
    std::array<int, 3> size{};
    for (std::size_t a = 0; a < 3; ++a) size[a] = std::min(most[a], static_cast<int>(2 * diameter_mm / spacing[a]));
    bench::Crop crop{Grid<float>(Dimensions{size[0], size[1], size[2]}), spacing, {size[0] / 2, size[1] / 2, size[2] / 2}, diameter_mm / 2};
    for (int k = 0; k < size[2]; ++k) {
        for (int r = 0; r < size[1]; ++r) {
            for (int c = 0; c < size[0]; ++c) crop.hu.at(c, r, k) = ct.hu.at((most[0] - size[0]) / 2 + c, (most[1] - size[1]) / 2 + r, (most[2] - size[2]) / 2 + k);
        }
    }
    return crop;
}

}  // namespace

int main()
{
    for (const auto& [diameter_mm, slices, slice_mm, limit_s, contour] : {Size{20, 100, 3, 0, true}, Size{50, 100, 3, 0.3, true}, Size{300, 300, 1.25, 6, false}}) {
        sample_data::ShapeSpecification specification;
        specification.shape = sample_data::Shape::ball;
        specification.size_mm = {diameter_mm, diameter_mm, diameter_mm};
        specification.grid = {512, 512, slices};
        specification.column_spacing_mm = specification.row_spacing_mm = 0.75;
        specification.slice_spacing_mm = slice_mm;
        specification.noise_hu = 12;
        const auto phantom = sample_data::make_shape(specification);
        if (!phantom) stop(phantom.error().message);
        const auto& geometry = phantom->ct.geometry;
        segmentation::Prompt prompt;
        const PatientPoint half{diameter_mm / 2, 0, 0};
        const PatientPoint slice = geometry.to_patient(ContinuousIndex{255.5, 255.5, 0.5 * (slices - 1)});
        prompt.lines = {{slice - half, slice + half}};
        const auto crop = crop_of(phantom->ct, diameter_mm);
        const auto ask = [&](const std::string& peer, std::size_t (*segmented)(const bench::Crop&)) {
            bench::answer({.text = "segment a ball of " + std::to_string(static_cast<int>(diameter_mm / 10)) + " cm from its line, 512 x 512 x " + std::to_string(slices),
                           .limit_s = limit_s,
                           .repeats = diameter_mm < 100 ? 3 : 1,
                           .ours = [&] {
                               const auto made = segmentation::segment(phantom->ct, "", prompt);
                               if (!made) stop(made.error().message);
                           },
                           .peer = "ITK " + peer + " on the crop",
                           .peers = [&] {
                               if (segmented(crop) == 0) stop("ITK " + peer + " found nothing");
                           }});
        };
        ask("ConfidenceConnected", bench::confidence_connected);
        ask("FastMarching", bench::fast_marching);
        if (contour) ask("GeodesicActiveContour, 100 iterations", bench::geodesic_active_contour);
    }
    sample_data::ShapeSpecification mass;
    mass.shape = sample_data::Shape::ball;
    mass.size_mm = {150, 150, 150};
    mass.grid = {200, 200, 100};
    mass.slice_spacing_mm = 2;
    const auto phantom = sample_data::make_shape(mass);
    if (!phantom) stop(phantom.error().message);
    const std::array<double, 3> spacing_mm{mass.column_spacing_mm, mass.row_spacing_mm, mass.slice_spacing_mm};
    bench::answer({.text = "signed distance to a mask of 15 cm, 200 x 200 x 100",
                   .repeats = 3,
                   .ours = [&] { segmentation::signed_distance(phantom->mask, spacing_mm); },
                   .peer = "ITK signed Maurer distance",
                   .peers = [&] { test::maurer_distance(phantom->mask, spacing_mm); }});
    return 0;
}

// How long does a reader wait from a line to a mask? No peer does this from the line alone; the limit is patience.

#include <cstdlib>

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

}  // namespace

int main()
{
    for (const double diameter_mm : {20.0, 200.0}) {
        sample_data::ShapeSpecification specification;
        specification.shape = sample_data::Shape::ball;
        specification.size_mm = {diameter_mm, diameter_mm, diameter_mm};
        specification.grid = {512, 512, 100};
        specification.column_spacing_mm = specification.row_spacing_mm = 0.75;
        specification.slice_spacing_mm = 3;
        specification.noise_hu = 12;
        const auto phantom = sample_data::make_shape(specification);
        if (!phantom) stop(phantom.error().message);
        const auto& geometry = phantom->ct.geometry;
        segmentation::Prompt prompt;
        const PatientPoint half{diameter_mm / 2, 0, 0};
        const PatientPoint slice = geometry.to_patient(ContinuousIndex{255.5, 255.5, 50});
        prompt.lines = {{slice - half, slice + half}};
        bench::answer({.text = "segment a ball of " + std::to_string(static_cast<int>(diameter_mm / 10)) + " cm from its line, 512 x 512 x 100",
                       .limit_s = 60,
                       .repeats = 3,
                       .ours = [&] {
                           const auto made = segmentation::segment(phantom->ct, "", prompt);
                           if (!made) stop(made.error().message);
                       }});
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

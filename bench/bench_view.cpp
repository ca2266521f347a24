// How long does one turn of the wheel take before anything is drawn? Three planes, sampled and outlined. The limit, a quarter
// of a second, is what a reader still feels as immediate on a slow machine.

#include <cmath>

#include "bench/timing.h"
#include "viewer/view.h"

using namespace retromass;
using namespace retromass::viewer;

int main()
{
    const auto geometry = VolumeGeometry::axial({512, 512, 300}, 0.75, 0.75, 1.5);
    const auto ct = std::make_shared<CtVolume>(CtVolume{geometry, Grid<std::int16_t>(geometry.size(), 40)});
    const auto mask = std::make_shared<Mask>(geometry.size());
    const PatientPoint centre = geometry.to_patient(Index{256, 256, 150});
    for (int k = 0; k < 300; ++k) {
        for (int r = 0; r < 512; ++r) {
            for (int c = 0; c < 512; ++c) mask->at(c, r, k) = norm(geometry.to_patient(Index{c, r, k}) - centre) < 100;
        }
    }
    Scene scene;
    TimepointView timepoint;
    timepoint.ct = ct;
    timepoint.lesions.push_back(LesionView{.lesion = "T1", .mask = mask});
    scene.timepoints.push_back(timepoint);
    auto view = first_view(scene).value();
    bench::answer({.text = "three planes with outline of a 512 x 512 x 300 volume",
                   .limit_s = 0.25,
                   .repeats = 11,
                   .ours = [&] {
                       view = moved(scene, view, Plane::axial, 1);
                       for (const auto plane : {Plane::axial, Plane::coronal, Plane::sagittal}) {
                           const auto frame = plane_frame(geometry, plane, view.cursor);
                           if (sampled(*ct, frame).empty() || outline(*mask, geometry, frame).empty()) std::abort();
                       }
                   }});
    return 0;
}

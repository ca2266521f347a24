// How long does one turn of the wheel take before anything is drawn? Three planes, sampled and outlined. The limit, a quarter
// of a second, is what a reader still feels as immediate on a slow machine. And until it is drawn, in software, panes of 512 x 512 pixels
// (under a display: xvfb-run -a)? The limit is 50 ms, from when on scrolling is no longer smooth.

#include <cmath>

#include "bench/timing.h"
#include "viewer/view.h"
#ifdef RETROMASS_WITH_WINDOW
#include <vtkNew.h>
#include <vtkRenderWindow.h>

#include "viewer/vtk/display.h"
#include "viewer/vtk/panes.h"
#endif

using namespace retromass;
using namespace retromass::viewer;

namespace {

void answer_on_the_screen([[maybe_unused]] const Scene& scene, [[maybe_unused]] View view)
{
#ifdef RETROMASS_WITH_WINDOW
    const auto display = open_display();
    if (!display) {
        std::cout << "no display: the wheel was not timed on the screen (xvfb-run -a)" << std::endl;
        return;
    }
    vtkNew<vtkRenderWindow> window;
    window->SetDisplayId(display.get());
    window->SetSize(1284, 1184);  // a fifth is the table's, an eighth band and captions (viewer/vtk/panes.cpp)
    Panes panes(window);
    view.table = true;
    panes.draw(scene, view);
    window->Render();
    bench::answer({.text = "a turn of the wheel until it is drawn, panes of 512 x 512",
                   .limit_s = 0.05,
                   .repeats = 31,
                   .ours = [&] {
                       view = moved(scene, view, Plane::axial, 1);
                       panes.draw(scene, view);
                       window->Render();
                   }});
#endif
}

}  // namespace

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
    answer_on_the_screen(scene, first_view(scene).value());
    return 0;
}

#include <vtkCamera.h>
#include <vtkNew.h>
#include <vtkRenderWindow.h>
#include <vtkRenderer.h>
#include <vtkTextActor.h>
#include <vtkTextProperty.h>

#include <algorithm>

#include "core/units.h"
#include "viewer/vtk/display.h"
#include "viewer/vtk/lesion_model.h"
#include "viewer/vtk/strokes.h"
#include "viewer/vtk/written.h"

namespace retromass::viewer {
namespace {

constexpr double kBandPart = 0.07;                    // of the height
constexpr double kFromLeft_px = 8, kAboveBand_px = 8;
constexpr Colour kBar{1, 1, 1};

/// A window that is never shown, with one lesion in it.
class SurfacePicture {
public:
    explicit SurfacePicture(const DisplayConnection& display) : model_(picture_), bar_(picture_, kBar, 2)
    {
        window_->SetDisplayId(display.get());
        window_->SetOffScreenRendering(1);
        window_->SetMultiSamples(0);
        window_->SetSize(kSurface_px, kSurface_px);
        window_->AddRenderer(picture_);
        picture_->GetActiveCamera()->ParallelProjectionOn();
        band_->SetViewport(0, 0, 1, kBandPart);
        band_->SetBackground(kBand.red, kBand.green, kBand.blue);
        window_->AddRenderer(band_);
        scale_ = text_in(picture_, 13, kBar);
        words_ = text_in(band_, 10, kBar);
        place(words_, 0.5, 0.5, VTK_TEXT_CENTERED, VTK_TEXT_CENTERED);
    }

    Status write(const Scene& scene, const View& view, const SurfaceFrame& frame, const std::filesystem::path& file)
    {
        const auto* lesion = lesion_of(scene, view);
        model_.show(lesion, ct_of(scene, view).geometry);
        const auto towards = surface_towards_viewer();
        const double half_mm = frame.mm_per_pixel * kSurface_px / 2;
        // In front of everything, where no perspective changes its length.
        const auto corner = frame.centre + 4 * half_mm * towards + (frame.mm_per_pixel * kFromLeft_px - half_mm) * frame.right +
                            (frame.mm_per_pixel * (kBandPart * kSurface_px + kAboveBand_px) - half_mm) * frame.up;
        bar_.clear();
        bar_.add(xyz(corner), xyz(corner + frame.bar_mm * frame.right));
        bar_.done();
        scale_->SetInput((fixed(frame.bar_mm, 0) + " mm").c_str());
        place(scale_, kFromLeft_px / kSurface_px, kBandPart + (kAboveBand_px + 4) / kSurface_px, VTK_TEXT_LEFT, VTK_TEXT_BOTTOM);
        words_->SetInput(band(scene, view).c_str());

        auto* camera = picture_->GetActiveCamera();
        camera->SetFocalPoint(xyz(frame.centre).data());
        camera->SetPosition(xyz(frame.centre + 10 * half_mm * towards).data());
        camera->SetViewUp(xyz(frame.up).data());
        camera->SetParallelScale(half_mm);
        picture_->ResetCameraClippingRange();
        window_->Render();
        return written(window_, file);
    }

private:
    vtkNew<vtkRenderWindow> window_;
    vtkNew<vtkRenderer> picture_;
    vtkNew<vtkRenderer> band_;
    LesionModel model_;
    Lines bar_;
    vtkSmartPointer<vtkTextActor> scale_;
    vtkSmartPointer<vtkTextActor> words_;
};

}  // namespace

Status render_surfaces(const Scene& scene, const std::string& lesion, const std::vector<std::filesystem::path>& files)
{
    const auto display = open_display();
    if (!display) return no_display();
    vtkObject::GlobalWarningDisplayOff();  // a library does not print
    const auto frames = surface_frames(scene, lesion);
    SurfacePicture picture(display);
    for (std::size_t t = 0; t < files.size(); ++t) {
        if (files[t].empty()) continue;
        if (!frames[t]) return Error{Code::empty_mask, "lesion " + lesion + " has no mask at " + scene.timepoints[t].id, "viewer"};
        View view;
        view.timepoint = t;
        const auto& lesions = scene.timepoints[t].lesions;
        view.lesion = static_cast<std::size_t>(std::find_if(lesions.begin(), lesions.end(), [&](const auto& l) { return l.lesion == lesion; }) - lesions.begin());
        RETROMASS_TRY(picture.write(scene, view, *frames[t], files[t]));
    }
    return Done{};
}

}  // namespace retromass::viewer

#include <vtkInteractorStyleTrackballCamera.h>
#include <vtkNew.h>
#include <vtkObjectFactory.h>
#include <vtkPNGWriter.h>
#include <vtkRenderWindow.h>
#include <vtkRenderWindowInteractor.h>
#include <vtkWindowToImageFilter.h>

#include <string>

#include "viewer/view.h"
#include "viewer/vtk/display.h"
#include "viewer/vtk/panes.h"

namespace retromass::viewer {
namespace {

Error no_display()
{
    return {Code::no_display, "no display can be opened; on a machine without one, run under xvfb-run -a", "viewer"};
}

/// Keys and mouse over the planes; over the surface the toolkit's own turning.
class ReaderStyle : public vtkInteractorStyleTrackballCamera {
public:
    static ReaderStyle* New();
    vtkTypeMacro(ReaderStyle, vtkInteractorStyleTrackballCamera);

    void begin(Panes& panes, const Scene& scene, const View& view, const Callbacks& callbacks)
    {
        panes_ = &panes;
        scene_ = scene;
        view_ = view;
        callbacks_ = &callbacks;
        panes_->draw(scene_, view_);
    }
    int decisions() const { return decisions_; }

    void OnMouseWheelForward() override { scroll(1); }
    void OnMouseWheelBackward() override { scroll(-1); }

    void OnLeftButtonDown() override
    {
        const auto [x, y] = mouse();
        if (panes_->over_surface(x, y)) {
            turning_ = true;
            vtkInteractorStyleTrackballCamera::OnLeftButtonDown();
        } else if (const auto hit = panes_->hit(x, y)) {
            look(centred(scene_, view_, hit->point));
        }
    }
    void OnLeftButtonUp() override
    {
        if (turning_) vtkInteractorStyleTrackballCamera::OnLeftButtonUp();
        turning_ = false;
    }
    void OnRightButtonDown() override
    {
        const auto [x, y] = mouse();
        windowing_ = panes_->hit(x, y).has_value();
    }
    void OnRightButtonUp() override { windowing_ = false; }
    void OnMiddleButtonDown() override {}
    void OnMiddleButtonUp() override {}
    void OnMouseMove() override
    {
        if (windowing_) {
            const int* now = Interactor->GetEventPosition();
            const int* before = Interactor->GetLastEventPosition();
            look(dragged_window(view_, now[0] - before[0], before[1] - now[1]));
        } else if (turning_) {
            vtkInteractorStyleTrackballCamera::OnMouseMove();
        }
    }

    void OnChar() override {}  // the toolkit's own keys do other things
    void OnKeyRelease() override {}
    void OnKeyPress() override
    {
        const char* symbol = Interactor->GetKeySym();
        const auto asked = pressed(scene_, view_, symbol ? symbol : "");
        if (asked.close) return Interactor->TerminateApp();
        if (asked.decision) return decide(*asked.decision);
        look(asked.view);
    }

private:
    std::array<int, 2> mouse() const
    {
        const int* at = Interactor->GetEventPosition();
        return {at[0], at[1]};
    }
    void scroll(int steps)
    {
        const auto [x, y] = mouse();
        if (const auto hit = panes_->hit(x, y)) look(moved(scene_, view_, hit->plane, steps));
    }
    void look(const View& view)
    {
        view_ = view;
        panes_->draw(scene_, view_);
        Interactor->GetRenderWindow()->Render();
    }
    void decide(Decision decision)
    {
        const auto* lesion = lesion_of(scene_, view_);
        if (!lesion || !callbacks_->review) return;
        if (!callbacks_->review(scene_.timepoints[view_.timepoint].id, lesion->lesion, decision).ok()) return;
        ++decisions_;
        scene_ = reviewed(std::move(scene_), view_, decision, callbacks_->reader);
        look(view_);
    }

    Panes* panes_ = nullptr;
    Scene scene_;
    View view_;
    const Callbacks* callbacks_ = nullptr;
    bool turning_ = false;
    bool windowing_ = false;
    int decisions_ = 0;
};
vtkStandardNewMacro(ReaderStyle)

}  // namespace

Result<int> show(const Scene& scene, const Callbacks& callbacks)
{
    RETROMASS_TRY_ASSIGN(const auto view, first_view(scene));
    const auto display = open_display();
    if (!display) return no_display();
    vtkObject::GlobalWarningDisplayOff();  // a library does not print

    vtkNew<vtkRenderWindow> window;
    window->SetDisplayId(display.get());
    window->SetSize(PictureSize{}.width, PictureSize{}.height);
    window->SetWindowName(("Retromass - " + scene.case_id).c_str());
    Panes panes(window);
    vtkNew<vtkRenderWindowInteractor> interactor;
    interactor->SetRenderWindow(window);
    vtkNew<ReaderStyle> style;
    interactor->SetInteractorStyle(style);
    style->begin(panes, scene, view, callbacks);
    window->Render();
    interactor->Start();
    return style->decisions();
}

Status render_scene(const Scene& scene, const View& view, const std::filesystem::path& png, PictureSize size)
{
    RETROMASS_TRY(first_view(scene));
    const auto display = open_display();
    if (!display) return no_display();
    vtkObject::GlobalWarningDisplayOff();

    vtkNew<vtkRenderWindow> window;
    window->SetDisplayId(display.get());
    window->SetOffScreenRendering(1);
    window->SetSize(size.width, size.height);
    Panes panes(window);
    panes.draw(scene, view);
    window->Render();

    vtkNew<vtkWindowToImageFilter> picture;
    picture->SetInput(window);
    picture->SetInputBufferTypeToRGB();
    picture->ReadFrontBufferOff();
    vtkNew<vtkPNGWriter> writer;
    writer->SetFileName(png.c_str());
    writer->SetInputConnection(picture->GetOutputPort());
    writer->Write();
    if (writer->GetErrorCode() != 0) return Error{Code::io, "could not write the picture " + png.string(), "viewer"};
    return Done{};
}

}  // namespace retromass::viewer

#include <vtkInteractorStyleTrackballCamera.h>
#include <vtkNew.h>
#include <vtkObjectFactory.h>
#include <vtkRenderWindow.h>
#include <vtkRenderWindowInteractor.h>

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "viewer/session.h"
#include "viewer/vtk/display.h"
#include "viewer/vtk/panes.h"
#include "viewer/vtk/written.h"

namespace retromass::viewer {
namespace {

constexpr int kWithTable = 5;           ///< quarters of the pictures' width: a fifth is the table's (panes.cpp)
constexpr unsigned long kLook_ms = 40;  ///< between looks whether a mask came: the eye waits no longer than for a picture

/// Keys and mouse over the planes go to the session; over the surface the toolkit's own turning.
class ReaderStyle : public vtkInteractorStyleTrackballCamera {
public:
    static ReaderStyle* New();
    vtkTypeMacro(ReaderStyle, vtkInteractorStyleTrackballCamera);

    void begin(Panes& panes, Session& session, const std::string& title)
    {
        title_ = title;
        panes_ = &panes;
        session_ = &session;
        panes_->draw(session_->scene(), session_->view());
        name();
    }

    void OnMouseWheelForward() override { scroll(1); }
    void OnMouseWheelBackward() override { scroll(-1); }

    void OnLeftButtonDown() override
    {
        const auto [x, y] = mouse();
        if (panes_->over_surface(x, y)) {
            turning_ = true;
            vtkInteractorStyleTrackballCamera::OnLeftButtonDown();
        } else if (const auto row = panes_->row(x, y)) {
            session_->go(*row);
            draw();
        } else if (const auto hit = panes_->hit(x, y); hit && hit->beside && session_->drawing()) {
            session_->press_beside();
            draw();
        } else if (hit) {
            pressed_ = hit->plane;
            session_->press(hit->plane, hit->point);
            draw();
        }
    }
    void OnLeftButtonUp() override
    {
        if (turning_) vtkInteractorStyleTrackballCamera::OnLeftButtonUp();
        turning_ = false;
        if (!pressed_) return;
        pressed_.reset();
        session_->release();
        draw();
    }
    void OnRightButtonDown() override
    {
        const auto [x, y] = mouse();
        windowing_ = panes_->hit(x, y).has_value();
    }
    void OnRightButtonUp() override { windowing_ = false; }
    void OnMiddleButtonDown() override
    {
        const auto [x, y] = mouse();
        panning_ = panes_->hit(x, y).has_value();
    }
    void OnMiddleButtonUp() override { panning_ = false; }
    void OnMouseMove() override
    {
        const auto [x, y] = mouse();
        if (windowing_) {
            const int* before = Interactor->GetLastEventPosition();
            session_->window_drag(x - before[0], before[1] - y);
            draw();
        } else if (panning_) {
            const int* before = Interactor->GetLastEventPosition();
            const auto from = panes_->hit(before[0], before[1]);
            const auto to = panes_->hit(x, y);
            if (!from || !to || from->plane != to->plane || from->beside != to->beside) return;
            session_->pan(from->point - to->point);
            draw();
        } else if (turning_) {
            vtkInteractorStyleTrackballCamera::OnMouseMove();
        } else if (pressed_ && session_->drawing()) {
            const auto hit = panes_->hit(x, y);
            if (!hit || hit->beside || hit->plane != *pressed_) return;  // a stroke stays in its pane
            session_->drag(hit->point);
            draw();
        }
    }
    void OnTimer() override
    {
        if (!session_->tick()) return;
        draw();
        name();
    }

    void OnChar() override {}  // the toolkit's own keys do other things
    void OnKeyRelease() override {}
    void OnKeyPress() override
    {
        const char* symbol = Interactor->GetKeySym();
        session_->key(symbol ? symbol : "", Interactor->GetKeyCode());
        if (session_->closed()) return Interactor->TerminateApp();
        draw();
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
        const auto hit = panes_->hit(x, y);
        if (!hit) return;
        session_->wheel(hit->plane, steps);
        draw();
    }
    void name() { Interactor->GetRenderWindow()->SetWindowName((title_ + (session_->reading() ? " (reading)" : "")).c_str()); }
    void draw()
    {
        panes_->draw(session_->scene(), session_->view());
        Interactor->GetRenderWindow()->Render();
    }

    Panes* panes_ = nullptr;
    Session* session_ = nullptr;
    std::string title_;
    bool turning_ = false;
    bool windowing_ = false;
    bool panning_ = false;
    std::optional<Plane> pressed_;
};
vtkStandardNewMacro(ReaderStyle)

}  // namespace

Status check_display()
{
    if (!open_display()) return no_display();
    return Done{};
}

Result<Ended> show(const Scene& scene, const Callbacks& callbacks, const std::optional<View>& start, StillReading still_reading)
{
    RETROMASS_TRY_ASSIGN(auto view, first_view(scene));
    view.table = true;
    if (start) view = *start;
    const auto display = open_display();
    if (!display) return no_display();
    vtkObject::GlobalWarningDisplayOff();  // a library does not print

    vtkNew<vtkRenderWindow> window;
    window->SetDisplayId(display.get());
    window->SetSize(kWithTable * PictureSize{}.width / 4, PictureSize{}.height);
    Panes panes(window);
    vtkNew<vtkRenderWindowInteractor> interactor;
    interactor->SetRenderWindow(window);
    vtkNew<ReaderStyle> style;
    interactor->SetInteractorStyle(style);
    Session session(scene, view, callbacks, std::move(still_reading));
    style->begin(panes, session, "Retromass - " + scene.case_id);
    interactor->Initialize();  // listens before anything is seen: no key is lost
    window->Render();
    interactor->CreateRepeatingTimer(kLook_ms);
    interactor->Start();
    if (session.failed()) return *session.failed();
    return Ended{session.decisions(), session.view()};
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
    return written(window, png);
}

}  // namespace retromass::viewer

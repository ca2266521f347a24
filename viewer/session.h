#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "viewer/drawing.h"
#include "viewer/view.h"

namespace retromass::viewer {

/// What keys and mouse do, without a window: a reader's session on one case. The window hands over what it is told, asks `tick` now and
/// then, and draws `scene` and `view`. A mask is made beside it, so that the window never waits.
class Session {
public:
    Session(Scene scene, View view, Callbacks callbacks);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// As it is shown: with what is being drawn and what that would make of the case.
    const Scene& scene() const { return shown_; }
    const View& view() const { return view_; }
    bool closed() const { return closed_; }
    int decisions() const { return decisions_; }  ///< taken: reviews and changes
    bool drawing() const { return tool_ != Tool::none; }

    /// `character` is what it types; 0 = nothing.
    void key(std::string_view symbol, char character = 0);
    void wheel(Plane plane, int steps);
    void press(Plane plane, PatientPoint point);
    void drag(PatientPoint point);
    void release();
    void pan(PatientPoint by) { view_ = panned(view_, by); }
    void go(const TableRow& row);
    void window_drag(double right_px, double down_px) { view_ = dragged_window(view_, right_px, down_px); }
    /// Looks whether a mask came; true where the picture changed.
    bool tick();
    bool working() const { return job_.valid(); }

private:
    void look(const View& view);   ///< refuses to leave a drawing that is neither taken nor discarded
    void choose(Tool tool);
    void ask();        ///< for the outcome of what is drawn
    void take();
    void discard();
    void decide(Decision decision);
    void sign();
    void sign_with(const std::string& reason);
    std::string why_not() const;       ///< nothing can be decided
    void stop_job();
    void lay_in(Scene& scene) const;   ///< the outcome
    void refresh();

    Scene scene_;
    Scene shown_;
    View view_;
    Callbacks callbacks_;
    Tool tool_ = Tool::none;
    std::optional<Drawing> drawing_;
    Change asked_;                          ///< that `outcome_` or the job is of
    std::optional<Outcome> outcome_;
    bool ask_again_ = false;                ///< when the job has ended
    std::future<Result<Outcome>> job_;
    std::shared_ptr<std::atomic<bool>> stop_;
    std::string message_;
    std::optional<std::string> reason_;     ///< being typed, for a signature
    bool closed_ = false;
    int decisions_ = 0;
};

}  // namespace retromass::viewer

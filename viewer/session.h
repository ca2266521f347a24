#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "viewer/drawing.h"
#include "viewer/view.h"

namespace retromass::viewer {

/// What keys and mouse do, without a window: a reader's session on one case. The window hands over what it is told, asks `tick` now and
/// then, and draws `scene` and `view`. Masks and links are made beside it, so that the window never waits.
class Session {
public:
    Session(Scene scene, View view, Callbacks callbacks, StillReading still_reading = {});
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
    void press_beside();   ///< a stroke begun in the time point beside: nothing is drawn there, and it says so
    void drag(PatientPoint point);
    void release();
    void pan(PatientPoint by) { view_ = panned(view_, by); }
    void go(const TableRow& row);
    void window_drag(double right_px, double down_px) { view_ = dragged_window(view_, right_px, down_px); }
    /// Looks whether a mask came, a link or the rest of the case; true where the picture changed.
    bool tick();
    bool reading() const { return static_cast<bool>(still_reading_); }
    /// Why the rest of the case could not be read.
    const std::optional<Error>& failed() const { return failed_; }
    bool working() const { return job_.valid(); }
    bool linking() const { return link_job_.valid(); }

private:
    void look(const View& view);   ///< refuses to leave a drawing that is neither taken nor discarded
    void choose(Tool tool);
    void begin(Tool tool);
    void ask();        ///< for the outcome of what is drawn
    void step(bool back);
    void resize_brush(double factor);
    void smooth();
    /// Does it, or asks for a reason first where the time point was signed.
    void with_reason(const std::string& what, std::function<void(const std::string& reason)> act);
    void type(std::string_view symbol, char character);
    void take();
    void take_with(const std::string& reason);
    void discard();
    void decide(Decision decision);
    void decide_with(Decision decision, const std::string& reason);
    void sign();
    void sign_with(const std::string& reason);
    void hold_back();                  ///< what a blinded reader must not see yet
    bool take_the_rest();
    void reveal();                     ///< the next time point of a blinded session
    std::string why_not() const;       ///< nothing can be decided
    std::string told(Tool tool) const;
    void stop_job();
    void ask_for_link();               ///< of the time point beside, where there is none and nobody asks for one
    bool take_link();                  ///< true where one came
    bool take_outcome();
    void lay_in(std::vector<TimepointView>& timepoints, std::size_t first) const;   ///< the outcome of these, the first being that of the case
    void refresh();

    Scene scene_;
    Scene shown_;
    View view_;
    Callbacks callbacks_;
    StillReading still_reading_;            ///< empty = the case is whole
    std::optional<Error> failed_;
    Tool tool_ = Tool::none;
    std::optional<Drawing> drawing_;
    double brush_mm_ = 5;                   ///< radius
    Change asked_;                          ///< that `outcome_` or the job is of
    std::optional<Outcome> outcome_;        ///< the last one: shown until the next is there
    bool fresh_ = false;                    ///< it is of all that is drawn
    bool ask_again_ = false;                ///< when the job has ended
    std::future<Result<Outcome>> job_;
    std::shared_ptr<std::atomic<bool>> stop_;
    std::future<Result<ScanLink>> link_job_;
    std::array<std::size_t, 2> linking_{};  ///< the time points that it is of: looked at, and beside
    std::atomic<bool> stop_linking_ = false;
    std::string message_;
    std::optional<std::string> reason_;     ///< being typed, for what waits for it
    std::string asks_why_;
    std::function<void(const std::string& reason)> waits_;
    std::vector<TimepointView> unseen_;     ///< of a blinded session
    bool closed_ = false;
    int decisions_ = 0;
};

}  // namespace retromass::viewer

#include "viewer/session.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "core/units.h"

namespace retromass::viewer {
namespace {

constexpr double kSmooth_mm = 1.5;                                  // about two pixels of a body CT
constexpr double kBrushStep = 1.25, kLeast_mm = 1, kMost_mm = 50;   // radius of the brush

}  // namespace

Session::Session(Scene scene, View view, Callbacks callbacks, StillReading still_reading)
    : scene_(std::move(scene)), view_(view), callbacks_(std::move(callbacks)), still_reading_(std::move(still_reading)), message_(scene_.message)
{
    if (scene_.blinded) {
        hold_back();
        auto last = scene_.timepoints.size() - 1;
        while (last > 0 && !scene_.timepoints[last].ct) --last;
        view_.beside.reset();
        view_.timepoint = last;
        view_ = at_row(scene_, view_, {{}, last, {}});
    }
    refresh();
}

void Session::hold_back() { unseen_ = take_unseen(scene_); }

/// What is looked at stays: the reader may have gone through its slices meanwhile.
bool Session::take_the_rest()
{
    auto rest = still_reading_();
    if (!rest) return false;
    still_reading_ = {};
    if (*rest) {
        if (const auto fits = first_view((*rest)->scene); !fits) rest = Result<Whole>(fits.error());
    }
    if (!*rest) {
        failed_ = rest->error();
        scene_.read_only = "the other time points could not be read: " + failed_->message;
        message_ = scene_.read_only;
        return true;
    }
    auto& whole = **rest;
    scene_ = std::move(whole.scene);
    callbacks_ = std::move(whole.callbacks);
    if (scene_.blinded) hold_back();
    else view_.beside = whole.beside;
    message_ = scene_.message;
    return true;
}

Session::~Session()
{
    stop_linking_ = true;
    stop_job();
    if (link_job_.valid()) link_job_.wait();
}

void Session::stop_job()
{
    if (!job_.valid()) return;
    *stop_ = true;
    job_.wait();
    job_ = {};
}

void Session::lay_in(std::vector<TimepointView>& timepoints, std::size_t first) const
{
    for (std::size_t t = 0; t < timepoints.size() && first + t < outcome_->lesions.size(); ++t) {
        auto& timepoint = timepoints[t];
        timepoint.response = outcome_->responses[first + t];
        for (std::size_t l = 0; l < timepoint.lesions.size(); ++l) {
            auto changed = outcome_->lesions[first + t][l];
            changed.review_state = timepoint.lesions[l].review_state;
            changed.reader = timepoint.lesions[l].reader;
            changed.prompt = std::move(timepoint.lesions[l].prompt);
            changed.edits = std::move(timepoint.lesions[l].edits);
            timepoint.lesions[l] = std::move(changed);
        }
    }
}

void Session::ask_for_link()
{
    if (!callbacks_.link || !view_.beside || *view_.beside == view_.timepoint || link_job_.valid()) return;
    // The earlier scan is laid on the later one, whichever is looked at: it is the one whose lesions are looked for.
    const auto here = std::max(view_.timepoint, *view_.beside), there = std::min(view_.timepoint, *view_.beside);
    if (link_between(scene_, here, there)) return;
    linking_ = {here, there};
    link_job_ = std::async(std::launch::async, [this, here, there, link = callbacks_.link]() -> Result<ScanLink> {
        try {
            return link(here, there, [this](std::string_view, double) { return !stop_linking_; });
        } catch (const std::bad_alloc&) {  // a guide for the eye must not cost a drawing
            return Error{Code::memory, "there is not memory enough to register the scans", "viewer"};
        }
    });
}

bool Session::take_link()
{
    if (!link_job_.valid() || link_job_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return false;
    auto made = link_job_.get();
    auto& link = scene_.links.emplace_back(made ? std::move(*made) : ScanLink{});
    if (!made) link.doubt = made.error().message;
    link.here = linking_[0];
    link.there = linking_[1];
    return true;
}

void Session::refresh()
{
    ask_for_link();
    shown_ = scene_;
    shown_.linking = linking();
    shown_.message = message_;
    auto& timepoint = shown_.timepoints[view_.timepoint];
    if (!drawing_ || view_.lesion >= timepoint.lesions.size()) return;
    if (outcome_) {
        lay_in(shown_.timepoints, 0);
        shown_.proposed = true;
    }
    auto& lesion = timepoint.lesions[view_.lesion];
    if (!drawing_->of_mask()) lesion.prompt = drawing_->prompt();
    else if (!fresh_ || !drawing_->whole()) lesion.strokes = drawing_->last_edits();
}

void Session::key(std::string_view symbol, char character)
{
    if (reason_) {
        type(symbol, character);
    } else if (const auto tool = tool_of(symbol)) {
        choose(*tool);
    } else if (symbol == "Escape") {
        discard();
    } else if (symbol == "Return" || symbol == "KP_Enter") {
        take();
    } else if (symbol == "u" || symbol == "BackSpace" || symbol == "y") {
        step(symbol != "y");
    } else if (symbol == "bracketleft" || symbol == "bracketright") {
        resize_brush(symbol == "bracketleft" ? 1 / kBrushStep : kBrushStep);
    } else if (symbol == "m") {
        smooth();
    } else {
        const auto asked = pressed(scene_, view_, symbol);
        closed_ = closed_ || asked.close;
        look(asked.view);
        if (asked.decision) decide(*asked.decision);
        if (symbol == "g") sign();
    }
    refresh();
}

void Session::with_reason(const std::string& what, std::function<void(const std::string& reason)> act)
{
    if (scene_.timepoints[view_.timepoint].signature.empty()) return act({});
    reason_.emplace();
    waits_ = std::move(act);
    asks_why_ = "signed before; why " + what + "? Return goes on, Escape does not: ";
    message_ = asks_why_;
}

void Session::type(std::string_view symbol, char character)
{
    if ((symbol == "Return" || symbol == "KP_Enter") && !reason_->empty()) {
        const auto reason = *std::exchange(reason_, std::nullopt);
        return waits_(reason);
    }
    if (symbol == "Escape") {
        reason_.reset();
        message_ = "nothing was done";
        return;
    }
    if (symbol == "BackSpace" && !reason_->empty()) reason_->pop_back();
    else if (character >= ' ' && character <= '~') *reason_ += character;
    message_ = asks_why_ + *reason_;
}

void Session::sign()
{
    if (drawing_ && !drawing_->empty()) message_ = "Return takes the change, Escape discards it; then sign";
    else if (!callbacks_.sign) message_ = why_not();
    else with_reason("again", [this](const std::string& reason) { sign_with(reason); });
}

void Session::sign_with(const std::string& reason)
{
    auto& timepoint = scene_.timepoints[view_.timepoint];
    const auto signature = callbacks_.sign(view_.timepoint, reason);
    if (!signature) {
        message_ = "not signed: " + signature.error().message;
        return;
    }
    timepoint.signature = *signature;
    message_ = timepoint.id + " signed by " + *signature;
    ++decisions_;
    if (scene_.blinded) reveal();
}

void Session::reveal()
{
    const auto last = scene_.timepoints.size() - 1;
    for (auto& timepoint : unseen_) scene_.timepoints.push_back(std::move(timepoint));
    unseen_ = take_unseen(scene_);
    const auto signed_by = message_;
    const bool more = scene_.timepoints.size() > last + 1;
    if (more) look(other_timepoint(scene_, view_, static_cast<int>(scene_.timepoints.size() - 1 - view_.timepoint)));
    message_ = signed_by + (more ? "; here is the next" : unseen_.empty() ? "; all time points are signed" : "");
}

std::string Session::why_not() const
{
    return scene_.read_only.empty() ? "only a named reader with a role can do this: open the case with --reader NAME --role ROLE" : scene_.read_only;
}

void Session::go(const TableRow& row)
{
    if (reason_) return;  // it is of what is looked at
    look(at_row(scene_, view_, row));
    refresh();
}

void Session::look(const View& view)
{
    const bool elsewhere = view.timepoint != view_.timepoint || view.lesion != view_.lesion;
    if (elsewhere && drawing_ && !drawing_->empty()) {
        message_ = "Return takes the change, Escape discards it; then go on";
        return;
    }
    if (elsewhere) discard();
    view_ = view;
}

void Session::choose(Tool tool)
{
    const auto* lesion = lesion_of(scene_, view_);
    if (!lesion || !callbacks_.outcome) {
        message_ = reading() || failed_ ? scene_.read_only : "nothing can be drawn here";
        return;
    }
    if (edits_the_mask(tool) && !lesion->mask) {
        message_ = "there is no mask to change: draw a prompt first";
        return;
    }
    if (drawing_ && drawing_->of_mask() != edits_the_mask(tool)) {
        if (!drawing_->empty()) {
            message_ = "Return takes the change, Escape discards it; then go on";
            return;
        }
        discard();
    }
    tool_ = tool;
    message_ = told(tool);
    if (!drawing_) begin(tool);
}

void Session::begin(Tool tool)
{
    const auto* lesion = lesion_of(scene_, view_);
    if (edits_the_mask(tool)) {
        drawing_.emplace(ct_of(scene_, view_).geometry.normal(), lesion->edits);
        return;
    }
    // What only limits a prompt is added to the one that is there; what says where the lesion is begins a new one.
    const bool adds = tool == Tool::extent || tool == Tool::not_here;
    auto start = adds ? lesion->prompt : segmentation::Prompt{};
    start.prior.reset();
    drawing_.emplace(ct_of(scene_, view_).geometry.normal(), std::move(start));
}

std::string Session::told(Tool tool) const
{
    const bool paints = tool == Tool::brush || tool == Tool::rubber;
    return (paints ? fixed(2 * brush_mm_, 1) + " mm " : "") + std::string(hint(tool));
}

void Session::step(bool back)
{
    const auto* lesion = lesion_of(scene_, view_);
    if (!drawing_ && back && lesion && callbacks_.outcome && !lesion->edits.edits.empty()) begin(Tool::brush);
    if (!drawing_ || !(back ? drawing_->undo() : drawing_->redo())) message_ = back ? "nothing to take back" : "nothing to do again";
    else ask();
}

void Session::resize_brush(double factor)
{
    brush_mm_ = std::clamp(brush_mm_ * factor, kLeast_mm, kMost_mm);
    message_ = told(tool_ == Tool::rubber ? Tool::rubber : Tool::brush);
}

void Session::smooth()
{
    choose(Tool::brush);
    if (tool_ != Tool::brush) return;
    drawing_->smooth(kSmooth_mm);
    ask();
}

void Session::discard()
{
    stop_job();
    ask_again_ = false;
    if (drawing_ && !drawing_->empty()) message_ = "discarded";
    else message_.clear();
    drawing_.reset();
    outcome_.reset();
    fresh_ = false;
    tool_ = Tool::none;
}

void Session::wheel(Plane plane, int steps)
{
    view_ = moved(scene_, view_, plane, steps);
    refresh();
}

void Session::press(Plane plane, PatientPoint point)
{
    if (tool_ == Tool::none) view_ = centred(scene_, view_, point);
    else drawing_->press(tool_, plane, point, brush_mm_);
    refresh();
}

void Session::press_beside()
{
    message_ = "draw on the right: the left shows another time point (arrow keys go there)";
    refresh();
}

void Session::drag(PatientPoint point)
{
    if (tool_ == Tool::none || !ct_of(scene_, view_).geometry.contains(point)) return;
    drawing_->drag(point);
    refresh();
}

void Session::release()
{
    if (tool_ == Tool::none) return;
    const auto why_not = drawing_->release();
    if (why_not.empty()) ask();
    else message_ = why_not;
    refresh();
}

void Session::ask()
{
    fresh_ = false;
    ask_again_ = false;
    if (job_.valid()) *stop_ = true;
    if (!drawing_ || drawing_->empty() || !drawing_->whole()) {
        message_ = told(tool_);
        outcome_.reset();
        return;
    }
    message_ = drawing_->of_mask() ? "measuring ..." : "segmenting ...";
    if (job_.valid()) {
        ask_again_ = true;
        return;
    }
    asked_ = {view_.timepoint, view_.lesion, drawing_->prompt(), {}, {}};
    if (drawing_->of_mask()) {
        asked_.prompt = lesion_of(scene_, view_)->prompt;
        asked_.edits = drawing_->edits();
    }
    stop_ = std::make_shared<std::atomic<bool>>(false);
    job_ = std::async(std::launch::async, [change = asked_, stop = stop_, outcome = callbacks_.outcome] {
        return outcome(change, [stop](std::string_view, double) { return !*stop; });
    });
}

bool Session::tick()
{
    if (still_reading_) {
        if (!take_the_rest()) return false;
        refresh();
        return true;
    }
    const bool link_came = take_link(), outcome_came = take_outcome();
    if (!link_came && !outcome_came) return false;
    refresh();
    return true;
}

bool Session::take_outcome()
{
    if (!job_.valid() || job_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return false;
    auto made = job_.get();
    if (ask_again_) {
        ask();
    } else if (!*stop_ && made) {
        outcome_ = std::move(*made);
        fresh_ = true;
        const auto& lesion = outcome_->lesions[asked_.timepoint][asked_.lesion];
        message_ = lesion.measurements ? "a proposal: Return takes it, Escape discards it, or draw on" : "no figures: " + lesion.reason;
    } else if (!*stop_) {
        message_ = made.error().message;
        outcome_.reset();
    }
    return true;
}

void Session::take()
{
    if (!fresh_) {
        if (drawing_) message_ = working() ? "wait for the mask first" : told(tool_);
        return;
    }
    if (callbacks_.reader.empty() || !callbacks_.take) message_ = why_not();
    else with_reason("is it changed", [this](const std::string& reason) { take_with(reason); });
}

void Session::take_with(const std::string& reason)
{
    if (!fresh_) {
        message_ = "wait for the mask first";
        return;
    }
    asked_.reason = reason;
    const auto done = callbacks_.take(asked_);
    if (!done) {
        message_ = "not taken: " + done.error().message;
        return;
    }
    lay_in(scene_.timepoints, 0);
    lay_in(unseen_, scene_.timepoints.size());
    auto& lesion = scene_.timepoints[asked_.timepoint].lesions[asked_.lesion];
    lesion.prompt = asked_.prompt;
    lesion.edits = asked_.edits.value_or(segmentation::EditLog{});
    lesion.review_state = "edited";
    lesion.reader = callbacks_.reader;
    ++decisions_;
    drawing_.reset();
    outcome_.reset();
    fresh_ = false;
    tool_ = Tool::none;
    message_ = *done;
}

void Session::decide(Decision decision)
{
    if (!lesion_of(scene_, view_)) return;
    if (drawing_ && !drawing_->empty()) message_ = "Return takes the change, Escape discards it; then decide";
    else if (!callbacks_.review) message_ = why_not();
    else with_reason(decision == Decision::accept ? "is it accepted now" : "is it rejected now", [this, decision](const std::string& reason) { decide_with(decision, reason); });
}

void Session::decide_with(Decision decision, const std::string& reason)
{
    if (const auto done = callbacks_.review(view_.timepoint, view_.lesion, decision, reason); !done) {
        message_ = "not noted: " + done.error().message;
        return;
    }
    ++decisions_;
    scene_ = reviewed(std::move(scene_), view_, decision, callbacks_.reader);
    message_.clear();
}

}  // namespace retromass::viewer

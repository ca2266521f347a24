#include "viewer/session.h"

#include <chrono>
#include <utility>

namespace retromass::viewer {
namespace {

const std::string kAskReason = "signed before; why again? Return signs, Escape does not: ";

}  // namespace

Session::Session(Scene scene, View view, Callbacks callbacks) : scene_(std::move(scene)), view_(view), callbacks_(std::move(callbacks)) { refresh(); }

Session::~Session() { stop_job(); }

void Session::stop_job()
{
    if (!job_.valid()) return;
    *stop_ = true;
    job_.wait();
    job_ = {};
}

void Session::lay_in(Scene& scene) const
{
    for (std::size_t t = 0; t < scene.timepoints.size() && t < outcome_->lesions.size(); ++t) {
        auto& timepoint = scene.timepoints[t];
        timepoint.response = outcome_->responses[t];
        for (std::size_t l = 0; l < timepoint.lesions.size(); ++l) {
            auto changed = outcome_->lesions[t][l];
            changed.review_state = timepoint.lesions[l].review_state;
            changed.reader = timepoint.lesions[l].reader;
            timepoint.lesions[l] = std::move(changed);
        }
    }
}

void Session::refresh()
{
    shown_ = scene_;
    shown_.message = message_;
    auto& timepoint = shown_.timepoints[view_.timepoint];
    if (!drawing_ || view_.lesion >= timepoint.lesions.size()) return;
    if (outcome_) {
        lay_in(shown_);
        shown_.proposed = true;
    }
    timepoint.lesions[view_.lesion].prompt = drawing_->prompt();
}

void Session::key(std::string_view symbol, char character)
{
    if (reason_) {
        if (symbol == "Return" || symbol == "KP_Enter") {
            const auto reason = *std::exchange(reason_, std::nullopt);
            sign_with(reason);
        } else if (symbol == "Escape") {
            reason_.reset();
            message_ = "not signed";
        } else {
            if (symbol == "BackSpace" && !reason_->empty()) reason_->pop_back();
            else if (character >= ' ' && character <= '~') *reason_ += character;
            message_ = kAskReason + *reason_;
        }
    } else if (const auto tool = tool_of(symbol)) {
        choose(*tool);
    } else if (symbol == "Escape") {
        discard();
    } else if (symbol == "Return" || symbol == "KP_Enter") {
        take();
    } else if (symbol == "BackSpace" && drawing_) {
        drawing_->take_back();
        ask();
    } else {
        const auto asked = pressed(scene_, view_, symbol);
        closed_ = closed_ || asked.close;
        look(asked.view);
        if (asked.decision) decide(*asked.decision);
        if (symbol == "g") sign();
    }
    refresh();
}

void Session::sign()
{
    const auto& timepoint = scene_.timepoints[view_.timepoint];
    if (drawing_ && !drawing_->empty()) {
        message_ = "Return takes the change, Escape discards it; then sign";
    } else if (!callbacks_.sign) {
        message_ = why_not();
    } else if (timepoint.signature.empty()) {
        sign_with({});
    } else {
        reason_.emplace();
        message_ = kAskReason;
    }
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
}

std::string Session::why_not() const
{
    return scene_.read_only.empty() ? "only a named reader with a role can do this: open the case with --reader NAME --role ROLE" : scene_.read_only;
}

void Session::go(const TableRow& row)
{
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
        message_ = "nothing can be drawn here";
        return;
    }
    tool_ = tool;
    message_ = hint(tool);
    if (drawing_) return;
    // What only limits a prompt is added to the one that is there; what says where the lesion is begins a new one.
    const bool adds = tool == Tool::extent || tool == Tool::not_here;
    auto start = adds ? lesion->prompt : segmentation::Prompt{};
    start.prior.reset();
    drawing_.emplace(ct_of(scene_, view_).geometry.normal(), std::move(start));
}

void Session::discard()
{
    stop_job();
    ask_again_ = false;
    if (drawing_ && !drawing_->empty()) message_ = "discarded";
    else message_.clear();
    drawing_.reset();
    outcome_.reset();
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
    else drawing_->press(tool_, plane, point);
    refresh();
}

void Session::drag(PatientPoint point)
{
    if (tool_ == Tool::none) return;
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
    outcome_.reset();
    ask_again_ = false;
    if (job_.valid()) *stop_ = true;
    if (!drawing_ || !drawing_->whole()) {
        message_ = hint(tool_);
        return;
    }
    message_ = "segmenting ...";
    if (job_.valid()) {
        ask_again_ = true;
        return;
    }
    asked_ = {view_.timepoint, view_.lesion, drawing_->prompt()};
    stop_ = std::make_shared<std::atomic<bool>>(false);
    job_ = std::async(std::launch::async, [change = asked_, stop = stop_, outcome = callbacks_.outcome] {
        return outcome(change, [stop](std::string_view, double) { return !*stop; });
    });
}

bool Session::tick()
{
    if (!job_.valid() || job_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return false;
    auto made = job_.get();
    if (ask_again_) {
        ask();
    } else if (!*stop_ && made) {
        outcome_ = std::move(*made);
        const auto& lesion = outcome_->lesions[asked_.timepoint][asked_.lesion];
        message_ = lesion.measurements ? "a proposal: Return takes it, Escape discards it, or draw on" : "no figures: " + lesion.reason;
    } else if (!*stop_) {
        message_ = made.error().message;
    }
    refresh();
    return true;
}

void Session::take()
{
    if (!outcome_) {
        if (drawing_) message_ = working() ? "wait for the mask first" : std::string(hint(tool_));
        return;
    }
    if (callbacks_.reader.empty() || !callbacks_.take) {
        message_ = why_not();
        return;
    }
    const auto done = callbacks_.take(asked_);
    if (!done) {
        message_ = "not taken: " + done.error().message;
        return;
    }
    lay_in(scene_);
    auto& lesion = scene_.timepoints[asked_.timepoint].lesions[asked_.lesion];
    lesion.prompt = asked_.prompt;
    lesion.review_state = "edited";
    lesion.reader = callbacks_.reader;
    ++decisions_;
    drawing_.reset();
    outcome_.reset();
    tool_ = Tool::none;
    message_ = *done;
}

void Session::decide(Decision decision)
{
    const auto* lesion = lesion_of(scene_, view_);
    if (!lesion) return;
    if (drawing_ && !drawing_->empty()) {
        message_ = "Return takes the change, Escape discards it; then decide";
        return;
    }
    if (!callbacks_.review) {
        message_ = why_not();
        return;
    }
    if (const auto done = callbacks_.review(scene_.timepoints[view_.timepoint].id, lesion->lesion, decision); !done) {
        message_ = "not noted: " + done.error().message;
        return;
    }
    ++decisions_;
    scene_ = reviewed(std::move(scene_), view_, decision, callbacks_.reader);
    message_.clear();
}

}  // namespace retromass::viewer

#include "viewer/drawing.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace retromass::viewer {
namespace {

constexpr double kStep_mm = 0.3;      // between the points of a contour: finer than any pixel of a body CT
constexpr double kShort_mm = 1;       // a line or box side below it is a click that slipped

constexpr double kOneSlice_mm = 0.01; // two roundings; slices lie farther apart

double rounded(double mm) { return std::round(mm * 1000) / 1000; }
PatientPoint rounded(PatientPoint p) { return {rounded(p.x), rounded(p.y), rounded(p.z)}; }

bool flat(double a, double b) { return std::abs(a - b) < kShort_mm; }

/// How many sides of the box have no length yet.
int flat_sides(const std::array<PatientPoint, 2>& box) { return flat(box[0].x, box[1].x) + flat(box[0].y, box[1].y) + flat(box[0].z, box[1].z); }

}  // namespace

std::optional<Tool> tool_of(std::string_view key)
{
    if (key == "p") return Tool::point;
    if (key == "l") return Tool::line;
    if (key == "e") return Tool::extent;
    if (key == "b") return Tool::box;
    if (key == "c") return Tool::contour;
    if (key == "n") return Tool::not_here;
    return std::nullopt;
}

std::string_view hint(Tool tool)
{
    switch (tool) {
        case Tool::none:
            return "";
        case Tool::point:
            return "point: click inside the lesion";
        case Tool::line:
            return "line: drag the long axis on the acquired slice, then the short axis if you like";
        case Tool::extent:
            return "extent: click on the top slice of the lesion, then on the bottom slice";
        case Tool::box:
            return "box: drag round the lesion in one plane, then in another for its depth";
        case Tool::contour:
            return "contour: draw round the lesion on the acquired slice; on other slices too if you like";
        case Tool::not_here:
            return "not here: click where the lesion is not";
    }
    return "";
}

void Drawing::press(Tool tool, Plane plane, PatientPoint point)
{
    tool_ = tool;
    plane_ = plane;
    stroke_ = {rounded(point)};
}

void Drawing::drag(PatientPoint point)
{
    if (stroke_.empty()) return;
    const auto to = rounded(point);
    if (tool_ == Tool::contour) {
        if (distance(stroke_.back(), to) >= kStep_mm) stroke_.push_back(to);
    } else {
        stroke_ = {stroke_.front(), to};
    }
}

std::string Drawing::add(segmentation::Prompt& prompt) const
{
    const auto from = stroke_.front();
    const auto to = stroke_.back();
    const bool drawn = tool_ == Tool::line || tool_ == Tool::contour;
    if (drawn && plane_ != Plane::axial) return "lines and contours are drawn on the acquired slice (upper left)";
    switch (tool_) {
        case Tool::none:
            return "";
        case Tool::point:
            prompt.points.push_back(to);
            return "";
        case Tool::not_here:
            prompt.exclude.push_back(to);
            return "";
        case Tool::line:
            if (distance(from, to) < kShort_mm) return "drag from one end of the axis to the other";
            if (prompt.lines.size() >= 2) prompt.lines.clear();
            prompt.lines.push_back({from, to});
            return "";
        case Tool::extent:
            // The first click waits for the second with both ends on one slice.
            if (prompt.extent && (*prompt.extent)[0] == (*prompt.extent)[1]) (*prompt.extent)[1] = to;
            else prompt.extent = {to, to};
            return "";
        case Tool::box: {
            if (!prompt.box || flat_sides(*prompt.box) == 0) {
                prompt.box = {from, to};
                return "";
            }
            auto& [a, b] = *prompt.box;
            if (flat(a.x, b.x)) { a.x = from.x; b.x = to.x; }
            if (flat(a.y, b.y)) { a.y = from.y; b.y = to.y; }
            if (flat(a.z, b.z)) { a.z = from.z; b.z = to.z; }
            return "";
        }
        case Tool::contour: {
            if (stroke_.size() < 3) return "draw all the way round the lesion";
            std::erase_if(prompt.contours, [&](const auto& c) { return std::abs(dot(c.front() - stroke_.front(), normal_)) < kOneSlice_mm; });
            prompt.contours.push_back(stroke_);
            return "";
        }
    }
    return "";
}

std::string Drawing::release()
{
    if (stroke_.empty()) return "";
    auto next = prompt_;
    const auto why_not = add(next);
    stroke_.clear();
    if (!why_not.empty()) return why_not;
    before_.push_back(std::move(prompt_));
    prompt_ = std::move(next);
    return "";
}

void Drawing::take_back()
{
    stroke_.clear();
    if (before_.empty()) return;
    prompt_ = std::move(before_.back());
    before_.pop_back();
}

segmentation::Prompt Drawing::prompt() const
{
    auto out = prompt_;
    if (!stroke_.empty()) (void)add(out);
    return out;
}

bool Drawing::whole() const
{
    if (!stroke_.empty()) return false;
    if (prompt_.box && flat_sides(*prompt_.box) > 0) return false;
    if (prompt_.extent && (*prompt_.extent)[0] == (*prompt_.extent)[1]) return false;
    return !prompt_.points.empty() || !prompt_.lines.empty() || prompt_.box || !prompt_.contours.empty();
}

}  // namespace retromass::viewer

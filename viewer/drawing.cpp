#include "viewer/drawing.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace retromass::viewer {
namespace {

constexpr double kStep_mm = 0.3;      // between the points of a contour: finer than any pixel of a body CT
constexpr double kShort_mm = 1;       // a line or box side below it is a click that slipped

constexpr double kOneSlice_mm = 0.01; // two roundings; slices lie farther apart

constexpr std::string_view kOnTheSlice = "lines and contours are drawn on the acquired slice (upper left)";
constexpr std::string_view kAllTheWay = "draw all the way round";

double rounded(double mm) { return std::round(mm * 1000) / 1000; }
PatientPoint rounded(PatientPoint p) { return {rounded(p.x), rounded(p.y), rounded(p.z)}; }

bool flat(double a, double b) { return std::abs(a - b) < kShort_mm; }

bool draws_round(Tool tool) { return tool == Tool::contour || tool == Tool::add_contour || tool == Tool::cut_contour; }

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
    if (key == "d") return Tool::brush;
    if (key == "r") return Tool::rubber;
    if (key == "i") return Tool::add_contour;
    if (key == "k") return Tool::cut_contour;
    if (key == "f") return Tool::fill;
    if (key == "v") return Tool::keep;
    return std::nullopt;
}

bool edits_the_mask(Tool tool) { return tool >= Tool::brush; }

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
        case Tool::brush:
            return "brush: paint what belongs to the lesion; [ and ] change its size";
        case Tool::rubber:
            return "rubber: rub out what does not belong to the lesion; [ and ] change its size";
        case Tool::add_contour:
            return "add: draw round what belongs to the lesion on the acquired slice";
        case Tool::cut_contour:
            return "cut: draw round what does not belong to the lesion on the acquired slice";
        case Tool::fill:
            return "fill between: click on the first slice, then on the last; the slices between them follow their outlines";
        case Tool::keep:
            return "keep: click on the part that is the lesion; all others go";
    }
    return "";
}

void Drawing::press(Tool tool, Plane plane, PatientPoint point, double brush_mm)
{
    tool_ = tool;
    plane_ = plane;
    brush_mm_ = brush_mm;
    stroke_ = {rounded(point)};
}

void Drawing::drag(PatientPoint point)
{
    if (stroke_.empty()) return;
    const auto to = rounded(point);
    const auto from = stroke_.back();
    const double way = distance(from, to);
    if (tool_ == Tool::brush || tool_ == Tool::rubber) {
        // Balls half a radius apart: the edge between two of them gives way by 3 % of the radius.
        const auto steps = static_cast<int>(way / (brush_mm_ / 2));
        for (int i = 1; i <= steps; ++i) stroke_.push_back(rounded(from + (i * brush_mm_ / 2 / way) * (to - from)));
    } else if (draws_round(tool_)) {
        if (way >= kStep_mm) stroke_.push_back(to);
    } else {
        stroke_ = {stroke_.front(), to};
    }
}

std::string Drawing::add(Said& said) const
{
    if (edits_the_mask(tool_)) return add_edit(said);
    auto& prompt = said.prompt;
    const auto from = stroke_.front();
    const auto to = stroke_.back();
    if ((tool_ == Tool::line || tool_ == Tool::contour) && plane_ != Plane::axial) return std::string(kOnTheSlice);
    switch (tool_) {
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
            if (stroke_.size() < 3) return std::string(kAllTheWay);
            std::erase_if(prompt.contours, [&](const auto& c) { return std::abs(dot(c.front() - stroke_.front(), normal_)) < kOneSlice_mm; });
            prompt.contours.push_back(stroke_);
            return "";
        }
        default:
            return "";
    }
}

std::string Drawing::add_edit(Said& said) const
{
    using Kind = segmentation::Edit::Kind;
    auto& edits = said.edits.edits;
    said.last = edits.size();
    const auto to = stroke_.back();
    switch (tool_) {
        case Tool::brush:
        case Tool::rubber:
            for (const auto& p : stroke_) edits.push_back({tool_ == Tool::brush ? Kind::add_sphere : Kind::remove_sphere, {p}, brush_mm_});
            return "";
        case Tool::add_contour:
        case Tool::cut_contour:
            if (plane_ != Plane::axial) return std::string(kOnTheSlice);
            if (stroke_.size() < 3) return std::string(kAllTheWay);
            edits.push_back({tool_ == Tool::add_contour ? Kind::add_contour : Kind::remove_contour, stroke_, 0});
            return "";
        case Tool::fill:
            if (said.fill_from) edits.push_back({Kind::fill_between, {*said.fill_from, to}, 0});
            if (said.fill_from) said.fill_from.reset();
            else said.fill_from = to;
            return "";
        case Tool::keep:
            edits.push_back({Kind::keep_component, {to}, 0});
            return "";
        default:
            return "";
    }
}

void Drawing::put(Said next)
{
    if (began_ && *began_ > now_) began_.reset();
    said_.resize(now_ + 1);
    said_.push_back(std::move(next));
    ++now_;
}

std::string Drawing::release()
{
    if (stroke_.empty()) return "";
    auto next = said_[now_];
    const auto why_not = add(next);
    stroke_.clear();
    if (why_not.empty()) put(std::move(next));
    return why_not;
}

void Drawing::smooth(double sigma_mm)
{
    auto next = said_[now_];
    next.last = next.edits.edits.size();
    next.edits.edits.push_back({segmentation::Edit::Kind::smooth, {}, sigma_mm});
    put(std::move(next));
}

bool Drawing::undo()
{
    stroke_.clear();
    if (now_ > 0) {
        --now_;
        return true;
    }
    if (!of_mask_) return false;
    auto before = said_.front();
    long standing = 0;
    for (const auto& edit : before.edits.edits) standing += edit.kind == segmentation::Edit::Kind::undo ? -1 : 1;
    if (standing <= 0) return false;
    // The log is never cut: a step that was written is taken back by a further one, and that comes before all that was drawn since.
    before.last = before.edits.edits.size();
    before.edits.edits.push_back({});
    said_.insert(said_.begin(), std::move(before));
    if (began_) ++*began_;
    return true;
}

bool Drawing::redo()
{
    if (now_ + 1 >= said_.size()) return false;
    stroke_.clear();
    ++now_;
    return true;
}

segmentation::Prompt Drawing::prompt() const
{
    auto out = said_[now_];
    if (!stroke_.empty()) (void)add(out);
    return out.prompt;
}

std::vector<segmentation::Edit> Drawing::last_edits() const
{
    auto said = said_[now_];
    if (!stroke_.empty()) (void)add(said);
    return {said.edits.edits.begin() + static_cast<std::ptrdiff_t>(said.last), said.edits.edits.end()};
}

bool Drawing::whole() const
{
    if (!stroke_.empty()) return false;
    const auto& said = said_[now_];
    if (of_mask_) return !said.fill_from;
    const auto& prompt = said.prompt;
    if (prompt.box && flat_sides(*prompt.box) > 0) return false;
    if (prompt.extent && (*prompt.extent)[0] == (*prompt.extent)[1]) return false;
    return !prompt.points.empty() || !prompt.lines.empty() || prompt.box || !prompt.contours.empty();
}

}  // namespace retromass::viewer

#include <algorithm>
#include <cmath>

#include "pipeline/outputs/report.h"
#include "pipeline/outputs/words.h"

namespace retromass::outputs {
namespace {

constexpr double kWidth = 960, kLeft = 64, kRight = 24;
constexpr double kTreatments = 62;               // strip of treatments on top
constexpr double kPanel = 190, kGap = 56, kBottom = 66;

using Kind = Shape::Kind;
using Anchor = Shape::Anchor;
using Shapes = std::vector<Shape>;

Shape text(double x, double y, const std::string& words, const std::string& style, Anchor anchor = Anchor::middle, int ink = -1) { return {Kind::text, x, y, x, y, style, ink, words, anchor}; }
Shape line(double x0, double y0, double x1, double y1, const std::string& style, int ink = -1) { return {Kind::line, x0, y0, x1, y1, style, ink, "", Anchor::middle}; }
Shape mark(Kind kind, double x, double y, int ink)
{
    constexpr double kHalf = 4.5;
    return kind == Kind::box ? Shape{kind, x - kHalf, y - kHalf, x + kHalf, y + kHalf, "mark", ink, "", Anchor::middle} : Shape{kind, x, y, x + kHalf, y, "mark", ink, "", Anchor::middle};
}
void add(Shapes& to, const Shapes& more) { to.insert(to.end(), more.begin(), more.end()); }

struct Sample {
    double x = 0;                    ///< pixels
    std::string timepoint;
    std::optional<double> long_axis_mm;
    std::optional<double> volume_ml;
};

/// Time to pixels: by date where every time point has one, else evenly by order.
class TimeAxis {
public:
    explicit TimeAxis(const CaseResult& result)
    {
        dated_ = std::all_of(result.timepoints.begin(), result.timepoints.end(), [](const auto& t) { return t.date.has_value(); });
        count_ = result.timepoints.size();
        if (!dated_) return;
        first_ = last_ = *result.timepoints.front().date;
        const auto widen = [this](const std::optional<Date>& date) {
            if (!date) return;
            first_ = std::min(first_, *date);
            last_ = std::max(last_, *date);
        };
        for (const auto& t : result.timepoints) widen(t.date);
        for (const auto& t : result.treatments) { widen(t.start); widen(t.end); }
    }
    bool dated() const { return dated_; }
    Date first() const { return first_; }
    Date last() const { return last_; }
    double at(Date date) const
    {
        const auto whole = std::max(1L, days_between(first_, last_));
        return from() + (to() - from()) * static_cast<double>(days_between(first_, date)) / static_cast<double>(whole);
    }
    double at(const TimepointResult& timepoint, std::size_t index) const
    {
        if (dated_) return at(*timepoint.date);
        return count_ < 2 ? (from() + to()) / 2 : from() + (to() - from()) * static_cast<double>(index) / static_cast<double>(count_ - 1);
    }

private:
    static double from() { return kLeft + 36; }
    static double to() { return kWidth - kRight - 46; }
    bool dated_ = false;
    std::size_t count_ = 0;
    Date first_{}, last_{};
};

double nice_above(double value)
{
    const double power = std::pow(10, std::floor(std::log10(std::max(value, 1e-6))));
    for (const double step : {1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0}) {
        if (step * power >= value) return step * power;
    }
    return 10 * power;
}

Shapes treatments(const CaseResult& result, const TimeAxis& time, double bottom)
{
    Shapes out;
    if (!time.dated()) return out;
    double right_of_last[2] = {0, 0};
    for (const auto& treatment : result.treatments) {
        if (!treatment.start) continue;
        const double x0 = time.at(*treatment.start);
        const double x1 = treatment.end ? std::max(time.at(*treatment.end), x0 + 3) : x0;
        std::string words = treatment.kind + (treatment.line > 0 ? ", line " + std::to_string(treatment.line) : "");
        if (!treatment.note.empty()) words += " (" + (treatment.note.size() > 34 ? treatment.note.substr(0, 32) + ".." : treatment.note) + ")";
        const double width = 7.0 * static_cast<double>(words.size());
        const int row = x0 > right_of_last[0] ? 0 : x0 > right_of_last[1] ? 1 : (right_of_last[0] <= right_of_last[1] ? 0 : 1);
        const bool turned = x0 + width > kWidth - 8;
        right_of_last[row] = (turned ? x0 : x0 + width) + 10;
        const double y = 18 + 22 * row;
        if (x1 > x0) out.push_back({Kind::box, x0, kTreatments - 6, x1, bottom, "span", -1, "", Anchor::middle});
        out.push_back(line(x0, y + 4, x0, bottom, "treatment"));
        out.push_back(text(turned ? x0 - 4 : x0 + 4, y + 4, words, "note", turned ? Anchor::end : Anchor::start));
    }
    return out;
}

struct Panel {
    double top = 0;
    std::string title;
    bool logarithmic = false;
    double low = 0, high = 1;
    double y(double value) const
    {
        const double part = logarithmic ? std::log10(value / low) / std::log10(high / low) : (value - low) / (high - low);
        return top + kPanel - kPanel * part;
    }
    Shapes frame() const
    {
        Shapes out{text(kLeft, top - 24, title, "axis-title", Anchor::start)};
        const auto rule = [&](double v, int decimals) {
            out.push_back(line(kLeft, y(v), kWidth - kRight, y(v), "grid"));
            out.push_back(text(kLeft - 8, y(v) + 4, fixed(v, decimals), "tick", Anchor::end));
        };
        if (logarithmic) {
            for (double v = low; v <= high * 1.001; v *= 10) rule(v, v < 1 ? 1 : 0);
        } else {
            for (int i = 0; i <= 4; ++i) rule(high * i / 4, high * i / 4 == std::floor(high * i / 4) ? 0 : 1);
        }
        return out;
    }
};

/// The curve of one lesion. Points that were not measured break the line and stand hollow on the base line.
Shapes curve(const Panel& panel, const std::vector<Sample>& samples, std::optional<double> Sample::*value, int decimals, std::size_t lesion)
{
    const int ink = static_cast<int>(lesion);
    Shapes lines, marks;
    const Sample* last = nullptr;
    for (const auto& sample : samples) {
        const auto& v = sample.*value;
        if (!v || (panel.logarithmic && *v <= 0)) {
            marks.push_back(mark(Kind::ring, sample.x, panel.top + kPanel, ink));
            marks.push_back(text(sample.x, panel.top + kPanel - 9, "not measured", "value"));
            last = nullptr;
            continue;
        }
        const double y = panel.y(*v);
        if (last) lines.push_back(line(last->x, panel.y(*(last->*value)), sample.x, y, "curve", ink));
        marks.push_back(mark(lesion % 2 == 0 ? Kind::disc : Kind::box, sample.x, y, ink));
        marks.push_back(text(sample.x, y - 10 - 13.0 * static_cast<double>(lesion % 2), fixed(*v, decimals), "value"));
        last = &sample;
    }
    add(lines, marks);
    return lines;
}

std::vector<Sample> samples_of(const CaseResult& result, const TimeAxis& time, const std::string& lesion_id)
{
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < result.timepoints.size(); ++i) {
        const auto& timepoint = result.timepoints[i];
        for (const auto& lesion : timepoint.lesions) {
            if (lesion.lesion != lesion_id) continue;
            Sample sample;
            sample.x = time.at(timepoint, i);
            sample.timepoint = timepoint.id;
            if (lesion.measurements && lesion.status == response::LesionStatus::measured) {
                sample.long_axis_mm = lesion.measurements->long_axis.recorded.as_mm();
                sample.volume_ml = lesion.measurements->recorded_volume_ml;
            }
            samples.push_back(sample);
        }
    }
    return samples;
}

Shapes time_labels(const CaseResult& result, const TimeAxis& time, double y)
{
    Shapes out;
    double busy[2] = {-1e9, -1e9};
    for (std::size_t i = 0; i < result.timepoints.size(); ++i) {
        const auto& timepoint = result.timepoints[i];
        const double x = time.at(timepoint, i);
        const auto words = timepoint.id.size() > 20 ? timepoint.id.substr(0, 18) + ".." : timepoint.id;
        const double half = 4.0 * static_cast<double>(std::max<std::size_t>(words.size(), 10));
        const int row = x - half > busy[0] ? 0 : 1;
        busy[row] = x + half;
        add(out, {line(x, y - kPanel, x, y + 5 + 30 * row, "guide"), text(x, y + 18 + 30 * row, words, "tick strong"), text(x, y + 31 + 30 * row, date_text(timepoint.date), "tick")});
    }
    return out;
}

}  // namespace

Drawing size_drawing(const CaseResult& result)
{
    if (result.timepoints.empty()) return {};
    const TimeAxis time(result);
    Panel axis{kTreatments + 40, "Long axis, mm", false, 0, 1};
    Panel volume{axis.top + kPanel + kGap, "Volume, ml (logarithmic)", true, 1, 10};
    double longest = 0, least = 1e300, most = 0;
    std::vector<std::vector<Sample>> curves;
    for (const auto& lesion : result.lesions) {
        curves.push_back(samples_of(result, time, lesion.id));
        for (const auto& sample : curves.back()) {
            if (sample.long_axis_mm) longest = std::max(longest, *sample.long_axis_mm);
            if (sample.volume_ml && *sample.volume_ml > 0) {
                least = std::min(least, *sample.volume_ml);
                most = std::max(most, *sample.volume_ml);
            }
        }
    }
    if (longest <= 0 || most <= 0) return {};
    axis.high = nice_above(longest * 1.12);
    volume.low = std::pow(10, std::floor(std::log10(least)));
    volume.high = std::pow(10, std::ceil(std::log10(most * 1.5)));
    const double bottom = volume.top + kPanel;

    Drawing out{kWidth, bottom + kBottom, "Size over time", "Long axis and volume of each lesion at each time point, with the treatments. The numbers are in the tables of the lesions.", treatments(result, time, bottom)};
    add(out.shapes, axis.frame());
    add(out.shapes, volume.frame());
    add(out.shapes, {line(kLeft, axis.top + kPanel, kWidth - kRight, axis.top + kPanel, "base"), line(kLeft, bottom, kWidth - kRight, bottom, "base")});
    add(out.shapes, time_labels(result, time, bottom));
    for (std::size_t i = 0; i < curves.size(); ++i) {
        add(out.shapes, curve(axis, curves[i], &Sample::long_axis_mm, 1, i));
        add(out.shapes, curve(volume, curves[i], &Sample::volume_ml, 1, i));
        if (curves.size() < 2) continue;
        const double x = kWidth - kRight - 70 * static_cast<double>(curves.size() - 1 - i);
        add(out.shapes, {text(x, axis.top - 24, result.lesions[i].id, "note", Anchor::end, static_cast<int>(i)), mark(i % 2 ? Kind::box : Kind::disc, x + 10, axis.top - 28, static_cast<int>(i))});
    }
    return out;
}

}  // namespace retromass::outputs

#include "pipeline/batch/cohort_plots.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "core/units.h"
#include "pipeline/outputs/outputs.h"

namespace retromass::batch {
namespace {

struct Point {
    double day = 0;
    std::optional<double> change_pct;
    std::string category;
};
/// A case's course over one period; its baseline is day 0.
struct Course {
    std::string label;
    std::vector<Point> points;
};

std::vector<Course> courses_of(const TextTable& response)
{
    std::vector<Course> out;
    for (const auto& row : response.rows) {
        if (cell(response, row, "role") != "primary") continue;
        const bool baseline = cell(response, row, "is_baseline") == "1";
        const auto day = cell(response, row, "day");
        if (day.empty() && !baseline) continue;
        const auto change = cell(response, row, "change_from_baseline_pct");
        Point point{baseline ? 0 : std::strtod(day.c_str(), nullptr), baseline ? std::optional<double>(0) : std::nullopt, cell(response, row, "category")};
        if (!baseline && !change.empty()) point.change_pct = std::strtod(change.c_str(), nullptr);
        const auto label = cell(response, row, "case") + ", " + cell(response, row, "period");
        if (out.empty() || out.back().label != label) out.push_back({label, {}});  // rows stand in the order of time
        out.back().points.push_back(std::move(point));
    }
    out.erase(std::remove_if(out.begin(), out.end(), [](const auto& course) { return course.points.size() < 2; }), out.end());
    return out;
}

double last_day(const std::vector<Course>& courses)
{
    double out = 1;
    for (const auto& course : courses) out = std::max(out, course.points.back().day);
    return out;
}

constexpr double kLeft = 60, kRight = 1050;

std::string number(double value) { return fixed(value, 1); }

/// The axis of days below a plot: at most ten marks at round steps.
std::string days_axis(double last, double top, double bottom)
{
    double step = std::pow(10, std::floor(std::log10(last)));
    while (last / step > 10) step *= 2;
    while (last / step < 4) step /= 2;
    step = std::max(1.0, std::round(step));
    std::string out;
    for (double day = 0; day <= last; day += step) {
        const auto x = number(kLeft + (kRight - kLeft) * day / last);
        out += "<line x1=\"" + x + "\" x2=\"" + x + "\" y1=\"" + number(top) + "\" y2=\"" + number(bottom) + "\" stroke=\"currentColor\" stroke-opacity=\".15\"/><text x=\"" + x + "\" y=\"" + number(bottom + 14) + "\" text-anchor=\"middle\">" + fixed(day, 0) + "</text>\n";
    }
    return out + "<text x=\"" + number((kLeft + kRight) / 2) + "\" y=\"" + number(bottom + 30) + "\" text-anchor=\"middle\">days since the baseline of the period</text>\n";
}

}  // namespace

std::string spider_plot(const TextTable& response)
{
    const std::string head = "<h2>Change of the sum from baseline over time, primary criterion</h2>\n";
    const auto courses = courses_of(response);
    if (courses.empty()) return head + "<p>No case has a baseline and a later time point.</p>\n";
    constexpr double kTop = 10, kBottom = 330, kLow = -100, kHigh = 100;
    const double last = last_day(courses);
    const auto x = [&](double day) { return number(kLeft + (kRight - kLeft) * day / last); };
    const auto y = [&](double pct) { return number(kTop + (kBottom - kTop) * (kHigh - std::clamp(pct, kLow, kHigh)) / (kHigh - kLow)); };
    std::string out = head + "<svg viewBox=\"0 0 1060 365\" role=\"img\" aria-label=\"Spider plot of " + std::to_string(courses.size()) + " periods\">\n" + days_axis(last, kTop, kBottom);
    for (const auto& [pct, words] : {std::pair{100.0, "+100 %"}, {20.0, "+20 %"}, {0.0, "0"}, {-30.0, "-30 %"}, {-100.0, "-100 %"}}) {
        out += "<line x1=\"60\" x2=\"1050\" y1=\"" + y(pct) + "\" y2=\"" + y(pct) + "\" stroke=\"currentColor\" stroke-opacity=\"" + (pct == 0 ? ".8" : ".25") + "\"/><text x=\"55\" y=\"" + y(pct - 2) + "\" text-anchor=\"end\">" + words + "</text>\n";
    }
    for (const auto& course : courses) {
        std::string line, marks;
        double end = 0;
        for (const auto& point : course.points) {
            if (!point.change_pct) continue;  // not evaluable: the line goes on to the next value
            line += x(point.day) + "," + y(*point.change_pct) + " ";
            marks += "<circle cx=\"" + x(point.day) + "\" cy=\"" + y(*point.change_pct) + "\" r=\"2.5\"/>";
            end = *point.change_pct;
        }
        const auto colour = std::string("var(--") + (end > 0 ? "grow" : "shrink") + ")";
        out += "<g fill=\"" + colour + "\" stroke=\"none\"><title>" + outputs::html(course.label) + ": " + fixed(end, 1) + " %</title><polyline points=\"" + line + "\" fill=\"none\" stroke=\"" + colour + "\" stroke-opacity=\".7\"/>" + marks + "</g>\n";
    }
    return out + "</svg>\n<p class=\"note\">One line a period; lines end at +100 %. What is not evaluable is passed over.</p>\n";
}

std::string swimmer_plot(const TextTable& response)
{
    const std::string head = "<h2>Time under observation, primary criterion</h2>\n";
    auto courses = courses_of(response);
    if (courses.empty()) return head + "<p>No case has a baseline and a later time point.</p>\n";
    std::stable_sort(courses.begin(), courses.end(), [](const auto& a, const auto& b) { return a.points.back().day > b.points.back().day; });
    const double last = last_day(courses);
    const double row = courses.size() > 60 ? 10 : 14;  // letters stay legible
    const double bottom = 10 + row * static_cast<double>(courses.size());
    const auto x = [&](double day) { return number(kLeft + (kRight - kLeft) * day / last); };
    std::string out = head + "<svg viewBox=\"0 0 1060 " + number(bottom + 35) + "\" role=\"img\" aria-label=\"Swimmer plot of " + std::to_string(courses.size()) + " periods\">\n" + days_axis(last, 5, bottom);
    for (std::size_t i = 0; i < courses.size(); ++i) {
        const auto& course = courses[i];
        const double top = 10 + row * static_cast<double>(i);
        out += "<g><title>" + outputs::html(course.label) + ": " + fixed(course.points.back().day, 0) + " days</title><rect x=\"60\" y=\"" + number(top + row * 0.1) + "\" width=\"" + number((kRight - kLeft) * course.points.back().day / last) + "\" height=\"" + number(row * 0.8) +
               "\" fill=\"currentColor\" fill-opacity=\".18\"/>";
        const auto mark = [&](const Point& point, const char* letter, const char* colour) {
            out += "<text x=\"" + x(point.day) + "\" y=\"" + number(top + row * 0.85) + "\" text-anchor=\"middle\" style=\"font-weight:700;font-size:" + number(row) + "px;fill:var(--" + colour + ")\">" + letter + "</text>";
        };
        bool responded = false;
        for (const auto& point : course.points) {
            const bool response_seen = point.category == "CR" || point.category == "PR" || point.category == "iCR" || point.category == "iPR";
            if (response_seen && !responded) mark(point, point.category == "CR" || point.category == "iCR" ? "C" : "P", "shrink");
            responded = responded || response_seen;
            if (point.category != "PD" && point.category != "iCPD") continue;
            mark(point, "X", "grow");
            break;
        }
        out += "</g>\n";
    }
    return out + "</svg>\n<p class=\"note\">One bar a period, from its baseline to its last time point, longest first. P, C: partial or complete response first seen; X: progression.</p>\n";
}

}  // namespace retromass::batch

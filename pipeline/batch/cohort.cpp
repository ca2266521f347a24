#include "pipeline/batch/cohort.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

#include "core/units.h"
#include "pipeline/batch/cohort_plots.h"
#include "pipeline/outputs/outputs.h"

namespace retromass::batch {
namespace {

constexpr const char* kHead = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Cohort</title><style>
:root{color-scheme:light dark;--line:#8886;--grow:#b3470b;--shrink:#1f6fb2}
body{font:15px/1.45 system-ui,sans-serif;max-width:1100px;margin:0 auto;padding:0 1rem 3rem}
.banner{background:#efe13a;color:#000;font-weight:700;text-align:center;padding:.4rem;margin:0 -1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
.number{text-align:right;font-variant-numeric:tabular-nums}.note{opacity:.75}
svg{width:100%;height:auto}svg text{fill:currentColor;font:11px system-ui,sans-serif}
</style></head><body>
<p class="banner">UNREVIEWED - RESEARCH USE ONLY, not for clinical decisions without review</p>
<h1>Cohort</h1>
)";

std::string counts(const std::vector<CaseState>& states)
{
    std::map<State, int> count;
    for (const auto& state : states) ++count[state.state];
    std::string out = "<p><strong>" + std::to_string(states.size()) + " cases</strong>";
    for (const auto& [state, n] : count) out += ", " + std::to_string(n) + " " + std::string(name(state));
    return out + "</p>\n";
}

/// The protocols that the results were made under. More than one version in a cohort is as it may be after an amendment; that it is so has to be seen.
std::string protocols_of(const TextTable& cases)
{
    std::map<std::string, int> count;
    for (const auto& row : cases.rows) {
        if (cell(cases, row, "state") == name(State::done)) ++count[cell(cases, row, "protocol")];
    }
    if (count.empty() || (count.size() == 1 && count.begin()->first.empty())) return "";
    std::string out;
    for (const auto& [protocol, n] : count) out += "<p>" + (protocol.empty() ? std::string("Under no protocol") : "Protocol " + outputs::html(protocol)) + ": " + std::to_string(n) + (n == 1 ? " case" : " cases") + "</p>\n";
    return count.size() == 1 ? out : "<p><strong>The cases were not all made under one protocol:</strong></p>\n" + out;
}

std::string not_done(const std::vector<CaseState>& states)
{
    std::string rows;
    for (const auto& state : states) {
        if (state.state == State::done) continue;
        rows += "<tr><td>" + outputs::html(state.id) + "</td><td>" + std::string(name(state.state)) + "</td><td>" + outputs::html(state.code) + "</td><td>" + outputs::html(state.reason) + "</td></tr>\n";
    }
    if (rows.empty()) return "<p>Every case has a result.</p>\n";
    return "<h2>Cases without a result</h2>\n<table><thead><tr><th scope=\"col\">Case</th><th scope=\"col\">State</th><th scope=\"col\">Code</th><th scope=\"col\">Reason</th></tr></thead><tbody>\n" + rows + "</tbody></table>\n";
}

/// One bar of the waterfall plot.
struct Bar {
    std::string label;
    double change_pct = 0;
    std::string best;
};

std::string waterfall_plot(const TextTable& table)
{
    std::vector<Bar> bars;
    int without = 0;
    for (const auto& row : table.rows) {
        if (cell(table, row, "role") != "primary") continue;
        const auto change = cell(table, row, "best_change_pct");
        if (change.empty()) {
            ++without;
            continue;
        }
        bars.push_back({cell(table, row, "case") + ", " + cell(table, row, "period"), std::strtod(change.c_str(), nullptr), cell(table, row, "best_overall_response")});
    }
    std::string out = "<h2>Best change of the sum from baseline, primary criterion</h2>\n";
    if (bars.empty()) return out + "<p>No case has a baseline and a later time point.</p>\n";
    std::stable_sort(bars.begin(), bars.end(), [](const auto& a, const auto& b) { return a.change_pct > b.change_pct; });
    // Growth is unbounded and a shrinkage is not: bars end at +100 % and say so.
    constexpr double kLow = -100;
    constexpr double kHigh = 100;
    constexpr double kHeight = 260;
    constexpr double kWidth = 1000;
    const auto y = [&](double pct) { return fixed(20 + kHeight * (kHigh - std::clamp(pct, kLow, kHigh)) / (kHigh - kLow), 1); };
    const double step = std::min(kWidth / static_cast<double>(bars.size()), 60.0);  // one case is a bar, not a wall
    out += "<svg viewBox=\"0 0 1060 300\" role=\"img\" aria-label=\"Waterfall plot of " + std::to_string(bars.size()) + " periods\">\n";
    for (const auto& [pct, words] : {std::pair{100.0, "+100 %"}, {20.0, "+20 %"}, {0.0, "0"}, {-30.0, "-30 %"}, {-100.0, "-100 %"}}) {
        out += "<line x1=\"50\" x2=\"1050\" y1=\"" + y(pct) + "\" y2=\"" + y(pct) + "\" stroke=\"currentColor\" stroke-opacity=\"" + (pct == 0 ? ".8" : ".25") + "\"/><text x=\"45\" y=\"" + y(pct - 2) + "\" text-anchor=\"end\">" + words + "</text>\n";
    }
    for (std::size_t i = 0; i < bars.size(); ++i) {
        const auto& bar = bars[i];
        const double top = std::max(bar.change_pct, 0.0);
        const double bottom = std::min(bar.change_pct, 0.0);
        const double height = kHeight * (std::min(top, kHigh) - std::max(bottom, kLow)) / (kHigh - kLow);
        out += "<rect x=\"" + fixed(50 + step * static_cast<double>(i) + step * 0.1, 2) + "\" width=\"" + fixed(step * 0.8, 2) + "\" y=\"" + y(top) + "\" height=\"" + fixed(std::max(height, 0.5), 1) + "\" fill=\"var(--" + (bar.change_pct > 0 ? "grow" : "shrink") +
               ")\"><title>" + outputs::html(bar.label) + ": " + fixed(bar.change_pct, 1) + " %, " + outputs::html(bar.best) + "</title></rect>\n";
        if (bar.change_pct > kHigh && step > 30) out += "<text x=\"" + fixed(50 + step * (static_cast<double>(i) + 0.5), 1) + "\" y=\"14\" text-anchor=\"middle\">+" + fixed(bar.change_pct, 0) + "</text>\n";
    }
    out += "</svg>\n<p class=\"note\">One bar a period, largest growth first; bars end at +100 %. " + std::to_string(without) + " periods have no change to show.</p>\n";
    return out;
}

/// The sum that the category rests on, as it is reported; its quantity is the cell's title.
std::string value_of(const TextTable& table, const std::vector<std::string>& row)
{
    const auto sum = cell(table, row, "sum_mm");
    const auto value = sum.empty() ? cell(table, row, "value") : sum;
    if (value.empty()) return "-";
    return "<span title=\"" + outputs::html(cell(table, row, "quantity")) + "\">" + outputs::html(value + " " + cell(table, row, "unit")) + "</span>";
}

std::string last_categories(const TextTable& table, const std::string& results_folder)
{
    std::map<std::string, const std::vector<std::string>*> last;  // rows stand in the order of time
    for (const auto& row : table.rows) {
        if (cell(table, row, "role") == "primary") last[cell(table, row, "case")] = &row;
    }
    if (last.empty()) return "";
    std::string out = "<h2>Cases</h2>\n<table><thead><tr><th scope=\"col\">Case</th><th scope=\"col\">Last time point</th><th scope=\"col\">Period</th><th scope=\"col\" class=\"number\">Value</th><th scope=\"col\">Category</th>"
                      "<th scope=\"col\" class=\"number\">From baseline, %</th><th scope=\"col\" class=\"number\">From nadir, %</th><th scope=\"col\">Review</th></tr></thead><tbody>\n";
    for (const auto& [id, row] : last) {
        const auto category = cell(table, *row, "category");
        const bool baseline = cell(table, *row, "is_baseline") == "1";
        out += "<tr><td><a href=\"" + outputs::html(results_folder + "/" + id + "/report.html") + "\">" + outputs::html(id) + "</a></td><td>" + outputs::html(cell(table, *row, "timepoint") + " " + cell(table, *row, "date")) + "</td><td>" +
               outputs::html(cell(table, *row, "period")) + "</td><td class=\"number\">" + value_of(table, *row) + "</td><td>" + (baseline ? std::string("baseline") : outputs::html(category)) + "</td><td class=\"number\">" + outputs::html(cell(table, *row, "change_from_baseline_pct")) + "</td><td class=\"number\">" +
               outputs::html(cell(table, *row, "change_from_nadir_pct")) + "</td><td>" + outputs::html(cell(table, *row, "review_state")) + "</td></tr>\n";
    }
    return out + "</tbody></table>\n";
}

}  // namespace

std::string cell(const TextTable& table, const std::vector<std::string>& row, const std::string& wanted)
{
    const auto at = static_cast<std::size_t>(std::find(table.columns.begin(), table.columns.end(), wanted) - table.columns.begin());
    return at < row.size() ? row[at] : std::string();
}

std::string cohort_html(const std::vector<CaseState>& states, const TextTable& cases, const TextTable& waterfall, const TextTable& response, const std::string& results_folder)
{
    const auto synthetic = std::count_if(response.rows.begin(), response.rows.end(), [&](const auto& row) { return cell(response, row, "synthetic") == "1"; });
    const std::string remark = synthetic ? "<p><strong>SYNTHETIC data among them: no human data.</strong></p>\n" : "";
    return kHead + counts(states) + protocols_of(cases) + remark + not_done(states) + waterfall_plot(waterfall) + spider_plot(response) + swimmer_plot(response) + last_categories(response, results_folder) + "</body></html>\n";
}

}  // namespace retromass::batch

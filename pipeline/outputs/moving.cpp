#include "pipeline/outputs/moving.h"

#include <nlohmann/json.hpp>

#include "pipeline/outputs/web/assets.h"
#include "pipeline/outputs/words.h"

namespace retromass::outputs {
namespace {

using nlohmann::ordered_json;

constexpr const char* kStyle = R"css(
.panes{display:grid;grid-template-columns:1fr 1fr;gap:14px;margin:10px 0}
.glass{position:relative;height:min(46vw,560px);background:#000}
.glass canvas{display:block;width:100%;height:100%}
.panes output,.controls{font-size:13px;color:var(--soft)}.controls label{margin-right:18px}
select,input[type=text],button{font:inherit;color:var(--ink);background:var(--card);border:1px solid var(--soft);border-radius:4px;padding:2px 6px}
#review input[data-comment]{width:100%;min-width:160px}
#viewer[data-state=none]{display:none}
.uplot .u-legend{font-size:13px;text-align:left}
pre.licences{white-space:pre-wrap;font-size:11px}
@media screen and (max-width:900px){.panes{grid-template-columns:1fr}.glass{height:80vw}}
@media print{.moving,details.licences{display:none}}
)css";

std::string json_text(const ordered_json& json) { return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace); }

/// The change from the baseline, a line for each criterion and period that was judged more than once.
ordered_json series_of(const response::Assessment& assessment)
{
    auto lines = ordered_json::array();
    const auto line_of = [&](const std::string& label) -> ordered_json& {
        for (auto& line : lines) {
            if (line["label"] == label) return line;
        }
        lines.push_back({{"label", label}, {"points", ordered_json::array()}});
        return lines.back();
    };
    const auto add = [&](const std::string& label, const auto& point) {
        const auto change = point.is_baseline ? std::optional<double>(0) : point.change_from_baseline_pct;
        const auto day = point.is_baseline ? std::optional<long>(0) : point.day;
        if (change && day) line_of(label)["points"].push_back({{"timepoint", point.timepoint}, {"day", *day}, {"change", *change}});
    };
    for (const auto& row : assessment.recist) add("RECIST 1.1 sum, " + row.period, row);
    for (const auto& period : assessment.criteria) {
        if (period.criterion != "volume" && period.criterion != "who") continue;  // the others follow the sum of diameters
        for (const auto& point : period.timepoints) add(std::string(response::criterion_title(period.criterion)) + ", " + period.period, point);
    }
    auto followed = ordered_json::array();
    for (auto& line : lines) {
        if (line["points"].size() > 1) followed.push_back(std::move(line));
    }
    return followed;
}

std::string pane(const std::string& name, const std::vector<Preview>& previews)
{
    std::string choices;
    for (const auto& preview : previews) choices += "<option>" + html(preview.timepoint) + "</option>";
    return "<div data-pane=\"" + name + "\"><label>Time point <select>" + choices + "</select></label>\n<div class=\"glass\"><canvas tabindex=\"0\" aria-label=\"Preview of the slices, " + name +
           " pane: wheel or arrow keys turn the pages, a click moves the cross\"></canvas></div>\n<output></output></div>\n";
}

std::string viewer_markup(const std::vector<Preview>& previews)
{
    return "<section class=\"moving\"><h2>Slices: preview, not for measuring</h2>\n<p class=\"soft\" id=\"viewer-note\">Resampled and windowed (40/400 HU) round the lesions. Wheel or arrow keys turn the pages, a click moves the cross; linked panes "
           "show the same place as seen from the middle of one lesion.</p>\n<div id=\"viewer\"><div class=\"controls\"><label><input type=\"checkbox\" id=\"linked\" checked> link the panes</label><label><input type=\"checkbox\" id=\"masks-seen\" "
           "checked> show the masks</label></div>\n<div class=\"panes\">" +
           pane("left", previews) + pane("right", previews) + "</div></div></section>\n";
}

std::string size_text(const LesionResult& lesion)
{
    if (!lesion.measurements) return std::string(name(lesion.status)) + (lesion.reason.empty() ? "" : ": " + lesion.reason);
    const auto& m = *lesion.measurements;
    return at_least(lesion) + mm_text(m.long_axis.recorded) + " x " + mm_text(m.short_axis.recorded) + " x " + mm_text(m.craniocaudal.recorded) + " mm, " + fixed(m.recorded_volume_ml, 2) + " ml";
}

std::string review_form(const CaseResult& result)
{
    std::string rows;
    for (const auto& timepoint : result.timepoints) {
        for (const auto& lesion : timepoint.lesions) {
            const auto place = html(timepoint.id + ", lesion " + lesion.lesion);
            rows += "<tr data-timepoint=\"" + html(timepoint.id) + "\" data-lesion=\"" + html(lesion.lesion) + "\"><th scope=\"row\">" + html(timepoint.id) + "</th><td>" + html(lesion.lesion) + "</td><td>" + html(size_text(lesion)) +
                    "</td><td><select data-verdict aria-label=\"Verdict on " + place + "\"><option value=\"\">no verdict</option><option value=\"accepted\">accept</option><option value=\"rejected\">reject</option><option value=\"needs-a-prompt\">needs a prompt</option></select></td>"
                    "<td><input type=\"text\" data-comment aria-label=\"Comment on " + place + "\"></td></tr>\n";
        }
    }
    if (rows.empty()) return "";
    return "<section class=\"moving\" id=\"review\" hidden><h2>Review</h2>\n<p class=\"soft\">Saves a small file; nothing is sent. Who keeps the result takes it over with <span class=\"code\">retromass review apply FILE RESULT</span>.</p>\n"
           "<form autocomplete=\"off\"><div class=\"wide\" tabindex=\"0\"><table><thead><tr><th scope=\"col\">Time point</th><th scope=\"col\">Lesion</th><th scope=\"col\">Measured</th><th scope=\"col\">Verdict</th><th scope=\"col\">Comment</th></tr></thead>\n<tbody>\n" +
           rows + "</tbody></table></div>\n<p><label>Reader <input type=\"text\" id=\"reader\"></label> <button type=\"submit\">Save the review</button> <output id=\"review-said\" role=\"status\"></output></p></form></section>\n";
}

}  // namespace

bool has_viewer() { return !web::niivue().empty(); }

Moving moving_parts(const CaseResult& result, const std::vector<Preview>& previews, const std::string& written)
{
    Moving out;
    out.style = kStyle;
    out.at_end = review_form(result);
    if (!out.at_end.empty()) {
        out.data.emplace_back("review-data", json_text({{"case", result.case_id}, {"result", written}}));
        out.scripts.emplace_back(web::review());
    }
    if (!has_viewer()) return out;
    ordered_json data{{"baseline", result.assessment.recist.empty() ? "" : result.assessment.recist.back().baseline_timepoint}, {"previews", ordered_json::array()}, {"series", series_of(result.assessment)}};
    for (const auto& preview : previews) {
        const auto number = std::to_string(data["previews"].size());
        data["previews"].push_back({{"timepoint", preview.timepoint}, {"middle", preview.middle}});
        out.data.emplace_back("ct-" + number, base64(preview.ct));
        out.data.emplace_back("mask-" + number, base64(preview.masks));
    }
    if (!data["series"].empty()) {
        out.after_answer += "<section class=\"moving\"><h2>Change from baseline</h2>\n<p class=\"soft\">Per cent, from the baseline of each period; the numbers are in the tables. A click on a name shows or hides its line; lines beyond +300 % are hidden at first.</p>\n<div id=\"changes\"></div></section>\n";
    }
    if (!previews.empty()) out.after_answer += viewer_markup(previews);
    out.style.append(web::uplot_style());
    out.data.emplace_back("report-data", json_text(data));
    out.scripts.insert(out.scripts.end(), {std::string(web::niivue()), std::string(web::uplot()), std::string(web::page())});
    out.licences = web::licences();
    return out;
}

}  // namespace retromass::outputs

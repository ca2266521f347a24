#include "pipeline/outputs/report.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "pipeline/outputs/markup.h"
#include "pipeline/outputs/words.h"

namespace retromass::outputs {
namespace {

constexpr const char* kUse = "Research use, not for clinical decisions without review.";

std::string category_text(const response::RecistTimepoint& row)
{
    if (row.is_baseline) return "baseline";
    std::string text(name(row.overall.category));
    if (text.empty()) text = "-";
    return text;
}

std::string confirmation(const std::optional<bool>& confirmed) { return !confirmed ? "" : *confirmed ? "confirmed" : "unconfirmed"; }

std::string card(const std::string& label, const std::string& big, const std::string& more)
{
    return "<div class=\"card\"><div class=\"label\">" + html(label) + "</div><div class=\"big\">" + html(big) + "</div>" + paragraph(more) + "</div>\n";
}

/// What the first screen says, by the primary criterion.
struct Headline {
    std::string title;
    std::string category;
    std::string text;
    const response::LineSummary* line = nullptr;
};

std::string dated(const std::string& timepoint, const std::optional<Date>& date) { return timepoint + (date ? ", " + iso(*date) : std::string()); }

std::string changes_text(const std::optional<double>& from_baseline, const std::optional<double>& from_nadir, const std::string& baseline)
{
    std::string out;
    if (from_baseline) out += ", " + signed_percent(from_baseline) + " % from baseline (" + baseline + ")";
    if (from_nadir) out += ", " + signed_percent(from_nadir) + " % from nadir";
    return out;
}

Headline recist_headline(const CaseResult& result)
{
    Headline out{"RECIST 1.1", "not assessed", "No time point could be assessed.", nullptr};
    const auto& assessment = result.assessment;
    if (!assessment.lines.empty()) out.line = &assessment.lines.back();
    if (assessment.recist.empty()) return out;
    const auto& row = assessment.recist.back();
    const auto* timepoint = timepoint_named(result, row.timepoint);
    out.category = category_text(row);
    out.text = dated(row.timepoint, timepoint ? timepoint->date : std::optional<Date>());
    if (row.sum) out.text += ": sum " + row.sum->text() + " mm";
    if (!row.is_baseline) out.text += changes_text(row.change_from_baseline_pct, row.change_from_nadir_pct, row.baseline_timepoint);
    if (!row.period.empty()) out.text += "; " + row.period;
    out.text += ".";
    if (!row.sum) out.text += " " + sentence(row.overall.reason);
    return out;
}

Headline headline_of(const CaseResult& result)
{
    const auto& assessment = result.assessment;
    if (assessment.primary == "recist-1.1") return recist_headline(result);
    Headline out{std::string(response::criterion_title(assessment.primary)), "not assessed", "No time point could be assessed.", nullptr};
    for (const auto& period : assessment.criteria) {
        if (period.criterion != assessment.primary) continue;
        out.line = &period.summary;
        if (!period.not_applicable.empty() || period.timepoints.empty()) {
            out.category = "not applicable";
            out.text = sentence(period.not_applicable);
            continue;
        }
        const auto& point = period.timepoints.back();
        out.category = point.is_baseline ? "baseline" : point.decision.category == response::Category::none ? "-" : std::string(name(point.decision.category));
        out.text = dated(point.timepoint, point.date);
        if (point.value) out.text += ": " + period.quantity + " " + fixed(*point.value, 2) + " " + period.unit;
        if (!point.is_baseline) out.text += changes_text(point.change_from_baseline_pct, point.change_from_nadir_pct, period.summary.baseline_timepoint);
        out.text += "; " + period.period + ".";
    }
    return out;
}

std::string best_cards(const Headline& headline)
{
    if (!headline.line) return card("Best overall response", "none", "No treatment line was assessed.") + card("Progression-free survival", "none", "No treatment line was assessed.");
    const auto& line = *headline.line;
    std::string best(name(line.best_overall_response.category));
    if (best.empty()) best = "-";
    std::string more = sentence(line.best_overall_response.reason);
    if (line.confirmed) more = (*line.confirmed ? "Confirmed." : "Unconfirmed.") + (more.empty() ? "" : " " + more);
    if (line.best_response_date) more += (more.empty() ? "" : " ") + std::string("First seen ") + iso(*line.best_response_date) + ".";
    std::string big = "not known", pfs = line.pfs_text;
    if (line.pfs_months) big = std::string(line.pfs_event ? "" : "> ") + fixed(*line.pfs_months, 1) + " months";
    pfs = sentence(pfs) + (line.pfs_start ? " Counted from " + iso(*line.pfs_start) + "." : "");
    return card("Best overall response, " + line.period, best, more) + card("Progression-free survival, " + line.period, big, pfs);
}

/// How likely the category is to flip, or that it cannot be said.
std::string repeats_text(const CaseResult& result)
{
    const auto& recist = result.assessment.recist;
    const std::string unknown = "No number here carries a 95 % interval, so a category near its limit may differ if the same scans were measured again.";
    if (recist.empty() || recist.back().repeats.text.empty()) return "<p><strong>Measurement intervals are not yet known.</strong> " + unknown + "</p>\n";
    const auto& repeats = recist.back().repeats;
    if (!repeats.differs) return "<p><strong>How likely this category is to flip is not known.</strong> " + html(sentence(repeats.text)) + " A category near its limit may differ if the same scans were measured again.</p>\n";
    return "<p><strong>" + html(repeats.text) + "</strong></p>\n";
}

std::string first_screen(const CaseResult& result)
{
    const auto headline = headline_of(result);
    std::string out = "<section aria-label=\"Answer\">\n<div class=\"cards\">\n" + card(headline.title + " now", headline.category, headline.text) + best_cards(headline) + "</div>\n";
    out += repeats_text(result);
    out += "<div class=\"first\">\n<div><h2>Size over time</h2>\n";
    const auto plot = size_plot_svg(result);
    out += (plot.empty() ? paragraph("Nothing was measured.") : plot) + "</div>\n<div class=\"attention\"><h2>Needs attention</h2>\n<ul>\n";
    for (const auto& item : attention_of(result)) out += "<li>" + item + "</li>\n";
    return out + "</ul></div>\n</div>\n</section>\n";
}

std::string response_section(const CaseResult& result)
{
    std::string out = "<section><h2>Response, RECIST 1.1</h2>\n<div class=\"wide\"><table><caption>Sums of diameters in mm; changes in per cent.</caption>\n<thead><tr><th>Period</th><th>Time point</th><th>Date</th>"
                      "<th class=\"n\">Sum</th><th class=\"n\">From baseline</th><th class=\"n\">From nadir</th><th>Target</th><th>Non-target</th><th>New lesions</th><th>Overall</th><th>Review</th></tr></thead>\n<tbody>\n";
    for (const auto& row : result.assessment.recist) {
        const auto* timepoint = timepoint_named(result, row.timepoint);
        const auto change = [&](const std::optional<double>& v) { return number(row.is_baseline ? "" : signed_percent(v)); };
        const auto confirmed = confirmation(row.confirmed);
        out += "<tr>" + cell(row.period) + "<th scope=\"row\">" + html(row.timepoint) + "</th>" + day(timepoint ? timepoint->date : std::optional<Date>()) + number(sum_text(row)) + change(row.change_from_baseline_pct) +
               change(row.change_from_nadir_pct) + cell(std::string(name(row.target))) + cell(std::string(name(row.non_target))) + cell(row.is_baseline ? "-" : row.new_lesions ? std::string(name(*row.new_lesions)) : "not stated") +
               "<td>" + tag(category_text(row)) + (confirmed.empty() ? "" : " " + html(confirmed)) + "</td>" + cell(timepoint ? review_state_of(*timepoint) : "unreviewed") + "</tr>\n";
    }
    return out + "</tbody></table></div></section>\n";
}

std::string inputs_text(const response::Decision& decision)
{
    std::string out;
    for (const auto& [what, value] : decision.inputs) out += (out.empty() ? "" : "; ") + what + " " + value;
    return out;
}

std::string decisions_section(const CaseResult& result)
{
    std::string out = "<section><h2>Why: the decisions</h2>\n";
    const auto decision = [&out](const std::string& title, const response::Decision& d) {
        out += "<div class=\"decision\"><h3>" + html(title) + "</h3>\n" + paragraph(sentence(d.reason));
        if (!d.rule.empty()) out += "<p class=\"soft\">Rule: " + html(d.rule) + "</p>\n";
        if (const auto inputs = inputs_text(d); !inputs.empty()) out += "<p class=\"soft\">Inputs: " + html(inputs) + "</p>\n";
        out += notice_list(d.notices) + "</div>\n";
    };
    for (const auto& row : result.assessment.recist) decision(row.timepoint + " (" + row.period + "): " + category_text(row), row.overall);
    for (const auto& line : result.assessment.lines) {
        decision("Best overall response, " + line.period + ": " + std::string(name(line.best_overall_response.category)), line.best_overall_response);
        if (!line.pfs_text.empty()) out += "<div class=\"decision\"><h3>" + html("Progression-free survival, " + line.period) + "</h3>\n" + paragraph(sentence(line.pfs_text)) + notice_list(line.notices) + "</div>\n";
    }
    return out + "</section>\n";
}

std::string measured_row(const TimepointResult& timepoint, const LesionResult& lesion)
{
    std::string out = "<tr><th scope=\"row\">" + html(timepoint.id) + "</th>" + day(timepoint.date) + cell(lesion.lesion) + cell(std::string(name(lesion.status)) + (lesion.reason.empty() ? "" : ": " + lesion.reason));
    if (const auto& m = lesion.measurements) {
        const auto cut = at_least(lesion);
        const auto with = [&](const std::string& value, const char* quantity, int decimals) {
            const auto ends = interval_text(lesion, quantity, decimals);
            return number(value + (ends.empty() ? "" : " (" + ends + ")"));
        };
        out += with(cut + mm_text(m->long_axis.recorded), "long_axis_mm", 1) + with(cut + mm_text(m->short_axis.recorded), "short_axis_mm", 1) + with(cut + mm_text(m->craniocaudal.recorded), "craniocaudal_mm", 1) +
               number(cut + fixed(m->max_3d_diameter_mm, 1)) + with(cut + fixed(m->recorded_volume_ml, 2), "volume_ml", 1) + with(m->hu ? fixed(m->hu->mean, 0) + " +- " + fixed(m->hu->sd, 0) : "", "hu_mean", 0);
    } else {
        for (int i = 0; i < 6; ++i) out += number("");
    }
    return out + number(lesion.reader_long_axis ? mm_text(*lesion.reader_long_axis) : "") + cell(lesion.review_state) + "</tr>\n";
}

std::string measurements_section(const CaseResult& result)
{
    std::string out = "<section><h2>Measurements</h2>\n<div class=\"wide\"><table><caption>Lengths in mm, as recorded; long and short axis in the axial plane, craniocaudal along the slices' normal; HU as mean and standard deviation. In brackets the 95 % interval; each lesion below names what it was calibrated on.</caption>\n"
                      "<thead><tr><th>Time point</th><th>Date</th><th>Lesion</th><th>Status</th><th class=\"n\">Long</th><th class=\"n\">Short</th><th class=\"n\">Cranio-caudal</th><th class=\"n\">Max 3-D</th>"
                      "<th class=\"n\">Volume, ml</th><th class=\"n\">HU</th><th class=\"n\">Reader's line</th><th>Review</th></tr></thead>\n<tbody>\n";
    for (const auto& timepoint : result.timepoints) {
        for (const auto& lesion : timepoint.lesions) out += measured_row(timepoint, lesion);
    }
    return out + "</tbody></table></div></section>\n";
}

std::string components_text(const measurement::LesionMeasurements& m)
{
    if (!m.components) return "";
    const auto& c = *m.components;
    std::string out;
    for (const auto& [what, ml] : {std::pair{"gas", c.gas_ml}, {"fat", c.fat_ml}, {"low attenuation", c.low_attenuation_ml}, {"solid", c.solid_ml}, {"dense", c.dense_ml}, {"unclassified", c.unclassified_ml}}) {
        if (ml >= 0.005) out += (out.empty() ? "" : ", ") + std::string(what) + " " + fixed(ml, 2) + " ml";
    }
    return out;
}

/// Where a lesion's intervals come from, and how far its numbers move between hands.
std::string intervals_row(const LesionResult& lesion)
{
    const auto& origin = lesion.interval_origin;
    if (lesion.intervals.empty()) return "";
    std::string out = sentence(interval_origin(lesion, ""));
    for (const auto& [quantity, cv] : origin.within_case_cv) {
        if (quantity == "volume_ml" || quantity == "long_axis_mm") out += std::string(quantity == "volume_ml" ? " Volume" : " Long axis") + " varies by " + fixed(100 * cv, 1) + " % between prompts.";
    }
    if (!origin.calibrated_on.empty() && !origin.stated.empty()) out += " The interval of " + origin.stated + " is stated by the reader.";
    return out;
}

Result<std::string> picture(const Pictures& pictures, const std::string& file, const std::string& alt)
{
    std::ifstream in(pictures.folder / file, std::ios::binary);
    std::ostringstream bytes;
    bytes << in.rdbuf();
    if (!in || bytes.str().empty()) return Error{Code::io, "cannot read the picture " + file, "outputs: report"};
    return "<figure><img src=\"data:image/png;base64," + base64(bytes.str()) + "\" alt=\"" + html(alt) + "\"></figure>\n";
}

Result<std::string> lesion_at(const TimepointResult& timepoint, const LesionResult& lesion, const Pictures& pictures)
{
    std::string out = "<h3>Lesion " + html(lesion.lesion) + " " + tag(lesion.review_state) + "</h3>\n";
    const auto found = pictures.of.find(stem_of(timepoint, lesion));
    if (found != pictures.of.end() && lesion.measurements) {
        const auto& m = *lesion.measurements;
        const std::string alts[] = {"axial slice with the outline, long axis " + m.long_axis.recorded.text() + " mm and short axis " + m.short_axis.recorded.text() + " mm",
                                    "coronal plane through the centroid with the outline and craniocaudal extent " + m.craniocaudal.recorded.text() + " mm", "sagittal plane through the centroid with the outline and the craniocaudal extent"};
        out += "<div class=\"pictures\">\n";
        for (std::size_t i = 0; i < found->second.size(); ++i) {
            RETROMASS_TRY_ASSIGN(const auto figure, picture(pictures, found->second[i], timepoint.id + ", lesion " + lesion.lesion + ": " + alts[std::min<std::size_t>(i, 2)]));
            out += figure;
        }
        out += "</div>\n";
    }
    out += "<dl>\n";
    const auto row = [&out](const std::string& what, const std::string& value) {
        if (!value.empty()) out += "<dt>" + html(what) + "</dt><dd>" + html(value) + "</dd>\n";
    };
    row("Status", std::string(name(lesion.status)) + (lesion.reason.empty() ? "" : ": " + lesion.reason));
    if (const auto& m = lesion.measurements) {
        row("Long x short x craniocaudal", at_least(lesion) + m->long_axis.recorded.text() + " x " + m->short_axis.recorded.text() + " x " + m->craniocaudal.recorded.text() + " mm");
        row("Volume", at_least(lesion) + fixed(m->recorded_volume_ml, 2) + " ml");
        row("95 % intervals", intervals_row(lesion));
        row("Parts", components_text(*m));
        if (m->hu) row("Density", "mean " + fixed(m->hu->mean, 1) + " HU, SD " + fixed(m->hu->sd, 1) + ", median " + fixed(m->hu->median, 1) + (m->hu_core ? "; core mean " + fixed(m->hu_core->mean, 1) : ""));
    }
    if (lesion.reader_long_axis) row("Reader's own line", lesion.reader_long_axis->text() + " mm");
    row("Reader", lesion.reviewer);
    out += "</dl>\n" + notice_list(notices_of(lesion));
    return out;
}

std::string acquisition_text(const ingest::CtSeries& ct)
{
    const auto& geometry = ct.volume.geometry;
    const auto& size = geometry.size();
    std::string out = std::to_string(size.slices) + " slices of " + std::to_string(size.columns) + " x " + std::to_string(size.rows) + ", pixels " + fixed(geometry.column_spacing_mm(), 3) + " x " + fixed(geometry.row_spacing_mm(), 3) + " mm";
    out += geometry.slice_spacing_mm() ? ", slice distance " + fixed(*geometry.slice_spacing_mm(), 2) + " mm" : ", uneven slices";
    if (ct.facts.kvp) out += ", " + fixed(*ct.facts.kvp, 0) + " kVp";
    if (!ct.facts.kernel.empty()) out += ", kernel " + ct.facts.kernel;
    if (!ct.facts.contrast_phase.empty()) out += ", phase " + ct.facts.contrast_phase;
    return out;
}

Result<std::string> timepoints_section(const CaseResult& result, const Pictures& pictures)
{
    std::string out = "<section><h2>Time points</h2>\n<p class=\"soft\">Amber: outline of the measured mask. Blue: long axis or craniocaudal extent. White, dashed: short axis.</p>\n";
    for (const auto& timepoint : result.timepoints) {
        out += "<article class=\"timepoint\"><h3>" + html(timepoint.id) + (timepoint.date ? ", " + iso(*timepoint.date) : std::string(", no date")) +
               (timepoint.date_source.empty() ? "" : " <small>(" + html(timepoint.date_source) + ")</small>") + "</h3>\n";
        if (timepoint.ct) out += "<p class=\"soft\">" + html(acquisition_text(*timepoint.ct)) + ".</p>\n";
        out += notice_list(timepoint.notices);
        if (const auto remark = pictures.remarks.find(timepoint.id); remark != pictures.remarks.end()) out += "<p>" + html(remark->second) + "</p>\n";
        for (const auto& lesion : timepoint.lesions) {
            RETROMASS_TRY_ASSIGN(const auto part, lesion_at(timepoint, lesion, pictures));
            out += part;
        }
        out += "</article>\n";
    }
    return out + "</section>\n";
}

std::string growth_section(const CaseResult& result)
{
    if (result.assessment.growth.empty()) return "";
    std::string out = "<section><h2>Growth and regression</h2>\n<p>Arithmetic between pairs of studies, by volume and as if exponential; not a prediction.</p>\n<div class=\"wide\"><table>\n<thead><tr><th>Lesion</th><th>From</th><th>To</th>"
                      "<th>By</th><th class=\"n\">Days</th><th class=\"n\">Fold</th><th class=\"n\">Doubling time, days</th><th>Remarks</th></tr></thead>\n<tbody>\n";
    for (const auto& pair : result.assessment.growth) {
        std::string doubling = "unchanged", remarks;
        if (pair.doubling_time_days) doubling = *pair.doubling_time_days > 0 ? fixed(*pair.doubling_time_days, 1) : "halving " + fixed(-*pair.doubling_time_days, 1);
        for (const auto& notice : pair.notices) remarks += (remarks.empty() ? "" : "<br>") + code(notice) + ": " + html(notice.text);
        out += "<tr><th scope=\"row\">" + html(pair.lesion) + "</th>" + cell(pair.from) + cell(pair.to) + cell(pair.basis) + number(fixed(pair.days, 0)) + number(fixed(pair.fold, pair.fold < 10 ? 3 : 0)) + number(doubling) + "<td>" + remarks + "</td></tr>\n";
    }
    return out + "</tbody></table></div></section>\n";
}

std::string alternatives_table(const CaseResult& result)
{
    std::string out = "<h3>What other choices would give</h3>\n<div class=\"wide\"><table><thead><tr><th>Policy</th><th>Category now</th><th>Best overall response</th><th>Progression-free survival</th></tr></thead>\n<tbody>\n";
    const auto row = [&out](const std::string& what, const response::Assessment& a) {
        out += "<tr><th scope=\"row\">" + html(what) + "</th>" + cell(a.recist.empty() ? "-" : category_text(a.recist.back()));
        if (a.lines.empty()) out += cell("-") + cell("-");
        else out += cell(std::string(name(a.lines.back().best_overall_response.category)) + (a.lines.back().confirmed ? ", " + confirmation(a.lines.back().confirmed) : "")) + cell(a.lines.back().pfs_text);
        out += "</tr>\n";
    };
    row("as used here", result.assessment);
    for (const auto& [policy, other] : result.alternatives) row(policy, other);
    return out + "</tbody></table></div>\n";
}

std::string policies_section(const CaseResult& result)
{
    std::string out = "<section><h2>Policies</h2>\n";
    if (!result.alternatives.empty()) out += alternatives_table(result);
    out += "<h3>In force</h3>\n<dl>\n";
    for (const auto& [policy, value] : result.assessment.policies) out += "<dt class=\"code\">" + html(policy) + "</dt><dd>" + html(value) + "</dd>\n";
    return out + "</dl></section>\n";
}

std::string provenance_section(const CaseResult& result)
{
    std::string out = "<section><h2>Provenance</h2>\n<dl>\n<dt>Program</dt><dd>Retromass " + std::string(RETROMASS_VERSION) + "</dd>\n";
    for (const auto& [setting, value] : result.settings) out += "<dt>" + html(setting) + "</dt><dd>" + html(value) + "</dd>\n";
    out += "</dl>\n<div class=\"wide\"><table><caption>Inputs</caption><thead><tr><th>Input</th><th>SHA-256</th></tr></thead><tbody>\n";
    for (const auto& [input, hash] : result.inputs) out += "<tr>" + cell(input) + "<td class=\"code\" style=\"overflow-wrap:anywhere\">" + html(hash) + "</td></tr>\n";
    return out + "</tbody></table></div>\n<p class=\"soft\">The command, the time of the run and the SHA-256 of every output are in provenance.json beside this page.</p></section>\n";
}

}  // namespace

std::vector<std::string> attention_of(const CaseResult& result)
{
    std::vector<std::string> items;
    const auto state = review_state_of(result);
    if (state != "accepted") items.push_back("<strong>" + html(state) + "</strong>: no reader has accepted every outline; check each against its picture.");
    for (const auto& timepoint : result.timepoints) {
        for (const auto& lesion : timepoint.lesions) {
            if (lesion.status == response::LesionStatus::not_evaluable) items.push_back("<strong>not evaluable</strong>: " + html(timepoint.id + ", " + lesion.lesion) + (lesion.reason.empty() ? "" : ": " + html(lesion.reason)));
        }
    }
    std::vector<std::pair<Notice, std::string>> seen;  // one line a notice, with all the places it holds for
    const auto add = [&seen](const std::vector<Notice>& notices, const std::string& where) {
        for (const auto& notice : notices) {
            const auto found = std::find_if(seen.begin(), seen.end(), [&](const auto& s) { return s.first == notice; });
            if (found == seen.end()) seen.emplace_back(notice, where);
            else if (!where.empty() && found->second.find(where) == std::string::npos) found->second += (found->second.empty() ? "" : "; ") + where;
        }
    };
    add(result.notices, "");
    add(result.assessment.notices, "");
    for (const auto& timepoint : result.timepoints) {
        add(timepoint.notices, timepoint.id);
        for (const auto& lesion : timepoint.lesions) add(notices_of(lesion), timepoint.id + ", " + lesion.lesion);
    }
    for (const auto& row : result.assessment.recist) add(row.overall.notices, row.timepoint);
    for (const auto& period : result.assessment.criteria) {
        for (const auto& point : period.timepoints) {
            for (const auto& notice : point.decision.notices) {
                if (notice.code != Code::new_lesions_not_stated && notice.code != Code::treated_locally && notice.code != Code::treatment_effect) add({notice}, point.timepoint + ", " + std::string(response::criterion_title(period.criterion)));
            }
        }
    }
    for (const auto& d : result.assessment.disagreements) {
        add({{Code::criteria_disagree, std::string(response::criterion_title(d.primary)) + " " + std::string(name(d.primary_category)) + ", " + std::string(response::criterion_title(d.other)) + " " + std::string(name(d.other_category))}}, d.timepoint);
    }
    for (const auto& line : result.assessment.lines) add(line.notices, line.period);
    for (const auto& pair : result.assessment.growth) add(pair.notices, pair.from + " to " + pair.to);
    for (const auto& [notice, where] : seen) items.push_back(code(notice) + (where.empty() ? "" : " <small>(" + html(where) + ")</small>") + ": " + html(notice.text));
    return items;
}

Result<std::string> report_html(const CaseResult& result, const Pictures& pictures)
{
    const auto band = band_text(review_state_of(result)) + (result.synthetic ? " - SYNTHETIC" : "");
    std::string out = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>" +
                      html(result.case_id) + " - tumour response - " + html(band) + "</title>\n<style>" + kReportStyle + "</style>\n</head>\n<body>\n<div class=\"band\">" + html(band) + "</div>\n<main>\n<header><h1>Tumour response, case " +
                      html(result.case_id) + "</h1>\n<p class=\"soft\">" + kUse + (result.synthetic ? " SYNTHETIC patient: no human data." : "") + "</p>\n<!--signatures--><!--/signatures--></header>\n";
    out += first_screen(result) + response_section(result) + criteria_section(result) + comparability_section(result) + identity_section(result) + measurements_section(result) + decisions_section(result);
    RETROMASS_TRY_ASSIGN(const auto timepoints, timepoints_section(result, pictures));
    out += timepoints + growth_section(result) + kinetics_section(result) + policies_section(result) + provenance_section(result);
    return out + "<footer>" + kUse + " Written by Retromass " + RETROMASS_VERSION + ".</footer>\n</main>\n<div class=\"band\">" + html(band) + "</div>\n</body>\n</html>\n";
}

}  // namespace retromass::outputs

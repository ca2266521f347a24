#include "pipeline/outputs/markup.h"
#include "pipeline/outputs/report.h"
#include "pipeline/outputs/words.h"

// The report beside RECIST 1.1: further criteria, comparability, identity, growth laws.

namespace retromass::outputs {
namespace {

std::string table(const std::string& caption, const std::string& heads, const std::string& rows)
{
    return "<div class=\"wide\"><table><caption>" + html(caption) + "</caption>\n<thead><tr>" + heads + "</tr></thead>\n<tbody>\n" + rows + "</tbody></table></div>\n";
}

std::string head(const std::string& text, bool is_number = false) { return std::string(is_number ? "<th class=\"n\">" : "<th>") + html(text) + "</th>"; }

std::string inputs_text(const response::Decision& decision)
{
    std::string out;
    for (const auto& [what, value] : decision.inputs) out.append(out.empty() ? "" : "; ").append(what).append(" ").append(value);
    return out;
}

std::string rows_of(const response::CriterionPeriod& period)
{
    std::string out;
    for (const auto& point : period.timepoints) {
        const auto value = [&](const std::optional<double>& v) { return number(v ? fixed(*v, 2) : ""); };
        const auto change = [&](const std::optional<double>& v) { return number(point.is_baseline ? "" : signed_percent(v)); };
        std::string category = point.is_baseline ? "baseline" : std::string(name(point.decision.category));
        if (category.empty()) category = "-";
        std::string why = "<td>" + html(sentence(point.decision.reason)) + "<br><span class=\"soft\">" + html(point.decision.rule) + "</span>";
        if (!point.decision.inputs.empty()) why += "<details><summary>Inputs</summary>" + html(inputs_text(point.decision)) + "</details>";
        why += notice_list(point.decision.notices) + "</td>";
        out += "<tr>" + cell(period.period) + "<th scope=\"row\">" + html(point.timepoint) + "</th>" + day(point.date) + value(point.value) + change(point.change_from_baseline_pct) + change(point.change_from_nadir_pct) +
               "<td>" + tag(category) + (point.confirmed ? *point.confirmed ? " confirmed" : " unconfirmed" : "") + "</td>" + why + "</tr>\n";
    }
    return out;
}

std::string rate_text(const std::optional<response::FittedRate>& rate, int decimals)
{
    if (!rate) return "";
    return fixed(rate->value, decimals) + (rate->interval ? " (" + fixed(rate->interval->low, decimals) + " to " + fixed(rate->interval->high, decimals) + ")" : "");
}

}  // namespace

std::string criteria_section(const CaseResult& result)
{
    const auto& assessment = result.assessment;
    if (assessment.criteria.empty()) return "";
    const bool recist_leads = assessment.primary == "recist-1.1";
    std::string out = "<section><h2>" + html(recist_leads ? "Exploratory: other criteria" : "Other criteria; primary is " + std::string(response::criterion_title(assessment.primary))) + "</h2>\n";
    if (recist_leads) out += "<p>None of these decides anything here: RECIST 1.1 is the primary criterion.</p>\n";
    for (const auto& d : assessment.disagreements) {
        out += "<div class=\"decision\"><h3>" + html(d.timepoint + " (" + d.period + "): " + std::string(response::criterion_title(d.other)) + " disagrees") + "</h3>" + paragraph(sentence(d.reason)) + "</div>\n";
    }
    std::string criterion;
    std::string rows, apart;
    const auto close = [&](const response::CriterionPeriod* of) {
        if (criterion.empty()) return;
        out += "<h3>" + html(std::string(response::criterion_title(criterion))) + "</h3>\n";
        if (!rows.empty()) out += table(sentence(of->quantity + " in " + of->unit + "; changes in per cent"), head("Period") + head("Time point") + head("Date") + head("Value", true) + head("From baseline", true) + head("From nadir", true) + head("Category") + head("Why"), rows);
        out += apart;
        rows.clear();
        apart.clear();
    };
    const response::CriterionPeriod* last = nullptr;
    for (const auto& period : assessment.criteria) {
        if (period.criterion != criterion) close(last);
        criterion = period.criterion;
        last = &period;
        if (!period.not_applicable.empty()) {
            apart += paragraph(period.period + ": not applicable: " + period.not_applicable + ".");
            continue;
        }
        rows += rows_of(period);
        const auto& summary = period.summary;
        if (period.timepoints.size() > 1) {
            apart += paragraph(period.period + ": best overall response " + std::string(name(summary.best_overall_response.category)) + (summary.confirmed ? *summary.confirmed ? " (confirmed)" : " (unconfirmed)" : "") + ", " +
                               summary.best_overall_response.reason + "; progression-free survival " + summary.pfs_text + ".");
        }
    }
    close(last);
    return out + "</section>\n";
}

std::string comparability_section(const CaseResult& result)
{
    if (result.assessment.comparisons.empty()) return "";
    std::string rows, silent;
    for (const auto& comparison : result.assessment.comparisons) {
        const std::string pair = "<th scope=\"row\">" + html(comparison.from + " and " + comparison.to) + "</th>";
        if (comparison.differences.empty()) {
            rows += "<tr>" + pair + "<td>" + tag(comparison.size) + "</td><td>" + tag(comparison.density) + "</td>" + cell("no difference found") + cell("") + cell("") + "</tr>\n";
        }
        for (const auto& d : comparison.differences) {
            rows += "<tr>" + pair + "<td>" + tag(comparison.size) + "</td><td>" + tag(comparison.density) + "</td>" + cell(d.what + (d.before.empty() ? "" : ": " + d.before + ", then " + d.now)) + cell("sizes " + d.of_size + ", densities " + d.of_density) +
                    cell(sentence(d.text)) + "</tr>\n";
        }
        std::string missing;
        for (const auto& what : comparison.not_stated) missing.append(missing.empty() ? "" : ", ").append(what);
        if (!missing.empty()) silent += paragraph(comparison.from + " and " + comparison.to + ": not stated of one of them, so not compared: " + missing + ".");
    }
    return "<section><h2>Can the studies be compared?</h2>\n" +
           table("Each follow-up against its baseline and its nadir. A difference is named, widens the comparison, or bars it; it never changes a category.", head("Studies") + head("Sizes") + head("Densities") + head("Difference") + head("Effect") + head("Why"), rows) +
           silent + "</section>\n";
}

std::string identity_section(const CaseResult& result)
{
    if (result.assessment.identity.empty()) return "";
    std::string rows;
    for (const auto& note : result.assessment.identity) {
        rows += "<tr><th scope=\"row\">" + html(note.lesion) + "</th>" + cell(note.timepoint) + "<td>" + tag(note.what) + (note.suggested ? " suggested by the program" : note.what == "conflict" ? " a reader has to decide" : " as stated") + "</td>" + cell(sentence(note.text)) + "</tr>\n";
    }
    return "<section><h2>The same lesion through time</h2>\n" + table("What became of each lesion. The program suggests and lists; it resolves nothing.", head("Lesion") + head("Time point") + head("What") + head("Text"), rows) + "</section>\n";
}

std::string kinetics_section(const CaseResult& result)
{
    std::string rows, steps;
    for (const auto& kinetics : result.assessment.kinetics) {
        rows += "<tr>" + cell(kinetics.period) + number(std::to_string(kinetics.points)) + cell(kinetics.model.empty() ? "none" : kinetics.model) + number(rate_text(kinetics.growth_per_day, 5)) + number(rate_text(kinetics.regression_per_day, 5)) +
                number(rate_text(kinetics.regressing_share, 2)) + cell(sentence(kinetics.text)) + "</tr>\n";
        for (const auto& step : kinetics.steps) {
            steps += "<tr>" + cell(kinetics.period) + cell(step.from) + cell(step.to) + number(fixed(step.days, 0)) + number(signed_percent(step.growth_rate_pct_month)) + "</tr>\n";
        }
    }
    if (rows.empty()) return "";
    std::string out = "<section><h2>Growth of the sum of diameters</h2>\n";
    if (!steps.empty()) out += table("Tumour growth rate, per cent of volume a month, as if each diameter were a sphere's.", head("Period") + head("From") + head("To") + head("Days", true) + head("% a month", true), steps);
    out += table("Growth and regression fitted at once, rates a day with their 95 % intervals.", head("Period") + head("Sums", true) + head("Law") + head("Growth", true) + head("Regression", true) + head("Regressing share", true) + head("Remarks"), rows);
    return out + "</section>\n";
}

}  // namespace retromass::outputs

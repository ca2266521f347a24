#include "pipeline/outputs/report.h"

#include <algorithm>

#include "pipeline/outputs/words.h"

namespace retromass::outputs {
namespace {

constexpr const char* kUse = "Research use, not for clinical decisions without review.";

using Look = Cell::Look;

std::string confirmation(const std::optional<bool>& confirmed) { return !confirmed ? "" : *confirmed ? "confirmed" : "unconfirmed"; }

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
        out.category = category_text(point);
        out.text = dated(point.timepoint, point.date);
        if (point.value) out.text += ": " + period.quantity + " " + fixed(*point.value, 2) + " " + period.unit;
        if (!point.is_baseline) out.text += changes_text(point.change_from_baseline_pct, point.change_from_nadir_pct, period.summary.baseline_timepoint);
        out.text += "; " + period.period + ".";
    }
    return out;
}

std::vector<Card> best_cards(const Headline& headline)
{
    if (!headline.line) return {{"Best overall response", "none", "No treatment line was assessed."}, {"Progression-free survival", "none", "No treatment line was assessed."}};
    const auto& line = *headline.line;
    const auto best = best_text(line.best_overall_response);
    std::string more = sentence(line.best_overall_response.reason);
    if (line.confirmed) more = (*line.confirmed ? "Confirmed." : "Unconfirmed.") + (more.empty() ? "" : " " + more);
    if (line.best_response_date) more += (more.empty() ? "" : " ") + std::string("First seen ") + iso(*line.best_response_date) + ".";
    std::string big = "not known";
    if (line.pfs_months) big = std::string(line.pfs_event ? "" : "> ") + fixed(*line.pfs_months, 1) + " months";
    const auto pfs = sentence(line.pfs_text) + (line.pfs_start ? " Counted from " + iso(*line.pfs_start) + "." : "");
    return {{"Best overall response, " + line.period, best, more}, {"Progression-free survival, " + line.period, big, pfs}};
}

/// How likely the category is to flip, or that it cannot be said (docs/clinical.md 7.1).
std::string repeats_text(const CaseResult& result)
{
    const auto* const now = response::repeats_now(result.assessment);
    if (!now || now->text.empty()) return "Measurement intervals are not yet known. No number here carries a 95 % interval, so a category near its limit may differ if the same scans were measured again.";
    if (now->differs) return now->text;
    return "How likely this category is to flip is not known. " + sentence(now->text) + " A category near its limit may differ if the same scans were measured again.";
}

/// What the other criteria say of the last time point.
Table exploratory_now(const CaseResult& result)
{
    Table out{"Exploratory, at the last time point of each", {{"Criterion"}, {"Now"}, {"Change from baseline, %", true}}, {}};
    const auto& assessment = result.assessment;
    if (assessment.primary != "recist-1.1" && !assessment.recist.empty()) {
        const auto& row = assessment.recist.back();
        out.rows.push_back({{"RECIST 1.1", Look::head}, {category_text(row), Look::tag}, {row.is_baseline ? "" : signed_percent(row.change_from_baseline_pct), Look::number}});
    }
    for (std::size_t i = 0; i < assessment.criteria.size(); ++i) {
        const auto& period = assessment.criteria[i];
        const bool last = i + 1 == assessment.criteria.size() || assessment.criteria[i + 1].criterion != period.criterion;
        if (!last || period.criterion == assessment.primary) continue;
        const Cell title{std::string(response::criterion_title(period.criterion)), Look::head};
        if (!period.not_applicable.empty() || period.timepoints.empty()) {
            out.rows.push_back({title, {"not applicable"}, {"", Look::number}});
            continue;
        }
        const auto& point = period.timepoints.back();
        out.rows.push_back({title, {category_text(point), Look::tag}, {point.is_baseline ? "" : signed_percent(point.change_from_baseline_pct), Look::number}});
    }
    return out;
}

void answer(const CaseResult& result, Document& out)
{
    const auto headline = headline_of(result);
    Cards cards{{{headline.title + " now", headline.category, headline.text}}};
    for (auto& card : best_cards(headline)) cards.items.push_back(std::move(card));
    out.answer.push_back(std::move(cards));
    out.answer.push_back(Words{repeats_text(result), Words::Look::strong});
    out.answer.push_back(Heading{2, "Size over time", ""});
    auto drawing = size_drawing(result);
    if (drawing.shapes.empty()) out.answer.push_back(Words{"Nothing was measured."});
    else out.answer.push_back(std::move(drawing));
    if (auto others = exploratory_now(result); !others.rows.empty()) out.answer.push_back(std::move(others));
    out.aside.push_back(Heading{2, "Needs attention", ""});
    out.aside.push_back(Remarks{attention_of(result)});
}

void response(const CaseResult& result, std::vector<Block>& out)
{
    Table table{"Sums of diameters in mm; changes in per cent.",
                {{"Period"}, {"Time point"}, {"Date"}, {"Sum", true}, {"From baseline", true}, {"From nadir", true}, {"Target"}, {"Non-target"}, {"New lesions"}, {"Overall"}, {"Review"}}, {}};
    for (const auto& row : result.assessment.recist) {
        const auto* timepoint = timepoint_named(result, row.timepoint);
        const auto change = [&](const std::optional<double>& v) { return Cell{row.is_baseline ? "" : signed_percent(v), Look::number}; };
        table.rows.push_back({{row.period}, {row.timepoint, Look::head}, {date_text(timepoint ? timepoint->date : std::optional<Date>()), Look::date}, {sum_text(row), Look::number}, change(row.change_from_baseline_pct),
                              change(row.change_from_nadir_pct), {std::string(name(row.target))}, {std::string(name(row.non_target))}, {row.is_baseline ? "-" : row.new_lesions ? std::string(name(*row.new_lesions)) : "not stated"},
                              {category_text(row), Look::tag, confirmation(row.confirmed)}, {timepoint ? review_state_of(*timepoint) : "unreviewed"}});
    }
    out.push_back(Heading{2, "Response, RECIST 1.1", ""});
    out.push_back(std::move(table));
}

void decisions(const CaseResult& result, std::vector<Block>& out)
{
    out.push_back(Heading{2, "Why: the decisions", ""});
    const auto decided = [&out](const std::string& title, const response::Decision& d) { out.push_back(Decided{title, sentence(d.reason), d.rule, inputs_text(d), remarks_of(d.notices)}); };
    for (const auto& row : result.assessment.recist) decided(row.timepoint + " (" + row.period + "): " + category_text(row), row.overall);
    for (const auto& line : result.assessment.lines) {
        decided("Best overall response, " + line.period + ": " + best_text(line.best_overall_response), line.best_overall_response);
        if (!line.pfs_text.empty()) out.push_back(Decided{"Progression-free survival, " + line.period, sentence(line.pfs_text), "", "", remarks_of(line.notices)});
    }
}

void growth(const CaseResult& result, std::vector<Block>& out)
{
    if (result.assessment.growth.empty()) return;
    Table table{"Arithmetic between pairs of studies, by volume and as if exponential; not a prediction.", {{"Lesion"}, {"From"}, {"To"}, {"By"}, {"Days", true}, {"Fold", true}, {"Doubling time, days", true}, {"Remarks"}}, {}};
    for (const auto& pair : result.assessment.growth) {
        std::string doubling = "unchanged", remarks;
        if (pair.doubling_time_days) doubling = *pair.doubling_time_days > 0 ? fixed(*pair.doubling_time_days, 1) : "halving " + fixed(-*pair.doubling_time_days, 1);
        for (const auto& notice : pair.notices) remarks += (remarks.empty() ? "" : "; ") + std::string(name(notice.code)) + ": " + notice.text;
        table.rows.push_back({{pair.lesion, Look::head}, {pair.from}, {pair.to}, {pair.basis}, {fixed(pair.days, 0), Look::number}, {fixed(pair.fold, pair.fold < 10 ? 3 : 0), Look::number}, {doubling, Look::number}, {remarks}});
    }
    out.push_back(Heading{2, "Growth and regression", ""});
    out.push_back(std::move(table));
}

void policies(const CaseResult& result, std::vector<Block>& out)
{
    out.push_back(Heading{2, "Policies", ""});
    if (!result.alternatives.empty()) {
        Table table{"What other choices would give", {{"Policy"}, {"Category now"}, {"Best overall response"}, {"Progression-free survival"}}, {}};
        const auto row = [&table](const std::string& what, const response::Assessment& a) {
            const auto* line = a.lines.empty() ? nullptr : &a.lines.back();
            table.rows.push_back({{what, Look::head}, {a.recist.empty() ? "-" : category_text(a.recist.back())}, {line ? best_text(line->best_overall_response) : "-", Look::text, line ? confirmation(line->confirmed) : ""},
                                  {line ? line->pfs_text : "-"}});
        };
        row("as used here", result.assessment);
        for (const auto& [policy, other] : result.alternatives) row(policy, other);
        out.push_back(std::move(table));
    }
    out.push_back(Heading{3, "In force", ""});
    out.push_back(Facts{{result.assessment.policies.begin(), result.assessment.policies.end()}});
}

void provenance(const CaseResult& result, std::vector<Block>& out)
{
    out.push_back(Heading{2, "Provenance", ""});
    Facts facts{{{"Program", "Retromass " + std::string(RETROMASS_VERSION)}}};
    facts.rows.insert(facts.rows.end(), result.settings.begin(), result.settings.end());
    out.push_back(std::move(facts));
    Table inputs{"Inputs", {{"Input"}, {"SHA-256"}}, {}};
    for (const auto& [input, hash] : result.inputs) inputs.rows.push_back({{input}, {hash, Look::code}});
    out.push_back(std::move(inputs));
    out.push_back(Words{"The command, the time of the run and the SHA-256 of every output are in provenance.json beside this report.", Words::Look::soft});
}

}  // namespace

std::string category_text(const response::RecistTimepoint& row)
{
    if (row.is_baseline) return "baseline";
    const std::string text(name(row.overall.category));
    return text.empty() ? "-" : text;
}

std::string category_text(const response::CriterionTimepoint& point)
{
    if (point.is_baseline) return "baseline";
    const std::string text(name(point.decision.category));
    return text.empty() ? "-" : text;
}

std::string inputs_text(const response::Decision& decision)
{
    std::string out;
    for (const auto& [what, value] : decision.inputs) out.append(out.empty() ? "" : "; ").append(what).append(" ").append(value);
    return out;
}

std::vector<Remark> remarks_of(const std::vector<Notice>& notices)
{
    std::vector<Remark> out;
    for (const auto& notice : notices) out.push_back({std::string(name(notice.code)), "", notice.text});
    return out;
}

std::vector<Remark> attention_of(const CaseResult& result)
{
    std::vector<Remark> items;
    const auto state = review_state_of(result);
    if (state != "accepted") items.push_back({state, "", "no reader has accepted every outline; check each against its picture."});
    for (const auto& timepoint : result.timepoints) {
        for (const auto& lesion : timepoint.lesions) {
            if (lesion.status == response::LesionStatus::not_evaluable) items.push_back({"not evaluable", timepoint.id + ", " + lesion.lesion, lesion.reason});
        }
    }
    if (!result.timepoints.empty()) {
        const auto& last = result.timepoints.back();
        for (const auto& lesion : last.lesions) {
            if (!lesion.described_at.empty()) items.push_back({"for confirmation", last.id + ", " + lesion.lesion, "its description was stated at " + lesion.described_at + ": does it still hold?"});
        }
    }
    for (const auto& comparison : result.assessment.comparisons) {
        if (comparison.size == "not-comparable") items.push_back({"not comparable", comparison.from + " and " + comparison.to, "their sizes cannot be compared; see below what differs"});
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
    for (const auto& [notice, where] : seen) items.push_back({std::string(name(notice.code)), where, notice.text});
    return items;
}

Document report_document(const CaseResult& result, const Pictures& pictures)
{
    Document out;
    out.title = "Tumour response, case " + result.case_id;
    out.band = band_text(review_state_of(result)) + (result.synthetic ? " - SYNTHETIC" : "");
    out.use = std::string(kUse) + (result.synthetic ? " SYNTHETIC patient: no human data." : "");
    out.protocol = result.assessment.protocol;
    out.footer = std::string(kUse) + " Written by Retromass " + RETROMASS_VERSION + ".";
    answer(result, out);
    auto& body = out.body;
    const auto add = [&body](std::vector<Block> more) { body.insert(body.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end())); };
    if (auto words = report_paragraph(result); !words.empty()) {
        body.push_back(Heading{2, "For the radiology report", ""});
        body.push_back(Extract{std::move(words)});
    }
    response(result, body);
    add(lesion_blocks(result, pictures));
    decisions(result, body);
    add(criteria_blocks(result));
    add(comparability_blocks(result));
    add(identity_blocks(result));
    growth(result, body);
    add(kinetics_blocks(result));
    policies(result, body);
    provenance(result, body);
    return out;
}

}  // namespace retromass::outputs

#include "pipeline/outputs/report.h"
#include "pipeline/outputs/words.h"

// The report beside RECIST 1.1: further criteria, comparability, identity, growth laws.

namespace retromass::outputs {
namespace {

using Look = Cell::Look;

void add_rows(const response::CriterionPeriod& period, Table& table)
{
    for (const auto& point : period.timepoints) {
        const auto value = [&](const std::optional<double>& v) { return Cell{v ? fixed(*v, 2) : "", Look::number}; };
        const auto change = [&](const std::optional<double>& v) { return Cell{point.is_baseline ? "" : signed_percent(v), Look::number}; };
        std::string below = point.decision.rule;
        if (const auto inputs = inputs_text(point.decision); !inputs.empty()) below += (below.empty() ? "" : ". ") + inputs;
        for (const auto& notice : point.decision.notices) below += (below.empty() ? "" : ". ") + std::string(name(notice.code)) + ": " + notice.text;
        table.rows.push_back({{period.period}, {point.timepoint, Look::head}, {date_text(point.date), Look::date}, value(point.value), change(point.change_from_baseline_pct), change(point.change_from_nadir_pct),
                              {category_text(point), Look::tag, point.confirmed ? *point.confirmed ? "confirmed" : "unconfirmed" : ""}, {sentence(point.decision.reason), Look::text, below}});
    }
}

std::string rate_text(const std::optional<response::FittedRate>& rate, int decimals)
{
    if (!rate) return "";
    return fixed(rate->value, decimals) + (rate->interval ? " (" + fixed(rate->interval->low, decimals) + " to " + fixed(rate->interval->high, decimals) + ")" : "");
}

}  // namespace

std::vector<Block> criteria_blocks(const CaseResult& result)
{
    const auto& assessment = result.assessment;
    if (assessment.criteria.empty()) return {};
    const bool recist_leads = assessment.primary == "recist-1.1";
    std::vector<Block> out{Heading{2, recist_leads ? "Exploratory: other criteria" : "Other criteria; primary is " + std::string(response::criterion_title(assessment.primary)), ""}};
    if (recist_leads) out.push_back(Words{"None of these decides anything here: RECIST 1.1 is the primary criterion."});
    for (const auto& d : assessment.disagreements) {
        out.push_back(Decided{d.timepoint + " (" + d.period + "): " + std::string(response::criterion_title(d.other)) + " disagrees", sentence(d.reason), "", "", {}});
    }
    for (std::size_t from = 0, to = 0; from < assessment.criteria.size(); from = to) {  // the periods of one criterion
        const auto& first = assessment.criteria[from];
        Table table{sentence(first.quantity + " in " + first.unit + "; changes in per cent"),
                    {{"Period"}, {"Time point"}, {"Date"}, {"Value", true}, {"From baseline", true}, {"From nadir", true}, {"Category"}, {"Why"}}, {}};
        std::vector<Block> apart;
        for (to = from; to < assessment.criteria.size() && assessment.criteria[to].criterion == first.criterion; ++to) {
            const auto& period = assessment.criteria[to];
            if (!period.not_applicable.empty()) {
                apart.push_back(Words{sentence(period.period + ": not applicable: " + period.not_applicable)});
                continue;
            }
            add_rows(period, table);
            const auto& summary = period.summary;
            if (period.timepoints.size() < 2) continue;
            apart.push_back(Words{period.period + ": best overall response " + best_text(summary.best_overall_response) + (summary.confirmed ? *summary.confirmed ? " (confirmed)" : " (unconfirmed)" : "") + ", " +
                                  summary.best_overall_response.reason + "; progression-free survival " + summary.pfs_text + "."});
        }
        out.push_back(Heading{3, std::string(response::criterion_title(first.criterion)), ""});
        if (!table.rows.empty()) out.push_back(std::move(table));
        out.insert(out.end(), apart.begin(), apart.end());
    }
    return out;
}

std::vector<Block> comparability_blocks(const CaseResult& result)
{
    if (result.assessment.comparisons.empty()) return {};
    Table table{"Each follow-up against its baseline and its nadir. A difference is named, widens the comparison, or bars it; it never changes a category.",
                {{"Studies"}, {"Sizes"}, {"Densities"}, {"Difference"}, {"Effect"}, {"Why"}}, {}};
    std::vector<Block> silent;
    for (const auto& comparison : result.assessment.comparisons) {
        const auto pair = comparison.from + " and " + comparison.to;
        const auto row = [&](const std::string& difference, const std::string& effect, const std::string& why) {
            table.rows.push_back({{pair, Look::head}, {comparison.size, Look::tag}, {comparison.density, Look::tag}, {difference}, {effect}, {why}});
        };
        if (comparison.differences.empty()) row("no difference found", "", "");
        for (const auto& d : comparison.differences) row(d.what + (d.before.empty() ? "" : ": " + d.before + ", then " + d.now), "sizes " + d.of_size + ", densities " + d.of_density, sentence(d.text));
        std::string missing;
        for (const auto& what : comparison.not_stated) missing.append(missing.empty() ? "" : ", ").append(what);
        if (!missing.empty()) silent.push_back(Words{pair + ": not stated of one of them, so not compared: " + missing + "."});
    }
    std::vector<Block> out{Heading{2, "Can the studies be compared?", ""}, std::move(table)};
    out.insert(out.end(), silent.begin(), silent.end());
    return out;
}

std::vector<Block> identity_blocks(const CaseResult& result)
{
    if (result.assessment.identity.empty()) return {};
    Table table{"What became of each lesion. The program suggests and lists; it resolves nothing.", {{"Lesion"}, {"Time point"}, {"What"}, {"Text"}}, {}};
    for (const auto& note : result.assessment.identity) {
        table.rows.push_back({{note.lesion, Look::head}, {note.timepoint}, {note.what, Look::tag, note.suggested ? "suggested by the program" : note.what == "conflict" ? "a reader has to decide" : "as stated"}, {sentence(note.text)}});
    }
    return {Heading{2, "The same lesion through time", ""}, std::move(table)};
}

std::vector<Block> kinetics_blocks(const CaseResult& result)
{
    Table laws{"Growth and regression fitted at once, rates a day with their 95 % intervals.", {{"Period"}, {"Sums", true}, {"Law"}, {"Growth", true}, {"Regression", true}, {"Regressing share", true}, {"Remarks"}}, {}};
    Table steps{"Tumour growth rate, per cent of volume a month, as if each diameter were a sphere's.", {{"Period"}, {"From"}, {"To"}, {"Days", true}, {"% a month", true}}, {}};
    for (const auto& kinetics : result.assessment.kinetics) {
        laws.rows.push_back({{kinetics.period}, {std::to_string(kinetics.points), Look::number}, {kinetics.model.empty() ? "none" : kinetics.model}, {rate_text(kinetics.growth_per_day, 5), Look::number},
                             {rate_text(kinetics.regression_per_day, 5), Look::number}, {rate_text(kinetics.regressing_share, 2), Look::number}, {sentence(kinetics.text)}});
        for (const auto& step : kinetics.steps) steps.rows.push_back({{kinetics.period}, {step.from}, {step.to}, {fixed(step.days, 0), Look::number}, {signed_percent(step.growth_rate_pct_month), Look::number}});
    }
    if (laws.rows.empty()) return {};
    std::vector<Block> out{Heading{2, "Growth of the sum of diameters", ""}};
    if (!steps.rows.empty()) out.push_back(std::move(steps));
    out.push_back(std::move(laws));
    return out;
}

}  // namespace retromass::outputs

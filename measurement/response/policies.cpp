#include <algorithm>
#include <array>

#include "measurement/response/response.h"

namespace retromass::response {
namespace {

constexpr std::array kTable{
    PolicyEntry{"local_therapy", "ne,keep,censor", "ne", "a target irradiated, ablated or embolised during the period: not evaluable, still counted, or the follow-up ends before it", "3.6"},
    PolicyEntry{"new_lesions_unstated", "not-evaluable,assume-none", "not-evaluable", "what silence about new lesions means", "definitions 5.2"},
    PolicyEntry{"baseline_window_days", "days", "28", "oldest study that can be the baseline of a line", "1.8"},
    PolicyEntry{"node_slice_rule", "none,max-15-or-2x-slice", "max-15-or-2x-slice", "whether slices above 5 mm raise the limit of nodes", "1.4"},
    PolicyEntry{"target_choice", "representative-then-size,reader", "representative-then-size", "what the targets are compared with: the largest of each organ first, then by size, or nothing; the reader's own choice always stands", "2.5"},
    PolicyEntry{"pr_persistence", "per-timepoint,carry-forward", "carry-forward", "whether a PR that stands (confirmed, where required) stays PR until PD", "4.6"},
    PolicyEntry{"merged_partner", "zero", "zero", "what a lesion merged into another adds to the sum", "3.4"},
    PolicyEntry{"confirmation", "none,required", "none", "whether CR and PR need a second assessment", "8.2-8.3"},
    PolicyEntry{"confirmation_min_days", "days", "28", "shortest time to a confirming assessment", "8.3"},
    PolicyEntry{"sd_min_days", "days", "42", "shortest time from the start for SD as best response", "8.4"},
    PolicyEntry{"confirm_across_ne", "count", "1", "not evaluable assessments allowed before the confirming one", "8.7"},
    PolicyEntry{"confirm_across_sd", "count", "0", "SD assessments allowed between PR and its confirmation", "8.8"},
    PolicyEntry{"cr_then_less", "recist-table-3,reread-as-pr,admiralonco", "recist-table-3", "disease after a CR: progression, a CR re-read as PR, or as admiralonco counts it", "8.5-8.6"},
    PolicyEntry{"no_assessment", "ne,missing", "ne", "best response where nothing was assessed after the baseline", "8.11"},
    PolicyEntry{"time_origin", "treatment,randomisation", "treatment", "where times to events start", "14.1"},
    PolicyEntry{"follow_up_end", "last-contact,last-assessment", "last-contact", "where a time without event is censored: a last-contact event states that the patient was then free of progression", "14.2"},
    PolicyEntry{"pd_date", "first-scan,last-scan-of-visit", "first-scan", "date of a progression by the sum of the targets, where a visit has several scans: the first that shows it, or the last of the visit", "14.3"},
    PolicyEntry{"missed_visits", "ignore,censor-after-2x-interval", "ignore", "an event after two or more missed visits", "14.4"},
    PolicyEntry{"visit_interval_days", "days", "56", "planned distance of visits, for missed_visits", "14.4"},
    PolicyEntry{"new_therapy", "censor,ignore", "censor", "a new treatment before progression", "14.5"},
    PolicyEntry{"month_days", "30.4375,30", "30.4375", "days of a month", "13.3"},
    PolicyEntry{"who_pd", "per-lesion,spd-over-nadir", "per-lesion", "WHO progression: one lesion, or the sum of products, 25 % over its nadir", "11.2"},
    PolicyEntry{"volume_rule", "exact-sphere,65/73,66/73,ellipsoid-30/20", "exact-sphere", "limits of the response by volume", "12.4"},
    PolicyEntry{"choi_limits", "inclusive,strict", "inclusive", "whether Choi's limits are met by a change that lies exactly on them", "10.2"},
    PolicyEntry{"choi_reference", "baseline,nadir", "baseline", "what Choi's +10 % is counted from", "10.5"},
    PolicyEntry{"choi_phases", "portal-venous,stated-matching", "portal-venous", "when Choi's density is judged: both studies stated portal-venous, or the reader's word that their phases match", "definitions 6.6"},
    PolicyEntry{"irecist_min_days", "days", "28", "shortest time from iUPD to a study that may confirm it", "9.2"},
    PolicyEntry{"irecist_for", "immunotherapy-lines,all-lines", "immunotherapy-lines", "where iRECIST applies: lines stated as immunotherapy, or all", "definitions 6.5"},
    PolicyEntry{"interval_correlation_pct", "count", "0", "correlation of one lesion's measurement errors over time, in percent", "definitions 7.1"},
};

std::size_t edit_distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row[b.size()];
}

bool is_count(std::string_view value)
{
    return !value.empty() && value.size() <= 5 && std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool listed(std::string_view values, std::string_view value)
{
    while (!value.empty()) {
        const auto comma = values.find(',');
        if (values.substr(0, comma) == value) return true;
        if (comma == std::string_view::npos) return false;
        values.remove_prefix(comma + 1);
    }
    return false;
}

}  // namespace

std::span<const PolicyEntry> policy_table() { return kTable; }

Policies::Policies()
{
    for (const auto& entry : kTable) values_.emplace(entry.name, entry.default_value);
}

Status Policies::set(std::string_view name, std::string_view value)
{
    const auto* const closest = std::min_element(kTable.begin(), kTable.end(), [&](const auto& a, const auto& b) {
        return edit_distance(a.name, name) < edit_distance(b.name, name);
    });
    if (closest->name != name) {
        return Error{Code::policy, "policy '" + std::string(name) + "' is not known; did you mean '" + std::string(closest->name) + "'?", "response: policies"};
    }
    const bool number = closest->values == "days" || closest->values == "count";
    if (number ? !is_count(value) : !listed(closest->values, value)) {
        return Error{Code::policy,
                     "policy " + std::string(name) + " cannot be '" + std::string(value) + "'; it takes " +
                         (number ? "a whole number (" + std::string(closest->values) + ")" : "one of " + std::string(closest->values)),
                     "response: policies"};
    }
    values_.find(name)->second = value;
    return Done{};
}

const std::string& Policies::value(std::string_view name) const
{
    const auto found = values_.find(name);
    RETROMASS_ASSERT(found != values_.end(), "only policies of the table are asked for");
    return found->second;
}

long Policies::number(std::string_view name) const { return std::stol(value(name)); }

}  // namespace retromass::response

#include "measurement/response/best_response.h"

#include <algorithm>
#include <vector>

namespace retromass::response {
namespace {

using Series = std::vector<DatedResponse>;

bool is_response(Category c) { return c == Category::cr || c == Category::pr; }
bool is_adequate(Category c) { return c != Category::ne && c != Category::nd && c != Category::none && c != Category::missing; }

/// A CR followed by disease: by E09 Table 3 that disease is progression; its footnote's other branch re-reads the CR as PR.
void settle_cr(Series& series, const BestResponseRules& rules)
{
    if (rules.cr_then_less == CrThenLess::admiralonco) return;
    for (std::size_t i = 0; i < series.size(); ++i) {
        if (series[i].category != Category::cr) continue;
        const auto next = std::find_if(series.begin() + static_cast<long>(i) + 1, series.end(), [](const auto& s) { return is_adequate(s.category); });
        if (next == series.end() || next->category == Category::cr || next->category == Category::pd) continue;
        const bool reread = rules.cr_then_less == CrThenLess::reread_as_pr && next->category == Category::pr && !confirmation(series, i, rules);
        if (reread) {
            series[i].category = Category::pr;
        } else {
            next->category = Category::pd;
        }
    }
}

void cut_after_progression(Series& series)
{
    const auto pd = std::find_if(series.begin(), series.end(), [](const auto& s) { return s.category == Category::pd; });
    if (pd != series.end()) series.erase(pd + 1, series.end());
}

template <class Test>
const DatedResponse* first(const Series& series, Test test)
{
    const auto found = std::find_if(series.begin(), series.end(), test);
    return found == series.end() ? nullptr : &*found;
}

TimeToEvent event_time(std::span<const DatedResponse> series, const FollowUp& follow_up, bool death_counts)
{
    TimeToEvent out;
    const auto finish = [&](Date end, bool event, std::string reason) {
        out.end = end;
        out.event = event;
        out.days = days_between(follow_up.start, end) + 1;
        out.reason = std::move(reason);
        return out;
    };
    std::optional<Date> event;
    std::optional<Date> shown;  // by the scan that first shows it, whatever day it is dated by: what comes later does not hide it
    std::string what;
    for (const auto& s : series) {
        if (s.category == Category::pd) {
            event = s.progressed_on.value_or(s.date);
            shown = s.date;
            what = "progression";
            break;
        }
    }
    if (death_counts && follow_up.death && (!event || *follow_up.death < *event)) {
        event = shown = follow_up.death;
        what = "death";
    }
    const auto last_before = [&](std::optional<Date> limit) {
        std::optional<Date> last;
        for (const auto& s : series) {
            if (is_adequate(s.category) && s.category != Category::pd && (!limit || s.date < *limit)) last = s.date;
        }
        return last;
    };
    const auto censor = [&](std::optional<Date> last, const std::string& why) {
        return finish(last.value_or(follow_up.start), false, last ? "last evaluable assessment" + why : "start: no evaluable assessment" + why);
    };
    if (follow_up.new_therapy && !(shown && *shown < *follow_up.new_therapy)) return censor(last_before(follow_up.new_therapy), " before a new therapy");
    if (!event) {
        return censor(last_before(std::nullopt), "");
    }
    const auto last = last_before(shown);
    if (follow_up.visit_interval_days && days_between(last.value_or(follow_up.start), *shown) > 2 * *follow_up.visit_interval_days) {
        return censor(last, " before two or more missed visits");
    }
    return finish(*event, true, what);
}

}  // namespace

BestResponseRules best_response_rules(const Policies& policies)
{
    BestResponseRules rules;
    rules.confirm = policies.value("confirmation") == "required";
    rules.sd_min_days = policies.number("sd_min_days");
    rules.confirm_min_days = policies.number("confirmation_min_days");
    rules.max_ne = policies.number("confirm_across_ne");
    rules.accept_sd = policies.number("confirm_across_sd");
    const auto& less = policies.value("cr_then_less");
    rules.cr_then_less = less == "admiralonco" ? CrThenLess::admiralonco : less == "reread-as-pr" ? CrThenLess::reread_as_pr : CrThenLess::recist_table_3;
    rules.without_assessment = policies.value("no_assessment") == "missing" ? Category::missing : Category::ne;
    return rules;
}

std::optional<Date> confirmation(std::span<const DatedResponse> series, std::size_t index, const BestResponseRules& rules)
{
    const auto wanted = series[index].category;
    if (!is_response(wanted)) return std::nullopt;
    long ne = 0;
    long sd = 0;
    bool cr_seen = false;
    for (std::size_t j = index + 1; j < series.size(); ++j) {
        const auto c = series[j].category;
        const bool fits = c == Category::cr || (wanted == Category::pr && c == Category::pr);
        if (fits) {
            if (c == Category::pr && cr_seen) return std::nullopt;  // disease after a CR confirms nothing
            cr_seen = cr_seen || c == Category::cr;
            if (!series[j].may_confirm || days_between(series[index].date, series[j].date) < rules.confirm_min_days) continue;
            return series[j].date;
        }
        if (c == Category::ne) {
            if (++ne > rules.max_ne) return std::nullopt;
        } else if (c == Category::sd && wanted == Category::pr) {
            if (++sd > rules.accept_sd) return std::nullopt;
        } else {
            return std::nullopt;
        }
    }
    return std::nullopt;
}

BestResponse best_overall_response(Date reference, std::span<const DatedResponse> given, const BestResponseRules& rules)
{
    const auto rule = [&](const std::string& which) { return rules.criterion + ' ' + which; };
    Series series(given.begin(), given.end());
    if (series.empty()) return {rules.without_assessment, {}, {}, rule("8.11 no assessment"), "nothing was assessed after the baseline"};
    cut_after_progression(series);
    if (rules.confirm) {
        settle_cr(series, rules);
        cut_after_progression(series);
    }
    for (const auto wanted : {Category::cr, Category::pr}) {
        for (std::size_t i = 0; i < series.size(); ++i) {
            if (series[i].category != wanted) continue;
            const auto on = confirmation(series, i, rules);
            if (rules.confirm && !on) continue;
            const std::string what = wanted == Category::cr ? "complete response" : "partial response";
            return {wanted, series[i].date, on, rules.confirm ? rule("8.3 confirmed " + what) : rule("8.2 best " + what),
                    what + (on ? " confirmed at least " + std::to_string(rules.confirm_min_days) + " days later"
                               : " not confirmed by a later assessment; confirmation is not required")};
        }
    }
    const auto late = [&](const DatedResponse& s) { return days_between(reference, s.date) >= rules.sd_min_days; };
    const std::string minimum = std::to_string(rules.sd_min_days) + " days after the start";
    if (const auto* sd = first(series, [&](const auto& s) { return (is_response(s.category) || s.category == Category::sd) && late(s); })) {
        return {Category::sd, sd->date, {}, rule("8.4 stable disease"),
                is_response(sd->category) ? "a response was not confirmed, and stable disease was reached at least " + minimum : "stable disease at least " + minimum};
    }
    if (const auto* same = first(series, [&](const auto& s) { return s.category == Category::non_cr_non_pd && late(s); })) {
        return {Category::non_cr_non_pd, same->date, {}, rule("8.9 non-CR/non-PD"), "non-target disease persisted at least " + minimum};
    }
    if (const auto* pd = first(series, [](const auto& s) { return s.category == Category::pd; })) {
        return {Category::pd, pd->date, {}, rule("8.9 progressive disease"), "progression before any response or a sufficiently long stable disease"};
    }
    if (const auto* ned = first(series, [](const auto& s) { return s.category == Category::ned; })) {
        return {Category::ned, ned->date, {}, rule("7.2 no evidence of disease"), "no disease at the baseline and none since"};
    }
    if (const auto* ne = first(series, [](const auto& s) { return s.category == Category::ne || is_adequate(s.category); })) {
        return {Category::ne, ne->date, {}, rule("8.4 not evaluable"),
                is_adequate(ne->category) ? "nothing was seen " + minimum + " or later, and no response was confirmed" : "no assessment could be evaluated"};
    }
    return {Category::nd, series.front().date, {}, rule("8.9 not done"), "the assessments were not done"};
}

TimeToEvent progression_free_survival(std::span<const DatedResponse> series, const FollowUp& follow_up) { return event_time(series, follow_up, true); }

TimeToEvent time_to_progression(std::span<const DatedResponse> series, const FollowUp& follow_up) { return event_time(series, follow_up, false); }

std::optional<ResponseDuration> duration_of_response(std::span<const DatedResponse> series, const FollowUp& follow_up, const BestResponseRules& rules)
{
    Series seen(series.begin(), series.end());
    cut_after_progression(seen);
    if (follow_up.new_therapy) std::erase_if(seen, [&](const auto& s) { return s.date >= *follow_up.new_therapy; });
    if (rules.confirm) settle_cr(seen, rules);
    for (std::size_t i = 0; i < seen.size(); ++i) {
        if (!is_response(seen[i].category) || (rules.confirm && !confirmation(seen, i, rules))) continue;
        ResponseDuration out{seen[i].date, progression_free_survival(series, follow_up)};
        out.end.days = days_between(out.start, out.end.end) + 1;
        return out;
    }
    return std::nullopt;
}

}  // namespace retromass::response

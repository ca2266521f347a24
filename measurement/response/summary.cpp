#include "measurement/response/summary.h"

namespace retromass::response {
namespace {

bool is_response(Category c) { return c == Category::cr || c == Category::pr || c == Category::icr || c == Category::ipr; }

std::optional<Date> event_date(const Patient& patient, std::string_view kind, Date from, std::optional<Date> to, bool first)
{
    std::optional<Date> out;
    for (const auto& event : patient.events) {
        if (event.kind != kind || event.date < from || (to && event.date > *to)) continue;
        if (!out || (first ? event.date < *out : event.date > *out)) out = event.date;
    }
    return out;
}

/// Progression-free survival of the period (rules 14.1 to 14.7).
void add_survival(const PeriodContext& context, std::span<const DatedResponse> series, const BestResponseRules& rules, std::optional<Date> best_date, LineSummary& line)
{
    const auto& patient = context.patient;
    const auto& policies = context.policies;
    const auto& timeline = context.timeline;
    const auto& period = context.period;
    FollowUp follow_up;
    follow_up.start = period.start;
    if (policies.value("time_origin") == "randomisation") {
        // Of several randomisations, the last one before this line's first dose.
        for (const auto& event : patient.events) {
            if (event.kind == "randomisation" && event.date <= period.start && days_between(event.date, period.start) <= 365) follow_up.start = event.date;
        }
    }
    follow_up.death = event_date(patient, "death", period.start, period.end, true);
    follow_up.new_therapy = period.end;
    const auto earlier = [&](std::optional<Date> date) {
        if (date && (!follow_up.new_therapy || *date < *follow_up.new_therapy)) follow_up.new_therapy = date;
    };
    if (policies.value("new_therapy") == "censor") earlier(event_date(patient, "new-anticancer-therapy", period.start + std::chrono::days{1}, period.end, true));
    earlier(context.follow_up_ended);
    if (policies.value("missed_visits") != "ignore") follow_up.visit_interval_days = policies.number("visit_interval_days");

    auto time = progression_free_survival(series, follow_up);
    const auto contact = event_date(patient, "last-contact", time.end, period.end, false);
    // Without one evaluable assessment nothing supports a follow-up: it stays at the start (rule 14.2).
    const bool plain = !time.event && !follow_up.new_therapy && time.end > follow_up.start && policies.value("follow_up_end") == "last-contact";
    if (plain && contact && *contact > time.end) {
        line.notices.push_back({Code::not_evaluable, "no imaging after " + timeline.text(time.end) + " supports the follow-up to the last contact on " + timeline.text(*contact) +
                                                         "; follow_up_end=last-assessment would end it at the imaging"});
        time.end = *contact;
        time.days = days_between(follow_up.start, time.end) + 1;
        time.reason = "last contact without progression";
    }
    line.pfs_start = timeline.shown(follow_up.start);
    line.pfs_end = timeline.shown(time.end);
    line.pfs_days = time.days;
    line.pfs_months = static_cast<double>(time.days) / std::stod(policies.value("month_days"));
    line.pfs_event = time.event;
    const std::string months = fixed(*line.pfs_months, 1) + " months (" + std::to_string(time.days) + " days)";
    line.pfs_text = time.event ? months + ", " + time.reason + " on " + timeline.text(time.end)
                               : "more than " + months + ", censored at " + timeline.text(time.end) + ": " + time.reason;

    const auto progression = time_to_progression(series, follow_up);
    line.ttp_end = timeline.shown(progression.end);
    line.ttp_days = progression.days;
    line.ttp_event = progression.event;
    const auto best = line.best_overall_response.category;
    if (best == Category::sd || best == Category::isd) line.stable_days = time.days;
    if ((best == Category::cr || best == Category::icr) && best_date) line.complete_response_days = days_between(*best_date, time.end) + 1;
    if (const auto duration = duration_of_response(series, follow_up, rules)) {
        line.response_days = plain && !time.event ? days_between(duration->start, time.end) + 1 : duration->end.days;
        line.response_ended = time.event;
    }
}

}  // namespace

LineSummary summarised(const PeriodContext& context, std::span<const DatedResponse> series, const CriterionName& criterion, const BestResponseRules& given, std::optional<BestResponse> found)
{
    LineSummary line;
    line.line = context.period.line;
    line.period = context.period.label;
    auto& best = line.best_overall_response;
    best.criterion = criterion.name;
    if (!context.period.baseline) {
        best.category = Category::none;
        best.rule = "RECIST 1.1 1.8 no valid baseline";
        best.reason = "no valid baseline: " + context.period.without_baseline;
        line.pfs_text = "not evaluable: no valid baseline";
        line.notices.push_back({Code::no_valid_baseline, context.period.label + ": " + context.period.without_baseline});
        return line;
    }
    line.baseline_timepoint = context.timepoint(*context.period.baseline).id;
    auto rules = given;
    rules.criterion = criterion.title;
    if (!found) found = best_overall_response(context.period.start, series, rules);
    best.category = found->category;
    best.rule = found->rule;
    best.reason = found->reason;
    for (const auto& s : series) best.inputs.emplace_back(context.timeline.text(s.date), std::string(name(s.category)));
    for (const char* policy : {"confirmation", "confirmation_min_days", "sd_min_days", "cr_then_less"}) best.inputs.emplace_back(policy, context.policies.value(policy));
    if (found->date) line.best_response_date = context.timeline.shown(*found->date);
    if (is_response(found->category)) line.confirmed = found->confirmed_on.has_value();
    add_survival(context, series, rules, found->date, line);
    return line;
}

}  // namespace retromass::response

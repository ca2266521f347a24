#include <algorithm>

#include "measurement/response/readings.h"
#include "measurement/response/timeline.h"

namespace retromass::response {
namespace {

struct Opening {
    Date date;
    bool surgery = false;
    int line = 0;
};

Result<std::vector<Opening>> openings_of(const Patient& patient)
{
    std::vector<Opening> out;
    for (const auto& treatment : patient.treatments) {
        const bool surgery = treatment.kind == "surgery";
        if (!surgery && treatment.line <= 0) continue;
        if (!treatment.start) {
            return Error{Code::date_missing, "the " + treatment.kind + (surgery ? "" : " of line " + std::to_string(treatment.line)) + " has no start date; state it", "response: periods"};
        }
        const auto same = std::find_if(out.begin(), out.end(), [&](const auto& o) { return !surgery && !o.surgery && o.line == treatment.line; });
        if (same != out.end()) {
            same->date = std::min(same->date, *treatment.start);  // a drug added to or dropped from a line opens no other
        } else {
            out.push_back({*treatment.start, surgery, surgery ? 0 : treatment.line});
        }
    }
    std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
        return a.date != b.date ? a.date < b.date : a.surgery > b.surgery;
    });
    return out;
}

bool evaluable_baseline(const Patient& patient, std::size_t t, std::size_t last, std::string& why)
{
    const auto lesions = lesions_at_baseline(patient, t, last);
    if (!lesions.missing.empty()) {
        why = patient.timepoints[t].id + ": " + lesions.missing + " not evaluable";
        return false;
    }
    return true;
}

bool within(Date date, const Period& period)
{
    return !period.end || (period.ended_by_surgery ? date < *period.end : date <= *period.end);
}

/// Last evaluable study on or before the first dose, not older than the window and not before the last surgery.
void find_line_baseline(Period& period, const Patient& patient, const Timeline& timeline, std::optional<Date> surgery, long window)
{
    std::size_t last = 0;
    for (std::size_t t = 0; t < timeline.when.size(); ++t) {
        if (within(timeline.when[t], period)) last = t;
    }
    std::string why;
    for (std::size_t t = timeline.when.size(); t-- > 0;) {
        const auto date = timeline.when[t];
        if (date > period.start || days_between(date, period.start) > window || (surgery && date < *surgery)) continue;
        std::string reason;
        if (evaluable_baseline(patient, t, last, reason)) {
            period.baseline = t;
            break;
        }
        if (why.empty()) why = reason;
    }
    if (!period.baseline) {
        period.without_baseline = why.empty() ? "no study within " + std::to_string(window) + " days before the first dose on " + timeline.text(period.start) : why;
    }
    for (std::size_t t = 0; t < timeline.when.size(); ++t) {
        if (timeline.when[t] > period.start && within(timeline.when[t], period)) period.follow_ups.push_back(t);
    }
}

/// The first study of the period.
void find_first_baseline(Period& period, const Patient& patient, const Timeline& timeline)
{
    std::vector<std::size_t> own;
    for (std::size_t t = 0; t < timeline.when.size(); ++t) {
        if (timeline.when[t] >= period.start && within(timeline.when[t], period)) own.push_back(t);
    }
    if (own.empty()) {
        period.without_baseline = "no study in this period";
        return;
    }
    std::string why;
    if (evaluable_baseline(patient, own.front(), own.back(), why)) {
        period.baseline = own.front();
        own.erase(own.begin());
    } else {
        period.without_baseline = why;
    }
    period.follow_ups = own;
}

}  // namespace

std::string Timeline::text(Date date) const
{
    return by_day ? "day " + std::to_string(date.time_since_epoch().count()) : iso(date);
}

Result<Timeline> timeline_of(const Patient& patient)
{
    const auto& points = patient.timepoints;
    const bool all_dates = std::all_of(points.begin(), points.end(), [](const auto& t) { return t.date.has_value(); });
    Timeline out;
    out.by_day = !all_dates;
    for (const auto& point : points) {
        if (all_dates) {
            out.when.push_back(*point.date);
        } else if (point.day) {
            out.when.push_back(Date{std::chrono::days{*point.day}});
        } else {
            return Error{Code::date_missing, "time point '" + point.id + "' has " + (point.date ? "a date, but others have none: give every one a date or a day" : "neither date nor day; state one"), "response"};
        }
    }
    const bool dated_treatment = !patient.events.empty() || std::any_of(patient.treatments.begin(), patient.treatments.end(), [](const auto& t) { return t.start || t.end; });
    if (out.by_day && dated_treatment && !points.empty()) {
        return Error{Code::date_missing, "treatments and events have dates but the time points only days; give the time points' dates", "response"};
    }
    for (std::size_t t = 1; t < points.size(); ++t) {
        const std::string both = "'" + points[t - 1].id + "' (" + out.text(out.when[t - 1]) + ") and '" + points[t].id + "' (" + out.text(out.when[t]) + ")";
        if (out.when[t] < out.when[t - 1]) return Error{Code::date_order, "time points " + both + " stand in the wrong order; correct the dates or the order", "response"};
        if (out.when[t] == out.when[t - 1] && (points[t].visit.empty() || points[t - 1].visit.empty() || points[t].visit == points[t - 1].visit)) {
            return Error{Code::date_shared, "time points " + both + " share a day; name the visit of each", "response"};
        }
        const auto& a = points[t - 1];
        const auto& b = points[t];
        if (a.date && b.date && a.day && b.day && days_between(*a.date, *b.date) != *b.day - *a.day) {
            return Error{Code::date_order, "the days of time points " + both + " contradict their dates", "response"};
        }
    }
    return out;
}

Status check_dates(const Patient& patient)
{
    RETROMASS_TRY(timeline_of(patient));
    return Done{};
}

const Treatment* surgery_between(const Patient& patient, Date from, Date to)
{
    for (const auto& treatment : patient.treatments) {
        if (treatment.kind == "surgery" && treatment.start && *treatment.start > from && *treatment.start <= to) return &treatment;
    }
    return nullptr;
}

Result<std::vector<Period>> periods_of(const Patient& patient, const Timeline& timeline, const Policies& policies)
{
    std::vector<Period> out;
    if (patient.timepoints.empty()) return out;
    RETROMASS_TRY_ASSIGN(const auto openings, openings_of(patient));
    if (openings.empty()) {
        Period whole;
        whole.label = "no treatment line stated";
        whole.start = timeline.when.front();
        find_first_baseline(whole, patient, timeline);
        out.push_back(std::move(whole));
        return out;
    }
    std::optional<Date> surgery;
    for (std::size_t i = 0; i < openings.size(); ++i) {
        const auto& opening = openings[i];
        Period period;
        period.line = opening.line;
        period.is_line = !opening.surgery;
        period.start = opening.date;
        if (i + 1 < openings.size()) {
            period.end = openings[i + 1].date;
            period.ended_by_surgery = openings[i + 1].surgery;
        }
        if (opening.surgery) {
            surgery = opening.date;
            period.label = "observation after surgery " + timeline.text(opening.date);
            find_first_baseline(period, patient, timeline);
        } else {
            period.label = "line " + std::to_string(opening.line);
            find_line_baseline(period, patient, timeline, surgery, policies.number("baseline_window_days"));
        }
        out.push_back(std::move(period));
    }
    return out;
}

}  // namespace retromass::response

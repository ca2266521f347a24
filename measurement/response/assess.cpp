#include <algorithm>

#include "measurement/response/best_response.h"
#include "measurement/response/growth.h"
#include "measurement/response/readings.h"
#include "measurement/response/timeline.h"

namespace retromass::response {
namespace {

constexpr const char* kCriterion = "recist-1.1";
constexpr long kTreatmentEffectDays = 84;  // 12 weeks after radiotherapy (clinical.md 6.4)

/// What one period carries from time point to time point.
struct Judging {
    const Patient& patient;
    const Policies& policies;
    const Timeline& timeline;
    const Period& period;
    PeriodLesions lesions;
    TargetHistory history;
    std::string nadir_timepoint;
    std::vector<DatedResponse> targets;      ///< of the targets alone, for a PR that stands
    std::vector<DatedResponse> overall;
    std::optional<Date> follow_up_ended;     ///< local_therapy=censor

    const Timepoint& timepoint(std::size_t t) const { return patient.timepoints[t]; }
    std::string named(std::size_t t) const { return timepoint(t).id + ", " + timeline.text(timeline.when[t]); }
};

std::string mm(Length length) { return length.text() + " mm"; }

std::string percent(double value) { return (value > 0 ? "+" : "") + fixed(value, 1) + " %"; }

std::optional<double> change_pct(Length now, Length before)
{
    if (before.hundredths <= 0) return std::nullopt;
    return 100.0 * static_cast<double>((now - before).hundredths) / static_cast<double>(before.hundredths);
}

void append(std::string& list, const std::string& item) { list += (list.empty() ? "" : ", ") + item; }

/// Local treatments of a lesion that began within the period and before this time point.
std::vector<const Treatment*> local_treatments(const Judging& judging, const std::string& lesion, Date now)
{
    std::vector<const Treatment*> out;
    const Date from = judging.timeline.when[*judging.period.baseline];
    for (const auto& treatment : judging.patient.treatments) {
        if (treatment.kind == "systemic" || treatment.kind == "surgery" || !treatment.start) continue;
        const bool meant = treatment.lesions.empty() || std::find(treatment.lesions.begin(), treatment.lesions.end(), lesion) != treatment.lesions.end();
        if (meant && *treatment.start > from && *treatment.start < now) out.push_back(&treatment);
    }
    return out;
}

std::string described(const Treatment& treatment)
{
    std::string out = treatment.kind + " " + iso(*treatment.start);
    if (treatment.end && *treatment.end != *treatment.start) out += " to " + iso(*treatment.end);
    return out;
}

Length total(const TargetReading& reading)
{
    Length sum{};
    for (const auto part : reading.parts) sum = sum + part;
    return sum;
}

/// Growth of a target soon after its radiotherapy may be swelling.
void note_treatment_effect(const Judging& judging, std::size_t t, const Lesion& lesion, const Treatment& treatment, std::vector<Notice>& notices)
{
    const Date now = judging.timeline.when[t];
    const long since = days_between(treatment.end.value_or(*treatment.start), now);
    if (treatment.kind != "radiotherapy" || since > kTreatmentEffectDays) return;
    const auto after = target_reading(lesion, observation_of(judging.timepoint(t), lesion.id));
    for (std::size_t earlier = t; earlier-- > *judging.period.baseline;) {
        const auto before = target_reading(lesion, observation_of(judging.timepoint(earlier), lesion.id));
        if (before.parts.empty()) continue;
        if (!after.parts.empty() && total(after) > total(before)) {
            notices.push_back({Code::treatment_effect, lesion.id + " grew from " + mm(total(before)) + " to " + mm(total(after)) + ", " + std::to_string(since) +
                                                           " days after radiotherapy: may be treatment effect"});
        }
        return;
    }
}

/// The targets' readings, with local treatment and merging accounted for. Answers whether a target was treated locally.
bool read_targets(const Judging& judging, std::size_t t, std::vector<TargetReading>& readings, RecistTimepoint& row)
{
    std::string treated;
    std::size_t treated_count = 0;
    std::string how;
    for (const auto l : judging.lesions.targets) {
        const auto& lesion = judging.patient.lesions[l];
        const auto* const observation = observation_of(judging.timepoint(t), lesion.id);
        auto reading = target_reading(lesion, observation);
        if (reading.merged) {
            const auto partner = std::find_if(judging.lesions.targets.begin(), judging.lesions.targets.end(), [&](std::size_t other) {
                return judging.patient.lesions[other].id == observation->merged_into;
            });
            if (partner == judging.lesions.targets.end() || *partner == l) {
                reading.merged = false;
                reading.reason = "merged into a lesion that is not another target";
            }
        }
        const auto local = local_treatments(judging, lesion.id, judging.timeline.when[t]);
        const bool flagged = observation && observation->treated;
        if (!local.empty() || flagged) {
            ++treated_count;
            append(treated, lesion.id);
            how = local.empty() ? "marked as treated" : described(*local.back());
            for (const auto* treatment : local) note_treatment_effect(judging, t, lesion, *treatment, row.overall.notices);
            if (judging.policies.value("local_therapy") == "ne") {
                reading.parts.clear();
                reading.merged = false;
                reading.reason = "treated locally: " + how;
            }
        }
        std::string value = reading.merged ? "merged into " + observation->merged_into : reading.parts.empty() ? "not evaluable: " + reading.reason : "";
        for (const auto part : reading.parts) value += (value.empty() ? "" : " + ") + mm(part);
        row.overall.inputs.emplace_back(lesion.id + (lesion.nodal ? " short axis" : " long axis"), value);
        if (reading.parts.empty() && !reading.merged) row.overall.notices.push_back({Code::not_evaluable, lesion.id + ": " + reading.reason});
        readings.push_back(std::move(reading));
    }
    if (treated_count == 0) return false;
    const bool only = treated_count == judging.lesions.targets.size();
    const std::string which = only && treated_count == 1 ? "the only target " + treated + " was" : only ? "all targets (" + treated + ") were" : "target " + treated + " was";
    row.overall.notices.push_back({Code::treated_locally, which + " treated locally (" + how + "); local_therapy=" + judging.policies.value("local_therapy") +
                                                              ", and this assessment confirms no response"});
    return true;
}

Category non_target_category(const Judging& judging, std::size_t t, RecistTimepoint& row)
{
    bool persists = judging.timepoint(t).marker_normal == false;
    if (persists) row.overall.inputs.emplace_back("tumour marker", "above normal");
    bool unknown = false;
    bool worse = false;
    for (const auto l : judging.lesions.non_targets) {
        const auto& lesion = judging.patient.lesions[l];
        const auto* const observation = observation_of(judging.timepoint(t), lesion.id);
        const auto disease = disease_of(lesion, observation);
        row.overall.inputs.emplace_back(lesion.id + " (non-target)", observation ? std::string(name(observation->status)) : "nothing stated");
        if (disease == Disease::unknown) {
            row.overall.notices.push_back({Code::not_evaluable, lesion.id + ": " + (observation && !observation->reason.empty() ? observation->reason : observation ? "not evaluable" : "nothing stated")});
        }
        worse = worse || disease == Disease::progressed;
        unknown = unknown || disease == Disease::unknown;
        persists = persists || disease == Disease::present || disease == Disease::equivocal;
    }
    if (judging.lesions.non_targets.empty()) return persists ? Category::non_cr_non_pd : Category::na;
    return worse ? Category::pd : unknown ? Category::ne : persists ? Category::non_cr_non_pd : Category::cr;
}

/// Whether an equivocal new lesion is confirmed by a later time point of the period (rule 6.2).
bool confirmed_later(const Judging& judging, std::size_t t, const Lesion& lesion)
{
    for (const auto later : judging.period.follow_ups) {
        if (later <= t) continue;
        const auto disease = disease_of(lesion, observation_of(judging.timepoint(later), lesion.id));
        if (disease == Disease::present || disease == Disease::progressed) return true;
        if (disease == Disease::none) return false;
    }
    return false;
}

/// The statement, or what listed lesions say more strongly; empty = nobody stated anything.
std::optional<NewLesions> new_lesions_at(const Judging& judging, std::size_t t, RecistTimepoint& row)
{
    auto stated = judging.timepoint(t).new_lesions;
    if (!stated && judging.policies.value("new_lesions_unstated") == "assume-none") stated = NewLesions::none;
    bool equivocal = false;
    std::string seen;
    for (const auto l : judging.lesions.watched) {
        const auto& lesion = judging.patient.lesions[l];
        const auto disease = disease_of(lesion, observation_of(judging.timepoint(t), lesion.id));
        if (disease == Disease::present || disease == Disease::progressed) {
            append(seen, lesion.id);
        } else if (disease == Disease::equivocal) {
            equivocal = true;
            if (confirmed_later(judging, t, lesion)) append(seen, lesion.id + " (equivocal here, confirmed later)");
        }
    }
    if (!seen.empty()) {
        row.overall.inputs.emplace_back("new lesions", seen);
        return NewLesions::unequivocal;
    }
    row.overall.inputs.emplace_back("new lesions", stated ? std::string(name(*stated)) : "not stated");
    if (equivocal && stated != NewLesions::unequivocal) return NewLesions::equivocal;
    return stated;
}

void add_limits(const Judging& judging, RecistTimepoint& row)
{
    const auto& h = judging.history;
    auto& inputs = row.overall.inputs;
    if (row.sum) inputs.emplace_back("sum", mm(*row.sum));
    if (row.partial_sum) inputs.emplace_back("sum of the evaluated targets", mm(*row.partial_sum));
    inputs.emplace_back("baseline sum", mm(h.baseline) + " (" + judging.named(*judging.period.baseline) + ")");
    inputs.emplace_back("nadir", mm(h.nadir) + " (" + judging.nadir_timepoint + ")");
    inputs.emplace_back("limit of PR", "at most " + fixed(0.7 * h.baseline.as_mm(), 2) + " mm");
    inputs.emplace_back("limit of PD", "at least " + fixed(std::max(1.2 * h.nadir.as_mm(), h.nadir.as_mm() + 5), 2) + " mm");
}

/// A PR stands once assigned; where confirmation is required, once confirmed.
bool pr_stands(const Judging& judging)
{
    const auto rules = best_response_rules(judging.policies);
    for (std::size_t i = 0; i < judging.targets.size(); ++i) {
        const auto category = judging.targets[i].category;
        if (category != Category::pr && category != Category::cr) continue;
        if (!rules.confirm || confirmation(judging.targets, i, rules)) return true;
    }
    return false;
}

void judge_overall(const Judging& judging, RecistTimepoint& row, const TargetOutcome& target)
{
    auto& decision = row.overall;
    const bool unstated = !row.new_lesions || *row.new_lesions == NewLesions::not_assessed;
    auto outcome = overall_response(row.target, row.non_target, unstated ? NewLesions::none : *row.new_lesions);
    const bool reappeared = judging.history.overall_cr && judging.policies.value("cr_then_less") == "recist-table-3" && row.non_target == Category::non_cr_non_pd;
    if (reappeared && outcome.category != Category::pd) {
        outcome = {Category::pd, "RECIST 1.1 6.6 disease after complete response", "non-target disease is seen again after an overall complete response"};
    }
    if (unstated) {
        decision.notices.push_back({Code::new_lesions_not_stated, row.new_lesions ? "new lesions were not assessed" : "nobody stated whether there are new lesions"});
        if (outcome.category != Category::pd) {  // progression is progression whatever the statement
            const std::string without = row.target == Category::na ? "" : "; the targets read " + std::string(name(row.target));
            outcome = {Category::ne, "definitions 5.2 new lesions not stated",
                       (row.new_lesions ? "not evaluable: new lesions not assessed" : "not evaluable: new lesions not stated") + without};
        }
    }
    decision.category = outcome.category;
    // The targets' own rule says more than the table row, where the targets decide.
    const bool by_targets = outcome.category == row.target && !target.rule.empty() && row.new_lesions != NewLesions::unequivocal;
    decision.rule = by_targets ? target.rule : outcome.rule;
    std::string change;
    if (row.change_from_baseline_pct) change = percent(*row.change_from_baseline_pct) + " from baseline: ";
    decision.reason = by_targets ? change + target.reason : outcome.reason + (target.reason.empty() ? "" : "; targets: " + target.reason);
    if (row.new_lesions == NewLesions::equivocal) decision.reason += "; an equivocal new lesion counts as none until it is confirmed";
}

RecistTimepoint started_row(const Judging& judging, std::size_t t)
{
    RecistTimepoint row;
    row.timepoint = judging.timepoint(t).id;
    row.line = judging.period.line;
    row.period = judging.period.label;
    row.overall.criterion = kCriterion;
    if (judging.period.baseline) row.baseline_timepoint = judging.timepoint(*judging.period.baseline).id;
    return row;
}

RecistTimepoint judge(Judging& judging, std::size_t t)
{
    auto row = started_row(judging, t);
    const Date now = judging.timeline.when[t];
    if (judging.follow_up_ended && now > *judging.follow_up_ended) {
        row.overall.category = Category::none;
        row.overall.rule = "definitions 6.4 local_therapy=censor";
        row.overall.reason = "the follow-up ended before the local treatment of a target on " + judging.timeline.text(*judging.follow_up_ended);
        row.overall.notices.push_back({Code::treated_locally, row.overall.reason});
        return row;
    }
    std::vector<TargetReading> readings;
    const bool treated = read_targets(judging, t, readings, row);
    TargetOutcome target;
    target.category = Category::na;
    if (!readings.empty()) {
        judging.history.pr_stands = pr_stands(judging);
        const auto persistence = judging.policies.value("pr_persistence") == "per-timepoint" ? PrPersistence::per_timepoint : PrPersistence::carry_forward;
        auto history = judging.history;
        history.overall_cr = history.overall_cr && judging.policies.value("cr_then_less") == "recist-table-3";
        target = target_response(readings, history, persistence);
        row.sum = target.sum;
        if (!target.sum) row.partial_sum = target.partial;
        row.baseline_sum = judging.history.baseline;
        row.nadir_sum = judging.history.nadir;
        row.nadir_timepoint = judging.nadir_timepoint.substr(0, judging.nadir_timepoint.find(", "));
        if (row.sum) {
            row.change_from_baseline_pct = change_pct(*row.sum, judging.history.baseline);
            row.change_from_nadir_pct = change_pct(*row.sum, judging.history.nadir);
        }
        add_limits(judging, row);
    }
    row.target = target.category;
    row.non_target = non_target_category(judging, t, row);
    row.new_lesions = new_lesions_at(judging, t, row);
    judge_overall(judging, row, target);

    judging.targets.push_back({now, row.target, !treated});
    judging.overall.push_back({now, row.overall.category, !treated});
    judging.history.overall_cr = judging.history.overall_cr || row.overall.category == Category::cr;
    if (row.sum && *row.sum < judging.history.nadir) {
        judging.history.nadir = *row.sum;
        judging.nadir_timepoint = judging.named(t);
    }
    return row;
}

RecistTimepoint baseline_row(Judging& judging)
{
    const auto t = *judging.period.baseline;
    auto row = started_row(judging, t);
    row.is_baseline = true;
    auto& decision = row.overall;
    decision.category = Category::none;
    decision.rule = "RECIST 1.1 1.8 baseline";
    Length sum{};
    std::string small;
    std::vector<Candidate> counted;
    for (const auto l : judging.lesions.targets) {
        const auto& lesion = judging.patient.lesions[l];
        const auto* const observation = observation_of(judging.timepoint(t), lesion.id);
        const auto size = total(target_reading(lesion, observation));
        sum = sum + size;
        decision.inputs.emplace_back(lesion.id + (lesion.nodal ? " short axis" : " long axis"), mm(size));
        MeasurabilityFacts facts;
        facts.kind = lesion.nodal ? DiseaseKind::nodal : DiseaseKind::non_nodal;
        facts.imaging = imaging_named(judging.timepoint(t).modality).value_or(Imaging::ct_or_mr);
        facts.long_axis = facts.short_axis = size;
        if (observation->slice_mm) facts.slice = Length::recorded(*observation->slice_mm, 0.01);
        if (measurability(facts, judging.policies) != Measurability::target_eligible) append(small, lesion.id);
        counted.push_back({lesion.id, lesion.organ, facts.kind, Length::mm(1000)});  // a size that is always eligible: only the caps matter
    }
    decision.reason = "baseline of " + judging.period.label;
    if (!judging.lesions.targets.empty()) {
        row.sum = row.baseline_sum = sum;
        decision.inputs.emplace_back("sum", mm(sum));
        decision.reason += ": sum " + mm(sum);
        judging.history.baseline = judging.history.nadir = sum;
        judging.nadir_timepoint = judging.named(t);
    } else {
        decision.reason += ": no target disease";
    }
    if (!small.empty()) decision.reason += "; below measurability, kept as the reader's choice: " + small;
    if (baseline_targets(counted).size() < counted.size()) decision.reason += "; more than five targets or two an organ, kept as the reader's choice";
    row.non_target = non_target_category(judging, t, row);
    if (t > 0 && !judging.period.is_line) {
        if (surgery_between(judging.patient, judging.timeline.when[t - 1], judging.timeline.when[t])) {
            decision.reason += "; against " + judging.timepoint(t - 1).id + " it reads resected, never a response";
        }
    }
    return row;
}

std::optional<Date> first_local_therapy(const Judging& judging)
{
    std::optional<Date> out;
    for (const auto l : judging.lesions.targets) {
        for (const auto* treatment : local_treatments(judging, judging.patient.lesions[l].id, judging.period.end.value_or(Date::max()))) {
            if (!out || *treatment->start < *out) out = treatment->start;
        }
    }
    return out;
}

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
void add_survival(const Judging& judging, LineSummary& line)
{
    const auto& patient = judging.patient;
    const auto& policies = judging.policies;
    const auto& timeline = judging.timeline;
    const auto& period = judging.period;
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
    earlier(judging.follow_up_ended);
    if (policies.value("missed_visits") != "ignore") follow_up.visit_interval_days = policies.number("visit_interval_days");

    auto time = progression_free_survival(judging.overall, follow_up);
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

    if (const auto duration = duration_of_response(judging.overall, follow_up, best_response_rules(policies))) {
        line.response_days = plain && !time.event ? days_between(duration->start, time.end) + 1 : duration->end.days;
        line.response_ended = time.event;
    }
}

LineSummary summary_of(const Judging& judging)
{
    LineSummary line;
    line.line = judging.period.line;
    line.period = judging.period.label;
    auto& best = line.best_overall_response;
    best.criterion = kCriterion;
    if (!judging.period.baseline) {
        best.category = Category::none;
        best.rule = "RECIST 1.1 1.8 no valid baseline";
        best.reason = "no valid baseline: " + judging.period.without_baseline;
        line.pfs_text = "not evaluable: no valid baseline";
        line.notices.push_back({Code::no_valid_baseline, judging.period.label + ": " + judging.period.without_baseline});
        return line;
    }
    line.baseline_timepoint = judging.timepoint(*judging.period.baseline).id;
    const auto rules = best_response_rules(judging.policies);
    const auto found = best_overall_response(judging.period.start, judging.overall, rules);
    best.category = found.category;
    best.rule = found.rule;
    best.reason = found.reason;
    for (const auto& s : judging.overall) best.inputs.emplace_back(judging.timeline.text(s.date), std::string(name(s.category)));
    for (const char* policy : {"confirmation", "confirmation_min_days", "sd_min_days", "cr_then_less"}) best.inputs.emplace_back(policy, judging.policies.value(policy));
    if (found.date) line.best_response_date = judging.timeline.shown(*found.date);
    if (found.category == Category::cr || found.category == Category::pr) line.confirmed = found.confirmed_on.has_value();
    add_survival(judging, line);
    return line;
}

void assess_period(const Patient& patient, const Policies& policies, const Timeline& timeline, const Period& period, Assessment& out)
{
    Judging judging{patient, policies, timeline, period, {}, {}, {}, {}, {}, {}};
    if (!period.baseline) {
        for (const auto t : period.follow_ups) {
            auto row = started_row(judging, t);
            row.overall.category = Category::none;
            row.overall.rule = "RECIST 1.1 1.8 no valid baseline";
            row.overall.reason = "no category: no valid baseline (" + period.without_baseline + ")";
            row.overall.notices.push_back({Code::no_valid_baseline, period.without_baseline});
            out.recist.push_back(std::move(row));
        }
        out.lines.push_back(summary_of(judging));
        return;
    }
    judging.lesions = lesions_at_baseline(patient, *period.baseline, period.follow_ups.empty() ? *period.baseline : period.follow_ups.back());
    if (policies.value("local_therapy") == "censor") judging.follow_up_ended = first_local_therapy(judging);
    out.recist.push_back(baseline_row(judging));
    const auto first = out.recist.size();
    std::vector<std::size_t> judged;
    for (const auto t : period.follow_ups) {
        const auto before = judging.overall.size();
        out.recist.push_back(judge(judging, t));
        if (judging.overall.size() > before) judged.push_back(out.recist.size() - 1);
    }
    const auto rules = best_response_rules(policies);
    for (std::size_t i = 0; i < judged.size(); ++i) {
        auto& row = out.recist[judged[i]];
        const auto category = row.overall.category;
        if (category == Category::cr || category == Category::pr) row.confirmed = confirmation(judging.overall, i, rules).has_value();
    }
    RETROMASS_ASSERT(first + period.follow_ups.size() == out.recist.size(), "each follow-up makes one row");
    out.lines.push_back(summary_of(judging));
}

void note_points_outside(const Patient& patient, const Timeline& timeline, std::span<const Period> periods, Assessment& out)
{
    for (std::size_t t = 0; t < patient.timepoints.size(); ++t) {
        const bool used = std::any_of(periods.begin(), periods.end(), [&](const auto& p) {
            return p.baseline == t || std::find(p.follow_ups.begin(), p.follow_ups.end(), t) != p.follow_ups.end();
        });
        if (used) continue;
        const bool before = timeline.when[t] <= periods.front().start;
        out.notices.push_back({Code::no_valid_baseline, patient.timepoints[t].id + " (" + timeline.text(timeline.when[t]) + "): " +
                                                            (before ? "before treatment; no period, no category" : "neither baseline nor follow-up of a period; no category")});
    }
}

}  // namespace

Result<Assessment> assess(const Patient& patient, const Policies& policies)
{
    Assessment out;
    out.patient = patient.id;
    out.policies = policies.all();
    RETROMASS_TRY_ASSIGN(const auto timeline, timeline_of(patient));
    RETROMASS_TRY_ASSIGN(const auto periods, periods_of(patient, timeline, policies));
    for (const auto& period : periods) assess_period(patient, policies, timeline, period, out);
    if (!periods.empty()) note_points_outside(patient, timeline, periods, out);
    out.growth = growth_pairs(patient, timeline);
    return out;
}

}  // namespace retromass::response

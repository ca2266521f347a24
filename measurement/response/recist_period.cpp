#include "measurement/response/recist_period.h"

#include <algorithm>

#include "measurement/response/summary.h"

namespace retromass::response {
namespace {

constexpr const char* kCriterion = "recist-1.1";
constexpr long kTreatmentEffectDays = 84;  // 12 weeks after radiotherapy (clinical.md 6.4)

/// What RECIST carries from time point to time point of a period.
struct Judging : PeriodContext {
    explicit Judging(const PeriodContext& context) : PeriodContext(context) {}

    TargetHistory history;
    std::size_t nadir_at = 0;                ///< time point of the nadir
    std::vector<DatedResponse> targets;      ///< of the targets alone, for a PR that stands
    std::vector<DatedResponse> overall;
    std::vector<JudgedTargets> judged;
};

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

/// The targets' readings, each with its notices. Answers whether a target was treated locally.
bool read_targets(const Judging& judging, std::size_t t, std::vector<TargetReading>& readings, RecistTimepoint& row)
{
    std::string treated, how;
    std::size_t treated_count = 0;
    for (auto& now : targets_at(judging, t)) {
        if (!now.treated.empty()) {
            ++treated_count;
            append(treated, now.lesion->id);
            how = now.treated;
            for (const auto* treatment : now.local) note_treatment_effect(judging, t, *now.lesion, *treatment, row.overall.notices);
        }
        auto& reading = now.reading;
        std::string value = reading.merged ? "merged into " + now.observation->merged_into : reading.parts.empty() ? "not evaluable: " + reading.reason : "";
        for (const auto part : reading.parts) value += (value.empty() ? "" : " + ") + mm(part);
        row.overall.inputs.emplace_back(now.lesion->id + (now.lesion->nodal ? " short axis" : " long axis"), value);
        if (reading.parts.empty() && !reading.merged) row.overall.notices.push_back({Code::not_evaluable, now.lesion->id + ": " + reading.reason});
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
            if (seen_as_new(judging, t, lesion)) append(seen, lesion.id + " (equivocal here, confirmed later)");
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
    inputs.emplace_back("nadir", mm(h.nadir) + " (" + judging.named(judging.nadir_at) + ")");
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
    if (new_lesions_unstated(row)) decision.notices.push_back({Code::new_lesions_not_stated, row.new_lesions ? "new lesions were not assessed" : "nobody stated whether there are new lesions"});
    const auto outcome = joined(row, row.target, judging.history.overall_cr && judging.policies.value("cr_then_less") == "recist-table-3");
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
    row.date = judging.timeline.shown(judging.timeline.when[t]);
    if (!judging.period.baseline) return row;
    row.baseline_timepoint = judging.timepoint(*judging.period.baseline).id;
    row.day = days_between(judging.timeline.when[*judging.period.baseline], judging.timeline.when[t]);
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
    bool by_return = false;  // disease seen again after a complete response: a progression whatever its size (rule 4.7)
    if (!readings.empty()) {
        judging.history.pr_stands = pr_stands(judging);
        const auto persistence = judging.policies.value("pr_persistence") == "per-timepoint" ? PrPersistence::per_timepoint : PrPersistence::carry_forward;
        auto history = judging.history;
        history.overall_cr = history.overall_cr && judging.policies.value("cr_then_less") == "recist-table-3";
        target = target_response(readings, history, persistence);
        by_return = history.overall_cr && target.category == Category::pd;
        judging.judged.push_back({t, readings, history, persistence});
        row.sum = target.sum;
        if (!target.sum) row.partial_sum = target.partial;
        row.baseline_sum = judging.history.baseline;
        row.nadir_sum = judging.history.nadir;
        row.nadir_timepoint = judging.timepoint(judging.nadir_at).id;
        if (row.sum) {
            row.change_from_baseline_pct = change_pct(row.sum->as_mm(), judging.history.baseline.as_mm());
            row.change_from_nadir_pct = change_pct(row.sum->as_mm(), judging.history.nadir.as_mm());
        }
        add_limits(judging, row);
    }
    row.target = target.category;
    row.non_target = non_target_category(judging, t, row);
    row.new_lesions = new_lesions_at(judging, t, row);
    judge_overall(judging, row, target);

    judging.targets.push_back({now, row.target, !treated});
    judging.overall.push_back({now, row.overall.category, !treated, progressed_on(judging, t, row, by_return ? Category::na : row.target)});
    judging.history.overall_cr = judging.history.overall_cr || row.overall.category == Category::cr;
    if (row.sum && *row.sum < judging.history.nadir) {
        judging.history.nadir = *row.sum;
        judging.nadir_at = t;
    }
    return row;
}

/// Whether the lesion was treated locally before this time point.
bool treated_before(const Judging& judging, const Lesion& lesion, std::size_t t)
{
    return std::any_of(judging.patient.treatments.begin(), judging.patient.treatments.end(), [&](const Treatment& treatment) {
        const bool local = treatment.kind == "radiotherapy" || treatment.kind == "ablation" || treatment.kind == "embolisation";
        return local && treatment.start && *treatment.start <= judging.timeline.when[t] && std::find(treatment.lesions.begin(), treatment.lesions.end(), lesion.id) != treatment.lesions.end();
    });
}

/// Says in the baseline what the rules of size and organ say of the reader's choice. Under target_choice=reader only what is not measurable is named.
void remark_on_choice(const Judging& judging, std::size_t t, Decision& baseline)
{
    std::vector<BaselineLesion> all;
    const auto add = [&](std::size_t l) {
        const auto& lesion = judging.patient.lesions[l];
        const auto* const observation = observation_of(judging.timepoint(t), lesion.id);
        const auto reading = target_reading(lesion, observation);
        if (reading.parts.empty() || observation->status == LesionStatus::absent) return;
        all.push_back({lesion.id, lesion.organ, lesion.nodal, total(reading), observation->slice_mm, judging.timepoint(t).modality, treated_before(judging, lesion, t)});
    };
    for (const auto l : judging.lesions.targets) add(l);
    for (const auto l : judging.lesions.non_targets) add(l);
    const auto proposed = propose_targets(all, judging.policies);
    const auto is_target = [&](const std::string& id) {
        return std::any_of(judging.lesions.targets.begin(), judging.lesions.targets.end(), [&](auto l) { return judging.patient.lesions[l].id == id; });
    };
    const bool by_rule = judging.policies.value("target_choice") != "reader";
    std::string kept, instead;
    for (const auto& [id, why] : proposed.others) {
        const bool measurable = std::find(proposed.measurable.begin(), proposed.measurable.end(), id) != proposed.measurable.end();
        if (is_target(id) && (by_rule || !measurable)) append(kept, id + " (" + why + ")");
    }
    for (const auto& id : proposed.targets) {
        if (by_rule && !is_target(id)) append(instead, id);
    }
    if (!kept.empty()) {
        baseline.reason += "; kept as the reader's choice: " + kept;
        baseline.notices.push_back({Code::target_not_eligible, "no target by the rules and kept as the reader's choice: " + kept + "; if that was not meant, make it a non-target lesion"});
    }
    if (!instead.empty()) baseline.reason += "; the largest of each organ first would also take: " + instead;
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
    for (const auto l : judging.lesions.targets) {
        const auto& lesion = judging.patient.lesions[l];
        const auto size = total(target_reading(lesion, observation_of(judging.timepoint(t), lesion.id)));
        sum = sum + size;
        decision.inputs.emplace_back(lesion.id + (lesion.nodal ? " short axis" : " long axis"), mm(size));
    }
    decision.reason = "baseline of " + judging.period.label;
    if (!judging.lesions.targets.empty()) {
        row.sum = row.baseline_sum = sum;
        decision.inputs.emplace_back("sum", mm(sum));
        decision.reason += ": sum " + mm(sum);
        judging.history.baseline = judging.history.nadir = sum;
        judging.nadir_at = t;
    } else {
        decision.reason += ": no target disease";
    }
    remark_on_choice(judging, t, decision);
    row.non_target = non_target_category(judging, t, row);
    if (t > 0 && !judging.period.is_line) {
        if (surgery_between(judging.patient, judging.timeline.when[t - 1], judging.timeline.when[t])) {
            decision.reason += "; against " + judging.timepoint(t - 1).id + " it reads resected, never a response";
        }
    }
    return row;
}

}  // namespace

RecistPeriod judge_recist(const PeriodContext& context)
{
    Judging judging(context);
    RecistPeriod out;
    if (!context.period.baseline) {
        for (const auto t : context.period.follow_ups) {
            auto row = started_row(judging, t);
            row.overall.category = Category::none;
            row.overall.rule = "RECIST 1.1 1.8 no valid baseline";
            row.overall.reason = "no category: no valid baseline (" + context.period.without_baseline + ")";
            row.overall.notices.push_back({Code::no_valid_baseline, context.period.without_baseline});
            out.rows.push_back(std::move(row));
        }
        out.summary = summarised(context, {}, {kCriterion, "RECIST 1.1"}, best_response_rules(context.policies));
        return out;
    }
    out.rows.push_back(baseline_row(judging));
    std::vector<std::size_t> judged;
    for (const auto t : context.period.follow_ups) {
        const auto before = judging.overall.size();
        out.rows.push_back(judge(judging, t));
        if (judging.overall.size() > before) judged.push_back(out.rows.size() - 1);
    }
    const auto rules = best_response_rules(context.policies);
    for (std::size_t i = 0; i < judged.size(); ++i) {
        auto& row = out.rows[judged[i]];
        const auto category = row.overall.category;
        if (category == Category::cr || category == Category::pr) row.confirmed = confirmation(judging.overall, i, rules).has_value();
    }
    out.summary = summarised(context, judging.overall, {kCriterion, "RECIST 1.1"}, rules);
    out.judged = std::move(judging.judged);
    return out;
}

}  // namespace retromass::response

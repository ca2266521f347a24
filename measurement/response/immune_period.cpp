#include "measurement/response/immune_period.h"

#include <algorithm>

namespace retromass::response {
namespace {

/// The new lesions of a period: which are measured, and what they are now. Measured ones are chosen like targets, five and two an organ.
class NewLesionsSeen {
public:
    explicit NewLesionsSeen(const PeriodContext& context) : context_(context) {}

    void read(std::size_t t, bool unlisted, ImmuneTimepoint& out)
    {
        find(t);
        unlisted_ = unlisted_ || (unlisted && seen_.empty());
        out.new_lesions = static_cast<long>(seen_.size()) + (unlisted_ && seen_.empty() ? 1 : 0);
        out.new_non_target = unlisted_ && seen_.empty();
        Length sum{};
        bool complete = !seen_.empty();
        out.new_lesions_gone = !seen_.empty();
        for (auto& lesion : seen_) {
            const auto& known = context_.patient.lesions[lesion.index];
            const auto* const observation = observation_of(context_.timepoint(t), known.id);
            const auto reading = target_reading(known, observation);
            const bool measured = !reading.parts.empty();
            const auto disease = disease_of(known, observation);
            const bool none = disease == Disease::none || disease == Disease::elsewhere;
            out.new_lesions_gone = out.new_lesions_gone && none;
            if (lesion.measured) {
                if (measured) sum = sum + total(reading);
                else complete = complete && none;
                continue;
            }
            if (none) continue;
            out.new_non_target = true;
            const bool grew = measured && lesion.size && total(reading) > *lesion.size;
            out.new_non_target_increased = out.new_non_target_increased || grew || (observation && observation->status == LesionStatus::increased) || disease == Disease::progressed;
            out.new_non_target_unequivocal = out.new_non_target_unequivocal || disease == Disease::progressed;
            if (measured) lesion.size = total(reading);
        }
        if (complete) out.new_target_sum = sum;
    }

private:
    struct Seen {
        std::size_t index = 0;
        bool measured = false;
        std::optional<Length> size;      ///< of one that is not measured, last
    };

    void find(std::size_t t)
    {
        for (const auto l : context_.lesions.watched) {
            const bool known = std::any_of(seen_.begin(), seen_.end(), [&](const auto& s) { return s.index == l; });
            if (known || !seen_as_new(context_, t, context_.patient.lesions[l])) continue;
            seen_.push_back({l, may_be_measured(l, t), {}});
        }
    }

    bool may_be_measured(std::size_t l, std::size_t t) const
    {
        const auto& lesion = context_.patient.lesions[l];
        std::vector<Candidate> candidates;
        for (const auto& s : seen_) {
            const auto& other = context_.patient.lesions[s.index];
            if (s.measured) candidates.push_back({other.id, other.organ, other.nodal ? DiseaseKind::nodal : DiseaseKind::non_nodal, Length::mm(1000)});  // chosen before: stays
        }
        const auto reading = target_reading(lesion, observation_of(context_.timepoint(t), lesion.id));
        candidates.push_back({lesion.id, lesion.organ, lesion.nodal ? DiseaseKind::nodal : DiseaseKind::non_nodal, total(reading)});
        const auto chosen = baseline_targets(candidates);
        return std::any_of(chosen.begin(), chosen.end(), [&](const auto& c) { return c.id == lesion.id; });
    }

    const PeriodContext& context_;
    std::vector<Seen> seen_;
    bool unlisted_ = false;              ///< a new lesion was stated, but none is listed
};

void read_non_targets(const PeriodContext& context, std::size_t t, Category category, ImmuneTimepoint& out)
{
    switch (category) {
    case Category::na: out.non_target = ImmuneNonTarget::none_at_baseline; break;
    case Category::cr: out.non_target = ImmuneNonTarget::absent; break;
    case Category::pd: out.non_target = ImmuneNonTarget::unequivocal; break;
    case Category::ne: out.non_target = ImmuneNonTarget::not_evaluable; break;
    default: out.non_target = ImmuneNonTarget::present;
    }
    for (const auto l : context.lesions.non_targets) {
        const auto* const observation = observation_of(context.timepoint(t), context.patient.lesions[l].id);
        out.non_target_grew = out.non_target_grew || (observation && observation->status == LesionStatus::increased);
    }
    if (out.non_target == ImmuneNonTarget::present && out.non_target_grew) out.non_target = ImmuneNonTarget::increased;
}

Category plain(Category category)
{
    switch (category) {
    case Category::icr: return Category::cr;
    case Category::ipr: return Category::pr;
    case Category::isd: return Category::sd;
    case Category::non_icr_non_iupd: return Category::non_cr_non_pd;
    case Category::iupd:
    case Category::icpd: return Category::pd;
    default: return category;
    }
}

}  // namespace

ImmunePeriod immune_period(const PeriodContext& context, const std::vector<RecistTimepoint>& rows)
{
    ImmunePeriod out;
    std::vector<ImmuneTimepoint> timepoints;
    NewLesionsSeen new_lesions(context);
    Date before = context.timeline.when[*context.period.baseline];
    for (std::size_t row = 1; row < rows.size(); ++row) {
        const auto& from = rows[row];
        if (from.overall.category == Category::none) continue;  // the follow-up ended before
        const auto t = context.period.follow_ups[row - 1];
        ImmuneTimepoint now;
        now.date = context.timeline.when[t];
        now.has_targets = !context.lesions.targets.empty();
        now.sum = from.sum;
        now.partial = from.partial_sum.value_or(Length{});
        now.targets_gone = from.target == Category::cr;
        for (const auto& target : targets_at(context, t)) now.target_seen = now.target_seen || (!target.reading.parts.empty() && !gone(target.reading));
        read_non_targets(context, t, from.non_target, now);
        new_lesions.read(t, from.new_lesions == NewLesions::unequivocal, now);
        now.new_lesions_known = !new_lesions_unstated(from);
        now.may_confirm = !has(from.overall.notices, Code::treated_locally);
        for (const auto& event : context.patient.events) now.new_symptom = now.new_symptom || (event.kind == "clinical-progression" && event.date > before && event.date <= now.date);
        before = now.date;
        auto& inputs = out.inputs.emplace_back();
        inputs.emplace_back("new lesions so far", std::to_string(now.new_lesions));
        if (now.new_lesions > 0 && now.new_target_sum) inputs.emplace_back("sum of measured new lesions", mm(*now.new_target_sum));
        timepoints.push_back(now);
        out.series.push_back({now.date, Category::none, now.may_confirm, progressed_on(context, t, from, from.target)});
    }
    ImmuneRules rules;
    rules.min_days = context.policies.number("irecist_min_days");
    rules.disease_after_cr_progresses = context.policies.value("cr_then_less") == "recist-table-3";
    rules.persistence = context.policies.value("pr_persistence") == "per-timepoint" ? PrPersistence::per_timepoint : PrPersistence::carry_forward;
    if (const auto best = best_response_rules(context.policies); best.confirm) rules.confirmation = best;
    Length baseline{};
    if (!rows.empty() && rows.front().baseline_sum) baseline = *rows.front().baseline_sum;
    out.outcomes = immune_responses(baseline, timepoints, rules);
    for (std::size_t i = 0; i < out.outcomes.size(); ++i) out.series[i].category = out.outcomes[i].outcome.category;

    out.plain = out.for_times = out.series;
    const auto progression = immune_progression(out.outcomes);
    for (std::size_t i = 0; i < out.series.size(); ++i) {
        const auto category = out.series[i].category;
        out.plain[i].category = plain(category);
        const bool waiting = category == Category::iupd || category == Category::icpd;
        // A progression that a later response wiped is no event, and the study was evaluated all the same.
        out.for_times[i].category = progression && progression->index == i ? Category::pd : waiting ? Category::sd : plain(category);
    }
    return out;
}

}  // namespace retromass::response

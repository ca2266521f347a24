#include "measurement/response/period_context.h"

#include <algorithm>

namespace retromass::response {
namespace {

std::vector<const Treatment*> local_treatments(const PeriodContext& context, const std::string& lesion, Date before)
{
    std::vector<const Treatment*> out;
    const Date from = context.timeline.when[*context.period.baseline];
    for (const auto& treatment : context.patient.treatments) {
        if (treatment.kind == "systemic" || treatment.kind == "surgery" || !treatment.start) continue;
        const bool meant = treatment.lesions.empty() || std::find(treatment.lesions.begin(), treatment.lesions.end(), lesion) != treatment.lesions.end();
        if (meant && *treatment.start > from && *treatment.start < before) out.push_back(&treatment);
    }
    return out;
}

std::string described(const Treatment& treatment)
{
    std::string out = treatment.kind + " " + iso(*treatment.start);
    if (treatment.end && *treatment.end != *treatment.start) out += " to " + iso(*treatment.end);
    return out;
}

std::optional<Date> first_local_therapy(const PeriodContext& context)
{
    std::optional<Date> out;
    for (const auto l : context.lesions.targets) {
        for (const auto* treatment : local_treatments(context, context.patient.lesions[l].id, context.period.end.value_or(Date::max()))) {
            if (!out || *treatment->start < *out) out = treatment->start;
        }
    }
    return out;
}

}  // namespace

PeriodContext context_of(const Patient& patient, const Policies& policies, const Timeline& timeline, const Period& period)
{
    PeriodContext out{patient, policies, timeline, period, {}, {}};
    if (!period.baseline) return out;
    out.lesions = lesions_at_baseline(patient, *period.baseline, period.follow_ups.empty() ? *period.baseline : period.follow_ups.back());
    if (policies.value("local_therapy") == "censor") out.follow_up_ended = first_local_therapy(out);
    return out;
}

std::optional<Date> progressed_on(const PeriodContext& context, std::size_t t, const RecistTimepoint& row, Category by_targets)
{
    const bool by_sum = by_targets == Category::pd && row.non_target != Category::pd && row.new_lesions != NewLesions::unequivocal;
    const auto& visit = context.timepoint(t).visit;
    if (!by_sum || visit.empty() || context.policies.value("pd_date") == "first-scan") return std::nullopt;
    auto last = t;
    for (const auto later : context.period.follow_ups) {  // in order of time; a visit of that name after another one is another visit
        if (later == last + 1 && context.timepoint(later).visit == visit) last = later;
    }
    if (last == t) return std::nullopt;
    return context.timeline.when[last];
}

std::vector<TargetAt> targets_at(const PeriodContext& context, std::size_t t)
{
    std::vector<TargetAt> out;
    const auto& targets = context.lesions.targets;
    for (const auto l : targets) {
        TargetAt now;
        now.lesion = &context.patient.lesions[l];
        now.observation = observation_of(context.timepoint(t), now.lesion->id);
        now.reading = target_reading(*now.lesion, now.observation);
        if (now.reading.merged) {
            const bool partner = std::any_of(targets.begin(), targets.end(), [&](std::size_t other) { return other != l && context.patient.lesions[other].id == now.observation->merged_into; });
            if (!partner) {
                now.reading.merged = false;
                now.reading.reason = "merged into a lesion that is not another target";
            }
        }
        now.local = local_treatments(context, now.lesion->id, context.timeline.when[t]);
        if (!now.local.empty()) {
            now.treated = described(*now.local.back());
        } else if (now.observation && now.observation->treated) {
            now.treated = "marked as treated";
        }
        if (!now.treated.empty() && context.policies.value("local_therapy") == "ne") {
            now.reading.parts.clear();
            now.reading.merged = false;
            now.reading.reason = "treated locally: " + now.treated;
        }
        out.push_back(std::move(now));
    }
    return out;
}

bool new_lesions_unstated(const RecistTimepoint& row) { return !row.new_lesions || *row.new_lesions == NewLesions::not_assessed; }

Outcome joined(const RecistTimepoint& row, Category target, bool after_cr)
{
    const bool unstated = new_lesions_unstated(row);
    auto outcome = overall_response(target, row.non_target, unstated ? NewLesions::none : *row.new_lesions);
    if (after_cr && row.non_target == Category::non_cr_non_pd && outcome.category != Category::pd) {
        outcome = {Category::pd, "RECIST 1.1 6.6 disease after complete response", "non-target disease is seen again after an overall complete response"};
    }
    if (unstated && outcome.category != Category::pd) {  // progression is progression whatever the statement
        const std::string without = target == Category::na ? "" : "; the targets read " + std::string(name(target));
        outcome = {Category::ne, "definitions 5.2 new lesions not stated",
                   (row.new_lesions ? "not evaluable: new lesions not assessed" : "not evaluable: new lesions not stated") + without};
    }
    return outcome;
}

bool seen_as_new(const PeriodContext& context, std::size_t t, const Lesion& lesion)
{
    const auto now = disease_of(lesion, observation_of(context.timepoint(t), lesion.id));
    if (now != Disease::equivocal) return now == Disease::present || now == Disease::progressed;
    for (const auto later : context.period.follow_ups) {
        if (later <= t) continue;
        const auto disease = disease_of(lesion, observation_of(context.timepoint(later), lesion.id));
        if (disease == Disease::present || disease == Disease::progressed) return true;
        if (disease == Disease::none) return false;
    }
    return false;
}

Length total(const TargetReading& reading)
{
    Length sum{};
    for (const auto part : reading.parts) sum = sum + part;
    return sum;
}

std::string mm(Length length) { return length.text() + " mm"; }

std::string percent(double value)
{
    std::string out = value > 0 ? "+" : "";
    return out.append(fixed(value, 1)).append(" %");
}

std::optional<double> change_pct(double now, double before)
{
    if (!(before > 0)) return std::nullopt;
    return 100 * (now - before) / before;
}

void append(std::string& list, const std::string& item) { list += (list.empty() ? "" : ", ") + item; }

}  // namespace retromass::response

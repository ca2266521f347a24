#include <algorithm>

#include "measurement/response/comparability.h"
#include "measurement/response/criteria.h"
#include "measurement/response/growth.h"
#include "measurement/response/identity.h"
#include "measurement/response/repeats.h"

namespace retromass::response {
namespace {

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

/// Those beside RECIST 1.1 that are to be evaluated, in the order of the table.
std::vector<std::string> wanted_of(const Criteria& criteria)
{
    std::vector<std::string> out;
    for (const auto name : criterion_names().subspan(1)) {
        const bool wanted = criteria.primary == name || std::find(criteria.others.begin(), criteria.others.end(), name) != criteria.others.end();
        if (wanted) out.emplace_back(name);
    }
    return out;
}

}  // namespace

Status check(const Criteria& criteria)
{
    const auto known = criterion_names();
    std::string all;
    for (const auto name : known) append(all, std::string(name));
    auto wanted = criteria.others;
    wanted.push_back(criteria.primary);
    for (const auto& name : wanted) {
        if (std::find(known.begin(), known.end(), name) == known.end()) return Error{Code::policy, "criterion '" + name + "' is not known; there are " + all, "response: assess"};
    }
    return Done{};
}

Result<Assessment> assess(const Patient& patient, const Policies& policies, const Criteria& criteria)
{
    RETROMASS_TRY(check(criteria));
    Assessment out;
    out.patient = patient.id;
    out.primary = criteria.primary;
    out.policies = policies.all();
    RETROMASS_TRY_ASSIGN(const auto timeline, timeline_of(patient));
    RETROMASS_TRY_ASSIGN(const auto periods, periods_of(patient, timeline, policies));
    const auto wanted = wanted_of(criteria);
    for (const auto& period : periods) {
        const auto context = context_of(patient, policies, timeline, period);
        auto recist = judge_recist(context);
        auto further = further_criteria(context, recist, wanted);
        const auto differing = disagreements(criteria.primary, recist.rows, further);
        out.disagreements.insert(out.disagreements.end(), differing.begin(), differing.end());
        const auto compared = compare_studies(context, recist.rows);
        out.comparisons.insert(out.comparisons.end(), compared.begin(), compared.end());
        note_comparisons(compared, recist.rows);
        add_repeats(context, compared, recist);
        for (auto& criterion : further) {
            if (criterion.criterion != criteria.primary) continue;
            note_comparisons(recist.rows, criterion);
            add_repeats(context, compared, criterion);
        }
        if (period.baseline) out.kinetics.push_back(kinetics_of(context, recist.rows));
        out.recist.insert(out.recist.end(), std::make_move_iterator(recist.rows.begin()), std::make_move_iterator(recist.rows.end()));
        out.lines.push_back(std::move(recist.summary));
        out.criteria.insert(out.criteria.end(), std::make_move_iterator(further.begin()), std::make_move_iterator(further.end()));
    }
    std::stable_sort(out.criteria.begin(), out.criteria.end(), [&](const auto& a, const auto& b) {
        const auto place = [&](const auto& c) { return std::find(wanted.begin(), wanted.end(), c.criterion) - wanted.begin(); };
        return place(a) < place(b);
    });
    if (!periods.empty()) note_points_outside(patient, timeline, periods, out);
    out.growth = growth_pairs(patient, timeline);
    add_identity(patient, out);
    return out;
}

}  // namespace retromass::response

#include "measurement/response/readings.h"

#include <algorithm>

namespace retromass::response {
namespace {

constexpr Length kTooSmall = Length::mm(5);      // E09: default of a lesion too small to measure
constexpr Length kNormalNode = Length::mm(10);

bool evaluated(const Lesion& lesion, const Observation* observation)
{
    return observation && (lesion.role == Role::target ? !target_reading(lesion, observation).parts.empty() || observation->status == LesionStatus::resected ||
                                                             observation->status == LesionStatus::merged || observation->status == LesionStatus::normal_node
                                                       : disease_of(lesion, observation) != Disease::unknown);
}

bool sick_by(const Patient& patient, const Lesion& lesion, std::size_t last)
{
    for (std::size_t t = 0; t <= last; ++t) {
        const auto disease = disease_of(lesion, observation_of(patient.timepoints[t], lesion.id));
        if (disease == Disease::present || disease == Disease::progressed) return true;
    }
    return false;
}

}  // namespace

const Observation* observation_of(const Timepoint& timepoint, const std::string& lesion)
{
    const auto found = std::find_if(timepoint.observations.begin(), timepoint.observations.end(), [&](const auto& o) { return o.lesion == lesion; });
    return found == timepoint.observations.end() ? nullptr : &*found;
}

TargetReading target_reading(const Lesion& lesion, const Observation* observation)
{
    TargetReading out;
    out.id = lesion.id;
    out.nodal = lesion.nodal;
    if (!observation) {
        out.reason = "nothing stated";
        return out;
    }
    const auto& length = lesion.nodal ? observation->short_axis : observation->long_axis;
    const auto missing = [&](const std::string& why) {
        out.reason = observation->reason.empty() ? why : observation->reason;
        return out;
    };
    switch (observation->status) {
    case LesionStatus::absent:
        out.parts = {Length{}};
        return out;
    case LesionStatus::merged:
        out.merged = true;
        return out;
    case LesionStatus::not_evaluable: return missing("not evaluable");
    case LesionStatus::resected: return missing("resected");
    case LesionStatus::too_small:
        out.parts = {length.value_or(kTooSmall)};
        return out;
    default: break;
    }
    if (!length) return missing(lesion.nodal ? "no short axis" : "no long axis");
    out.parts = observation->fragments;
    out.parts.insert(out.parts.begin(), *length);
    return out;
}

Disease disease_of(const Lesion& lesion, const Observation* observation)
{
    if (!observation) return Disease::unknown;
    if (lesion.nodal && observation->short_axis && *observation->short_axis < kNormalNode &&
        (observation->status == LesionStatus::measured || observation->status == LesionStatus::present)) {
        return Disease::none;  // a normal node
    }
    switch (observation->status) {
    case LesionStatus::absent:
    case LesionStatus::normal_node: return Disease::none;
    case LesionStatus::resected:
    case LesionStatus::not_evaluable: return Disease::unknown;
    case LesionStatus::merged: return Disease::elsewhere;
    case LesionStatus::equivocal: return Disease::equivocal;
    case LesionStatus::unequivocal_progression: return Disease::progressed;
    case LesionStatus::measured: return observation->long_axis == Length{} ? Disease::none : Disease::present;
    default: return Disease::present;
    }
}

PeriodLesions lesions_at_baseline(const Patient& patient, std::size_t baseline, std::size_t last)
{
    PeriodLesions out;
    for (std::size_t l = 0; l < patient.lesions.size(); ++l) {
        const auto& lesion = patient.lesions[l];
        const auto* const now = observation_of(patient.timepoints[baseline], lesion.id);
        const bool removed = now && (now->status == LesionStatus::resected || now->status == LesionStatus::normal_node);
        if (lesion.role == Role::new_lesion) {
            // Disease found under an earlier treatment is disease at this baseline, no longer new.
            (sick_by(patient, lesion, baseline) && !removed && disease_of(lesion, now) != Disease::none ? out.non_targets : out.watched).push_back(l);
            continue;
        }
        if (lesion.role == Role::non_target) {
            const auto disease = disease_of(lesion, now);
            (removed || disease == Disease::none ? out.watched : out.non_targets).push_back(l);
            continue;
        }
        const auto reading = target_reading(lesion, now);
        if (removed || (now && now->status == LesionStatus::absent)) {
            out.watched.push_back(l);
        } else if (!reading.parts.empty()) {
            Length size{};
            for (const auto part : reading.parts) size = size + part;
            (size == Length{} ? out.watched : out.targets).push_back(l);
        } else if (!reading.merged) {
            // A target first seen after this period belongs to a later one; one seen within it lacks its baseline.
            const auto seen = [&](std::size_t from, std::size_t to) {
                for (std::size_t t = from; t <= to && t < patient.timepoints.size(); ++t) {
                    if (evaluated(lesion, observation_of(patient.timepoints[t], lesion.id))) return true;
                }
                return false;
            };
            const bool later_only = !seen(0, last) && seen(last + 1, patient.timepoints.size());
            if (!later_only) out.missing += (out.missing.empty() ? "" : ", ") + lesion.id + " (" + reading.reason + ")";
        }
    }
    return out;
}

}  // namespace retromass::response

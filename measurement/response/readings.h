#pragma once

#include <string>
#include <vector>

#include "measurement/response/recist.h"

/// Inside the room: what an observation says of a lesion (clinical.md 5.1).
namespace retromass::response {

const Observation* observation_of(const Timepoint& timepoint, const std::string& lesion);

enum class Disease { none, equivocal, present, progressed, unknown, elsewhere };
/// For non-target and new lesions: `elsewhere` = merged into another lesion.
Disease disease_of(const Lesion& lesion, const Observation* observation);

/// The lesions of a period, by index in Patient::lesions.
struct PeriodLesions {
    std::vector<std::size_t> targets;
    std::vector<std::size_t> non_targets;
    std::vector<std::size_t> watched;    ///< no disease at the baseline: a new lesion once seen
    std::string missing;                 ///< targets without a value at the baseline; not empty = no valid baseline
};
/// What stands at `baseline`; `last` is the last time point of the period.
PeriodLesions lesions_at_baseline(const Patient& patient, std::size_t baseline, std::size_t last);

}  // namespace retromass::response

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "measurement/response/outcome.h"
#include "measurement/response/readings.h"
#include "measurement/response/timeline.h"

/// Inside the room: one period as every criterion sees it.
namespace retromass::response {

struct PeriodContext {
    const Patient& patient;
    const Policies& policies;
    const Timeline& timeline;
    const Period& period;
    PeriodLesions lesions;
    std::optional<Date> follow_up_ended;     ///< local_therapy=censor

    const Timepoint& timepoint(std::size_t t) const { return patient.timepoints[t]; }
    std::string named(std::size_t t) const { return timepoint(t).id + ", " + timeline.text(timeline.when[t]); }
};
/// With the lesions that stand at the period's baseline, and the end of follow-up where a local treatment ends it.
PeriodContext context_of(const Patient& patient, const Policies& policies, const Timeline& timeline, const Period& period);

/// The day of a progression by the sum of the targets where that is another one than the scan's: under pd_date=last-scan-of-visit that of the last scan
/// of its visit within the period. What is new, and non-target disease that grew, is dated by the scan that shows it (rule 14.3).
std::optional<Date> progressed_on(const PeriodContext& context, std::size_t t, const RecistTimepoint& row, Category by_targets);

/// A target as it counts at one time point: local treatment and merging accounted for.
struct TargetAt {
    const Lesion* lesion = nullptr;
    const Observation* observation = nullptr;   ///< may be null
    TargetReading reading;
    std::vector<const Treatment*> local;        ///< local treatments of it within the period, before this time point
    std::string treated;                        ///< how it was treated locally; empty = it was not
};
std::vector<TargetAt> targets_at(const PeriodContext& context, std::size_t t);

/// The targets' answer joined with what `row` says of other disease and of new lesions (rule 7, definitions 5.2). Disease after a
/// definitive complete response (`after_cr`) is progression.
Outcome joined(const RecistTimepoint& row, Category target, bool after_cr);
/// Nobody stated whether there are new lesions.
bool new_lesions_unstated(const RecistTimepoint& row);

/// Whether this lesion, absent at the baseline, counts as new disease here: present, or equivocal and confirmed by a later study (rule 6.2).
bool seen_as_new(const PeriodContext& context, std::size_t t, const Lesion& lesion);

Length total(const TargetReading& reading);
std::string mm(Length length);
std::string percent(double value);   ///< "+5.0 %"
std::optional<double> change_pct(double now, double before);
void append(std::string& list, const std::string& item);

}  // namespace retromass::response

#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "measurement/response/best_response.h"
#include "measurement/response/outcome.h"
#include "measurement/response/recist.h"

/// iRECIST (Seymour 2017, rules 9.1 to 9.15): a progression counts once a later study confirms it.
namespace retromass::response {

/// Non-target disease now; `increased` = larger than at the study before, which is not by itself unequivocal.
enum class ImmuneNonTarget { none_at_baseline, absent, present, unequivocal, increased, not_evaluable };

struct ImmuneTimepoint {
    Date date;
    bool has_targets = true;
    std::optional<Length> sum;           ///< of the targets of the baseline; empty = incomplete
    Length partial;                      ///< of what was evaluated, where incomplete
    bool targets_gone = false;
    bool target_seen = false;            ///< one that was evaluated is not gone, also where the sum is incomplete
    ImmuneNonTarget non_target = ImmuneNonTarget::none_at_baseline;
    bool non_target_grew = false;        ///< some of it increased since the study before, whatever the state of the whole
    long new_lesions = 0;                ///< seen so far, counted once each
    std::optional<Length> new_target_sum;  ///< of the measured new lesions; never added to `sum`
    bool new_lesions_gone = false;       ///< every new lesion seen is: also a node that shrank below 10 mm, whatever `new_target_sum`
    bool new_non_target = false;         ///< there are new lesions that are not measured
    bool new_non_target_increased = false;
    bool new_non_target_unequivocal = false;
    bool new_symptom = false;            ///< the study was done for one: with a further new lesion it may confirm early
    bool new_lesions_known = true;       ///< whether anybody said if there are new lesions
    bool may_confirm = true;             ///< no where a target was treated locally before: then it confirms no response
};

struct ImmuneOutcome {
    Outcome outcome;
    std::optional<std::size_t> first;    ///< of iUPD and iCPD: the time point that opened the progression, and dates it
};
struct ImmuneRules {
    long min_days = 28;                  ///< from iUPD to a study that may confirm it; earlier ones change nothing, not even the nadir
    PrPersistence persistence = PrPersistence::per_timepoint;
    std::optional<BestResponseRules> confirmation;  ///< set where a response stands only once confirmed (rule 4.6)
    bool disease_after_cr_progresses = true;  ///< cr_then_less=recist-table-3: any disease after an overall complete response
};
/// One outcome a time point, in order of time. What follows an iCPD is still named, and counts nowhere.
std::vector<ImmuneOutcome> immune_responses(Length baseline, std::span<const ImmuneTimepoint> timepoints, const ImmuneRules& rules);

/// The progression of iPFS: the first iUPD of the confirmed block, or of a last one that nothing after it refuted.
struct ImmuneProgression {
    std::size_t index = 0;
    bool confirmed = false;
};
std::optional<ImmuneProgression> immune_progression(std::span<const ImmuneOutcome> outcomes);

/// iBOR (rule 9.12): the best up to iCPD. iUPD bars nothing that follows it.
BestResponse immune_best_response(Date reference, std::span<const DatedResponse> series, const BestResponseRules& rules);

}  // namespace retromass::response

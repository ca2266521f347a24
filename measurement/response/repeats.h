#pragma once

#include <vector>

#include "measurement/response/recist_period.h"

/// Inside the room: how often a criterion would give another category if the same scans were measured again in the same way.
namespace retromass::response {

/// Fills RecistTimepoint::repeats of every judged row from the intervals of its lengths. An interval that was stated is where a repeated measurement
/// lands in 95 of 100 repeats, so each repeat draws from it once, on the scale of ratios. One that is the program's own (Observation::length_calibrated) holds
/// the truth in 95 of 100 cases: a repeat errs from that as the first measurement did, and spreads sqrt(2) times as far from what was measured. The interval of
/// the change is of the lengths as their intervals have them. Whatever differs in the acquisition adds an error of the same size. Same input, same answer.
void add_repeats(const PeriodContext& context, const std::vector<Comparison>& comparisons, RecistPeriod& recist);
/// The same of another criterion, by judging the whole period anew at each repeat: of iRECIST by its lengths, of the volume by its volumes, of WHO by both axes,
/// of Choi by lengths and, where densities were compared, mean HU (on the scale of differences). Errors of the two axes of one lesion go together a little,
/// those of size and density not.
void add_repeats(const PeriodContext& context, const std::vector<Comparison>& comparisons, CriterionPeriod& criterion);

}  // namespace retromass::response

#pragma once

#include <vector>

#include "measurement/response/recist_period.h"

/// Inside the room: how often RECIST 1.1 would give another category if the same scans were measured again in the same way.
namespace retromass::response {

/// Fills RecistTimepoint::repeats of every judged row from the intervals of its lengths. An interval is where a repeated measurement lands in
/// 95 of 100 repeats, so each repeat draws from it once, on the scale of ratios; whatever differs in the acquisition adds an error of the
/// same size. Same input, same answer.
void add_repeats(const PeriodContext& context, const std::vector<Comparison>& comparisons, RecistPeriod& recist);

}  // namespace retromass::response

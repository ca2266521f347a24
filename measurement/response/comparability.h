#pragma once

#include <vector>

#include "measurement/response/period_context.h"

/// Inside the room: whether two studies can be compared. Names, widens or says "not comparable"; never changes a category.
namespace retromass::response {

/// Each follow-up against its baseline and against its nadir where that is another study.
std::vector<Comparison> compare_studies(const PeriodContext& context, const std::vector<RecistTimepoint>& rows);

/// Says beside a category what its comparison with the baseline or the nadir lacks.
void note_comparisons(const std::vector<Comparison>& comparisons, std::vector<RecistTimepoint>& rows);

}  // namespace retromass::response

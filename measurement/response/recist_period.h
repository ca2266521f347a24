#pragma once

#include <vector>

#include "measurement/response/best_response.h"
#include "measurement/response/period_context.h"

/// Inside the room: RECIST 1.1 over one period.
namespace retromass::response {

/// What a target response was judged by, for judging it again with other lengths.
struct JudgedTargets {
    std::size_t timepoint = 0;
    std::vector<TargetReading> readings;
    TargetHistory history;
    PrPersistence persistence = PrPersistence::carry_forward;
};

struct RecistPeriod {
    std::vector<RecistTimepoint> rows;   ///< the baseline first, where there is one
    std::vector<JudgedTargets> judged;
    LineSummary summary;
};
RecistPeriod judge_recist(const PeriodContext& context);

}  // namespace retromass::response

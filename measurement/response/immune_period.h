#pragma once

#include <string>
#include <utility>
#include <vector>

#include "measurement/response/irecist.h"
#include "measurement/response/period_context.h"

/// Inside the room: iRECIST over one period, from the lesions and from what RECIST 1.1 read of them.
namespace retromass::response {

struct ImmunePeriod {
    std::vector<ImmuneOutcome> outcomes;     ///< one a judged follow-up
    std::vector<std::vector<std::pair<std::string, std::string>>> inputs;
    std::vector<DatedResponse> series;       ///< iCR ...
    std::vector<DatedResponse> plain;        ///< in RECIST's categories, every iUPD and iCPD as PD: for confirmation
    std::vector<DatedResponse> for_times;    ///< in RECIST's categories, PD only where the progression counts: for times to events
};
ImmunePeriod immune_period(const PeriodContext& context, const std::vector<RecistTimepoint>& rows);

}  // namespace retromass::response

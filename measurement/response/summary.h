#pragma once

#include <span>
#include <string>

#include "measurement/response/best_response.h"
#include "measurement/response/period_context.h"

/// Inside the room: what a criterion says of a whole period.
namespace retromass::response {

struct CriterionName {
    std::string name;                    ///< recist-1.1
    std::string title;                   ///< RECIST 1.1
};
/// Best overall response and the times to events from the categories of the period, in RECIST's words. `found` is the best response where
/// the criterion has a rule of its own for it.
LineSummary summarised(const PeriodContext& context, std::span<const DatedResponse> series, const CriterionName& criterion, const BestResponseRules& rules,
                       std::optional<BestResponse> found = {});

}  // namespace retromass::response

#pragma once

#include <vector>

#include "measurement/response/recist_period.h"

/// Inside the room: the criteria beside RECIST 1.1 over one period, from the same lesions.
namespace retromass::response {

/// `names` in order; each is one of criterion_names() but RECIST 1.1.
std::vector<CriterionPeriod> further_criteria(const PeriodContext& context, const RecistPeriod& recist, const std::vector<std::string>& names);

/// Each time point at which a further criterion says something else than the primary one, with the reasons of both.
std::vector<Disagreement> disagreements(const std::string& primary, const std::vector<RecistTimepoint>& recist, const std::vector<CriterionPeriod>& others);

}  // namespace retromass::response

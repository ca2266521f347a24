#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "measurement/response/period_context.h"

/// Inside the room: whether two studies can be compared. Names, widens or says "not comparable"; never changes a category.
namespace retromass::response {

/// A row of the table of docs/clinical.md 6.7, which is held to these.
struct ComparabilityRule {
    std::string_view difference;         ///< # stands for the limit
    double limit;                        ///< 0 where there is none; a ratio is the larger over the smaller
    const char* of_size;                 ///< named, widens, not-comparable
    const char* of_density;
    std::string_view source;
};
std::span<const ComparabilityRule> comparability_rules();

/// Each follow-up against its baseline and against its nadir where that is another study.
std::vector<Comparison> compare_studies(const PeriodContext& context, const std::vector<RecistTimepoint>& rows);

/// Says beside a category what its comparison with the baseline or the nadir lacks, and what of the body the baseline showed and it does not.
void note_comparisons(const std::vector<Comparison>& comparisons, std::vector<RecistTimepoint>& rows);
/// The same beside another criterion's categories, from the rows that have it.
void note_comparisons(const std::vector<RecistTimepoint>& rows, CriterionPeriod& criterion);

}  // namespace retromass::response

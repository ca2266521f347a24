#pragma once

#include <string>
#include <vector>

#include "pipeline/batch/batch.h"
#include "pipeline/batch/table.h"

namespace retromass::batch {

/// The cohort on one page, without script or anything loaded from outside: what was not done and why, the best change of every period as
/// bars (a waterfall plot), its course (spider), the time under observation (swimmer), and the last category of each case with a link to its report. `cases` is the table that is
/// collected, `waterfall` and `response` are those of outputs.
std::string cohort_html(const std::vector<CaseState>& states, const TextTable& cases, const TextTable& waterfall, const TextTable& response, const std::string& results_folder);

}  // namespace retromass::batch

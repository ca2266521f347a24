#pragma once

#include "pipeline/outputs/outputs.h"
#include "pipeline/run/run.h"

namespace retromass::run {

/// Puts the reader's descriptions into the result. Where a time point states none, the last one stated comes along for confirmation, as long as the lesion is there.
void describe(const CaseFile& file, std::vector<outputs::TimepointResult>& timepoints);

}  // namespace retromass::run

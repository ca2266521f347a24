#pragma once

#include "core/progress.h"
#include "core/result.h"
#include "pipeline/ingest/ingest.h"
#include "pipeline/run/run.h"

namespace retromass::run {

/// The series a time point of the case names: its folder, and its UID where one is given; else the first of the ranking, which knows the
/// lesions' prompts and the series measured at the first time point (`baseline`).
Result<ingest::SeriesCandidate> series_of(const CaseFile& file, const CaseTimepoint& timepoint, const std::optional<ingest::AcquisitionFacts>& baseline,
                                          const RunParameters& parameters, const Progress& progress);

}  // namespace retromass::run

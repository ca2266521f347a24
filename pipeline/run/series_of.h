#pragma once

#include "core/progress.h"
#include "core/result.h"
#include "pipeline/ingest/ingest.h"
#include "pipeline/run/run.h"

namespace retromass::run {

/// The series a time point of the case names: its folder, and its UID where the folder holds several.
Result<ingest::SeriesCandidate> series_of(const CaseFile& file, const CaseTimepoint& timepoint, const RunParameters& parameters, const Progress& progress);

}  // namespace retromass::run

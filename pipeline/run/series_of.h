#pragma once

#include <map>
#include <string>

#include "core/progress.h"
#include "core/result.h"
#include "pipeline/ingest/ingest.h"
#include "pipeline/run/run.h"

namespace retromass::run {

/// The series a time point is measured on, and the prompts of its lesions with what they were drawn in other programs as.
struct ChosenSeries {
    ingest::SeriesCandidate series;
    std::map<std::string, segmentation::Prompt> prompts;  ///< by lesion; without prior masks
    std::map<std::string, std::string> tracking_uids;     ///< of marks that have one, by lesion
};

/// The series a time point of the case names: its folder, and its UID where one is given; else the first of the ranking, which knows the
/// lesions' prompts and the series measured at the first time point (`baseline`). Marks of other programs are read and placed by the
/// images they were drawn on.
Result<ChosenSeries> series_of(const CaseFile& file, const CaseTimepoint& timepoint, const std::optional<ingest::AcquisitionFacts>& baseline,
                               const RunParameters& parameters, const Progress& progress);

}  // namespace retromass::run

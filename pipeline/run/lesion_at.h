#pragma once

#include "pipeline/run/run.h"
#include "pipeline/run/series_of.h"

/// The steps of a run that a reader's change repeats for one lesion at one time point.
namespace retromass::run {

/// Whether the case file leaves open what became of the lesion.
bool says_nothing(const LesionAtTimepoint& at);
/// Mask, measurements and status of a lesion at a time point, as the case file asks for them; carries nothing forward.
Result<outputs::LesionResult> said_lesion(const CaseFile& file, const CaseLesion& lesion, const CaseTimepoint& timepoint, const ChosenSeries& chosen, const ingest::CtSeries* ct,
                                          const RunParameters& parameters, const std::vector<Code>& accepted, const Progress& progress);
/// Measures, and says what keeps the lesion from being evaluable.
Status measure_into(outputs::LesionResult& result, Mask mask, const CaseFile& file, const CaseTimepoint& timepoint, const ingest::CtSeries& ct,
                    const std::vector<Code>& accepted, int threads);
/// Keeps the length of the reader's own line, and says where the mask disagrees with it.
void compare_with_reader(outputs::LesionResult& result, const CaseFile& file);
/// What is said of two lesions that share voxels: neither is evaluable.
void tell_shared_place(outputs::LesionResult& lesion, const std::string& with, std::size_t voxels);
void note_diverging_axes(std::vector<outputs::TimepointResult>& timepoints);
Result<response::Policies> policies_of(const CaseFile& file, const RunParameters& parameters);

}  // namespace retromass::run

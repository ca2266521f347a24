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
/// A lesion of a time point, and the mask it was measured on, wherever that is kept.
struct PlacedLesion {
    outputs::LesionResult* result = nullptr;
    const Mask* mask = nullptr;  ///< none where it has none
};
/// Lesions of one time point whose masks share voxels: which of them the tissue belongs to is the reader's word, so none is evaluable or keeps its sizes.
/// Answers which; what becomes of their masks is the caller's.
std::vector<std::size_t> list_shared_places(const std::vector<PlacedLesion>& lesions);
void note_diverging_axes(std::vector<outputs::TimepointResult>& timepoints);
Result<response::Policies> policies_of(const CaseFile& file, const RunParameters& parameters);

}  // namespace retromass::run

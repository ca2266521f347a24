#pragma once

#include <array>
#include <string>
#include <vector>

#include "sample_data/body.h"
#include "sample_data/mass.h"

namespace retromass::sample_data {

/// What a reader draws: a line across the mass, and one point each on its top and bottom slice.
struct Prompt {
    std::array<PatientPoint, 2> line;
    std::array<PatientPoint, 2> extent;
};

/// One study of a patient.
struct Study {
    std::string id;
    std::string date;
    LobulatedMass mass;
    double girth = 1;
    double necrosis = 0.2;
    Prompt as_drawn;     ///< on the default scan of patient 1; means nothing on another
};
std::vector<Study> studies_of(const Body& body);

/// What a reader draws on another patient or scan: one slice off the best, 5 % short, turned by 5 degrees, 1.5 mm of jitter; and
/// the top and bottom slice, each one slice short.
Prompt drawn(const MassTruth& truth, const LobulatedMass& mass, const VolumeGeometry& geometry, std::uint64_t seed);

/// The case file of the sample patient, and its truth.json.
std::string case_text(const std::vector<Study>& studies, const std::vector<Prompt>& prompts, std::uint64_t seed);
/// The lines as a table that `init` and `batch plan` read: pixels of the image they were drawn on. Empty if one lies between this scan's slices.
std::string lines_text(const std::vector<Prompt>& prompts, const std::vector<DicomDescription>& series, const VolumeGeometry& geometry);
std::string truth_text(const std::vector<StudyTruth>& truths, const Frame& frame, const PatientOptions& options);

}  // namespace retromass::sample_data

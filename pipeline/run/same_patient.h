#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/notice.h"
#include "core/result.h"
#include "core/volume.h"
#include "pipeline/ingest/ingest.h"
#include "segmentation/segment.h"

/// Whether the time points of a case are of one patient (docs/clinical.md 8.4).
namespace retromass::run {

/// Compares each time point with those before it. A contradiction fails with different_patient, or is a notice where it is accepted;
/// what cannot be compared is a notice.
class SamePatient {
public:
    explicit SamePatient(bool accepted) : accepted_(accepted) {}

    /// By what the headers state.
    Status compare(const std::string& timepoint, const ingest::PatientIdentity& patient, std::vector<Notice>& notices);
    /// By the bones: with the first scan, and where that says nothing, with the last one. Gives where the scan lies along the patient
    /// (response::StudyFacts::reach_mm); nothing where that cannot be told.
    Result<std::optional<std::array<double, 2>>> compare(const std::string& timepoint, const CtVolume& ct, int threads, std::vector<Notice>& notices);

private:
    Status differs(const std::string& why, std::vector<Notice>& notices) const;

    struct Identity {
        std::string timepoint;
        ingest::PatientIdentity patient;
    };
    struct Bones {
        std::string timepoint;
        segmentation::Skeleton skeleton;
        std::optional<std::array<double, 2>> reach_mm;
    };
    bool accepted_;
    std::vector<Identity> identities_;
    std::vector<Bones> bones_;   ///< of the first and the last scan
};

}  // namespace retromass::run

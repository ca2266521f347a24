#include "pipeline/run/same_patient.h"

#include <algorithm>

namespace retromass::run {

using Verdict = segmentation::SkeletonMatch::Verdict;

Status SamePatient::differs(const std::string& why, std::vector<Notice>& notices) const
{
    if (!accepted_) return Error{Code::different_patient, why + "; check the folders, or say --accept different-patient-ids", "run"};
    notices.push_back({Code::different_patient, why + " (accepted)"});
    return Done{};
}

Status SamePatient::compare(const std::string& timepoint, const ingest::PatientIdentity& patient, std::vector<Notice>& notices)
{
    bool compared = identities_.empty();
    for (const auto& before : identities_) {
        const auto what = contradiction(patient, before.patient);
        compared = compared || comparable(patient, before.patient);
        if (what.empty()) continue;
        RETROMASS_TRY(differs(what + " of time point " + timepoint + " contradict those of " + before.timepoint, notices));
        break;
    }
    if (!compared) notices.push_back({Code::patient_not_compared, "the images of time point " + timepoint + " do not state patient ID, birth date or sex that others state too"});
    identities_.push_back({timepoint, patient});
    return Done{};
}

Status SamePatient::compare(const std::string& timepoint, const CtVolume& ct, int threads, std::vector<Notice>& notices)
{
    auto skeleton = segmentation::skeleton_of(ct, threads);
    segmentation::SkeletonMatch match;
    std::string other;
    for (const auto& before : bones_) {
        match = segmentation::match(before.skeleton, skeleton, threads);
        other = before.timepoint;
        if (match.verdict != Verdict::not_compared) break;
    }
    if (!bones_.empty() && match.verdict == Verdict::different) {
        RETROMASS_TRY(differs("the skeleton of time point " + timepoint + " is not that of " + other + ": " + match.text, notices));
    }
    if (!bones_.empty() && match.verdict == Verdict::not_compared) {
        notices.push_back({Code::patient_not_compared, "the skeletons of time points " + other + " and " + timepoint + " could not be compared: " + match.text});
    }
    if (bones_.size() > 1) bones_.pop_back();
    bones_.push_back({timepoint, std::move(skeleton)});
    return Done{};
}

}  // namespace retromass::run

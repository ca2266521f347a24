#include "pipeline/run/same_patient.h"

#include <algorithm>

namespace retromass::run {

constexpr double kMostLeaning_deg = 3;  ///< the corners of a scan that leans more stick out by 20 mm and more: where it ends cannot be told by its height

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

Result<std::optional<std::array<double, 2>>> SamePatient::compare(const std::string& timepoint, const CtVolume& ct, int threads, std::vector<Notice>& notices)
{
    Bones now{timepoint, segmentation::skeleton_of(ct, threads), {}};
    segmentation::SkeletonMatch match;
    const Bones* other = nullptr;
    for (const auto& before : bones_) {
        match = segmentation::match(before.skeleton, now.skeleton, threads);
        other = &before;
        if (match.verdict != Verdict::not_compared) break;
    }
    if (!other) now.reach_mm = {0, now.skeleton.bone.size().slices * segmentation::Skeleton::cell_mm};
    else if (match.verdict == Verdict::different) {
        RETROMASS_TRY(differs("the skeleton of time point " + timepoint + " is not that of " + other->timepoint + ": " + match.text, notices));
    } else if (match.verdict == Verdict::not_compared) {
        notices.push_back({Code::patient_not_compared, "the skeletons of time points " + other->timepoint + " and " + timepoint + " could not be compared: " + match.text});
    } else if (other->reach_mm) {
        now.reach_mm = {(*other->reach_mm)[0] + match.beyond_mm[0], (*other->reach_mm)[1] - match.beyond_mm[1]};
    }
    if (ct.geometry.angle_to_axial_deg() > kMostLeaning_deg) now.reach_mm.reset();
    const auto reach = now.reach_mm;
    if (bones_.size() > 1) bones_.pop_back();
    bones_.push_back(std::move(now));
    return reach;
}

}  // namespace retromass::run

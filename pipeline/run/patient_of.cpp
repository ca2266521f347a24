#include "pipeline/run/patient_of.h"

#include <algorithm>

namespace retromass::run {
namespace {

response::Observation observation_of(const CaseFile& file, const CaseLesion& lesion, const outputs::LesionResult& measured,
                                     const std::string& timepoint)
{
    response::Observation out;
    out.lesion = measured.lesion;
    out.status = measured.status;
    out.reason = measured.reason;
    if (measured.measurements) {
        const auto& m = *measured.measurements;
        out.long_axis = m.long_axis.recorded;
        out.short_axis = m.short_axis.recorded;
        out.craniocaudal = m.craniocaudal.recorded;
        out.volume_ml = m.recorded_volume_ml;
        if (m.hu_core) out.hu_mean = m.hu_core->mean;
        if (file.diameter_from == "reader" && measured.reader_long_axis) {
            out.long_axis = measured.reader_long_axis;
            out.source = "reader";
        }
    }
    const auto found = lesion.timepoints.find(timepoint);
    if (found == lesion.timepoints.end()) return out;
    const auto& at = found->second;
    out.merged_into = at.merged_into;
    if (!measured.measurements && at.reported_long_axis) {
        out.long_axis = at.reported_long_axis;
        out.short_axis = at.reported_short_axis;
        out.source = "reported";
    }
    return out;
}

}  // namespace

response::Patient patient_of(const CaseFile& file, const outputs::CaseResult& result)
{
    response::Patient patient;
    patient.id = file.case_id;
    patient.lesions = result.lesions;
    patient.treatments = file.treatments;
    patient.events = file.events;
    for (std::size_t t = 0; t < result.timepoints.size(); ++t) {
        const auto& now = result.timepoints[t];
        const auto& stated = file.timepoints[t];
        response::Timepoint out;
        out.id = now.id;
        out.date = now.date;
        out.day = stated.day;
        out.visit = stated.visit;
        out.new_lesions = now.new_lesions;
        out.marker_normal = stated.marker_normal;
        for (std::size_t l = 0; l < now.lesions.size(); ++l) {
            auto observation = observation_of(file, file.lesions[l], now.lesions[l], now.id);
            if (now.ct) observation.slice_mm = now.ct->facts.slice_thickness_mm;
            out.observations.push_back(std::move(observation));
        }
        patient.timepoints.push_back(std::move(out));
    }
    return patient;
}

}  // namespace retromass::run

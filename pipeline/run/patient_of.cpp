#include "pipeline/run/patient_of.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace retromass::run {
namespace {

using response::LesionStatus;
using response::Observation;

/// An interval of the run as the response takes it. That of a repeatability holds what repeats measure on average; one repeat spreads sqrt(2) times as far from another.
response::OwnInterval interval_of(double value, const response::Interval& made, const outputs::IntervalOrigin& origin)
{
    response::OwnInterval out{made, origin.not_validated.empty(), !origin.of_repeats};  // whoever repeated knows what it counts
    if (origin.of_repeats) out.ends = {value * std::pow(made.low / value, std::numbers::sqrt2), value * std::pow(made.high / value, std::numbers::sqrt2)};
    return out;
}

Observation observation_of(const CaseFile& file, const CaseLesion& lesion, const outputs::LesionResult& measured, const std::string& timepoint)
{
    Observation out;
    out.lesion = measured.lesion;
    out.status = measured.status;
    out.reason = measured.reason;
    out.conflict = measured.conflict;
    out.suggested = measured.suggested;
    if (measured.measurements) {
        const auto& m = *measured.measurements;
        out.long_axis = m.long_axis.recorded;
        out.short_axis = m.short_axis.recorded;
        out.craniocaudal = m.craniocaudal.recorded;
        out.volume_ml = m.recorded_volume_ml;
        out.cut = has(m.notices, Code::truncated);
        if (m.hu_core) out.hu_mean = m.hu_core->mean;
        if (file.diameter_from == "reader" && measured.reader_long_axis) {
            out.long_axis = measured.reader_long_axis;
            out.source = "reader";
        }
    }
    const auto found = lesion.timepoints.find(timepoint);
    const auto at = found == lesion.timepoints.end() ? LesionAtTimepoint{} : found->second;  // a carried lesion needs no word there
    out.merged_into = at.merged_into;
    out.length_mm = at.interval_mm;
    const auto made = measured.intervals.find(lesion.lesion.nodal ? "short_axis_mm" : "long_axis_mm");
    if (!out.length_mm && out.source == "mask" && made != measured.intervals.end()) {
        const auto own = interval_of((lesion.lesion.nodal ? out.short_axis : out.long_axis)->as_mm(), made->second, measured.interval_origin);
        out.length_mm = own.ends;
        out.length_calibrated = own.calibrated;
        out.length_validated = own.validated;
    }
    if (const auto volume = measured.intervals.find("volume_ml"); out.volume_ml && volume != measured.intervals.end()) out.volume_interval_ml = interval_of(*out.volume_ml, volume->second, measured.interval_origin);
    const auto other = measured.intervals.find(lesion.lesion.nodal ? "long_axis_mm" : "short_axis_mm");
    const bool of_mask = !lesion.lesion.nodal || out.source == "mask";  // a node's long axis may be the reader's
    if (const auto& axis = lesion.lesion.nodal ? out.long_axis : out.short_axis; axis && of_mask && other != measured.intervals.end()) out.other_axis_mm = interval_of(axis->as_mm(), other->second, measured.interval_origin);
    if (at.interval_hu) out.hu_interval = response::OwnInterval{*at.interval_hu};  // what `intervals` has of HU is of the whole lesion, not of its core
    out.nodule = at.nodule;
    if (!measured.measurements && at.reported_long_axis) {
        out.long_axis = at.reported_long_axis;
        out.short_axis = at.reported_short_axis;
        out.source = "reported";
    }
    return out;
}

response::StudyFacts study_of(const ingest::CtSeries& ct, const CaseTimepoint& stated)
{
    response::StudyFacts out;
    const auto& geometry = ct.volume.geometry;
    out.slice_thickness_mm = ct.facts.slice_thickness_mm;
    out.slice_spacing_mm = geometry.slice_spacing_mm();
    out.kernel = ct.facts.kernel;
    if (const auto kernel = ingest::kernel_class(ct.facts.kernel); kernel != ingest::KernelClass::unknown) out.kernel_class = name(kernel);
    out.kvp = ct.facts.kvp;
    out.phase = stated.phase.empty() ? ct.facts.contrast_phase : stated.phase;
    out.contrast = !stated.contrast.empty() ? stated.contrast : out.phase == "none" ? "none" : !out.phase.empty() || !ct.facts.contrast_agent.empty() ? "given" : "";
    out.image_kind = name(ct.facts.kind);
    if (const int slices = geometry.size().slices; slices > 1) out.scanned_mm = geometry.slice_position_mm(slices - 1) - geometry.slice_position_mm(0);
    out.lossy = has(ct.notices, Code::lossy);
    return out;
}

/// The lesions that are parts of another from some time point on: they count in it and nowhere else.
std::map<std::string, std::vector<std::string>> parts_by_lesion(const CaseFile& file)
{
    std::map<std::string, std::vector<std::string>> out;
    for (const auto& lesion : file.lesions) {
        for (const auto& [id, at] : lesion.timepoints) {
            for (const auto& part : at.split_into) {
                auto& parts = out[lesion.lesion.id];
                if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(part);
            }
        }
    }
    return out;
}

constexpr Length kTooSmall = Length::mm(5);  // E09: a part too small to measure, as a whole lesion would be

/// Of disease that is not summed the gravest statement on a part is that on the whole.
std::optional<LesionStatus> gravest(const std::vector<Observation>& parts)
{
    for (const auto status : {LesionStatus::unequivocal_progression, LesionStatus::increased}) {
        if (std::any_of(parts.begin(), parts.end(), [&](const auto& part) { return part.status == status; })) return status;
    }
    return std::nullopt;
}

/// A split lesion is its parts, their lengths and volumes added (rule 3.3). A part that is not evaluable leaves the whole so.
Observation added_up(const response::Lesion& lesion, const Observation& own, const std::vector<Observation>& parts)
{
    Observation out;
    out.lesion = lesion.id;
    out.status = LesionStatus::measured;
    out.volume_ml = 0;
    out.slice_mm = own.slice_mm;
    for (const auto& part : parts) {
        for (const auto& guess : part.suggested) out.suggested.push_back({guess.what, "part " + part.lesion + ": " + guess.text});
    }
    out.nodule = own.nodule || std::any_of(parts.begin(), parts.end(), [](const auto& part) { return part.nodule; });
    if (own.status == LesionStatus::measured) out.conflict = "measured as a whole and stated split; the parts count";
    if (const auto stated = gravest(parts); stated && lesion.role != response::Role::target) {
        out.status = *stated;
        out.volume_ml.reset();
        return out;
    }
    std::vector<Length> lengths;
    for (const auto& part : parts) {
        auto length = lesion.nodal ? part.short_axis : part.long_axis;
        const bool absent = part.status == LesionStatus::absent;
        const bool too_small = part.status == LesionStatus::too_small;
        if (too_small && !length) length = kTooSmall;
        if (!absent && ((part.status != LesionStatus::measured && !too_small) || !length)) {
            out.status = LesionStatus::not_evaluable;
            out.reason = "part " + part.lesion + " is not evaluable" + (part.reason.empty() ? "" : ": " + part.reason);
            return out;
        }
        lengths.push_back(absent ? Length{} : *length);
        if (out.volume_ml && (absent || part.volume_ml)) out.volume_ml = *out.volume_ml + (absent ? 0 : *part.volume_ml);
        else out.volume_ml.reset();
        out.cut = out.cut || part.cut;
    }
    // Disease that is not summed is there while its largest part is.
    std::iter_swap(lengths.begin(), std::max_element(lengths.begin(), lengths.end()));
    (lesion.nodal ? out.short_axis : out.long_axis) = lengths.front();
    out.fragments.assign(lengths.begin() + 1, lengths.end());
    return out;
}

void join_parts(const CaseFile& file, response::Patient& patient)
{
    const auto parts_of = parts_by_lesion(file);
    if (parts_of.empty()) return;
    for (const auto& whole : parts_of) {
        const auto& id = whole.first;
        const auto& parts = whole.second;
        const auto lesion = std::find_if(file.lesions.begin(), file.lesions.end(), [&](const auto& l) { return l.lesion.id == id; });
        bool split = false;
        for (auto& timepoint : patient.timepoints) {
            const auto at = lesion->timepoints.find(timepoint.id);
            split = split || (at != lesion->timepoints.end() && !at->second.split_into.empty());
            if (!split) continue;
            std::vector<Observation> found;
            for (const auto& observation : timepoint.observations) {
                if (std::find(parts.begin(), parts.end(), observation.lesion) != parts.end()) found.push_back(observation);
            }
            for (auto& observation : timepoint.observations) {
                if (observation.lesion == id) observation = added_up(lesion->lesion, observation, found);
            }
        }
    }
    const auto is_part = [&](const std::string& id) {
        return std::any_of(parts_of.begin(), parts_of.end(), [&](const auto& p) { return std::find(p.second.begin(), p.second.end(), id) != p.second.end(); });
    };
    std::erase_if(patient.lesions, [&](const auto& lesion) { return is_part(lesion.id); });
    for (auto& timepoint : patient.timepoints) std::erase_if(timepoint.observations, [&](const auto& o) { return is_part(o.lesion); });
}

}  // namespace

void note_counted(const CaseFile& file, outputs::CaseResult& result)
{
    for (auto& timepoint : result.timepoints) {
        for (std::size_t l = 0; l < timepoint.lesions.size(); ++l) {
            auto& now = timepoint.lesions[l];
            const auto observation = observation_of(file, file.lesions[l], now, timepoint.id);
            now.counted.reset();
            if (now.status != LesionStatus::not_evaluable) now.counted = file.lesions[l].lesion.nodal ? observation.short_axis : observation.long_axis;
            now.counted_from = now.counted ? observation.source : "";
            now.merged_into = observation.merged_into;
            const auto at = file.lesions[l].timepoints.find(timepoint.id);
            if (at != file.lesions[l].timepoints.end()) now.split_into = at->second.split_into;
        }
    }
}

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
        out.visit = now.visit.empty() ? stated.visit : now.visit;
        out.new_lesions = now.new_lesions;
        out.marker_normal = stated.marker_normal;
        if (now.ct) out.study = study_of(*now.ct, stated);
        out.study.reach_mm = now.reach_mm;
        for (std::size_t l = 0; l < now.lesions.size(); ++l) {
            auto observation = observation_of(file, file.lesions[l], now.lesions[l], now.id);
            if (now.ct) observation.slice_mm = now.ct->facts.slice_thickness_mm;
            out.observations.push_back(std::move(observation));
        }
        patient.timepoints.push_back(std::move(out));
    }
    join_parts(file, patient);
    return patient;
}

}  // namespace retromass::run

#include <algorithm>
#include <cmath>
#include <set>

#include "core/units.h"
#include "measurement/measure.h"
#include "pipeline/run/accepted.h"
#include "pipeline/run/carry_forward.h"
#include "pipeline/run/deidentify.h"
#include "pipeline/run/describe.h"
#include "pipeline/run/intervals_of.h"
#include "pipeline/run/lesion_at.h"
#include "pipeline/run/patient_of.h"
#include "pipeline/run/protocol.h"
#include "pipeline/run/protocol_limits.h"
#include "pipeline/run/run.h"
#include "pipeline/run/same_patient.h"
#include "pipeline/run/series_of.h"
#include "pipeline/run/suggest.h"

namespace retromass::run {
namespace {

constexpr double kDenseUnenhanced_hu = 130;          ///< definitions 4.2
constexpr double kReaderDisagrees_mm = 5;            ///< definitions 5.3: more than max(5 mm, 10 %)
constexpr double kReaderDisagreesRelative = 0.10;
constexpr double kCraniocaudalGrowth = 1.20;         ///< definitions 2.7

constexpr const char* kNothingSaid = "neither prompt nor status is given";

bool accepts(const std::vector<Code>& accepted, Code code) { return std::find(accepted.begin(), accepted.end(), code) != accepted.end(); }

/// The part of the whole progress that one step fills.
Progress part(const Progress& whole, double from, double to, const std::string& what)
{
    if (!whole) return {};
    return [=](std::string_view stage, double fraction) { return whole(what + ": " + std::string(stage), from + (to - from) * fraction); };
}

Error named(Error error, const CaseTimepoint& timepoint, const std::string& lesion = {})
{
    error.message = "time point " + timepoint.id + (lesion.empty() ? "" : ", lesion " + lesion) + ": " + error.message;
    return error;
}

/// A mask file laid on the CT: the one label that is asked for. The label's tracking UID goes into `result`.
Result<Mask> mask_in_file(const CaseFile& file, const std::string& name, const std::string& label, const ingest::CtSeries& ct, outputs::LesionResult& result)
{
    RETROMASS_TRY_ASSIGN(const auto labels, ingest::read_labels(file.folder / name, &ct.volume.geometry, ct.facts.frame_of_reference_uid));
    RETROMASS_TRY_ASSIGN(const auto chosen, ingest::label_named(labels, label));
    for (const auto* notices : {&labels.notices, &chosen.notices}) result.notices.insert(result.notices.end(), notices->begin(), notices->end());
    if (result.tracking_uid.empty()) result.tracking_uid = chosen.tracking_uid;
    return ingest::mask_on_grid(labels, chosen.value, ct.volume.geometry);
}

/// The slices a probability map has something on, as it is written.
outputs::ProbabilityMap shortened(const Grid<float>& probability)
{
    const auto size = probability.size();
    const auto holds = [&](int slice) {
        const auto plane = probability.plane(slice);
        return std::any_of(plane.begin(), plane.end(), [](float p) { return p >= 0.5F / 255; });
    };
    int first = 0;
    while (first < size.slices && !holds(first)) ++first;
    int end = size.slices;
    while (end > first && !holds(end - 1)) --end;
    outputs::ProbabilityMap out{first, Grid<std::uint8_t>({size.columns, size.rows, end - first})};
    const auto* const from = probability.data() + probability.offset(0, 0, first);
    for (std::size_t i = 0; i < out.values.values().size(); ++i) {
        out.values[i] = static_cast<std::uint8_t>(255 * std::clamp(from[i], 0.0F, 1.0F) + 0.5F);
    }
    return out;
}

/// A mask, and what other hands would have made of it where it was segmented here.
struct FoundMask {
    std::optional<Mask> mask;
    std::optional<MaskVariants> variants;
};

/// The mask as the reader left it; none, with a reason in `result`, where the edits cannot be replayed on it.
Result<FoundMask> with_edits(const CaseFile& file, const LesionAtTimepoint& at, Mask mask, const VolumeGeometry& geometry, outputs::LesionResult& result)
{
    if (at.edits_file.empty()) return FoundMask{std::move(mask), {}};
    RETROMASS_TRY_ASSIGN(const auto log, edits_in(file.folder / at.edits_file));
    auto done = segmentation::edited(mask, geometry, log);
    if (!done) {
        result.reason = "the edits cannot be replayed: " + done.error().message;
        return FoundMask{};
    }
    RETROMASS_TRY_ASSIGN(auto hash, outputs::sha256_of_file(file.folder / at.edits_file));
    result.edits = outputs::AppliedEdits{std::move(hash), segmentation::fingerprint(mask), segmentation::fingerprint(done->mask), std::move(done->effects)};
    result.review_state = "edited";
    return FoundMask{std::move(done->mask), {}};
}

/// The probability follows the reader across one half.
void agree(Grid<float>& probability, const Mask& mask)
{
    constexpr float margin = 0.01F;
    for (std::size_t i = 0; i < mask.values().size(); ++i) probability[i] = mask[i] ? std::max(probability[i], 0.5F + margin) : std::min(probability[i], 0.5F - margin);
}

/// Mask of a lesion at a time point: from the prompt, or read from the file the case names. No mask, with a reason
/// in `result` means not evaluable.
Result<FoundMask> mask_of(const CaseFile& file, const LesionAtTimepoint& at, segmentation::Prompt prompt, const ingest::CtSeries& ct,
                                    const RunParameters& parameters, const Progress& progress, outputs::LesionResult& result)
{
    if (!at.mask_file.empty()) {
        auto mask = mask_in_file(file, at.mask_file, at.label, ct, result);
        if (mask) return with_edits(file, at, std::move(*mask), ct.volume.geometry, result);
        if (mask.error().code != Code::empty_mask) return std::move(mask).error();
        result.reason = "the mask " + at.mask_file + " holds no voxel; that is not 0 mm";
        return FoundMask{};
    }
    if (!at.prior_file.empty()) {
        RETROMASS_TRY_ASSIGN(prompt.prior, mask_in_file(file, at.prior_file, at.label, ct, result));
    }
    result.prompt = prompt;
    segmentation::SegmentParameters settings;
    settings.method = parameters.method;
    settings.threads = parameters.threads;
    settings.variants = at.edits_file.empty() ? parameters.variants : 0;
    RETROMASS_TRY(segmentation::check_prompt(ct.volume, ct.facts.frame_of_reference_uid, prompt));
    auto made = segmentation::segment(ct.volume, ct.facts.frame_of_reference_uid, prompt, settings, progress);
    if (!made) {
        if (made.error().code == Code::cancelled) return std::move(made).error();
        result.reason = "segmentation failed: " + made.error().message;
        return FoundMask{};
    }
    result.notices.insert(result.notices.end(), made->notices.begin(), made->notices.end());
    if (result.prompt->prior) result.prompt->prior = Mask();  // that there was one is kept, not its voxels
    RETROMASS_TRY_ASSIGN(auto found, with_edits(file, at, std::move(made->mask), ct.volume.geometry, result));
    if (!found.mask) return found;
    if (result.edits) agree(made->probability, *found.mask);
    else found.variants = std::move(made->variants);  // intervals were calibrated on masks nobody touched
    const Error stopped{Code::cancelled, "stopped between segmenting and measuring", "run"};
    if (!goes_on(progress, "keeping the probability", 1)) return stopped;  // a second for a large scan, most of it to read memory that nobody has written
    result.probability = shortened(made->probability);
    if (!goes_on(progress, "measuring", 1)) return stopped;
    return found;
}

}  // namespace

Status measure_into(outputs::LesionResult& result, Mask mask, const CaseFile& file, const CaseTimepoint& timepoint, const ingest::CtSeries& ct,
                    const std::vector<Code>& accepted, int threads)
{
    measurement::MeasureParameters settings;
    settings.recorded_precision_mm = file.recorded_precision_mm;
    settings.threads = threads;
    const auto& phase = timepoint.phase.empty() ? ct.facts.contrast_phase : timepoint.phase;
    if (phase == "none") settings.dense_lower_hu = kDenseUnenhanced_hu;
    auto measured = measurement::measure(mask, ct.volume.geometry, &ct.volume.hu, settings);
    if (!measured) {
        if (measured.error().code != Code::empty_mask) return std::move(measured).error();
        result.reason = "the mask is empty";
        return Done{};
    }
    result.status = response::LesionStatus::measured;
    for (const auto code : {Code::truncated, Code::not_axial}) {
        if (!has(measured->notices, code) || accepts(accepted, code)) continue;
        result.status = response::LesionStatus::not_evaluable;
        result.reason = code == Code::truncated ? "the lesion is cut by the edge of the scan: long axis >= " + measured->long_axis.recorded.text() + " mm"
                                                : "the series is not axial; --accept not-axial measures it in the nearest plane";
    }
    for (auto& notice : measurement::irregular_gaps(mask, ct.volume.geometry, has(ct.notices, Code::missing_slices))) result.notices.push_back(std::move(notice));
    result.measurements = std::move(measured).value();
    result.mask = std::move(mask);
    return Done{};
}

void compare_with_reader(outputs::LesionResult& result, const CaseFile& file)
{
    if (!result.prompt || result.prompt->lines.empty()) return;
    const auto& line = result.prompt->lines.front();
    result.reader_long_axis = Length::recorded(distance(line.a, line.b), file.recorded_precision_mm);
    if (!result.measurements) return;
    const double reader = result.reader_long_axis->as_mm();
    const double mask = result.measurements->long_axis.recorded.as_mm();
    if (std::abs(reader - mask) > std::max(kReaderDisagrees_mm, kReaderDisagreesRelative * reader)) {
        result.notices.push_back({Code::reader_disagrees, "the reader's line is " + fixed(reader, 1) + " mm, the mask's long axis " + fixed(mask, 1) + " mm; " +
                                                              (file.diameter_from == "mask" ? "the mask's" : "the reader's") + " enters the sum"});
    }
}

bool says_nothing(const LesionAtTimepoint& at)
{
    return !at.has_prompt && at.mask_file.empty() && !at.status && !at.reported_long_axis && at.split_into.empty() && at.merged_into.empty();
}

namespace {

/// A lesion nobody said anything of: found again from the last time point, or not evaluable.
Result<outputs::LesionResult> unsaid_lesion(const CaseFile& file, const CaseLesion& lesion, const CaseTimepoint& timepoint, const outputs::TimepointResult& now, CarryForward& carrier,
                                            const std::vector<Code>& accepted, int threads, const Progress& progress)
{
    outputs::LesionResult result;
    result.lesion = lesion.lesion.id;
    result.reason = kNothingSaid;
    RETROMASS_TRY_ASSIGN(auto carried, carrier.find(lesion, now, progress));
    if (!carried) return result;
    if (!carried->found) {
        result.reason += ", and it cannot be carried from " + carried->from + ": " + carried->refusal;
        result.notices.push_back({Code::prompt_missing, lesion.lesion.id + " cannot be carried from " + carried->from + ": " + carried->refusal});
        return result;
    }
    auto& found = *carried->found;
    result.reason.clear();
    result.carried_from = carried->from;
    result.carried_trust = found.text;
    result.prompt.emplace().prior = Mask();  // that the last mask was it is kept, not its voxels
    result.notices.push_back({Code::low_confidence, "carried from " + carried->from + " by registration, nobody pointed at it here; " + found.text + "; a line would make it surer"});
    result.notices.insert(result.notices.end(), found.segmentation.notices.begin(), found.segmentation.notices.end());
    result.probability = shortened(found.segmentation.probability);
    const auto status = measure_into(result, std::move(found.segmentation.mask), file, timepoint, *now.ct, accepted, threads);
    if (!status) return named(status.error(), timepoint, lesion.lesion.id);
    if (found.segmentation.variants) add_intervals(result, now.ct->volume.geometry, *found.segmentation.variants);
    if (auto& origin = result.interval_origin; !origin.calibrated_on.empty()) {
        if (origin.not_validated.empty()) result.notices.push_back({Code::interval_not_validated, "interval not validated here: calibrated on prompts that readers gave"});
        origin.not_validated += std::string(origin.not_validated.empty() ? "" : "; ") + "its prompt was carried by registration";
    }
    return result;
}

}  // namespace

Result<outputs::LesionResult> said_lesion(const CaseFile& file, const CaseLesion& lesion, const CaseTimepoint& timepoint, const ChosenSeries& chosen, const ingest::CtSeries* ct,
                                          const RunParameters& parameters, const std::vector<Code>& accepted, const Progress& progress)
{
    outputs::LesionResult result;
    result.lesion = lesion.lesion.id;
    const auto found = lesion.timepoints.find(timepoint.id);
    if (found == lesion.timepoints.end()) {
        result.reason = kNothingSaid;
        return result;
    }
    const auto& at = found->second;
    result.reviewer = at.reader;
    const bool to_measure = at.has_prompt || !at.mask_file.empty();
    if (to_measure && !ct) return named({Code::case_file, "a prompt or mask needs a CT", "run"}, timepoint, lesion.lesion.id);
    if (to_measure) {
        if (const auto known = chosen.tracking_uids.find(lesion.lesion.id); known != chosen.tracking_uids.end()) result.tracking_uid = known->second;
        const auto prompt = chosen.prompts.find(lesion.lesion.id);
        auto found_mask = mask_of(file, at, prompt == chosen.prompts.end() ? segmentation::Prompt{} : prompt->second, *ct, parameters, progress, result);
        if (!found_mask) return named(std::move(found_mask).error(), timepoint, lesion.lesion.id);
        if (found_mask->mask) {
            const auto status = measure_into(result, std::move(*found_mask->mask), file, timepoint, *ct, accepted, parameters.threads);
            if (!status) return named(status.error(), timepoint, lesion.lesion.id);
            if (found_mask->variants) add_intervals(result, ct->volume.geometry, *found_mask->variants);
            if (parameters.repeatability) take_repeatability(result, *parameters.repeatability);
        }
        compare_with_reader(result, file);
        if (at.interval_mm && result.measurements && file.diameter_from == "mask") {  // stated for the length that counts
            const auto& m = *result.measurements;
            if (lesion.lesion.nodal) take_stated(result, "short_axis_mm", *at.interval_mm, m.short_axis.recorded.as_mm(), " mm");
            else take_stated(result, "long_axis_mm", *at.interval_mm, m.long_axis.recorded.as_mm(), " mm");
        }
        if (at.interval_hu && result.measurements) {  // of the core alone; ours is of the whole lesion
            const auto& core = result.measurements->hu_core;
            take_stated(result, "hu_core_mean", *at.interval_hu, core ? std::optional(core->mean) : std::nullopt, " HU");
        }
    } else {
        result.reason = at.status ? "" : at.reported_long_axis ? "" : kNothingSaid;
    }
    if (at.status && !to_measure) result.status = *at.status;
    if (at.reported_long_axis && !to_measure) {
        result.status = response::LesionStatus::measured;
        result.reason = "reported by " + at.reported_by + " (" + at.reported_source + "), not measured on images";
    }
    return result;
}

std::vector<std::size_t> list_shared_places(const std::vector<PlacedLesion>& lesions)
{
    const auto tell = [](outputs::LesionResult& lesion, const std::string& with, std::size_t voxels) {
        lesion.conflict = "lies in the same place as " + with + ": their masks share " + std::to_string(voxels) + " voxels";
        lesion.notices.push_back({Code::same_place, lesion.lesion + " " + lesion.conflict});
    };
    std::set<std::size_t> shared;
    std::vector<const Mask*> masks;
    for (const auto& lesion : lesions) masks.push_back(lesion.mask);
    for (const auto& [a, b, voxels, faces] : contacts_of(masks)) {
        if (voxels == 0) continue;
        tell(*lesions[a].result, lesions[b].result->lesion, voxels);
        tell(*lesions[b].result, lesions[a].result->lesion, voxels);
        shared.insert({a, b});
    }
    for (const auto l : shared) {
        auto& lesion = *lesions[l].result;
        lesion.status = response::LesionStatus::not_evaluable;
        lesion.reason = lesion.conflict;
        lesion.measurements.reset();
    }
    return {shared.begin(), shared.end()};
}

void note_diverging_axes(std::vector<outputs::TimepointResult>& timepoints)
{
    for (std::size_t t = 1; t < timepoints.size(); ++t) {
        for (auto& now : timepoints[t].lesions) {
            for (const auto& before : timepoints[t - 1].lesions) {
                if (before.lesion != now.lesion || !before.measurements || !now.measurements) continue;
                const auto& a = *before.measurements;
                const auto& b = *now.measurements;
                if (b.long_axis.recorded < a.long_axis.recorded && b.craniocaudal.recorded.as_mm() >= kCraniocaudalGrowth * a.craniocaudal.recorded.as_mm()) {
                    now.notices.push_back({Code::craniocaudal_diverges, "since " + timepoints[t - 1].id + " the long axis fell from " + a.long_axis.recorded.text() + " to " +
                                                                            b.long_axis.recorded.text() + " mm while the craniocaudal extent grew from " +
                                                                            a.craniocaudal.recorded.text() + " to " + b.craniocaudal.recorded.text() + " mm"});
                }
            }
        }
    }
}

namespace {

/// Who the case is of, as the first CT says it: a hash, never the values; empty without a CT.
std::string identity_of(const outputs::CaseResult& result)
{
    for (const auto& t : result.timepoints) {
        if (!t.ct) continue;
        const auto& who = t.ct->facts.patient;
        return who.id == 0 ? t.ct->facts.study_instance_uid : std::to_string(who.id) + " " + std::to_string(who.issuer);
    }
    return {};
}

/// One tracking UID a lesion, at every time point: the case file's, else that of the first object it came from, else one of our own,
/// which is the same whenever case and patient are.
void agree_on_tracking(outputs::CaseResult& result, const CaseFile& file)
{
    const auto patient = identity_of(result);
    std::set<std::string> taken;
    for (const auto& lesion : file.lesions) taken.insert(lesion.tracking_uid);
    for (std::size_t l = 0; l < file.lesions.size(); ++l) {
        auto uid = file.lesions[l].tracking_uid;
        for (const auto& t : result.timepoints) {
            const auto& found = t.lesions[l].tracking_uid;
            if (uid.empty() && !found.empty() && outputs::fault_of_uid(found).empty() && !taken.contains(found)) uid = found;
        }
        if (uid.empty()) uid = outputs::derived_uid("tracking " + file.case_id + " " + file.lesions[l].lesion.id + " " + patient, result.uid_root);
        for (auto& t : result.timepoints) {
            auto& lesion = t.lesions[l];
            if (!lesion.tracking_uid.empty() && lesion.tracking_uid != uid) {
                const auto fault = outputs::fault_of_uid(lesion.tracking_uid);
                const std::string why = !fault.empty() ? ", which is no UID (" + fault + ")" : taken.contains(lesion.tracking_uid) ? ", which is another lesion's" : "";
                lesion.notices.push_back({Code::tracking_disagrees, "its prompt or mask carries tracking UID " + lesion.tracking_uid + why + "; the lesion is tracked as " + uid});
            }
            lesion.tracking_uid = uid;
        }
        taken.insert(uid);
    }
}

Result<std::string> hash_of_series(const ingest::CtSeries& ct, const Progress& progress)
{
    std::set<std::filesystem::path> files;
    for (const auto& slice : ct.slices) files.insert(slice.file);
    std::vector<std::string> hashes;
    for (const auto& file : files) {
        if (!goes_on(progress, "hashing the files", static_cast<double>(hashes.size()) / static_cast<double>(files.size()))) return Error{Code::cancelled, "stopped while hashing the files", "run"};
        RETROMASS_TRY_ASSIGN(auto hash, outputs::sha256_of_file(file));
        hashes.push_back(std::move(hash));
    }
    std::sort(hashes.begin(), hashes.end());  // by content: renaming files changes nothing
    std::string all;
    for (const auto& hash : hashes) all += hash;
    return outputs::sha256_of_text(all);
}

void list_settings(outputs::CaseResult& result, const CaseFile& file, const RunParameters& parameters, const std::vector<Code>& accepted)
{
    auto& out = result.settings;
    if (file.protocol) out = settings_of(*file.protocol);
    if (parameters.settings) out.emplace_back("settings file", name_of(*parameters.settings));
    for (const auto& row : segmentation::methods()) {
        if (row.method == parameters.method) out.emplace_back("segmentation method", row.name);
    }
    const measurement::MeasureParameters m;
    if (parameters.repeatability) out.emplace_back("intervals from", name_of(*parameters.repeatability));
    out.emplace_back("recorded precision", fixed(file.recorded_precision_mm, 1) + " mm");
    out.emplace_back("diameter from", file.diameter_from);
    out.emplace_back("component limits", "gas < " + fixed(m.gas_upper_hu, 0) + ", fat < " + fixed(m.fat_upper_hu, 0) + ", low attenuation < " +
                                             fixed(m.low_attenuation_upper_hu, 0) + ", dense >= " + fixed(m.dense_lower_hu, 0) + " HU (" + fixed(kDenseUnenhanced_hu, 0) +
                                             " where the study is stated unenhanced)");
    out.emplace_back("component smoothing", fixed(m.component_smoothing_mm, 1) + " mm");
    out.emplace_back("primary criterion", std::string(response::criterion_title(file.primary)));
    for (const auto code : accepted) out.emplace_back("accepted", name(code));
    if (parameters.assume_no_new_lesions) out.emplace_back("new lesions", "silence taken as none (--assume-no-new-lesions)");
}

}  // namespace

Result<response::Policies> policies_of(const CaseFile& file, const RunParameters& parameters)
{
    response::Policies policies;
    if (parameters.settings && !file.protocol) {
        for (const auto& [name, value] : parameters.settings->policies) RETROMASS_TRY(policies.set(name, value));
    }
    for (const auto& [name, value] : file.policies) RETROMASS_TRY(policies.set(name, value));
    for (const auto& [name, value] : parameters.policies) RETROMASS_TRY(policies.set(name, value));
    if (parameters.assume_no_new_lesions) RETROMASS_TRY(policies.set("new_lesions_unstated", "assume-none"));
    return policies;
}

namespace {

/// What the other choices of a policy that this case turns on would give.
Status add_alternatives(outputs::CaseResult& result, const response::Patient& patient, const response::Policies& policies, const response::Criteria& criteria)
{
    const bool local = std::any_of(patient.treatments.begin(), patient.treatments.end(), [](const auto& t) { return t.kind != "systemic" && t.kind != "surgery"; });
    if (!local) return Done{};
    for (const char* value : {"ne", "keep", "censor"}) {
        if (policies.value("local_therapy") == value) continue;
        auto other = policies;
        RETROMASS_TRY(other.set("local_therapy", value));
        RETROMASS_TRY_ASSIGN(auto assessment, response::assess(patient, other, criteria));
        result.alternatives.emplace(std::string("local_therapy=") + value, std::move(assessment));
    }
    return Done{};
}

}  // namespace

Result<outputs::CaseResult> run_case(const CaseFile& given, const std::filesystem::path& out, const RunParameters& parameters, const Progress& progress)
{
    // From the first look at what is replaced until it is: whoever opens it meanwhile is told, and a window that is open keeps what it shows.
    std::optional<outputs::ResultLock> lock;
    if (parameters.overwrite) {
        std::error_code ignored;
        std::filesystem::create_directories(std::filesystem::absolute(out).lexically_normal().parent_path(), ignored);
        RETROMASS_TRY_ASSIGN(auto taken, outputs::ResultLock::take(out, "run", parameters.timestamp));
        lock.emplace(std::move(taken));
    }
    RETROMASS_TRY_ASSIGN(const auto file, under_protocol(given, out, parameters));
    const auto accepted = accepted_of(file, parameters);
    RETROMASS_TRY_ASSIGN(const auto planned, plan(file, out, parameters, part(progress, 0, 0, "planning")));
    RETROMASS_TRY_ASSIGN(const auto policies, policies_of(file, parameters));

    RETROMASS_TRY(outputs::check_uid_root(parameters.uid_root));

    outputs::CaseResult result;
    result.case_id = file.case_id;
    result.uid_root = parameters.uid_root;
    result.treatments = file.treatments;
    result.events = file.events;
    for (const auto& lesion : file.lesions) result.lesions.push_back(lesion.lesion);
    result.notices = planned.notices;
    list_settings(result, file, parameters, accepted);

    constexpr double kMeasuringShare = 0.8;  // of the run's time; writing takes the rest
    const double share = kMeasuringShare / static_cast<double>(file.timepoints.size());
    std::optional<ingest::AcquisitionFacts> baseline;
    const auto scans = std::count_if(file.timepoints.begin(), file.timepoints.end(), [](const auto& t) { return !t.ct.empty(); });
    SamePatient same_patient(accepts(accepted, Code::different_patient));
    for (std::size_t t = 0; t < file.timepoints.size(); ++t) {
        const auto& timepoint = file.timepoints[t];
        const double from = share * static_cast<double>(t);
        outputs::TimepointResult now;
        now.id = timepoint.id;
        now.visit = timepoint.visit;
        now.reader = timepoint.reader;
        now.new_lesions = timepoint.new_lesions;
        now.date = timepoint.date;
        if (now.date) now.date_source = "case file";
        ChosenSeries chosen;
        if (!timepoint.ct.empty()) {
            RETROMASS_TRY_ASSIGN(chosen, series_of(file, timepoint, baseline, parameters, part(progress, from, from + 0.1 * share, timepoint.id)));
            if (!baseline) baseline = chosen.series.facts;
            auto ct = ingest::load(chosen.series, parameters.threads, part(progress, from + 0.1 * share, from + 0.3 * share, timepoint.id));
            if (!ct) return named(std::move(ct).error(), timepoint);
            now.ct = std::move(ct).value();
            now.notices = now.ct->notices;
            if (!goes_on(progress, timepoint.id + ": comparing skeletons", from + 0.3 * share)) return Error{Code::cancelled, "stopped before comparing skeletons", "run"};
            if (scans > 1) {
                RETROMASS_TRY_ASSIGN(now.reach_mm, same_patient.compare(timepoint.id, now.ct->volume, parameters.threads, result.notices));
            }
            if (!now.date) {
                now.date = now.ct->facts.date();
                now.date_source = now.ct->facts.date_source();
            }
            result.synthetic = result.synthetic || now.ct->facts.synthetic;
            RETROMASS_TRY_ASSIGN(auto hash, hash_of_series(*now.ct, part(progress, from + 0.3 * share, from + 0.3 * share, timepoint.id)));
            result.inputs.emplace_back(timepoint.id + ": series " + now.ct->facts.series_instance_uid, std::move(hash));
        }
        CarryForward carrier(file, result.timepoints, parameters);
        for (const auto& lesion : file.lesions) {
            const auto at = lesion.timepoints.find(timepoint.id);
            for (const auto& name : at == lesion.timepoints.end() ? std::vector<std::string>() : std::vector{at->second.mask_file, at->second.prior_file, at->second.marks_file, at->second.edits_file}) {
                if (name.empty()) continue;
                RETROMASS_TRY_ASSIGN(auto hash, outputs::sha256_of_file(file.folder / name));
                result.inputs.emplace_back(timepoint.id + ", " + lesion.lesion.id + ": " + name, std::move(hash));
            }
            const auto steps = part(progress, from + 0.3 * share, from + share, timepoint.id);
            RETROMASS_TRY_ASSIGN(auto measured, at == lesion.timepoints.end() || says_nothing(at->second)
                                                    ? unsaid_lesion(file, lesion, timepoint, now, carrier, accepted, parameters.threads, steps)
                                                    : said_lesion(file, lesion, timepoint, chosen, now.ct ? &*now.ct : nullptr, parameters, accepted, steps));
            now.lesions.push_back(std::move(measured));
        }
        if (const auto last = carrier.last_registration()) suggest_exchanges(file, result.timepoints[last->from], now, *last->registration);
        result.timepoints.push_back(std::move(now));
    }
    note_outside(result, file);
    describe(file, result.timepoints);
    suggest_splits(file, result.timepoints);
    suggest_mergers(file, result.timepoints);
    for (auto& timepoint : result.timepoints) {
        std::vector<PlacedLesion> placed;
        for (auto& lesion : timepoint.lesions) placed.push_back({&lesion, lesion.mask ? &*lesion.mask : nullptr});
        for (const auto l : list_shared_places(placed)) timepoint.lesions[l].mask.reset();  // nothing is reported that is measured on it
    }
    note_counted(file, result);
    agree_on_tracking(result, file);
    note_diverging_axes(result.timepoints);

    auto shown = file;
    if (!parameters.key_file.empty()) {
        RETROMASS_TRY_ASSIGN(const auto key, outputs::deidentification_key(parameters.key_file));
        const auto who = identity_of(result);
        result.hiding = outputs::deidentification_of(key, who.empty() ? file.case_id : who, file.case_id, parameters.dates);
        hide(shown, result, *result.hiding);
    }
    const auto patient = patient_of(shown, result);
    response::Criteria criteria;
    criteria.primary = file.primary;
    if (!file.criteria.empty()) criteria.others = file.criteria;
    RETROMASS_TRY_ASSIGN(result.assessment, response::assess(patient, policies, criteria));
    if (file.protocol) result.assessment.protocol = name_of(*file.protocol);
    for (const auto& timepoint : result.timepoints) add_outside(result.assessment, timepoint.id, timepoint.notices);
    RETROMASS_TRY(add_alternatives(result, patient, policies, criteria));

    outputs::WriteParameters write;
    write.overwrite = parameters.overwrite;
    write.command = result.hiding ? "retromass run --deidentify" : parameters.command;  // paths may name somebody
    write.timestamp = parameters.timestamp;
    write.draw_surfaces = parameters.draw_surfaces;
    RETROMASS_TRY_ASSIGN(const auto unsigned_now, outputs::write_case(out, result, write, part(progress, kMeasuringShare, 1, "writing")));
    result.notices.insert(result.notices.end(), unsigned_now.begin(), unsigned_now.end());
    return result;
}

}  // namespace retromass::run

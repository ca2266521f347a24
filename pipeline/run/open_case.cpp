#include <algorithm>

#include "pipeline/run/accepted.h"
#include "pipeline/run/lesion_at.h"
#include "pipeline/run/patient_of.h"
#include "pipeline/run/protocol.h"
#include "pipeline/run/run.h"
#include "pipeline/run/series_of.h"

namespace retromass::run {
namespace {

/// What patient and series say of a time point, without its voxels.
outputs::TimepointResult without_voxels(const CaseTimepoint& stated, const ingest::CtSeries* ct)
{
    outputs::TimepointResult out;
    out.id = stated.id;
    out.reader = stated.reader;
    out.new_lesions = stated.new_lesions;
    out.date = stated.date;
    if (!ct) return out;
    out.ct = ingest::CtSeries{ct->facts, {ct->volume.geometry, {}}, {}, ct->notices};
    if (!out.date) out.date = ct->facts.date();
    return out;
}

OpenCase::Lesion without_voxels(outputs::LesionResult result)
{
    OpenCase::Lesion out;
    if (result.mask) out.mask = std::make_shared<const Mask>(std::move(*result.mask));
    result.mask.reset();
    result.probability.reset();
    out.result = std::move(result);
    return out;
}

/// Lesions as they count: where some share voxels, none of those; their masks stay in sight, as the reader has to part them.
std::vector<OpenCase::Lesion> as_they_count(std::vector<OpenCase::Lesion> lesions)
{
    std::vector<PlacedLesion> placed;
    for (auto& lesion : lesions) placed.push_back({&lesion.result, lesion.mask.get()});
    list_shared_places(placed);
    return lesions;
}

}  // namespace

Status OpenCase::read(std::size_t t, const ChosenSeries& chosen, const WrittenCase& written, const Progress& progress)
{
    const auto& timepoint = file_.timepoints[t];
    std::shared_ptr<const ingest::CtSeries> ct;
    if (!timepoint.ct.empty()) {
        RETROMASS_TRY_ASSIGN(auto loaded, ingest::load(chosen.series, parameters_.threads, progress));
        synthetic_ = synthetic_ || loaded.facts.synthetic;
        ct = std::make_shared<const ingest::CtSeries>(std::move(loaded));
    }
    for (const auto& lesion : file_.lesions) {
        const auto found = written.find({timepoint.id, lesion.lesion.id});
        const auto kept = found == written.end() ? Written{} : found->second;
        const auto at = lesion.timepoints.find(timepoint.id);
        const bool said = at != lesion.timepoints.end() && !says_nothing(at->second);
        auto asked = lesion;
        const bool has_mask = ct && !kept.mask.empty() && (said || !kept.carried_from.empty());
        if (has_mask) {
            auto& from = asked.timepoints[timepoint.id];
            from.mask_file = std::filesystem::absolute(kept.mask).string();
            from.has_prompt = false;
            from.label.clear();
            from.edits_file.clear();  // the mask that was written holds them already
        }
        RETROMASS_TRY_ASSIGN(auto result, said_lesion(file_, asked, timepoint, chosen, ct.get(), parameters_, accepted_, progress));
        if (const auto drawn = chosen.prompts.find(lesion.lesion.id); has_mask && drawn != chosen.prompts.end()) {
            result.prompt = drawn->second;
            compare_with_reader(result, file_);
        }
        if (!said && !has_mask && !kept.reason.empty()) result.reason = kept.reason;
        if (!said && has_mask) {
            result.carried_from = kept.carried_from;
            result.notices.push_back({Code::low_confidence, "carried from " + kept.carried_from + " by registration, nobody pointed at it here"});
        }
        lesions_[t].push_back(without_voxels(std::move(result)));
    }
    timepoints_[t] = without_voxels(timepoint, ct.get());
    cts_[t] = std::move(ct);
    return Done{};
}

Result<OpenCase> OpenCase::open(const CaseFile& file, const WrittenCase& written, const std::set<std::string>& changed, const RunParameters& parameters, const Progress& progress, const ReadFirst& first)
{
    OpenCase out;
    out.file_ = file;
    if (parameters.protocol) RETROMASS_TRY(take_protocol(out.file_, *parameters.protocol));
    out.parameters_ = parameters;
    out.parameters_.variants = 0;
    out.accepted_ = accepted_of(out.file_, parameters);
    const auto& stated = out.file_.timepoints;
    out.lesions_.resize(stated.size());
    out.timepoints_.resize(stated.size());
    out.cts_.resize(stated.size());

    const auto baseline = static_cast<std::size_t>(std::find_if(stated.begin(), stated.end(), [](const auto& t) { return !t.ct.empty(); }) - stated.begin());
    std::vector<std::optional<ChosenSeries>> chosen(stated.size());
    // Every series is chosen knowing the first one, in whatever order they are read.
    const auto choose = [&](std::size_t t) -> Status {
        if (chosen[t]) return Done{};
        if (stated[t].ct.empty()) {
            chosen[t].emplace();
            return Done{};
        }
        std::optional<ingest::AcquisitionFacts> known;
        if (t != baseline) known = chosen[baseline]->series.facts;
        RETROMASS_TRY_ASSIGN(chosen[t], series_of(out.file_, stated[t], known, out.parameters_, progress));
        return Done{};
    };
    const auto read = [&](std::size_t t) -> Status {
        if (baseline < stated.size()) RETROMASS_TRY(choose(baseline));
        RETROMASS_TRY(choose(t));
        return out.read(t, *chosen[t], written, progress);
    };
    const bool early = first.tell && changed.empty() && first.timepoint < stated.size();
    if (early) {
        RETROMASS_TRY(read(first.timepoint));
        first.tell({out.cts_[first.timepoint], out.timepoints_[first.timepoint].date, as_they_count(out.lesions_[first.timepoint])});
    }
    for (std::size_t t = 0; t < stated.size(); ++t) {
        if (!early || t != first.timepoint) RETROMASS_TRY(read(t));
    }
    for (std::size_t t = 0; t < stated.size(); ++t) {
        if (changed.contains(stated[t].id)) out.unsettle_carried(out.lesions_, t);
    }
    for (const auto& lesions : out.lesions_) out.counting_.push_back(as_they_count(lesions));
    return out;
}

/// A carried lesion rests on all masks of the time point it comes from: they are left out of the registration.
std::set<std::size_t> OpenCase::unsettle_carried(Lesions& lesions, std::size_t changed) const
{
    std::set<std::string> moved{timepoints_[changed].id};
    std::set<std::size_t> out;
    for (std::size_t t = changed + 1; t < lesions.size(); ++t) {
        for (std::size_t l = 0; l < lesions[t].size(); ++l) {
            auto& lesion = lesions[t][l];
            auto& result = lesion.result;
            const auto at = file_.lesions[l].timepoints.find(timepoints_[t].id);
            if (file_.carries_forward && !lesion.mask && (at == file_.lesions[l].timepoints.end() || says_nothing(at->second))) {
                result.reason = "nothing is said of it, and a mask before it has changed: the next run may carry it here";
                out.insert(t);
            }
            if (!moved.contains(result.carried_from)) continue;
            result.status = response::LesionStatus::not_evaluable;
            result.reason = "it was carried from " + result.carried_from + ", where a mask has changed: the next run looks for it again";
            result.measurements.reset();
            lesion.mask.reset();
            out.insert(t);
        }
        if (out.contains(t)) moved.insert(timepoints_[t].id);  // and on from there
    }
    return out;
}

OpenCase::Lesions OpenCase::lesions_with(Place place, const Lesion& changed) const
{
    auto own = lesions_;
    own[place.timepoint][place.lesion] = changed;
    auto moved = unsettle_carried(own, place.timepoint);
    moved.insert(place.timepoint);
    auto out = counting_;
    for (const auto t : moved) out[t] = as_they_count(std::move(own[t]));
    return out;
}

Result<OpenCase::Lesion> OpenCase::tried(Place place, const LesionAtTimepoint& said, const std::shared_ptr<const Mask>& mask, const Progress& progress) const
{
    const auto& timepoint = file_.timepoints[place.timepoint];
    const auto* ct = cts_[place.timepoint].get();
    auto lesion = file_.lesions[place.lesion];
    if (mask && ct) {
        auto result = lesions_[place.timepoint][place.lesion].result;
        result.measurements.reset();
        result.reason.clear();
        result.notices.clear();
        RETROMASS_TRY(measure_into(result, *mask, file_, timepoint, *ct, accepted_, parameters_.threads));
        compare_with_reader(result, file_);
        return without_voxels(std::move(result));
    }
    lesion.timepoints[timepoint.id] = said;
    ChosenSeries chosen;
    if (said.has_prompt) chosen.prompts[lesion.lesion.id] = said.prompt;
    RETROMASS_TRY_ASSIGN(auto result, said_lesion(file_, lesion, timepoint, chosen, ct, parameters_, accepted_, progress));
    return without_voxels(std::move(result));
}

Result<OpenCase::Lesion> OpenCase::edited(Place place, segmentation::EditLog edits, const Progress& progress) const
{
    const auto& timepoint = file_.timepoints[place.timepoint];
    const auto& now = lesions_[place.timepoint][place.lesion];
    const auto& said = file_.lesions[place.lesion].timepoints;
    const auto at = said.find(timepoint.id);
    if (at == said.end() || (!at->second.has_prompt && at->second.mask_file.empty())) {
        return Error{Code::prompt_missing, "nobody pointed at this lesion here: draw a prompt before you change its mask", "run: edited"};
    }
    auto before = now.unedited;
    if (!before && at->second.edits_file.empty()) before = now.mask;
    if (!before) {
        auto untouched = at->second;
        untouched.edits_file.clear();
        if (!untouched.marks_file.empty() && now.result.prompt) untouched.prompt = *now.result.prompt;
        RETROMASS_TRY_ASSIGN(auto again, tried(place, untouched, {}, progress));
        before = again.mask;
    }
    if (!before) return Error{Code::empty_mask, "there is no mask to change", "run: edited"};
    edits.start.clear();  // it is this very mask
    RETROMASS_TRY_ASSIGN(auto done, segmentation::edited(*before, cts_[place.timepoint]->volume.geometry, edits));
    RETROMASS_TRY_ASSIGN(auto out, tried(place, {}, std::make_shared<const Mask>(std::move(done.mask))));
    out.unedited = std::move(before);
    return out;
}

Result<response::Assessment> OpenCase::assessed(const Lesions& lesions) const
{
    outputs::CaseResult result;
    result.case_id = file_.case_id;
    for (const auto& lesion : file_.lesions) result.lesions.push_back(lesion.lesion);
    result.timepoints = timepoints_;
    for (std::size_t t = 0; t < lesions.size(); ++t) {
        for (const auto& lesion : lesions[t]) result.timepoints[t].lesions.push_back(lesion.result);
    }
    RETROMASS_TRY_ASSIGN(const auto policies, policies_of(file_, parameters_));
    response::Criteria criteria;
    criteria.primary = file_.primary;
    if (!file_.criteria.empty()) criteria.others = file_.criteria;
    return response::assess(patient_of(file_, result), policies, criteria);
}

void OpenCase::take(Place place, const LesionAtTimepoint& said, Lesion changed)
{
    counting_ = lesions_with(place, changed);
    file_.lesions[place.lesion].timepoints[file_.timepoints[place.timepoint].id] = said;
    lesions_[place.timepoint][place.lesion] = std::move(changed);
    unsettle_carried(lesions_, place.timepoint);
}

}  // namespace retromass::run

#include "pipeline/cli/view_scene.h"

#include <fstream>

#include "core/units.h"
#include "pipeline/cli/commands.h"

namespace retromass::cli {
namespace {

namespace fs = std::filesystem;

std::string percent(const std::optional<double>& change) { return change ? std::string(*change > 0 ? " +" : " ") + fixed(*change, 1) + " %" : ""; }

/// The time point each one is compared with by the primary criterion, by its id.
std::map<std::string, std::string> baselines_of(const response::Assessment& assessment)
{
    std::map<std::string, std::string> out;
    for (const auto& row : assessment.recist) {
        if (!row.is_baseline) out[row.timepoint] = row.baseline_timepoint;
    }
    if (assessment.primary == "recist-1.1") return out;
    for (const auto& period : assessment.criteria) {
        if (period.criterion != assessment.primary) continue;
        std::string baseline;
        for (const auto& row : period.timepoints) {
            if (row.is_baseline) baseline = row.timepoint;
            else out[row.timepoint] = baseline;
        }
    }
    return out;
}

Result<viewer::TimepointView> timepoint_of(const run::CaseFile& file, std::size_t t, const std::shared_ptr<const ingest::CtSeries>& ct, const std::vector<run::OpenCase::Lesion>& lesions, const Log& log)
{
    viewer::TimepointView out;
    out.id = file.timepoints[t].id;
    if (ct) out.ct = {ct, &ct->volume};
    for (const auto& lesion : lesions) {
        auto view = shown(lesion);
        const auto& said = file.lesions[out.lesions.size()].timepoints;
        if (const auto at = said.find(out.id); at != said.end() && !at->second.edits_file.empty()) {
            RETROMASS_TRY_ASSIGN(view.edits, run::edits_in(file.folder / at->second.edits_file));
        }
        if (const auto review = log.reviews.find({out.id, view.lesion}); review != log.reviews.end()) {
            view.review_state = review->second.first;
            view.reader = review->second.second;
        }
        out.lesions.push_back(std::move(view));
    }
    return out;
}

viewer::Scene without_timepoints(const run::CaseFile& file, bool synthetic)
{
    viewer::Scene scene;
    scene.case_id = file.case_id;
    scene.synthetic = synthetic;
    scene.criterion = response::criterion_title(file.primary);
    return scene;
}

}  // namespace

nlohmann::json json_in(const fs::path& file)
{
    std::ifstream in(file);
    return nlohmann::json::parse(in, nullptr, false);
}

Log log_of(const fs::path& folder)
{
    Log log;
    std::map<Log::Place, std::string> masks;
    std::ifstream in(folder / "events.jsonl");
    for (std::string line; std::getline(in, line);) {
        const auto event = nlohmann::json::parse(line, nullptr, false);
        if (!event.is_object()) continue;
        const auto what = event.value("event", "");
        const Log::Place place{event.value("timepoint", ""), event.value("lesion", "")};
        if (what == "review") log.reviews[place] = {event.value("state", ""), event.value("reader", "")};
        if (what == "review" && event.value("state", "") == "edited") log.changed.insert(place);
        if (what == "case-written") log.changed.clear();
        if (what == "measured" || what == "status") {
            const auto mask = event.value("mask_sha256", "");
            // A review is of the mask that was there; an edit is of the one that the next run makes.
            if (masks.contains(place) && masks[place] != mask && !log.changed.contains(place)) log.reviews.erase(place);
            masks[place] = mask;
        }
    }
    return log;
}

run::OpenCase::WrittenCase written_in(const fs::path& folder, const run::CaseFile& file, const Log& log)
{
    run::OpenCase::WrittenCase written;
    for (const auto& timepoint : file.timepoints) {
        for (const auto& lesion : file.lesions) {
            const Log::Place place{timepoint.id, lesion.lesion.id};
            if (log.changed.contains(place)) continue;
            if (const auto mask = mask_file_of(folder, place.first, place.second)) written[place].mask = *mask;
        }
    }
    const auto result = json_in(folder / "case.json");
    if (!result.is_object()) return written;
    for (const auto& timepoint : result.value("timepoints", nlohmann::json::array())) {
        for (const auto& lesion : timepoint.value("lesions", nlohmann::json::array())) {
            auto& kept = written[{timepoint.value("id", ""), lesion.value("id", "")}];
            kept.reason = lesion.value("reason", "");
            if (const auto carried = lesion.find("carried"); carried != lesion.end() && carried->is_object()) kept.carried_from = carried->value("from", "");
        }
    }
    return written;
}

viewer::LesionView shown(const run::OpenCase::Lesion& lesion)
{
    viewer::LesionView out;
    out.lesion = lesion.result.lesion;
    out.mask = lesion.mask;
    out.measurements = lesion.result.measurements;
    out.reason = lesion.result.reason;
    if (lesion.result.prompt) out.prompt = *lesion.result.prompt;
    out.notices = lesion.result.notices;
    if (out.measurements) out.notices.insert(out.notices.begin(), out.measurements->notices.begin(), out.measurements->notices.end());
    return out;
}

std::vector<std::string> responses_of(const run::CaseFile& file, const response::Assessment& assessment)
{
    std::map<std::string, std::string> by_timepoint;
    const auto put = [&](const std::string& timepoint, bool is_baseline, response::Category category, const std::optional<double>& change) {
        if (is_baseline) by_timepoint.try_emplace(timepoint, "baseline");
        else by_timepoint[timepoint] = std::string(response::name(category)) + percent(change);
    };
    if (assessment.primary == "recist-1.1") {
        for (const auto& row : assessment.recist) put(row.timepoint, row.is_baseline, row.overall.category, row.change_from_baseline_pct);
    } else {
        for (const auto& period : assessment.criteria) {
            if (period.criterion != assessment.primary) continue;
            for (const auto& row : period.timepoints) put(row.timepoint, row.is_baseline, row.decision.category, row.change_from_baseline_pct);
        }
    }
    std::vector<std::string> out;
    for (const auto& timepoint : file.timepoints) out.push_back(by_timepoint[timepoint.id]);
    return out;
}

std::string words_of(const std::string& reader, const std::string& role, const std::string& time) { return reader + ", " + role + ", " + time; }

std::map<std::string, std::string> signatures_in(const fs::path& folder)
{
    std::map<std::string, std::string> out;
    const auto written = json_in(folder / "case.json");
    if (!written.is_object()) return out;
    for (const auto& timepoint : written.value("timepoints", nlohmann::json::array())) {
        const auto signature = timepoint.value("signature", nlohmann::json());
        if (signature.is_object()) out[timepoint.value("id", "")] = words_of(signature.value("reader", ""), signature.value("role", ""), signature.value("time", ""));
    }
    return out;
}

Result<viewer::Scene> scene_of(const run::OpenCase& open, const Log& log, std::map<std::string, std::string> signatures)
{
    const auto& file = open.file();
    auto scene = without_timepoints(file, open.synthetic());
    RETROMASS_TRY_ASSIGN(const auto assessment, open.assessed(open.lesions()));
    const auto responses = responses_of(file, assessment);
    auto baselines = baselines_of(assessment);
    for (std::size_t t = 0; t < file.timepoints.size(); ++t) {
        RETROMASS_TRY_ASSIGN(auto timepoint, timepoint_of(file, t, open.ct(t), open.lesions()[t], log));
        timepoint.date = open.date(t);
        timepoint.response = responses[t];
        timepoint.signature = signatures[timepoint.id];
        timepoint.baseline = baselines[timepoint.id];
        scene.timepoints.push_back(std::move(timepoint));
    }
    return scene;
}

Result<viewer::Scene> early_scene(const run::CaseFile& file, std::size_t first, const run::OpenCase::Early& early, const Log& log, std::map<std::string, std::string> signatures)
{
    auto scene = without_timepoints(file, early.ct->facts.synthetic);
    for (std::size_t t = 0; t < file.timepoints.size(); ++t) {
        const bool here = t == first;
        RETROMASS_TRY_ASSIGN(auto timepoint, timepoint_of(file, t, here ? early.ct : nullptr, here ? early.lesions : std::vector<run::OpenCase::Lesion>{}, log));
        timepoint.date = here ? early.date : file.timepoints[t].date;
        timepoint.signature = signatures[timepoint.id];
        timepoint.being_read = !here;
        scene.timepoints.push_back(std::move(timepoint));
    }
    scene.read_only = scene.message = "the other time points are still being read; wait a moment";
    return scene;
}

}  // namespace retromass::cli

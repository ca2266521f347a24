#include "viewer/view.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>

#include "core/units.h"
#include "measurement/response/response.h"
#include "pipeline/cli/clock.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/method_option.h"
#include "pipeline/outputs/outputs.h"
#include "pipeline/run/run.h"

namespace retromass::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
    std::string folder;
    std::string case_file;
    std::string reader;
    std::string role;
    std::string uid_root = outputs::kUidRoot;
    bool read_only = false;
    bool blinded = false;
    std::string picture;
    std::string timepoint;
    int threads = 0;
};

/// The case file of a finished case: named, else in the folder, beside it or where `demo` puts it.
Result<fs::path> case_file_of(const Options& options)
{
    if (!options.case_file.empty()) return fs::path(options.case_file);
    const fs::path folder = fs::absolute(options.folder).lexically_normal();
    const fs::path out = folder.has_filename() ? folder : folder.parent_path();
    for (const auto& place : {out / "case.yaml", out.parent_path() / "case.yaml", out.parent_path() / "patient" / "case.yaml"}) {
        if (fs::exists(place)) return place;
    }
    return Error{Code::usage, "no case.yaml in or beside " + options.folder + "; name it with --case", "cli"};
}

nlohmann::json json_in(const fs::path& file)
{
    std::ifstream in(file);
    return nlohmann::json::parse(in, nullptr, false);
}

/// The rules a result was made by: method, policies and what was accepted. Fails with usage where it is of another case.
Result<run::RunParameters> rules_of(const Options& options, const run::CaseFile& file)
{
    run::RunParameters rules;
    rules.threads = options.threads;
    const auto provenance = json_in(fs::path(options.folder) / "provenance.json");
    if (!provenance.is_object()) return rules;
    if (const auto written = provenance.value("case", file.case_id); written != file.case_id) {
        return Error{Code::usage, options.folder + " is of case " + written + ", the case file of " + file.case_id + "; name the one it was run from with --case", "cli"};
    }
    const auto settings = provenance.value("settings", nlohmann::json::object());
    if (const auto method = settings.value("segmentation method", ""); !method.empty()) { RETROMASS_TRY_ASSIGN(rules.method, method_named(method)); }
    std::istringstream accepted(settings.value("accepted", ""));  // "code, code"
    for (std::string word; std::getline(accepted >> std::ws, word, ',');) {
        if (const auto code = code_named(word)) rules.accepted.push_back(*code);
    }
    const auto policies = provenance.value("policies", nlohmann::json::object());
    for (const auto& [name, value] : policies.items()) {
        if (value.is_string()) rules.policies[name] = value.get<std::string>();
    }
    return rules;
}

/// The protocol a result was made under; empty = none.
std::string protocol_of(const fs::path& folder)
{
    const auto written = json_in(folder / "case.json");
    return written.is_object() ? written.value("response", nlohmann::json::object()).value("protocol", "") : "";
}

/// What has to be said again so that a run of the changed case says what the window said: the options of the run before, where it had any.
std::string options_of(const run::RunParameters& rules)
{
    std::string out;
    for (const auto& entry : segmentation::methods()) {
        if (entry.method == rules.method && entry.method != run::RunParameters{}.method) out += " --method " + std::string(entry.name);
    }
    for (const auto code : rules.accepted) out += " --accept " + std::string(name(code));
    return out;
}

/// What the audit log says of the lesions since the case was last written.
struct Log {
    using Place = std::pair<std::string, std::string>;                  ///< time point, lesion
    std::map<Place, std::pair<std::string, std::string>> reviews;       ///< state and reader, of the mask that is there now
    std::set<Place> changed;                                            ///< in the case file, not yet in the result
};
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

/// What a result holds of its lesions. Masks that the case file has gone beyond are left out; of uneven series there is no NIfTI: then the prompt is followed again.
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

std::string percent(const std::optional<double>& change) { return change ? std::string(*change > 0 ? " +" : " ") + fixed(*change, 1) + " %" : ""; }

/// What the primary criterion says at every time point; of a time point in two periods the one it ends.
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

std::string words_of(const std::string& reader, const std::string& role, const std::string& time) { return reader + ", " + role + ", " + time; }

/// Who signed which time point's report.
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
    viewer::Scene scene;
    scene.case_id = file.case_id;
    scene.synthetic = open.synthetic();
    scene.criterion = response::criterion_title(file.primary);
    RETROMASS_TRY_ASSIGN(const auto assessment, open.assessed(open.lesions()));
    const auto responses = responses_of(file, assessment);
    auto baselines = baselines_of(assessment);
    for (std::size_t t = 0; t < file.timepoints.size(); ++t) {
        viewer::TimepointView timepoint;
        timepoint.id = file.timepoints[t].id;
        timepoint.date = open.date(t);
        timepoint.response = responses[t];
        timepoint.signature = signatures[timepoint.id];
        timepoint.baseline = baselines[timepoint.id];
        if (const auto& ct = open.ct(t)) timepoint.ct = {ct, &ct->volume};
        for (const auto& lesion : open.lesions()[t]) {
            auto view = shown(lesion);
            const auto& said = file.lesions[timepoint.lesions.size()].timepoints;
            if (const auto at = said.find(timepoint.id); at != said.end() && !at->second.edits_file.empty()) {
                RETROMASS_TRY_ASSIGN(view.edits, run::edits_in(file.folder / at->second.edits_file));
            }
            if (const auto review = log.reviews.find({timepoint.id, view.lesion}); review != log.reviews.end()) {
                view.review_state = review->second.first;
                view.reader = review->second.second;
            }
            timepoint.lesions.push_back(std::move(view));
        }
        scene.timepoints.push_back(std::move(timepoint));
    }
    return scene;
}

/// What a blinded reader must not see: dates, names that may be dates, and what other readers said. Without a case it hides nothing.
class Blinds {
public:
    Blinds() = default;
    Blinds(const run::CaseFile& file, std::string reader) : reader_(std::move(reader))
    {
        for (const auto& timepoint : file.timepoints) names_.emplace(timepoint.id, "time point " + std::to_string(names_.size() + 1));
    }
    Error hidden(Error error) const
    {
        hide(error.message);
        return error;
    }
    viewer::LesionView hidden(viewer::LesionView lesion) const
    {
        hide(lesion.reason);
        for (auto& notice : lesion.notices) hide(notice.text);
        return lesion;
    }
    viewer::Scene hidden(viewer::Scene scene, const run::CaseFile& file) const
    {
        scene.blinded = true;
        for (auto& timepoint : scene.timepoints) {
            timepoint.date.reset();
            for (std::size_t l = 0; l < timepoint.lesions.size(); ++l) {
                auto& lesion = timepoint.lesions[l];
                const auto& said = file.lesions[l].timepoints;
                if (const auto at = said.find(timepoint.id); at == said.end() || at->second.reader != reader_) lesion.prompt = {};
                if (lesion.reader != reader_) {
                    lesion.review_state = "unreviewed";
                    lesion.reader.clear();
                }
                lesion = hidden(std::move(lesion));
            }
            timepoint.id = names_.at(timepoint.id);
            if (!timepoint.baseline.empty()) timepoint.baseline = names_.at(timepoint.baseline);
        }
        return scene;
    }

private:
    void hide(std::string& text) const
    {
        constexpr std::size_t kShort = 4;   // may be part of any word
        for (const auto& [id, name] : names_) {
            if (id.size() < kShort || id.find_first_of("0123456789") == std::string::npos) continue;
            for (std::size_t at = 0; (at = text.find(id, at)) != std::string::npos; at += name.size()) text.replace(at, id.size(), name);
        }
    }
    std::string reader_;
    std::map<std::string, std::string> names_;
};

/// Fails with usage where a blinded reading cannot be one.
Status may_be_blinded(const Options& options, const std::map<std::string, std::string>& signatures)
{
    if (options.reader.empty() || options.role.empty()) return Error{Code::usage, "--blinded needs --reader and --role: each time point is signed before the next is shown", "cli"};
    for (const auto& [timepoint, signature] : signatures) {
        if (signature.starts_with(options.reader + ", ")) continue;
        return Error{Code::usage, "this result is signed by another reader; for a blinded reading run the case into a folder of its own", "cli"};
    }
    return Done{};
}

/// What the case file would say of a lesion after a change: prompt and reader are new, the rest stays; edits are written apart.
run::LesionAtTimepoint said_of(const run::OpenCase& open, const viewer::Change& change, const std::string& reader)
{
    const auto& lesion = open.file().lesions[change.lesion];
    const auto before = lesion.timepoints.find(open.file().timepoints[change.timepoint].id);
    run::LesionAtTimepoint out;
    if (before != lesion.timepoints.end()) out = before->second;
    out.reader = reader;
    if (change.edits) return out;
    out.prompt = change.prompt;
    out.has_prompt = true;
    out.status.reset();
    out.status_date.reset();
    for (auto* text : {&out.mask_file, &out.prior_file, &out.label, &out.edits_file, &out.marks_file, &out.mark}) text->clear();
    return out;
}

/// The case a window works on: it tries changes, and takes those that a reader wants.
class Desk {
public:
    /// `changed`: the case file says something that the result does not hold yet. Without a lock nothing is taken or signed.
    Desk(const Options& options, fs::path case_file, run::OpenCase open, bool changed, Blinds blinds, const std::optional<outputs::ResultLock>& lock)
        : options_(options), case_file_(std::move(case_file)), open_(std::move(open)), blinds_(std::move(blinds)), lock_(lock), changed_(changed) {}

    Result<viewer::Outcome> outcome(const viewer::Change& change, const Progress& progress)
    {
        const run::OpenCase::Place place{change.timepoint, change.lesion};
        auto found = change.edits ? open_.edited(place, *change.edits, progress) : open_.tried(place, said_of(open_, change, options_.reader), {}, progress);
        if (!found) return blinds_.hidden(std::move(found).error());
        auto tried = std::move(*found);
        const auto lesions = open_.lesions_with(place, tried);
        RETROMASS_TRY_ASSIGN(const auto assessment, open_.assessed(lesions));
        viewer::Outcome out;
        for (const auto& timepoint : lesions) {
            auto& views = out.lesions.emplace_back();
            for (const auto& lesion : timepoint) views.push_back(blinds_.hidden(shown(lesion)));
        }
        out.responses = responses_of(open_.file(), assessment);
        tried_ = std::move(tried);
        return out;
    }

    /// The last outcome becomes the case's; the file is changed first, so that what is shown is never ahead of it.
    Result<std::string> take(const viewer::Change& change)
    {
        RETROMASS_ASSERT(tried_, "only what was shown is taken");
        const auto& timepoint = open_.file().timepoints[change.timepoint].id;
        const auto& lesion = open_.file().lesions[change.lesion].lesion.id;
        auto edits = change.edits;
        if (edits) edits->start = segmentation::fingerprint(*tried_->unedited);
        const auto changed = run::change_case(case_file_, timepoint, lesion, said_of(open_, change, options_.reader), edits);
        if (!changed) return blinds_.hidden(changed.error());
        const auto& kept = *changed;
        RETROMASS_TRY_ASSIGN(const auto file, run::read_case(case_file_));
        const auto& said = file.lesions[change.lesion].timepoints.at(timepoint);
        RETROMASS_TRY(outputs::note_reviews(*lock_, {{timestamp_now(), timepoint, lesion, "edited", options_.reader, change.reason, false, options_.blinded}}));
        open_.take({change.timepoint, change.lesion}, said, std::move(*tried_));
        tried_.reset();
        changed_ = true;
        taken_.insert({change.timepoint, change.lesion});
        return "written to " + case_file_.filename().string() + "; the version before is kept as " + kept.filename().string();
    }
    bool changed() const { return changed_; }

    /// A line for every lesion that was changed: what a run of the case file will say.
    Result<std::vector<std::string>> changes() const
    {
        RETROMASS_TRY_ASSIGN(const auto assessment, open_.assessed(open_.lesions()));
        const auto responses = responses_of(open_.file(), assessment);
        std::vector<std::string> out;
        for (const auto& [timepoint, lesion] : taken_) {
            const auto& result = open_.lesions()[timepoint][lesion].result;
            auto line = open_.file().timepoints[timepoint].id + ", " + result.lesion + ": ";
            if (result.status == response::LesionStatus::not_evaluable) line += "not evaluable: " + result.reason;
            else if (result.measurements) line += viewer::sizes_text(*result.measurements) + " mm";
            else line += std::string(response::name(result.status));
            out.push_back(line + "; " + std::string(response::criterion_title(open_.file().primary)) + ": " + responses[timepoint]);
        }
        return out;
    }

    Result<std::string> sign(std::size_t timepoint, const std::string& reason)
    {
        if (changed_) return Error{Code::usage, "the case file has changed since the result was written; close, run it again with --overwrite, then sign", "cli"};
        outputs::SignParameters signature{options_.reader, options_.role, open_.file().timepoints[timepoint].id, reason, timestamp_now(), options_.uid_root, options_.blinded};
        RETROMASS_TRY(outputs::sign_case(*lock_, signature));
        return words_of(signature.reader, signature.role, signature.timestamp);
    }

private:
    const Options& options_;
    fs::path case_file_;
    run::OpenCase open_;
    Blinds blinds_;
    const std::optional<outputs::ResultLock>& lock_;
    std::optional<run::OpenCase::Lesion> tried_;
    bool changed_ = false;
    std::set<std::pair<std::size_t, std::size_t>> taken_;   ///< time point and lesion
};

/// Where a reader stopped, kept beside the result.
void keep_place(const fs::path& file, const viewer::Scene& scene, const viewer::View& view)
{
    const auto& timepoint = scene.timepoints[view.timepoint];
    const auto* lesion = viewer::lesion_of(scene, view);
    const nlohmann::ordered_json place{{"timepoint", timepoint.id}, {"lesion", lesion ? lesion->lesion : ""}, {"cursor", {view.cursor.x, view.cursor.y, view.cursor.z}},
                                       {"window", {view.window.center_hu, view.window.width_hu}}, {"zoom", view.zoom}, {"beside", view.beside ? scene.timepoints[*view.beside].id : ""}};
    std::ofstream(file) << place.dump(1) << '\n';
}

/// Nothing where the file says nothing that can be followed.
std::optional<viewer::View> place_kept(const fs::path& file, const viewer::Scene& scene)
try {
    const auto first = viewer::first_view(scene);
    const auto place = json_in(file);
    if (!first || !place.is_object()) return std::nullopt;
    viewer::View view = *first;
    view.table = true;
    for (std::size_t t = 0; t < scene.timepoints.size(); ++t) {
        const auto& timepoint = scene.timepoints[t];
        if (!timepoint.ct) continue;
        if (timepoint.id == place.at("beside")) view.beside = t;
        if (timepoint.id != place.at("timepoint")) continue;
        for (std::size_t l = 0; l < timepoint.lesions.size(); ++l) {
            if (timepoint.lesions[l].lesion == place.at("lesion")) view = viewer::at_row(scene, view, {{}, t, l});
        }
    }
    const auto cursor = place.at("cursor").get<std::array<double, 3>>();
    const auto window = place.at("window").get<std::array<double, 2>>();
    view = viewer::centred(scene, view, {cursor[0], cursor[1], cursor[2]});
    view.window = {window[0], std::max(1.0, window[1])};
    return viewer::zoomed(view, place.at("zoom").get<double>());
} catch (const nlohmann::json::exception&) {
    return std::nullopt;
}

/// A blinded reader gets the picture that the window would show: nothing after the first time point that is not signed, and that one where none is named.
Status draw(const Options& options, viewer::Scene scene)
{
    if (scene.blinded) viewer::take_unseen(scene);
    RETROMASS_TRY_ASSIGN(auto view, viewer::first_view(scene));
    if (scene.blinded) {
        auto last = scene.timepoints.size() - 1;
        while (!scene.timepoints[last].ct) --last;  // first_view found one
        view = viewer::at_row(scene, view, {{}, last, {}});
        view.beside.reset();
    }
    if (!options.timepoint.empty()) {
        const auto wanted = std::find_if(scene.timepoints.begin(), scene.timepoints.end(),
                                         [&](const auto& timepoint) { return timepoint.id == options.timepoint; });
        if (wanted == scene.timepoints.end() || !wanted->ct)
            return Error{Code::usage, "--timepoint " + options.timepoint + ": no such time point with a CT" + (scene.blinded ? " that may be seen yet; a blinded reading calls them \"time point 1\" and on" : ""), "cli"};
        view = viewer::at_row(scene, view, {{}, static_cast<std::size_t>(wanted - scene.timepoints.begin()), {}});
    }
    return viewer::render_scene(scene, view, options.picture);
}

Status view_case(const Options& options)
{
    if (!fs::is_directory(options.folder)) return Error{Code::io, "no folder " + options.folder, "cli"};
    const auto opened = outputs::written_result(options.folder);  // before anything of it is read
    RETROMASS_TRY_ASSIGN(const auto path, case_file_of(options));
    RETROMASS_TRY_ASSIGN(const auto file, run::read_case(path));
    RETROMASS_TRY_ASSIGN(const auto rules, rules_of(options, file));
    // Before anything of the result is read: what is shown stays what is there.
    std::optional<outputs::ResultLock> lock;
    std::string read_only;
    if (options.read_only || !options.picture.empty()) {
        read_only = "opened with --read-only";
    } else if (const auto protocol = protocol_of(options.folder); !protocol.empty() && !file.protocol) {
        // Its rules are not at hand: figures and categories after a change would be by others.
        read_only = "read only: the result was made under protocol " + protocol + ", which the case file does not name; state it there (protocol:) and run the case again";
    } else {
        auto taken = outputs::ResultLock::take(options.folder, "view", timestamp_now(), options.reader);
        if (taken) lock.emplace(std::move(*taken));
        else read_only = "read only: " + (options.blinded ? std::string("somebody else has the result open") : taken.error().message);
    }
    const auto log = log_of(options.folder);
    std::set<std::string> changed;
    for (const auto& place : log.changed) changed.insert(place.first);
    RETROMASS_TRY_ASSIGN(auto open, run::OpenCase::open(file, written_in(options.folder, file, log), changed, rules, terminal_progress()));
    const auto signatures = signatures_in(options.folder);
    RETROMASS_TRY_ASSIGN(auto scene, scene_of(open, log, signatures));
    Blinds blinds;
    if (options.blinded) {
        RETROMASS_TRY(may_be_blinded(options, signatures));
        blinds = Blinds(file, options.reader);
        scene = blinds.hidden(std::move(scene), file);
    }
    if (!options.picture.empty()) return draw(options, std::move(scene));

    scene.read_only = read_only;
    scene.message = read_only;
    if (!scene.read_only.empty()) std::cout << scene.read_only << '\n';
    else if (options.reader.empty()) std::cout << "without --reader NAME lesions can be looked at, not accepted, rejected or changed\n";

    Desk desk(options, path, std::move(open), !log.changed.empty(), blinds, lock);
    viewer::Callbacks callbacks;
    callbacks.reader = options.reader;
    callbacks.outcome = [&](const viewer::Change& change, const Progress& progress) { return desk.outcome(change, progress); };
    if (!options.reader.empty() && scene.read_only.empty()) {
        // A run may have replaced the result meanwhile: nobody has seen what lies there now.
        const auto still_there = [&]() -> Status {
            if (outputs::written_result(options.folder) == opened) return Done{};
            return Error{Code::usage, "the result was written anew while this window was open; close it and open the case again", "cli"};
        };
        callbacks.review = [&, still_there](std::size_t timepoint, std::size_t lesion, viewer::Decision decision, const std::string& reason) -> Status {
            RETROMASS_TRY(still_there());
            return outputs::note_reviews(*lock, {{timestamp_now(), file.timepoints[timepoint].id, file.lesions[lesion].lesion.id,
                                                  decision == viewer::Decision::accept ? "accepted" : "rejected", options.reader, reason, false, options.blinded}});
        };
        callbacks.take = [&, still_there](const viewer::Change& change) -> Result<std::string> {
            RETROMASS_TRY(still_there());
            return desk.take(change);
        };
        if (!options.role.empty()) {
            callbacks.sign = [&, still_there](std::size_t timepoint, const std::string& reason) -> Result<std::string> {
                RETROMASS_TRY(still_there());
                return desk.sign(timepoint, reason);
            };
        }
    }
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, SIG_DFL);  // a window ends at once; loading asked first
    const auto place = outputs::beside_result(options.folder, "view.json");
    RETROMASS_TRY_ASSIGN(const auto ended, viewer::show(scene, callbacks, options.blinded ? std::nullopt : place_kept(place, scene)));
    if (!scene.read_only.empty()) return Done{};
    if (!options.blinded) keep_place(place, scene, ended.view);
    std::cout << ended.decisions << " decisions noted in " << (fs::path(options.folder) / "events.jsonl").string() << '\n';
    RETROMASS_TRY_ASSIGN(const auto changes, desk.changes());
    for (const auto& line : options.blinded ? std::vector<std::string>{} : changes) std::cout << line << '\n';
    if (desk.changed()) std::cout << "the case file has changed; for report and objects: retromass run " << path.string() << " -o " << options.folder << " --overwrite" << options_of(rules) << '\n';
    return Done{};
}

}  // namespace

void add_view(CLI::App& app, Context& context)
{
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("view", "Open the viewer on a case that was run");
    command->add_option("OUT", options->folder, "Result folder of `run` or `demo`")->required();
    command->add_option("--case", options->case_file, "Case file it was run from (default: case.yaml in or beside OUT)");
    command->add_option("--reader", options->reader, "Who reads; needed to accept or reject");
    command->add_option("--role", options->role, "As what, e.g. radiologist; needed to sign");
    command->add_flag("--read-only", options->read_only, "Look, change nothing, take no lock");
    command->add_flag("--blinded", options->blinded, "Time points in their order, each shown once the one before is signed; no dates, no other readers");
    command->add_option("--uid-root", options->uid_root, "Root of the UIDs that signing makes, e.g. your institution's")->capture_default_str();
    command->add_option("--picture", options->picture, "Write the first view as PNG instead of opening a window");
    command->add_option("--timepoint", options->timepoint, "With --picture: which time point");
    command->add_option("--threads", options->threads, "Threads (0 = all cores)")->check(CLI::NonNegativeNumber);
    command->footer("Keys are in docs/stages/viewer.md. Example: retromass view build/demo/result --reader R1");
    command->callback([options, &context] {
        const auto status = view_case(*options);
        if (!status) context.exit = complain(status.error());
    });
}

}  // namespace retromass::cli

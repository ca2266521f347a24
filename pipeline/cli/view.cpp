#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "core/parallel.h"
#include "core/units.h"
#include "measurement/response/response.h"
#include "pipeline/cli/clock.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/method_option.h"
#include "pipeline/cli/view_scene.h"
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

/// The time point that a reader sees first: where the window was closed, of a blinded reading the one to be read; else the first with a CT.
std::optional<std::size_t> looked_at_first(const Options& options, const run::CaseFile& file, const std::map<std::string, std::string>& signatures, const fs::path& place)
{
    const auto kept = json_in(place);
    std::optional<std::size_t> out;
    for (std::size_t t = 0; t < file.timepoints.size(); ++t) {
        const auto& timepoint = file.timepoints[t];
        if (timepoint.ct.empty()) continue;
        if (!out || options.blinded) out = t;
        if (options.blinded ? !signatures.contains(timepoint.id) : kept.is_object() && kept.contains("timepoint") && kept["timepoint"] == timepoint.id) return t;
    }
    return out;
}

/// Reads a case beside the window, first what a reader sees first.
class Reading {
public:
    /// The case file and the rules must outlive it. Without `first` nobody waits for a part.
    Reading(const run::CaseFile& file, run::OpenCase::WrittenCase written, std::set<std::string> changed, const run::RunParameters& rules, std::optional<std::size_t> first)
    {
        whole_ = std::async(std::launch::async, [this, &file, &rules, first, written = std::move(written), changed = std::move(changed), progress = terminal_progress()] {
            const Told told{*this};
            run::OpenCase::ReadFirst early;
            if (first) {
                early = {*first, [this](run::OpenCase::Early part) {
                             tell(std::move(part));
                             rest_wanted_.get_future().wait();
                         }};
            }
            return run::OpenCase::open(file, written, changed, rules, [this, &progress](std::string_view stage, double fraction) { return !stop_ && progress(stage, fraction); }, early);
        });
    }
    ~Reading()
    {
        stop_ = true;
        go_on();  // the future waits
    }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

    /// Waits for it; nothing where none is wanted, or reading failed. The rest is left until somebody goes on: the first picture has the machine for itself.
    std::optional<run::OpenCase::Early> early() { return early_.get_future().get(); }
    void go_on()
    {
        if (!std::exchange(goes_on_, true)) rest_wanted_.set_value();
    }
    bool done() const { return whole_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }
    Result<run::OpenCase> whole()
    {
        go_on();
        return whole_.get();
    }

private:
    /// Whoever waits is told in the end, however reading ends.
    struct Told {
        Reading& reading;
        ~Told() { reading.tell({}); }
    };
    void tell(std::optional<run::OpenCase::Early> part)
    {
        if (!std::exchange(told_, true)) early_.set_value(std::move(part));
    }
    std::promise<std::optional<run::OpenCase::Early>> early_;
    bool told_ = false;      ///< of the thread that reads
    std::promise<void> rest_wanted_;
    bool goes_on_ = false;   ///< of the thread that waits
    std::atomic<bool> stop_ = false;
    std::future<Result<run::OpenCase>> whole_;  ///< the last member: gone before what its thread uses
};

/// For what nobody waits for: one core is left to the reader.
int threads_beside(int threads) { return threads > 0 ? threads : std::max(1, hardware_threads() - 1); }

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
    const auto signatures = signatures_in(options.folder);
    Blinds blinds;
    if (options.blinded) {
        RETROMASS_TRY(may_be_blinded(options, signatures));
        blinds = Blinds(file, options.reader);
    }
    const auto hidden = [&](viewer::Scene scene) { return options.blinded ? blinds.hidden(std::move(scene), file) : scene; };
    const auto place = outputs::beside_result(options.folder, "view.json");
    const auto first = options.picture.empty() && file.timepoints.size() > 1 ? looked_at_first(options, file, signatures, place) : std::nullopt;
    Reading reading(file, written_in(options.folder, file, log), changed, rules, first);
    if (!options.picture.empty()) {
        RETROMASS_TRY_ASSIGN(const auto open, reading.whole());
        RETROMASS_TRY_ASSIGN(auto scene, scene_of(open, log, signatures));
        return draw(options, hidden(std::move(scene)));
    }
    if (!read_only.empty()) std::cout << read_only << std::endl;
    else if (options.reader.empty()) std::cout << "without --reader NAME lesions can be looked at, not accepted, rejected or changed" << std::endl;

    std::optional<Desk> desk;
    viewer::Scene known;  // with all its time points, once they are read
    // A run may have replaced the result meanwhile: nobody has seen what lies there now.
    const auto still_there = [&]() -> Status {
        if (outputs::written_result(options.folder) == opened) return Done{};
        return Error{Code::usage, "the result was written anew while this window was open; close it and open the case again", "cli"};
    };
    const auto callbacks_of_the_desk = [&] {
        viewer::Callbacks callbacks;
        callbacks.reader = options.reader;
        callbacks.outcome = [&](const viewer::Change& change, const Progress& progress) { return desk->outcome(change, progress); };
        callbacks.link = [&](std::size_t here, std::size_t there, const Progress& progress) { return viewer::link_scans(known, here, there, threads_beside(options.threads), progress); };
        if (options.reader.empty() || !read_only.empty()) return callbacks;
        callbacks.review = [&](std::size_t timepoint, std::size_t lesion, viewer::Decision decision, const std::string& reason) -> Status {
            RETROMASS_TRY(still_there());
            return outputs::note_reviews(*lock, {{timestamp_now(), file.timepoints[timepoint].id, file.lesions[lesion].lesion.id,
                                                  decision == viewer::Decision::accept ? "accepted" : "rejected", options.reader, reason, false, options.blinded}});
        };
        callbacks.take = [&](const viewer::Change& change) -> Result<std::string> {
            RETROMASS_TRY(still_there());
            return desk->take(change);
        };
        if (options.role.empty()) return callbacks;
        callbacks.sign = [&](std::size_t timepoint, const std::string& reason) -> Result<std::string> {
            RETROMASS_TRY(still_there());
            return desk->sign(timepoint, reason);
        };
        return callbacks;
    };
    // Only a whole case can be decided on or changed.
    const auto whole = [&]() -> Result<viewer::Whole> {
        auto open = reading.whole();
        RETROMASS_TRY(still_there());  // else masks of two results would stand side by side
        if (!open && options.blinded) return Error{open.error().code, "a time point that is not shown yet cannot be read; close the window, and have the case looked at by somebody who is not blinded", "cli"};
        if (!open) return std::move(open).error();
        RETROMASS_TRY_ASSIGN(auto scene, scene_of(*open, log, signatures));
        known = hidden(std::move(scene));
        known.read_only = known.message = read_only;
        desk.emplace(options, path, std::move(*open), !log.changed.empty(), blinds, lock);
        const auto kept = options.blinded ? std::nullopt : place_kept(place, known);
        return viewer::Whole{known, callbacks_of_the_desk(), kept ? kept->beside : std::nullopt};
    };

    viewer::Whole seen;  // by the reader, to begin with
    viewer::StillReading still_reading;
    if (const auto early = reading.early()) {
        RETROMASS_TRY_ASSIGN(auto scene, early_scene(file, *first, *early, log, signatures));
        seen.scene = hidden(std::move(scene));
        still_reading = [&]() -> std::optional<Result<viewer::Whole>> {
            reading.go_on();
            if (!reading.done()) return std::nullopt;
            return whole();
        };
    } else {
        RETROMASS_TRY_ASSIGN(seen, whole());
    }
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, SIG_DFL);  // a window ends at once; loading asked first
    RETROMASS_TRY_ASSIGN(const auto ended, viewer::show(seen.scene, seen.callbacks, options.blinded ? std::nullopt : place_kept(place, seen.scene), still_reading));
    if (!desk || !read_only.empty()) return Done{};
    if (!options.blinded) keep_place(place, known, ended.view);
    std::cout << ended.decisions << " decisions noted in " << (fs::path(options.folder) / "events.jsonl").string() << '\n';
    RETROMASS_TRY_ASSIGN(const auto changes, desk->changes());
    for (const auto& line : options.blinded ? std::vector<std::string>{} : changes) std::cout << line << '\n';
    if (desk->changed()) std::cout << "the case file has changed; for report and objects: retromass run " << path.string() << " -o " << options.folder << " --overwrite" << options_of(rules) << '\n';
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

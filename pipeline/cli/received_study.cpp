#include "pipeline/cli/received_study.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "pipeline/outputs/outputs.h"

namespace retromass::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kMostWaits = 20;           // quiet times until a study that its source counts larger is given up
constexpr std::size_t kKeyDigits = 12;   // of a hash: some 10^14 patients
constexpr const char* kSalt = "key";     // file of random bytes: without it a pseudonym could be tried out from patient IDs

std::string read_text(const fs::path& file)
{
    std::ifstream in(file, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

/// Replaces the file as a whole; false where it does not hold `before` any more, and then it stays as it is.
Result<bool> replace_text(const fs::path& file, const std::string& text, const std::optional<std::string>& before)
{
    const auto unfinished = file.string() + ".unfinished";
    std::ofstream(unfinished, std::ios::binary) << text << std::flush;
    std::error_code error;
    if (before && read_text(file) != *before) {
        fs::remove(unfinished, error);
        return false;
    }
    if (fs::file_size(unfinished, error) != text.size() || error) return Error{Code::io, file.string() + " cannot be written", "cli"};
    fs::rename(unfinished, file, error);
    if (error) return Error{Code::io, file.string() + " cannot be written: " + error.message(), "cli"};
    return true;
}

Status write_text(const fs::path& file, const std::string& text)
{
    RETROMASS_TRY(replace_text(file, text, std::nullopt));
    return Done{};
}

/// The pseudonym of the patient; of a study that states no patient ID, one of its own.
std::string case_id_of(const ingest::Scan& scan, const pacs::ReceivedStudy& study, const fs::path& out)
{
    auto identity = "study " + study.study_uid;
    for (const auto& series : scan.series) {
        const auto& patient = series.facts.patient;
        if (patient.id == 0) continue;
        identity = "patient " + std::to_string(patient.id) + " " + std::to_string(patient.issuer);
        break;
    }
    return "P-" + outputs::sha256_of_text(read_text(out / kSalt) + identity).substr(0, kKeyDigits);
}

/// Runs this program; its output goes to the file. Its exit code, or -1.
int run_program(const std::vector<std::string>& arguments, const fs::path& log)
{
    std::vector<char*> words;
    for (const auto& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    pid_t process = 0;
    const int fault = posix_spawn(&process, "/proc/self/exe", &files, nullptr, words.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    int status = 0;
    if (fault != 0) return -1;
    while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::size_t files_in(const fs::path& folder)
{
    std::error_code error;
    const auto entries = fs::directory_iterator(folder, error);
    return error ? 0 : static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

/// How many objects of the study its source has that did not come. Series that were made here of the patient's studies and sent there are
/// not waited for. A source that does not count a series is asked for the study's number.
Result<std::size_t> not_here(const pacs::Profile& source, const pacs::ReceivedStudy& study, const ReceivedStudyOptions& options)
{
    pacs::Query query;
    query.study_instance_uid = study.study_uid;
    query.level = pacs::Level::series;
    RETROMASS_TRY_ASSIGN(const auto all, pacs::find(source, query));
    const auto short_by = [](int counted, std::size_t here) { return counted > static_cast<int>(here) ? static_cast<std::size_t>(counted) - here : 0; };
    if (std::any_of(all.begin(), all.end(), [](const auto& series) { return !series.instances; })) {
        query.level = pacs::Level::studies;
        RETROMASS_TRY_ASSIGN(const auto matches, pacs::find(source, query));
        return matches.empty() ? 0 : short_by(matches.front().instances.value_or(0), study.objects);
    }
    std::map<std::string, std::size_t> missing;  // by series
    for (const auto& series : all) {
        if (const auto count = short_by(*series.instances, files_in(study.folder / series.series_instance_uid))) missing[series.series_instance_uid] = count;
    }
    if (missing.empty()) return std::size_t{0};
    RETROMASS_TRY_ASSIGN(const auto scan, ingest::scan({study.folder}));
    for (const auto& ours : pacs::series_in(options.out / case_id_of(scan, study, options.out))) missing.erase(ours);
    std::size_t out = 0;
    for (const auto& [unused, count] : missing) out += count;
    return out;
}

std::string numbered(int number)
{
    auto text = std::to_string(number);
    return std::string(text.size() < 4 ? 4 - text.size() : 0, '0') + text;
}

std::vector<fs::path> folders_in(const fs::path& folder)
{
    std::vector<fs::path> out;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        if (entry.is_directory(error)) out.push_back(entry.path());
    }
    std::sort(out.begin(), out.end());
    return out;
}

/// Whether a reader accepted every lesion that was measured, as the events of the result say: the last word counts.
bool accepted(const fs::path& result)
{
    try {
        std::map<std::string, std::string> word;
        std::istringstream events(read_text(result / "events.jsonl"));
        for (std::string line; std::getline(events, line);) {
            const auto event = nlohmann::json::parse(line);
            if (event.value("event", "") == "case-started") word.clear();  // numbers written anew were seen by nobody yet
            if (event.value("event", "") == "review") word[event.value("timepoint", "") + "\n" + event.value("lesion", "")] = event.value("state", "");
        }
        bool any = false;
        const auto found = nlohmann::json::parse(read_text(result / "case.json"));
        for (const auto& timepoint : found.at("timepoints")) {
            for (const auto& lesion : timepoint.at("lesions")) {
                if (lesion.value("status", "") != "measured") continue;
                any = true;
                if (word[timepoint.value("id", "") + "\n" + lesion.value("lesion", lesion.value("id", ""))] != "accepted") return false;
            }
        }
        return any;
    } catch (const nlohmann::json::exception&) {
        return false;
    }
}

std::string hash_of_case(const fs::path& result) { return outputs::sha256_of_text(read_text(result / "case.json")); }

/// Whether the result was sent as it is now; one that was corrected since was not.
bool sent(const fs::path& result)
{
    const auto noted = read_text(result.string() + ".sent");
    return !noted.empty() && noted.find(hash_of_case(result)) != std::string::npos;
}

/// Sends the DICOM objects of a result, without those that were replaced, and notes that it was done; a result is sent once.
std::string send_result(const fs::path& result, const ReceivedStudyOptions& options)
{
    pacs::SendOptions sending;
    sending.allow_synthetic = options.allow_synthetic;
    const auto report = pacs::send(*options.send_to, {result}, sending);
    if (!report) return "not sent: " + report.error().message;
    if (!report->failed.empty()) return "not sent: " + std::to_string(report->failed.size()) + " of " + std::to_string(report->failed.size() + report->sent) + " objects were refused: " + report->failed.front().why;
    const auto noted = write_text(result.string() + ".sent", options.send_to->name + "\n" + hash_of_case(result) + "\n");
    return noted ? std::string() : noted.error().message;
}

/// The folder of the case with its newest study linked in.
Result<fs::path> case_folder(const fs::path& out, const std::string& case_id, const std::string& template_name, const pacs::ReceivedStudy& study)
{
    const auto folder = out / case_id / template_name;
    std::error_code error;
    fs::create_directories(folder / "ct", error);
    fs::create_directories(folder / "results", error);
    if (error) return Error{Code::io, folder.string() + " cannot be made: " + error.message(), "cli"};
    const auto link = folder / "ct" / study.study_uid;
    if (!fs::is_symlink(link)) fs::create_directory_symlink(study.folder, link, error);
    if (error) return Error{Code::io, "the study cannot be linked into its case: " + error.message(), "cli"};
    return folder;
}

/// What a result is made from: the case without its remarks, and the images. Our own objects that come back from a PACS change neither.
std::string fingerprint(const std::string& case_text, const ingest::Scan& scan)
{
    std::string all;
    std::istringstream lines(case_text);
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind('#', 0) != 0) all += line + "\n";
    }
    for (const auto& series : scan.series) {
        for (const auto& slice : series.slices) all += slice.file.filename().string() + "\n";
    }
    return outputs::sha256_of_text(all);
}

/// The results of a case, the newest last.
std::vector<fs::path> results_in(const fs::path& folder)
{
    auto results = folders_in(folder / "results");
    std::erase_if(results, [](const auto& result) { return result.filename().string().find_first_not_of("0123456789") != std::string::npos; });  // what a run that was killed left
    return results;
}

/// A case goes on under one set of rules a version, and as its newest result is locked: its protocol as it now reads against each result by itself, since what old
/// results differ in no later version can mend. `text` is what the case file would be; one that cannot be read is left to the run to refuse.
Status goes_on_under_its_rules(const fs::path& case_file, const std::string& text)
{
    const auto results = results_in(case_file.parent_path());
    if (results.empty()) return Done{};
    const auto composed = case_file.string() + ".composed";  // beside it: its paths are relative
    RETROMASS_TRY(write_text(composed, text));
    const auto file = run::read_case(composed);
    std::error_code error;
    fs::remove(composed, error);
    if (!file) return Done{};
    for (const auto& result : results) {
        if (file->protocol) RETROMASS_TRY(run::check_versions({{run::name_of(*file->protocol), case_file.string()}, {run::protocol_in(result), result.string()}}));
    }
    return run::check_lock(results.back(), file->protocol);
}

/// Adds the studies to the case file, unless the case may not go on under the rules it now names. What a reader writes there meanwhile is read, not overwritten.
Result<run::ComposedCase> composed_into(const fs::path& file, const ingest::Scan& scan, const run::CaseTemplate& fitting, const run::DraftParameters& drafting)
{
    constexpr int kMostEdits = 10;  // in the fractions of a second that composing takes
    for (int attempt = 0; attempt < kMostEdits; ++attempt) {
        const auto stated = read_text(file);
        std::error_code error;
        if (stated.empty() && fs::exists(file, error) && fs::file_size(file, error) > 0) return Error{Code::io, file.string() + " is there and cannot be read; what it states would be lost", "cli"};
        RETROMASS_TRY_ASSIGN(auto composed, run::compose_case(scan, fitting, stated, drafting));
        RETROMASS_TRY(goes_on_under_its_rules(file, composed.text));
        RETROMASS_TRY_ASSIGN(const bool written, replace_text(file, composed.text, stated));
        if (written) return composed;
    }
    return Error{Code::io, file.string() + " is written by somebody else again and again", "cli"};
}

Result<pacs::Outcome> taken(const pacs::ReceivedStudy& study, const ReceivedStudyOptions& options)
{
    if (options.count_at) {
        const auto missing = not_here(*options.count_at, study, options);
        const auto why = !missing ? "its source cannot be asked: " + missing.error().message
                                  : *missing > 0 ? std::to_string(study.objects) + " of " + std::to_string(study.objects + *missing) + " objects came" : std::string();
        if (!why.empty() && study.waits < kMostWaits) return pacs::Outcome{false, true, "waits: " + why};
        if (!why.empty()) return pacs::Outcome{false, false, "kept, not measured: " + why};
    }
    std::vector<std::string> tags;
    for (const auto& candidate : options.templates) {
        for (const auto& rule : candidate.rules) {
            for (const auto& wanted : rule) tags.push_back(wanted.first);
        }
    }
    const auto* const fitting = run::template_for(options.templates, pacs::study_tags(study.folder, tags));
    if (!fitting) return pacs::Outcome{false, false, "kept, not measured: no template matches it"};

    ingest::ScanParameters scanning;
    scanning.threads = options.threads;
    RETROMASS_TRY_ASSIGN(const auto alone, ingest::scan({study.folder}, scanning));
    const auto case_id = case_id_of(alone, study, options.out);
    RETROMASS_TRY_ASSIGN(const auto folder, case_folder(options.out, case_id, fitting->name, study));
    RETROMASS_TRY_ASSIGN(const auto scan, ingest::scan(folders_in(folder / "ct"), scanning));
    run::DraftParameters drafting;
    drafting.case_id = case_id;
    drafting.folder = folder;
    const auto file = folder / "case.yaml";
    RETROMASS_TRY_ASSIGN(const auto composed, composed_into(file, scan, *fitting, drafting));
    const auto name = case_id + "/" + fitting->name;
    if (!composed.missing.empty()) {
        std::string where;
        for (const auto& one : composed.missing) where += (where.empty() ? "" : ", ") + one;
        return pacs::Outcome{false, false, "needs a prompt, not measured: " + name + ": " + where};
    }
    int number = 1;
    while (fs::exists(folder / "results" / numbered(number))) ++number;
    const auto made_from = fingerprint(composed.text, scan);
    if (number > 1 && read_text(folder / "results" / (numbered(number - 1) + ".from")) == made_from) {
        const auto before = folder / "results" / numbered(number - 1);
        const auto stands = "nothing new to measure: " + name + "/results/" + numbered(number - 1) + " stands";
        if (!options.send_to || options.send != Return::all || sent(before)) return pacs::Outcome{true, false, stands};
        const auto still_unsent = send_result(before, options);
        return pacs::Outcome{still_unsent.empty(), false, stands + "; " + (still_unsent.empty() ? "sent to " + options.send_to->name : still_unsent)};
    }
    const auto result = folder / "results" / numbered(number);
    const auto measured = folder / ("case-" + numbered(number) + ".yaml");  // a reader may write into case.yaml meanwhile
    RETROMASS_TRY(write_text(measured, composed.text));
    const int code = run_program({"retromass", "run", measured.string(), "-o", result.string(), "--threads", std::to_string(options.threads)}, folder / "run.log");
    if (code != 0) return pacs::Outcome{false, false, "failed: " + name + ": run ended with " + std::to_string(code) + "; run.log says why"};
    RETROMASS_TRY(write_text(result.string() + ".from", made_from));
    const auto done = "measured: " + name + "/results/" + numbered(number);
    if (read_text(file) != composed.text && study.waits < kMostWaits) return pacs::Outcome{false, true, done + "; the case was edited meanwhile and is measured again"};
    if (!options.send_to || options.send == Return::none) return pacs::Outcome{true, false, done};
    if (options.send == Return::reviewed) return pacs::Outcome{true, false, done + "; to be sent when a reader has accepted it"};
    const auto unsent = send_result(result, options);
    return pacs::Outcome{unsent.empty(), false, done + "; " + (unsent.empty() ? "sent to " + options.send_to->name : unsent)};
}

}  // namespace

Status prepare_cases(const fs::path& out)
{
    std::error_code error;
    fs::create_directories(out, error);
    if (error) return Error{Code::io, out.string() + " cannot be made: " + error.message(), "cli"};
    fs::permissions(out, fs::perms::owner_all, error);
    if (fs::exists(out / kSalt)) return Done{};
    std::random_device random;
    std::ostringstream salt;
    for (int i = 0; i < 8; ++i) salt << std::hex << random();
    RETROMASS_TRY(write_text(out / kSalt, salt.str()));
    fs::permissions(out / kSalt, fs::perms::owner_read | fs::perms::owner_write, error);
    return Done{};
}

pacs::Outcome take_study(const pacs::ReceivedStudy& study, const ReceivedStudyOptions& options)
{
    auto outcome = taken(study, options);
    if (!outcome) return {false, false, "failed: " + outcome.error().message + " [" + std::string(name(outcome.error().code)) + "]"};
    return *outcome;
}

std::string return_reviewed(const ReceivedStudyOptions& options)
{
    std::string out;
    for (const auto& patient : folders_in(options.out)) {
        for (const auto& one : folders_in(patient)) {
            const auto results = results_in(one);
            if (results.empty() || sent(results.back()) || !accepted(results.back())) continue;
            const auto unsent = send_result(results.back(), options);
            out += (out.empty() ? "" : "; ") + patient.filename().string() + "/" + one.filename().string() + " was accepted by a reader: " + (unsent.empty() ? "sent to " + options.send_to->name : unsent);
        }
    }
    return out;
}

}  // namespace retromass::cli

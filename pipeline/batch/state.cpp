#include "pipeline/batch/state.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>

#include "pipeline/batch/files.h"
#include "pipeline/ingest/ingest.h"
#include "pipeline/outputs/outputs.h"
#include "pipeline/run/run.h"

namespace retromass::batch {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kNames[] = {"pending", "waiting", "running", "done", "outdated", "refused", "failed", "rejected"};

fs::path state_file(const Plan& plan, const PlannedCase& planned) { return plan.folder / "state" / (planned.id + ".json"); }
fs::path decision_file(const Plan& plan, const PlannedCase& planned) { return plan.folder / "state" / (planned.id + ".review.json"); }
fs::path lock_file(const Plan& plan, const PlannedCase& planned) { return plan.folder / "state" / (planned.id + ".lock"); }

/// "R1 rejected it on 2020-01-01T00:00:00Z (too small)"
std::string said(const Decision& decision, const std::string& what)
{
    return decision.reader + " " + what + " on " + decision.time + (decision.note.empty() ? "" : " (" + decision.note + ")");
}

/// Open file description locks: of this descriptor and those inherited from it, not of the process, and kept by NFS too.
bool lock(int fd, short kind, int command)
{
    struct flock region {};
    region.l_type = kind;
    region.l_whence = SEEK_SET;
    return fcntl(fd, command, &region) == 0;
}

bool claimed(const Plan& plan, const PlannedCase& planned)
{
    const int fd = open(lock_file(plan, planned).c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return false;
    struct flock region {};
    region.l_type = F_WRLCK;
    region.l_whence = SEEK_SET;
    const bool held = fcntl(fd, F_OFD_GETLK, &region) == 0 && region.l_type != F_UNLCK;
    close(fd);
    return held;
}

/// What of a file tells whether it is another one.
using Trait = std::string (*)(const fs::path& file);

std::string size_and_time(const fs::path& file)
{
    std::error_code error;
    const auto size = fs::file_size(file, error);
    const auto changed = fs::last_write_time(file, error);
    return error ? "absent" : std::to_string(size) + '\t' + std::to_string(changed.time_since_epoch().count());
}

std::string content(const fs::path& file)
{
    std::error_code error;
    if (!fs::is_regular_file(file, error)) return "absent";  // a pipe would be waited for
    auto hash = outputs::sha256_of_file(file);
    return hash ? std::move(*hash) : "absent";
}

/// Files are named as the case file names them, from its folder: a plan that moves with its archive stays valid.
void add_file(std::string& text, const fs::path& file, const fs::path& base, Trait trait) { text += file.lexically_relative(base).string() + '\t' + trait(file) + '\n'; }

/// The files a path stands for; a folder's in the order of their names.
void add_files(std::string& text, const fs::path& path, const fs::path& base, Trait trait)
{
    std::error_code error;
    if (!fs::is_directory(path, error)) return add_file(text, path, base, trait);
    const auto below = ingest::files_below(path);
    if (!below) return;  // nobody stops this one
    for (const auto& file : below->files) add_file(text, file, base, trait);
    for (const auto& [folder, why] : below->unread) text += folder.lexically_relative(base).string() + "\tunread\n";
}

/// SHA-256 of everything a result depends on.
Result<std::string> inputs_of(const Plan& plan, const PlannedCase& planned, Trait trait)
{
    const auto text = text_of(planned.case_file);
    if (!text) return Error{Code::io, planned.case_file.string() + " cannot be read", "batch"};
    RETROMASS_TRY_ASSIGN(const auto file, run::read_case(planned.case_file));
    std::string all = std::string("retromass " RETROMASS_VERSION "\n") + *text + '\n';
    for (std::size_t i = 0; i < plan.run_arguments.size(); ++i) {
        if (plan.run_arguments[i] == "--threads") {  // their number changes no result
            ++i;
            continue;
        }
        all += plan.run_arguments[i] + '\n';
        if (plan.run_arguments[i] == "--protocol") {  // by what it says, not by how it is written
            const auto protocol = run::read_protocol(plan.folder / kProtocolOfPlan);
            all += (protocol ? protocol->sha256 : "absent") + '\n';
        }
        if (plan.run_arguments[i] == "--settings") all += text_of(plan.folder / kSettingsOfPlan).value_or("absent") + '\n';
    }
    if (file.case_id != planned.id) return Error{Code::case_file, planned.case_file.string() + " states case " + file.case_id + "; it has to be " + planned.id + ", or its rows would stand under another case", "batch"};
    if (file.protocol) all += file.protocol->sha256 + '\n';
    for (const auto& timepoint : file.timepoints) {
        if (timepoint.ct.empty()) continue;
        RETROMASS_TRY_ASSIGN(const auto files, run::files_of(file, timepoint));
        for (const auto& path : files) add_files(all, path, file.folder, trait);
    }
    for (const auto& lesion : file.lesions) {
        for (const auto& [id, at] : lesion.timepoints) {
            for (const auto& name : {at.mask_file, at.prior_file, at.marks_file, at.edits_file}) {
                if (!name.empty()) add_files(all, file.folder / name, file.folder, trait);
            }
        }
    }
    return outputs::sha256_of_text(all);
}

constexpr const char* kBegun = "begun";  // a run whose end nobody wrote down yet

/// What was written down; discarded where there is nothing, or nothing whole.
ordered_json recorded(const fs::path& file)
{
    const auto text = text_of(file);
    auto json = text ? ordered_json::parse(*text, nullptr, false) : ordered_json();
    if (!json.is_object()) return ordered_json::object();
    // A member of another kind was not written here.
    for (const char* member : {"attempts", "wall_s", "cpu_s", "peak_gb"}) {
        if (json.contains(member) && !json[member].is_number()) json.erase(member);
    }
    for (const char* member : {"state", "key", "contents", "code", "reason", "before"}) {
        if (json.contains(member) && !json[member].is_string()) json.erase(member);
    }
    return json;
}

}  // namespace

std::string_view name(State state) { return kNames[static_cast<std::size_t>(state)]; }

fs::path result_folder(const Plan& plan, const PlannedCase& planned) { return plan.folder / "results" / planned.id; }
fs::path log_file(const Plan& plan, const PlannedCase& planned) { return plan.folder / "logs" / (planned.id + ".log"); }

std::string why_no_result(const Plan& plan, const PlannedCase& planned, outputs::Depth depth)
{
    const auto folder = result_folder(plan, planned);
    std::error_code error;
    if (!fs::is_directory(folder, error)) return "its result is gone";
    const auto json = ordered_json::parse(text_of(folder / "case.json").value_or(""), nullptr, false);
    if (!json.is_object()) return "its result is damaged: case.json cannot be read";
    if (!json.contains("case") || json["case"] != planned.id) return "its result is of another case";
    const auto damage = outputs::damage_of(folder, depth);
    return damage.empty() ? "" : "its result is damaged: " + damage.front() + (damage.size() > 1 ? ", and " + std::to_string(damage.size() - 1) + " more files" : "");
}

bool has_result(const Plan& plan, const PlannedCase& planned, outputs::Depth depth) { return why_no_result(plan, planned, depth).empty(); }

Result<std::optional<Claim>> Claim::take(const Plan& plan, const PlannedCase& planned)
{
    const auto file = lock_file(plan, planned);
    const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return Error{errno == ENOSPC ? Code::disk_space : Code::io, file.string() + " cannot be opened: " + std::generic_category().message(errno), "batch"};
    if (lock(fd, F_WRLCK, F_OFD_SETLK)) return std::optional(Claim(fd));
    const int number = errno;
    close(fd);
    if (number == EAGAIN || number == EACCES) return std::optional<Claim>();
    return Error{Code::io, file.string() + " cannot be locked (" + std::generic_category().message(number) + "); put the plan on a file system with locks", "batch"};
}

Status Claim::note_processes(const std::vector<pid_t>& processes) const
{
    // The host, and a process a line: on another one, and in another container, the same number is another process.
    std::string text = processes.empty() ? std::string() : "host " + outputs::host_name() + '\n';
    for (const auto process : processes) text += std::to_string(process) + '\n';
    const bool written = ftruncate(fd_, 0) == 0 && pwrite(fd_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
    if (written && (fdatasync(fd_) == 0 || errno == EINVAL)) return Done{};  // after a power cut it tells whose lock was left
    return Error{errno == ENOSPC ? Code::disk_space : Code::io, "a claim cannot be written: " + std::generic_category().message(errno), "batch"};
}

Status Claim::add_process(pid_t process) const
{
    const auto known = processes();
    const bool listed = std::any_of(known.begin(), known.end(), [&](const auto& p) { return p.id == std::to_string(process) && p.host == outputs::host_name(); });
    if (listed) return Done{};
    const auto before = text();
    const auto added = "host " + outputs::host_name() + '\n' + std::to_string(process) + '\n';
    if (pwrite(fd_, added.data(), added.size(), static_cast<off_t>(before.size())) == static_cast<ssize_t>(added.size()) && (fdatasync(fd_) == 0 || errno == EINVAL)) return Done{};
    return Error{errno == ENOSPC ? Code::disk_space : Code::io, "a claim cannot be written: " + std::generic_category().message(errno), "batch"};
}

std::string Claim::text() const
{
    std::string text(1 << 16, '\0');  // a name and a number for each who was killed in a row: hundreds
    const auto size = pread(fd_, text.data(), text.size(), 0);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
}

std::vector<Claim::Process> Claim::processes() const
{
    std::vector<Process> out;
    std::string host;
    std::istringstream lines(text());
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("host ")) host = line.substr(5);
        else if (!line.empty() && line.find_first_not_of("0123456789") == std::string::npos) out.push_back({host, line});
    }
    return out;
}

Claim::~Claim()
{
    if (fd_ >= 0) close(fd_);
}

Result<std::string> key_of(const Plan& plan, const PlannedCase& planned) { return inputs_of(plan, planned, size_and_time); }
Result<std::string> contents_of(const Plan& plan, const PlannedCase& planned) { return inputs_of(plan, planned, content); }

Result<Inputs> inputs_now(const Plan& plan, const PlannedCase& planned)
{
    RETROMASS_TRY_ASSIGN(auto key, key_of(plan, planned));
    RETROMASS_TRY_ASSIGN(auto contents, contents_of(plan, planned));
    RETROMASS_TRY_ASSIGN(const auto after, key_of(plan, planned));
    if (after != key) contents.clear();  // they changed meanwhile
    return Inputs{std::move(key), std::move(contents)};
}

Status check_protocols(const Plan& plan, const std::vector<std::string>& only)
{
    std::vector<run::SeenProtocol> seen;
    const auto kept = plan.folder / kProtocolOfPlan;
    if (std::error_code error; fs::exists(kept, error)) {
        RETROMASS_TRY_ASSIGN(const auto own, run::read_protocol(kept));
        seen.push_back({run::name_of(own), kept.string()});
    }
    const auto is_meant = [&](const PlannedCase& planned) { return only.empty() || std::find(only.begin(), only.end(), planned.id) != only.end(); };
    for (const auto& planned : plan.cases) {
        if (!is_meant(planned) || text_of(planned.case_file).value_or("").find("protocol") == std::string::npos) continue;
        const auto file = run::read_case(planned.case_file);  // one that cannot be read is refused by itself
        if (file && file->protocol) seen.push_back({run::name_of(*file->protocol), planned.case_file.string()});
    }
    if (seen.empty()) return Done{};  // results under one are locked to it where they are made again, and looked at where they are collected
    for (const auto& planned : plan.cases) {
        if (is_meant(planned)) seen.push_back({run::protocol_in(result_folder(plan, planned)), result_folder(plan, planned).string()});
    }
    return run::check_versions(seen);
}

Result<std::string> waits_for(const PlannedCase& planned)
{
    RETROMASS_TRY_ASSIGN(const auto file, run::read_case(planned.case_file));
    const auto text = text_of(planned.case_file);
    if (!planned.left_out.empty() && text && outputs::sha256_of_text(*text) == planned.draft_sha256) {
        std::string what;
        for (const auto& one : planned.left_out) what += (what.empty() ? "" : "; ") + one;
        return "the draft left something out (" + what + "): look at " + planned.case_file.string() + ", and save it changed to run it as it then is";
    }
    for (const auto& lesion : file.lesions) {
        for (const auto& [id, at] : lesion.timepoints) {
            if (at.has_prompt || !at.mask_file.empty() || !at.marks_file.empty() || at.status || at.reported_long_axis || at.reported_short_axis) return std::string();
        }
    }
    return "nothing says where a lesion is: add a prompt to " + planned.case_file.string();
}

CaseState state_of(const Plan& plan, const PlannedCase& planned, outputs::Depth depth) { return state_of(plan, planned, depth, false); }

CaseState state_of(const Plan& plan, const PlannedCase& planned, outputs::Depth depth, bool claimed_by_us)
{
    CaseState state;
    state.id = planned.id;
    const auto known = recorded(state_file(plan, planned));
    state.attempts = known.value("attempts", 0);
    if (!claimed_by_us && claimed(plan, planned)) {
        state.state = State::running;
        return state;
    }
    if (!planned.why_not.empty()) {
        state.state = State::refused;
        state.code = planned.code;
        state.reason = planned.why_not;
        return state;
    }
    const auto key = key_of(plan, planned);
    if (!key) {
        state.state = State::refused;
        state.code = name(key.error().code);
        state.reason = key.error().message;
        return state;
    }
    const auto was = known.value("state", std::string());
    bool same = known.value("key", std::string()) == *key;
    const bool begun = was == kBegun;
    const auto missing = was == "done" || begun ? why_no_result(plan, planned, depth) : std::string();
    const bool there = (was == "done" || begun) && missing.empty();
    if (there && same && depth == outputs::Depth::every_byte) {
        const auto contents = contents_of(plan, planned);
        same = contents && (*contents == known.value("contents", std::string()) || known.value("contents", std::string()).empty());
    }
    const auto waits = waits_for(planned);
    if (begun) same = same && run_of_result(plan, planned) != known.value("before", std::string());  // else what is there is of an earlier run
    if (begun && same && there) ++state.attempts;  // it came to its end, and counts
    if (there) state.state = same ? State::done : State::outdated;
    else if (was == "refused" && same) state.state = State::refused;
    else if (was == "failed" && same) state.state = State::failed;
    if (state.state != State::done && waits && !waits->empty()) {
        state.state = State::waiting;
        state.code = name(Code::prompt_missing);
        state.reason = *waits;
    } else if (state.state != State::pending) {
        state.code = known.value("code", std::string());
        state.reason = known.value("reason", std::string());
        state.wall_s = known.value("wall_s", 0.0);
        state.cpu_s = known.value("cpu_s", 0.0);
        state.peak_gb = known.value("peak_gb", 0.0);
    }
    if (state.state == State::pending && was == "done") state.reason = missing;
    if (state.state == State::outdated) state.reason = "inputs or settings changed since";
    const auto decision = decision_on(plan, planned, *key);
    if (decision && decision->decision == "reject") {
        state.state = State::rejected;
        state.code.clear();
        state.reason = said(*decision, "rejected it");
    } else if (decision && decision->decision == "needs-prompt") {
        state.state = State::waiting;
        state.code = name(Code::prompt_missing);
        state.reason = said(*decision, "asks for another prompt") + ": change " + planned.case_file.string();
    }
    return state;
}

std::string run_of_result(const Plan& plan, const PlannedCase& planned)
{
    if (!has_result(plan, planned, outputs::Depth::figures)) return {};
    std::istringstream log(text_of(result_folder(plan, planned) / "events.jsonl").value_or(""));
    std::string last;
    for (std::string line; std::getline(log, line);) {
        if (line.find(R"("event":"case-written")") != std::string::npos) last = line;
    }
    return outputs::sha256_of_text(last);
}

bool left_open(const Plan& plan, const PlannedCase& planned) { return recorded(state_file(plan, planned)).value("state", std::string()) == kBegun; }

bool only_touched(const Plan& plan, const PlannedCase& planned, const Inputs& now)
{
    const auto known = recorded(state_file(plan, planned));
    return known.value("state", std::string()) == "done" && !now.contents.empty() && known.value("contents", std::string()) == now.contents;
}

Status record_touched(const Plan& plan, const PlannedCase& planned, const Inputs& now)
{
    auto known = recorded(state_file(plan, planned));
    auto decision = decision_on(plan, planned, known.value("key", std::string()));
    if (decision) {  // what was looked at is what is there
        decision->key = now.key;
        RETROMASS_TRY(record(plan, planned, *decision));
    }
    known["key"] = now.key;
    return write_text(state_file(plan, planned), known.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n');
}

Status record_begin(const Plan& plan, const PlannedCase& planned, const CaseState& state, const std::string& key)
{
    const ordered_json out{{"schema", "retromass-batch-state/1"}, {"case", planned.id}, {"state", kBegun}, {"attempts", state.attempts - 1}, {"key", key}, {"before", run_of_result(plan, planned)}};
    return write_text(state_file(plan, planned), out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n');
}

Status record(const Plan& plan, const PlannedCase& planned, const CaseState& state, const Inputs& inputs)
{
    ordered_json out;
    out["schema"] = "retromass-batch-state/1";
    out["case"] = planned.id;
    out["state"] = std::string(name(state.state));
    out["code"] = state.code;
    out["reason"] = state.reason;
    out["attempts"] = state.attempts;
    out["wall_s"] = state.wall_s;
    out["cpu_s"] = state.cpu_s;
    out["peak_gb"] = state.peak_gb;
    out["key"] = inputs.key;
    out["contents"] = inputs.contents;
    return write_text(state_file(plan, planned), out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n');
}

Status record(const Plan& plan, const PlannedCase& planned, const Decision& decision)
{
    const ordered_json out{{"schema", "retromass-batch-review/1"}, {"case", planned.id}, {"decision", decision.decision}, {"reader", decision.reader}, {"time", decision.time}, {"note", decision.note}, {"key", decision.key}};
    return write_text(decision_file(plan, planned), out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n');
}

std::optional<Decision> decision_on(const Plan& plan, const PlannedCase& planned, const std::string& key)
{
    const auto json = recorded(decision_file(plan, planned));
    const auto text = [&](const char* member) { return json.contains(member) && json[member].is_string() ? json[member].get<std::string>() : std::string(); };
    if (text("key") != key) return std::nullopt;
    return Decision{text("decision"), text("reader"), text("time"), text("note"), key};
}

std::string plan_hash(const Plan& plan) { return outputs::sha256_of_text(text_of(plan.folder / "plan.json").value_or("")); }

std::string review_hash(const Plan& plan, const PlannedCase& planned, const CaseState& state)
{
    if (state.state == State::done) return outputs::sha256_of_text(text_of(result_folder(plan, planned) / "case.json").value_or(""));
    return outputs::sha256_of_text(std::string(name(state.state)) + '\n' + state.code + '\n' + state.reason + '\n' + text_of(planned.case_file).value_or(""));
}

Status check_folder(const fs::path& folder)
{
    const auto failure = [&](const std::string& what, int number) { return Error{number == ENOSPC ? Code::disk_space : Code::io, "files in " + folder.string() + " cannot be " + what + ": " + std::generic_category().message(number), "batch"}; };
    const auto probe = folder / (".retromass-probe-" + std::to_string(getpid()));
    const auto renamed = probe.string() + "-renamed";
    const int fd = open(probe.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return failure("made", errno);
    Status out = Done{};
    if (!lock(fd, F_WRLCK, F_OFD_SETLK)) out = failure("locked", errno);
    else if (write(fd, "x", 1) != 1) out = failure("written", errno);
    else if (fsync(fd) != 0) out = failure("brought to the disk", errno);
    else if (std::rename(probe.c_str(), renamed.c_str()) != 0) out = failure("renamed", errno);
    close(fd);
    unlink(probe.c_str());
    unlink(renamed.c_str());
    return out;
}

}  // namespace retromass::batch

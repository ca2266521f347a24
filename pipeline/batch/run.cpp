#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <list>
#include <map>
#include <nlohmann/json.hpp>
#include <system_error>
#include <thread>
#include <utility>

#include "core/sanitized.h"
#include "core/units.h"
#include "pipeline/batch/batch.h"
#include "pipeline/batch/files.h"
#include "pipeline/batch/state.h"
#include "pipeline/outputs/outputs.h"

namespace retromass::batch {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// A worker may take this much more than the headers promise before the system says no.
constexpr double kMemorySlack = 1.5;
// Libraries, the program's own and what glibc happens to map for threads that allocate: small cases took 0.40 to 0.55 GB (docs/stages/batch.md). Twice
// that, so that other libraries fit too and a small case that crashes is not taken for one near its limit (`kNearLimit`).
constexpr double kAddressSpaceBeside_gb = 1;
constexpr double kAddressSpaceOfThread_gb = 0.08;  ///< a further thread's stack (8 MB) and arena (64 MB)
constexpr double kUnknownCase_gb = 2;         ///< counted for a case whose need is not known
constexpr double kNearLimit = 0.75;           ///< of its address space: a crash there is one of memory, which not every library survives
constexpr auto kLook = 20ms;
constexpr auto kTimeToStop = 10s;             ///< after SIGINT, before SIGKILL

double available_memory_gb()
{
    std::ifstream info("/proc/meminfo");
    for (std::string word; info >> word;) {
        double kibibytes = 0;
        if (word == "MemAvailable:" && info >> kibibytes) return kibibytes * 1024 / 1e9;
    }
    return 0;
}

/// What a process has taken of address space; 0 where it is gone.
double address_space_gb(pid_t process)
{
    std::ifstream statm("/proc/" + std::to_string(process) + "/statm");
    double pages = 0;
    return statm >> pages ? pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e9 : 0;
}

double seconds_of(const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; }

/// Of one case, as its arguments say it; 1 where they do not.
int threads_of(const std::vector<std::string>& arguments)
{
    const auto option = std::find(arguments.begin(), arguments.end(), "--threads");
    if (option == arguments.end() || option + 1 == arguments.end()) return 1;
    return std::max(std::atoi((option + 1)->c_str()), 1);
}

/// What an ended worker said last: message and code.
std::pair<std::string, std::string> last_words(const fs::path& log)
{
    const auto text = text_of(log).value_or("");
    const auto start = text.rfind("retromass: ");
    if (start == std::string::npos) return {};
    const auto end = text.find('\n', start);
    auto message = text.substr(start + 11, end == std::string::npos ? end : end - start - 11);
    std::string code;
    const auto open = text.find("\n  [", start);
    if (open != std::string::npos) code = text.substr(open + 4, text.find_first_of(",]", open) - open - 4);
    return {message, code};
}

/// Half results of workers that were killed: nobody else can be writing them while the case is claimed. The claim tells which processes were at work; where
/// it does not - they were killed before they said so - the folders are looked through.
void remove_leftovers(const Plan& plan, const PlannedCase& planned, const Claim& claim)
{
    const auto folder = result_folder(plan, planned);
    std::error_code error;
    const auto processes = claim.processes();
    // Killed in here, this one leaves something too. Whoever comes next looks for it by name, or, where nobody is named yet, through the folders.
    if (!processes.empty()) (void)claim.add_process(getpid());
    for (const auto& process : processes) outputs::remove_lock_of_ended_run(folder, process.id, process.host);  // of a worker on another node nobody else can say that it has ended
    // Somebody works on the result by hand: what lies there may be his. Asked, not kept: a runner killed meanwhile on another node would leave a lock nobody may remove.
    if (!outputs::ResultLock::take(folder, "batch run", "") && fs::exists(outputs::beside_result(folder, "lock"), error)) return;
    std::vector<fs::path> found;
    std::vector<fs::path> replaced;
    const auto take = [&](const fs::path& path) {
        const auto name = path.filename().string();
        if (name.starts_with(planned.id + ".partial-") || name.starts_with(planned.id + ".lock.partial") || name.starts_with(planned.id + ".json.unfinished-")) found.push_back(path);
        if (name.starts_with(planned.id + ".replaced-")) replaced.push_back(path);
    };
    for (const auto& [host, process] : processes) {
        for (const auto& path : {folder.string() + ".partial-" + process, folder.string() + ".lock.partial1-" + process, folder.string() + ".replaced-" + process, (plan.folder / "state" / (planned.id + ".json.unfinished-")).string() + process}) {
            if (fs::exists(fs::symlink_status(path, error))) take(path);
        }
    }
    for (const auto& place : {folder.parent_path(), plan.folder / "state"}) {
        if (!processes.empty()) break;
        for (fs::directory_iterator it(place, error), end; !error && it != end; it.increment(error)) take(it->path());
    }
    // Killed between two renames: the old result is the only one.
    for (const auto& old : replaced) {
        if (!fs::exists(folder, error)) fs::rename(old, folder, error);
        else found.push_back(old);
    }
    for (const auto& path : found) fs::remove_all(path, error);
}

struct PutAside {
    std::string why;
    fs::path to;  ///< from the plan's folder
};

/// A result that is not whole is replaced, but never thrown away: reviews and signed reports may lie in it. Empty where there was none.
Result<std::optional<PutAside>> put_aside_damaged(const Plan& plan, const PlannedCase& planned, outputs::Depth depth, const std::string& time)
{
    const auto folder = result_folder(plan, planned);
    std::error_code error;
    if (!fs::is_directory(folder, error)) return std::optional<PutAside>();
    const auto why = why_no_result(plan, planned, depth);
    if (why.empty()) return std::optional<PutAside>();
    RETROMASS_TRY_ASSIGN(const auto lock, outputs::ResultLock::take(folder, "batch run", time));  // somebody may have it open
    for (int n = 1;; ++n) {
        const auto aside = plan.folder / "damaged" / (planned.id + "-" + std::to_string(n));
        if (fs::exists(aside, error)) continue;
        fs::create_directories(aside.parent_path(), error);
        if (!error) fs::rename(folder, aside, error);
        if (error) return Error{Code::io, folder.string() + " is damaged and cannot be put aside: " + error.message(), "batch: run"};
        return std::optional(PutAside{why, aside.lexically_relative(plan.folder)});
    }
}

/// A started worker.
struct Worker {
    const PlannedCase* planned;
    Claim claim;
    std::string key;
    CaseState state;
    double memory_gb;
    pid_t pid = -1;
    Clock::time_point start = Clock::now();
    std::optional<Clock::time_point> told_to_stop;
    bool too_long = false;
    double space_gb = 0;      ///< its limit
    double most_gb = 0;       ///< seen of it
    std::string before;       ///< the run that the result there was of when it began
};

/// What a worker was held to, to be said where memory was short.
std::string limit_of(const Worker& worker)
{
    return kShadowMemory ? std::string() : " (its limit: " + fixed(worker.space_gb, 1) + " GB of address space, for " + fixed(worker.memory_gb, 2) + " GB planned)";
}

class Runner {
public:
    Runner(const Plan& plan, const RunParameters& parameters, const Progress& progress) : plan_(plan), parameters_(parameters), progress_(progress)
    {
        budget_gb_ = parameters.memory_gb > 0 ? parameters.memory_gb : available_memory_gb();
    }

    Result<Summary> run()
    {
        for (const auto& planned : plan_.cases) {
            if (!parameters_.only.empty() && std::find(parameters_.only.begin(), parameters_.only.end(), planned.id) == parameters_.only.end()) continue;
            queue_.push_back(&planned);
        }
        total_ = queue_.size();
        const auto worked = work();
        if (logged_) note({{"event", "run-ended"}, {"done", summary_.done}, {"refused", summary_.refused}, {"failed", summary_.failed}, {"left", summary_.left}, {"stopped", summary_.stopped}});
        if (worked) return summary_;
        // The plan's own folder cannot be written: no case could be recorded.
        stop();
        while (!workers_.empty()) {
            (void)reap();
            std::this_thread::sleep_for(kLook);
        }
        return worked.error();
    }

private:
    /// Into the log of this host: where several append to one file over a network, lines would be lost. What cannot be logged is in the states all the same.
    void note(const nlohmann::ordered_json& event)
    {
        using nlohmann::ordered_json;
        if (!std::exchange(logged_, true)) note({{"event", "run-started"}, {"cases", total_}, {"jobs", parameters_.jobs}, {"memory_gb", budget_gb_}});
        ordered_json line{{"time", parameters_.time ? parameters_.time() : std::string()}, {"host", outputs::host_name()}, {"runner", getpid()}};
        line.update(event);
        (void)append_line(plan_.folder / "logs" / ("batch-" + outputs::host_name() + ".jsonl"), line.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
    }

    Status work()
    {
        while (!queue_.empty() || !workers_.empty()) {
            RETROMASS_TRY(reap());
            if (!goes_on_with_the_work()) {
                stop();
                continue;
            }
            RETROMASS_TRY_ASSIGN(const bool started, start_next());
            if (!started) std::this_thread::sleep_for(kLook);
        }
        return Done{};
    }

    bool goes_on_with_the_work()
    {
        if (summary_.stopped) return false;
        const auto finished = total_ - queue_.size() - workers_.size();
        const double fraction = total_ ? static_cast<double>(finished) / static_cast<double>(total_) : 1;
        std::string stage = std::to_string(finished) + " of " + std::to_string(total_) + " cases, " + std::to_string(workers_.size()) + " at work, " + std::to_string(summary_.failed + summary_.refused) + " not done";
        const double hours = std::chrono::duration<double>(Clock::now() - start_).count() / 3600;
        if (summary_.done > 0 && hours > 0) {
            const double rate = summary_.done / hours;
            stage += ", " + fixed(rate, 0) + " an hour, " + fixed(60 * static_cast<double>(total_ - finished) / rate, 0) + " min left,";
        }
        return goes_on(progress_, stage, fraction);
    }

    /// Starts the next case that fits. Answers whether something was done; false = wait.
    Result<bool> start_next()
    {
        if (queue_.empty() || workers_.size() >= static_cast<std::size_t>(std::max(parameters_.jobs, 1))) return false;
        const auto& planned = *queue_.front();
        if (!fits(planned)) return false;  // memory comes back when one ends
        RETROMASS_TRY_ASSIGN(auto claim, Claim::take(plan_, planned));
        const auto leave = [&] {
            ++summary_.left;
            queue_.pop_front();
            return true;
        };
        if (!claim) return leave();
        auto state = state_of(plan_, planned, parameters_.depth, true);
        const bool wanted = state.state == State::pending || state.state == State::outdated || (state.state == State::failed && parameters_.failed_again);
        if (wanted && !needs_.contains(planned.id)) {
            needs_[planned.id] = memory_now(plan_, planned);
            if (!fits(planned)) return false;
        }
        if (!wanted) {
            queue_.pop_front();
            if (state.state != State::done) ++summary_.left;
            if (state.state == State::done && left_open(plan_, planned)) {  // its runner was killed when the result was there
                remove_leftovers(plan_, planned, *claim);
                const auto inputs = inputs_now(plan_, planned);
                if (inputs) RETROMASS_TRY(record(plan_, planned, state, *inputs));
            }
            return true;
        }
        remove_leftovers(plan_, planned, *claim);
        const auto aside = put_aside_damaged(plan_, planned, parameters_.depth, parameters_.time ? parameters_.time() : std::string());
        if (!aside) return leave();
        if (*aside) {
            summary_.put_aside.push_back(planned.id + ": " + (*aside)->why + "; it lies in " + (*aside)->to.string() + " now, with its log and what readers said of it");
            note({{"event", "put-aside"}, {"case", planned.id}, {"to", (*aside)->to.string()}});
        }
        if (state.state == State::outdated) {
            const auto inputs = inputs_now(plan_, planned);
            if (!inputs) return leave();  // somebody is writing them; the state says why
            if (only_touched(plan_, planned, *inputs)) {
                queue_.pop_front();
                RETROMASS_TRY(record_touched(plan_, planned, *inputs));
                return true;
            }
        }
        auto key = key_of(plan_, planned);
        if (!key) return leave();
        queue_.pop_front();
        ++state.attempts;
        const double known = needs_[planned.id], needed = known > 0 ? known : kUnknownCase_gb;
        Worker worker{&planned, std::move(*claim), std::move(*key), state, needed};
        if (known > budget_gb_) {
            return ended(worker, State::failed, Code::memory, "about " + fixed(needed, 1) + " GB of memory are needed, " + fixed(budget_gb_, 1) + " GB may be used; run it on a larger machine");
        }
        worker.before = run_of_result(plan_, planned);
        RETROMASS_TRY(record_begin(plan_, planned, worker.state, worker.key));
        RETROMASS_TRY(start(worker));
        note({{"event", "case-started"}, {"case", planned.id}, {"attempt", worker.state.attempts}, {"worker", worker.pid}});
        workers_.push_back(std::move(worker));
        return true;
    }

    /// Whether there is memory for the case beside those at work, as far as is known what it needs.
    bool fits(const PlannedCase& planned) const
    {
        const auto looked = needs_.find(planned.id);
        const double known = looked == needs_.end() ? planned.memory_gb : looked->second;
        double taken = known > 0 ? known : kUnknownCase_gb;
        for (const auto& worker : workers_) taken += worker.memory_gb;
        return workers_.empty() || taken <= budget_gb_;
    }

    Status start(Worker& worker) const
    {
        const auto log = log_file(plan_, *worker.planned);
        // Named from the plan's folder: a result does not tell where the plan lies, and is the same byte for byte wherever it is made.
        const auto in_plan = [&](const fs::path& path) { return path.lexically_relative(plan_.folder).string(); };
        std::vector<std::string> arguments{parameters_.program.string(), "run", in_plan(worker.planned->case_file), "-o", in_plan(result_folder(plan_, *worker.planned)), "--overwrite"};
        arguments.insert(arguments.end(), plan_.run_arguments.begin(), plan_.run_arguments.end());
        std::vector<char*> argv;
        for (auto& argument : arguments) argv.push_back(argument.data());
        argv.push_back(nullptr);
        const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (out < 0) return Error{errno == ENOSPC ? Code::disk_space : Code::io, log.string() + " cannot be written: " + std::generic_category().message(errno), "batch: run"};
        const pid_t runner = getpid();
        rlimit outside{};  // a limit that somebody set on the runner is kept
        getrlimit(RLIMIT_AS, &outside);
        const double beside_gb = kAddressSpaceBeside_gb + kAddressSpaceOfThread_gb * (threads_of(plan_.run_arguments) - 1);
        const rlim_t space = std::min(static_cast<rlim_t>((worker.memory_gb * kMemorySlack + beside_gb) * 1e9), outside.rlim_cur);
        RETROMASS_TRY(worker.claim.note_processes({}));
        worker.space_gb = static_cast<double>(space) / 1e9;
        worker.pid = fork();
        if (worker.pid < 0) {
            const int number = errno;
            close(out);
            return Error{Code::memory, "no process could be started: " + std::generic_category().message(number), "batch: run"};
        }
        if (worker.pid == 0) {
            // Only what is safe between fork and exec. A group of its own: Ctrl-C reaches the runner, which passes it on.
            setpgid(0, 0);
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            alarm(static_cast<unsigned>(parameters_.time_limit.count()) + 60);  // one that hangs in a read outlives its runner, but not this
            if (getppid() != runner) _exit(125);
            const rlimit limit{space, space};
            if (!kShadowMemory) setrlimit(RLIMIT_AS, &limit);
            fcntl(worker.claim.descriptor(), F_SETFD, 0);  // the claim lives as long as the worker
            const int nothing = open("/dev/null", O_RDONLY);
            if (chdir(plan_.folder.c_str()) != 0) _exit(126);
            dup2(nothing, 0);
            dup2(out, 1);
            dup2(out, 2);
            execv(argv[0], argv.data());
            _exit(126);
        }
        close(out);
        worker.start = Clock::now();
        (void)worker.claim.note_processes({runner, worker.pid});  // where that fails, the next one looks through the folders
        return Done{};
    }

    Status reap()
    {
        for (auto at = workers_.begin(); at != workers_.end();) {
            auto& worker = *at;
            int how = 0;
            rusage used{};
            const pid_t pid = wait4(worker.pid, &how, WNOHANG, &used);
            if (pid == worker.pid) {
                worker.state.wall_s = std::chrono::duration<double>(Clock::now() - worker.start).count();
                worker.state.cpu_s = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
                worker.state.peak_gb = static_cast<double>(used.ru_maxrss) * 1024 / 1e9;
                const auto written = finish(worker, how);
                at = workers_.erase(at);
                RETROMASS_TRY(written);
                continue;
            }
            worker.most_gb = std::max(worker.most_gb, address_space_gb(worker.pid));
            const auto now = Clock::now();
            if (!worker.told_to_stop && now - worker.start > parameters_.time_limit) {
                worker.too_long = true;
                worker.told_to_stop = now;
                kill(worker.pid, SIGINT);
            } else if (worker.told_to_stop && now - *worker.told_to_stop > kTimeToStop) {
                kill(-worker.pid, SIGKILL);
            }
            ++at;
        }
        return Done{};
    }

    Status finish(Worker& worker, int how)
    {
        const auto done = [](const Result<bool>& result) { return result ? Status(Done{}) : Status(result.error()); };
        const auto [message, code] = last_words(log_file(plan_, *worker.planned));
        if (WIFSIGNALED(how)) {
            const auto made = run_of_result(plan_, *worker.planned);  // none between the two renames that replace a result: the old one is put back
            if (!made.empty() && made != worker.before) return done(ended(worker, State::done, std::nullopt, ""));  // killed when the result was there
        }
        if (worker.too_long) return done(ended(worker, State::failed, Code::cancelled, "took longer than " + std::to_string(parameters_.time_limit.count()) + " s"));
        // Told to end from outside - a cluster cancels runner and worker together - is no failure of the case: it stays to be run.
        const bool told = (WIFSIGNALED(how) && (WTERMSIG(how) == SIGTERM || WTERMSIG(how) == SIGINT || WTERMSIG(how) == SIGHUP)) || (WIFEXITED(how) && WEXITSTATUS(how) != 0 && code == name(Code::cancelled));
        if (told || (summary_.stopped && !(WIFEXITED(how) && WEXITSTATUS(how) == 0))) {
            remove_leftovers(plan_, *worker.planned, worker.claim);
            ++summary_.left;
            return Done{};
        }
        if (WIFSIGNALED(how) && worker.most_gb > kNearLimit * worker.space_gb) return done(ended(worker, State::failed, Code::memory, "ended by signal " + std::to_string(WTERMSIG(how)) + " near its limit of " + fixed(worker.space_gb, 1) + " GB of memory"));
        if (WIFSIGNALED(how)) return done(ended(worker, State::failed, Code::internal, "ended by signal " + std::to_string(WTERMSIG(how)) + " (" + std::string(strsignal(WTERMSIG(how))) + ")"));
        const int exit = WEXITSTATUS(how);
        if (exit == 0 && !has_result(plan_, *worker.planned, outputs::Depth::figures)) return done(ended(worker, State::failed, Code::internal, "ended without a result"));
        if (exit == 0) return done(ended(worker, State::done, std::nullopt, ""));
        // What another time or machine may cure is a failure; what only another input cures is a refusal.
        const bool environment = code == name(Code::disk_space) || code == name(Code::memory) || code == name(Code::io) || code == name(Code::cancelled);
        auto reason = message.empty() ? "exit " + std::to_string(exit) + "; see " + log_file(plan_, *worker.planned).string() : message;
        if (code == name(Code::memory)) reason += limit_of(worker);
        worker.state.code = code;
        return done(ended(worker, exit == 4 && !environment ? State::refused : State::failed, std::nullopt, reason, code.empty() ? std::string(name(Code::internal)) : code));
    }

    /// Writes down the end of a case.
    Result<bool> ended(Worker& worker, State state, std::optional<Code> code, const std::string& reason, const std::string& said = "")
    {
        remove_leftovers(plan_, *worker.planned, worker.claim);
        worker.state.state = state;
        worker.state.code = code ? std::string(name(*code)) : said;
        worker.state.reason = reason;
        Inputs inputs{worker.key, ""};
        if (state == State::done) {  // only now: the worker has just read them, one that hangs while it does costs no runner, and they come from the cache
            auto now = inputs_now(plan_, *worker.planned);
            if (now && now->key == worker.key) inputs = std::move(*now);
        }
        RETROMASS_TRY(record(plan_, *worker.planned, worker.state, inputs));
        if (worker.pid > 0) note({{"event", "case-ended"}, {"case", worker.planned->id}, {"state", name(state)}, {"code", worker.state.code}, {"wall_s", worker.state.wall_s}, {"cpu_s", worker.state.cpu_s}, {"peak_gb", worker.state.peak_gb}});
        ++(state == State::done ? summary_.done : state == State::refused ? summary_.refused : summary_.failed);
        return true;
    }

    void stop()
    {
        summary_.stopped = true;
        summary_.left += static_cast<int>(queue_.size());
        queue_.clear();
        for (auto& worker : workers_) {
            if (worker.told_to_stop) continue;
            worker.told_to_stop = Clock::now();
            kill(worker.pid, SIGINT);
        }
        std::this_thread::sleep_for(kLook);
    }

    const Plan& plan_;
    const RunParameters& parameters_;
    const Progress& progress_;
    double budget_gb_ = 0;
    bool logged_ = false;
    std::map<std::string, double> needs_;  ///< GB, of cases that were looked at
    std::deque<const PlannedCase*> queue_;
    std::size_t total_ = 0;
    std::list<Worker> workers_;
    Summary summary_;
    Clock::time_point start_ = Clock::now();
};

}  // namespace

Result<Summary> run_plan(const Plan& plan, const RunParameters& parameters, const Progress& progress)
{
    RETROMASS_TRY(check_protocols(plan, parameters.only));
    return Runner(plan, parameters, progress).run();
}

}  // namespace retromass::batch

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <system_error>

#include "core/units.h"
#include "pipeline/batch/batch.h"
#include "pipeline/batch/files.h"
#include "pipeline/batch/state.h"

extern char** environ;

namespace retromass::batch {
namespace {

namespace fs = std::filesystem;

constexpr double kMemorySlack = 1.5;       ///< over what the headers promise
constexpr double kMemoryBeside_gb = 0.5;
constexpr double kUnknownCase_gb = 2;

/// A word of a shell command, whatever is in it.
std::string shell_word(const std::string& text)
{
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

/// Runs a command without a shell; answers what it printed. Fails with io, naming what it said.
Result<std::string> output_of(std::vector<std::string> command)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return Error{Code::io, "no pipe: " + std::generic_category().message(errno), "batch: slurm"};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    std::vector<char*> argv;
    for (auto& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_t pid = -1;
    const int failed = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    std::string said;
    if (failed == 0) {
        char buffer[4096];
        for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof buffer)) != 0;) {
            if (n > 0) said.append(buffer, static_cast<std::size_t>(n));
            else if (errno != EINTR) break;
        }
    }
    close(ends[0]);
    if (failed != 0) return Error{Code::io, command[0] + " cannot be started (" + std::generic_category().message(failed) + "); is Slurm installed on this machine?", "batch: slurm"};
    int how = 0;
    while (waitpid(pid, &how, 0) < 0 && errno == EINTR) {}
    while (!said.empty() && (said.back() == '\n' || said.back() == ' ')) said.pop_back();
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0) return said;
    return Error{Code::io, command[0] + " failed: " + (said.empty() ? "exit " + std::to_string(WEXITSTATUS(how)) : said), "batch: slurm"};
}

/// A submission of its own, so that one that is queued still finds its list when the next is made.
Result<fs::path> new_folder(const Plan& plan)
{
    for (int n = 1;; ++n) {
        const auto folder = plan.folder / "slurm" / std::to_string(n);
        std::error_code error;
        fs::create_directories(folder.parent_path(), error);
        if (fs::create_directory(folder, error)) return folder;
        if (error) return Error{Code::io, folder.string() + " cannot be made: " + error.message(), "batch: slurm"};
    }
}

}  // namespace

Result<std::string> ask_cluster()
{
    // Asked first, since it names the controller and says at once that it is down; sinfo asks again for seconds.
    RETROMASS_TRY_ASSIGN(const auto controllers, output_of({"scontrol", "ping"}));
    RETROMASS_TRY_ASSIGN(const auto queues, output_of({"sinfo", "--noheader", "--format=%P %a, %D nodes %t"}));
    return controllers + '\n' + (queues.empty() ? "no queue" : queues);
}

Result<Submission> submit(const Plan& plan, const RunParameters& running, const ClusterParameters& cluster)
{
    RETROMASS_TRY(check_protocols(plan, running.only));
    Submission out;
    std::string ids;
    double memory_gb = 0;
    int cases = 0;
    for (const auto& planned : plan.cases) {
        if (!running.only.empty() && std::find(running.only.begin(), running.only.end(), planned.id) == running.only.end()) continue;
        const auto state = state_of(plan, planned, running.depth).state;
        if (state != State::pending && state != State::outdated && !(state == State::failed && running.failed_again)) continue;
        ids += planned.id + '\n';
        const double needed = running.memory_gb > 0 ? running.memory_gb : memory_now(plan, planned);
        memory_gb = std::max(memory_gb, needed > 0 ? needed : kUnknownCase_gb);
        ++cases;
    }
    if (cases == 0) return out;
    RETROMASS_TRY_ASSIGN(const auto folder, new_folder(plan));
    const int a_task = std::max(cluster.cases_a_task, 1);
    RETROMASS_TRY(write_text(folder / "ids", ids));
    RETROMASS_TRY(write_text(folder / "job.sh", "#!/bin/bash\n"
                                                "# One task of an array: the cases of its lines in `ids`. A task that is queued again does only what has no valid result.\n"
                                                "first=$(( ($1 + SLURM_ARRAY_TASK_ID) * " + std::to_string(a_task) + " + 1 ))\n"
                                                "only=()\n"
                                                "while read -r id; do only+=(--only \"$id\"); done < <(sed -n \"${first},$((first + " + std::to_string(a_task - 1) + "))p\" " + shell_word((folder / "ids").string()) + ")\n"
                                                "(( ${#only[@]} )) || { echo 'no cases for this task: its list is not there' >&2; exit 1; }\n"
                                                "exec " + shell_word(running.program.string()) + " batch " + (running.failed_again ? "resume" : "run") + (running.depth == outputs::Depth::every_byte ? " --verify " : " ") + shell_word(plan.folder.string()) +
                                                " --jobs 1" + (running.memory_gb > 0 ? " --memory " + fixed(running.memory_gb, 3) : "") + " --time-limit " + std::to_string(running.time_limit.count()) + " \"${only[@]}\"\n"));
    const int tasks = (cases + a_task - 1) / a_task;
    const auto minutes = static_cast<long>(std::ceil(static_cast<double>(running.time_limit.count()) * a_task / 60)) + 1;
    const auto megabytes = static_cast<long>(std::ceil((running.memory_gb > 0 ? running.memory_gb : memory_gb * kMemorySlack + kMemoryBeside_gb) * 1000));
    for (int first = 0; first < tasks; first += cluster.tasks_an_array) {
        const int last = std::min(tasks - first, cluster.tasks_an_array) - 1;
        std::vector<std::string> command{"sbatch", "--parsable", "--requeue", "--open-mode=append", "--job-name=retromass", "--array=0-" + std::to_string(last) + (cluster.at_once > 0 ? "%" + std::to_string(cluster.at_once) : std::string()),
                                         "--time=" + std::to_string(minutes), "--mem=" + std::to_string(megabytes) + "M", "--output=" + (folder / "%A_%a.log").string()};
        if (!cluster.partition.empty()) command.push_back("--partition=" + cluster.partition);
        if (!cluster.account.empty()) command.push_back("--account=" + cluster.account);
        command.insert(command.end(), cluster.options.begin(), cluster.options.end());
        command.insert(command.end(), {(folder / "job.sh").string(), std::to_string(first)});
        auto job = output_of(std::move(command));
        if (!job) {
            auto error = job.error();
            for (const auto& submitted : out.jobs) error.message += "; job " + submitted + " is in the queue already";
            return error;
        }
        out.jobs.push_back(std::move(*job));
    }
    out.cases = cases;
    out.tasks = tasks;
    return out;
}

}  // namespace retromass::batch

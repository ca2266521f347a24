#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/codes.h"
#include "core/progress.h"
#include "core/result.h"
#include "pipeline/outputs/outputs.h"

/// Many cases: planned from an archive, run one by one as processes of their own, collected into one table (docs/stages/batch.md).
///
/// A plan is a folder. Several runners, on several machines that share its file system, may work on it at once: a case is claimed by a lock
/// that its worker holds, so that it ends with the worker however that ends.
namespace retromass::batch {

/// One case of a plan.
struct PlannedCase {
    std::string id;
    std::filesystem::path case_file;   ///< absolute
    std::vector<std::string> studies;  ///< Study Instance UIDs, in the order of the time points
    double memory_gb = 0;              ///< what its run needs, from the headers; 0 = not known
    std::string draft_sha256;          ///< of the case file as it was drafted: another one was edited and is kept
    std::vector<std::string> left_out; ///< what the draft could not take: a study, a mark; somebody has to look at it before the case is run
    std::string patient;               ///< a hash of who the images say it is; empty where they do not
    std::string code;                  ///< why no case file was drafted; empty where one was
    std::string why_not;
    std::string study;                 ///< as the manifest states: STUDYID, site
    std::string site;
};

struct Plan {
    std::filesystem::path folder;
    std::vector<PlannedCase> cases;            ///< by id
    std::vector<std::string> run_arguments;    ///< of `retromass run`, the same for every case
    std::vector<std::string> remarks;          ///< what was not matched or not taken, for the one who planned
};

struct PlanParameters {
    std::filesystem::path manifest;            ///< CSV: what the archive does not say of its studies; empty = none
    std::vector<std::filesystem::path> marks;  ///< CSV tables of lines on images of the archive
    std::vector<std::string> labels;           ///< patterns ('*'): segments and contours of such a name are lesions to be measured
    std::filesystem::path settings;            ///< of `retromass run --settings`; the plan keeps a copy; empty = none
    std::filesystem::path protocol;            ///< that every case is under; the plan keeps a copy, and a plan under one stays under it; empty = none
    std::vector<std::string> run_arguments;
    std::vector<Code> accepted;                ///< beside those of the settings
    int threads = 0;
};

/// Scans the archive and writes one case file a patient below `folder`/cases. Patients are told apart by patient ID and issuer; a study
/// without one is a case of its own. A plan that is there already is continued: its cases keep their ids, and a case file that was edited is
/// never overwritten. Fails with no_series if nothing can be measured, and with output_exists where the plan is under another protocol, or other rules of its version.
Result<Plan> make_plan(const std::vector<std::filesystem::path>& archive, const std::filesystem::path& folder, const PlanParameters& parameters, const Progress& progress = {});
Result<Plan> read_plan(const std::filesystem::path& folder);

/// Where a case stands.
enum class State {
    pending,   ///< to be run
    waiting,   ///< nothing says where its lesion is, or the draft left something out: a reader has to look
    running,   ///< claimed by a runner
    done,      ///< a valid result of the present inputs and settings is there
    outdated,  ///< a result of other inputs or settings is there; it will be run again
    refused,   ///< the program refused the input; it is not run again until the input changes
    failed,    ///< crash, time-out, memory, disk: run again by `resume`
    rejected,  ///< a reader rejected it; it stays out until its inputs change
};
std::string_view name(State state);

struct CaseState {
    std::string id;
    State state = State::pending;
    std::string code;                  ///< of docs/codes.md, where refused or failed
    std::string reason;
    int attempts = 0;
    double wall_s = 0;
    double cpu_s = 0;
    double peak_gb = 0;
};
/// The state of one case, from its files alone: inputs by size and time, results by figures and sizes, or both by every byte.
CaseState state_of(const Plan& plan, const PlannedCase& planned, outputs::Depth depth = outputs::Depth::figures);

struct RunParameters {
    std::filesystem::path program;             ///< the retromass to start
    int jobs = 1;
    std::chrono::seconds time_limit{3600};     ///< of one case
    double memory_gb = 0;                      ///< of all cases that run at once; 0 = what the machine has free
    bool failed_again = false;                 ///< also those that failed
    std::vector<std::string> only;             ///< ids; empty = all
    outputs::Depth depth = outputs::Depth::figures;  ///< how thoroughly results and inputs that are there are looked at
    std::function<std::string()> time;         ///< now, ISO 8601, for the log
};
struct Summary {
    int done = 0;                              ///< by this runner
    int refused = 0;
    int failed = 0;
    int left = 0;                              ///< waiting, claimed elsewhere, or not reached
    bool stopped = false;                      ///< on request
    std::vector<std::string> put_aside;        ///< damaged results: which, why, and where they lie now
};
/// Runs every case that has no valid result; none where one version of a protocol stands for two sets of rules (output_exists). One that fails never stops the rest. Told to stop by `progress`, it ends its workers and leaves
/// no half result and no claim.
Result<Summary> run_plan(const Plan& plan, const RunParameters& parameters, const Progress& progress = {});

/// How a plan is handed to Slurm.
struct ClusterParameters {
    int at_once = 0;                           ///< tasks at work at one time, of each array; 0 = as many as there is room for
    int cases_a_task = 1;                      ///< more for cases of seconds
    int tasks_an_array = 1000;                 ///< what the cluster takes: less than its MaxArraySize, which is 1001 where nobody set it
    std::string partition;                     ///< empty = the cluster's own
    std::string account;                       ///< empty = the user's own
    std::vector<std::string> options;          ///< further ones of sbatch, e.g. "--qos=night"; they override all others
};
struct Submission {
    std::vector<std::string> jobs;             ///< ids of the job arrays
    int cases = 0;
    int tasks = 0;
};
/// Submits every case that has no valid result as Slurm job arrays, each task running `retromass batch run` on its cases: the
/// same claims and states as here, so that a task that is queued again, or a runner beside it, does nothing twice. Memory is asked for as `running.memory_gb` says or, where it
/// is 0, by the largest case, time by the limit of a case. Fails with io, saying what sbatch said.
Result<Submission> submit(const Plan& plan, const RunParameters& parameters, const ClusterParameters& cluster);

/// Which controllers of Slurm answer, then its queues, a line each. Fails with io, saying why there are none: it is not installed, or nobody answers.
Result<std::string> ask_cluster();
/// Whether plans may lie in the folder: a file can be written there, locked, brought to the disk and renamed. Leaves nothing. Fails with io or disk_space.
Status check_folder(const std::filesystem::path& folder);

/// What of a plan is put before a reader.
struct ReviewParameters {
    double share_pct = 5;                      ///< of the cases that nothing speaks against
    std::uint64_t seed = 1;                    ///< chooses them: the same seed, the same cases
    std::string reader;                        ///< who will decide; may be said on the page too
    int at_most = 300;                         ///< cases on the page: those in most need
};
/// Writes one page, without anything loaded from outside, that shows the cases a reader has to look at, those in most need first: refused, failed and
/// waiting ones, then those with notices on mask or images, those whose category is near a limit, those whose criteria disagree, and a share of the
/// others. It saves the reader's decisions as a file for `apply_decisions`.
Status write_review(const Plan& plan, const std::filesystem::path& file, const ReviewParameters& parameters);

struct CaseRemark {
    std::string id;
    std::string text;
};
/// What became of a reader's decisions.
struct ReviewOutcome {
    int on_page = 0;
    int opened = 0;
    int accepted = 0;
    int rejected = 0;
    int need_prompt = 0;
    bool plan_changed = false;                 ///< since the page was made; each case is compared by itself
    std::vector<std::string> again;            ///< cases with a new prompt, to be run
    std::vector<CaseRemark> changed;           ///< what a decision changed and why
    std::vector<CaseRemark> not_taken;         ///< and what was not taken: somebody runs the case, its result is another one now
};
/// Takes the decisions of a review into the plan: a rejected case stays out, one that needs a prompt waits or, where the prompt is given, gets it in its
/// case file. A decision on a result that changed since is not taken. Fails with table where the file is no such file or names no reader.
Result<ReviewOutcome> apply_decisions(const Plan& plan, const std::filesystem::path& file, const std::string& time);

/// Gathers all cases below `folder`, unless one version of a protocol stands for two sets of rules (output_exists): cases.csv (one row a case, whatever became of it), measurements.csv, response.csv, results.sqlite and
/// cohort.html. Written under temporary names and renamed.
Status collect(const Plan& plan, const std::filesystem::path& folder);

}  // namespace retromass::batch

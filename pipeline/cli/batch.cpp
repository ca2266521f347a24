#include "pipeline/batch/batch.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/units.h"
#include "pipeline/cli/clock.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/method_option.h"

namespace retromass::cli {
namespace {

namespace fs = std::filesystem;

/// This program as it was started, for the workers.
fs::path this_program()
{
    std::error_code error;
    const auto path = fs::read_symlink("/proc/self/exe", error);
    return error ? fs::path("retromass") : path;
}

// ------------------------------------------------------------------------------------------------ plan
struct PlanOptions {
    std::vector<std::string> archive;
    std::string output;
    std::string manifest;
    std::vector<std::string> marks;
    std::vector<std::string> labels;
    std::string method;
    std::string settings;
    std::string protocol;
    std::vector<std::string> policies;
    std::vector<std::string> accept;
    bool assume_no_new_lesions = false;
    int threads = 0;
    int threads_of_a_case = 1;
};

Status make_plan(const PlanOptions& options)
{
    batch::PlanParameters parameters;
    parameters.settings = options.settings;
    parameters.protocol = options.protocol;
    if (!options.protocol.empty() && (!options.policies.empty() || options.assume_no_new_lesions)) return Error{Code::usage, "--protocol states the rules: leave out --policy and --assume-no-new-lesions", "cli: batch"};
    parameters.manifest = options.manifest;
    parameters.marks.assign(options.marks.begin(), options.marks.end());
    parameters.labels = options.labels;
    parameters.threads = options.threads;
    RETROMASS_TRY_ASSIGN(parameters.accepted, accepted_codes(options.accept));
    auto& arguments = parameters.run_arguments;
    arguments = {"--threads", std::to_string(options.threads_of_a_case)};
    if (!options.method.empty()) {
        RETROMASS_TRY(method_named(options.method));
        arguments.insert(arguments.end(), {"--method", options.method});
    }
    for (const auto& policy : options.policies) arguments.insert(arguments.end(), {"--policy", policy});
    for (const auto& code : options.accept) arguments.insert(arguments.end(), {"--accept", code});
    if (options.assume_no_new_lesions) arguments.push_back("--assume-no-new-lesions");
    RETROMASS_TRY_ASSIGN(const auto plan, batch::make_plan({options.archive.begin(), options.archive.end()}, options.output, parameters, terminal_progress()));
    for (const auto& remark : plan.remarks) std::cout << "note: " << remark << '\n';
    std::map<batch::State, int> count;
    for (const auto& planned : plan.cases) ++count[batch::state_of(plan, planned).state];
    std::cout << plan.cases.size() << " cases in " << options.output << "/cases";
    for (const auto& [state, n] : count) std::cout << ", " << n << " " << batch::name(state);
    std::cout << "\nnext: retromass batch run " << options.output << '\n';
    return Done{};
}

// ------------------------------------------------------------------------------------------------ run
struct RunOptions {
    std::string plan;
    std::vector<std::string> only;
    bool verify = false;
    int jobs = 1;
    int time_limit_s = 3600;
    double memory_gb = 0;
    std::string engine = "local";
    std::vector<std::string> sbatch;
    int cases_a_task = 1;
    int at_once = 0;
    int tasks_an_array = 1000;
    std::string partition;
    std::string account;
    std::string decisions;
};

/// Takes a reader's decisions into the plan and says what they changed.
Result<batch::ReviewOutcome> take_decisions(const batch::Plan& plan, const std::string& file)
{
    RETROMASS_TRY_ASSIGN(auto outcome, batch::apply_decisions(plan, file, timestamp_now()));
    std::cout << "review: " << outcome.opened << " of " << outcome.on_page << " cases opened, " << outcome.accepted << " accepted, " << outcome.rejected << " rejected, " << outcome.need_prompt << " need a prompt, " << outcome.again.size()
              << " to be run again\n";
    if (outcome.plan_changed) std::cout << "note: the plan was changed since this page was made; each case was compared with what was looked at\n";
    for (const auto& [id, text] : outcome.changed) std::cout << "changed: " << id << ": " << text << '\n';
    for (const auto& [id, text] : outcome.not_taken) std::cout << "not taken: " << id << ": " << text << '\n';
    return outcome;
}

constexpr const char* kVerifyHelp = "Read every byte of the inputs and results that are there; else sizes and times of the inputs, tables and sizes of the results tell whether they changed";
outputs::Depth depth_of(bool verify) { return verify ? outputs::Depth::every_byte : outputs::Depth::figures; }

/// Fails with usage where the plan has no case of such an id.
Status check_only(const batch::Plan& plan, const std::vector<std::string>& only, const std::string& folder)
{
    for (const auto& id : only) {
        const bool known = std::any_of(plan.cases.begin(), plan.cases.end(), [&](const auto& planned) { return planned.id == id; });
        if (!known) return Error{Code::usage, "--only " + id + ": the plan has no such case (retromass batch status " + folder + " lists them)", "cli: batch"};
    }
    return Done{};
}

Result<Exit> run_plan(const RunOptions& options, bool failed_again)
{
    RETROMASS_TRY_ASSIGN(const auto plan, batch::read_plan(options.plan));
    RETROMASS_TRY(check_only(plan, options.only, options.plan));
    batch::RunParameters parameters;
    parameters.program = this_program();
    parameters.jobs = options.jobs;
    parameters.time_limit = std::chrono::seconds(options.time_limit_s);
    parameters.memory_gb = options.memory_gb;
    parameters.failed_again = failed_again;
    parameters.only = options.only;
    parameters.depth = depth_of(options.verify);
    parameters.time = timestamp_now;
    if (!options.decisions.empty()) {
        RETROMASS_TRY_ASSIGN(const auto outcome, take_decisions(plan, options.decisions));
        if (outcome.again.empty()) return outcome.not_taken.empty() ? Exit::done : Exit::some_failed;
        parameters.only = outcome.again;
    }
    if (options.engine == "slurm") {
        RETROMASS_TRY_ASSIGN(const auto submitted, batch::submit(plan, parameters, {options.at_once, options.cases_a_task, options.tasks_an_array, options.partition, options.account, options.sbatch}));
        std::cout << "submitted " << submitted.cases << " cases in " << submitted.tasks << " tasks";
        for (const auto& job : submitted.jobs) std::cout << ", job " << job;
        std::cout << "\nhow far: retromass batch status " << options.plan << " (squeue shows the queue)\n";
        return Exit::done;
    }
    RETROMASS_TRY_ASSIGN(const auto summary, batch::run_plan(plan, parameters, terminal_progress()));
    std::cout << summary.done << " done, " << summary.refused << " refused, " << summary.failed << " failed, " << summary.left << " left"
              << (summary.stopped ? "; stopped on request, retromass batch resume " + options.plan + " goes on" : std::string()) << '\n';
    for (const auto& remark : summary.put_aside) std::cout << "note: " << remark << '\n';
    if (summary.refused + summary.failed + summary.left > 0) std::cout << "why: retromass batch status " << options.plan << '\n';
    // What failed before and what somebody else still runs is not done either; a case that waits for a reader is as it should be.
    const bool unfinished = std::any_of(plan.cases.begin(), plan.cases.end(), [&](const auto& planned) {
        const bool asked = parameters.only.empty() || std::find(parameters.only.begin(), parameters.only.end(), planned.id) != parameters.only.end();
        if (!asked) return false;  // each state costs a look at its files
        const auto state = batch::state_of(plan, planned).state;
        return state != batch::State::done && state != batch::State::waiting && state != batch::State::rejected;
    });
    return unfinished || summary.stopped ? Exit::some_failed : Exit::done;
}

// ------------------------------------------------------------------------------------------------ status
Status print_status(const std::string& folder, const std::vector<std::string>& only, bool verify, bool json)
{
    RETROMASS_TRY_ASSIGN(auto plan, batch::read_plan(folder));
    RETROMASS_TRY(check_only(plan, only, folder));
    if (!only.empty()) std::erase_if(plan.cases, [&](const auto& planned) { return std::find(only.begin(), only.end(), planned.id) == only.end(); });
    std::map<batch::State, int> count;
    auto listed = nlohmann::ordered_json::array();
    std::string text;
    for (const auto& planned : plan.cases) {
        const auto state = batch::state_of(plan, planned, depth_of(verify));
        ++count[state.state];
        listed.push_back({{"case", state.id}, {"state", batch::name(state.state)}, {"code", state.code}, {"reason", state.reason}, {"attempts", state.attempts}, {"wall_s", state.wall_s}, {"cpu_s", state.cpu_s}, {"peak_gb", state.peak_gb}});
        if (state.state == batch::State::done) continue;
        text += state.id + "  " + std::string(batch::name(state.state)) + (state.reason.empty() ? "" : ": " + state.reason) + (state.code.empty() ? "" : " [" + state.code + "]") + '\n';
    }
    if (json) {
        std::cout << nlohmann::ordered_json{{"schema", "retromass-batch-status/1"}, {"cases", listed}}.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
        return Done{};
    }
    std::cout << text << plan.cases.size() << " cases";
    for (const auto& [state, n] : count) std::cout << ", " << n << " " << batch::name(state);
    std::cout << '\n';
    return Done{};
}

Status collect(const std::string& folder, const std::string& output)
{
    RETROMASS_TRY_ASSIGN(const auto plan, batch::read_plan(folder));
    const auto where = output.empty() ? fs::path(folder) / "cohort" : fs::path(output);
    RETROMASS_TRY(batch::collect(plan, where));
    std::cout << "cohort: " << (where / "cohort.html").string() << '\n';
    return Done{};
}

// ------------------------------------------------------------------------------------------------ review
struct ReviewOptions {
    std::string plan;
    std::string output = "review.html";
    batch::ReviewParameters parameters;
};

Status write_review(const ReviewOptions& options)
{
    RETROMASS_TRY_ASSIGN(const auto plan, batch::read_plan(options.plan));
    RETROMASS_TRY(batch::write_review(plan, options.output, options.parameters));
    std::cout << "review: " << options.output << "\nthen: retromass batch resume " << options.plan << " --decisions decisions.json\n";
    return Done{};
}

void add_batch_review(CLI::App& batch, Context& context)
{
    auto options = std::make_shared<ReviewOptions>();
    auto* command = batch.add_subcommand("review", "One page of the cases a reader has to look at, those in most need first");
    command->add_option("PLAN", options->plan, "Folder of the plan")->required();
    command->add_option("-o,--output", options->output, "Page to write")->capture_default_str();
    command->add_option("--reader", options->parameters.reader, "Who decides; may be said on the page too");
    command->add_option("--share", options->parameters.share_pct, "Percent of the cases that nothing speaks against")->capture_default_str()->check(CLI::Range(0.0, 100.0));
    command->add_option("--at-most", options->parameters.at_most, "Cases on the page, those in most need; the others come on the next, once these are decided")->capture_default_str()->check(CLI::PositiveNumber);
    command->add_option("--seed", options->parameters.seed, "Chooses that share")->capture_default_str();
    command->footer("Example: retromass batch review plan -o review.html");
    command->callback([options, &context] {
        const auto status = write_review(*options);
        if (!status) context.exit = complain(status.error());
    });
}

void add_plan(CLI::App& batch, Context& context)
{
    auto options = std::make_shared<PlanOptions>();
    auto* command = batch.add_subcommand("plan", "Find the patients of an archive and draft a case file for each");
    command->add_option("ARCHIVE", options->archive, "Folders of mixed patients, studies and series")->required();
    command->add_option("-o,--output", options->output, "Folder of the plan; one that is there is continued")->required();
    command->add_option("--manifest", options->manifest, "CSV: study_uid or folder, studyid, usubjid, visit, day, site, reader");
    command->add_option("--marks", options->marks, "CSV of lines: sop_instance_uid,x1,y1,x2,y2,lesion[,frame] in pixels; also several");
    command->add_option("--label", options->labels, "Segments and contours of such a name, e.g. \"GTV*\", are lesions to be measured; others are listed in the case file");
    command->add_option("--method", options->method, "Segmentation method of every case: fusion (default), energy or ellipsoid");
    command->add_option("--settings", options->settings, "A site's settings file (docs/interfaces.md) for every case; the plan keeps a copy")->check(CLI::ExistingFile);
    command->add_option("--protocol", options->protocol, "The trial's protocol file, which every case is run under; the plan keeps a copy")->check(CLI::ExistingFile);
    command->add_option("--policy", options->policies, "name=value for every case");
    command->add_option("--accept", options->accept, "Codes to accept instead of refusing");
    command->add_flag("--assume-no-new-lesions", options->assume_no_new_lesions, "Take silence about new lesions as none; printed on every output");
    command->add_option("--threads", options->threads, "Threads of the scan (0 = all cores)")->check(CLI::NonNegativeNumber);
    command->add_option("--case-threads", options->threads_of_a_case, "Threads of each case; the results do not depend on it")->capture_default_str()->check(CLI::PositiveNumber);
    command->footer("Example: retromass batch plan /archive -o plan --marks lines.csv");
    command->callback([options, &context] {
        const auto status = make_plan(*options);
        if (!status) context.exit = complain(status.error());
    });
}

void add_run_as(CLI::App& batch, Context& context, const char* verb, const char* help, bool failed_again)
{
    auto options = std::make_shared<RunOptions>();
    std::vector<CLI::Option*> slurm;
    auto* command = batch.add_subcommand(verb, help);
    command->add_option("PLAN", options->plan, "Folder of the plan")->required();
    auto* jobs = command->add_option("--jobs", options->jobs, "Cases at once, on this machine")->capture_default_str()->check(CLI::PositiveNumber);
    command->add_option("--time-limit", options->time_limit_s, "Seconds a case may take")->capture_default_str()->check(CLI::PositiveNumber);
    command->add_option("--memory", options->memory_gb, "GB that all cases at once may use (0 = what is free); with slurm, of a task (0 = by the largest case)")->check(CLI::NonNegativeNumber);
    command->add_option("--only", options->only, "Only these cases");
    command->add_flag("--verify", options->verify, kVerifyHelp);
    command->add_option("--engine", options->engine, "local, or slurm: submit job arrays instead of running here")->capture_default_str()->check(CLI::IsMember({"local", "slurm"}));
    const auto of_slurm = [&](CLI::Option* option) { slurm.push_back(option); };
    of_slurm(command->add_option("--partition", options->partition, "With slurm: where to run"));
    of_slurm(command->add_option("--account", options->account, "With slurm: on whose account"));
    of_slurm(command->add_option("--sbatch", options->sbatch, "With slurm: a further option of sbatch, e.g. --sbatch=--qos=night; also several"));
    of_slurm(command->add_option("--cases-per-task", options->cases_a_task, "With slurm: more than one for cases of seconds")->capture_default_str()->check(CLI::PositiveNumber));
    of_slurm(command->add_option("--at-once", options->at_once, "With slurm: tasks of an array at work at one time (0 = no limit)")->check(CLI::NonNegativeNumber));
    of_slurm(command->add_option("--array-size", options->tasks_an_array, "With slurm: tasks of an array; less than the cluster's MaxArraySize")->capture_default_str()->check(CLI::PositiveNumber));
    if (failed_again) command->add_option("--decisions", options->decisions, "What a review page saved: take it, and run only the cases with a new prompt")->check(CLI::ExistingFile)->excludes("--only");
    command->footer(std::string("Example: retromass batch ") + verb + " plan --jobs 4");
    command->callback([options, failed_again, jobs, slurm, &context] {
        const bool cluster = options->engine == "slurm";
        if (cluster && jobs->count()) throw CLI::ValidationError("--jobs", "is of this machine; with --engine slurm, --at-once says how many tasks work at one time");
        for (const auto* option : slurm) {
            if (!cluster && option->count()) throw CLI::ValidationError(option->get_name(), "needs --engine slurm");
        }
        const auto exit = run_plan(*options, failed_again);
        context.exit = exit ? *exit : complain(exit.error());
    });
}

}  // namespace

void add_batch(CLI::App& app, Context& context)
{
    auto* batch = app.add_subcommand("batch", "Many cases: plan an archive, run it, see where it stands, collect the results");
    batch->require_subcommand(1);
    add_plan(*batch, context);
    add_run_as(*batch, context, "run", "Run every case that has no valid result", false);
    add_run_as(*batch, context, "resume", "As run, and again what failed", true);
    auto plan = std::make_shared<std::string>();
    auto json = std::make_shared<bool>(false);
    auto only = std::make_shared<std::vector<std::string>>();
    auto verify = std::make_shared<bool>(false);
    auto* status = batch->add_subcommand("status", "Where every case stands, and why");
    status->add_option("PLAN", *plan, "Folder of the plan")->required();
    status->add_flag("--json", *json, "As JSON");
    status->add_option("--only", *only, "Only these cases");
    status->add_flag("--verify", *verify, kVerifyHelp);
    status->footer("Example: retromass batch status plan");
    status->callback([plan, json, only, verify, &context] {
        const auto printed = print_status(*plan, *only, *verify, *json);
        if (!printed) context.exit = complain(printed.error());
    });
    add_batch_review(*batch, context);
    auto output = std::make_shared<std::string>();
    auto* gather = batch->add_subcommand("collect", "All results in one place: CSV tables, an SQLite file and a cohort page");
    gather->add_option("PLAN", *plan, "Folder of the plan")->required();
    gather->add_option("-o,--output", *output, "Folder to write (default: PLAN/cohort)");
    gather->footer("Example: retromass batch collect plan");
    gather->callback([plan, output, &context] {
        const auto collected = collect(*plan, *output);
        if (!collected) context.exit = complain(collected.error());
    });
}

}  // namespace retromass::cli

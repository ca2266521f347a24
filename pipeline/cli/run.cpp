#include "pipeline/run/run.h"

#include <fstream>
#include <iostream>
#include <memory>

#include "core/units.h"
#include "pipeline/cli/clock.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/method_option.h"
#include "pipeline/cli/surfaces.h"
#include "pipeline/outputs/outputs.h"

namespace retromass::cli {
namespace {

struct Options {
    std::string case_file;
    std::string output;
    std::string method;
    std::string protocol;
    std::string repeatability;
    std::vector<std::string> accept;
    std::vector<std::string> policies;
    std::string uid_root;
    std::string settings;
    std::string key_file;
    std::string dates;
    bool assume_no_new_lesions = false;
    bool dry_run = false;
    bool overwrite = false;
    bool surfaces = false;
    int threads = 0;
};

Result<run::RunParameters> parameters_of(const Options& options, const Context& context)
{
    run::RunParameters parameters;
    RETROMASS_TRY_ASSIGN(parameters.accepted, accepted_codes(options.accept));
    if (!options.settings.empty()) {
        RETROMASS_TRY_ASSIGN(parameters.settings, run::read_settings(options.settings));
        const auto& settings = *parameters.settings;
        if (settings.method) parameters.method = *settings.method;
        parameters.accepted.insert(parameters.accepted.end(), settings.accepted.begin(), settings.accepted.end());
        if (!settings.uid_root.empty()) parameters.uid_root = settings.uid_root;
    }
    if (!options.method.empty()) {
        RETROMASS_TRY_ASSIGN(parameters.method, method_named(options.method));
    }
    for (const auto& text : options.policies) {
        const auto equals = text.find('=');
        if (equals == std::string::npos) return Error{Code::usage, "--policy " + text + ": expected name=value (retromass assess --list-policies shows them)", "cli"};
        parameters.policies[text.substr(0, equals)] = text.substr(equals + 1);
    }
    if (!options.protocol.empty()) {
        RETROMASS_TRY_ASSIGN(parameters.protocol, run::read_protocol(options.protocol));
    }
    if (!options.repeatability.empty()) {
        RETROMASS_TRY_ASSIGN(parameters.repeatability, run::read_repeatability(options.repeatability));
    }
    parameters.threads = options.threads;
    parameters.assume_no_new_lesions = options.assume_no_new_lesions;
    parameters.overwrite = options.overwrite;
    if (options.surfaces) parameters.draw_surfaces = draw_surfaces;
    if (!options.uid_root.empty()) parameters.uid_root = options.uid_root;
    parameters.key_file = options.key_file;
    if (!options.dates.empty() && options.key_file.empty()) return Error{Code::usage, "--dates belongs to --deidentify", "cli"};
    if (options.dates == "keep") parameters.dates = outputs::Dates::keep;
    parameters.command = context.command_line;
    parameters.timestamp = timestamp_now();
    return parameters;
}

/// What the machine could still give, GB; empty where the system does not say.
std::optional<double> available_memory_gb()
{
    std::ifstream info("/proc/meminfo");
    for (std::string word; info >> word;) {
        double kibibytes = 0;
        if (word == "MemAvailable:" && info >> kibibytes) return kibibytes * 1024 / 1e9;
    }
    return std::nullopt;
}

Status print_plan(const run::CaseFile& file, const Options& options, const run::RunParameters& parameters)
{
    RETROMASS_TRY_ASSIGN(const auto plan, run::plan(file, options.output, parameters, terminal_progress()));
    for (const auto& step : plan.steps) std::cout << step << '\n';
    for (const auto& notice : plan.notices) std::cout << "notice [" << name(notice.code) << "]: " << notice.text << '\n';
    std::cout << "needs about " << fixed(plan.memory_gb, 1) << " GB of memory and " << fixed(plan.disk_gb, 2) << " GB of disk (" << fixed(plan.free_disk_gb, 1)
              << " GB free)\nnothing was written\n";
    return Done{};
}

Status run_one(const Options& options, const Context& context)
{
    RETROMASS_TRY_ASSIGN(auto parameters, parameters_of(options, context));
    parameters.available_memory_gb = available_memory_gb();
    RETROMASS_TRY_ASSIGN(const auto file, run::read_case(options.case_file));
    if (options.dry_run) return print_plan(file, options, parameters);
    if (options.output.empty()) return Error{Code::usage, "say where to write: -o FOLDER", "cli"};
    {
        RETROMASS_TRY_ASSIGN(const auto result, run::run_case(file, options.output, parameters, terminal_progress()));
        std::cout << outputs::response_table(result);
        for (const auto& notice : result.notices) {
            if (notice.code == Code::unreviewed || notice.code == Code::no_display) std::cout << "notice [" << name(notice.code) << "]: " << notice.text << '\n';
        }
    }
    std::cout << "report: " << options.output << "/report.html\n";
    return Done{};
}

}  // namespace

void add_run(CLI::App& app, Context& context)
{
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("run", "The whole chain for one patient: load, segment, measure, assess, write");
    command->add_option("CASE", options->case_file, "Case file (YAML or JSON)")->required();
    command->add_option("-o,--output", options->output, "Folder to write; must not exist (not needed for --dry-run)");
    command->add_flag("--dry-run", options->dry_run, "Check case, prompts, disk and memory; write nothing");
    command->add_option("--method", options->method, "Segmentation method: fusion (default); energy, without what was learned; ellipsoid, the bare geometric prior");
    command->add_option("--repeatability", options->repeatability, "A file of retromass qualify, or limits of agreement of the literature by name (yoon-2016-one-reader, yoon-2016-two-readers, rider-2009-rescan): their spreads give the intervals");
    command->add_option("--protocol", options->protocol, "The trial's protocol file: its rules alone count, and the result is locked to it");
    command->add_option("--settings", options->settings, "A site's settings file (docs/interfaces.md); case file and options count before it")->check(CLI::ExistingFile);
    command->add_option("--policy", options->policies, "name=value, over the case file's");
    command->add_option("--accept", options->accept, "Codes to accept instead of refusing");
    command->add_flag("--assume-no-new-lesions", options->assume_no_new_lesions, "Take silence about new lesions as none; printed on every output");
    command->add_option("--uid-root", options->uid_root, std::string("Root of the UIDs that are made, e.g. your institution's (") + outputs::kUidRoot + ")");
    command->add_option("--deidentify", options->key_file, "Write no names, and UIDs and dates mapped by the secret in this file, which is made where it is not there");
    command->add_option("--dates", options->dates, "With --deidentify: shift (default; by whole days, the same for all of a patient) or keep")->check(CLI::IsMember({"shift", "keep"}));
    command->add_flag("--surfaces", options->surfaces, "3-D pictures of the lesions in the report, drawn in software on a virtual display (Xvfb); without one the report says so");
    command->add_flag("--overwrite", options->overwrite, "Replace an existing result folder");
    command->add_option("--threads", options->threads, "Threads (0 = all cores)")->check(CLI::NonNegativeNumber);
    command->footer("Example: retromass run case.yaml -o result");
    command->callback([options, &context] {
        const auto status = run_one(*options, context);
        if (!status) context.exit = complain(status.error());
    });
}

}  // namespace retromass::cli

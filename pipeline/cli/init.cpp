#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include "pipeline/cli/commands.h"
#include "pipeline/run/run.h"

namespace retromass::cli {
namespace {

struct Options {
    std::vector<std::string> paths;
    std::string output;
    std::string case_id = "P-1";
    std::string protocol;
    std::vector<std::string> accept;
    int threads = 0;
};

Status draft(const Options& options)
{
    const std::filesystem::path file = options.output;
    if (std::filesystem::exists(file)) return Error{Code::output_exists, file.string() + " is there already and is not overwritten", "cli"};
    run::DraftParameters drafting;
    if (!options.protocol.empty()) {
        RETROMASS_TRY_ASSIGN(drafting.protocol, run::read_protocol(options.protocol));
        drafting.protocol_file = options.protocol;
    }
    ingest::ScanParameters scanning;
    scanning.threads = options.threads;
    RETROMASS_TRY_ASSIGN(scanning.accepted, accepted_codes(options.accept));
    RETROMASS_TRY_ASSIGN(const auto scan, ingest::scan({options.paths.begin(), options.paths.end()}, scanning, terminal_progress()));
    drafting.case_id = options.case_id;
    drafting.folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
    drafting.accepted = scanning.accepted;
    RETROMASS_TRY_ASSIGN(const auto text, run::draft_case(scan, drafting));
    const auto unfinished = file.string() + ".unfinished";
    std::ofstream(unfinished) << text;
    std::error_code error;
    std::filesystem::rename(unfinished, file, error);
    if (error) return Error{Code::io, file.string() + " cannot be written: " + error.message(), "cli"};
    std::cout << "wrote " << file.string() << ": say there where the lesions are, then retromass run " << file.string() << " -o OUT\n";
    return Done{};
}

}  // namespace

void add_init(CLI::App& app, Context& context)
{
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("init", "Write a case file from a folder of one patient's studies: time points by date, the chosen series");
    command->add_option("PATH", options->paths, "Folders, DICOM files or a DICOMDIR of one patient")->required();
    command->add_option("-o,--output", options->output, "Case file to write")->required();
    command->add_option("--case", options->case_id, "The case's pseudonym")->capture_default_str();
    command->add_option("--protocol", options->protocol, "The trial's protocol file: the case names it, and series and proposed targets go by its rules");
    command->add_option("--accept", options->accept, "Codes to accept instead of refusing, e.g. missing-slices");
    command->add_option("--threads", options->threads, "Threads (0 = all cores)")->check(CLI::NonNegativeNumber);
    command->footer("Example: retromass init /archive/patient-17 -o case.yaml");
    command->callback([options, &context] {
        const auto status = draft(*options);
        context.exit = status.ok() ? Exit::done : complain(status.error());
    });
}

}  // namespace retromass::cli

#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include "pipeline/cli/commands.h"
#include "pipeline/trial/trial.h"

namespace retromass::cli {
namespace {

struct Options {
    std::vector<std::string> from;
    std::string output;
    trial::QualifyParameters parameters;
};

Status qualify(const Options& options)
{
    if (std::filesystem::exists(options.output)) return Error{Code::output_exists, options.output + " is there already and is not overwritten", "cli: qualify"};
    RETROMASS_TRY_ASSIGN(const auto found, trial::qualify({options.from.begin(), options.from.end()}, options.parameters));
    std::ofstream file(options.output, std::ios::binary);
    file << found.json;
    file.close();
    if (!file) return Error{Code::io, options.output + " cannot be written", "cli: qualify"};
    for (const auto& row : found.rows) {
        std::cout << row[0] << "  " << row[1] << ": repeatability coefficient " << row[4] << " % (" << row[5] << " to " << row[6] << "), " << row[2] << " lesions, " << row[3] << " degrees of freedom\n";
    }
    for (const auto& why : found.left_out) std::cerr << "left out: " << why << '\n';
    return Done{};
}

}  // namespace

void add_qualify(CLI::App& app, Context& context)
{
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("qualify", "Repeatability by size class from repeats of the same lesions: a file for run --repeatability");
    command->add_option("FROM", options->from, "A table (lesion, repeat, long_axis_mm, ...), or result folders that measured the same cases")->required();
    command->add_option("-o,--output", options->output, "File to write (JSON)")->required();
    command->add_option("--name", options->parameters.name, "What the repeats are, for every output that uses them")->required();
    command->add_option("--kind", options->parameters.kind, "repeated-reads, repeated-prompts or test-retest")->capture_default_str();
    command->add_option("--classes", options->parameters.limits_mm, "Limits between the size classes, mm")->delimiter(',')->capture_default_str();
    command->footer("Example: retromass qualify reads.csv --name \"two readers, 30 lesions\" -o repeatability.json");
    command->callback([options, &context] {
        const auto status = qualify(*options);
        if (!status) context.exit = complain(status.error());
    });
}

}  // namespace retromass::cli

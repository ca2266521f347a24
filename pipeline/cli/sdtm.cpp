#include <iostream>
#include <memory>

#include "pipeline/cli/commands.h"
#include "pipeline/trial/trial.h"

namespace retromass::cli {
namespace {

struct Options {
    std::vector<std::string> results;
    std::string output;
    std::string study;
    std::string protocol;
    int line = -1;
};

Status write_sdtm(const Options& options, Context& context)
{
    trial::SdtmParameters parameters;
    parameters.study = options.study;
    if (options.line >= 0) parameters.line = options.line;
    if (!options.protocol.empty()) {
        RETROMASS_TRY_ASSIGN(parameters.protocol, run::read_protocol(options.protocol));
    }
    RETROMASS_TRY_ASSIGN(const auto tables, trial::sdtm_tables({options.results.begin(), options.results.end()}, parameters));
    RETROMASS_TRY(write_folder(options.output, tables.files));
    std::cout << "wrote " << options.output << ": tu.csv, tr.csv, rs.csv" << (tables.files.contains("supptu.csv") ? ", and in supp*.csv the protocol of each record" : "") << '\n';
    if (tables.missing > 0) std::cerr << tables.missing << " variables are empty because nobody stated them; missing.csv names each\n";
    if (tables.left_out > 0) {
        std::cerr << tables.left_out << (tables.left_out == 1 ? " case has" : " cases have") << " no valid baseline and no rows; missing.csv says why\n";
        context.exit = Exit::some_failed;
    }
    return Done{};
}

}  // namespace

void add_sdtm(CLI::App& app, Context& context)
{
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("sdtm", "Write finished cases as CDISC SDTM domains TU, TR and RS (CSV)");
    command->add_option("RESULT", options->results, "Result folders of `run`, or a folder of them")->required();
    command->add_option("-o,--output", options->output, "Folder to write")->required();
    command->add_option("--study", options->study, "STUDYID (default: the protocol that the case was made under)");
    command->add_option("--protocol", options->protocol, "The trial's protocol file: evaluator and numbers of the visits");
    command->add_option("--line", options->line, "The treatment line (default: the only one; 0 = none)")->check(CLI::NonNegativeNumber);
    command->footer("What nobody stated stays empty and is named in missing.csv; exit code 3 where a case has no valid baseline, and so no rows.\nExample: retromass sdtm results/ -o sdtm --protocol protocol.yaml");
    command->callback([options, &context] {
        const auto status = write_sdtm(*options, context);
        if (!status) context.exit = complain(status.error());
    });
}

}  // namespace retromass::cli

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "pipeline/cli/commands.h"
#include "pipeline/trial/trial.h"

namespace retromass::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
    std::string protocol;
    std::vector<std::string> paths;
    std::string start;
    std::vector<std::string> accept;
    bool json = false;
    int threads = 0;
};

ordered_json checks_json(const std::vector<trial::Check>& checks)
{
    auto out = ordered_json::array();
    for (const auto& check : checks) {
        out.push_back({{"check", check.what}, {"result", trial::name(check.verdict)}, {"expected", check.expected}, {"found", check.found}, {"text", check.text}});
    }
    return out;
}

void print_json(const trial::Qc& qc, const run::Protocol& protocol)
{
    ordered_json out{{"schema", "retromass/1"}, {"protocol", run::name_of(protocol)}, {"studies", ordered_json::array()}};
    for (const auto& study : qc.studies) {
        out["studies"].push_back({{"study_instance_uid", study.study_instance_uid}, {"series_instance_uid", study.series_instance_uid}, {"date", study.date ? ordered_json(iso(*study.date)) : ordered_json()},
                                  {"day", study.day ? ordered_json(*study.day) : ordered_json()}, {"visit", study.visit}, {"checks", checks_json(study.checks)}});
    }
    out["patient"] = checks_json(qc.patient);
    out["queries"] = qc.queries;
    out["not_checked"] = qc.not_checked;
    std::cout << out.dump(1, ' ', false, ordered_json::error_handler_t::replace) << '\n';
}

void print_checks(const std::string& of, const std::vector<trial::Check>& checks)
{
    for (const auto& check : checks) std::cout << trial::name(check.verdict) << "  " << of << ": " << check.text << '\n';
}

Result<trial::Qc> check(const Options& options, const run::Protocol& protocol)
{
    trial::QcParameters parameters;
    if (!options.start.empty()) {
        parameters.start = parse_date(options.start);
        if (!parameters.start) return Error{Code::usage, "--start " + options.start + ": expected a date YYYY-MM-DD", "cli: qc"};
    }
    ingest::ScanParameters scanning;
    scanning.threads = options.threads;
    RETROMASS_TRY_ASSIGN(scanning.accepted, accepted_codes(options.accept));
    RETROMASS_TRY_ASSIGN(const auto scan, ingest::scan({options.paths.begin(), options.paths.end()}, scanning, terminal_progress()));
    return trial::check_studies(scan, protocol, parameters);
}

Exit run_qc(const Options& options)
{
    const auto protocol = run::read_protocol(options.protocol);
    if (!protocol) return complain(protocol.error());
    const auto qc = check(options, *protocol);
    if (!qc) return complain(qc.error());
    if (options.json) {
        print_json(*qc, *protocol);
    } else {
        for (const auto& study : qc->studies) print_checks("study " + (study.date ? iso(*study.date) : study.study_instance_uid) + (study.visit.empty() ? "" : " " + study.visit), study.checks);
        print_checks("patient", qc->patient);
        std::cout << qc->studies.size() << " studies under protocol " << run::name_of(*protocol) << ": " << qc->queries << " queries, " << qc->not_checked << " not checked\n";
    }
    return qc->queries + qc->not_checked == 0 ? Exit::done : Exit::some_failed;
}

}  // namespace

void add_qc(CLI::App& app, Context& context)
{
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("qc", "Check a patient's incoming studies against a trial's protocol, with queries that can be sent to the site");
    command->add_option("PROTOCOL", options->protocol, "The trial's protocol file")->required();
    command->add_option("PATH", options->paths, "Folders, DICOM files or a DICOMDIR of one patient")->required();
    command->add_option("--start", options->start, "Start of treatment, YYYY-MM-DD: day 0 of the visit windows");
    command->add_option("--accept", options->accept, "Codes to accept instead of refusing, e.g. missing-slices");
    command->add_flag("--json", options->json, "Print JSON");
    command->add_option("--threads", options->threads, "Threads (0 = all cores)")->check(CLI::NonNegativeNumber);
    command->footer("Exit code 0 where everything passes, 3 where anything is to be asked or could not be checked.\nExample: retromass qc protocol.yaml /incoming/patient-17 --start 2020-01-10");
    command->callback([options, &context] { context.exit = run_qc(*options); });
}

}  // namespace retromass::cli

#include <chrono>
#include <iomanip>
#include <iostream>
#include <memory>
#include <sstream>

#include "core/units.h"
#include "pipeline/cli/clock.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/method_option.h"
#include "pipeline/cli/surfaces.h"
#include "pipeline/outputs/outputs.h"
#include "pipeline/run/run.h"
#include "sample_data/phantom.h"

namespace retromass::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
    std::string folder = "retromass-demo";
    std::string method = "fusion";
    bool surfaces = false;
    int threads = 0;
};

std::string cell(const std::string& text, int width)
{
    std::ostringstream out;
    out << std::setw(width) << text;
    return out.str();
}

std::string deviation(double measured, double truth) { return (measured >= truth ? "+" : "") + fixed(100 * (measured / truth - 1), 1) + " %"; }

/// Measured beside the phantom's analytic truth, which the chain never reads.
void print_against_truth(const outputs::CaseResult& result, const std::vector<sample_data::StudyTruth>& truths)
{
    std::cout << "\nMeasured against the phantom's analytic truth (mm, ml)\n"
              << "time point            " << cell("long", 22) << cell("short", 22) << cell("craniocaudal", 22) << cell("volume", 26) << '\n';
    for (const auto& timepoint : result.timepoints) {
        for (const auto& truth : truths) {
            if (truth.timepoint != timepoint.id || timepoint.lesions.empty()) continue;
            std::cout << std::left << std::setw(22) << timepoint.id << std::right;
            const auto& m = timepoint.lesions.front().measurements;
            if (!m) {
                std::cout << "  not evaluable: " << timepoint.lesions.front().reason << '\n';
                continue;
            }
            const auto compare = [](double measured, double exact, int decimals) {
                return fixed(measured, decimals) + "/" + fixed(exact, decimals) + " " + deviation(measured, exact);
            };
            std::cout << cell(compare(m->long_axis.recorded.as_mm(), truth.truth.long_axis_mm, 1), 22)
                      << cell(compare(m->short_axis.recorded.as_mm(), truth.truth.short_axis_mm, 1), 22)
                      << cell(compare(m->craniocaudal.recorded.as_mm(), truth.truth.craniocaudal_mm, 1), 22)
                      << cell(compare(m->recorded_volume_ml, truth.truth.volume_ml, 2), 26) << '\n';
        }
    }
}

Status demo(const Options& options, const Context& context)
{
    const auto start = std::chrono::steady_clock::now();
    const fs::path folder = options.folder;
    run::RunParameters parameters;
    RETROMASS_TRY_ASSIGN(parameters.method, method_named(options.method));
    parameters.threads = options.threads;
    parameters.overwrite = true;
    if (options.surfaces) parameters.draw_surfaces = draw_surfaces;
    parameters.command = context.command_line;
    parameters.timestamp = timestamp_now();

    std::cout << "Writing the SYNTHETIC sample patient (five CT studies) to " << (folder / "patient").string() << " ..." << std::endl;
    sample_data::PatientOptions patient;
    patient.threads = options.threads;
    RETROMASS_TRY_ASSIGN(const auto truths, sample_data::write_patient(folder / "patient", patient, terminal_progress()));
    std::cout << "Loading, segmenting from the reader's lines, measuring, assessing ..." << std::endl;
    RETROMASS_TRY_ASSIGN(const auto file, run::read_case(folder / "patient" / "case.yaml"));
    RETROMASS_TRY_ASSIGN(const auto result, run::run_case(file, folder / "result", parameters, terminal_progress()));
    std::cout << '\n' << outputs::response_table(result);
    print_against_truth(result, truths);
    for (const auto& notice : result.notices) {
        if (notice.code == Code::no_display) std::cout << "notice [" << name(notice.code) << "]: " << notice.text << '\n';
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::cout << "\nUNREVIEWED - research use, not for clinical decisions without review. Took " << fixed(seconds, 0) << " s.\n"
              << "report: " << fs::absolute(folder / "result" / "report.html").lexically_normal().string() << '\n';
    return Done{};
}

}  // namespace

void add_demo(CLI::App& app, Context& context)
{
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("demo", "Write the sample patient and run the whole chain on it");
    command->add_option("DIR", options->folder, "Folder to write (default retromass-demo)");
    command->add_option("--method", options->method, "Segmentation method: fusion (default); energy, without what was learned; ellipsoid, the bare geometric prior");
    command->add_flag("--surfaces", options->surfaces, "3-D pictures of the lesions in the report, as `run` draws them");
    command->add_option("--threads", options->threads, "Threads (0 = all cores)")->check(CLI::NonNegativeNumber);
    command->footer("Example: retromass demo");
    command->callback([options, &context] {
        const auto status = demo(*options, context);
        if (!status) context.exit = complain(status.error());
    });
}

}  // namespace retromass::cli

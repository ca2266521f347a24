#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/units.h"
#include "measurement/measure.h"
#include "pipeline/cli/commands.h"
#include "pipeline/ingest/ingest.h"
#include "pipeline/outputs/outputs.h"

namespace retromass::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
    std::string ct;
    std::string mask;
    std::string series_uid;
    std::vector<std::string> accept;
    double precision_mm = 0.1;
    bool unenhanced = false;
    bool json = false;
    int threads = 0;
};

/// Definitions 4.2: dense starts at 130 HU where the study is stated unenhanced, else at 200.
constexpr double kDenseUnenhanced_hu = 130;

void print(const std::string& lesion, const measurement::LesionMeasurements& m)
{
    std::cout << lesion << ": " << m.long_axis.recorded.text() << " x " << m.short_axis.recorded.text() << " mm axial, "
              << m.craniocaudal.recorded.text() << " mm craniocaudal, " << fixed(m.recorded_volume_ml, 2) << " ml";
    if (m.hu) std::cout << ", " << fixed(m.hu->mean, 1) << " +- " << fixed(m.hu->sd, 1) << " HU";
    std::cout << '\n';
    for (const auto& n : m.notices) std::cout << "  notice [" << name(n.code) << "]: " << n.text << '\n';
}

Status measure(const Options& options)
{
    measurement::MeasureParameters parameters;
    parameters.threads = options.threads;
    parameters.recorded_precision_mm = options.precision_mm;
    if (options.unenhanced) parameters.dense_lower_hu = kDenseUnenhanced_hu;
    std::optional<ingest::CtSeries> ct;
    std::optional<ingest::SeriesCandidate> series;
    const auto progress = terminal_progress();
    if (!options.ct.empty()) {
        ingest::ScanParameters scan_parameters;
        scan_parameters.threads = options.threads;
        RETROMASS_TRY_ASSIGN(scan_parameters.accepted, accepted_codes(options.accept));
        RETROMASS_TRY_ASSIGN(const auto scan, ingest::scan({options.ct}, scan_parameters, progress));
        RETROMASS_TRY_ASSIGN(series, ingest::one_series(scan, options.series_uid));
    }
    RETROMASS_TRY_ASSIGN(const auto labels, series ? ingest::read_labels(options.mask, &series->geometry, series->facts.frame_of_reference_uid) : ingest::read_labels(options.mask));
    if (series) {
        RETROMASS_TRY_ASSIGN(ct, ingest::load(*series, options.threads, progress));
    }
    const auto& geometry = ct ? ct->volume.geometry : labels.geometry;
    if (labels.present.empty()) return Error{Code::empty_mask, "the mask " + options.mask + " holds no voxel: not evaluable, not 0 mm", "cli: measure"};

    ordered_json out{{"schema", "retromass/1"}, {"lesions", ordered_json::array()}};
    for (const auto& label : labels.present) {
        RETROMASS_TRY_ASSIGN(const auto mask, ingest::mask_on_grid(labels, label.value, geometry));
        RETROMASS_TRY_ASSIGN(auto measured, measurement::measure(mask, geometry, ct ? &ct->volume.hu : nullptr, parameters));
        for (const auto* notices : {&labels.notices, &label.notices}) measured.notices.insert(measured.notices.begin(), notices->begin(), notices->end());
        for (auto& gap : measurement::irregular_gaps(mask, geometry, ct && has(ct->notices, Code::missing_slices))) measured.notices.push_back(std::move(gap));
        if (ct) measured.notices.insert(measured.notices.begin(), ct->notices.begin(), ct->notices.end());
        const std::string lesion = !label.name.empty() ? label.name : "label-" + std::to_string(label.value);
        if (options.json) out["lesions"].push_back(ordered_json::parse(outputs::measurements_json(lesion, measured)));
        else print(lesion, measured);
    }
    if (options.json) std::cout << out.dump(1) << '\n';
    return Done{};
}

}  // namespace

void add_measure(CLI::App& app, Context& context)
{
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("measure", "One series and one mask give axes, volume, density and components");
    command->add_option("CT", options->ct, "Folder with the CT series; without it geometry only");
    command->add_option("--mask", options->mask, "NIfTI, NRRD, DICOM SEG or RT Structure Set; each label is a lesion")->required();
    command->add_option("--series", options->series_uid, "Series Instance UID, where the folder holds several");
    command->add_option("--accept", options->accept, "Codes to accept instead of refusing");
    command->add_option("--precision", options->precision_mm, "Recorded precision of lengths, mm")->check(CLI::IsMember({0.1, 1.0}));
    command->add_flag("--unenhanced", options->unenhanced, "The study is stated unenhanced: dense tissue starts at 130 HU, not 200");
    command->add_flag("--json", options->json, "Print the stable JSON of docs/interfaces.md");
    command->add_option("--threads", options->threads, "Threads (0 = all cores)")->check(CLI::NonNegativeNumber);
    command->footer("Example: retromass measure ct/day-38 --mask mask.nii.gz --json");
    command->callback([options, &context] {
        const auto status = measure(*options);
        if (!status) context.exit = complain(status.error());
    });
}

}  // namespace retromass::cli

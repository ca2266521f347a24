#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/units.h"
#include "measurement/measure.h"
#include "pipeline/cli/commands.h"
#include "pipeline/ingest/ingest.h"
#include "pipeline/outputs/outputs.h"
#include "pipeline/run/run.h"
#include "segmentation/segment.h"

namespace retromass::cli {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

struct Options {
    std::string target;
    std::string timepoint;
    std::string lesion;
    std::string label;
    std::string ct;
    std::string series_uid;
    std::string log;
    std::string output;
    std::vector<std::string> accept;
    bool json = false;
    int threads = 0;
};

Result<fs::path> mask_to_edit(const Options& options)
{
    if (!fs::is_directory(options.target)) return fs::path(options.target);
    if (options.timepoint.empty() || options.lesion.empty()) return Error{Code::usage, "of a result, --timepoint and --lesion say which mask", "cli: edit"};
    const auto found = mask_file_of(options.target, options.timepoint, options.lesion);
    if (!found) return Error{Code::usage, options.target + " holds no mask of lesion " + options.lesion + " at time point " + options.timepoint, "cli: edit"};
    return *found;
}

/// Fails with usage where the file would lie in a finished result: an audit knows every file of one, and what was signed is not written into.
Status may_be_written(const std::string& file)
{
    std::error_code error;
    for (auto folder = fs::weakly_canonical(fs::absolute(file, error), error).parent_path(); !error && folder.has_relative_path(); folder = folder.parent_path()) {
        if (!fs::exists(folder / "case.json", error) || !fs::exists(folder / "provenance.json", error)) continue;
        return Error{Code::usage, file + " would lie in the result " + folder.string() + ", which is changed by `run` alone; write the mask elsewhere and name it in the case file (mask:)", "cli: edit"};
    }
    return Done{};
}

Status edit(const Options& options)
{
    RETROMASS_TRY(may_be_written(options.output));
    RETROMASS_TRY_ASSIGN(const auto log, run::edits_in(options.log));
    RETROMASS_TRY_ASSIGN(const auto file, mask_to_edit(options));
    std::optional<ingest::CtSeries> ct;
    if (!options.ct.empty()) {
        ingest::ScanParameters settings;
        settings.threads = options.threads;
        RETROMASS_TRY_ASSIGN(settings.accepted, accepted_codes(options.accept));
        RETROMASS_TRY_ASSIGN(const auto scan, ingest::scan({options.ct}, settings));
        RETROMASS_TRY_ASSIGN(const auto series, ingest::one_series(scan, options.series_uid));
        RETROMASS_TRY_ASSIGN(ct, ingest::load(series, options.threads, terminal_progress()));
    }
    RETROMASS_TRY_ASSIGN(const auto labels, ingest::read_labels(file, ct ? &ct->volume.geometry : nullptr));
    RETROMASS_TRY_ASSIGN(const auto label, ingest::label_named(labels, options.label));
    const auto& geometry = ct ? ct->volume.geometry : labels.geometry;
    RETROMASS_TRY_ASSIGN(const auto before, ingest::mask_on_grid(labels, label.value, geometry));
    RETROMASS_TRY_ASSIGN(const auto after, segmentation::edited(before, geometry, log));
    measurement::MeasureParameters parameters;
    parameters.threads = options.threads;
    RETROMASS_TRY_ASSIGN(auto measured, measurement::measure(after.mask, geometry, ct ? &ct->volume.hu : nullptr, parameters));
    measured.notices.insert(measured.notices.begin(), labels.notices.begin(), labels.notices.end());
    RETROMASS_TRY(outputs::write_nifti(options.output, after.mask, geometry));

    if (!options.json) {
        for (const auto& effect : after.effects) {
            std::cout << effect.what.substr(0, effect.what.find(' ')) << ": " << (effect.undone ? "undone" : "+" + std::to_string(effect.added) + " -" + std::to_string(effect.removed) + " voxels") << '\n';
        }
        std::cout << "mask " << options.output << ": " << segmentation::fingerprint(before) << " -> " << segmentation::fingerprint(after.mask) << ", " << measured.long_axis.recorded.text() << " x "
                  << measured.short_axis.recorded.text() << " mm axial, " << measured.craniocaudal.recorded.text() << " mm craniocaudal, " << fixed(measured.recorded_volume_ml, 2) << " ml\n";
        for (const auto& n : measured.notices) std::cout << "notice [" << name(n.code) << "]: " << n.text << '\n';
        return Done{};
    }
    RETROMASS_TRY_ASSIGN(const auto hash, outputs::sha256_of_file(options.log));
    auto steps = ordered_json::array();
    for (const auto& effect : after.effects) steps.push_back({{"edit", effect.what}, {"added", effect.added}, {"removed", effect.removed}, {"undone", effect.undone}});
    const std::string lesion = !options.lesion.empty() ? options.lesion : !label.name.empty() ? label.name : "label-" + std::to_string(label.value);
    std::cout << ordered_json{{"schema", "retromass/1"}, {"mask", options.output}, {"edits", {{"sha256", hash}, {"from", segmentation::fingerprint(before)}, {"to", segmentation::fingerprint(after.mask)}, {"steps", steps}}},
                              {"lesions", ordered_json::array({ordered_json::parse(outputs::measurements_json(lesion, measured))})}}
                     .dump(1)
              << '\n';
    return Done{};
}

}  // namespace

void add_edit(CLI::App& app, Context& context)
{
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("edit", "Replay a reader's edits on a mask, and measure what comes out");
    command->add_option("MASK", options->target, "NIfTI, NRRD, DICOM SEG or RT Structure Set; or the result folder of `run`")->required();
    command->add_option("--ops", options->log, "Log of edits: 'retromass-edits 1', then a step a line (docs/stages/segmentation.md)")->required();
    command->add_option("-o,--output", options->output, "Mask to write (.nii.gz); `measure` and a case file's `mask` take it")->required();
    command->add_option("--timepoint", options->timepoint, "Of a result: which time point");
    command->add_option("--lesion", options->lesion, "Of a result: which lesion");
    command->add_option("--label", options->label, "Which of several labels of MASK: name, tracking UID or value");
    command->add_option("--ct", options->ct, "Folder with the CT series, for HU; an RT Structure Set needs it");
    command->add_option("--series", options->series_uid, "Series Instance UID, where the folder holds several");
    command->add_option("--accept", options->accept, "Codes to accept instead of refusing");
    command->add_flag("--json", options->json, "Print the stable JSON of docs/interfaces.md");
    command->add_option("--threads", options->threads, "Threads (0 = all cores)")->check(CLI::NonNegativeNumber);
    command->footer("Example: retromass edit result --timepoint day-38 --lesion T1 --ops day-38.edits -o edited.nii.gz");
    command->callback([options, &context] {
        const auto status = edit(*options);
        if (!status) context.exit = complain(status.error());
    });
}

}  // namespace retromass::cli

#include <iostream>
#include <nlohmann/json.hpp>

#include "core/units.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/method_option.h"
#include "pipeline/cli/prompt_options.h"
#include "pipeline/ingest/ingest.h"
#include "pipeline/outputs/outputs.h"
#include "segmentation/segment.h"

namespace retromass::cli {
namespace {

struct Options {
    std::string ct;
    std::string series_uid;
    std::string output;
    std::string probability;
    std::string seg;
    std::string method = "fusion";
    std::vector<std::string> accept;
    bool json = false;
    int threads = 0;
};

Status segment(const Options& options, const PromptOptions& prompt_options)
{
    segmentation::SegmentParameters parameters;
    parameters.threads = options.threads;
    RETROMASS_TRY_ASSIGN(parameters.method, method_named(options.method));
    ingest::ScanParameters scan_parameters;
    scan_parameters.threads = options.threads;
    RETROMASS_TRY_ASSIGN(scan_parameters.accepted, accepted_codes(options.accept));
    const auto progress = terminal_progress();
    RETROMASS_TRY_ASSIGN(const auto scan, ingest::scan({options.ct}, scan_parameters, progress));
    RETROMASS_TRY_ASSIGN(const auto marked, marked_lines(prompt_options, scan));
    ingest::ChoiceParameters choice;
    choice.series_uid = options.series_uid;
    if (marked && !marked->series_instance_uid.empty()) choice.prompt_series_uids = {marked->series_instance_uid};
    RETROMASS_TRY_ASSIGN(const auto series, ingest::one_series(scan, choice));
    RETROMASS_TRY_ASSIGN(const auto prompt, prompt_of(prompt_options, series, marked));
    RETROMASS_TRY_ASSIGN(const auto ct, ingest::load(series, options.threads, progress));
    RETROMASS_TRY_ASSIGN(const auto result, segmentation::segment(ct.volume, ct.facts.frame_of_reference_uid, prompt, parameters, progress));
    RETROMASS_TRY(outputs::write_nifti(options.output, result.mask, ct.volume.geometry));
    if (!options.probability.empty()) RETROMASS_TRY(outputs::write_nifti(options.probability, result.probability, ct.volume.geometry));
    if (!options.seg.empty()) {
        outputs::SegDescription description;
        description.lesion = "T1";
        description.tracking_uid = outputs::derived_uid("tracking " + ct.facts.series_instance_uid);
        RETROMASS_TRY(outputs::write_seg(options.seg, ct, {&result.mask}, {description}));
    }
    std::size_t voxels = 0;
    for (const auto v : result.mask.values()) voxels += v != 0;
    const double volume_ml = static_cast<double>(voxels) * ct.volume.geometry.voxel_volume_mm3().value_or(0) / 1000;
    auto notices = ct.notices;
    notices.insert(notices.end(), result.notices.begin(), result.notices.end());
    if (options.json) {
        nlohmann::ordered_json out{{"schema", "retromass/1"}, {"series_instance_uid", ct.facts.series_instance_uid}, {"method", options.method},
                                   {"mask", options.output}, {"voxels", voxels}, {"volume_ml", recorded_ml(volume_ml)},
                                   {"seed_hu", result.seed_hu}, {"seed_hu_sd", result.seed_hu_sd}, {"notices", nlohmann::ordered_json::array()}};
        for (const auto& n : notices) out["notices"].push_back({{"code", std::string(name(n.code))}, {"text", n.text}});
        std::cout << out.dump(1) << '\n';
    } else {
        std::cout << "mask " << options.output << ": " << voxels << " voxels, " << fixed(volume_ml, 2) << " ml (unreviewed)\n";
        for (const auto& n : notices) std::cout << "notice [" << name(n.code) << "]: " << n.text << '\n';
    }
    return Done{};
}

}  // namespace

void add_segment(CLI::App& app, Context& context)
{
    auto options = std::make_shared<Options>();
    auto prompt = std::make_shared<PromptOptions>();
    auto* command = app.add_subcommand("segment", "One series and one prompt give a mask (NIfTI, DICOM SEG) and a probability map");
    command->add_option("CT", options->ct, "Folder with the CT series")->required();
    add_prompt_options(*command, prompt);
    command->add_option("-o,--output", options->output, "Mask to write (.nii.gz)")->required();
    command->add_option("--probability", options->probability, "Probability map to write (.nii.gz)");
    command->add_option("--seg", options->seg, "DICOM SEG to write");
    command->add_option("--series", options->series_uid, "Series Instance UID, where the folder holds several");
    command->add_option("--method", options->method, "fusion (default); energy, without what was learned; ellipsoid, the bare geometric prior");
    command->add_option("--accept", options->accept, "Codes to accept instead of refusing");
    command->add_flag("--json", options->json, "Print a JSON summary");
    command->add_option("--threads", options->threads, "Threads (0 = all cores)")->check(CLI::NonNegativeNumber);
    command->footer("Example: retromass segment ct/day-38 --line=-80,18,110,35,22,110 -o mask.nii.gz");
    command->callback([options, prompt, &context] {
        const auto status = segment(*options, *prompt);
        if (!status) context.exit = complain(status.error());
    });
}

}  // namespace retromass::cli

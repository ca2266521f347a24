#include "pipeline/cli/prompt_options.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "pipeline/cli/commands.h"
#include "pipeline/ingest/ingest.h"

namespace retromass::cli {
namespace {

/// Every position of a prompt passes here, so that --voxels means the same for all of them.
PatientPoint placed(double x, double y, double z, const PromptOptions& options, const VolumeGeometry& grid)
{
    return options.voxels ? grid.to_patient(ContinuousIndex{x, y, z}) : PatientPoint{x, y, z};
}

Result<std::vector<PatientPoint>> points_of(const std::string& text, std::size_t count, const std::string& option,
                                            const PromptOptions& options, const VolumeGeometry& grid)
{
    RETROMASS_TRY_ASSIGN(const auto values, numbers(text, 3 * count, option));
    std::vector<PatientPoint> points;
    for (std::size_t i = 0; i < values.size(); i += 3) points.push_back(placed(values[i], values[i + 1], values[i + 2], options, grid));
    return points;
}

Result<std::vector<PatientPoint>> contour_of(const std::string& file, const PromptOptions& options, const VolumeGeometry& grid)
{
    const auto refuse = [&](const std::string& why) { return Error{Code::usage, "--contour " + file + ": " + why, "cli"}; };
    std::ifstream in(file);
    if (!in) return refuse("cannot be read");
    const auto json = nlohmann::json::parse(in, nullptr, false);
    if (!json.is_object() || !json.contains("points") || !json["points"].is_array()) return refuse("expected {\"points\": [[x,y,z],...]}");
    std::vector<PatientPoint> points;
    for (const auto& p : json["points"]) {
        if (!p.is_array() || p.size() != 3 || !p[0].is_number() || !p[1].is_number() || !p[2].is_number()) {
            return refuse("point " + std::to_string(points.size()) + " is not [x,y,z]");
        }
        points.push_back(placed(p[0], p[1], p[2], options, grid));
    }
    if (points.size() < 3) return refuse("a contour needs at least three points, found " + std::to_string(points.size()));
    return points;
}

Result<Mask> prior_of(const PromptOptions& options, const VolumeGeometry& grid, const std::string& frame_of_reference_uid)
{
    RETROMASS_TRY_ASSIGN(const auto labels, ingest::read_labels(options.mask, &grid, frame_of_reference_uid));
    RETROMASS_TRY_ASSIGN(const auto chosen, ingest::label_named(labels, options.label));
    return ingest::mask_on_grid(labels, chosen.value, grid);
}

}  // namespace

void add_prompt_options(CLI::App& command, const std::shared_ptr<PromptOptions>& options)
{
    // Options may be given several times; each takes one text, because the numbers may begin with a minus sign.
    const auto repeated = [&](const char* option, std::vector<std::string>& target, const char* help) {
        command.add_option(option, target, help)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->group("Prompt");
    };
    repeated("--point,--include", options->points, "x,y,z inside the lesion; beside another prompt it corrects the mask");
    repeated("--line", options->lines, "x1,y1,z1,x2,y2,z2: the RECIST long axis; a second --line is the short axis");
    command.add_option("--box", options->box, "x1,y1,z1,x2,y2,z2: opposite corners")->group("Prompt");
    command.add_option("--extent", options->extent, "x1,y1,z1,x2,y2,z2: a point on the most cranial and on the most caudal slice")->group("Prompt");
    repeated("--contour", options->contours, "JSON file {\"points\": [[x,y,z],...]}, closed, on one slice");
    command.add_option("--mask", options->mask, "Mask of this or a prior time point on this CT's grid (NIfTI, NRRD, DICOM SEG, RT Structure Set)")->group("Prompt");
    command.add_option("--label", options->label, "Which of several labels of --mask: name, tracking UID or value")->group("Prompt");
    command.add_option("--marks", options->marks, "Lines of another program as the axes: DICOM SR, presentation state, or CSV (retromass marks lists them)")->group("Prompt");
    command.add_option("--mark", options->mark, "Which of several marks: tracking identifier or UID")->group("Prompt");
    repeated("--exclude-point,--exclude", options->exclude, "x,y,z outside the lesion; corrects the mask");
    command.add_option("--frame-of-reference", options->frame_of_reference, "UID in which the prompt was drawn; another one than the CT's is refused")->group("Prompt");
    command.add_flag("--voxels", options->voxels, "Positions are column,row,slice indices instead of LPS mm")->group("Prompt");
}

Result<std::optional<ingest::PlacedLines>> marked_lines(const PromptOptions& options, const ingest::Scan& scan)
{
    if (options.marks.empty()) return std::optional<ingest::PlacedLines>();
    if (!options.lines.empty()) return Error{Code::usage, "give either --line or --marks", "cli"};
    RETROMASS_TRY_ASSIGN(const auto marks, ingest::read_marks(options.marks));
    RETROMASS_TRY_ASSIGN(const auto mark, ingest::mark_named(marks, options.mark));
    RETROMASS_TRY_ASSIGN(auto lines, ingest::placed(mark, scan));
    return std::optional(std::move(lines));
}

Result<segmentation::Prompt> prompt_of(const PromptOptions& options, const ingest::SeriesCandidate& series, const std::optional<ingest::PlacedLines>& marked)
{
    const auto& grid = series.geometry;
    segmentation::Prompt prompt;
    prompt.frame_of_reference_uid = options.frame_of_reference;
    if (marked) {
        for (const auto& [a, b] : marked->lines) prompt.lines.push_back({a, b});
        if (prompt.frame_of_reference_uid.empty()) prompt.frame_of_reference_uid = marked->frame_of_reference_uid;
    }
    for (const auto& text : options.points) {
        RETROMASS_TRY_ASSIGN(const auto p, points_of(text, 1, "--point", options, grid));
        prompt.points.push_back(p[0]);
    }
    for (const auto& text : options.lines) {
        RETROMASS_TRY_ASSIGN(const auto p, points_of(text, 2, "--line", options, grid));
        prompt.lines.push_back({p[0], p[1]});
    }
    if (!options.box.empty()) {
        RETROMASS_TRY_ASSIGN(const auto p, points_of(options.box, 2, "--box", options, grid));
        prompt.box = {p[0], p[1]};
    }
    if (!options.extent.empty()) {
        RETROMASS_TRY_ASSIGN(const auto p, points_of(options.extent, 2, "--extent", options, grid));
        prompt.extent = {p[0], p[1]};
    }
    for (const auto& file : options.contours) {
        RETROMASS_TRY_ASSIGN(auto contour, contour_of(file, options, grid));
        prompt.contours.push_back(std::move(contour));
    }
    if (!options.mask.empty()) {
        RETROMASS_TRY_ASSIGN(auto prior, prior_of(options, grid, series.facts.frame_of_reference_uid));
        prompt.prior = std::move(prior);
    }
    for (const auto& text : options.exclude) {
        RETROMASS_TRY_ASSIGN(const auto p, points_of(text, 1, "--exclude-point", options, grid));
        prompt.exclude.push_back(p[0]);
    }
    return prompt;
}

}  // namespace retromass::cli

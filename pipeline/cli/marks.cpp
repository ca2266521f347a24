#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/units.h"
#include "pipeline/cli/commands.h"
#include "pipeline/ingest/ingest.h"

namespace retromass::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
    std::vector<std::string> files;
    bool json = false;
};

template <class T>
ordered_json or_null(const std::optional<T>& value)
{
    return value ? ordered_json(*value) : ordered_json();
}

ordered_json json_of(const std::optional<ingest::MarkedLine>& line)
{
    if (!line) return nullptr;
    auto points = ordered_json::array();
    if (line->sop_instance_uid.empty()) {
        for (const auto& p : line->in_patient) points.push_back({p.x, p.y, p.z});
        return {{"frame_of_reference_uid", line->frame_of_reference_uid}, {"points_lps_mm", points}};
    }
    for (const auto& p : line->on_image) points.push_back({p.column, p.row});
    return {{"sop_instance_uid", line->sop_instance_uid}, {"frame", line->frame ? ordered_json(*line->frame + 1) : ordered_json(nullptr)}, {"points_px", points}};
}

ordered_json json_of(const ingest::Mark& mark)
{
    ordered_json out{{"name", mark.name}, {"tracking_uid", mark.tracking_uid}, {"finding", mark.finding}, {"site", mark.site}, {"values", ordered_json::array()}, {"statements", ordered_json::array()}};
    for (const auto& v : mark.values) {
        out["values"].push_back({{"name", v.name}, {"code", v.code}, {"qualifier", v.qualifier}, {"value", or_null(v.value)}, {"low", or_null(v.low)}, {"high", or_null(v.high)}, {"unit", v.unit}});
    }
    for (const auto& [what, value] : mark.statements) out["statements"].push_back({{"name", what}, {"value", value}});
    out["long_axis"] = json_of(mark.long_axis);
    out["short_axis"] = json_of(mark.short_axis);
    out["no_lines"] = mark.no_lines;
    return out;
}

void print(const ingest::Mark& mark)
{
    std::cout << "  " << mark.name << (mark.tracking_uid.empty() ? "" : " (" + mark.tracking_uid + ")") << (mark.finding.empty() ? "" : ", " + mark.finding) << (mark.site.empty() ? "" : ", " + mark.site) << '\n';
    for (const auto& v : mark.values) {
        std::cout << "    " << v.name << (v.qualifier.empty() ? "" : ", " + v.qualifier) << ": " << (v.value ? ordered_json(*v.value).dump() + " " + v.unit : std::string("no value"));
        if (v.low && v.high) std::cout << " (" << fixed(*v.low, 2) << " to " << fixed(*v.high, 2) << ")";
        std::cout << '\n';
    }
    for (const auto& [what, value] : mark.statements) std::cout << "    " << what << ": " << value << '\n';
    if (mark.long_axis) std::cout << "    prompt: long axis" << (mark.short_axis ? " and short axis" : "") << '\n';
    else std::cout << "    no prompt: " << mark.no_lines << '\n';
}

Status list(const Options& options)
{
    ordered_json out{{"schema", "retromass/1"}, {"files", ordered_json::array()}};
    for (const auto& file : options.files) {
        RETROMASS_TRY_ASSIGN(const auto marks, ingest::read_marks(file));
        if (options.json) {
            ordered_json one{{"file", file}, {"format", marks.format}, {"sop_instance_uid", marks.sop_instance_uid}, {"study_instance_uid", marks.study_instance_uid}, {"completion", marks.completion},
                             {"verification", marks.verification}, {"marks", ordered_json::array()}};
            for (const auto& mark : marks.all) one["marks"].push_back(json_of(mark));
            out["files"].push_back(std::move(one));
            continue;
        }
        std::cout << file << ": " << marks.format << ", " << marks.all.size() << " marks" << (marks.verification.empty() ? "" : ", " + marks.completion + ", " + marks.verification) << '\n';
        for (const auto& mark : marks.all) print(mark);
    }
    if (options.json) std::cout << out.dump(1, ' ', false, ordered_json::error_handler_t::replace) << '\n';
    return Done{};
}

}  // namespace

void add_marks(CLI::App& app, Context& context)
{
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("marks", "List what other programs measured or drew: SR reports, presentation states, tables of lines");
    command->add_option("FILE", options->files, "DICOM SR or grayscale presentation state, or a CSV of sop_instance_uid,x1,y1,x2,y2")->required();
    command->add_flag("--json", options->json, "Print the stable JSON of docs/interfaces.md");
    command->footer("Example: retromass marks sr.dcm; then retromass segment ct --marks sr.dcm --mark \"Lesion 1\" -o mask.nii.gz");
    command->callback([options, &context] {
        const auto status = list(*options);
        if (!status) context.exit = complain(status.error());
    });
}

}  // namespace retromass::cli

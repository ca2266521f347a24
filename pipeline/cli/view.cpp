#include "viewer/view.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/units.h"
#include "measurement/measure.h"
#include "pipeline/cli/clock.h"
#include "pipeline/cli/commands.h"
#include "pipeline/ingest/ingest.h"
#include "pipeline/outputs/outputs.h"
#include "pipeline/run/run.h"

namespace retromass::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
    std::string folder;
    std::string case_file;
    std::string reader;
    std::string picture;
    std::string timepoint;
    int threads = 0;
};

/// The case file of a finished case: named, else in the folder, beside it or where `demo` puts it.
Result<fs::path> case_file_of(const Options& options)
{
    if (!options.case_file.empty()) return fs::path(options.case_file);
    const fs::path folder = fs::absolute(options.folder).lexically_normal();
    const fs::path out = folder.has_filename() ? folder : folder.parent_path();
    for (const auto& place : {out / "case.yaml", out.parent_path() / "case.yaml", out.parent_path() / "patient" / "case.yaml"}) {
        if (fs::exists(place)) return place;
    }
    return Error{Code::usage, "no case.yaml in or beside " + options.folder + "; name it with --case", "cli"};
}

Result<std::optional<ingest::CtSeries>> ct_of(const run::CaseFile& file, const run::CaseTimepoint& timepoint, int threads)
{
    if (timepoint.ct.empty()) return std::optional<ingest::CtSeries>();
    ingest::ScanParameters settings;
    settings.threads = threads;
    settings.accepted = file.accepted;
    RETROMASS_TRY_ASSIGN(const auto found, ingest::scan({file.folder / timepoint.ct}, settings));
    RETROMASS_TRY_ASSIGN(const auto chosen, ingest::one_series(found, timepoint.series_uid));
    RETROMASS_TRY_ASSIGN(auto series, ingest::load(chosen, threads));
    return std::optional<ingest::CtSeries>(std::move(series));
}

/// The mask a run wrote for a lesion at a time point: the one file in masks/ that is named after both.
std::optional<fs::path> mask_file_of(const fs::path& folder, const std::string& timepoint, const std::string& lesion)
{
    std::error_code none;
    for (const auto& file : fs::directory_iterator(folder / "masks", none)) {
        const std::string name = file.path().filename().string();
        const std::string stem = name.substr(0, name.find(".nii"));
        const auto ends = [&](const std::string& first, const std::string& last) {
            return stem.size() == first.size() + last.size() + 1 && stem.starts_with(first) && stem.ends_with(last);
        };
        if (ends(timepoint, lesion) || ends(lesion, timepoint)) return file.path();
    }
    return std::nullopt;
}

Result<std::shared_ptr<const Mask>> read_mask(const fs::path& path, const VolumeGeometry& geometry)
{
    RETROMASS_TRY_ASSIGN(const auto labels, ingest::read_labels(path));
    RETROMASS_TRY_ASSIGN(const auto laid, ingest::on_grid(labels, geometry));
    auto mask = std::make_shared<Mask>(laid.size());
    for (std::size_t i = 0; i < laid.values().size(); ++i) (*mask)[i] = laid[i] != 0;
    return std::shared_ptr<const Mask>(mask);
}

/// Who decided what last, by time point and lesion, from the case's events.
using Reviews = std::map<std::pair<std::string, std::string>, std::pair<std::string, std::string>>;
Reviews reviews_in(const fs::path& folder)
{
    Reviews reviews;
    std::ifstream in(folder / "events.jsonl");
    for (std::string line; std::getline(in, line);) {
        const auto event = nlohmann::json::parse(line, nullptr, false);
        if (!event.is_object() || event.value("event", "") != "review") continue;
        reviews[{event.value("timepoint", ""), event.value("lesion", "")}] = {event.value("state", ""),
                                                                              event.value("reader", "")};
    }
    return reviews;
}

Result<viewer::Scene> scene_of(const Options& options, const fs::path& case_path)
{
    RETROMASS_TRY_ASSIGN(const auto file, run::read_case(case_path));
    const auto reviews = reviews_in(options.folder);
    measurement::MeasureParameters settings;
    settings.recorded_precision_mm = file.recorded_precision_mm;

    viewer::Scene scene;
    scene.case_id = file.case_id;
    for (const auto& timepoint : file.timepoints) {
        viewer::TimepointView shown;
        shown.id = timepoint.id;
        shown.date = timepoint.date;
        RETROMASS_TRY_ASSIGN(auto series, ct_of(file, timepoint, options.threads));
        if (series) {
            if (!shown.date) shown.date = series->facts.date();
            scene.synthetic = scene.synthetic || series->facts.synthetic;
            shown.ct = std::make_shared<const CtVolume>(std::move(series->volume));
        }
        for (const auto& lesion : file.lesions) {
            viewer::LesionView view;
            view.lesion = lesion.lesion.id;
            const auto path = mask_file_of(options.folder, timepoint.id, view.lesion);
            if (shown.ct && path) {
                RETROMASS_TRY_ASSIGN(view.mask, read_mask(*path, shown.ct->geometry));
                const auto measured = measurement::measure(*view.mask, shown.ct->geometry, &shown.ct->hu, settings);
                if (measured) {
                    view.measurements = *measured;
                    view.notices = measured->notices;
                } else {
                    view.reason = measured.error().message;
                }
            } else {
                view.reason = shown.ct ? "no mask was written for it" : "no images at this time point";
            }
            if (const auto review = reviews.find({timepoint.id, view.lesion}); review != reviews.end()) {
                view.review_state = review->second.first;
                view.reader = review->second.second;
            }
            shown.lesions.push_back(std::move(view));
        }
        scene.timepoints.push_back(std::move(shown));
    }
    return scene;
}

Status note_review(const Options& options, const std::string& timepoint, const std::string& lesion, viewer::Decision decision)
{
    return outputs::note_review(options.folder, {timestamp_now(), timepoint, lesion, decision == viewer::Decision::accept ? "accepted" : "rejected", options.reader});
}

Status draw(const Options& options, const viewer::Scene& scene)
{
    RETROMASS_TRY_ASSIGN(auto view, viewer::first_view(scene));
    if (!options.timepoint.empty()) {
        const auto wanted = std::find_if(scene.timepoints.begin(), scene.timepoints.end(),
                                         [&](const auto& timepoint) { return timepoint.id == options.timepoint; });
        if (wanted == scene.timepoints.end() || !wanted->ct)
            return Error{Code::usage, "--timepoint " + options.timepoint + ": no such time point with a CT", "cli"};
        while (scene.timepoints[view.timepoint].id != options.timepoint) view = viewer::other_timepoint(scene, view, 1);
    }
    return viewer::render_scene(scene, view, options.picture);
}

Status view_case(const Options& options)
{
    if (!fs::is_directory(options.folder)) return Error{Code::io, "no folder " + options.folder, "cli"};
    RETROMASS_TRY_ASSIGN(const auto path, case_file_of(options));
    RETROMASS_TRY_ASSIGN(const auto scene, scene_of(options, path));
    if (!options.picture.empty()) return draw(options, scene);

    viewer::Callbacks callbacks;
    callbacks.reader = options.reader;
    if (options.reader.empty()) {
        std::cout << "without --reader NAME lesions can be looked at, not accepted or rejected\n";
    } else {
        callbacks.review = [&](const std::string& timepoint, const std::string& lesion, viewer::Decision decision) {
            const auto status = note_review(options, timepoint, lesion, decision);
            if (!status) complain(status.error());
            return status;
        };
    }
    RETROMASS_TRY_ASSIGN(const int decisions, viewer::show(scene, callbacks));
    std::cout << decisions << " decisions noted in " << (fs::path(options.folder) / "events.jsonl").string() << '\n';
    return Done{};
}

}  // namespace

void add_view(CLI::App& app, Context& context)
{
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("view", "Open the viewer on a case that was run");
    command->add_option("OUT", options->folder, "Result folder of `run` or `demo`")->required();
    command->add_option("--case", options->case_file, "Case file it was run from (default: case.yaml in or beside OUT)");
    command->add_option("--reader", options->reader, "Who reads; needed to accept or reject");
    command->add_option("--picture", options->picture, "Write the first view as PNG instead of opening a window");
    command->add_option("--timepoint", options->timepoint, "With --picture: which time point");
    command->add_option("--threads", options->threads, "Threads (0 = all cores)")->check(CLI::NonNegativeNumber);
    command->footer("Keys are in docs/stages/viewer.md. Example: retromass view build/demo/result --reader R1");
    command->callback([options, &context] {
        const auto status = view_case(*options);
        if (!status) context.exit = complain(status.error());
    });
}

}  // namespace retromass::cli

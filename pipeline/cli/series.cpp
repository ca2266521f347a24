#include <iomanip>
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
    std::vector<std::string> paths;
    std::vector<std::string> accept;
    bool json = false;
    bool pixels = false;
    int threads = 0;
};

template <class T>
ordered_json or_null(const std::optional<T>& value)
{
    return value ? ordered_json(*value) : ordered_json();
}

ordered_json or_null(const std::string& text) { return text.empty() ? ordered_json() : ordered_json(text); }

ordered_json point(PatientPoint p) { return ordered_json::array({p.x, p.y, p.z}); }

/// Decodes each series, so that what only its values show stands with it: no HU, a slice that is out of place, pixels that cannot be decoded.
/// One volume at a time; nothing of it is kept. Returns why it stopped.
Status look_at_pixels(ingest::Scan& scan, const Options& options, const Progress& progress)
{
    for (auto& series : scan.series) {
        if (series.refused) continue;
        auto loaded = ingest::load(series, options.threads, progress);
        if (loaded) {
            series.notices = std::move(loaded->notices);
        } else {
            if (loaded.error().code == Code::cancelled) return loaded.error();
            series.refused = loaded.error();
            series.eligible = false;
            series.why_not_eligible = "its pixels cannot be read";
        }
    }
    return Done{};
}

/// The place of each series in the ranking of its study, 1 = first.
std::vector<std::size_t> ranks_of(const ingest::Scan& scan, const std::vector<ingest::StudyChoice>& choice)
{
    std::vector<std::size_t> ranks(scan.series.size(), 0);
    for (const auto& study : choice) {
        for (std::size_t r = 0; r < study.ranked.size(); ++r) ranks[study.ranked[r].series] = r + 1;
    }
    return ranks;
}

ordered_json choice_json(const ingest::Scan& scan, const std::vector<ingest::StudyChoice>& choice)
{
    auto out = ordered_json::array();
    for (const auto& study : choice) {
        auto ranked = ordered_json::array();
        for (const auto& row : study.ranked) {
            const auto& series = scan.series[row.series];
            ordered_json steps;
            for (const auto& step : row.steps) steps[step.what] = step.value;
            ranked.push_back({{"series_instance_uid", series.facts.series_instance_uid}, {"volume_index", series.volume_index}, {"steps", steps}, {"decided_by", or_null(row.decided_by)}});
        }
        out.push_back({{"study_instance_uid", study.study_instance_uid}, {"ranked", ranked}});
    }
    return out;
}

ordered_json series_json(const ingest::SeriesCandidate& series, std::size_t rank)
{
    ordered_json row;
    const auto& facts = series.facts;
    const auto& g = series.geometry;
    const bool placed = g.size().slices > 0;
    row["study_instance_uid"] = facts.study_instance_uid;
    row["series_instance_uid"] = facts.series_instance_uid;
    row["volume_index"] = series.volume_index;
    row["series_number"] = facts.series_number;
    row["series_description"] = facts.series_description;
    row["dimensions"] = placed ? ordered_json::array({g.size().columns, g.size().rows, g.size().slices}) : ordered_json();
    row["spacing_mm"] = placed ? ordered_json::array({g.column_spacing_mm(), g.row_spacing_mm(), or_null(g.slice_spacing_mm())}) : ordered_json();
    row["origin_lps_mm"] = placed ? point(g.slice_origin(0)) : ordered_json();
    row["affine_lps_mm"] = placed ? or_null(g.affine_lps()) : ordered_json();
    row["gantry_tilt_deg"] = placed ? ordered_json(g.tilt_deg()) : ordered_json();
    row["uniform"] = placed && g.uniform();
    row["eligible"] = series.eligible;
    row["why_not_eligible"] = or_null(series.why_not_eligible);
    row["code"] = series.refused ? ordered_json(std::string(name(series.refused->code))) : ordered_json("ok");
    row["refusal"] = series.refused ? ordered_json(series.refused->message) : ordered_json();
    row["notices"] = ordered_json::array();
    for (const auto& notice : series.notices) row["notices"].push_back({{"code", std::string(name(notice.code))}, {"text", notice.text}});
    row["transfer_syntax"] = facts.transfer_syntax;
    row["slice_thickness_mm"] = or_null(facts.slice_thickness_mm);
    row["kernel"] = or_null(facts.kernel);
    row["kvp"] = or_null(facts.kvp);
    row["contrast_phase"] = or_null(facts.contrast_phase);
    row["date"] = facts.date() ? ordered_json(iso(*facts.date())) : ordered_json();
    row["date_source"] = or_null(facts.date_source());
    row["rank"] = rank;
    row["image_kind"] = std::string(name(facts.kind));
    row["kernel_class"] = std::string(name(ingest::kernel_class(facts.kernel)));
    row["frame_of_reference_uid"] = or_null(facts.frame_of_reference_uid);
    return row;
}

void print_table(const ingest::Scan& scan, const std::vector<ingest::StudyChoice>& choice, bool pixels_read)
{
    for (const auto& series : scan.series) {
        const auto& facts = series.facts;
        const auto& g = series.geometry;
        std::cout << "Series " << facts.series_number << " \"" << facts.series_description << "\"  " << facts.series_instance_uid;
        if (series.volume_index > 0) std::cout << "  volume " << series.volume_index;
        std::cout << '\n';
        if (g.size().slices > 0) {
            std::cout << "  " << g.size().columns << " x " << g.size().rows << " x " << g.size().slices << ", "
                      << fixed(g.column_spacing_mm(), 4) << " x " << fixed(g.row_spacing_mm(), 4) << " x "
                      << (g.slice_spacing_mm() ? fixed(*g.slice_spacing_mm(), 4) : std::string("uneven")) << " mm";
            if (facts.slice_thickness_mm) std::cout << ", thickness " << fixed(*facts.slice_thickness_mm, 2) << " mm";
            if (!facts.kernel.empty()) std::cout << ", kernel " << facts.kernel;
            if (facts.kvp) std::cout << ", " << fixed(*facts.kvp, 0) << " kV";
            if (!facts.contrast_phase.empty()) std::cout << ", " << facts.contrast_phase;
            if (facts.date()) std::cout << ", " << facts.date_source() << ' ' << iso(*facts.date());
            std::cout << '\n';
        }
        if (series.refused) std::cout << "  refused [" << name(series.refused->code) << "]: " << series.refused->message << '\n';
        else std::cout << (series.eligible ? "  eligible" : "  not chosen by itself: " + series.why_not_eligible) << '\n';
        for (const auto& notice : series.notices) std::cout << "  notice [" << name(notice.code) << "]: " << notice.text << '\n';
    }
    for (const auto& study : choice) {
        if (study.ranked.size() < 2) continue;
        std::cout << "Choice in study " << study.study_instance_uid << '\n';
        for (std::size_t r = 0; r < study.ranked.size(); ++r) {
            const auto& row = study.ranked[r];
            const auto& series = scan.series[row.series];
            std::cout << "  " << r + 1 << ". series " << series.facts.series_number << " \"" << series.facts.series_description << '"' << (series.volume_index ? ", volume " + std::to_string(series.volume_index) : std::string())
                      << ": " << row.decided_by << '\n';
        }
    }
    constexpr std::size_t shown = 20;
    for (std::size_t i = 0; i < scan.excluded.size() && i < shown; ++i) {
        const auto& e = scan.excluded[i];
        std::cout << "set aside " << e.file.string() << " [" << name(e.code) << "]: " << e.text << '\n';
    }
    if (scan.excluded.size() > shown) std::cout << "... and " << scan.excluded.size() - shown << " more files set aside (--json lists all)\n";
    if (scan.series.empty()) std::cout << "no CT series found\n";
    else if (!pixels_read) std::cout << "Headers only: --pixels also decodes each series and says what its values show.\n";
}

Exit list(const Options& options)
{
    const auto accepted = accepted_codes(options.accept);
    if (!accepted) return complain(accepted.error());
    ingest::ScanParameters parameters;
    parameters.threads = options.threads;
    parameters.accepted = *accepted;
    auto scan = ingest::scan({options.paths.begin(), options.paths.end()}, parameters, terminal_progress());
    if (!scan) return complain(scan.error());
    if (options.pixels) {
        if (const auto looked = look_at_pixels(*scan, options, terminal_progress()); !looked) return complain(looked.error());
    }
    const auto choice = ingest::rank(*scan);
    if (!options.json) {
        print_table(*scan, choice, options.pixels);
    } else {
        ordered_json out;
        out["schema"] = "retromass/1";
        out["pixels_read"] = options.pixels;
        out["series"] = ordered_json::array();
        const auto ranks = ranks_of(*scan, choice);
        for (std::size_t i = 0; i < scan->series.size(); ++i) out["series"].push_back(series_json(scan->series[i], ranks[i]));
        out["choice"] = choice_json(*scan, choice);
        out["excluded"] = ordered_json::array();
        for (const auto& e : scan->excluded) {
            out["excluded"].push_back({{"path", e.file.string()}, {"code", std::string(name(e.code))}, {"text", e.text}});
        }
        std::cout << out.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    }
    return scan->series.empty() ? Exit::refused : Exit::done;
}

}  // namespace

void add_series(CLI::App& app, Context& context)
{
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("series", "List the CT series under a path: geometry, acquisition, eligible or why not");
    command->add_option("PATH", options->paths, "Folders, DICOM files or a DICOMDIR")->required();
    command->add_option("--accept", options->accept, "Codes to accept instead of refusing, e.g. missing-slices");
    command->add_flag("--json", options->json, "Print the stable JSON of docs/interfaces.md");
    command->add_flag("--pixels", options->pixels, "Decode every series too: values that are no HU, slices out of place, damaged pixels");
    command->add_option("--threads", options->threads, "Threads (0 = all cores)")->check(CLI::NonNegativeNumber);
    command->footer("Example: retromass series /archive/patient-17");
    command->callback([options, &context] { context.exit = list(*options); });
}

}  // namespace retromass::cli

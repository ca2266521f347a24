#include "pipeline/pacs/pacs.h"

#include <algorithm>
#include <array>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "pipeline/cli/commands.h"
#include "pipeline/cli/pacs_profile.h"

namespace retromass::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
    std::string config;
    std::string profile;
    bool json = false;
    // find
    std::string level;
    pacs::Query query;
    std::string from;
    std::string to;
    // get
    pacs::GetRequest request;
    std::string folder;
    // send
    std::vector<std::string> paths;
    pacs::SendOptions send;
};

Result<std::optional<Date>> date_of(const std::string& text, const char* option)
{
    if (text.empty()) return std::optional<Date>{};
    const auto date = parse_date(text);
    if (!date) return Error{Code::usage, std::string(option) + " " + text + ": expected a day as YYYY-MM-DD", "cli"};
    return date;
}

ordered_json count(const std::optional<int>& value) { return value ? ordered_json(*value) : ordered_json(); }

ordered_json row_of(const pacs::Match& match, pacs::Level level)
{
    ordered_json row{{"patient_id", match.patient_id}, {"patient_name", match.patient_name}};
    if (level == pacs::Level::patients) return row;
    row["study_instance_uid"] = match.study_instance_uid;
    row["study_date"] = match.study_date;
    row["accession_number"] = match.accession_number;
    row["study_description"] = match.study_description;
    if (level == pacs::Level::studies) {
        row["modalities"] = match.modalities;
        row["series"] = count(match.series);
    } else {
        row["series_instance_uid"] = match.series_instance_uid;
        row["series_number"] = match.series_number;
        row["series_description"] = match.series_description;
        row["modality"] = match.modality;
    }
    row["instances"] = count(match.instances);
    return row;
}

/// A peer's text on a terminal: without anything that would move the cursor.
std::string printable(std::string text)
{
    for (auto& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
    }
    return text;
}

void print_table(const std::vector<ordered_json>& rows)
{
    if (rows.empty()) {
        std::cout << "nothing found\n";
        return;
    }
    std::vector<std::vector<std::string>> cells(1);
    for (const auto& [name, value] : rows.front().items()) cells.front().push_back(name);
    for (const auto& row : rows) {
        auto& line = cells.emplace_back();
        for (const auto& [name, value] : row.items()) line.push_back(printable(value.is_null() ? "-" : value.is_string() ? (value.get<std::string>().empty() ? "-" : value.get<std::string>()) : value.dump()));
    }
    std::vector<std::size_t> widths(cells.front().size(), 0);
    for (const auto& line : cells) {
        for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
    }
    for (const auto& line : cells) {
        for (std::size_t i = 0; i < line.size(); ++i) std::cout << line[i] << (i + 1 < line.size() ? std::string(widths[i] - line[i].size() + 2, ' ') : "\n");
    }
}

void print_json(const ordered_json& out) { std::cout << out.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n'; }

Result<Exit> find(Options options)
{
    using enum pacs::Level;
    options.query.level = options.level == "patients" ? patients : options.level == "studies" ? studies : series;
    RETROMASS_TRY_ASSIGN(options.query.from, date_of(options.from, "--from"));
    RETROMASS_TRY_ASSIGN(options.query.to, date_of(options.to, "--to"));
    if (options.query.level == series && options.query.modality.empty()) options.query.modality = "CT";
    RETROMASS_TRY_ASSIGN(const auto profile, pacs_profile(options.config, options.profile));
    RETROMASS_TRY_ASSIGN(const auto found, pacs::find(profile, options.query, terminal_progress()));
    std::vector<ordered_json> rows;
    for (const auto& match : found) rows.push_back(row_of(match, options.query.level));
    if (options.json) print_json({{"schema", "retromass/1"}, {options.level, rows}});
    else print_table(rows);
    return Exit::done;
}

Result<Exit> get(Options options)
{
    options.request.folder = options.folder;
    RETROMASS_TRY_ASSIGN(const auto profile, pacs_profile(options.config, options.profile));
    RETROMASS_TRY_ASSIGN(const auto result, pacs::get(profile, options.request, terminal_progress()));
    if (options.json) {
        print_json({{"schema", "retromass/1"}, {"listed", result.listed}, {"already", result.already}, {"received", result.received}, {"unlisted", result.unlisted},
                    {"missing", result.missing}, {"reasons", result.reasons}});
    } else {
        std::cout << result.listed << " instances at the peer: " << result.already << " were here, " << result.received << " fetched to " << options.folder << '\n';
    }
    for (const auto& reason : result.reasons) std::cerr << "retromass: " << reason << '\n';
    if (result.complete()) return Exit::done;
    for (const auto& uid : result.missing) std::cerr << "  missing " << uid << '\n';
    complain({Code::pacs_incomplete, std::to_string(result.missing.size() + result.unlisted) + " instances are missing; the same command fetches only these", "pacs: get"});
    return Exit::some_failed;
}

Result<Exit> send(const Options& options)
{
    RETROMASS_TRY_ASSIGN(const auto profile, pacs_profile(options.config, options.profile));
    RETROMASS_TRY_ASSIGN(const auto report, pacs::send(profile, {options.paths.begin(), options.paths.end()}, options.send, terminal_progress()));
    if (options.json) {
        ordered_json failed = ordered_json::array();
        for (const auto& one : report.failed) failed.push_back({{"file", one.file.string()}, {"why", one.why}});
        std::vector<std::string> aside;
        for (const auto& file : report.set_aside) aside.push_back(file.string());
        print_json({{"schema", "retromass/1"}, {"sent", report.sent}, {"failed", failed}, {"warnings", report.warnings}, {"set_aside", aside}});
    } else {
        std::cout << report.sent << " objects sent to " << profile.name << ", " << report.failed.size() << " not sent, " << report.set_aside.size() << " files are not DICOM\n";
    }
    for (const auto& warning : report.warnings) std::cerr << "retromass: " << warning << '\n';
    for (const auto& one : report.failed) std::cerr << "retromass: " << one.file.string() << " was not sent: " << one.why << '\n';
    if (report.failed.empty()) return Exit::done;
    complain({Code::pacs_incomplete, std::to_string(report.failed.size()) + " objects were not sent", "pacs: send"});
    return Exit::some_failed;
}

CLI::App* add_command(CLI::App& pacs, const char* name, const char* what, const std::shared_ptr<Options>& options, Context& context, Result<Exit> (*act)(const Options&))
{
    auto* command = pacs.add_subcommand(name, what);
    command->add_option("--profile", options->profile, "Which of the profiles, where there are several");
    command->add_option("--config", options->config, "File of profiles (default ~/.config/retromass/pacs.yaml; docs/stages/pacs.md)");
    command->add_flag("--json", options->json, "Print JSON");
    command->callback([options, &context, act] {
        // DCMTK leaves Nagle's algorithm on unless told so here: each object then waits 40 ms for an acknowledgement, twice.
        ::setenv("TCP_NODELAY", "1", 0);
        const auto exit = act(*options);
        context.exit = exit ? *exit : complain(exit.error());
    });
    return command;
}

}  // namespace

void add_pacs(CLI::App& app, Context& context)
{
    auto* group = app.add_subcommand("pacs", "Find, fetch and send DICOM objects at a PACS, over DIMSE or DICOMweb; or be sent some");
    group->require_subcommand(1);
    auto options = std::make_shared<Options>();

    auto* finds = add_command(*group, "find", "List patients, studies or series", options, context, [](const Options& o) { return find(o); });
    finds->add_option("LEVEL", options->level, "patients, studies or series")->required()->check(CLI::IsMember({"patients", "studies", "series"}));
    finds->add_option("--patient-id", options->query.patient_id, "Patient ID; * and ? are wildcards, as below");
    finds->add_option("--patient-name", options->query.patient_name, "Patient's name, e.g. 'DOE^J*'");
    finds->add_option("--from", options->from, "First study date, YYYY-MM-DD");
    finds->add_option("--to", options->to, "Last study date");
    finds->add_option("--modality", options->query.modality, "Modality (of series: CT unless said, '*' any)");
    finds->add_option("--accession", options->query.accession_number, "Accession number");
    finds->add_option("--description", options->query.description, "Description of the study or, at series, of the series");
    finds->add_option("--study", options->query.study_instance_uid, "Study Instance UID");
    finds->footer("Example: retromass pacs find studies --patient-id 4711 --from 2013-01-01 --modality CT");

    auto* gets = add_command(*group, "get", "Fetch a study or series; goes on where an earlier call stopped", options, context, [](const Options& o) { return get(o); });
    gets->add_option("STUDY", options->request.study_instance_uid, "Study Instance UID")->required();
    gets->add_option("--series", options->request.series_instance_uid, "Series Instance UID (default: every series)");
    gets->add_option("-o,--output", options->folder, "Folder: <series UID>/<SOP instance UID>.dcm below it")->required();
    gets->footer("Example: retromass pacs get 1.2.840.1 -o study   (exit code 3 where anything is missing)");

    auto* sends = add_command(*group, "send", "Send DICOM files, folders, or what is under dicom/ of a result folder", options, context, [](const Options& o) { return send(o); });
    sends->add_option("PATH", options->paths, "Files, folders, result folders")->required();
    sends->add_flag("--allow-synthetic", options->send.allow_synthetic, "Also objects of a generated patient");
    sends->footer("Example: retromass pacs send result --profile archive   (exit code 3 where anything was not taken)");

    add_pacs_listen(*group, context);
}

}  // namespace retromass::cli

#pragma once

#include <CLI/CLI.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/progress.h"
#include "core/result.h"

/// The subcommands: one file each, one row each in main.cpp. The only place of the project that prints.
namespace retromass::cli {

/// Exit codes of the program (docs/interfaces.md).
enum class Exit : int { done = 0, internal = 1, usage = 2, some_failed = 3, refused = 4 };

/// What a subcommand leaves behind for main.
struct Context {
    Exit exit = Exit::done;
    std::string command_line;  ///< for provenance
};

void add_series(CLI::App& app, Context& context);
void add_init(CLI::App& app, Context& context);
void add_segment(CLI::App& app, Context& context);
void add_measure(CLI::App& app, Context& context);
void add_edit(CLI::App& app, Context& context);
void add_marks(CLI::App& app, Context& context);
void add_assess(CLI::App& app, Context& context);
void add_run(CLI::App& app, Context& context);
void add_qc(CLI::App& app, Context& context);
void add_sdtm(CLI::App& app, Context& context);
void add_compare(CLI::App& app, Context& context);
void add_qualify(CLI::App& app, Context& context);
void add_batch(CLI::App& app, Context& context);
void add_pacs(CLI::App& app, Context& context);
void add_phantom(CLI::App& app, Context& context);
void add_demo(CLI::App& app, Context& context);
void add_sign(CLI::App& app, Context& context);
void add_audit(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);
/// Hidden: the man page and the shell's completion, from all commands that were added.
void add_describe(CLI::App& app);
void add_review(CLI::App& app, Context& context);
void add_view(CLI::App& app, Context& context);
void add_pacs_listen(CLI::App& pacs, Context& context);

/// Prints the error as the user sees it and answers the exit code: refused, usage or internal by its code.
Exit complain(const Error& error);

/// A progress line on the terminal (stderr) for anything longer than a second; silent where stderr is no terminal.
/// Answers false after Ctrl-C, so that the task can stop and clean up.
Progress terminal_progress();

/// `--accept CODE` values as codes; a name that is no code, or not acceptable, is a usage error.
Result<std::vector<Code>> accepted_codes(const std::vector<std::string>& names);

/// The mask a run wrote for a lesion at a time point: the one file in masks/ that is named after both.
std::optional<std::filesystem::path> mask_file_of(const std::filesystem::path& result, const std::string& timepoint, const std::string& lesion);

/// Writes a new folder of texts, by file name; nobody sees half of it. Fails with output_exists where there is one.
Status write_folder(const std::filesystem::path& folder, const std::map<std::string, std::string>& files);

/// "x,y,z" or more triples in one text; fails with usage naming the option.
Result<std::vector<double>> numbers(const std::string& text, std::size_t count, const std::string& option);

}  // namespace retromass::cli

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cmath>
#include <csignal>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>

#include "core/units.h"
#include "pipeline/cli/commands.h"

namespace retromass::cli {
namespace {

std::atomic<bool> interrupted{false};

void on_interrupt(int) { interrupted = true; }

}  // namespace

Exit complain(const Error& error)
{
    std::cerr << "retromass: " << error.message << "\n  [" << name(error.code) << (error.where.empty() ? "" : ", in " + error.where) << "]\n";
    switch (error.code) {
    case Code::internal: return Exit::internal;
    case Code::usage:
    case Code::policy: return Exit::usage;
    default: return Exit::refused;
    }
}

Progress terminal_progress()
{
    std::signal(SIGINT, on_interrupt);
    std::signal(SIGTERM, on_interrupt);
    struct State {
        std::mutex guard;
        std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
        std::chrono::steady_clock::time_point last = start;
        bool shown = false;
        bool terminal = isatty(2) != 0;
        ~State()
        {
            if (shown) std::cerr << "\r\033[K" << std::flush;
        }
    };
    auto state = std::make_shared<State>();
    return [state](std::string_view stage, double fraction) {
        if (interrupted) return false;
        const std::scoped_lock lock(state->guard);
        const auto now = std::chrono::steady_clock::now();
        using namespace std::chrono_literals;
        if (!state->terminal || now - state->start < 1s || now - state->last < 100ms) return true;
        state->last = now;
        state->shown = true;
        std::cerr << '\r' << stage << ' ' << fixed(100 * fraction, 0) << " %\033[K" << std::flush;
        return true;
    };
}

Result<std::vector<Code>> accepted_codes(const std::vector<std::string>& names)
{
    std::vector<Code> codes;
    for (const auto& text : names) {
        const auto code = code_named(text);
        if (!code) return Error{Code::usage, "--accept " + text + ": no such code (docs/codes.md lists them)", "cli"};
        if (!entry(*code).acceptable) return Error{Code::usage, "--accept " + text + ": this code cannot be accepted: " + std::string(entry(*code).meaning), "cli"};
        codes.push_back(*code);
    }
    return codes;
}

Result<std::vector<double>> numbers(const std::string& text, std::size_t count, const std::string& option)
{
    std::vector<double> out;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        double value = 0;
        const auto [next, error] = std::from_chars(at, end, value);
        if (error != std::errc{} || !std::isfinite(value) || (next != end && *next != ',') || (next != end && next + 1 == end)) break;
        out.push_back(value);
        at = next == end ? end : next + 1;
        if (at == end && out.size() == count) return out;
    }
    return Error{Code::usage, option + " " + text + ": expected " + std::to_string(count) + " numbers separated by commas, in mm (LPS), e.g. " + option + (count == 3 ? " -42.5,18,110" : " -80,18,110,35,22,110"), "cli"};
}

std::optional<std::filesystem::path> mask_file_of(const std::filesystem::path& result, const std::string& timepoint, const std::string& lesion)
{
    std::error_code none;
    for (const auto& file : std::filesystem::directory_iterator(result / "masks", none)) {
        const std::string name = file.path().filename().string();
        const std::string stem = name.substr(0, name.find(".nii"));
        const auto ends = [&](const std::string& first, const std::string& last) {
            return stem.size() == first.size() + last.size() + 1 && stem.starts_with(first) && stem.ends_with(last);
        };
        if (ends(timepoint, lesion) || ends(lesion, timepoint)) return file.path();
    }
    return std::nullopt;
}

Status write_folder(const std::filesystem::path& folder, const std::map<std::string, std::string>& files)
{
    if (std::filesystem::exists(folder)) return Error{Code::output_exists, folder.string() + " is there already and is not overwritten", "cli"};
    const std::filesystem::path unfinished = folder.string() + ".unfinished";
    std::error_code error;
    std::filesystem::create_directories(unfinished, error);
    for (const auto& [name, text] : files) {
        std::ofstream file(unfinished / name, std::ios::binary);
        file << text;
        file.close();
        if (!file) return Error{Code::io, (unfinished / name).string() + " cannot be written", "cli"};
    }
    std::filesystem::rename(unfinished, folder, error);
    if (error) return Error{Code::io, folder.string() + " cannot be written: " + error.message(), "cli"};
    return Done{};
}

}  // namespace retromass::cli

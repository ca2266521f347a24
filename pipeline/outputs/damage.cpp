#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "pipeline/outputs/case_folder.h"
#include "pipeline/outputs/outputs.h"
#include "pipeline/outputs/standing.h"

// Whether a case folder still is what was written: provenance.json lists every file with its bytes' number and SHA-256.

namespace retromass::outputs {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

/// The log only grows: what was written is its beginning.
bool begins_as_written(const std::string& log, const std::string& hash)
{
    for (std::size_t end = log.find('\n'); end != std::string::npos; end = log.find('\n', end + 1)) {
        if (sha256_of_text(std::string_view(log).substr(0, end + 1)) == hash) return true;
    }
    return false;
}

bool ends_as_a_page(const fs::path& file)
{
    constexpr std::string_view kEnd = "</html>\n";
    std::ifstream in(file, std::ios::binary);
    std::string end(kEnd.size(), ' ');
    in.seekg(-static_cast<std::streamoff>(kEnd.size()), std::ios::end);
    return in.read(end.data(), static_cast<std::streamsize>(end.size())) && end == kEnd;
}

/// Empty where the file is as listed.
std::string damage_of_file(const fs::path& folder, const ordered_json& output, Depth depth)
{
    const auto name = output.at("file").get<std::string>();
    const auto hash = output.at("sha256").get<std::string>();
    const auto file = folder / name;
    std::error_code error;
    if (!fs::is_regular_file(file, error)) return name + " is missing";
    const auto changed = name + " is not what was written";
    if (name == "events.jsonl") return begins_as_written(text_of_file(file), hash) ? "" : "events.jsonl does not begin with the events that were written: it was cut or rewritten";
    if (name == "report.html") {  // its bands follow the log
        const bool whole = depth == Depth::every_byte ? sha256_of_text(page_as_written(text_of_file(file))) == hash : ends_as_a_page(file);
        return whole ? "" : changed;
    }
    if (output.contains("bytes") && output["bytes"] != fs::file_size(file, error)) return changed;
    if (depth == Depth::figures && name != "case.json" && !name.ends_with(".csv")) return {};
    const auto found = sha256_of_file(file);
    return found && *found == hash ? "" : changed;
}

}  // namespace

std::vector<std::string> damage_of(const fs::path& folder, Depth depth)
{
    std::vector<std::string> out;
    try {
        const auto provenance = ordered_json::parse(text_of_file(folder / "provenance.json"));
        for (const auto& output : provenance.at("outputs")) {
            auto damage = damage_of_file(folder, output, depth);
            if (!damage.empty()) out.push_back(std::move(damage));
        }
    } catch (const ordered_json::exception&) {
        out.emplace_back("provenance.json cannot be read");
    }
    return out;
}

}  // namespace retromass::outputs

#include "core/codes.h"
#include "pipeline/run/keys.h"
#include "pipeline/run/run.h"

namespace retromass::run {
namespace {

constexpr int kFormat = 1;

Settings settings_in(const YAML::Node& root)
{
    allow(root, "the settings file", {"settings", "name", "version", "method", "policies", "accept", "uid_root"});
    Settings out;
    if (!root["settings"]) fault(root, "the settings file needs 'settings: " + std::to_string(kFormat) + "', the version of this format");
    const int format = value_of<int>(root["settings"], "a whole number");
    if (format != kFormat) fault(root["settings"], "these are settings of format " + std::to_string(format) + "; this program reads format " + std::to_string(kFormat));
    out.name = needed(root, "name", "the settings file");
    if (!root["version"]) fault(root, "the settings file needs 'version', a whole number that rises with every change");
    out.version = value_of<int>(root["version"], "a whole number");
    if (out.version < 1) fault(root["version"], "expected a whole number from 1, found '" + root["version"].Scalar() + "'");
    if (root["method"]) {
        const auto wanted = text(root, "method");
        std::vector<std::string> known;
        for (const auto& row : segmentation::methods()) {
            known.emplace_back(row.name);
            if (row.name == wanted) out.method = row.method;
        }
        if (!out.method) fault(root["method"], "unknown method '" + wanted + "'; did you mean '" + nearest(wanted, known) + "'?");
    }
    if (root["policies"]) out.policies = policies_of(root["policies"]);
    for (const auto& name : texts_of(root["accept"])) {
        const auto code = code_named(name);
        if (!code) fault(root["accept"], "'" + name + "' is no code (docs/codes.md lists them)");
        if (!entry(*code).acceptable) fault(root["accept"], "'" + name + "' cannot be accepted: " + std::string(entry(*code).meaning));
        out.accepted.push_back(*code);
    }
    out.uid_root = text(root, "uid_root");
    return out;
}

}  // namespace

Result<Settings> read_settings(const std::filesystem::path& file)
{
    RETROMASS_TRY_ASSIGN(auto out, read_keys(file, [](const YAML::Node& root) { return settings_in(root); }));
    RETROMASS_TRY_ASSIGN(out.sha256, outputs::sha256_of_file(file));
    return out;
}

std::string name_of(const Settings& settings) { return settings.name + " version " + std::to_string(settings.version) + ", SHA-256 " + settings.sha256; }

}  // namespace retromass::run

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/units.h"
#include "pipeline/run/keys.h"
#include "pipeline/run/protocol.h"
#include "pipeline/run/protocol_limits.h"

namespace retromass::run {
namespace {

Error refused(const std::string& why) { return {Code::policy, why, "run: protocol"}; }

Error locked_out(const std::string& why) { return {Code::output_exists, why, "run: protocol"}; }

constexpr std::size_t kLongestName = 64;  // SDTM: 200 characters hold name, version and hash

std::string joined(const std::vector<std::string>& words)
{
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "" : ",") + word;
    return out;
}

/// Every rule in force by name, defaults spelled out, in the order of the names: two files that say the same have one hash.
std::map<std::string, std::string> rules_of(const Protocol& protocol)
{
    response::Policies policies;
    for (const auto& [name, value] : protocol.policies) {
        [[maybe_unused]] const auto known = policies.set(name, value);  // checked when read
    }
    std::map<std::string, std::string> out;
    for (const auto& [name, value] : policies.all()) out["policy " + name] = value;
    auto criteria = protocol.criteria;
    std::sort(criteria.begin(), criteria.end());
    out["primary"] = protocol.primary;
    out["criteria"] = criteria.empty() ? "all" : joined(criteria);
    auto readers = protocol.readers;
    std::sort(readers.begin(), readers.end());
    out["readers"] = readers.empty() ? "any" : joined(readers);
    out["diameter_from"] = protocol.diameter_from;
    out["recorded_precision_mm"] = fixed(protocol.recorded_precision_mm, 1);
    add_rules(protocol, out);
    return out;
}

Protocol protocol_of(const YAML::Node& root)
{
    allow(root, "the protocol", {"protocol", "version", "readers", "evaluator", "response", "diameter_from", "recorded_precision_mm", "acquisition", "visits", "series"});
    Protocol out;
    out.id = needed(root, "protocol", "the protocol");
    if (out.id.size() > kLongestName) fault(root["protocol"], "a protocol's name has at most " + std::to_string(kLongestName) + " characters, found " + std::to_string(out.id.size()));
    if (!root["version"]) fault(root, "the protocol needs 'version', a whole number that rises with every change");
    out.version = value_of<int>(root["version"], "a whole number");
    if (out.version < 1) fault(root["version"], "expected a whole number from 1, found '" + root["version"].Scalar() + "'");
    out.readers = texts_of(root["readers"]);
    if (root["evaluator"]) out.evaluator = word_of(root["evaluator"], {"INVESTIGATOR", "INDEPENDENT ASSESSOR"});
    if (root["acquisition"]) out.acquisition = acquisition_of(root["acquisition"]);
    if (root["series"]) out.series = series_rule_of(root["series"]);
    if (root["visits"]) out.visits = visits_of(root["visits"]);
    if (const auto response = root["response"]) {
        allow(response, "response", {"primary", "criteria", "policies"});
        out.primary = text(response, "primary", out.primary);
        if (response["primary"]) check_criterion(response["primary"], out.primary);
        out.criteria = texts_of(response["criteria"]);
        for (const auto& criterion : out.criteria) check_criterion(response["criteria"], criterion);
        if (response["policies"]) out.policies = policies_of(response["policies"]);
    }
    out.diameter_from = text(root, "diameter_from", out.diameter_from);
    if (out.diameter_from != "mask" && out.diameter_from != "reader") fault(root["diameter_from"], "expected mask or reader, found '" + out.diameter_from + "'");
    if (root["recorded_precision_mm"]) {
        out.recorded_precision_mm = value_of<double>(root["recorded_precision_mm"], "0.1 or 1");
        if (out.recorded_precision_mm != 0.1 && out.recorded_precision_mm != 1) fault(root["recorded_precision_mm"], "expected 0.1 or 1, found '" + root["recorded_precision_mm"].Scalar() + "'");
    }
    return out;
}

constexpr const char* kHash = ", SHA-256 ";  // in what name_of() says
constexpr const char* kVersion = "protocol version";
constexpr const char* kId = "protocol id";

std::string as_text(const Protocol& protocol)
{
    std::string out;
    for (const auto& [name, value] : rules_of(protocol)) out += (out.empty() ? "" : "; ") + name + "=" + value;
    return out;
}

/// The settings of a result; empty where there is none.
std::map<std::string, std::string> settings_in(const std::filesystem::path& result)
{
    std::ifstream in(result / "case.json");
    const auto written = nlohmann::json::parse(in, nullptr, false);
    std::map<std::string, std::string> out;
    if (!written.is_object() || !written.contains("settings") || !written["settings"].is_array()) return out;
    for (const auto& setting : written["settings"]) {
        const auto word = [&](const char* key) { return setting.is_object() && setting.contains(key) && setting[key].is_string() ? setting[key].get<std::string>() : std::string(); };
        if (const auto name = word("name"); !name.empty()) out[name] = word("value");
    }
    return out;
}

/// The rules whose text differs, old and new.
std::string changes(const std::string& before, const std::string& now)
{
    const auto split = [](const std::string& all) {
        std::map<std::string, std::string> out;
        for (std::size_t at = 0; at < all.size();) {
            const auto end = std::min(all.find("; ", at), all.size());
            const auto rule = all.substr(at, end - at);
            const auto equals = std::min(rule.find('='), rule.size());
            out[rule.substr(0, equals)] = equals < rule.size() ? rule.substr(equals + 1) : "";
            at = end + 2;
        }
        return out;
    };
    auto old = split(before);
    std::string out;
    for (const auto& [name, value] : split(now)) {
        if (old[name] != value) out += (out.empty() ? "" : "; ") + name + " was " + (old[name].empty() ? "not stated" : old[name]) + ", is " + value;
    }
    return out;
}

}  // namespace

Result<Protocol> read_protocol(const std::filesystem::path& file)
{
    RETROMASS_TRY_ASSIGN(auto out, read_keys(file, [](const YAML::Node& root) { return protocol_of(root); }));
    out.sha256 = outputs::sha256_of_text("protocol=" + out.id + "; version=" + std::to_string(out.version) + "; " + as_text(out));
    return out;
}

Status take_protocol(CaseFile& file, const Protocol& protocol)
{
    if (file.protocol && file.protocol->sha256 != protocol.sha256) return refused("the case file names protocol " + name_of(*file.protocol) + ", not " + name_of(protocol));
    if (file.states_rules) return refused("the case file states response, diameter_from or recorded_precision_mm itself; under protocol " + protocol.id + " the protocol alone does");
    for (const auto& timepoint : file.timepoints) {
        const bool listed = protocol.readers.empty() || timepoint.reader.empty() || std::find(protocol.readers.begin(), protocol.readers.end(), timepoint.reader) != protocol.readers.end();
        if (!listed) return refused(timepoint.id + ": reader '" + timepoint.reader + "' is not a reader of protocol " + protocol.id + "; did you mean '" + nearest(timepoint.reader, protocol.readers) + "'?");
    }
    file.primary = protocol.primary;
    file.criteria = protocol.criteria;
    file.policies = protocol.policies;
    file.diameter_from = protocol.diameter_from;
    file.recorded_precision_mm = protocol.recorded_precision_mm;
    file.protocol = protocol;
    return Done{};
}

std::string name_of(const Protocol& protocol) { return protocol.id + " version " + std::to_string(protocol.version) + kHash + protocol.sha256; }

std::string protocol_in(const std::filesystem::path& result)
{
    const auto settings = settings_in(result);
    const auto found = settings.find("protocol");
    return settings.contains(kId) && found != settings.end() ? found->second : "";
}

Status check_versions(const std::vector<SeenProtocol>& seen)
{
    struct Places {
        std::string first;
        std::size_t more = 0;
    };
    std::map<std::string, std::map<std::string, Places>> versions;  // name and version, then hash
    for (const auto& [name, where] : seen) {
        const auto at = name.rfind(kHash);
        if (at == std::string::npos) continue;  // under none
        const auto [places, is_new] = versions[name.substr(0, at)].emplace(name.substr(at + std::string_view(kHash).size()), Places{where});
        if (!is_new) ++places->second.more;
    }
    for (const auto& [version, hashes] : versions) {
        if (hashes.size() == 1) continue;
        std::string all;
        for (const auto& [hash, places] : hashes) {
            all += (all.empty() ? "SHA-256 " : "; SHA-256 ") + hash + " in " + places.first + (places.more ? " and " + std::to_string(places.more) + " more" : "");
        }
        return locked_out("protocol " + version + " stands for " + std::to_string(hashes.size()) + " sets of rules: " + all + ". A change needs a higher version: state it in the changed file, and run all cases under one");
    }
    return Done{};
}

std::vector<std::pair<std::string, std::string>> settings_of(const Protocol& protocol)
{
    std::vector<std::pair<std::string, std::string>> out{{"protocol", name_of(protocol)}, {kId, protocol.id}, {kVersion, std::to_string(protocol.version)}, {kProtocolRules, as_text(protocol)}};
    if (!protocol.evaluator.empty()) out.emplace_back("evaluator", protocol.evaluator);
    return out;
}

Status check_lock(const std::filesystem::path& result, const std::optional<Protocol>& protocol)
{
    auto before = settings_in(result);
    if (!before.contains(kId)) return Done{};
    const auto locked = result.string() + " was made under protocol " + before["protocol"];
    if (!protocol) return locked_out(locked + "; name a protocol (--protocol)");
    if (before["protocol"] == name_of(*protocol)) return Done{};  // where people are hidden, the rules do not name their readers
    if (before[kId] != protocol->id) return locked_out(locked + ", this is " + name_of(*protocol) + "; write to another folder");
    const auto changed = changes(before[kProtocolRules], as_text(*protocol));
    const int version = std::atoi(before[kVersion].c_str());
    if (protocol->version < version) return locked_out(locked + "; version " + std::to_string(protocol->version) + " is older");
    if (!changed.empty() && protocol->version == version) return locked_out(locked + " and is locked to it: " + changed + "; a change needs a higher version");
    return Done{};
}

Result<CaseFile> under_protocol(CaseFile file, const std::filesystem::path& result, const RunParameters& parameters)
{
    if (parameters.protocol) RETROMASS_TRY(take_protocol(file, *parameters.protocol));
    if (file.protocol && (!parameters.policies.empty() || parameters.assume_no_new_lesions)) {
        return refused("policies are those of protocol " + file.protocol->id + "; --policy and --assume-no-new-lesions cannot change them");
    }
    RETROMASS_TRY(check_lock(result, file.protocol));
    return file;
}

}  // namespace retromass::run

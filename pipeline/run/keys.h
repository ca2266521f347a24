#pragma once

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "core/nearest.h"
#include "core/result.h"
#include "measurement/response/response.h"

/// How the files of keys (case, protocol) are read: every fault names its line, what was expected and what was found.
namespace retromass::run {

/// Stops reading at the first fault; caught by read_keys.
struct Fault {
    std::string message;
};

[[noreturn]] inline void fault(const YAML::Node& node, const std::string& why)
{
    const auto mark = node.Mark();
    throw Fault{(mark.is_null() ? std::string("file") : "line " + std::to_string(mark.line + 1)) + ": " + why};
}

/// Every map of the file passes here: an unknown key is an error that names the nearest known one.
inline void allow(const YAML::Node& map, const std::string& what, std::initializer_list<const char*> known)
{
    if (!map.IsMap()) fault(map, what + " is not a map of keys");
    std::vector<std::string> seen;
    for (const auto& item : map) {
        const auto key = item.first.as<std::string>();
        if (std::find(seen.begin(), seen.end(), key) != seen.end()) fault(item.first, "key '" + key + "' stands twice in " + what);
        seen.push_back(key);
        if (std::find(known.begin(), known.end(), key) != known.end()) continue;
        fault(item.first, "unknown key '" + key + "' in " + what + "; did you mean '" + nearest(key, {known.begin(), known.end()}) + "'?");
    }
}

inline std::string text(const YAML::Node& map, const char* key, const std::string& otherwise = {})
{
    const auto node = map[key];
    if (!node) return otherwise;
    if (!node.IsScalar()) fault(node, std::string(key) + " is not a text");
    return node.as<std::string>();
}

inline std::string needed(const YAML::Node& map, const char* key, const std::string& what)
{
    const auto value = text(map, key);
    if (value.empty()) fault(map, what + " needs '" + key + "'");
    return value;
}

template <class T>
T value_of(const YAML::Node& node, const char* what)
{
    try {
        return node.as<T>();
    } catch (const YAML::Exception&) {
        fault(node, std::string("expected ") + what + ", found '" + (node.IsScalar() ? node.Scalar() : std::string("a list or map")) + "'");
    }
}

inline std::vector<std::string> texts_of(const YAML::Node& node)
{
    std::vector<std::string> out;
    if (!node) return out;
    if (node.IsScalar()) return {node.as<std::string>()};
    for (const auto& item : node) out.push_back(value_of<std::string>(item, "a text"));
    return out;
}

inline void check_criterion(const YAML::Node& node, const std::string& name)
{
    const auto names = response::criterion_names();
    const std::vector<std::string> known(names.begin(), names.end());
    if (std::find(known.begin(), known.end(), name) == known.end()) fault(node, "criterion '" + name + "' is not known; did you mean '" + nearest(name, known) + "'?");
}

inline std::map<std::string, std::string> policies_of(const YAML::Node& node)
{
    std::map<std::string, std::string> out;
    if (!node.IsMap()) fault(node, "policies is not a map of names and values");
    response::Policies check;
    for (const auto& item : node) {
        const auto name = item.first.as<std::string>();
        const auto value = value_of<std::string>(item.second, "a policy value");
        const auto status = check.set(name, value);
        if (!status) fault(item.first, status.error().message);
        if (!out.emplace(name, value).second) fault(item.first, "policy '" + name + "' stands twice");
    }
    return out;
}

/// Reads a file by `read`, which may stop at a fault.
template <class Read>
auto read_keys(const std::filesystem::path& file, Read read) -> Result<decltype(read(YAML::Node()))>
{
    const auto refuse = [](const std::string& why) { return Error{Code::case_file, why, "run: read_keys"}; };
    try {
        return read(YAML::LoadFile(file.string()));
    } catch (const Fault& found) {
        return refuse(file.string() + ": " + found.message);
    } catch (const YAML::BadFile&) {
        return Error{Code::io, file.string() + " cannot be read", "run: read_keys"};
    } catch (const YAML::Exception& error) {
        return refuse(file.string() + ": line " + std::to_string(error.mark.line + 1) + ": " + error.msg);
    }
}

}  // namespace retromass::run

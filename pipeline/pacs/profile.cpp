#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <initializer_list>

#include "core/nearest.h"
#include "pipeline/pacs/pacs.h"

namespace retromass::pacs {
namespace {

namespace fs = std::filesystem;

/// Stops reading at the first fault; caught at this file's door.
struct Fault {
    std::string message;
};

[[noreturn]] void fault(const YAML::Node& node, const std::string& why)
{
    const auto mark = node.Mark();
    throw Fault{mark.is_null() ? why : "line " + std::to_string(mark.line + 1) + ": " + why};
}

std::string quoted(const YAML::Node& node) { return node.IsScalar() ? "'" + node.Scalar() + "'" : std::string("a list or map"); }

constexpr const char* kSecretHint = "a secret does not stand in this file: write secret: {file: PATH} (a file of mode 0600) or secret: {environment: VARIABLE}";

void allow(const YAML::Node& map, const std::string& what, std::initializer_list<const char*> known)
{
    if (!map.IsMap()) fault(map, "expected " + what + " as a map of keys, found " + quoted(map));
    std::vector<std::string> seen;
    for (const auto& item : map) {
        const auto key = item.first.as<std::string>();
        if (key == "password" || key == "passphrase" || key == "token") fault(item.first, kSecretHint);
        if (std::find(seen.begin(), seen.end(), key) != seen.end()) fault(item.first, "key '" + key + "' stands twice in " + what);
        seen.push_back(key);
        if (std::find(known.begin(), known.end(), key) != known.end()) continue;
        fault(item.first, "unknown key '" + key + "' in " + what + "; did you mean '" + nearest(key, {known.begin(), known.end()}) + "'?");
    }
}

std::string text(const YAML::Node& map, const char* key, const std::string& otherwise = {})
{
    const auto node = map[key];
    if (!node) return otherwise;
    if (!node.IsScalar() || node.Scalar().empty()) fault(node, std::string("expected a text for ") + key + ", found " + (node.IsScalar() ? "nothing" : "a list or map"));
    return node.Scalar();
}

int number(const YAML::Node& map, const char* key, int low, int high, int otherwise)
{
    const auto node = map[key];
    if (!node) return otherwise;
    int value = 0;
    if (!node.IsScalar() || !YAML::convert<int>::decode(node, value) || value < low || value > high) {
        fault(node, std::string("expected ") + key + " as a whole number from " + std::to_string(low) + " to " + std::to_string(high) + ", found " + quoted(node));
    }
    return value;
}

bool flag(const YAML::Node& map, const char* key, bool otherwise)
{
    const auto node = map[key];
    if (!node) return otherwise;
    bool value = false;
    if (!node.IsScalar() || !YAML::convert<bool>::decode(node, value)) fault(node, std::string("expected true or false for ") + key + ", found " + quoted(node));
    return value;
}

/// PS3.5 6.2, VR AE: 16 characters at most, no backslash, no control character, not blanks alone.
std::string title(const YAML::Node& map, const char* key, const std::string& otherwise)
{
    const auto value = text(map, key, otherwise);
    const bool printable = std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c < 0x7F && c != '\\'; });
    if (value.size() > 16 || !printable || value.find_first_not_of(' ') == std::string::npos) {
        fault(map[key], std::string("expected an AE title for ") + key + " (1 to 16 ASCII characters, no backslash), found '" + value + "'");
    }
    return value;
}

fs::path file_of(const YAML::Node& node, const char* key, const fs::path& folder)
{
    if (!node.IsScalar() || node.Scalar().empty()) fault(node, std::string("expected the path of a file for ") + key + ", found " + quoted(node));
    const auto path = folder / node.Scalar();
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored)) fault(node, std::string(key) + ": there is no file " + path.string());
    return path;
}

/// A file with a secret: nobody but its owner may read or write it.
fs::path private_file_of(const YAML::Node& node, const char* key, const fs::path& folder)
{
    const auto path = file_of(node, key, folder);
    constexpr auto kOthers = fs::perms::group_all | fs::perms::others_all;
    std::error_code failed;
    const auto status = fs::status(path, failed);
    if (failed || (status.permissions() & kOthers) != fs::perms::none) {
        fault(node, std::string(key) + ": others than the owner may use " + path.string() + "; do: chmod 600 " + path.string());
    }
    return path;
}

std::string secret_of(const YAML::Node& node, const fs::path& folder, const Environment& environment)
{
    allow(node, "secret", {"file", "environment"});
    if (node.size() != 1) fault(node, "expected one of file and environment in secret");
    std::string secret;
    if (node["environment"]) {
        const auto variable = text(node, "environment");
        const auto value = environment ? environment(variable) : std::nullopt;
        if (!value || value->empty()) fault(node["environment"], "the environment variable " + variable + " is not set; export it before the program starts");
        secret = *value;
    } else {
        const auto path = private_file_of(node["file"], "secret file", folder);
        std::ifstream in(path);
        if (!std::getline(in, secret) || secret.empty()) fault(node["file"], "the first line of " + path.string() + " holds no secret");
    }
    if (!secret.empty() && secret.back() == '\r') secret.pop_back();
    return secret;
}

Tls tls_of(const YAML::Node& node, const fs::path& folder)
{
    allow(node, "tls", {"key", "certificate", "ca", "verify"});
    Tls out;
    if (!node["key"] != !node["certificate"]) fault(node, "key and certificate belong together: give both or none");
    if (node["key"]) {
        out.key = private_file_of(node["key"], "key", folder);
        out.certificate = file_of(node["certificate"], "certificate", folder);
    }
    if (const auto ca = node["ca"]) {
        if (ca.IsSequence()) {
            for (const auto& item : ca) out.trusted.push_back(file_of(item, "ca", folder));
        } else {
            out.trusted.push_back(file_of(ca, "ca", folder));
        }
    }
    out.verify = flag(node, "verify", true);
    return out;
}

/// "https://host[:port]/path" without the closing slash.
std::string url_of(const YAML::Node& node)
{
    auto url = node.IsScalar() ? node.Scalar() : std::string();
    if (url.find('@') != std::string::npos) fault(node, "an address with a user in it; write the keys user and secret instead");
    const auto slashes = url.find("://");
    const bool known = url.starts_with("https://") || url.starts_with("http://");
    if (!known || slashes + 3 == url.size() || url.find_first_of(" ?#") != std::string::npos) {
        fault(node, "expected dicomweb as https://HOST/PATH without query or blanks, found " + quoted(node));
    }
    while (url.ends_with('/')) url.pop_back();
    return url;
}

/// Whether what is sent there never leaves this machine.
bool loopback(const std::string& url)
{
    const auto start = url.find("//") + 2;
    const auto host = url.substr(start, url.find_first_of(":/", start) - start);
    return host == "localhost" || (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

Profile profile_of(const std::string& name, const YAML::Node& node, const fs::path& folder, const Environment& environment)
{
    allow(node, "profile " + name,
          {"host", "port", "called_ae", "calling_ae", "move_port", "pdu_bytes", "dicomweb", "user", "secret", "tls", "connect_s", "association_s", "message_s"});
    Profile out;
    out.name = name;
    const auto only_with = [&](bool web, std::initializer_list<const char*> keys) {
        for (const char* key : keys) {
            if (node[key]) fault(node[key], std::string(key) + (web ? " goes with dicomweb; this profile has none" : " belongs to DIMSE; a profile has either dicomweb or host, port and called_ae"));
        }
    };
    if (node["dicomweb"]) {
        only_with(false, {"host", "port", "called_ae", "calling_ae", "move_port", "pdu_bytes", "association_s"});
        out.url = url_of(node["dicomweb"]);
        out.user = text(node, "user");
        if (!node["user"] != !node["secret"]) fault(node, "user and secret belong together: give both or none");
        if (node["secret"] && out.url.starts_with("http://") && !loopback(out.url)) fault(node["dicomweb"], "a secret is not sent in the clear; expected https, found http");
        if (node["secret"]) out.password = secret_of(node["secret"], folder, environment);
    } else {
        only_with(true, {"user", "secret"});
        for (const char* key : {"host", "port", "called_ae"}) {
            if (!node[key]) fault(node, "profile " + name + " needs " + key + " (or dicomweb: URL)");
        }
        out.host = text(node, "host");
        if (out.host.find_first_of(" :/@") != std::string::npos) fault(node["host"], "expected a host name or IPv4 address, found " + quoted(node["host"]) + "; the port has its own key");
        constexpr int kPorts = 65535;
        out.port = number(node, "port", 1, kPorts, 0);
        out.called_ae = title(node, "called_ae", {});
        out.calling_ae = title(node, "calling_ae", out.calling_ae);
        out.move_port = number(node, "move_port", 1, kPorts, 0);
        // DCMTK's own limits of a PDU, dcmtk/dcmnet/assoc.h.
        out.pdu_bytes = number(node, "pdu_bytes", 4096, 131072, out.pdu_bytes);
    }
    if (node["tls"]) {
        if (out.web() && out.url.starts_with("http://")) fault(node["tls"], "tls needs an https address");
        out.tls = tls_of(node["tls"], folder);
        if (!out.web() && out.tls->verify && out.tls->trusted.empty()) fault(node["tls"], "expected ca, the certificate (PEM) of the authority that signed the peer's, in tls");
    }
    constexpr int kDay_s = 86400;
    out.timeouts.connect_s = number(node, "connect_s", 1, kDay_s, out.timeouts.connect_s);
    out.timeouts.association_s = number(node, "association_s", 1, kDay_s, out.timeouts.association_s);
    out.timeouts.message_s = number(node, "message_s", 1, kDay_s, out.timeouts.message_s);
    return out;
}

Profile profile_in(const YAML::Node& root, const std::string& wanted, const fs::path& folder, const Environment& environment)
{
    allow(root, "the file", {"profiles"});
    const auto profiles = root["profiles"];
    if (!profiles || !profiles.IsMap() || profiles.size() == 0) fault(root, "expected profiles: a map from a name to host, port and AE titles, or to dicomweb");
    std::vector<std::string> names;
    for (const auto& item : profiles) names.push_back(item.first.as<std::string>());
    auto sorted = names;
    std::sort(sorted.begin(), sorted.end());
    if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end()) fault(profiles, "profile '" + *twice + "' stands twice");
    auto name = wanted;
    if (name.empty() && names.size() == 1) name = names.front();
    if (name.empty()) {
        std::string all;
        for (const auto& n : names) all += (all.empty() ? "" : ", ") + n;
        throw Fault{"holds several profiles (" + all + "); say which: --profile NAME"};
    }
    if (std::find(names.begin(), names.end(), name) == names.end()) throw Fault{"has no profile '" + name + "'; did you mean '" + nearest(name, names) + "'?"};
    return profile_of(name, profiles[name], folder, environment);
}

}  // namespace

Result<Profile> read_profile(const fs::path& file, const std::string& name, const Environment& environment)
{
    const std::string where = "pacs: read_profile";
    try {
        return profile_in(YAML::LoadFile(file.string()), name, fs::absolute(file).parent_path(), environment);
    } catch (const Fault& found) {
        return Error{Code::pacs_profile, file.string() + ": " + found.message, where};
    } catch (const YAML::BadFile&) {
        return Error{Code::pacs_profile, file.string() + " cannot be read; write your PACS there (docs/stages/pacs.md shows how) or name another file: --config FILE", where};
    } catch (const YAML::Exception& error) {
        return Error{Code::pacs_profile, file.string() + ": line " + std::to_string(error.mark.line + 1) + ": " + error.msg, where};
    }
}

}  // namespace retromass::pacs

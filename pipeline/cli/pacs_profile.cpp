#include "pipeline/cli/pacs_profile.h"

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>

namespace retromass::cli {
namespace {

std::optional<std::string> environment(const std::string& name)
{
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
}

}  // namespace

Result<pacs::Profile> pacs_profile(const std::string& config, const std::string& name)
{
    std::filesystem::path file = config;
    if (file.empty()) {
        const auto base = environment("XDG_CONFIG_HOME");
        const auto home = environment("HOME");
        if (!base && !home) return Error{Code::usage, "there is no home folder to look for pacs.yaml in; name a file: --config FILE", "cli"};
        file = (base ? std::filesystem::path(*base) : std::filesystem::path(*home) / ".config") / "retromass" / "pacs.yaml";
    }
    auto profile = pacs::read_profile(file, name, environment);
    if (profile && profile->tls && !profile->tls->verify) std::cerr << "retromass: profile " << profile->name << " takes any certificate (tls: verify: false); anyone may answer in the peer's place\n";
    return profile;
}

}  // namespace retromass::cli

#include <fstream>
#include <random>

#include "pipeline/outputs/outputs.h"

namespace retromass::outputs {
namespace {

namespace fs = std::filesystem;

const std::string kMagic = "retromass-key-1 ";
constexpr std::size_t kDigits = 64;  ///< 256 bits

/// Nobody without the key can make it from the text, nor the text from it.
std::string keyed(const std::string& key, const std::string& text) { return sha256_of_text(key + sha256_of_text(key + text)); }

std::string random_digits()
{
    std::random_device source;
    std::string out;
    while (out.size() < kDigits) out += "0123456789abcdef"[source() & 15U];
    return out;
}

}  // namespace

Result<std::string> deidentification_key(const fs::path& file)
{
    const auto refuse = [&](const std::string& why) { return Error{Code::usage, "key file " + file.string() + ": " + why, "outputs: deidentification_key"}; };
    if (std::ifstream in(file); in) {
        std::string line;
        std::getline(in, line);
        if (line.rfind(kMagic, 0) != 0 || line.size() != kMagic.size() + kDigits || line.find_first_not_of("0123456789abcdef", kMagic.size()) != std::string::npos) return refuse("it holds no key of this program");
        return line.substr(kMagic.size());
    }
    const auto key = random_digits();
    std::error_code error;
    if (file.has_parent_path()) fs::create_directories(file.parent_path(), error);
    std::ofstream out(file, std::ios::binary);
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write, error);  // before the secret is in it
    out << kMagic << key << '\n';
    if (!out.flush() || error) return Error{Code::io, "cannot write key file " + file.string(), "outputs: deidentification_key"};
    return key;
}

Deidentification deidentification_of(const std::string& key, const std::string& patient, const std::string& pseudonym, Dates dates)
{
    constexpr unsigned long kMostDays = 3650;  // back by up to ten years: never into the future
    const auto chosen = std::stoul(keyed(key, "days " + patient).substr(0, 8), nullptr, 16) % kMostDays + 1;
    return {key, pseudonym, dates, dates == Dates::keep ? 0 : -static_cast<int>(chosen)};
}

std::string hidden_uid(const Deidentification& hiding, const std::string& uid, const std::string& root) { return uid.empty() ? uid : derived_uid("hidden " + keyed(hiding.key, "uid " + uid), root); }

std::string hidden_name(const Deidentification& hiding, const std::string& name)
{
    constexpr std::size_t kShown = 8;
    return name.empty() ? name : "R-" + keyed(hiding.key, "name " + name).substr(0, kShown);
}

std::string hidden_hash(const Deidentification& hiding, const std::string& hash) { return keyed(hiding.key, "hash " + hash); }

}  // namespace retromass::outputs

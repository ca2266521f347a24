#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "pipeline/ingest/header.h"

namespace retromass::ingest {
namespace {

namespace fs = std::filesystem;

std::string lower(std::string text)
{
    for (auto& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

/// What a medium may have made of a name: case lost, ";1" or ".dcm" added.
std::string plain(const std::string& name)
{
    auto out = lower(name);
    if (const auto version = out.find(';'); version != std::string::npos) out.resize(version);
    if (out.size() > 4 && out.substr(out.size() - 4) == ".dcm") out.resize(out.size() - 4);
    while (!out.empty() && out.back() == '.') out.pop_back();
    return out;
}

/// The folders below a DICOMDIR, each listed once.
class Listing {
public:
    std::optional<fs::path> find(const fs::path& folder, const std::string& name)
    {
        const auto [at, is_new] = folders_.try_emplace(folder);
        if (is_new) {
            std::error_code error;
            for (auto it = fs::directory_iterator(folder, fs::directory_options::skip_permission_denied, error); !error && it != fs::directory_iterator(); it.increment(error)) {
                auto& found = at->second[plain(it->path().filename().string())];
                if (found.empty() || it->path() < found) found = it->path();
            }
        }
        std::error_code error;
        if (fs::exists(folder / name, error)) return folder / name;
        const auto entry = at->second.find(plain(name));
        if (entry == at->second.end()) return std::nullopt;
        return entry->second;
    }

private:
    std::map<fs::path, std::map<std::string, fs::path>> folders_;
};

bool lies_in(const fs::path& root, const fs::path& file)
{
    std::error_code error;
    const auto inner = fs::canonical(file, error);
    if (error) return false;
    const auto outer = fs::canonical(root, error);
    if (error) return false;
    return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

}  // namespace

Directory resolve(const fs::path& dicomdir, const std::vector<std::string>& referenced)
{
    const auto root = dicomdir.has_parent_path() ? dicomdir.parent_path() : fs::path(".");
    Directory out;
    Listing listing;
    std::set<std::string> seen;
    for (const auto& id : referenced) {
        if (!seen.insert(id).second) continue;
        std::optional<fs::path> at = root;
        fs::path named = root;
        bool escapes = false;
        for (std::size_t from = 0; from <= id.size() && !escapes;) {
            const auto to = std::min(id.find('\\', from), id.size());
            auto component = id.substr(from, to - from);
            while (!component.empty() && component.back() == ' ') component.pop_back();
            from = to + 1;
            escapes = component.empty() || component == "." || component == ".." || component.find_first_of(std::string("/\0", 2)) != std::string::npos;
            if (escapes) break;
            named /= component;
            if (at) at = listing.find(*at, component);
        }
        std::error_code error;
        if (!escapes && at && fs::is_regular_file(*at, error)) {
            if (lies_in(root, *at)) {
                out.present.push_back(*at);
                continue;
            }
            escapes = true;
        }
        if (escapes) out.missing.push_back({dicomdir, Code::malformed, "the DICOMDIR names a file outside its folder"});
        else out.missing.push_back({named, Code::missing_dicomdir_target, "named by " + dicomdir.filename().string() + ", but not there"});
    }
    return out;
}

}  // namespace retromass::ingest

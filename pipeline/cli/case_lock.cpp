#include "pipeline/cli/case_lock.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "pipeline/cli/clock.h"

namespace retromass::cli {
namespace {

namespace fs = std::filesystem;

std::string host()
{
    char name[256] = {};
    return gethostname(name, sizeof name - 1) == 0 ? name : "unknown host";
}

std::string user()
{
    for (const char* name : {"USER", "LOGNAME"}) {
        if (const char* known = std::getenv(name)) return known;
    }
    return "user " + std::to_string(geteuid());
}

bool write_new(const fs::path& file, const std::string& text)
{
    std::FILE* out = std::fopen(file.c_str(), "wx");  // fails where it is there already, for two that come at once too
    if (!out) return false;
    const bool written = std::fwrite(text.data(), 1, text.size(), out) == text.size();
    return std::fclose(out) == 0 && written;
}

bool gone(long pid) { return pid > 0 && kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH; }

}  // namespace

fs::path beside_result(const fs::path& result, const std::string& what)
{
    auto folder = fs::absolute(result).lexically_normal();
    if (!folder.has_filename()) folder = folder.parent_path();
    return folder.parent_path() / (folder.filename().string() + "." + what);
}

Result<CaseLock> CaseLock::take(const fs::path& result, const std::string& reader)
{
    const auto file = beside_result(result, "lock");
    const nlohmann::ordered_json mine{{"host", host()}, {"user", user()}, {"pid", getpid()}, {"reader", reader}, {"since", timestamp_now()}};
    for (int tries = 0; tries < 2; ++tries) {
        if (write_new(file, mine.dump() + "\n")) return CaseLock(file, {});
        if (errno != EEXIST) return Error{Code::io, "cannot lock the result: " + file.string() + " cannot be written; --read-only needs no lock", "cli"};
        std::ifstream in(file);
        const auto held = nlohmann::json::parse(in, nullptr, false);
        if (!held.is_object()) return CaseLock({}, "somebody (" + file.string() + " is no lock of this program; remove it if nobody works on the case)");
        if (held.value("host", "") == host() && gone(held.value("pid", 0L))) {
            std::error_code ignored;
            fs::remove(file, ignored);
            continue;
        }
        const auto as = held.value("reader", "");
        return CaseLock({}, held.value("user", "") + "@" + held.value("host", "") + (as.empty() ? "" : " (" + as + ")") + " since " + held.value("since", ""));
    }
    return CaseLock({}, "somebody who came at the same moment");
}

CaseLock::CaseLock(CaseLock&& other) noexcept : file_(std::exchange(other.file_, {})), held_by_(std::move(other.held_by_)) {}

CaseLock::~CaseLock()
{
    std::error_code ignored;
    if (!file_.empty()) fs::remove(file_, ignored);
}

}  // namespace retromass::cli

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "pipeline/outputs/case_folder.h"
#include "pipeline/outputs/outputs.h"

// One program at a time changes a result: a file beside it says which.

namespace retromass::outputs {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kRoom = "outputs: lock";

std::string user()
{
    for (const char* name : {"USER", "LOGNAME"}) {
        if (const char* known = std::getenv(name)) return known;
    }
    return "user " + std::to_string(geteuid());
}

std::string first_line(const fs::path& file)
{
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    return line;
}

/// This start of this computer; empty where the system does not say.
std::string boot() { return first_line("/proc/sys/kernel/random/boot_id"); }

/// What process ids are counted in: containers of one computer each count for themselves.
std::string process_space()
{
    std::error_code error;
    return fs::read_symlink("/proc/self/ns/pid", error).string();
}

/// When a process began, in ticks since the computer did; empty where there is none. Ids are given out again, times are not.
std::string start_of(long pid)
{
    const auto line = first_line("/proc/" + std::to_string(pid) + "/stat");
    const auto name_end = line.rfind(')');  // a name may hold spaces and brackets
    if (name_end == std::string::npos) return {};
    std::istringstream fields(line.substr(name_end + 1));
    std::string field;
    for (int i = 3; i <= 22; ++i) fields >> field;  // proc(5): the third follows the name, the 22nd is starttime
    return fields ? field : std::string();
}

/// Answers the error's number; 0 = written, as a whole. Fails where the file is there already, for two that come at once too.
int write_new(const fs::path& file, const std::string& text)
{
    errno = 0;
    std::FILE* out = std::fopen(file.c_str(), "wx");
    if (!out) return errno;
    const bool written = std::fwrite(text.data(), 1, text.size(), out) == text.size() && std::fflush(out) == 0 && fsync(fileno(out)) == 0;
    const int number = errno;
    if (std::fclose(out) == 0 && written) return 0;
    std::remove(file.c_str());  // half a lock would be nobody's
    return number ? number : EIO;
}

/// Writes under a name beside `file` that nobody else has, and answers it in `mine`; the error's number, 0 = written.
int write_beside(const fs::path& file, const std::string& text, fs::path& mine)
{
    int number = EEXIST;
    for (int tries = 1; tries <= 100 && number == EEXIST; ++tries) {  // threads of one program have the same process; else it is the first, and whoever knows the process knows the name
        mine = beside(file, "partial" + std::to_string(tries));
        number = write_new(mine, text);
    }
    return number;
}

/// As `write_new`, and nobody sees half of it: a program killed while it writes leaves no lock that tells nothing.
int lock_new(const fs::path& file, const std::string& text)
{
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(file, ignored))) return EEXIST;
    fs::path mine;
    if (const int failed = write_beside(file, text, mine)) return failed;
    int number = link(mine.c_str(), file.c_str()) == 0 ? 0 : errno;
    struct stat found {};
    if (number != 0 && stat(mine.c_str(), &found) == 0 && found.st_nlink == 2) number = 0;  // NFS did it, lost its answer, and may have asked again
    std::remove(mine.c_str());
    const bool has_no_links = number == EPERM || number == EOPNOTSUPP || number == ENOSYS || number == EMLINK;
    return has_no_links ? write_new(file, text) : number;
}

std::string text_at(const ordered_json& lock, const char* key) { return lock.contains(key) && lock[key].is_string() ? lock[key].get<std::string>() : std::string(); }

/// Whether the lock is of an earlier start of a computer that has this one's name: this one, or another.
bool before_this_start(const ordered_json& lock)
{
    const auto then = text_at(lock, "boot"), now = boot();
    return text_at(lock, "host") == host_name() && !then.empty() && !now.empty() && then != now;
}

/// Whether the one who wrote the lock was a program that can be seen from here and has ended. Of another host, another container or a host that was
/// started anew since, which may be another of the same name, nobody here can say.
bool left_behind(const ordered_json& lock)
{
    if (!lock.is_object() || text_at(lock, "host") != host_name() || !lock.contains("pid") || !lock["pid"].is_number_integer()) return false;
    if (before_this_start(lock)) return false;
    const auto then = text_at(lock, "processes"), now = process_space();
    if (!then.empty() && !now.empty() && then != now) return false;
    const auto pid = lock["pid"].get<long>();
    if (pid <= 0) return false;
    if (kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH) return true;
    const auto began = text_at(lock, "began"), begins = start_of(pid);
    return !began.empty() && !begins.empty() && began != begins;
}

Error in_use(const fs::path& result, const fs::path& file, const ordered_json& lock)
{
    const auto remedy = " If nothing works on it any more, remove " + file.string();
    if (!lock.is_object()) return {Code::io, result.string() + " is in use: " + file.string() + " is there, and does not say by whom." + remedy, kRoom};
    const auto reader = text_at(lock, "reader");
    const auto work = text_at(lock, "work");
    return {Code::io, result.string() + " is in use: " + text_at(lock, "user") + "@" + text_at(lock, "host") + " has it" + (work.empty() ? "" : " for `" + work + "`") + (reader.empty() ? "" : ", reader " + reader) + ", since " + text_at(lock, "since") +
                          ". Wait until that has ended, or close it there." + (before_this_start(lock) ? " A computer of that name was started anew since." : "") + remedy, kRoom};
}

/// Closes what it holds.
struct Descriptor {
    int fd = -1;
    ~Descriptor()
    {
        if (fd >= 0) close(fd);
    }
};

/// Puts `text` in the place of a lock that was left behind. Of several on this host that see the same one, one does: the others are refused by
/// the file system's lock, or find another file under the name. Answers whether it is ours now.
bool taken_over(const fs::path& file, const std::string& text)
{
    Descriptor old{open(file.c_str(), O_RDWR | O_CLOEXEC)};
    if (old.fd < 0) old.fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);  // another user's
    if (old.fd < 0) return false;
    if (flock(old.fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
    struct stat opened {}, named {};
    if (fstat(old.fd, &opened) != 0 || stat(file.c_str(), &named) != 0 || opened.st_ino != named.st_ino || opened.st_dev != named.st_dev) return false;
    if (!left_behind(ordered_json::parse(text_of_file(file), nullptr, false))) return false;
    fs::path mine;
    std::error_code error;
    if (write_beside(file, text, mine) != 0) return false;
    fs::rename(mine, file, error);
    if (!error) return true;
    fs::remove(mine, error);
    return false;
}

}  // namespace

std::string host_name()
{
    char name[256] = {};
    return gethostname(name, sizeof name - 1) == 0 ? name : "unknown host";
}

fs::path beside_result(const fs::path& result, const std::string& what)
{
    std::error_code error;
    auto folder = fs::weakly_canonical(result, error);  // one result has one lock, whatever path leads to it
    if (error) folder = fs::absolute(result).lexically_normal();
    if (!folder.has_filename()) folder = folder.parent_path();
    return folder.parent_path() / (folder.filename().string() + "." + what);
}

Result<ResultLock> ResultLock::take(const fs::path& result, const std::string& work, const std::string& time, const std::string& reader)
{
    const auto file = beside_result(result, "lock");
    const auto text = ordered_json{{"host", host_name()}, {"boot", boot()}, {"processes", process_space()}, {"user", user()}, {"pid", getpid()}, {"began", start_of(getpid())}, {"work", work}, {"reader", reader}, {"since", time}}.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
    std::error_code ignored;
    for (int tries = 0; tries < 3; ++tries) {  // whoever has it may let it go just now
        const int number = lock_new(file, text);
        if (number == ENOENT) return Error{Code::io, "there is no folder " + file.parent_path().string(), kRoom};
        if (number != 0 && number != EEXIST) return Error{number == ENOSPC ? Code::disk_space : Code::io, result.string() + " cannot be locked: " + file.string() + ": " + std::generic_category().message(number), kRoom};
        if (number == 0 || taken_over(file, text)) return ResultLock(result, file, text);
        if (fs::exists(file, ignored)) break;
    }
    return in_use(result, file, ordered_json::parse(text_of_file(file), nullptr, false));
}

ResultLock::ResultLock(ResultLock&& other) noexcept : result_(std::move(other.result_)), file_(std::exchange(other.file_, {})), text_(std::move(other.text_)) {}

ResultLock::~ResultLock()
{
    std::error_code ignored;
    if (!file_.empty() && text_of_file(file_) == text_) fs::remove(file_, ignored);  // somebody may have removed ours by hand, and others taken theirs
}

void remove_lock_of_ended_run(const fs::path& result, const std::string& process, const std::string& host)
{
    const auto file = beside_result(result, "lock");
    const auto lock = ordered_json::parse(text_of_file(file), nullptr, false);
    if (!lock.is_object() || text_at(lock, "work") != "run" || !lock.contains("pid") || !lock["pid"].is_number_integer()) return;
    if (!host.empty() && text_at(lock, "host") != host) return;
    if (std::to_string(lock["pid"].get<long>()) != process) return;
    std::error_code ignored;
    fs::remove(file, ignored);
}

}  // namespace retromass::outputs

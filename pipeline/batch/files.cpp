#include "pipeline/batch/files.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

namespace retromass::batch {
namespace {

Error failure(const std::filesystem::path& file, int number)
{
    return {number == ENOSPC || number == EDQUOT ? Code::disk_space : Code::io, file.string() + " cannot be written: " + std::generic_category().message(number), "batch"};
}

}  // namespace

std::optional<std::string> text_of(const std::filesystem::path& file)
{
    std::ifstream in(file, std::ios::binary);
    if (!in) return std::nullopt;
    return std::string((std::istreambuf_iterator<char>(in)), {});
}

Status write_text(const std::filesystem::path& file, const std::string& text)
{
    const auto unfinished = file.string() + ".unfinished-" + std::to_string(getpid());
    const int fd = open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return failure(file, errno);
    int number = 0;
    for (std::size_t at = 0; at < text.size() && number == 0;) {
        const auto written = write(fd, text.data() + at, text.size() - at);
        if (written >= 0) at += static_cast<std::size_t>(written);
        else if (errno != EINTR) number = errno;
    }
    if (number == 0 && fsync(fd) != 0) number = errno;
    if (close(fd) != 0 && number == 0) number = errno;
    if (number == 0 && std::rename(unfinished.c_str(), file.c_str()) != 0) number = errno;
    if (number == 0) {
        // The rename itself: a state that is read back after a power cut is the one that was written. Where a folder has no fsync, it is the file system's.
        const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
        if (const int there = open(folder.c_str(), O_RDONLY | O_CLOEXEC); there >= 0) {
            fsync(there);
            close(there);
        }
        return Done{};
    }
    unlink(unfinished.c_str());
    return failure(file, number);
}

Status append_line(const std::filesystem::path& file, const std::string& line)
{
    const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) return failure(file, errno);
    const auto text = line + '\n';
    const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int number = written ? 0 : errno ? errno : ENOSPC;
    if (close(fd) == 0 && written) return Done{};
    return failure(file, number);
}

void remove_unfinished(const std::filesystem::path& folder)
{
    std::error_code error;
    std::vector<std::filesystem::path> left;
    for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        const auto name = it->path().filename().string();
        const auto at = name.rfind(".unfinished-");
        if (at == std::string::npos) continue;
        const auto process = std::strtol(name.c_str() + at + 12, nullptr, 10);
        const auto age = std::filesystem::file_time_type::clock::now() - it->last_write_time(error);
        if (process > 0 && age > std::chrono::hours(1) && kill(static_cast<pid_t>(process), 0) != 0 && errno == ESRCH) left.push_back(it->path());
    }
    for (const auto& file : left) std::filesystem::remove(file, error);
}

std::string csv_cell(const std::string& text)
{
    std::string out = text;
    // A number may start with a sign; any other text that starts so is a formula to a spreadsheet.
    const bool signed_number = !out.empty() && (out[0] == '-' || out[0] == '+') && out.find_first_not_of("+-.0123456789eE") == std::string::npos;
    if (!out.empty() && std::string("=+-@\t\r").find(out[0]) != std::string::npos && !signed_number) out.insert(0, "'");
    if (out.find_first_of(",\"\n\r") == std::string::npos) return out;
    std::string quoted = "\"";
    for (const char c : out) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + "\"";
}

}  // namespace retromass::batch

#include "pipeline/pacs/inbox.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "pipeline/pacs/query.h"

namespace retromass::pacs {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWhere = "pacs: get";

/// Brings a file or folder to the disk; the error number, 0 = done.
int synchronised(const fs::path& path)
{
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return errno;
    const int failed = ::fsync(file) == 0 ? 0 : errno;
    ::close(file);
    return failed;
}

/// Writes all bytes, after what is there or instead of it; the error number, 0 = done.
int written(const fs::path& path, std::span<const std::byte> bytes, int instead_or_after)
{
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | instead_or_after, 0666);
    if (file < 0) return errno;
    int failed = 0;
    while (!bytes.empty() && failed == 0) {
        const auto some = ::write(file, bytes.data(), bytes.size());
        if (some >= 0) bytes = bytes.subspan(static_cast<std::size_t>(some));
        else if (errno != EINTR) failed = errno;
    }
    if (::close(file) != 0 && failed == 0) failed = errno;
    return failed;
}

}  // namespace

Result<Inbox> Inbox::open(const GetRequest& request, Progress progress)
{
    std::error_code failed;
    fs::create_directories(request.folder, failed);
    Inbox inbox(request);
    inbox.progress_ = std::move(progress);
    inbox.lock_ = failed ? -1 : ::open(request.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (inbox.lock_ < 0) return Error{Code::io, request.folder.string() + " cannot be made: " + (failed ? failed.message() : std::strerror(errno)), kWhere};
    if (::flock(inbox.lock_, LOCK_EX | LOCK_NB) != 0) return Error{Code::io, "another retrieval writes to " + request.folder.string() + "; wait for it or name another folder", kWhere};
    // Two levels: FOLDER/<series>/.<instance>.part
    fs::remove(inbox.refuse_part(), failed);
    for (const auto& series : fs::directory_iterator(request.folder, failed)) {
        if (!series.is_directory(failed) || !is_uid(series.path().filename().string())) continue;
        for (const auto& entry : fs::directory_iterator(series.path(), failed)) {
            const auto name = entry.path().filename().string();
            if (name.starts_with('.') && name.ends_with(".part")) fs::remove(entry.path(), failed);
        }
    }
    return inbox;
}

Inbox::Inbox(Inbox&& other) noexcept
    : guard_(std::move(other.guard_)), request_(std::move(other.request_)), progress_(std::move(other.progress_)), places_(std::move(other.places_)), reasons_(std::move(other.reasons_)),
      broken_(std::move(other.broken_)), already_(other.already_), received_(other.received_), lock_(std::exchange(other.lock_, -1))
{
}

Inbox::~Inbox()
{
    if (lock_ >= 0) ::close(lock_);
}

Status Inbox::expect(const std::string& series, const std::string& instance)
{
    if (!is_uid(series) || !is_uid(instance)) return Error{Code::malformed, "the peer lists an instance whose identifier is no UID; it is not fetched", kWhere};
    const auto [place, added] = places_.try_emplace(instance, Place{series, false});
    if (!added) return Done{};
    std::error_code ignored;
    place->second.here = fs::is_regular_file(folder_of(instance) / (instance + ".dcm"), ignored);
    already_ += place->second.here;
    return Done{};
}

bool Inbox::wants(const std::string& instance) const
{
    const Lock lock(*guard_);
    const auto place = places_.find(instance);
    return place != places_.end() && !place->second.here;
}

std::size_t Inbox::listed_of(const std::string& series) const
{
    return static_cast<std::size_t>(std::count_if(places_.begin(), places_.end(), [&](const auto& entry) { return entry.second.series == series; }));
}

std::vector<std::string> Inbox::missing() const { return missing_of({}); }

std::vector<std::string> Inbox::missing_of(const std::string& series) const
{
    std::vector<std::string> out;
    for (const auto& [instance, place] : places_) {
        if (!place.here && (series.empty() || place.series == series)) out.push_back(instance);
    }
    return out;
}

fs::path Inbox::folder_of(const std::string& instance) const { return request_.folder / places_.at(instance).series; }

fs::path Inbox::part_path(const std::string& instance) const { return folder_of(instance) / ("." + instance + ".part"); }

Status Inbox::trouble(const fs::path& file, int error_number)
{
    const bool full = error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
    broken_ = Error{full ? Code::disk_space : Code::io, file.string() + " cannot be written: " + std::strerror(error_number), kWhere};
    say(broken_->message);
    return *broken_;
}

Result<fs::path> Inbox::part(const std::string& instance)
{
    const Lock lock(*guard_);
    RETROMASS_ASSERT(wants(instance), "only what is wanted is written");
    std::error_code failed;
    fs::create_directories(folder_of(instance), failed);
    if (failed) return std::move(trouble(folder_of(instance), failed.value())).error();
    return part_path(instance);
}

Status Inbox::keep(const std::string& instance)
{
    const Lock lock(*guard_);
    const auto from = part_path(instance);
    const auto header = read_object_header(from);
    const auto& place = places_.at(instance);
    const bool same = header && header->sop_instance_uid == instance && header->series_instance_uid == place.series && header->study_instance_uid == request_.study_instance_uid;
    if (!same) {
        drop(instance);
        if (!header) return Error{header.error().code, "instance " + instance + " arrived damaged: " + header.error().message, kWhere};
        return Error{Code::conflicting_duplicate, "the peer sent another object under the identifier of instance " + instance + "; it was not kept", kWhere};
    }
    const auto to = folder_of(instance) / (instance + ".dcm");
    if (const int failed = synchronised(from)) {
        drop(instance);
        return trouble(to, failed);
    }
    std::error_code failed;
    fs::rename(from, to, failed);
    if (failed) {
        drop(instance);
        return trouble(to, failed.value());
    }
    if (const int unsure = synchronised(folder_of(instance))) return trouble(to, unsure);
    places_.at(instance).here = true;
    ++received_;
    return Done{};
}

Status Inbox::take(const std::string& instance, std::span<const std::byte> bytes)
{
    const Lock lock(*guard_);
    RETROMASS_TRY_ASSIGN(const auto path, part(instance));
    if (const int failed = written(path, bytes, O_TRUNC)) {
        drop(instance);
        return trouble(path, failed);
    }
    return keep(instance);
}

void Inbox::drop(const std::string& instance)
{
    std::error_code ignored;
    fs::remove(part_path(instance), ignored);
}

void Inbox::lose(const std::string& instance)
{
    const Lock lock(*guard_);
    // Whoever wrote the part says only that it failed. A disk with room takes twice the largest PDU more.
    const std::vector<std::byte> more(std::size_t{1} << 18);
    const auto part = part_path(instance);
    const int failed = written(part, more, O_APPEND);
    drop(instance);
    if (failed != 0) static_cast<void>(trouble(part, failed));
}

std::optional<Error> Inbox::broken() const
{
    const Lock lock(*guard_);
    return broken_;
}

std::size_t Inbox::received() const
{
    const Lock lock(*guard_);
    return received_;
}

bool Inbox::goes_on() const
{
    const Lock lock(*guard_);
    const auto here = static_cast<double>(already_ + received_);
    return !broken_ && retromass::goes_on(progress_, "fetching", places_.empty() ? 0 : here / static_cast<double>(places_.size()));
}

void Inbox::say(const std::string& reason)
{
    const Lock lock(*guard_);
    if (std::find(reasons_.begin(), reasons_.end(), reason) == reasons_.end()) reasons_.push_back(reason);
}

Retrieval Inbox::result() const { return {places_.size(), already_, received_, missing(), 0, reasons_}; }

}  // namespace retromass::pacs

#include "pipeline/pacs/spool.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "pipeline/pacs/query.h"

namespace retromass::pacs {
namespace {

namespace fs = std::filesystem;

constexpr int kMostConflicts = 100;       // of one SOP Instance UID; a peer that sends more is out of order
constexpr std::size_t kPreamble = 132;    // 128 bytes and "DICM"; PS3.10 7.1
constexpr std::size_t kGroupLength = 12;  // the element (0002,0000) as written

Error failed(const std::string& what) { return {Code::io, what + ": " + std::strerror(errno), "pacs: spool"}; }

std::string sha256(std::string_view text)
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
    std::string out;
    for (unsigned int i = 0; i < size; ++i) {
        out += "0123456789abcdef"[digest[i] >> 4];
        out += "0123456789abcdef"[digest[i] & 15];
    }
    return out;
}

Status sync(const fs::path& path)
{
    const int handle = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (handle < 0) return failed("cannot open " + path.filename().string() + " to sync it");
    const int result = ::fsync(handle);
    const int why = errno;
    ::close(handle);
    errno = why;
    if (result != 0) return failed("cannot sync " + path.filename().string());
    return Done{};
}

/// The folder and those above it up to `root`, each synced into the one that holds it.
Status make_folder(const fs::path& folder, const fs::path& root)
{
    if (folder == root || fs::is_directory(folder)) return Done{};
    RETROMASS_TRY(make_folder(folder.parent_path(), root));
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failed("cannot make a folder in the spool");
    return sync(folder.parent_path());
}

/// Where the data set begins behind the file meta group, which says who sent it and may differ.
std::size_t data_set_offset(std::ifstream& file)
{
    std::array<char, kPreamble + kGroupLength> head{};
    if (!file.read(head.data(), head.size()) || std::memcmp(head.data() + 128, "DICM\2\0\0\0UL\4\0", kGroupLength) != 0) return 0;
    std::uint32_t length = 0;
    for (int i = 3; i >= 0; --i) length = length << 8 | static_cast<unsigned char>(head[kPreamble + 8 + static_cast<std::size_t>(i)]);
    return head.size() + length;
}

/// Whether two files hold the same bytes behind their meta group.
bool same_data_set(const fs::path& a, const fs::path& b)
{
    std::ifstream first(a, std::ios::binary), second(b, std::ios::binary);
    const auto from_first = data_set_offset(first), from_second = data_set_offset(second);
    std::error_code error;
    if (fs::file_size(a, error) - from_first != fs::file_size(b, error) - from_second || error) return false;
    first.clear();
    second.clear();
    first.seekg(static_cast<std::streamoff>(from_first));
    second.seekg(static_cast<std::streamoff>(from_second));
    std::vector<char> left(1 << 16), right(1 << 16);
    while (first && second) {
        first.read(left.data(), static_cast<std::streamsize>(left.size()));
        second.read(right.data(), static_cast<std::streamsize>(right.size()));
        if (first.gcount() != second.gcount() || std::memcmp(left.data(), right.data(), static_cast<std::size_t>(first.gcount())) != 0) return false;
    }
    return first.eof() && second.eof();
}

/// A name for the file that is not taken yet. Two processes may try at once: link refuses the second one, rename would not.
Result<bool> link_new(const fs::path& file, const fs::path& place)
{
    if (::link(file.c_str(), place.c_str()) == 0) {
        RETROMASS_TRY(sync(place.parent_path()));
        return true;
    }
    if (errno == EEXIST) return false;
    return failed("an object cannot be put into the spool");
}

}  // namespace

std::string log_key(std::string_view uid) { return sha256(uid).substr(0, 12); }

Result<Spool> Spool::open(const fs::path& folder)
{
    std::error_code error;
    Spool spool(fs::absolute(folder, error).lexically_normal());
    for (const char* name : {"incoming", "objects", "handled"}) {
        fs::create_directories(spool.folder_ / name, error);
        if (error) return Error{Code::io, "the spool " + folder.string() + " cannot be made: " + error.message(), "pacs: spool"};
    }
    fs::permissions(spool.folder_, fs::perms::owner_all, error);
    const int lock = ::open((spool.folder_ / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0) return failed("the spool " + folder.string() + " cannot be written");
    spool.lock_ = std::shared_ptr<const void>(nullptr, [lock](const void*) { ::close(lock); });
    if (::flock(lock, LOCK_EX | LOCK_NB) != 0) return Error{Code::io, "the spool " + folder.string() + " is in use by another node; give each node a spool of its own", "pacs: spool"};
    for (const auto& left : fs::directory_iterator(spool.folder_ / "incoming")) fs::remove(left.path(), error);
    return spool;
}

fs::path Spool::incoming(long owner, int nth) const { return folder_ / "incoming" / (std::to_string(owner) + "-" + std::to_string(nth)); }

void Spool::drop_incoming(long owner) const
{
    std::error_code error;
    const auto prefix = std::to_string(owner) + "-";
    for (const auto& left : fs::directory_iterator(folder_ / "incoming", error)) {
        if (left.path().filename().string().rfind(prefix, 0) == 0) fs::remove(left.path(), error);
    }
}

Result<Placed> Spool::place(const fs::path& file, const ObjectName& name) const
{
    if (!is_uid(name.study_uid) || !is_uid(name.series_uid) || !is_uid(name.sop_uid)) return Error{Code::malformed, "the object's UIDs are none", "pacs: spool"};
    RETROMASS_TRY(sync(file));
    const auto study = study_folder(name.study_uid);
    RETROMASS_TRY(make_folder(study / name.series_uid, folder_));
    const auto place = study / name.series_uid / (name.sop_uid + ".dcm");
    std::error_code ignored;
    RETROMASS_TRY_ASSIGN(const bool stored, link_new(file, place));
    auto result = stored ? Placed::stored : same_data_set(file, place) ? Placed::identical : Placed::conflicting;
    for (int nth = 1; result == Placed::conflicting; ++nth) {
        if (nth > kMostConflicts) return Error{Code::conflicting_duplicate, "more than " + std::to_string(kMostConflicts) + " different objects came under one SOP Instance UID", "pacs: spool"};
        RETROMASS_TRY(make_folder(study / "conflicting", folder_));
        const auto beside = study / "conflicting" / (name.sop_uid + "-" + std::to_string(nth) + ".dcm");
        RETROMASS_TRY_ASSIGN(const bool kept, link_new(file, beside));
        if (kept) break;
        if (same_data_set(file, beside)) result = Placed::conflicting_again;
    }
    fs::remove(file, ignored);
    return result;
}

std::uint64_t Spool::bytes() const
{
    std::uint64_t sum = 0;
    std::error_code error;
    for (auto it = fs::recursive_directory_iterator(folder_ / "objects", error); !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
        if (it->is_regular_file(error)) sum += it->file_size(error);
    }
    return sum;
}

std::vector<std::string> Spool::studies() const
{
    std::vector<std::string> out;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder_ / "objects", error)) out.push_back(entry.path().filename().string());
    std::sort(out.begin(), out.end());
    return out;
}

Spool::Content Spool::content(const std::string& study_uid) const
{
    std::vector<std::string> names;
    std::error_code error;
    const auto study = study_folder(study_uid);
    for (auto it = fs::recursive_directory_iterator(study, error); !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
        if (it->is_regular_file(error)) names.push_back(it->path().lexically_relative(study).string());
    }
    std::sort(names.begin(), names.end());
    std::string all;
    for (const auto& name : names) all += name + "\n";
    // What differs from an object that is there completes nothing.
    const auto beside = std::count_if(names.begin(), names.end(), [](const auto& name) { return name.starts_with("conflicting/"); });
    return {names.size() - static_cast<std::size_t>(beside), sha256(all)};
}

bool Spool::handled(const std::string& study_uid) const
{
    std::ifstream file(folder_ / "handled" / study_uid);
    std::string digest;
    return std::getline(file, digest) && digest == content(study_uid).digest;
}

Status Spool::note_handled(const std::string& study_uid, const Content& content, const std::string& outcome) const
{
    const auto file = folder_ / "handled" / study_uid;
    const auto unfinished = folder_ / "incoming" / (std::to_string(::getpid()) + "-handled");
    std::ofstream(unfinished) << content.digest << '\n' << outcome << '\n' << std::flush;
    RETROMASS_TRY(sync(unfinished));
    if (::rename(unfinished.c_str(), file.c_str()) != 0) return failed("the outcome of a study cannot be noted");
    return sync(file.parent_path());
}

std::string Spool::outcome(const std::string& study_uid) const
{
    std::ifstream file(folder_ / "handled" / study_uid);
    std::string digest, outcome;
    std::getline(file, digest);
    std::getline(file, outcome);
    return outcome;
}

}  // namespace retromass::pacs

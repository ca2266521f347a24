#include "pipeline/outputs/case_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "pipeline/outputs/outputs.h"

namespace retromass::outputs {

namespace fs = std::filesystem;

Error io_error(const std::string& what, const std::error_code& error) { return {error == std::errc::no_space_on_device ? Code::disk_space : Code::io, what + ": " + error.message(), "outputs: write_case"}; }

fs::path beside(const fs::path& folder, const std::string& suffix)
{
    auto name = folder.filename().string() + "." + suffix + "-" + std::to_string(getpid());
    return folder.parent_path() / name;
}

Status sync(const fs::path& path)
{
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    int number = fd < 0 ? errno : 0;
    // Some network file systems have no fsync of a folder, and say so: they bring a rename to the disk by themselves.
    if (number == 0 && fsync(fd) != 0 && errno != EINVAL) number = errno;
    if (fd >= 0) close(fd);
    if (number != 0) return io_error("cannot bring " + path.string() + " to the disk", {number, std::generic_category()});
    return Done{};
}

namespace {

/// Everything in the folder, and the folder: a rename may reach the disk before what it names, and a power cut would leave empty files under a finished name.
Status to_disk(const fs::path& folder)
{
    std::error_code error;
    for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        if (it->is_regular_file(error) || it->is_directory(error)) RETROMASS_TRY(sync(it->path()));
    }
    if (error) return io_error("cannot list " + folder.string(), error);
    return sync(folder);
}

}  // namespace

Status move_into_place(PartialFolder& partial, const fs::path& folder)
{
    RETROMASS_TRY(to_disk(partial.path()));
    std::error_code error;
    const auto old = beside(folder, "replaced");
    const bool replaces = fs::exists(fs::symlink_status(folder, error));
    if (replaces) {
        fs::rename(folder, old, error);
        if (error) return io_error("cannot replace " + folder.string(), error);
    }
    fs::rename(partial.path(), folder, error);
    if (error) {
        const auto failed = io_error("cannot name the finished case " + folder.string(), error);
        if (replaces) fs::rename(old, folder, error);
        return failed;
    }
    partial.keep();
    RETROMASS_TRY(sync(folder.has_parent_path() ? folder.parent_path() : fs::path(".")));
    if (replaces) fs::remove_all(old, error);
    return Done{};
}

Status write_text(const fs::path& file, const std::string& text)
{
    std::ofstream out(file, std::ios::binary);
    out << text;
    if (!out.flush()) return Error{Code::io, "cannot write " + file.string(), "outputs: write_case"};
    return Done{};
}

std::string text_of_file(const fs::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

Result<std::string> keep_superseded(const fs::path& object, const fs::path& into)
{
    constexpr std::size_t kOfTheHash = 8;
    RETROMASS_TRY_ASSIGN(const auto hash, sha256_of_file(object));
    const auto name = fs::path("dicom") / "superseded" / (object.stem().string() + "-" + hash.substr(0, kOfTheHash) + ".dcm");
    std::error_code error;
    fs::create_directories((into / name).parent_path(), error);
    if (!error) fs::copy_file(object, into / name, fs::copy_options::overwrite_existing, error);
    if (error) return io_error("cannot keep " + name.string(), error);
    return name.generic_string();
}

}  // namespace retromass::outputs

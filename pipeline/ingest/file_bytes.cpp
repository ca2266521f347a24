#include "pipeline/ingest/file_bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace retromass::ingest {

Result<InputFile> InputFile::open(const std::filesystem::path& file)
{
    // Non-blocking: a pipe in the folder must not hold the scan.
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat status{};
    if (descriptor < 0 || ::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
        if (descriptor >= 0) ::close(descriptor);
        return Error{Code::io, file.string() + " cannot be read", "ingest"};
    }
    return InputFile(descriptor, static_cast<std::uint64_t>(status.st_size));
}

InputFile::InputFile(InputFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

InputFile::~InputFile()
{
    if (descriptor_ >= 0) ::close(descriptor_);
}

std::size_t InputFile::read(std::uint64_t offset, std::span<std::byte> into) const
{
    std::size_t done = 0;
    while (done < into.size()) {
        const auto got = ::pread(descriptor_, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

Result<std::vector<std::byte>> inflate_prefix(const InputFile& file, std::uint64_t offset, std::size_t wanted)
{
    constexpr std::size_t kChunk = 64 << 10;
    constexpr int kRawDeflate = -15;  // PS3.5 A.5: no zlib header
    std::vector<std::byte> out(std::min<std::size_t>(wanted, kChunk));
    std::vector<std::byte> in(kChunk);
    z_stream stream{};
    if (inflateInit2(&stream, kRawDeflate) != Z_OK) return Error{Code::internal, "zlib cannot start", "ingest"};
    std::size_t filled = 0;
    int status = Z_OK;
    while (status == Z_OK && filled < wanted) {
        if (stream.avail_in == 0) {
            const auto got = file.read(offset, in);
            if (got == 0) break;
            offset += got;
            stream.next_in = reinterpret_cast<Bytef*>(in.data());
            stream.avail_in = static_cast<uInt>(got);
        }
        if (filled == out.size()) out.resize(std::min(wanted, out.size() * 2));
        stream.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
        stream.avail_out = static_cast<uInt>(std::min<std::size_t>(out.size() - filled, 1U << 30));
        const auto before = stream.avail_out;
        status = inflate(&stream, Z_NO_FLUSH);
        filled += before - stream.avail_out;
        if (status == Z_BUF_ERROR) status = Z_OK;
    }
    inflateEnd(&stream);
    if (status != Z_OK && status != Z_STREAM_END) return Error{Code::malformed, "the deflated data set is broken", "ingest"};
    out.resize(filled);
    return out;
}

}  // namespace retromass::ingest

#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "core/result.h"

namespace retromass::ingest {

/// A regular file opened for reading; closed at the end of its life.
class InputFile {
public:
    /// Fails with io if it cannot be opened or is no regular file.
    static Result<InputFile> open(const std::filesystem::path& file);
    InputFile(InputFile&& other) noexcept;
    InputFile& operator=(InputFile&&) = delete;
    ~InputFile();

    std::uint64_t size() const { return size_; }
    /// Fills `into` from `offset`; answers how many bytes there were.
    std::size_t read(std::uint64_t offset, std::span<std::byte> into) const;

private:
    InputFile(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}
    int descriptor_ = -1;
    std::uint64_t size_ = 0;
};

/// The first `wanted` bytes (or fewer, at the end of the stream) of a data set deflated from `offset` of the file on. Memory is bounded
/// by `wanted`, whatever the file promises. Fails with malformed where the stream is broken before that.
Result<std::vector<std::byte>> inflate_prefix(const InputFile& file, std::uint64_t offset, std::size_t wanted);

}  // namespace retromass::ingest

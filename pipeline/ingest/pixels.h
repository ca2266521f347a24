#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "pipeline/ingest/file_bytes.h"
#include "pipeline/ingest/ingest.h"

namespace retromass::ingest {

/// Turns stored words, in place, into HU: masked to Bits Stored below High Bit, sign-extended, rescaled, rounded to the nearest HU
/// (half away from zero) and kept within +-32767; padding becomes kPaddingHu.
void stored_to_hu(std::span<std::int16_t> words, const StoredPixels& stored);

/// Where the fragments of each frame of an encapsulated image lie.
struct Fragment {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};
using FrameFragments = std::vector<std::vector<Fragment>>;

/// Reads the items from `offset` on and gives each frame its fragments: by the offset table, one each, or by where a code stream
/// starts. Fails with malformed where none of these gives every frame its own.
Result<FrameFragments> fragments_of(const InputFile& file, std::uint64_t offset, int frames);

/// Decodes images, each straight into its place. Safe to use from several threads; remembers where the frames of multi-frame files lie.
class SliceDecoder {
public:
    /// Decodes one image into `hu` (rows x columns). Fails with the code and the file's name where it cannot be decoded.
    Status decode(const SliceSource& source, int columns, int rows, std::span<std::int16_t> hu);

private:
    struct MultiFrame {
        std::once_flag once;
        std::optional<Error> failed;
        FrameFragments frames;
        std::vector<std::byte> inflated;
    };
    Status fill(const SliceSource& source, int columns, int rows, std::span<std::int16_t> words);
    std::shared_ptr<MultiFrame> multi_frame(const std::filesystem::path& file);

    std::mutex guard_;
    std::map<std::filesystem::path, std::shared_ptr<MultiFrame>> files_;
};

}  // namespace retromass::ingest

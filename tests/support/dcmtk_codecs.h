#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/ingest/codecs/codecs.h"

/// DCMTK as the judge of our decoders, and as the writer of streams for them.
namespace retromass::test {

using Pixels = std::vector<std::uint16_t>;

/// One frame as a file holds it.
struct CompressedFrame {
    std::string syntax;  ///< transfer syntax UID
    ingest::FrameShape shape;
    std::vector<std::vector<std::byte>> fragments;

    std::vector<std::span<const std::byte>> spans() const { return {fragments.begin(), fragments.end()}; }
};

/// Our decoder on a frame.
Result<Pixels> decoded(const CompressedFrame& frame);

/// DCMTK's on the same; none where it refuses.
std::optional<Pixels> decoded_by_dcmtk(const CompressedFrame& frame);

/// What the IJG library inside DCMTK makes of a JPEG stream of one frame, with its warnings of damage.
struct IjgImage {
    Pixels pixels;
    bool warned = false;
};
std::optional<IjgImage> decoded_by_ijg(const CompressedFrame& frame, int precision);

/// The frame, compressed by DCMTK: RLE or JPEG.
struct Compression {
    std::string syntax;
    int predictor = 1;  ///< of JPEG lossless
};
CompressedFrame compressed_by_dcmtk(const Pixels& pixels, const ingest::FrameShape& shape, const Compression& compression);

/// The frames of a file with encapsulated pixel data, by offset table or by the start of each stream; none if it has none.
std::vector<CompressedFrame> frames_of(const std::filesystem::path& file);

/// MD5 of the pixels as the bytes of an uncompressed little-endian file.
std::string md5_of(const Pixels& pixels, int bits_allocated);

}  // namespace retromass::test

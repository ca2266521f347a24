#include <array>

#include "pipeline/ingest/codecs/streams.h"

namespace retromass::ingest {
namespace {

/// One byte plane of the image (PS3.5 annex G.3): the plane's bytes are handed to `put(cell, byte)`, each cell once.
template <class Put>
Status unpack(Bytes segment, std::size_t cells, Put put)
{
    std::size_t cell = 0;
    std::size_t at = 0;
    while (cell < cells) {
        if (at >= segment.size()) return cut_short("RLE segment ends after " + std::to_string(cell) + " of " + std::to_string(cells) + " pixels");
        const unsigned control = byte_at(segment, at++);
        if (control == 128) continue;  // no operation
        const std::size_t count = control < 128 ? control + 1 : 257 - control;
        // A run past the last pixel means that an earlier one was damaged: what stands before it is not to be trusted.
        if (count > cells - cell) return damaged("RLE run passes the end of the image");
        const std::size_t bytes = control < 128 ? count : 1;
        if (bytes > segment.size() - at) return cut_short("RLE segment ends inside a run");
        if (control < 128) {
            const std::byte* const from = segment.data() + at;
            for (std::size_t i = 0; i < count; ++i) put(cell + i, std::to_integer<unsigned>(from[i]));
        } else {
            const unsigned value = byte_at(segment, at);
            for (std::size_t i = 0; i < count; ++i) put(cell + i, value);
        }
        at += bytes;
        cell += count;
    }
    return Done{};
}

}  // namespace

Status decode_rle(Bytes stream, const FrameShape& shape, std::span<std::uint16_t> stored)
{
    constexpr std::size_t header_size = 64;  // the number of segments and fifteen offsets, 32 bits each
    if (stream.size() < header_size) return cut_short("RLE header is incomplete");
    const auto word = [&](std::size_t i) -> std::size_t {
        return byte_at(stream, 4 * i) | byte_at(stream, 4 * i + 1) << 8 | byte_at(stream, 4 * i + 2) << 16 |
               byte_at(stream, 4 * i + 3) << 24;
    };
    const std::size_t planes = static_cast<std::size_t>(shape.bits_allocated) / 8;
    if (word(0) != planes) {
        return damaged("RLE stream has " + std::to_string(word(0)) + " segments, expected " + std::to_string(planes));
    }
    std::array<Bytes, 2> segments;
    for (std::size_t i = 0; i < planes; ++i) {
        const std::size_t begin = word(1 + i);
        const std::size_t end = i + 1 < planes ? word(2 + i) : stream.size();
        if (begin < header_size || begin > end || end > stream.size()) return cut_short("RLE segment lies outside its stream");
        segments[i] = stream.subspan(begin, end - begin);
    }
    std::uint16_t* const cells = stored.data();
    // The least significant plane comes last and is written first, so that every cell is set before it is added to.
    RETROMASS_TRY(unpack(segments[planes - 1], stored.size(),
                         [cells](std::size_t i, unsigned byte) { cells[i] = static_cast<std::uint16_t>(byte); }));
    if (planes == 1) return Done{};
    return unpack(segments[0], stored.size(), [cells](std::size_t i, unsigned byte) {
        cells[i] = static_cast<std::uint16_t>(cells[i] | byte << 8);
    });
}

}  // namespace retromass::ingest

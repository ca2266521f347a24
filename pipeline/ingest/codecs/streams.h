#pragma once

#include <span>
#include <string>
#include <vector>

#include "pipeline/ingest/codecs/codecs.h"

/// One function a family of code streams, behind decode_frame, which has checked the shape: one sample a pixel, 8 or 16 bits
/// allocated, `stored` of the right size. Each takes the whole stream of one frame.
namespace retromass::ingest {

using Bytes = std::span<const std::byte>;

Status decode_rle(Bytes stream, const FrameShape& shape, std::span<std::uint16_t> stored);
Status decode_jpeg(Bytes stream, const FrameShape& shape, std::span<std::uint16_t> stored);
Status decode_jpeg_ls(Bytes stream, const FrameShape& shape, std::span<std::uint16_t> stored);
Status decode_jpeg_2000(Bytes stream, const FrameShape& shape, std::span<std::uint16_t> stored);

inline unsigned byte_at(Bytes bytes, std::size_t position) { return std::to_integer<unsigned>(bytes[position]); }
inline Error damaged(const std::string& why) { return Error{Code::malformed, why, "codecs"}; }
inline Error cut_short(const std::string& why) { return Error{Code::truncated_pixels, why, "codecs"}; }


/// Room for a frame of bytes inside the cells they will fill, and the widening in place; last byte first, so that none is overwritten
/// before it is read.
inline std::uint8_t* byte_cells(std::span<std::uint16_t> stored) { return reinterpret_cast<std::uint8_t*>(stored.data()); }
inline void widen_byte_cells(std::span<std::uint16_t> stored)
{
    const std::uint8_t* const bytes = byte_cells(stored);
    for (std::size_t i = stored.size(); i-- > 0;) stored[i] = bytes[i];
}

}  // namespace retromass::ingest

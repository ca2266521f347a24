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

inline unsigned byte_at(Bytes bytes, std::size_t position) { return std::to_integer<unsigned>(bytes[position]); }
inline Error damaged(const std::string& why) { return Error{Code::malformed, why, "codecs"}; }
inline Error cut_short(const std::string& why) { return Error{Code::truncated_pixels, why, "codecs"}; }

}  // namespace retromass::ingest

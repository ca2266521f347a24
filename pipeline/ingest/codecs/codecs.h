#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/result.h"

/// Compressed frames to stored pixel values. Every stream is taken for hostile: sizes are checked before anything is allocated,
/// and no frame costs more than its own bytes and pixels.
namespace retromass::ingest {

/// What the header says of each frame.
struct FrameShape {
    int columns = 0;
    int rows = 0;
    int bits_allocated = 16;
    int bits_stored = 16;
    int high_bit = 15;
    bool is_signed = false;
    int samples_per_pixel = 1;
};

/// The name of a transfer syntax as DICOM spells it (PS3.6 table A-1); empty where this program has no word for it.
std::string_view transfer_syntax_name(std::string_view transfer_syntax_uid);

/// Whether frames of this encapsulated transfer syntax can be decoded here. Uncompressed syntaxes have no codec: false.
bool can_decode(std::string_view transfer_syntax_uid);

/// Decodes one frame from its fragments, in their order, into `stored` (columns x rows cells, row by row).
///
/// A cell is what the file would hold uncompressed: 16 bits before masking and sign extension, 8-bit samples widened.
/// JPEG 2000 is the one exception: values are extended from the precision of the code stream by the sign of the header
/// (a stream may be shorter than Bits Stored and unsigned where the header is signed).
/// Fails with unsupported_syntax, malformed (damaged, or size and components differ from the header) or truncated_pixels;
/// `stored` is then unspecified. Safe to call from several threads at once.
Status decode_frame(std::string_view transfer_syntax_uid, std::span<const std::span<const std::byte>> fragments,
                    const FrameShape& shape, std::span<std::uint16_t> stored);

}  // namespace retromass::ingest

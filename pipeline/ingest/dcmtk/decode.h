#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/result.h"

namespace retromass::ingest::dcmtk {

/// The shape of one encapsulated frame, as its header states it.
struct FrameShape {
    int columns = 0;
    int rows = 0;
    int bits_allocated = 16;
    int bits_stored = 16;
    int high_bit = 15;
    bool is_signed = false;
    int samples_per_pixel = 1;
};

/// Whether DCMTK has a decoder for the transfer syntax.
bool can_decode(std::string_view transfer_syntax_uid);

/// Decodes one frame from its fragments into stored words of 16 bits, as they would stand in uncompressed pixel cells (8-bit cells
/// widened). The data set DCMTK sees is made here from checked values; it never parses the file.
Status decode_frame(std::string_view transfer_syntax_uid, std::span<const std::span<const std::byte>> fragments, const FrameShape& shape,
                    std::span<std::uint16_t> stored);

}  // namespace retromass::ingest::dcmtk

#pragma once

#include "pipeline/ingest/codecs/streams.h"

namespace retromass::ingest {

/// A JPEG 2000 code stream that has been looked over before a library may see it.
struct CodeStream {
    Bytes bytes;            ///< from SOC on, without the boxes of a JP2 file
    int precision = 0;      ///< bits of a value
};

/// Reads the markers of the main and all tile-part headers (ITU-T T.800 annex A) and refuses what does not fit the header of the
/// image, what lacks a tile, and what asks for more than it brings: every tile needs a tile-part and every packet a byte, so that
/// a few bytes cannot ask for millions of either.
Result<CodeStream> survey_jpeg_2000(Bytes stream, const FrameShape& shape);

}  // namespace retromass::ingest

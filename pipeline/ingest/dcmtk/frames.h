#pragma once

#include <cstdint>
#include <vector>

#include "core/result.h"
#include "pipeline/ingest/codecs/codecs.h"
#include "pipeline/ingest/dcmtk/items.h"

namespace retromass::ingest {

/// Whether the pixels of the data set are compressed.
bool is_encapsulated(DcmDataset& data);

/// The values of all frames of a compressed image, one after the other, by our own codecs. Fails with unsupported_syntax where there is none
/// for it, with oversized where the frames are more than a mask may have, and as decode_frame does.
Result<std::vector<std::uint16_t>> decoded_frames(DcmDataset& data, const FrameShape& shape, std::size_t frames);

}  // namespace retromass::ingest

#pragma once

#include "pipeline/ingest/codecs/streams.h"

/// The marker level of a JPEG stream (ITU-T T.81 annex B), common to all its processes.
namespace retromass::ingest {

/// One marker with its parameters; entropy-coded data that follow a scan header are not part of it.
struct JpegSegment {
    unsigned marker = 0;  ///< second byte; the first is FF
    Bytes body;           ///< without the two bytes of length; empty where the marker has none
};

/// Walks from marker to marker.
class JpegMarkers {
public:
    explicit JpegMarkers(Bytes stream) : stream_(stream) {}
    Result<JpegSegment> next();
    /// Everything after the segment last given.
    Bytes rest() const { return stream_.subspan(at_); }

private:
    Bytes stream_;
    std::size_t at_ = 0;
};

/// Markers by their names in T.81 table B.1.
namespace jpeg {
constexpr unsigned kSof0 = 0xC0, kSof1 = 0xC1, kSof2 = 0xC2, kSof3 = 0xC3, kSof15 = 0xCF, kDht = 0xC4, kJpg = 0xC8, kDac = 0xCC;
constexpr unsigned kRst0 = 0xD0, kRst7 = 0xD7, kSoi = 0xD8, kEoi = 0xD9, kSos = 0xDA, kDri = 0xDD, kDhp = 0xDE, kExp = 0xDF,
                   kJpg0 = 0xF0, kJpg13 = 0xFD, kTem = 0x01;
}  // namespace jpeg

/// The frame header (SOFn).
struct JpegFrame {
    unsigned marker = 0;
    int precision = 0;
    unsigned component = 0;  ///< identifier of the only component
    unsigned sampling = 0;   ///< its factors across and down, four bits each; without effect on one component
};

inline bool is_frame_header(unsigned marker)
{
    return marker >= jpeg::kSof0 && marker <= jpeg::kSof15 && marker != jpeg::kDht && marker != jpeg::kJpg && marker != jpeg::kDac;
}

/// Fails unless the frame has one component, the size of the header and a precision that fits its cells.
Result<JpegFrame> jpeg_frame(const JpegSegment& segment, const FrameShape& shape);

Status decode_jpeg_lossless(Bytes stream, const FrameShape& shape, std::span<std::uint16_t> stored);
Status decode_jpeg_lossy(Bytes stream, const JpegFrame& frame, const FrameShape& shape, std::span<std::uint16_t> stored);

}  // namespace retromass::ingest

#include "pipeline/ingest/codecs/jpeg.h"

namespace retromass::ingest {

Result<JpegSegment> JpegMarkers::next()
{
    // Encoders leave bytes between segments; like every decoder, look for the next marker.
    const auto end = [&] { return at_ + 1 >= stream_.size(); };
    while (!end() && !(byte_at(stream_, at_) == 0xFF && byte_at(stream_, at_ + 1) != 0xFF && byte_at(stream_, at_ + 1) != 0)) ++at_;
    if (end()) return cut_short("JPEG stream ends before its scan");
    JpegSegment segment{byte_at(stream_, at_ + 1), {}};
    at_ += 2;
    if ((segment.marker >= jpeg::kRst0 && segment.marker <= jpeg::kEoi) || segment.marker == jpeg::kTem) return segment;
    if (segment.marker < jpeg::kSof0) return damaged("JPEG stream has a marker that no standard defines");
    if (stream_.size() - at_ < 2) return cut_short("JPEG stream ends inside a segment");
    const std::size_t length = byte_at(stream_, at_) << 8 | byte_at(stream_, at_ + 1);
    if (length < 2) return damaged("JPEG segment is shorter than its own length");
    if (length > stream_.size() - at_) return cut_short("JPEG stream ends inside a segment");
    segment.body = stream_.subspan(at_ + 2, length - 2);
    at_ += length;
    return segment;
}

Result<JpegFrame> jpeg_frame(const JpegSegment& segment, const FrameShape& shape)
{
    const Bytes body = segment.body;
    if (body.size() < 6) return damaged("JPEG frame header is too short");
    JpegFrame frame{segment.marker, static_cast<int>(byte_at(body, 0)), 0, 0};
    const int rows = static_cast<int>(byte_at(body, 1) << 8 | byte_at(body, 2));
    const int columns = static_cast<int>(byte_at(body, 3) << 8 | byte_at(body, 4));
    const unsigned components = byte_at(body, 5);
    if (components != 1) return damaged("JPEG stream has " + std::to_string(components) + " components, expected 1");
    if (body.size() != 9) return damaged("JPEG frame header has the wrong length");
    if (rows != shape.rows || columns != shape.columns) {
        return damaged("JPEG stream holds " + std::to_string(columns) + " x " + std::to_string(rows) + " pixels, the header says " +
                       std::to_string(shape.columns) + " x " + std::to_string(shape.rows));
    }
    if (frame.precision < 2 || frame.precision > shape.bits_allocated) {
        return damaged("JPEG stream has " + std::to_string(frame.precision) + " bits a pixel, the header allocates " +
                       std::to_string(shape.bits_allocated));
    }
    frame.component = byte_at(body, 6);
    frame.sampling = byte_at(body, 7);
    const unsigned across = frame.sampling >> 4;
    const unsigned down = frame.sampling & 15;
    if (across < 1 || across > 4 || down < 1 || down > 4) return damaged("JPEG frame header has impossible sampling factors");
    return frame;
}

Status decode_jpeg(Bytes stream, const FrameShape& shape, std::span<std::uint16_t> stored)
{
    if (stream.size() < 2 || byte_at(stream, 0) != 0xFF || byte_at(stream, 1) != jpeg::kSoi) return damaged("not a JPEG stream");
    JpegMarkers markers(stream);
    while (true) {
        RETROMASS_TRY_ASSIGN(const auto segment, markers.next());
        if (segment.marker == jpeg::kSos || segment.marker == jpeg::kEoi) return damaged("JPEG stream without a frame header");
        if (!is_frame_header(segment.marker)) continue;
        // The stream decides, not the transfer syntax: real files name the wrong process.
        if (segment.marker == jpeg::kSof3) return decode_jpeg_lossless(stream, shape, stored);
        if (segment.marker > jpeg::kSof2) {
            return Error{Code::unsupported_syntax, "JPEG stream with arithmetic coding or a hierarchy is not decoded", "codecs"};
        }
        RETROMASS_TRY_ASSIGN(const auto frame, jpeg_frame(segment, shape));
        return decode_jpeg_lossy(stream, frame, shape, stored);
    }
}

}  // namespace retromass::ingest

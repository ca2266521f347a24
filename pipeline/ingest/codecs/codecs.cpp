#include "pipeline/ingest/codecs/codecs.h"

#include <algorithm>
#include <string>
#include <vector>

#include "pipeline/ingest/codecs/streams.h"

namespace retromass::ingest {
namespace {

using Decoder = Status (*)(Bytes, const FrameShape&, std::span<std::uint16_t>);

struct TransferSyntax {
    std::string_view uid;
    std::string_view name;
    Decoder decode;  ///< none: known by name only
};

// PS3.6 table A-1; the syntaxes without a decoder are here so that a refusal can name them.
constexpr TransferSyntax kSyntaxes[] = {
    {"1.2.840.10008.1.2", "Implicit VR Little Endian", nullptr},
    {"1.2.840.10008.1.2.1", "Explicit VR Little Endian", nullptr},
    {"1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian", nullptr},
    {"1.2.840.10008.1.2.2", "Explicit VR Big Endian", nullptr},
    {"1.2.840.10008.1.2.5", "RLE Lossless", decode_rle},
    {"1.2.840.10008.1.2.4.50", "JPEG Baseline (Process 1)", decode_jpeg},
    {"1.2.840.10008.1.2.4.51", "JPEG Extended (Process 2 & 4)", decode_jpeg},
    {"1.2.840.10008.1.2.4.52", "JPEG Extended (Process 3 & 5)", nullptr},
    {"1.2.840.10008.1.2.4.53", "JPEG Spectral Selection, Non-Hierarchical (Process 6 & 8)", decode_jpeg},
    {"1.2.840.10008.1.2.4.54", "JPEG Spectral Selection, Non-Hierarchical (Process 7 & 9)", nullptr},
    {"1.2.840.10008.1.2.4.55", "JPEG Full Progression, Non-Hierarchical (Process 10 & 12)", decode_jpeg},
    {"1.2.840.10008.1.2.4.56", "JPEG Full Progression, Non-Hierarchical (Process 11 & 13)", nullptr},
    {"1.2.840.10008.1.2.4.57", "JPEG Lossless, Non-Hierarchical (Process 14)", decode_jpeg},
    {"1.2.840.10008.1.2.4.58", "JPEG Lossless, Non-Hierarchical (Process 15)", nullptr},
    {"1.2.840.10008.1.2.4.70", "JPEG Lossless, Non-Hierarchical, First-Order Prediction", decode_jpeg},
    {"1.2.840.10008.1.2.4.80", "JPEG-LS Lossless", decode_jpeg_ls},
    {"1.2.840.10008.1.2.4.81", "JPEG-LS Lossy (Near-Lossless)", decode_jpeg_ls},
    {"1.2.840.10008.1.2.4.90", "JPEG 2000 (Lossless Only)", decode_jpeg_2000},
    {"1.2.840.10008.1.2.4.91", "JPEG 2000", decode_jpeg_2000},
    {"1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 Multi-component (Lossless Only)", nullptr},
    {"1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2 Multi-component", nullptr},
    {"1.2.840.10008.1.2.4.94", "JPIP Referenced", nullptr},
    {"1.2.840.10008.1.2.4.95", "JPIP Referenced Deflate", nullptr},
    {"1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level", nullptr},
    {"1.2.840.10008.1.2.4.101", "MPEG2 Main Profile / High Level", nullptr},
    {"1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 High Profile / Level 4.1", nullptr},
    {"1.2.840.10008.1.2.4.110", "JPEG XL Lossless", nullptr},
    {"1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression", nullptr},
    {"1.2.840.10008.1.2.4.112", "JPEG XL", nullptr},
    {"1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000 (Lossless Only)", nullptr},
    {"1.2.840.10008.1.2.4.202", "High-Throughput JPEG 2000 with RPCL Options (Lossless Only)", nullptr},
    {"1.2.840.10008.1.2.4.203", "High-Throughput JPEG 2000", nullptr},
};

const TransferSyntax* syntax_of(std::string_view uid)
{
    const auto* const found = std::ranges::find(kSyntaxes, uid, &TransferSyntax::uid);
    return found == std::end(kSyntaxes) ? nullptr : found;
}

}  // namespace

std::string_view transfer_syntax_name(std::string_view uid)
{
    const auto* const syntax = syntax_of(uid);
    return syntax ? syntax->name : std::string_view{};
}

bool can_decode(std::string_view uid)
{
    const auto* const syntax = syntax_of(uid);
    return syntax && syntax->decode;
}

Status decode_frame(std::string_view uid, std::span<const std::span<const std::byte>> fragments, const FrameShape& shape,
                    std::span<std::uint16_t> stored)
{
    const auto* const syntax = syntax_of(uid);
    if (!syntax || !syntax->decode) {
        const std::string name = syntax ? std::string(syntax->name) + " (" + std::string(uid) + ")" : std::string(uid);
        return Error{Code::unsupported_syntax, "transfer syntax " + name + " is not decoded; export the series uncompressed", "codecs"};
    }
    if (shape.samples_per_pixel != 1 || (shape.bits_allocated != 8 && shape.bits_allocated != 16)) {
        return damaged(std::to_string(shape.samples_per_pixel) + " samples of " + std::to_string(shape.bits_allocated) +
                       " bits a pixel; a CT image has one of 8 or 16");
    }
    if (shape.columns < 1 || shape.rows < 1 || shape.columns > 65535 || shape.rows > 65535) return damaged("no image size");
    RETROMASS_ASSERT(stored.size() == static_cast<std::size_t>(shape.columns) * static_cast<std::size_t>(shape.rows),
                     "the loader makes room for the frame it describes");
    if (fragments.empty()) return cut_short("no pixel data");
    if (fragments.size() == 1) return syntax->decode(fragments.front(), shape, stored);
    std::vector<std::byte> joined;
    for (const auto& fragment : fragments) joined.insert(joined.end(), fragment.begin(), fragment.end());
    return syntax->decode(joined, shape, stored);
}

}  // namespace retromass::ingest

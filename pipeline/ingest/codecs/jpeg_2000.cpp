#include "pipeline/ingest/codecs/jpeg_2000.h"

#include <algorithm>
#include <array>
#include <optional>

namespace retromass::ingest {
namespace {

// Markers (T.800 table A.2).
constexpr unsigned kSoc = 0xFF4F, kCap = 0xFF50, kSiz = 0xFF51, kCod = 0xFF52, kCoc = 0xFF53, kSot = 0xFF90, kSod = 0xFF93, kEoc = 0xFFD9;

std::uint64_t number(Bytes bytes, std::size_t at, std::size_t size)
{
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | byte_at(bytes, at + i);
    return value;
}

std::uint64_t divided_up(std::uint64_t a, std::uint64_t b) { return (a + b - 1) / b; }

/// The code stream inside the boxes of a JP2 file, which some writers leave round it.
Bytes unboxed(Bytes stream)
{
    std::size_t at = 0;
    if (stream.size() < 12 || number(stream, 0, 8) != 0x0000000C6A502020) return stream;
    while (stream.size() - at >= 8) {
        std::uint64_t length = number(stream, at, 4);
        const bool is_code_stream = number(stream, at + 4, 4) == 0x6A703263;  // "jp2c"
        std::size_t header = 8;
        if (length == 1 && stream.size() - at >= 16) {
            length = number(stream, at + 8, 8);
            header = 16;
        }
        if (length == 0) length = stream.size() - at;
        if (length < header || length > stream.size() - at) return {};
        if (is_code_stream) return stream.subspan(at + header, length - header);
        at += length;
    }
    return {};
}

/// Size of image and tiles (SIZ), with the reference grid of one component.
struct Sizes {
    std::uint64_t x0, y0, x1, y1, tile_width, tile_height, tile_x0, tile_y0;

    std::uint64_t tiles_across() const { return divided_up(x1 - tile_x0, tile_width); }
    std::uint64_t tiles() const { return tiles_across() * divided_up(y1 - tile_y0, tile_height); }

    struct Rectangle {
        std::uint64_t x0, y0, x1, y1;
    };
    Rectangle tile(std::uint64_t index) const
    {
        const std::uint64_t left = tile_x0 + index % tiles_across() * tile_width;
        const std::uint64_t top = tile_y0 + index / tiles_across() * tile_height;
        return {std::max(left, x0), std::max(top, y0), std::min(left + tile_width, x1), std::min(top + tile_height, y1)};
    }
};

/// What COD and COC say of the packets of a tile.
struct Coding {
    std::uint64_t layers = 1;
    std::size_t levels = 0;
    std::array<unsigned, 33> precinct_width{};   ///< as powers of two, by resolution
    std::array<unsigned, 33> precinct_height{};

    /// Packets of one tile (T.800 B.6).
    std::uint64_t packets(const Sizes::Rectangle& tile) const
    {
        std::uint64_t precincts = 0;
        for (std::size_t r = 0; r <= levels; ++r) {
            const std::uint64_t scale = std::uint64_t{1} << (levels - r);
            const auto count = [scale](std::uint64_t begin, std::uint64_t end, unsigned power) -> std::uint64_t {
                const std::uint64_t first = divided_up(begin, scale);
                const std::uint64_t last = divided_up(end, scale);
                if (first >= last) return 0;
                return divided_up(last, std::uint64_t{1} << power) - (first >> power);
            };
            precincts += count(tile.x0, tile.x1, precinct_width[r]) * count(tile.y0, tile.y1, precinct_height[r]);
        }
        return precincts * layers;
    }
};

Error bad_header(const char* what) { return damaged(std::string("JPEG 2000 stream has a bad ") + what); }

Result<Sizes> sizes_of(Bytes siz, const FrameShape& shape, int& precision)
{
    if (siz.size() < 36) return bad_header("size marker");
    const auto word = [&](std::size_t i) { return number(siz, 2 + 4 * i, 4); };
    const Sizes sizes{word(2), word(3), word(0), word(1), word(4), word(5), word(6), word(7)};
    const std::uint64_t components = number(siz, 34, 2);
    if (components != 1) return damaged("JPEG 2000 stream has " + std::to_string(components) + " components, expected 1");
    if (siz.size() != 39) return bad_header("size marker");
    if (sizes.x1 < sizes.x0 || sizes.y1 < sizes.y0 || sizes.x1 - sizes.x0 != static_cast<std::uint64_t>(shape.columns) ||
        sizes.y1 - sizes.y0 != static_cast<std::uint64_t>(shape.rows) || byte_at(siz, 37) != 1 || byte_at(siz, 38) != 1) {
        return damaged("JPEG 2000 stream is not " + std::to_string(shape.columns) + " x " + std::to_string(shape.rows) +
                       " pixels, as the header says");
    }
    if (sizes.tile_width == 0 || sizes.tile_height == 0 || sizes.tile_x0 > sizes.x0 || sizes.tile_y0 > sizes.y0 ||
        sizes.tile_x0 + sizes.tile_width <= sizes.x0 || sizes.tile_y0 + sizes.tile_height <= sizes.y0) {
        return bad_header("tile size");
    }
    precision = static_cast<int>(byte_at(siz, 36) & 0x7F) + 1;
    if (precision > shape.bits_allocated) {
        return damaged("JPEG 2000 stream has " + std::to_string(precision) + " bits a pixel, the header allocates " +
                       std::to_string(shape.bits_allocated));
    }
    return sizes;
}

/// `style` = position of levels, code-block size and style, transform and precincts (SPcod, SPcoc).
Result<Coding> coding_of(Bytes body, std::size_t style, bool own_precincts, std::uint64_t layers)
{
    if (body.size() < style + 5) return bad_header("coding marker");
    Coding coding{layers, byte_at(body, style), {}, {}};
    if (coding.levels > 32 || layers == 0) return bad_header("coding marker");
    if (byte_at(body, style + 3) & 0x40) {
        return Error{Code::unsupported_syntax, "High-Throughput JPEG 2000 is not decoded; export the series uncompressed", "codecs"};
    }
    if (own_precincts && body.size() < style + 5 + coding.levels + 1) return bad_header("coding marker");
    for (std::size_t r = 0; r <= coding.levels; ++r) {
        const unsigned size = own_precincts ? byte_at(body, style + 5 + r) : 0xFF;  // 2^15: the whole of any CT image
        coding.precinct_width[r] = size & 15;
        coding.precinct_height[r] = size >> 4;
    }
    return coding;
}

}  // namespace

Result<CodeStream> survey_jpeg_2000(Bytes given, const FrameShape& shape)
{
    const Bytes stream = unboxed(given);
    if (stream.size() < 4 || number(stream, 0, 2) != kSoc) return damaged("not a JPEG 2000 stream");
    CodeStream found{stream, 0};
    std::optional<Sizes> sizes;
    std::optional<Coding> main_coding;
    std::optional<Coding> tile_coding;      // of the tile-part whose header is being read
    std::vector<std::uint64_t> packets;     // the most that any header asks for, by tile; 0 = no tile-part yet
    std::uint64_t asked = 0;
    std::size_t at = 2;
    std::size_t tile_part_end = 0;          // 0 = in the main header, or between tile-parts
    std::uint64_t tile = 0;
    while (true) {
        if (stream.size() - at < 2) break;
        const auto marker = static_cast<unsigned>(number(stream, at, 2));
        if (marker == kEoc && !tile_part_end) break;
        if (marker == kSod) {
            if (!tile_part_end || !main_coding) return bad_header("tile-part");
            const std::uint64_t wanted = (tile_coding ? *tile_coding : *main_coding).packets(sizes->tile(tile));
            if (wanted > packets[tile]) asked += wanted - packets[tile];
            packets[tile] = std::max<std::uint64_t>({wanted, packets[tile], 1});
            if (asked > stream.size()) return damaged("JPEG 2000 stream asks for more packets than it has bytes");
            at = tile_part_end;
            tile_part_end = 0;
            tile_coding.reset();
            continue;
        }
        if (marker < 0xFF00 || stream.size() - at < 4) return bad_header("marker");
        const auto length = static_cast<std::size_t>(number(stream, at + 2, 2));
        if (length < 2) return bad_header("marker");
        if (length > stream.size() - at - 2) return cut_short("JPEG 2000 stream ends inside its header");
        const Bytes body = stream.subspan(at + 4, length - 2);
        if (!sizes && marker != kSiz) return bad_header("order of markers");
        switch (marker) {
        case kSiz: {
            if (sizes) return bad_header("order of markers");
            RETROMASS_TRY_ASSIGN(sizes, sizes_of(body, shape, found.precision));
            constexpr std::size_t smallest_tile_part = 14;  // SOT and SOD
            if (sizes->tiles() > stream.size() / smallest_tile_part) return damaged("JPEG 2000 stream has more tiles than it has room for");
            packets.resize(sizes->tiles());
            break;
        }
        case kCap:
            return Error{Code::unsupported_syntax, "High-Throughput JPEG 2000 is not decoded; export the series uncompressed", "codecs"};
        case kCod: {
            if (body.size() < 5) return bad_header("coding marker");
            RETROMASS_TRY_ASSIGN((tile_part_end ? tile_coding : main_coding), coding_of(body, 5, byte_at(body, 0) & 1, number(body, 2, 2)));
            break;
        }
        case kCoc: {  // overrules COD for its component, of which there is one; the layers stay
            const auto& coding = tile_part_end && tile_coding ? tile_coding : main_coding;
            if (body.size() < 2 || !coding) return bad_header("order of markers");
            RETROMASS_TRY_ASSIGN((tile_part_end ? tile_coding : main_coding), coding_of(body, 2, byte_at(body, 1) & 1, coding->layers));
            break;
        }
        case kSot: {
            if (tile_part_end || body.size() != 8) return bad_header("tile-part");
            tile = number(body, 0, 2);
            const std::uint64_t size = number(body, 2, 4);
            if (tile >= packets.size() || (size != 0 && size < 14)) return bad_header("tile-part");
            if (size > stream.size() - at) return cut_short("JPEG 2000 stream ends inside tile " + std::to_string(tile));
            tile_part_end = size == 0 ? stream.size() : at + size;  // 0: the last one, up to the end
            break;
        }
        default: break;
        }
        at += 2 + length;
        if (tile_part_end && at > tile_part_end) return bad_header("tile-part");
    }
    if (tile_part_end || packets.empty()) return cut_short("JPEG 2000 stream ends inside its header");
    const auto missing = std::ranges::find(packets, std::uint64_t{0});
    if (missing != packets.end()) return cut_short("JPEG 2000 stream lacks tile " + std::to_string(missing - packets.begin()));
    return found;
}

}  // namespace retromass::ingest

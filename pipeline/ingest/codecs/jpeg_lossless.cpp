#include <array>
#include <cstring>
#include <optional>

#include "pipeline/ingest/codecs/jpeg.h"

// JPEG process 14: Huffman-coded differences from a prediction (ITU-T T.81 annex H).
namespace retromass::ingest {
namespace {

/// Bits of a code plus its difference that one look covers. 13 bits hold nearly every pixel of a CT image, and 32 KiB of
/// table stay in the first cache.
constexpr unsigned kLook = 13;

/// A Huffman table as one look-up: the next kLook bits give the difference and the bits it took.
struct DifferenceTable {
    /// Difference * 256 + bits used; 0 = longer than one look, or no code.
    std::array<std::int32_t, 1u << kLook> look{};
    // Canonical codes by their length, for those (T.81 F.2.2.3).
    std::array<std::int32_t, 17> last_code{};    ///< greatest code of the length; -1 = none
    std::array<std::int32_t, 17> first_code{};
    std::array<std::uint8_t, 17> first_value{};
    std::array<std::uint8_t, 256> categories{};
};

/// Difference of a category from its extra bits (T.81 table H.2 and EXTEND, F.2.2.1).
constexpr std::int32_t difference(unsigned category, std::uint32_t extra)
{
    if (category == 0) return 0;
    if (category == 16) return 32768;  // has no extra bits
    return extra >> (category - 1) ? static_cast<std::int32_t>(extra) : static_cast<std::int32_t>(extra) - (1 << category) + 1;
}

Result<DifferenceTable> difference_table(Bytes counts, Bytes categories)
{
    DifferenceTable table;
    std::int32_t code = 0;
    std::size_t value = 0;
    for (unsigned length = 1; length <= 16; ++length, code <<= 1) {
        const auto count = static_cast<std::int32_t>(byte_at(counts, length - 1));
        table.first_code[length] = code;
        table.first_value[length] = static_cast<std::uint8_t>(value);
        table.last_code[length] = code + count - 1;
        if (count == 0) table.last_code[length] = -1;
        if (code + count > 1 << length) return damaged("JPEG Huffman table has more codes than fit");
        for (std::int32_t i = 0; i < count; ++i, ++code, ++value) {
            const unsigned category = byte_at(categories, value);
            table.categories[value] = static_cast<std::uint8_t>(category);
            const unsigned extra_bits = category == 16 ? 0 : category;
            if (category > 16 || length + extra_bits > kLook) continue;  // a category that is none harms only where it is used
            const unsigned free_bits = kLook - length - extra_bits;
            for (std::uint32_t extra = 0; extra < 1u << extra_bits; ++extra) {
                const std::size_t first = ((static_cast<std::size_t>(code) << extra_bits) | extra) << free_bits;
                const std::int32_t entry = difference(category, extra) * 256 + static_cast<std::int32_t>(length + extra_bits);
                for (std::size_t j = 0; j < std::size_t{1} << free_bits; ++j) table.look[first + j] = entry;
            }
        }
    }
    return table;
}

/// The bits of one restart interval, stuffing removed. Reading past the end gives zeros; `overrun` tells.
class Bits {
public:
    explicit Bits(std::span<const std::uint8_t> bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

    /// Makes at least 56 bits ready.
    void refill()
    {
        if (end_ - at_ >= 8) {
            std::uint64_t next;
            std::memcpy(&next, at_, 8);
            ready_ |= __builtin_bswap64(next) >> count_;
            at_ += (63 - count_) >> 3;
            count_ |= 56;
        } else {
            refill_at_the_end();
        }
    }

    /// The next difference. Needs kLook bits ready.
    std::int32_t next(const DifferenceTable& table)
    {
        const std::int32_t entry = table.look[ready_ >> (64 - kLook)];
        const unsigned used = entry & 255;
        if (used == 0) [[unlikely]] return next_long(table);
        ready_ <<= used;
        count_ -= used;
        return entry >> 8;
    }

    bool bad_code() const { return bad_code_; }
    bool overrun() const { return beyond_ * 8 > count_; }
    /// Whole bytes not read.
    std::size_t left() const { return static_cast<std::size_t>(end_ - at_) + count_ / 8 - beyond_; }

private:
    [[gnu::noinline]] void refill_at_the_end()
    {
        while (count_ < 56) {
            if (at_ < end_) {
                ready_ |= static_cast<std::uint64_t>(*at_++) << (56 - count_);
            } else {
                ++beyond_;
            }
            count_ += 8;
        }
    }

    [[gnu::noinline]] std::int32_t next_long(const DifferenceTable& table)
    {
        refill();
        const auto peek = static_cast<std::int32_t>(ready_ >> 48);
        for (unsigned length = 1; length <= 16; ++length) {
            const std::int32_t code = peek >> (16 - length);
            if (code > table.last_code[length]) continue;
            const unsigned category = table.categories[static_cast<std::size_t>(table.first_value[length] + code - table.first_code[length])];
            if (category > 16) break;
            const unsigned extra_bits = category & 15;
            ready_ <<= length;
            const std::uint32_t extra = extra_bits ? static_cast<std::uint32_t>(ready_ >> (64 - extra_bits)) : 0;
            ready_ <<= extra_bits;
            count_ -= length + extra_bits;
            refill();
            return difference(category, extra);
        }
        bad_code_ = true;
        return 0;
    }

    std::uint64_t ready_ = 0;  ///< next bit on top; what stands below the ready ones is what follows them
    unsigned count_ = 0;       ///< bits ready
    const std::uint8_t* at_;
    const std::uint8_t* end_;
    std::size_t beyond_ = 0;   ///< bytes taken as ready that are not there
    bool bad_code_ = false;
};

/// Entropy-coded data, one restart interval after the other.
class Intervals {
public:
    explicit Intervals(Bytes scan) : scan_(scan) { bytes_.reserve(scan.size()); }

    /// The next interval without its stuffing; valid until the next call. `ended_by` is then the marker behind it, 0 at the end.
    std::span<const std::uint8_t> next()
    {
        bytes_.clear();
        const auto* const data = reinterpret_cast<const std::uint8_t*>(scan_.data());
        ended_by = 0;
        while (at_ < scan_.size()) {
            const void* const found = std::memchr(data + at_, 0xFF, scan_.size() - at_);
            const std::size_t stop = found ? static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - data) : scan_.size();
            bytes_.insert(bytes_.end(), data + at_, data + stop);
            at_ = stop + 1;
            while (at_ < scan_.size() && data[at_] == 0xFF) ++at_;  // fill bytes
            if (at_ >= scan_.size()) break;
            const unsigned marker = data[at_++];
            if (marker == 0) {
                bytes_.push_back(0xFF);
            } else {
                ended_by = marker;
                break;
            }
        }
        return bytes_;
    }

    unsigned ended_by = 0;

private:
    Bytes scan_;
    std::size_t at_ = 0;
    std::vector<std::uint8_t> bytes_;
};

/// Prediction from left, above and above-left (T.81 table H.1).
template <int predictor>
std::int32_t predicted(std::int32_t a, std::int32_t b, std::int32_t c)
{
    switch (predictor) {
    case 1: return a;
    case 2: return b;
    case 3: return c;
    case 4: return a + b - c;
    case 5: return a + ((b - c) >> 1);
    case 6: return b + ((a - c) >> 1);
    default: return (a + b) >> 1;
    }
}

/// One row whose first pixel is predicted by `first`. All arithmetic is modulo 2^16 (T.81 H.1.2.1).
template <int predictor>
void decode_row(Bits& source, const DifferenceTable& table, std::int32_t first, const std::uint16_t* above, std::uint16_t* row, int columns)
{
    Bits bits = source;  // a copy whose address nobody has stays in registers
    bits.refill();
    std::int32_t a = (first + bits.next(table)) & 0xFFFF;
    row[0] = static_cast<std::uint16_t>(a);
    std::int32_t c = predictor > 2 ? above[0] : 0;
    const auto pixel = [&](int x) {
        const std::int32_t b = predictor > 1 ? above[x] : 0;
        a = (predicted<predictor>(a, b, c) + bits.next(table)) & 0xFFFF;
        row[x] = static_cast<std::uint16_t>(a);
        c = b;
    };
    int x = 1;
    for (; x + 4 <= columns; x += 4) {  // four looks of 13 bits in the 56 that are ready
        bits.refill();
        pixel(x);
        pixel(x + 1);
        pixel(x + 2);
        pixel(x + 3);
    }
    for (; x < columns; ++x) {
        bits.refill();
        pixel(x);
    }
    source = bits;
}

using RowDecoder = void (*)(Bits&, const DifferenceTable&, std::int32_t, const std::uint16_t*, std::uint16_t*, int);
constexpr RowDecoder kRowDecoders[] = {nullptr,       decode_row<1>, decode_row<2>, decode_row<3>,
                                       decode_row<4>, decode_row<5>, decode_row<6>, decode_row<7>};

struct Scan14 {
    int precision = 0;
    int predictor = 0;
    int point_transform = 0;
    std::size_t restart_rows = 0;  ///< 0 = no restarts
};

Status decode_scan(Bytes data, const Scan14& scan, const DifferenceTable& table, const FrameShape& shape, std::span<std::uint16_t> stored)
{
    const auto columns = static_cast<std::size_t>(shape.columns);
    const auto rows = static_cast<std::size_t>(shape.rows);
    Intervals intervals(data);
    Bits bits(intervals.next());
    const std::int32_t middle = 1 << (scan.precision - scan.point_transform - 1);
    const auto sound = [&](std::size_t row) -> Status {
        if (bits.bad_code()) return damaged("JPEG scan has a code outside its table in row " + std::to_string(row));
        if (bits.overrun()) return cut_short("JPEG scan ends in row " + std::to_string(row) + " of " + std::to_string(rows));
        return Done{};
    };
    // A decoder that lost its way seldom ends on the last byte: what is left over gives the damage away.
    const auto used_up = [&]() -> Status {
        return bits.left() > 1 ? Status(damaged("JPEG scan has " + std::to_string(bits.left()) + " bytes left over")) : Status(Done{});
    };
    for (std::size_t row = 0; row < rows; ++row) {
        const bool restarts = row > 0 && scan.restart_rows > 0 && row % scan.restart_rows == 0;
        if (restarts) {
            RETROMASS_TRY(used_up());
            const unsigned expected = jpeg::kRst0 + static_cast<unsigned>((row / scan.restart_rows - 1) % 8);
            if (intervals.ended_by == 0) return cut_short("JPEG scan ends at row " + std::to_string(row));
            if (intervals.ended_by != expected) return damaged("JPEG restart marker is missing at row " + std::to_string(row));
            bits = Bits(intervals.next());
        }
        std::uint16_t* const out = stored.data() + row * columns;
        if (row == 0 || restarts) {
            decode_row<1>(bits, table, middle, nullptr, out, shape.columns);
        } else {
            kRowDecoders[scan.predictor](bits, table, out[-static_cast<std::ptrdiff_t>(columns)], out - columns, out, shape.columns);
        }
        RETROMASS_TRY(sound(row));
    }
    RETROMASS_TRY(used_up());
    if (scan.point_transform > 0 || scan.precision <= 8) {
        const std::uint16_t mask = scan.precision <= 8 ? 0xFF : 0xFFFF;
        for (auto& value : stored) value = static_cast<std::uint16_t>(value << scan.point_transform) & mask;
    }
    return Done{};
}

}  // namespace

Status decode_jpeg_lossless(Bytes stream, const FrameShape& shape, std::span<std::uint16_t> stored)
{
    std::optional<JpegFrame> frame;
    std::array<std::optional<std::pair<Bytes, Bytes>>, 4> tables;  // code counts and categories, by destination
    std::size_t restart_interval = 0;
    JpegMarkers markers(stream);
    while (true) {
        RETROMASS_TRY_ASSIGN(const auto segment, markers.next());
        Bytes body = segment.body;
        if (segment.marker == jpeg::kEoi) return cut_short("JPEG stream ends before its scan");
        if ((segment.marker >= jpeg::kJpg0 && segment.marker <= jpeg::kJpg13) || segment.marker == jpeg::kDhp ||
            segment.marker == jpeg::kExp || segment.marker == jpeg::kJpg) {
            return Error{Code::unsupported_syntax, "JPEG stream with a hierarchy or an extension is not decoded", "codecs"};
        }
        if (is_frame_header(segment.marker)) {
            if (frame || segment.marker != jpeg::kSof3) return damaged("JPEG stream with two frame headers");
            RETROMASS_TRY_ASSIGN(frame, jpeg_frame(segment, shape));
        } else if (segment.marker == jpeg::kDri) {
            if (body.size() != 2) return damaged("JPEG restart interval has the wrong length");
            restart_interval = byte_at(body, 0) << 8 | byte_at(body, 1);
        } else if (segment.marker == jpeg::kDht) {
            while (!body.empty()) {
                if (body.size() < 17) return damaged("JPEG Huffman table is incomplete");
                const unsigned destination = byte_at(body, 0);
                std::size_t codes = 0;
                for (std::size_t i = 1; i <= 16; ++i) codes += byte_at(body, i);
                if (codes > 256 || codes > body.size() - 17) return damaged("JPEG Huffman table is incomplete");
                if ((destination & 0x0F) > 3 || destination > 0x13) return damaged("JPEG Huffman table without a place");
                if (destination < 4) tables[destination] = std::pair(body.subspan(1, 16), body.subspan(17, codes));
                body = body.subspan(17 + codes);
            }
        } else if (segment.marker == jpeg::kSos) {
            if (!frame) return damaged("JPEG scan before its frame header");
            if (body.size() != 6 || byte_at(body, 0) != 1 || byte_at(body, 1) != frame->component) return damaged("JPEG scan of other components");
            const unsigned destination = byte_at(body, 2) >> 4;
            if (destination > 3 || !tables[destination]) return damaged("JPEG scan without its Huffman table");
            const Scan14 scan{frame->precision, static_cast<int>(byte_at(body, 3)), static_cast<int>(byte_at(body, 5) & 15),
                              restart_interval / static_cast<std::size_t>(shape.columns)};
            if (scan.predictor < 1 || scan.predictor > 7 || byte_at(body, 4) != 0 || byte_at(body, 5) > 15 || scan.point_transform >= scan.precision) {
                return damaged("JPEG scan is not of the lossless process");
            }
            // The IJG library counts restart intervals in sampled rows; nobody writes sampling factors for one component.
            if (restart_interval % static_cast<std::size_t>(shape.columns) != 0 || (restart_interval > 0 && frame->sampling != 0x11)) {
                return damaged("JPEG restart interval is not whole rows");
            }
            RETROMASS_TRY_ASSIGN(const auto table, difference_table(tables[destination]->first, tables[destination]->second));
            return decode_scan(markers.rest(), scan, table, shape, stored);
        }
    }
}

}  // namespace retromass::ingest

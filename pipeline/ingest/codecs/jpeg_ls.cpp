#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>

#include "pipeline/ingest/codecs/jpeg.h"

// JPEG-LS (ITU-T T.87) of one component, lossless and near-lossless. Names are those of its annex A.
namespace retromass::ingest {
namespace {

constexpr unsigned kSof55 = 0xF7, kLse = 0xF8;

/// Preset coding parameters (C.2.4.1) and what follows from them (A.2.1).
struct Coding {
    int maxval = 0;
    int near = 0;
    std::array<int, 3> thresholds{};
    int reset = 64;
    int range = 0;
    int qbpp = 0;
    int limit = 0;
};

/// The values of an LSE segment; 0 = default.
struct Preset {
    std::array<int, 5> values{};  ///< MAXVAL, T1, T2, T3, RESET
};

Result<Coding> coding_of(int precision, int near, const Preset& preset)
{
    Coding coding;
    const int most = (1 << precision) - 1;
    coding.maxval = preset.values[0] ? preset.values[0] : most;
    coding.near = near;
    if (coding.maxval > most || near > std::min(255, coding.maxval / 2)) return damaged("JPEG-LS stream has coding parameters out of range");
    const auto clamped = [&](int value, int lowest) { return value > coding.maxval || value < lowest ? lowest : value; };
    constexpr std::array<int, 3> basic{3, 7, 21};
    int lowest = near + 1;
    for (int i = 0; i < 3; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const int near_part = (3 + 2 * i) * near;
        int value = 0;
        if (coding.maxval >= 128) {
            const int factor = (std::min(coding.maxval, 4095) + 128) / 256;
            value = factor * (basic[at] - (2 + i)) + 2 + i + near_part;
        } else {
            const int factor = 256 / (coding.maxval + 1);
            value = std::max(2 + i, basic[at] / factor + near_part);
        }
        coding.thresholds[at] = preset.values[at + 1] ? preset.values[at + 1] : clamped(value, lowest);
        if (coding.thresholds[at] < lowest || coding.thresholds[at] > coding.maxval) return damaged("JPEG-LS stream has thresholds out of order");
        lowest = coding.thresholds[at];
    }
    if (preset.values[4]) coding.reset = preset.values[4];
    if (coding.reset < 3 || coding.reset > std::max(255, coding.maxval)) return damaged("JPEG-LS stream has coding parameters out of range");
    coding.range = (coding.maxval + 2 * near) / (2 * near + 1) + 1;
    coding.qbpp = std::bit_width(static_cast<unsigned>(coding.range - 1));
    const int bpp = std::max(2, static_cast<int>(std::bit_width(static_cast<unsigned>(coding.maxval))));
    coding.limit = 2 * (bpp + std::max(8, bpp));
    return coding;
}

/// The bits of a scan. A byte after FF carries seven (A.1). Reading past the end gives zeros; `overrun` tells.
class Bits {
public:
    explicit Bits(Bytes scan) : at_(reinterpret_cast<const std::uint8_t*>(scan.data())), end_(at_ + scan.size()) {}

    /// Makes at least 56 bits ready.
    void refill()
    {
        std::uint64_t next = 0;
        if (end_ - at_ >= 8 && !after_ff_) {
            std::memcpy(&next, at_, 8);
            if (((~next - 0x0101010101010101) & next & 0x8080808080808080) == 0) {  // none of the eight bytes is FF
                ready_ |= __builtin_bswap64(next) >> count_;
                const int bytes = (63 - count_) >> 3;
                at_ += bytes;
                count_ += 8 * bytes;
                ready_ &= ~std::uint64_t{0} << (64 - count_);
                return;
            }
        }
        refill_bytewise();
    }

    int ready() const { return count_; }
    /// How many zeros come before the next one; more than are ready if there is none among them.
    int zeros() const { return std::countl_zero(ready_); }
    std::uint32_t take(int bits)
    {
        if (bits == 0) return 0;
        const auto value = static_cast<std::uint32_t>(ready_ >> (64 - bits));
        drop(bits);
        return value;
    }
    void drop(int bits)
    {
        ready_ <<= bits;
        count_ -= bits;
    }
    bool overrun() const { return beyond_ * 8 > count_; }
    std::size_t left() const { return static_cast<std::size_t>(end_ - at_) + static_cast<std::size_t>(std::max(0, count_ / 8 - beyond_)); }
    /// Lets the end of the scan be the marker behind it.
    static std::size_t length_of(Bytes scan)
    {
        for (std::size_t i = 0; i + 1 < scan.size(); ++i) {
            if (byte_at(scan, i) == 0xFF && byte_at(scan, i + 1) >= 0x80) return i;
        }
        return scan.size();
    }

private:
    [[gnu::noinline]] void refill_bytewise()
    {
        while (count_ <= 56) {
            std::uint64_t byte = 0;
            int bits = 8;
            if (at_ < end_) {
                byte = *at_++;
                bits = after_ff_ ? 7 : 8;
                after_ff_ = byte == 0xFF;
            } else {
                ++beyond_;
            }
            ready_ |= byte << (64 - count_ - bits);
            count_ += bits;
        }
    }

    std::uint64_t ready_ = 0;  ///< next bit on top, zeros below the ready ones
    int count_ = 0;
    const std::uint8_t* at_;
    const std::uint8_t* end_;
    int beyond_ = 0;           ///< bytes taken as ready that are not there
    bool after_ff_ = false;
};

constexpr std::array<int, 32> kRunOrder = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// The decoder of one scan: contexts and bits.
class ScanDecoder {
public:
    ScanDecoder(const Coding& coding, Bytes scan) : coding_(coding), bits_(scan)
    {
        const int a = std::max(2, (coding.range + 32) / 64);
        regular_.fill({a, 0, 0, 1});
        runs_.fill({a, 1, 0});
        // Gradients of T3 and more are alike: the table ends there.
        const int t3 = coding.thresholds[2];
        quantized_.resize(static_cast<std::size_t>(2 * t3 + 1));
        for (int d = -t3; d <= t3; ++d) quantized_[static_cast<std::size_t>(d + t3)] = static_cast<std::int8_t>(quantized(d));
    }

    /// One line below `above`; `corner` is the pixel above and left of its first.
    void decode_line(const std::uint16_t* above, std::uint16_t* line, int columns, int corner)
    {
        int a = above[0];
        int c = corner;
        int b = above[0];
        for (int x = 0; x < columns && sound_;) {
            const int d = x + 1 < columns ? above[x + 1] : b;
            const int q1 = quantized_gradient(d - b);
            const int q2 = quantized_gradient(b - c);
            const int q3 = quantized_gradient(c - a);
            const int context = 81 * q1 + 9 * q2 + q3;
            if (context != 0) {
                a = regular_pixel(context, a, b, c);
                line[x++] = static_cast<std::uint16_t>(a);
                c = b;
                b = d;
                continue;
            }
            const int end = run(x, columns);
            std::fill(line + x, line + end, static_cast<std::uint16_t>(a));
            x = end;
            if (x >= columns) return;
            a = interruption(a, above[x]);
            line[x] = static_cast<std::uint16_t>(a);
            c = above[x++];
            b = x < columns ? above[x] : 0;
        }
    }

    bool sound() const { return sound_; }
    const Bits& bits() const { return bits_; }

private:
    struct Regular {
        std::int64_t a;
        std::int32_t b;
        std::int32_t c;
        std::int32_t n;
    };
    struct Run {
        std::int64_t a;
        std::int32_t n;
        std::int32_t nn;
    };

    int quantized(int d) const
    {
        const auto& [t1, t2, t3] = coding_.thresholds;
        const int size = std::abs(d);
        const int q = size <= coding_.near ? 0 : size < t1 ? 1 : size < t2 ? 2 : size < t3 ? 3 : 4;
        return d < 0 ? -q : q;
    }
    int quantized_gradient(int d) const
    {
        const int t3 = coding_.thresholds[2];
        return quantized_[static_cast<std::size_t>(std::clamp(d, -t3, t3) + t3)];
    }

    /// Limited-length Golomb code (A.5.3).
    int golomb(int k, int limit)
    {
        if (bits_.ready() < 56) bits_.refill();
        const int zeros = bits_.zeros();
        const int escape = limit - coding_.qbpp - 1;
        if (zeros < escape) {
            bits_.drop(zeros + 1);
            if (bits_.ready() < k) bits_.refill();
            return zeros << k | static_cast<int>(bits_.take(k));
        }
        if (zeros > escape) {
            sound_ = false;
            return 0;
        }
        bits_.drop(zeros + 1);
        if (bits_.ready() < coding_.qbpp) bits_.refill();
        return static_cast<int>(bits_.take(coding_.qbpp)) + 1;
    }

    /// Adds the error to the prediction, modulo the range of values (A.4.4, A.4.5).
    int reconstructed(int predicted, int error) const
    {
        const int step = 2 * coding_.near + 1;
        int value = predicted + error * step;
        if (value < -coding_.near) value += coding_.range * step;
        else if (value > coding_.maxval + coding_.near) value -= coding_.range * step;
        return std::clamp(value, 0, coding_.maxval);
    }

    /// The smallest k with n * 2^k >= a: as many doublings as n has fewer bits, and one more where that does not do.
    static int order(std::int64_t n, std::int64_t a)
    {
        const int k = std::max(0, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(a) | 1)) - static_cast<int>(std::bit_width(static_cast<std::uint64_t>(n))));
        return k + (n << k < a);
    }

    int regular_pixel(int signed_context, int a, int b, int c)
    {
        const int sign = signed_context < 0 ? -1 : 1;
        Regular& context = regular_[static_cast<std::size_t>(sign * signed_context)];
        int predicted = c >= std::max(a, b) ? std::min(a, b) : c <= std::min(a, b) ? std::max(a, b) : a + b - c;
        predicted = std::clamp(predicted + sign * context.c, 0, coding_.maxval);

        const int k = order(context.n, context.a);
        const int mapped = golomb(k, coding_.limit);
        if (mapped > coding_.range) {  // no encoder writes an error of more than half the range
            sound_ = false;
            return 0;
        }
        int error = mapped & 1 ? -((mapped + 1) >> 1) : mapped >> 1;
        if (coding_.near == 0 && k == 0 && 2 * context.b <= -context.n) error = -error - 1;  // the other mapping of A.5.2

        context.b += error * (2 * coding_.near + 1);
        context.a += std::abs(error);
        if (context.n == coding_.reset) {
            context.a >>= 1;
            context.b = context.b >= 0 ? context.b >> 1 : -((1 - context.b) >> 1);
            context.n >>= 1;
        }
        ++context.n;
        if (context.b <= -context.n) {
            context.b = std::max(context.b + context.n, 1 - context.n);
            context.c = std::max(context.c - 1, -128);
        } else if (context.b > 0) {
            context.b = std::min(context.b - context.n, 0);
            context.c = std::min(context.c + 1, 127);
        }
        return reconstructed(predicted, sign * error);
    }

    /// Where the run that begins at x ends (A.7.1.2); `columns` if the line ends with it.
    int run(int x, int columns)
    {
        while (true) {
            if (bits_.ready() < 32) bits_.refill();
            const int length = 1 << kRunOrder[run_index_];
            if (bits_.take(1) == 0) break;
            if (bits_.overrun()) {
                sound_ = false;
                return columns;
            }
            if (length <= columns - x && run_index_ < 31) ++run_index_;
            x += std::min(length, columns - x);
            if (x == columns) return columns;
        }
        x += static_cast<int>(bits_.take(kRunOrder[run_index_]));
        if (x >= columns) {  // the pixel that ends the run must lie in the line
            sound_ = false;
            return columns;
        }
        return x;
    }

    /// The pixel that ends a run (A.7.2).
    int interruption(int a, int b)
    {
        const int type = std::abs(a - b) <= coding_.near ? 1 : 0;
        Run& context = runs_[static_cast<std::size_t>(type)];
        const int k = order(context.n, type ? context.a + (context.n >> 1) : context.a);
        const int mapped = golomb(k, coding_.limit - kRunOrder[run_index_] - 1);
        if (run_index_ > 0) --run_index_;
        if (mapped > coding_.range + 1) {
            sound_ = false;
            return 0;
        }
        const int odd = (mapped + type) & 1;
        const int size = (mapped + type + odd) / 2;
        const bool negative = (k != 0 || 2 * context.nn >= context.n) == (odd == 1);
        if (negative && size > 0) ++context.nn;
        context.a += (mapped + 1 - type) >> 1;
        if (context.n == coding_.reset) {
            context.a >>= 1;
            context.n >>= 1;
            context.nn >>= 1;
        }
        ++context.n;
        const int error = negative ? -size : size;
        return type ? reconstructed(a, error) : reconstructed(b, a > b ? -error : error);
    }

    const Coding coding_;
    Bits bits_;
    std::array<Regular, 365> regular_;
    std::array<Run, 2> runs_;
    std::size_t run_index_ = 0;
    std::vector<std::int8_t> quantized_;
    bool sound_ = true;
};

Status decode_scan(Bytes data, const Coding& coding, const FrameShape& shape, std::span<std::uint16_t> stored)
{
    const auto columns = static_cast<std::size_t>(shape.columns);
    const auto rows = static_cast<std::size_t>(shape.rows);
    ScanDecoder decoder(coding, data.first(Bits::length_of(data)));
    const std::vector<std::uint16_t> before_the_first(columns, 0);
    for (std::size_t row = 0; row < rows; ++row) {
        std::uint16_t* const line = stored.data() + row * columns;
        decoder.decode_line(row > 0 ? line - columns : before_the_first.data(), line, shape.columns, row > 1 ? line[-2 * shape.columns] : 0);
        if (decoder.bits().overrun()) return cut_short("JPEG-LS scan ends in row " + std::to_string(row) + " of " + std::to_string(rows));
        if (!decoder.sound()) return damaged("JPEG-LS scan has an impossible code in row " + std::to_string(row));
    }
    // A decoder that lost its way seldom ends on the last byte.
    if (decoder.bits().left() > 1) return damaged("JPEG-LS scan has " + std::to_string(decoder.bits().left()) + " bytes left over");
    return Done{};
}

}  // namespace

Status decode_jpeg_ls(Bytes stream, const FrameShape& shape, std::span<std::uint16_t> stored)
{
    if (stream.size() < 2 || byte_at(stream, 0) != 0xFF || byte_at(stream, 1) != jpeg::kSoi) return damaged("not a JPEG-LS stream");
    std::optional<JpegFrame> frame;
    Preset preset;
    JpegMarkers markers(stream);
    while (true) {
        RETROMASS_TRY_ASSIGN(const auto segment, markers.next());
        const Bytes body = segment.body;
        if (segment.marker == jpeg::kEoi) return cut_short("JPEG-LS stream ends before its scan");
        if (is_frame_header(segment.marker)) return damaged("JPEG stream of another process than JPEG-LS");
        if (segment.marker == kSof55) {
            if (frame) return damaged("JPEG-LS stream with two frame headers");
            RETROMASS_TRY_ASSIGN(frame, jpeg_frame(segment, shape));
        } else if (segment.marker == kLse) {
            if (body.empty()) return damaged("JPEG-LS preset is empty");
            if (byte_at(body, 0) != 1) return Error{Code::unsupported_syntax, "JPEG-LS with a mapping table or an extension is not decoded", "codecs"};
            if (body.size() != 11) return damaged("JPEG-LS preset has the wrong length");
            for (std::size_t i = 0; i < 5; ++i) preset.values[i] = static_cast<int>(byte_at(body, 1 + 2 * i) << 8 | byte_at(body, 2 + 2 * i));
        } else if (segment.marker == jpeg::kDri) {
            if (!std::ranges::all_of(body, [](std::byte byte) { return byte == std::byte{0}; })) {
                return Error{Code::unsupported_syntax, "JPEG-LS with restart intervals is not decoded", "codecs"};
            }
        } else if (segment.marker == jpeg::kSos) {
            if (!frame) return damaged("JPEG-LS scan before its frame header");
            if (body.size() != 6 || byte_at(body, 0) != 1 || byte_at(body, 1) != frame->component) return damaged("JPEG-LS scan of other components");
            if (byte_at(body, 2) != 0 || byte_at(body, 5) != 0) {
                return Error{Code::unsupported_syntax, "JPEG-LS with a mapping table or a point transform is not decoded", "codecs"};
            }
            if (byte_at(body, 4) > 2) return damaged("JPEG-LS scan of an unknown interleave mode");
            RETROMASS_TRY_ASSIGN(const auto coding, coding_of(frame->precision, static_cast<int>(byte_at(body, 3)), preset));
            return decode_scan(markers.rest(), coding, shape, stored);
        }
    }
}

}  // namespace retromass::ingest

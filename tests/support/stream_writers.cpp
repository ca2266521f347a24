#include "tests/support/stream_writers.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <random>

namespace retromass::test {
namespace {

class BitWriter {
public:
    explicit BitWriter(std::vector<std::byte>& out) : out_(out) {}
    void put(std::uint32_t bits, int count)
    {
        for (int i = count - 1; i >= 0; --i) {
            byte_ = byte_ << 1 | (bits >> i & 1);
            if (++filled_ == 8) flush_byte();
        }
    }
    void pad_with_ones()
    {
        while (filled_ != 0) put(1, 1);
    }

private:
    void flush_byte()
    {
        out_.push_back(static_cast<std::byte>(byte_));
        if (byte_ == 0xFF) out_.push_back(std::byte{0});  // stuffing
        byte_ = 0;
        filled_ = 0;
    }
    std::vector<std::byte>& out_;
    unsigned byte_ = 0;
    int filled_ = 0;
};

void put_bytes(std::vector<std::byte>& out, std::initializer_list<int> bytes)
{
    for (const int byte : bytes) out.push_back(static_cast<std::byte>(byte));
}

int prediction(int predictor, int a, int b, int c)
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

}  // namespace

std::vector<std::byte> lossless_jpeg(const Pixels& pixels, int columns, int rows, const LosslessJpeg& how)
{
    std::vector<std::byte> out;
    put_bytes(out, {0xFF, 0xD8, 0xFF, 0xC3, 0, 11, how.precision, rows >> 8, rows & 255, columns >> 8, columns & 255, 1, 1, 0x11, 0});
    // Lengths by category: either all 5 bits, or 1, 2 .. 14 and three of 16, category 16 first. Both leave the code of all ones free.
    std::array<int, 17> length{};
    std::array<int, 17> order{};
    for (int i = 0; i < 17; ++i) order[static_cast<std::size_t>(i)] = how.long_codes ? 16 - i : i;
    std::array<int, 17> count{};
    for (int i = 0; i < 17; ++i) {
        const int bits = how.long_codes ? (i < 14 ? i + 1 : 16) : 5;
        length[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] = bits;
        ++count[static_cast<std::size_t>(bits)];
    }
    put_bytes(out, {0xFF, 0xC4, 0, 19 + 17, 0});
    for (std::size_t bits = 1; bits <= 16; ++bits) put_bytes(out, {count[bits]});
    for (const int category : order) put_bytes(out, {category});
    std::array<std::uint32_t, 17> code{};
    std::uint32_t next = 0;
    int previous = 0;
    for (const int category : order) {
        const int bits = length[static_cast<std::size_t>(category)];
        next <<= bits - previous;
        previous = bits;
        code[static_cast<std::size_t>(category)] = next++;
    }
    if (how.restart_rows > 0) {
        const int interval = how.restart_rows * columns;
        put_bytes(out, {0xFF, 0xDD, 0, 4, interval >> 8, interval & 255});
    }
    put_bytes(out, {0xFF, 0xDA, 0, 8, 1, 1, 0, how.predictor, 0, how.point_transform});

    BitWriter bits(out);
    const auto at = [&](int x, int y) { return pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(x)] >> how.point_transform; };
    for (int y = 0; y < rows; ++y) {
        const bool restarts = y > 0 && how.restart_rows > 0 && y % how.restart_rows == 0;
        if (restarts) {
            bits.pad_with_ones();
            put_bytes(out, {0xFF, 0xD0 + (y / how.restart_rows - 1) % 8});
        }
        for (int x = 0; x < columns; ++x) {
            const bool first_row = y == 0 || restarts;
            int predicted = 0;
            if (first_row) predicted = x == 0 ? 1 << (how.precision - how.point_transform - 1) : at(x - 1, y);
            else predicted = x == 0 ? at(0, y - 1) : prediction(how.predictor, at(x - 1, y), at(x, y - 1), at(x - 1, y - 1));
            int difference = (at(x, y) - predicted) & 0xFFFF;
            if (difference > 32768) difference -= 65536;
            const int category = std::bit_width(static_cast<unsigned>(std::abs(difference)));
            bits.put(code[static_cast<std::size_t>(category)], length[static_cast<std::size_t>(category)]);
            if (category < 16) bits.put(static_cast<std::uint32_t>(difference < 0 ? difference - 1 : difference), category);
        }
    }
    bits.pad_with_ones();
    put_bytes(out, {0xFF, 0xD9});
    return out;
}

std::vector<std::pair<std::string, Pixels>> awkward_images(int columns, int rows, int bits, unsigned seed)
{
    const auto count = static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows);
    const unsigned most = (1u << bits) - 1;
    std::mt19937 random(seed);
    Pixels noise(count);
    Pixels alternating(count);
    Pixels ramp(count);
    Pixels object(count);
    for (std::size_t i = 0; i < count; ++i) {
        noise[i] = static_cast<std::uint16_t>(random() & most);
        alternating[i] = static_cast<std::uint16_t>(i % 2 ? most : 0);
        ramp[i] = static_cast<std::uint16_t>(i & most);
        const double x = static_cast<double>(i % static_cast<std::size_t>(columns)) / columns - 0.5;
        const std::size_t row = i / static_cast<std::size_t>(columns);
        const double y = static_cast<double>(row) / rows - 0.5;
        const double level = x * x + y * y < 0.16 ? 0.6 : 0.1;
        object[i] = static_cast<std::uint16_t>(std::min<double>(most, level * most + static_cast<double>(random() % (most / 64 + 1))));
    }
    Pixels patches(count);  // long runs, broken by values near and far
    for (std::size_t i = 0; i < count; ++i) {
        patches[i] = i > 0 ? patches[i - 1] : static_cast<std::uint16_t>(most / 3);
        if (random() % 12 == 0) patches[i] = static_cast<std::uint16_t>(random() % 2 ? random() & most : std::min<unsigned long>(most, patches[i] + random() % 3));
        if (i >= static_cast<std::size_t>(columns) && random() % 3 == 0) patches[i] = patches[i - static_cast<std::size_t>(columns)];
    }
    return {{"patches", patches}, {"zero", Pixels(count, 0)}, {"full", Pixels(count, static_cast<std::uint16_t>(most))}, {"noise", noise},
            {"alternating", alternating}, {"ramp", ramp}, {"object", object}};
}

std::vector<std::byte> with_flipped_bits(std::vector<std::byte> stream, unsigned count, unsigned seed)
{
    std::mt19937 random(seed);
    for (unsigned i = 0; i < count && !stream.empty(); ++i) {
        stream[random() % stream.size()] ^= static_cast<std::byte>(1u << random() % 8);
    }
    return stream;
}

}  // namespace retromass::test

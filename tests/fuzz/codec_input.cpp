#include "tests/fuzz/codec_input.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>

#include "pipeline/ingest/codecs/codecs.h"
#include "tests/support/dcmtk_codecs.h"
#include "tests/support/stream_writers.h"

namespace retromass::fuzz {
namespace {

constexpr std::size_t kHeader = 5;

}  // namespace

Input codec_input(const std::string&, int columns, int rows, int bits_stored, std::span<const std::byte> stream)
{
    const int flags = bits_stored > 8 ? 0 : 2;
    Input input{static_cast<std::uint8_t>(columns), static_cast<std::uint8_t>(rows), static_cast<std::uint8_t>(bits_stored), static_cast<std::uint8_t>(flags), 255};
    for (const auto byte : stream) input.push_back(std::to_integer<std::uint8_t>(byte));
    return input;
}

void run_codec(const std::string& syntax, std::span<const std::uint8_t> input)
{
    if (input.size() < kHeader) return;
    ingest::FrameShape shape;
    shape.columns = std::max<int>(1, input[0]);
    shape.rows = std::max<int>(1, input[1]);
    shape.bits_allocated = input[3] & 2 ? 8 : 16;
    shape.bits_stored = std::clamp<int>(input[2], 1, shape.bits_allocated);
    shape.high_bit = input[3] & 4 ? shape.bits_allocated - 1 : shape.bits_stored - 1;
    shape.is_signed = input[3] & 1;
    // A copy of exactly its size, so that a read past the end is seen.
    const auto bytes = std::as_bytes(input.subspan(kHeader));
    const std::size_t first = std::min<std::size_t>(bytes.size(), std::size_t{4} * input[4]);
    const std::vector<std::byte> one(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(first));
    const std::vector<std::byte> other(bytes.begin() + static_cast<std::ptrdiff_t>(first), bytes.end());
    std::vector<std::span<const std::byte>> fragments{one};
    if (!other.empty()) fragments.emplace_back(other);

    const auto cells = static_cast<std::size_t>(shape.columns) * static_cast<std::size_t>(shape.rows);
    std::vector<std::uint16_t> a(cells, 0x5A5A);
    std::vector<std::uint16_t> b(cells, 0xA5A5);
    const auto first_run = ingest::decode_frame(syntax, fragments, shape, a);
    const auto second_run = ingest::decode_frame(syntax, fragments, shape, b);
    if (first_run.ok() != second_run.ok() || (first_run.ok() && a != b)) {
        std::cerr << "two runs over the same input differ\n";
        std::abort();
    }
}

std::vector<Input> codec_seeds(const std::string& syntax)
{
    std::vector<Input> seeds;
    const auto add = [&](int columns, int rows, int bits, const std::vector<std::byte>& stream) {
        seeds.push_back(codec_input(syntax, columns, rows, bits, stream));
    };
    const auto by_dcmtk = [&](int columns, int rows, int bits, int predictor, const test::Pixels& pixels) {
        const ingest::FrameShape shape{columns, rows, bits > 8 ? 16 : 8, bits, bits - 1, false, 1};
        add(columns, rows, bits, test::compressed_by_dcmtk(pixels, shape, {.syntax = syntax, .predictor = predictor}).fragments.front());
    };
    const bool bytes_only = syntax.ends_with(".50");
    const bool twelve_only = syntax.ends_with(".51") || syntax.ends_with(".55");
    for (const int bits : {8, 12, 16}) {
        if ((bytes_only && bits != 8) || (twelve_only && bits != 12)) continue;
        int variant = 0;
        for (const auto& [name, pixels] : test::awkward_images(16, 9, bits, 1)) {
            ++variant;
            if (syntax.ends_with(".4.70")) {
                add(16, 9, bits, test::lossless_jpeg(pixels, 16, 9, {.precision = bits, .predictor = variant, .restart_rows = variant % 3, .long_codes = variant % 2 == 0}));
            } else if (syntax.ends_with(".4.80")) {
                add(16, 9, bits, test::jpeg_ls(pixels, 16, 9, bits, variant % 3, variant % 2 ? std::array<int, 5>{} : std::array{0, 0, 0, 0, 5}));
            } else if (syntax.ends_with(".4.90")) {
                add(16, 9, bits, test::jpeg_2000(pixels, 16, 9, {.precision = bits, .levels = variant % 3, .tile = variant % 2 ? 0 : 8, .precinct = variant % 3 == 1 ? 32 : 0, .layers = 1 + variant % 2}));
            } else {
                by_dcmtk(16, 9, bits, 1, pixels);
            }
        }
    }
    return seeds;
}

Input mutated(Input input, unsigned seed)
{
    std::mt19937 random(seed);
    const unsigned changes = 1 + random() % 4;
    for (unsigned i = 0; i < changes && !input.empty(); ++i) {
        const auto at = static_cast<std::ptrdiff_t>(random() % input.size());
        const auto length = std::min<std::ptrdiff_t>(1 + static_cast<std::ptrdiff_t>(random() % 16), static_cast<std::ptrdiff_t>(input.size()) - at);
        switch (random() % 6) {
        case 0: input[static_cast<std::size_t>(at)] ^= static_cast<std::uint8_t>(1u << random() % 8); break;
        case 1: input[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(random()); break;
        case 2: input[static_cast<std::size_t>(at)] = random() % 2 ? 0xFF : 0; break;
        case 3: input.erase(input.begin() + at, input.begin() + at + length); break;
        case 4: {
            const Input doubled(input.begin() + at, input.begin() + at + length);
            input.insert(input.begin() + at, doubled.begin(), doubled.end());
            break;
        }
        default: std::reverse(input.begin() + at, input.begin() + at + length); break;
        }
    }
    return input;
}

}  // namespace retromass::fuzz

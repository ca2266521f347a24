#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/support/dcmtk_codecs.h"
#include "tests/support/stream_writers.h"

namespace retromass::test {
namespace {

using testing::HasSubstr;

constexpr int kColumns = 37;
constexpr int kRows = 29;
constexpr unsigned kTries = 400;  ///< harmed copies of each stream

struct Sample {
    std::string name;
    CompressedFrame frame;
    int jpeg_precision = 0;  ///< 0 = not JPEG
};

CompressedFrame frame_of(const std::string& syntax, int bits, std::vector<std::byte> stream)
{
    return {syntax, {kColumns, kRows, bits > 8 ? 16 : 8, bits, bits - 1, false, 1}, {std::move(stream)}};
}

/// One sound stream of every kind.
std::vector<Sample> samples()
{
    const auto image = [](int bits) { return awkward_images(kColumns, kRows, bits, 11).back().second; };
    const auto by_dcmtk = [&](const char* syntax, int bits) {
        return compressed_by_dcmtk(image(bits), frame_of(syntax, bits, {}).shape, {.syntax = syntax});
    };
    std::vector<Sample> all;
    all.push_back({"RLE", by_dcmtk("1.2.840.10008.1.2.5", 16)});
    all.push_back({"RLE of bytes", by_dcmtk("1.2.840.10008.1.2.5", 8)});
    for (const int predictor : {1, 4, 6}) {
        for (const bool long_codes : {false, true}) {
            const LosslessJpeg how{.precision = 12, .predictor = predictor, .restart_rows = predictor == 4 ? 5 : 0, .long_codes = long_codes};
            all.push_back({"JPEG lossless, predictor " + std::to_string(predictor),
                           frame_of("1.2.840.10008.1.2.4.57", 12, lossless_jpeg(image(12), kColumns, kRows, how)), 12});
        }
    }
    all.push_back({"JPEG lossless by DCMTK", by_dcmtk("1.2.840.10008.1.2.4.70", 16), 16});
    all.push_back({"JPEG lossless of bytes", by_dcmtk("1.2.840.10008.1.2.4.70", 8), 8});
    all.push_back({"JPEG baseline", by_dcmtk("1.2.840.10008.1.2.4.50", 8), 8});
    all.push_back({"JPEG extended", by_dcmtk("1.2.840.10008.1.2.4.51", 12), 12});
    all.push_back({"JPEG progressive", by_dcmtk("1.2.840.10008.1.2.4.55", 12), 12});
    all.push_back({"JPEG-LS", frame_of("1.2.840.10008.1.2.4.80", 12, jpeg_ls(image(12), kColumns, kRows, 12, 0))});
    all.push_back({"JPEG 2000", frame_of("1.2.840.10008.1.2.4.90", 12, jpeg_2000(image(12), kColumns, kRows, {.precision = 12}))});
    all.push_back({"JPEG 2000 in tiles", frame_of("1.2.840.10008.1.2.4.90", 12, jpeg_2000(image(12), kColumns, kRows, {.precision = 12, .tile = 16, .layers = 3}))});
    return all;
}

std::vector<std::byte>& stream_of(Sample& sample) { return sample.frame.fragments.front(); }

Error refusal(const CompressedFrame& frame)
{
    const auto result = decoded(frame);
    return result.ok() ? Error{Code::internal, "decoded", ""} : result.error();
}

void put(std::vector<std::byte>& stream, std::size_t at, std::uint32_t value, std::size_t size)
{
    for (std::size_t i = 0; i < size; ++i) stream[at + i] = static_cast<std::byte>(value >> 8 * (size - 1 - i));
}

std::vector<std::byte> plain_jpeg_2000(Jpeg2000 how = {.precision = 12})
{
    return jpeg_2000(awkward_images(kColumns, kRows, 12, 1).back().second, kColumns, kRows, how);
}

// Places in the main header of a code stream: SOC, then SIZ, then COD (ITU-T T.800 A.5.1 and A.6.1).
constexpr std::size_t kWidth = 8, kTileWidth = 24, kTileHeight = 28, kPrecision = 42, kCodStyle = 49, kLayers = 51, kLevels = 54;

}  // namespace

TEST(HostileStreams, AreSoundBeforeTheyAreHarmed)
{
    for (const auto& sample : samples()) {
        const auto result = decoded(sample.frame);
        EXPECT_TRUE(result.ok()) << sample.name << ": " << result.error().message;
    }
}

TEST(HostileStreams, CutAnywhereBeforeTheirLastByteOfDataAreRefused)
{
    for (const auto& sample : samples()) {
        const auto& whole = sample.frame.fragments.front();
        // Behind the data stand the end marker, fill bytes before it and padding to an even length after it.
        auto data = whole.size();
        while (data > 0 && !(whole[data - 1] == std::byte{0xD9} && whole[data - 2] == std::byte{0xFF}) && !sample.name.starts_with("RLE")) --data;
        data -= sample.name.starts_with("RLE") ? 1 : 2;
        while (whole[data - 1] == std::byte{0xFF}) --data;
        for (std::size_t length = 0; length < data; length += 1 + (length < data - 50 ? length / 100 : 0)) {
            auto cut = sample;
            stream_of(cut).resize(length);
            const auto error = refusal(cut.frame);
            ASSERT_TRUE(error.code == Code::truncated_pixels || error.code == Code::malformed)
                << sample.name << " cut to " << length << " of " << whole.size() << ": " << error.message;
        }
    }
}

TEST(HostileStreams, WithFlippedBitsDecodeAsDcmtkDecodesThemOrAreRefused)
{
    int accepted = 0;
    int refused = 0;
    int agreed = 0;
    for (auto& sample : samples()) {
        for (unsigned seed = 0; seed < kTries; ++seed) {
            auto harmed = sample;
            stream_of(harmed) = with_flipped_bits(stream_of(sample), 1 + seed % 3, seed);
            const auto ours = decoded(harmed.frame);
            ++(ours.ok() ? accepted : refused);
            if (sample.name.starts_with("JPEG-LS") || sample.name.starts_with("JPEG 2000")) continue;  // DCMTK is no safe judge of these
            const auto trace = [&] { return sample.name + ", seed " + std::to_string(seed) + ": " + (ours.ok() ? "decoded" : ours.error().message); };
            if (ours.ok()) {
                // DCMTK also wants an end marker and sound segments where none is needed: it may refuse what we decode.
                const auto theirs = decoded_by_dcmtk(harmed.frame);
                ASSERT_TRUE(!theirs || *ours == *theirs) << trace();
                agreed += theirs.has_value();
            } else if (sample.jpeg_precision > 0) {
                // What the IJG library decodes without a warning is an image for us too, but for three things: it does not look for
                // bytes left over in a scan, nor at the header of the image, and it counts restart intervals by sampling factors,
                // which one component has not.
                const auto& why = ours.error().message;
                const bool stricter = std::ranges::any_of(std::array{"left over", "the header", "not whole rows"},
                                                          [&](const char* reason) { return why.find(reason) != std::string::npos; });
                const auto theirs = decoded_by_ijg(harmed.frame, sample.jpeg_precision);
                ASSERT_TRUE(!theirs || theirs->warned || stricter) << trace();
            }
        }
    }
    // A test that refuses or accepts nothing tests nothing.
    EXPECT_GT(agreed, 1000);
    EXPECT_GT(accepted, agreed);
    EXPECT_GT(refused, 1000);
}

TEST(HostileStreams, OfAnotherSizeThanTheHeaderAreRefused)
{
    for (const auto& sample : samples()) {
        for (const auto& [columns, rows] : {std::pair{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {kColumns, 0}, {0, 60000}}) {
            auto other = sample.frame;
            other.shape.columns += columns;
            other.shape.rows += rows;
            const auto error = refusal(other);
            const bool rle = sample.name.starts_with("RLE");  // says no size of its own, but holds too many or too few bytes
            EXPECT_TRUE(error.code == Code::malformed || (rle && (error.code == Code::truncated_pixels || columns < 0 || rows < 0)))
                << sample.name << ": " << error.message;
        }
    }
}

TEST(HostileStreams, OfColourOrAnotherDepthThanTheHeaderAreRefused)
{
    for (auto& sample : samples()) {
        auto colour = sample.frame;
        colour.shape.samples_per_pixel = 3;
        EXPECT_EQ(refusal(colour).code, Code::malformed) << sample.name;
        if (sample.frame.shape.bits_allocated == 8) continue;
        auto bytes = sample.frame;
        bytes.shape.bits_allocated = bytes.shape.bits_stored = 8;
        bytes.shape.high_bit = 7;
        EXPECT_EQ(refusal(bytes).code, Code::malformed) << sample.name;
    }
}

TEST(HostileStreams, EmptyOrOfTheWrongKindAreRefused)
{
    for (const auto& sample : samples()) {
        auto none = sample.frame;
        none.fragments.clear();
        EXPECT_EQ(refusal(none).code, Code::truncated_pixels) << sample.name;
        auto wrong = sample.frame;
        wrong.fragments = {std::vector<std::byte>(500, std::byte{0x41})};
        EXPECT_NE(refusal(wrong).message, "decoded") << sample.name;
    }
}

TEST(HostileStreams, OfSyntaxesWithoutADecoderAreRefusedByName)
{
    for (const auto& [uid, name] : {std::pair{"1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000"}, {"1.2.840.10008.1.2.4.110", "JPEG XL"},
                                    {"1.2.840.10008.1.2.4.102", "MPEG-4"}, {"1.2.3", "1.2.3"}}) {
        EXPECT_FALSE(ingest::can_decode(uid));
        const auto error = refusal(frame_of(uid, 16, std::vector<std::byte>(100)));
        EXPECT_EQ(error.code, Code::unsupported_syntax);
        EXPECT_THAT(error.message, HasSubstr(name));
    }
}

TEST(HostileJpeg2000, WithMoreTilesThanRoomIsRefusedBeforeItIsDecoded)
{
    auto stream = plain_jpeg_2000();
    put(stream, kTileWidth, 1, 4);
    put(stream, kTileHeight, 1, 4);
    EXPECT_THAT(refusal(frame_of("1.2.840.10008.1.2.4.90", 12, stream)).message, HasSubstr("more tiles"));
}

TEST(HostileJpeg2000, WithoutOneOfItsTilesIsRefused)
{
    auto stream = plain_jpeg_2000({.precision = 12, .tile = 16});
    // The last of six tiles calls itself the first.
    for (std::size_t i = 0; i + 12 < stream.size(); ++i) {
        if (stream[i] == std::byte{0xFF} && stream[i + 1] == std::byte{0x90} && stream[i + 5] == std::byte{5}) stream[i + 5] = std::byte{0};
    }
    EXPECT_THAT(refusal(frame_of("1.2.840.10008.1.2.4.90", 12, stream)).message, HasSubstr("lacks tile 5"));
}

TEST(HostileJpeg2000, AskingForMorePacketsThanItHasBytesIsRefused)
{
    auto layers = plain_jpeg_2000();
    put(layers, kLayers, 65535, 2);
    EXPECT_THAT(refusal(frame_of("1.2.840.10008.1.2.4.90", 12, layers)).message, HasSubstr("more packets"));

    auto precincts = plain_jpeg_2000({.precision = 12, .precinct = 128});
    ASSERT_EQ(precincts[kCodStyle], std::byte{1});
    const auto levels = std::to_integer<std::size_t>(precincts[kLevels]);
    for (std::size_t r = 0; r <= levels; ++r) precincts[kLevels + 5 + r] = std::byte{0};  // 1 x 1
    put(precincts, kLayers, 8, 2);
    EXPECT_THAT(refusal(frame_of("1.2.840.10008.1.2.4.90", 12, precincts)).message, HasSubstr("more packets"));
}

TEST(HostileJpeg2000, WithImpossibleHeadersIsRefused)
{
    const auto refused = [](std::size_t at, std::uint32_t value, std::size_t size) {
        auto stream = plain_jpeg_2000();
        put(stream, at, value, size);
        return refusal(frame_of("1.2.840.10008.1.2.4.90", 12, stream));
    };
    EXPECT_THAT(refused(kWidth, 0xFFFFFFFF, 4).message, HasSubstr("37 x 29"));
    EXPECT_THAT(refused(kTileWidth, 0, 4).message, HasSubstr("tile size"));
    EXPECT_THAT(refused(kPrecision, 37, 1).message, HasSubstr("38 bits"));
    EXPECT_THAT(refused(kLayers, 0, 2).message, HasSubstr("coding marker"));
    EXPECT_THAT(refused(kLevels, 33, 1).message, HasSubstr("coding marker"));
    EXPECT_EQ(refused(kLevels + 3, 0x40, 1).code, Code::unsupported_syntax);  // high-throughput block coding
}

TEST(HostileJpeg2000, InTheBoxesOfAFileIsReadLikeABareStream)
{
    const auto bare = plain_jpeg_2000();
    std::vector<std::byte> boxed(12 + 8);
    put(boxed, 0, 12, 4);
    put(boxed, 4, 0x6A502020, 4);
    put(boxed, 8, 0x0D0A870A, 4);
    put(boxed, 12, static_cast<std::uint32_t>(8 + bare.size()), 4);
    put(boxed, 16, 0x6A703263, 4);
    boxed.insert(boxed.end(), bare.begin(), bare.end());
    const auto expected = decoded(frame_of("1.2.840.10008.1.2.4.90", 12, bare));
    const auto found = decoded(frame_of("1.2.840.10008.1.2.4.90", 12, boxed));
    ASSERT_TRUE(expected.ok() && found.ok());
    EXPECT_EQ(*found, *expected);
}

TEST(HostileJpeg, OfThousandsOfScansIsRefusedBeforeItIsDecoded)
{
    auto frame = compressed_by_dcmtk(Pixels(kColumns * kRows, 9), frame_of("", 12, {}).shape, {.syntax = "1.2.840.10008.1.2.4.55"});
    auto& stream = frame.fragments.front();
    // Each repeats the refinement of one coefficient.
    const std::vector<std::byte> scan{std::byte{0xFF}, std::byte{0xDA}, std::byte{0}, std::byte{8}, std::byte{1},
                                      std::byte{1},    std::byte{0},    std::byte{1}, std::byte{1}, std::byte{0x10}, std::byte{0}};
    const auto end = stream.size() - 2;
    std::vector<std::byte> many(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(end));
    for (int i = 0; i < 5000; ++i) many.insert(many.end(), scan.begin(), scan.end());
    many.insert(many.end(), {std::byte{0xFF}, std::byte{0xD9}});
    stream = many;
    EXPECT_THAT(refusal(frame).message, HasSubstr("scans"));
}

TEST(HostileRle, WithSegmentsOutsideItsStreamIsRefused)
{
    const auto sound = samples().front();
    for (const auto& [at, value] : {std::pair<std::size_t, std::uint32_t>{0, 3}, {0, 0xFFFFFFFF}, {4, 0}, {4, 0xFFFFFFF0}, {8, 65}, {8, 0x7FFFFFFF}}) {
        auto harmed = sound;
        for (std::size_t i = 0; i < 4; ++i) stream_of(harmed)[at + i] = static_cast<std::byte>(value >> 8 * i);
        EXPECT_NE(refusal(harmed.frame).message, "decoded") << at << ' ' << value;
    }
}

}  // namespace retromass::test

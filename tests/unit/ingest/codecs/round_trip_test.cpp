#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/dcmtk_codecs.h"
#include "tests/support/stream_writers.h"

namespace retromass::test {
namespace {

constexpr std::pair<int, int> kSizes[] = {{1, 1}, {1, 9}, {9, 1}, {5, 4}, {33, 17}, {130, 3}};

ingest::FrameShape shape_of(int columns, int rows, int bits_allocated, int bits_stored, bool is_signed = false)
{
    return {columns, rows, bits_allocated, bits_stored, bits_stored - 1, is_signed, 1};
}

std::string said(const Result<Pixels>& result) { return result.ok() ? "decoded" : result.error().message; }

/// The stream cut into fragments of even length, as a file may hold it.
std::vector<std::vector<std::byte>> in_pieces(const std::vector<std::byte>& stream, std::size_t piece)
{
    std::vector<std::vector<std::byte>> pieces;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
        pieces.emplace_back(stream.begin() + static_cast<std::ptrdiff_t>(at),
                            stream.begin() + static_cast<std::ptrdiff_t>(std::min(stream.size(), at + piece)));
    }
    return pieces;
}

}  // namespace

TEST(JpegLossless, OfEveryDepthAndPredictorGivesBackItsPixelsAndThoseOfTheIjgLibrary)
{
    int compared = 0;
    for (int precision = 2; precision <= 16; ++precision) {
        for (int predictor = 1; predictor <= 7; ++predictor) {
            for (const auto& [columns, rows] : kSizes) {
                for (const auto& [name, pixels] : awkward_images(columns, rows, precision, static_cast<unsigned>(precision * 8 + predictor))) {
                    SCOPED_TRACE(std::to_string(precision) + " bits, predictor " + std::to_string(predictor) + ", " +
                                 std::to_string(columns) + " x " + std::to_string(rows) + ", " + name);
                    const bool long_codes = (precision + predictor) % 2;
                    const LosslessJpeg how{.precision = precision, .predictor = predictor, .restart_rows = predictor % 3, .long_codes = long_codes};
                    const CompressedFrame frame{"1.2.840.10008.1.2.4.57", shape_of(columns, rows, 16, precision),
                                                {lossless_jpeg(pixels, columns, rows, how)}};
                    const auto ours = decoded(frame);
                    ASSERT_TRUE(ours.ok()) << said(ours);
                    ASSERT_EQ(*ours, pixels);
                    const auto theirs = decoded_by_ijg(frame, precision);
                    ASSERT_TRUE(theirs);
                    ASSERT_FALSE(theirs->warned);
                    ASSERT_EQ(*ours, theirs->pixels);
                    ++compared;
                }
            }
        }
    }
    EXPECT_EQ(compared, 15 * 7 * 6 * 7);
}

TEST(JpegLossless, WithAPointTransformGivesTheUpperBits)
{
    for (const int precision : {4, 8, 12, 16}) {
        for (const int transform : {1, 3}) {
            for (const auto& [name, pixels] : awkward_images(21, 8, precision, 5)) {
                const LosslessJpeg how{.precision = precision, .predictor = 4, .point_transform = transform};
                const CompressedFrame frame{"1.2.840.10008.1.2.4.57", shape_of(21, 8, 16, precision), {lossless_jpeg(pixels, 21, 8, how)}};
                const auto ours = decoded(frame);
                ASSERT_TRUE(ours.ok()) << said(ours);
                for (std::size_t i = 0; i < pixels.size(); ++i) ASSERT_EQ((*ours)[i], pixels[i] >> transform << transform);
                const auto theirs = decoded_by_ijg(frame, precision);
                ASSERT_TRUE(theirs);
                ASSERT_EQ(*ours, theirs->pixels);
            }
        }
    }
}

TEST(JpegLossless, FromDcmtksEncoderGivesBackItsPixelsForEveryPredictor)
{
    for (int predictor = 1; predictor <= 7; ++predictor) {
        for (const int bits : {8, 16}) {
            for (const auto& [name, pixels] : awkward_images(64, 33, bits, 2)) {
                SCOPED_TRACE("predictor " + std::to_string(predictor) + ", " + std::to_string(bits) + " bits, " + name);
                const auto frame = compressed_by_dcmtk(pixels, shape_of(64, 33, bits, bits), {.syntax = "1.2.840.10008.1.2.4.57", .predictor = predictor});
                const auto ours = decoded(frame);
                ASSERT_TRUE(ours.ok()) << said(ours);
                EXPECT_EQ(*ours, pixels);
            }
        }
    }
}

TEST(JpegLossless, InAnyNumberOfFragmentsIsTheSameImage)
{
    const auto pixels = awkward_images(64, 33, 12, 1).back().second;
    const auto stream = lossless_jpeg(pixels, 64, 33, {.precision = 12});
    for (const std::size_t piece : {std::size_t{2}, std::size_t{50}, stream.size() / 2 + 1}) {
        const CompressedFrame frame{"1.2.840.10008.1.2.4.70", shape_of(64, 33, 16, 12), in_pieces(stream, piece)};
        const auto ours = decoded(frame);
        ASSERT_TRUE(ours.ok()) << said(ours);
        EXPECT_EQ(*ours, pixels);
    }
}

TEST(Rle, FromDcmtksEncoderGivesBackItsPixels)
{
    for (const int bits : {8, 16}) {
        for (const auto& [columns, rows] : kSizes) {
            for (const auto& [name, pixels] : awkward_images(columns, rows, bits, 3)) {
                SCOPED_TRACE(std::to_string(bits) + " bits, " + std::to_string(columns) + " x " + std::to_string(rows) + ", " + name);
                const auto whole = compressed_by_dcmtk(pixels, shape_of(columns, rows, bits, bits), {.syntax = "1.2.840.10008.1.2.5"});
                ASSERT_EQ(whole.fragments.size(), 1u);
                for (const std::size_t piece : {std::size_t{64}, std::size_t{1} << 20}) {
                    const CompressedFrame frame{whole.syntax, whole.shape, in_pieces(whole.fragments.front(), piece)};
                    const auto ours = decoded(frame);
                    ASSERT_TRUE(ours.ok()) << said(ours);
                    ASSERT_EQ(*ours, pixels);
                }
            }
        }
    }
}

TEST(JpegLs, OfEveryDepthGivesBackItsPixels)
{
    for (int bits = 2; bits <= 16; ++bits) {
        for (const auto& [columns, rows] : kSizes) {
            for (const auto& [name, pixels] : awkward_images(columns, rows, bits, 4)) {
                SCOPED_TRACE(std::to_string(bits) + " bits, " + std::to_string(columns) + " x " + std::to_string(rows) + ", " + name);
                const auto stream = jpeg_ls(pixels, columns, rows, bits, 0);
                for (const std::size_t piece : {std::size_t{16}, stream.size()}) {
                    const auto ours = decoded({"1.2.840.10008.1.2.4.80", shape_of(columns, rows, 16, bits), in_pieces(stream, piece)});
                    ASSERT_TRUE(ours.ok()) << said(ours);
                    ASSERT_EQ(*ours, pixels);
                }
            }
        }
    }
}

TEST(JpegLs, NearLosslessDecodesAsDcmtkDecodesItWithinItsError)
{
    for (const auto& [name, pixels] : awkward_images(65, 40, 12, 6)) {
        SCOPED_TRACE(name);
        const CompressedFrame frame{"1.2.840.10008.1.2.4.81", shape_of(65, 40, 16, 12), {jpeg_ls(pixels, 65, 40, 12, 3)}};
        const auto ours = decoded(frame);
        ASSERT_TRUE(ours.ok()) << said(ours);
        EXPECT_EQ(*ours, decoded_by_dcmtk(frame));
        for (std::size_t i = 0; i < pixels.size(); ++i) ASSERT_LE(std::abs((*ours)[i] - pixels[i]), 3);
    }
}

TEST(JpegLs, OfLargerImagesWithRunsDecodesAsDcmtkDecodesItAtEveryError)
{
    for (const int bits : {8, 10, 12, 16}) {
        for (const int near : {0, 1, 2, 7}) {
            for (const auto& [name, pixels] : awkward_images(300, 200, bits, static_cast<unsigned>(bits + near))) {
                SCOPED_TRACE(std::to_string(bits) + " bits, error " + std::to_string(near) + ", " + name);
                const CompressedFrame frame{"1.2.840.10008.1.2.4.81", shape_of(300, 200, bits > 8 ? 16 : 8, bits), {jpeg_ls(pixels, 300, 200, bits, near)}};
                const auto ours = decoded(frame);
                ASSERT_TRUE(ours.ok()) << said(ours);
                EXPECT_EQ(*ours, decoded_by_dcmtk(frame));
                for (std::size_t i = 0; i < pixels.size(); ++i) ASSERT_LE(std::abs((*ours)[i] - pixels[i]), near);
            }
        }
    }
}

TEST(JpegLs, WithPresetParametersGivesBackItsPixels)
{
    for (const auto& [name, pixels] : awkward_images(90, 70, 10, 3)) {
        SCOPED_TRACE(name);
        // MAXVAL, T1, T2, T3, RESET; 0 = default
        for (const auto& preset : {std::array{0, 0, 0, 0, 3}, std::array{1023, 5, 9, 40, 255}, std::array{0, 1, 1, 1, 0}, std::array{0, 900, 1023, 1023, 31}}) {
            const auto ours = decoded({"1.2.840.10008.1.2.4.80", shape_of(90, 70, 16, 10), {jpeg_ls(pixels, 90, 70, 10, 0, preset)}});
            ASSERT_TRUE(ours.ok()) << said(ours);
            EXPECT_EQ(*ours, pixels);
        }
    }
}

TEST(LossyJpeg, OfEightAndTwelveBitsDecodesAsDcmtkDecodesIt)
{
    for (const auto& [syntax, bits] : {std::pair{"1.2.840.10008.1.2.4.50", 8}, {"1.2.840.10008.1.2.4.51", 12},
                                       {"1.2.840.10008.1.2.4.53", 12}, {"1.2.840.10008.1.2.4.55", 12}}) {
        for (const auto& [columns, rows] : kSizes) {
            const auto pixels = awkward_images(columns, rows, bits, 7).back().second;
            SCOPED_TRACE(std::string(syntax) + ", " + std::to_string(columns) + " x " + std::to_string(rows));
            const auto frame = compressed_by_dcmtk(pixels, shape_of(columns, rows, bits > 8 ? 16 : 8, bits), {.syntax = syntax});
            const auto ours = decoded(frame);
            ASSERT_TRUE(ours.ok()) << said(ours);
            const auto theirs = decoded_by_dcmtk(frame);
            ASSERT_TRUE(theirs);
            EXPECT_EQ(*ours, *theirs);
        }
    }
}

TEST(Jpeg2000, GivesBackItsPixelsForEveryDepthWithTilesPrecinctsAndLayers)
{
    for (int precision = 2; precision <= 16; ++precision) {
        for (const auto& [columns, rows] : kSizes) {
            for (const auto& [name, pixels] : awkward_images(columns, rows, precision, 8)) {
                SCOPED_TRACE(std::to_string(precision) + " bits, " + std::to_string(columns) + " x " + std::to_string(rows) + ", " + name);
                const Jpeg2000 how{.precision = precision, .tile = precision % 2 ? 16 : 0, .precinct = precision % 3 ? 0 : 64, .layers = 1 + precision % 4};
                const CompressedFrame frame{"1.2.840.10008.1.2.4.90", shape_of(columns, rows, 16, precision), {jpeg_2000(pixels, columns, rows, how)}};
                const auto ours = decoded(frame);
                ASSERT_TRUE(ours.ok()) << said(ours);
                ASSERT_EQ(*ours, pixels);
            }
        }
    }
}

TEST(Jpeg2000, IsSignedWhereTheHeaderSaysSoWhateverTheStreamSays)
{
    // -5 in 13 bits is 0x1FFB; a cell of 16 bits holds it as 0xFFFB.
    const Pixels as_stream(64, 0x1FFB);
    for (const bool stream_is_signed : {false, true}) {
        const auto stream = jpeg_2000(as_stream, 8, 8, {.precision = 13, .is_signed = stream_is_signed});
        const auto as_signed = decoded({"1.2.840.10008.1.2.4.90", shape_of(8, 8, 16, 16, true), {stream}});
        ASSERT_TRUE(as_signed.ok()) << said(as_signed);
        EXPECT_EQ(as_signed->front(), 0xFFFB);
        const auto as_unsigned = decoded({"1.2.840.10008.1.2.4.90", shape_of(8, 8, 16, 16, false), {stream}});
        ASSERT_TRUE(as_unsigned.ok()) << said(as_unsigned);
        EXPECT_EQ(as_unsigned->front(), 0x1FFB);
    }
}

TEST(Jpeg2000, IsRefusedWhereBitsStoredWouldCutAValue)
{
    Pixels pixels(64, 4095);
    const auto fits = decoded({"1.2.840.10008.1.2.4.90", shape_of(8, 8, 16, 12), {jpeg_2000(pixels, 8, 8, {.precision = 16})}});
    ASSERT_TRUE(fits.ok()) << said(fits);
    EXPECT_EQ(*fits, pixels);
    pixels[40] = 4096;
    const auto cut = decoded({"1.2.840.10008.1.2.4.90", shape_of(8, 8, 16, 12), {jpeg_2000(pixels, 8, 8, {.precision = 16})}});
    ASSERT_FALSE(cut.ok());
    EXPECT_EQ(cut.error().code, Code::malformed);
    EXPECT_NE(cut.error().message.find("4096"), std::string::npos) << cut.error().message;
}

TEST(Jpeg2000, LossyStaysCloseToItsImage)
{
    const auto pixels = awkward_images(128, 96, 12, 9).back().second;
    const auto ours = decoded({"1.2.840.10008.1.2.4.91", shape_of(128, 96, 16, 12), {jpeg_2000(pixels, 128, 96, {.precision = 12, .ratio = 4})}});
    ASSERT_TRUE(ours.ok()) << said(ours);
    double squares = 0;
    for (std::size_t i = 0; i < pixels.size(); ++i) squares += std::pow((*ours)[i] - pixels[i], 2);
    // The image is a disc of 2457 on 409 with uniform noise of 64 steps (standard deviation 18.5): four to one costs less than the noise.
    EXPECT_LT(std::sqrt(squares / static_cast<double>(pixels.size())), 18.5);
}

}  // namespace retromass::test

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/dcmtk_codecs.h"
#include "tests/support/real_data.h"

namespace retromass::test {
namespace {

namespace fs = std::filesystem;
using testing::StartsWith;

std::vector<fs::path> files_below(const fs::path& folder)
{
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::ranges::sort(files);
    return files;
}

bool is_jpeg_2000(const std::string& syntax) { return syntax.ends_with(".4.90") || syntax.ends_with(".4.91"); }

}  // namespace

TEST(RealStreams, OfOneImageInEverySyntaxGiveThePixelsOfTheManifest)
{
    const fs::path folder = data_folder() / "quirks" / "11_transfer_syntaxes_same_CT" / "cwil_CTImage";
    RETROMASS_NEEDS_DATA("quirks/11_transfer_syntaxes_same_CT/cwil_CTImage");
    struct Expected {
        const char* suffix;
        const char* md5;
    };
    // MD5 of the decoded pixels by two other libraries (manifest of the collection, folder 11).
    const Expected expected[] = {
        {"RLELosslessTransferSyntax_1.2.840.10008.1.2.5", "0aa7fb0355"},
        {"JPEGProcess14TransferSyntax_1.2.840.10008.1.2.4.57", "0aa7fb0355"},
        {"JPEGProcess14SV1TransferSyntax_1.2.840.10008.1.2.4.70", "0aa7fb0355"},
        {"JPEGLSLosslessTransferSyntax_1.2.840.10008.1.2.4.80", "0aa7fb0355"},
        {"JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90", "0aa7fb0355"},
        {"JPEG2000TransferSyntax_1.2.840.10008.1.2.4.91", "701b2d9b48"},
        {"JPEGLSLossyTransferSyntax_1.2.840.10008.1.2.4.81", "8a333bbe13"},
        {"JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51", "d6f64cfeba"},
        {"JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53", "d6f64cfeba"},
        {"JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55", "d6f64cfeba"},
    };
    for (const auto& [suffix, md5] : expected) {
        SCOPED_TRACE(suffix);
        const auto frames = frames_of(folder / ("CTImage.dcm_" + std::string(suffix) + ".dcm"));
        ASSERT_EQ(frames.size(), 1u);
        const auto pixels = decoded(frames.front());
        ASSERT_TRUE(pixels.ok()) << pixels.error().message;
        EXPECT_THAT(md5_of(*pixels, frames.front().shape.bits_allocated), StartsWith(md5));
    }
}

TEST(RealStreams, InFragmentsWithAndWithoutOffsetTableGiveTheSamePixels)
{
    const fs::path folder = data_folder() / "quirks" / "11_transfer_syntaxes_same_CT" / "fragmented_jpegls";
    RETROMASS_NEEDS_DATA("quirks/11_transfer_syntaxes_same_CT/fragmented_jpegls");
    std::size_t most_fragments = 0;
    for (const auto& file : files_below(folder)) {
        if (file.extension() != ".dcm" || file.filename().string().find("explicit_little_endian") != std::string::npos) continue;
        SCOPED_TRACE(file.filename().string());
        const auto frames = frames_of(file);
        ASSERT_EQ(frames.size(), 1u);
        const auto pixels = decoded(frames.front());
        ASSERT_TRUE(pixels.ok()) << pixels.error().message;
        EXPECT_THAT(md5_of(*pixels, 16), StartsWith("f3a3d0e739"));  // manifest, folder 11
        most_fragments = std::max(most_fragments, frames.front().fragments.size());
    }
    EXPECT_GT(most_fragments, 1u);
}

TEST(RealStreams, OfTheWholeCollectionDecodeAsDcmtkDecodesThem)
{
    RETROMASS_NEEDS_DATA("quirks");
    std::size_t compared = 0;
    for (const char* const folder : {"10_enhanced_multiframe", "11_transfer_syntaxes_same_CT", "12_pixel_bits_padding",
                                     "14_no_meta_wrong_meta_bad_headers", "16_DICOMDIR_variants", "20_patientposition_FFS_real"}) {
        if (!fs::exists(data_folder() / "quirks" / folder)) continue;
        for (const auto& file : files_below(data_folder() / "quirks" / folder)) {
            SCOPED_TRACE(file.string());
            int index = 0;
            for (const auto& frame : frames_of(file)) {
                SCOPED_TRACE("frame " + std::to_string(index++));
                if (frame.shape.samples_per_pixel != 1 || is_jpeg_2000(frame.syntax)) continue;
                const auto theirs = decoded_by_dcmtk(frame);
                const auto ours = decoded(frame);
                ASSERT_EQ(ours.ok(), theirs.has_value()) << (ours.ok() ? "DCMTK refuses it" : ours.error().message);
                if (!theirs) continue;
                EXPECT_EQ(*ours, *theirs);
                ++compared;
            }
        }
    }
    RecordProperty("frames", static_cast<int>(compared));
    EXPECT_GE(compared, 12u);  // folder 11 alone has this many
}

TEST(RealStreams, OfJpeg2000TakeDepthFromTheStreamAndSignFromTheHeader)
{
    const fs::path folder = data_folder() / "quirks" / "12_pixel_bits_padding";
    RETROMASS_NEEDS_DATA("quirks/12_pixel_bits_padding");
    struct Expected {
        const char* file;
        int lowest;
        int greatest;
    };
    // HU by another reader (manifest, folder 12); slope 1 and the intercept below lead back to stored values.
    for (const auto& [file, lowest, greatest, intercept] : {std::tuple{"J2K_pixelrep_mismatch.dcm", -2000, 1896, 0},
                                                            std::tuple{"693_J2KR.dcm", -3024, 1468, -1024}}) {
        if (!fs::exists(folder / file)) continue;
        SCOPED_TRACE(file);
        const auto frames = frames_of(folder / file);
        ASSERT_EQ(frames.size(), 1u);
        const auto& shape = frames.front().shape;
        ASSERT_TRUE(shape.is_signed);
        const auto pixels = decoded(frames.front());
        ASSERT_TRUE(pixels.ok()) << pixels.error().message;
        const auto value = [](std::uint16_t cell) { return static_cast<int>(static_cast<std::int16_t>(cell)); };
        const auto [low, high] = std::ranges::minmax_element(*pixels, {}, value);
        EXPECT_EQ(value(*low) + intercept, lowest);
        EXPECT_EQ(value(*high) + intercept, greatest);
    }
}

}  // namespace retromass::test

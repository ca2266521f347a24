// Single images of the collection: too few for a volume, so their pixels are decoded one by one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "pipeline/ingest/header.h"
#include "pipeline/ingest/pixels.h"
#include "tests/support/real_data.h"

namespace retromass::ingest {
namespace {

namespace fs = std::filesystem;

/// HU of the only image of a file, padding marked.
std::vector<std::int16_t> hu_of(const fs::path& file)
{
    auto read = read_headers(file);
    if (!read || read->images.size() != 1) {
        ADD_FAILURE() << file << ": " << (read ? "not one image" : read.error().message);
        return {};
    }
    auto& image = read->images[0];
    EXPECT_FALSE(image.problem) << image.problem_text;
    image.source.file = file;
    std::vector<std::int16_t> hu(static_cast<std::size_t>(image.rows) * static_cast<std::size_t>(image.columns));
    const auto status = SliceDecoder().decode(image.source, image.columns, image.rows, hu);
    EXPECT_TRUE(status.ok()) << status.error().message;
    return hu;
}

int most(const std::vector<std::int16_t>& hu) { return hu.empty() ? 0 : *std::max_element(hu.begin(), hu.end()); }

int least_measured(const std::vector<std::int16_t>& hu)
{
    int out = 32767;
    for (const auto v : hu) {
        if (v != kPaddingHu) out = std::min<int>(out, v);
    }
    return out;
}

}  // namespace

TEST(QuirkPixels, OneImageInSixteenSyntaxesIsOneImage)
{
    RETROMASS_NEEDS_DATA("quirks/11_transfer_syntaxes_same_CT/cwil_CTImage");
    const auto folder = test::data_folder() / "quirks/11_transfer_syntaxes_same_CT/cwil_CTImage";
    const auto plain = hu_of(folder / "CTImage.dcm");
    ASSERT_FALSE(plain.empty());
    int lossless = 0;
    int lossy = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
        const auto name = entry.path().filename().string();
        SCOPED_TRACE(name);
        const auto read = read_headers(entry.path());
        if (!read || read->no_image) continue;  // a text beside the images
        const auto hu = hu_of(entry.path());
        ASSERT_EQ(hu.size(), plain.size());
        const bool exact = hu == plain;
        // The manifest: .81, .91 and JPEG of 8 and 12 bits lose, all others have the same pixels.
        const auto& syntax = read->images[0].source.stored.transfer_syntax;
        const std::vector<std::string> lossy_ends{".4.50", ".4.51", ".4.53", ".4.55", ".4.81", ".4.91"};
        const bool loses = std::any_of(lossy_ends.begin(), lossy_ends.end(), [&](const auto& end) { return syntax.ends_with(end); });
        EXPECT_EQ(read->images[0].lossy, loses);
        if (!loses) {
            EXPECT_TRUE(exact);
            ++lossless;
            continue;
        }
        // Each lossy file maps its own stored values: still the same patient in HU.
        double sum = 0;
        for (std::size_t i = 0; i < hu.size(); ++i) {
            if (hu[i] != kPaddingHu && plain[i] != kPaddingHu) sum += std::abs(hu[i] - plain[i]);
        }
        EXPECT_LT(sum / static_cast<double>(hu.size()), 40) << "8 bits for 8191 values are 32 HU a step";
        ++lossy;
    }
    EXPECT_GE(lossless, 8);
    EXPECT_GE(lossy, 5);
}

TEST(QuirkPixels, BitsSignsAndPaddingGiveTheRangesOfTheManifest)
{
    RETROMASS_NEEDS_DATA("quirks/12_pixel_bits_padding");
    const auto folder = test::data_folder() / "quirks/12_pixel_bits_padding";
    struct Range {
        const char* file;
        int most;
        int least;  ///< of the manifest, padding included
    };
    for (const auto& range : {Range{"693_UNCR.dcm", 1468, -3024}, Range{"693_J2KR.dcm", 1468, -3024}, Range{"693_UNCI.dcm", 1812, -3995}, Range{"SignedCT.dcm", 3018, -3024},
                              Range{"GH1308.dcm", 1376, -3024}, Range{"J2K_pixelrep_mismatch.dcm", 1896, -2000}, Range{"ct.0.dcm", 1457, -1000}}) {
        if (!fs::exists(folder / range.file)) continue;
        SCOPED_TRACE(range.file);
        const auto hu = hu_of(folder / range.file);
        EXPECT_EQ(most(hu), range.most);
        EXPECT_GE(least_measured(hu), range.least);
        if (std::find(hu.begin(), hu.end(), kPaddingHu) == hu.end()) {
            EXPECT_EQ(least_measured(hu), range.least);
        }
    }
    if (fs::exists(folder / "693_J2KR.dcm")) {
        EXPECT_EQ(hu_of(folder / "693_J2KR.dcm"), hu_of(folder / "693_UNCR.dcm")) << "the same image, JPEG 2000 without loss";
    }
}

TEST(QuirkPixels, BadHeadersStillGiveTheirPixels)
{
    RETROMASS_NEEDS_DATA("quirks/14_no_meta_wrong_meta_bad_headers");
    const auto folder = test::data_folder() / "quirks/14_no_meta_wrong_meta_bad_headers";
    for (const char* file : {"54-implicit-file-meta-info.dcm", "CT-JPEGLosslessSV1.dcm", "CT_small.dcm", "bad_sequence.dcm", "explicit_VR-UN.dcm", "D_CLUNIE_CT1_RLE_FRAGS.dcm"}) {
        if (!fs::exists(folder / file)) continue;
        SCOPED_TRACE(file);
        EXPECT_GT(most(hu_of(folder / file)), -1000);
    }
}

}  // namespace retromass::ingest

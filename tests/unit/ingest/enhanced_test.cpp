#include <fstream>
#include <random>

#include "tests/unit/ingest/built_series.h"

namespace retromass::ingest {
namespace {

namespace fs = std::filesystem;
using test::BuiltImage;
using test::DicomBuilder;
using test::Writing;
using enum Code;

}  // namespace

namespace {

/// One enhanced image (or several) in a folder, scanned.
Scan scanned_enhanced(const std::vector<BuiltImage>& images, Writing writing = Writing::explicit_little)
{
    DicomBuilder files;
    files.images = images;
    return scanned(files, {}, writing);
}

std::vector<int> shuffled_order(int count)
{
    std::vector<int> order(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) order[static_cast<std::size_t>(i)] = i;
    std::shuffle(order.begin(), order.end(), std::mt19937(11));
    return order;
}

}  // namespace

TEST(EnhancedCt, FramesInAnyOrderGiveTheClassicSeries)
{
    for (const auto writing : {Writing::explicit_little, Writing::implicit_little, Writing::explicit_big, Writing::deflated, Writing::undefined_lengths}) {
        SCOPED_TRACE(static_cast<int>(writing));
        DicomBuilder file;
        file.images = {DicomBuilder::enhanced(ct(), shuffled_order(kSlices))};
        const auto read = loaded(file, writing);
        expect_the_built_values(read);
        EXPECT_EQ(read.facts.slice_thickness_mm, 2.0);
    }
}

TEST(EnhancedCt, AHoleBetweenItsFramesIsALostSlice)
{
    EXPECT_EQ(refusal(scanned_enhanced({DicomBuilder::enhanced(ct(), {0, 1, 2, 3, 4, 6, 7, 8})})), missing_slices);
}

TEST(EnhancedCt, TemporalPositionsAreTwoVolumes)
{
    auto two = ct();
    auto later = ct();
    later.each([](BuiltImage& image, int k) { image.pixels(std::vector<std::uint16_t>(120, static_cast<std::uint16_t>(500 + k))); });
    const auto stamp = [](int index) {
        return [index](BuiltImage& image, int) { image.elements[0x00209128] = {"UL", std::string{static_cast<char>(index), 0, 0, 0}, {}}; };
    };
    two.each(stamp(1));
    later.each(stamp(2));
    two.and_also(later);
    const auto found = scanned_enhanced({DicomBuilder::enhanced(two, shuffled_order(2 * kSlices))});
    ASSERT_EQ(found.series.size(), 2u);
    for (const auto& volume : found.series) EXPECT_EQ(volume.geometry.size().slices, kSlices);
}

TEST(EnhancedCt, PartsOfAConcatenationAreOneVolumeAndAMissingPartIsRefused)
{
    std::vector<int> low;
    std::vector<int> high;
    for (int k = 0; k < kSlices; ++k) (k < kSlices / 2 ? low : high).push_back(k);
    const auto part = [&](const std::vector<int>& order, const char* uid) {
        auto image = DicomBuilder::enhanced(ct(), order);
        return image.text(0x00080018, "UI", uid).text(0x00209161, "UI", "1.2.3.7").us(0x00209163, 2);
    };
    DicomBuilder both;
    both.images = {part(high, "1.2.3.9.2"), part(low, "1.2.3.9.1")};
    expect_the_built_values(loaded(both));
    EXPECT_EQ(refusal(scanned_enhanced({part(low, "1.2.3.9.1")})), missing_slices);
}

TEST(EnhancedCt, FramesThatAreNotAllDescribedOrNotAllThereAreSetAside)
{
    auto image = DicomBuilder::enhanced(ct(), shuffled_order(kSlices));
    auto more = image;
    more.text(0x00280008, "IS", "25");
    EXPECT_EQ(excluded(scanned_enhanced({more}), no_geometry), 1);
    auto shorter = image;
    shorter.elements[0x7FE00010].bytes.resize(2000);
    EXPECT_EQ(refusal(scanned_enhanced({shorter})), truncated_pixels);
    auto classic = ct(1).images[0];
    classic.text(0x00280008, "IS", "3");
    EXPECT_EQ(excluded(scanned_enhanced({classic}), unsupported_syntax), 1);
}

// DICOMDIR (31)

TEST(Dicomdir, IsFollowedWhateverTheMediumMadeOfTheNamesAndNeverOutOfItsFolder)
{
    const test::Scratch scratch;
    const auto disc = scratch.path() / "disc";
    ct().write_to(disc / "images");
    for (int i = 0; i < kSlices; ++i) fs::rename(disc / "images" / ("image" + std::to_string(i)), disc / "images" / ("im" + std::to_string(i) + (i % 2 ? ".dcm" : ";1")));
    ct(1).with(0x00080018, "UI", "1.2.3.4.999").with(0x0020000E, "UI", "1.2.3.22").write_to(scratch.path() / "outside");
    ct(1).with(0x0020000E, "UI", "1.2.3.23").write_to(disc / "unlisted");
    std::vector<BuiltImage> records;
    const auto record = [&](const std::string& id) {
        BuiltImage r;
        r.text(0x00041430, "CS", "IMAGE").text(0x00041500, "CS", id);
        records.push_back(r);
    };
    for (int i = 0; i < kSlices; ++i) record("IMAGES\\IM" + std::to_string(i));
    record("IMAGES\\GONE");
    record("..\\outside\\image0");
    record("IMAGES/../../outside/image0");
    BuiltImage directory;
    directory.sequence(0x00041220, records);
    std::ofstream(disc / "DICOMDIR", std::ios::binary) << test::file_of(directory);
    fs::create_symlink(scratch.path() / "outside" / "image0", disc / "images" / "link");
    const auto found = scan({disc / "DICOMDIR"});
    ASSERT_TRUE(found.ok());
    ASSERT_EQ(found->series.size(), 1u) << "only what the DICOMDIR lists";
    EXPECT_EQ(found->series[0].geometry.size().slices, kSlices);
    EXPECT_EQ(excluded(*found, missing_dicomdir_target), 1);
    EXPECT_EQ(excluded(*found, malformed), 1) << "paths out of the folder";
}

}  // namespace retromass::ingest

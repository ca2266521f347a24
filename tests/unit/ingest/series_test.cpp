#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "pipeline/ingest/ingest.h"
#include "sample_data/phantom.h"
#include "tests/support/scratch.h"

namespace retromass::ingest {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A ball of 24 mm on 40 slices of 2 mm, written as DICOM.
fs::path ball(const test::Scratch& scratch, const std::string& name, double tilt_deg = 0, bool lossless_jpeg = true)
{
    sample_data::ShapeSpecification shape;
    shape.size_mm = {24, 24, 24};
    shape.grid = {32, 32, 40};
    shape.slice_spacing_mm = 2;
    shape.gantry_tilt_deg = tilt_deg;
    shape.noise_hu = 10;
    const auto phantom = sample_data::make_shape(shape);
    EXPECT_TRUE(phantom.ok());
    sample_data::DicomDescription d;
    d.uid_seed = name;
    d.date = *parse_date("2020-01-01");
    d.lossless_jpeg = lossless_jpeg;
    EXPECT_TRUE(sample_data::write_dicom(scratch.path() / name, phantom->ct, d).ok());
    return scratch.path() / name;
}

SeriesCandidate only_series(const fs::path& folder, const ScanParameters& parameters = {})
{
    const auto found = scan({folder}, parameters);
    EXPECT_TRUE(found.ok());
    EXPECT_EQ(found->series.size(), 1u);
    return found->series.at(0);
}

}  // namespace

TEST(LoadedSeries, HoldsTheHuThatWereWrittenWhicheverTransferSyntax)
{
    const test::Scratch scratch;
    sample_data::ShapeSpecification shape;
    shape.size_mm = {24, 24, 24};
    shape.grid = {32, 32, 40};
    shape.slice_spacing_mm = 2;
    shape.noise_hu = 10;
    const auto truth = sample_data::make_shape(shape);
    for (const bool jpeg : {true, false}) {
        const auto series = only_series(ball(scratch, jpeg ? "jpeg" : "plain", 0, jpeg));
        ASSERT_FALSE(series.refused) << series.refused->message;
        EXPECT_TRUE(series.eligible) << series.why_not_eligible;
        const auto loaded = load(series);
        ASSERT_TRUE(loaded.ok()) << loaded.error().message;
        EXPECT_TRUE(std::equal(loaded->volume.hu.values().begin(), loaded->volume.hu.values().end(), truth->ct.hu.values().begin()));
        EXPECT_TRUE(loaded->facts.synthetic);
    }
}

TEST(ScannedSeries, IsTheSameWhateverItsFilesAreCalled)
{
    const test::Scratch scratch;
    const auto folder = ball(scratch, "ball");
    const auto before = load(only_series(folder));
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (std::size_t i = 0; i < files.size(); ++i) fs::rename(files[i], folder / ("x" + std::to_string(1000 - i * 7 % 997)));
    const auto after = load(only_series(folder), 1);
    ASSERT_TRUE(before.ok() && after.ok());
    EXPECT_EQ(before->volume.geometry, after->volume.geometry);
    EXPECT_TRUE(std::equal(before->volume.hu.values().begin(), before->volume.hu.values().end(), after->volume.hu.values().begin()));
}

TEST(ScannedSeries, WithAMissingSliceIsRefusedByPlaceAndCanBeAccepted)
{
    const test::Scratch scratch;
    const auto folder = ball(scratch, "ball");
    fs::remove(folder / "CT00011.dcm");
    const auto refused = only_series(folder);
    ASSERT_TRUE(refused.refused.has_value());
    EXPECT_EQ(refused.refused->code, Code::missing_slices);
    EXPECT_THAT(refused.refused->message, HasSubstr("after slice 10"));
    EXPECT_THAT(refused.refused->message, HasSubstr("4.00 mm"));
    ScanParameters accepting;
    accepting.accepted = {Code::missing_slices};
    const auto accepted = only_series(folder, accepting);
    EXPECT_FALSE(accepted.refused.has_value());
    EXPECT_TRUE(has(accepted.notices, Code::missing_slices));
    EXPECT_FALSE(accepted.geometry.slice_spacing_mm().has_value()) << "a hole has no one spacing";
}

TEST(ScannedSeries, OfATiltedGantryKeepsItsShearAndSaysSo)
{
    const test::Scratch scratch;
    const auto series = only_series(ball(scratch, "tilted", 18.5));
    ASSERT_FALSE(series.refused) << series.refused->message;
    EXPECT_TRUE(has(series.notices, Code::gantry_tilt));
    EXPECT_NEAR(series.geometry.tilt_deg(), 18.5, 1e-4);           // positions are written with ten digits
    EXPECT_NEAR(*series.geometry.slice_spacing_mm(), 2, 1e-4);   // along the normal, not the couch
}

TEST(ScannedSeries, SetsAsideTheSameImageAgainAndWhatIsNoDicom)
{
    const test::Scratch scratch;
    const auto folder = ball(scratch, "ball");
    fs::copy_file(folder / "CT00005.dcm", folder / "again.dcm");
    scratch.write("ball/notes.txt", "not an image");
    const auto found = scan({folder});
    ASSERT_TRUE(found.ok());
    ASSERT_EQ(found->excluded.size(), 2u);
    EXPECT_FALSE(found->series.at(0).refused.has_value());
    std::vector<Code> codes{found->excluded[0].code, found->excluded[1].code};
    EXPECT_THAT(codes, testing::UnorderedElementsAre(Code::duplicate_file, Code::not_dicom));
}

TEST(Scan, OfAPathThatIsNotThereFailsByName)
{
    const auto found = scan({"/no/such/folder"});
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().code, Code::io);
}

TEST(Load, StopsWhenAskedTo)
{
    const test::Scratch scratch;
    const auto loaded = load(only_series(ball(scratch, "ball")), 1, [](std::string_view, double) { return false; });
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.error().code, Code::cancelled);
}

}  // namespace retromass::ingest

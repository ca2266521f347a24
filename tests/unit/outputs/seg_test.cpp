#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

#include "pipeline/outputs/outputs.h"
#include "tests/support/real_data.h"
#include "tests/support/scratch.h"
#include "tests/unit/outputs/dcmtk/ct_files.h"
#include "tests/unit/outputs/sample_case.h"

namespace retromass {
namespace {

struct Written {
    ingest::CtSeries ct;
    Mask mask;
    std::filesystem::path file;
};

Written written(const test::Scratch& scratch, const VolumeGeometry& geometry)
{
    Written out{test::write_ct(scratch.path() / "ct", {geometry, Grid<std::int16_t>(geometry.size(), 40)}, "seg", "2013-03-15"), Mask(geometry.size()), scratch.path() / "seg.dcm"};
    for (int k = 2; k < 5; ++k) {
        for (int r = 3; r < 7; ++r) {
            for (int c = 4; c < 6 + k; ++c) out.mask.at(c, r, k) = 1;
        }
    }
    const auto status = outputs::write_seg(out.file, out.ct, {&out.mask}, {{"T1", outputs::derived_uid("t"), "retroperitoneum"}});
    EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message);
    return out;
}

/// 13 x 11 pixels: frames are not a whole number of bytes, as packing must stand.
VolumeGeometry odd_grid() { return VolumeGeometry::axial({13, 11, 8}, 0.7, 0.9, 3, {-10.5, 20.25, -300}); }

VolumeGeometry tilted_grid()
{
    std::vector<PatientPoint> origins;
    for (int k = 0; k < 8; ++k) origins.push_back({0, 1.1 * k, 3.0 * k});
    return *VolumeGeometry::from_slices(13, 11, {1, 0, 0}, {0, 1, 0}, 0.7, 0.7, origins);
}

void expect_reads_back(const Written& seg)
{
    const auto labels = ingest::read_labels(seg.file);
    ASSERT_TRUE(labels.ok()) << labels.error().message;
    ASSERT_EQ(labels->present.size(), 1U);
    EXPECT_EQ(labels->present[0].name, "T1");
    const auto laid = ingest::on_grid(*labels, seg.ct.volume.geometry);
    ASSERT_TRUE(laid.ok()) << laid.error().message;
    for (std::size_t i = 0; i < seg.mask.values().size(); ++i) ASSERT_EQ((*laid)[i] != 0, seg.mask[i] != 0) << i;
}

TEST(WriteSeg, ReadsBackVoxelForVoxel)
{
    const test::Scratch scratch;
    expect_reads_back(written(scratch, odd_grid()));
}

TEST(WriteSeg, OfATiltedSeriesReadsBackOnItsNativeSlices)
{
    const test::Scratch scratch;
    expect_reads_back(written(scratch, tilted_grid()));
}

TEST(WriteSeg, LeavesEmptyFramesOutAndNamesEveryImageOfTheCt)
{
    const test::Scratch scratch;
    const auto seg = written(scratch, odd_grid());
    EXPECT_EQ(test::attribute_of(seg.file, 0x0028, 0x0008), "3");            // frames
    EXPECT_EQ(test::items_of(seg.file, 0x5200, 0x9230), 3);                  // per-frame groups
    EXPECT_EQ(test::items_of(seg.file, 0x0008, 0x1115), 1);                  // one referenced series
    EXPECT_EQ(test::attribute_of(seg.file, 0x0020, 0x000d), seg.ct.facts.study_instance_uid);
    EXPECT_EQ(test::attribute_of(seg.file, 0x0020, 0x0052), seg.ct.facts.frame_of_reference_uid);
    EXPECT_NE(test::attribute_of(seg.file, 0x0020, 0x000e), seg.ct.facts.series_instance_uid);
    EXPECT_THAT(test::attribute_of(seg.file, 0x0008, 0x103e), testing::StartsWith("RESEARCH"));
    EXPECT_EQ(test::attribute_of(seg.file, 0x0008, 0x0023), "20130315");     // content date is the CT's
}

TEST(WriteSeg, WritesTheSameBytesTwice)
{
    const test::Scratch scratch;
    const auto seg = written(scratch, odd_grid());
    const auto first = *outputs::sha256_of_file(seg.file);
    ASSERT_TRUE(outputs::write_seg(seg.file, seg.ct, {&seg.mask}, {{"T1", outputs::derived_uid("t"), "retroperitoneum"}}).ok());
    EXPECT_EQ(*outputs::sha256_of_file(seg.file), first);
}

TEST(WriteSeg, NamesAnInstanceByAllItHolds)
{
    const test::Scratch scratch;
    const auto seg = written(scratch, odd_grid());
    const auto write = [&](const outputs::SegDescription& segment, const Mask& mask, const outputs::ObjectParameters& parameters = {}) {
        return *outputs::write_seg(scratch.path() / "other.dcm", seg.ct, {&mask}, {segment}, parameters);
    };
    const outputs::SegDescription segment{"T1", outputs::derived_uid("t"), "retroperitoneum"};
    const auto first = write(segment, seg.mask);
    EXPECT_EQ(test::attribute_of(scratch.path() / "other.dcm", 0x0008, 0x0018), first.sop_instance_uid);
    EXPECT_EQ(write(segment, seg.mask).sop_instance_uid, first.sop_instance_uid);
    auto larger = seg.mask;
    larger.at(0, 0, 3) = 1;
    EXPECT_NE(write(segment, larger).sop_instance_uid, first.sop_instance_uid);
    EXPECT_NE(write({"T2", segment.tracking_uid, segment.site}, seg.mask).sop_instance_uid, first.sop_instance_uid);
    const auto rooted = write(segment, seg.mask, {"1.2.826.0.1.3680043.9.1", "case", "accepted"});
    EXPECT_THAT(rooted.sop_instance_uid, testing::StartsWith("1.2.826.0.1.3680043.9.1."));
    EXPECT_THAT(rooted.series_uid, testing::StartsWith("1.2.826.0.1.3680043.9.1."));
    EXPECT_THAT(test::attribute_of(scratch.path() / "other.dcm", 0x0008, 0x103e), testing::EndsWith("accepted"));
}

TEST(WriteSeg, RefusesAnEmptyMask)
{
    const test::Scratch scratch;
    const auto ct = test::write_ct(scratch.path() / "ct", {odd_grid(), Grid<std::int16_t>(odd_grid().size())}, "empty", "2013-03-15");
    const Mask empty(odd_grid().size());
    const auto status = outputs::write_seg(scratch.path() / "seg.dcm", ct, {&empty}, {{"T1", "", ""}});
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Code::empty_mask);
}

TEST(WriteSeg, PassesTheValidatorWithoutErrors)
{
    RETROMASS_NEEDS_PROGRAM("dciodvfy");
    const test::Scratch scratch;
    for (const auto& geometry : {odd_grid(), tilted_grid()}) {
        const auto seg = written(scratch, geometry);
        const auto log = scratch.path() / "log";
        (void)!std::system(("dciodvfy -new '" + seg.file.string() + "' > '" + log.string() + "' 2>&1").c_str());
        std::ifstream in(log);
        const std::string text{std::istreambuf_iterator<char>(in), {}};
        EXPECT_THAT(text, testing::HasSubstr("Segmentation"));
        EXPECT_THAT(text, testing::Not(testing::HasSubstr("Error")));
    }
}

}  // namespace
}  // namespace retromass

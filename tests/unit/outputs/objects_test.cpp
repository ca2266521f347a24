#include "pipeline/outputs/objects.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

#include "tests/support/scratch.h"
#include "tests/unit/outputs/dcmtk/ct_files.h"

namespace retromass {
namespace {

VolumeGeometry tilted_grid()
{
    std::vector<PatientPoint> origins;
    for (int k = 0; k < 8; ++k) origins.push_back({-10.5, 20.25 + 1.1 * k, 3.0 * k});
    return *VolumeGeometry::from_slices(13, 11, {1, 0, 0}, {0, 1, 0}, 0.7, 0.9, origins);
}

/// A thick ring with an island in its hole, and pixels that touch by a corner: what contours find hard.
Mask ring(const VolumeGeometry& geometry)
{
    Mask mask(geometry.size());
    for (int k = 2; k < 6; ++k) {
        for (int r = 1; r < 10; ++r) {
            for (int c = 1; c < 10; ++c) mask.at(c, r, k) = !(r > 2 && r < 8 && c > 2 && c < 8);
        }
        mask.at(5, 5, k) = 1;
        mask.at(10, 0, k) = 1;
    }
    return mask;
}

TEST(WriteStructureSet, ReadsBackVoxelForVoxelWithHolesIslandsAndATiltedGantry)
{
    const test::Scratch scratch;
    const auto geometry = tilted_grid();
    const auto ct = test::write_ct(scratch.path() / "ct", {geometry, Grid<std::int16_t>(geometry.size(), 40)}, "rtstruct", "2013-03-15");
    const auto mask = ring(geometry);
    const auto file = scratch.path() / "rtstruct.dcm";
    const auto written = outputs::write_structure_set(file, ct, {&mask}, {{"T1", outputs::derived_uid("t"), ""}});
    ASSERT_TRUE(written.ok()) << written.error().message;
    const auto labels = ingest::read_labels(file, &geometry);
    ASSERT_TRUE(labels.ok()) << labels.error().message;
    ASSERT_EQ(labels->present.size(), 1U);
    EXPECT_EQ(labels->present[0].name, "T1");
    const auto read = ingest::mask_on_grid(*labels, 1, geometry);
    for (std::size_t i = 0; i < mask.values().size(); ++i) ASSERT_EQ((*read)[i], mask[i]) << i;
}

TEST(WriteStructureSet, HoldsAContourOfMoreThanSixtyFourKilobytes)
{
    const test::Scratch scratch;
    const auto geometry = *VolumeGeometry::from_slices(900, 40, {1, 0, 0}, {0, 1, 0}, 0.7123, 0.7123, {{-231.4567, -187.6543, 10.1234}, {-231.4567, -187.6543, 12.6234}});
    const auto ct = test::write_ct(scratch.path() / "ct", {geometry, Grid<std::int16_t>(geometry.size(), 40)}, "comb", "2013-03-15");
    Mask comb(geometry.size());  // 450 teeth: 1800 corners of three values of up to 16 characters
    for (int c = 0; c < 900; ++c) {
        for (int r = 0; r < (c % 2 ? 20 : 30); ++r) comb.at(c, r, 0) = 1;
    }
    const auto file = scratch.path() / "rtstruct.dcm";
    ASSERT_TRUE(outputs::write_structure_set(file, ct, {&comb}, {{"T1", outputs::derived_uid("t"), ""}}).ok());
    const auto labels = ingest::read_labels(file, &geometry);
    ASSERT_TRUE(labels.ok()) << labels.error().message;
    const auto read = ingest::mask_on_grid(*labels, 1, geometry);
    ASSERT_TRUE(read.ok()) << read.error().message;
    for (std::size_t i = 0; i < comb.values().size(); ++i) ASSERT_EQ((*read)[i], comb[i]) << i;
}

TEST(WriteProbabilitySeg, IsCutAtOneHalfByItsReader)
{
    const test::Scratch scratch;
    const auto geometry = tilted_grid();
    const auto ct = test::write_ct(scratch.path() / "ct", {geometry, Grid<std::int16_t>(geometry.size(), 40)}, "probability", "2013-03-15");
    outputs::ProbabilityMap map{2, Grid<std::uint8_t>({13, 11, 3})};
    for (int k = 0; k < 3; ++k) {
        for (int c = 0; c < 13; ++c) map.values.at(c, 4, k) = static_cast<std::uint8_t>(20 * c + 10);  // 10 to 250
    }
    const auto file = scratch.path() / "probability.dcm";
    const auto written = outputs::write_probability_seg(file, ct, {&map}, {{"T1", outputs::derived_uid("t"), ""}});
    ASSERT_TRUE(written.ok()) << written.error().message;
    EXPECT_EQ(test::attribute_of(file, 0x0062, 0x0001), "FRACTIONAL");
    const auto labels = ingest::read_labels(file);
    ASSERT_TRUE(labels.ok()) << labels.error().message;
    const auto mask = ingest::mask_on_grid(*labels, 1, geometry);
    ASSERT_TRUE(mask.ok()) << mask.error().message;
    for (int k = 0; k < 8; ++k) {
        for (int c = 0; c < 13; ++c) EXPECT_EQ(mask->at(c, 4, k), k >= 2 && k < 5 && 20 * c + 10 >= 128) << c << " " << k;
    }
}

}  // namespace
}  // namespace retromass

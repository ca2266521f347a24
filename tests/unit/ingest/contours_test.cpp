#include "pipeline/ingest/contours.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/support/real_data.h"

namespace retromass::ingest {
namespace {

const VolumeGeometry kGrid = VolumeGeometry::axial({20, 16, 6}, 1, 1, 2);

std::vector<PatientPoint> rectangle(double x1, double y1, double x2, double y2, double z) { return {{x1, y1, z}, {x2, y1, z}, {x2, y2, z}, {x1, y2, z}}; }

long count(const Mask& mask) { return std::count(mask.values().begin(), mask.values().end(), std::uint8_t{1}); }

TEST(Contours, HoldTheVoxelsWhoseCentresLieInsideLeftAndLowerEdgeIn)
{
    // Edges through voxel centres: columns 3..7 without 8, rows 2..4 without 5 (docs/clinical.md 8.2).
    const auto mask = filled({1, "box", {rectangle(3, 2, 8, 5, 4)}}, kGrid).value();
    EXPECT_EQ(count(mask), 5 * 3);
    EXPECT_TRUE(mask.at(3, 2, 2));
    EXPECT_TRUE(mask.at(7, 4, 2));
    EXPECT_FALSE(mask.at(8, 4, 2));
    EXPECT_FALSE(mask.at(7, 5, 2));
}

TEST(Contours, OfNeighboursShareNoVoxelAndLeaveNone)
{
    const auto left = filled({1, "left", {rectangle(2, 2, 6, 9, 4)}}, kGrid).value();
    const auto right = filled({2, "right", {rectangle(6, 2, 11, 9, 4)}}, kGrid).value();
    for (std::size_t i = 0; i < left.values().size(); ++i) ASSERT_FALSE(left[i] && right[i]);
    EXPECT_EQ(count(left) + count(right), 9 * 7);
}

TEST(Contours, MakeHolesWhetherDrawnApartOrByAKeyhole)
{
    const long ring = 10 * 10 - 4 * 4;
    const auto apart = filled({1, "ring", {rectangle(3.5, 2.5, 13.5, 12.5, 4), rectangle(6.5, 5.5, 10.5, 9.5, 4)}}, kGrid).value();
    EXPECT_EQ(count(apart), ring);
    // In along one side of a slit, round the hole the other way, out along the other side.
    const std::vector<PatientPoint> keyhole{{3.5, 2.5, 4}, {13.5, 2.5, 4}, {13.5, 12.5, 4}, {3.5, 12.5, 4}, {3.5, 7.5, 4}, {6.5, 7.5, 4}, {6.5, 9.5, 4},
                                            {10.5, 9.5, 4}, {10.5, 5.5, 4}, {6.5, 5.5, 4}, {6.5, 7.5, 4}, {3.5, 7.5, 4}};
    EXPECT_EQ(count(filled({1, "ring", {keyhole}}, kGrid).value()), ring);
}

TEST(Contours, BetweenSlicesCountForTheNearestAndAreJoinedThere)
{
    // Planes at z = 4.4 and 3.8 are slice 2 both: two drawings of one slice, never a hole where they overlap.
    const auto mask = filled({1, "near", {rectangle(3.5, 2.5, 8.5, 7.5, 4.4), rectangle(5.5, 2.5, 10.5, 7.5, 3.8)}}, kGrid).value();
    EXPECT_EQ(count(mask), 7 * 5);
    EXPECT_TRUE(mask.at(7, 4, 2));
}

TEST(Contours, ThatDoNotFitAreRefusedWithTheReason)
{
    const auto refused = [](const ContouredRegion& region) {
        const auto made = filled(region, kGrid);
        EXPECT_FALSE(made.ok());
        EXPECT_EQ(made.error().code, Code::mask_grid);
        return made.error().message;
    };
    EXPECT_THAT(refused({4, "sagittal", {{{5, 2, 0}, {5, 9, 0}, {5, 9, 10}, {5, 2, 10}}}}), testing::HasSubstr("crosses 5.0 slices"));
    EXPECT_THAT(refused({5, "far", {rectangle(3, 2, 8, 5, 40)}}), testing::HasSubstr("outside the stack"));
    EXPECT_THAT(refused({6, "sparse", {rectangle(3, 2, 8, 5, 0), rectangle(3, 2, 8, 5, 4), rectangle(3, 2, 8, 5, 8)}}), testing::HasSubstr("2.0 slices apart"));
}

TEST(Contours, OfTheSarcomasAreTheExpertsMasks)
{
    RETROMASS_NEEDS_DATA("sts/STS_001/rtstruct.dcm");
    std::size_t cases = 0;
    for (const auto& folder : std::filesystem::directory_iterator(test::data_folder() / "sts")) {
        SCOPED_TRACE(folder.path().filename().string());
        const auto expert = read_labels(folder.path() / "gtv.nii.gz").value();
        // The expert's mask lies on the CT's grid; contours know no other.
        const auto contoured = read_labels(folder.path() / "rtstruct.dcm", &expert.geometry);
        ASSERT_TRUE(contoured.ok()) << contoured.error().message;
        const auto gtv = std::find_if(contoured->present.begin(), contoured->present.end(), [](const auto& label) { return label.name == "GTV_Mass_CT"; });
        ASSERT_NE(gtv, contoured->present.end());
        const auto mask = mask_on_grid(*contoured, gtv->value, expert.geometry).value();
        long both = 0, either = 0, unlike = 0;
        for (std::size_t i = 0; i < mask.values().size(); ++i) {
            const bool ours = mask[i] != 0;
            const bool theirs = expert.labels[i] != 0;
            both += ours && theirs;
            either += ours + theirs;
            unlike += ours != theirs;
        }
        // The same contours filled by another program: only vertices on voxel centres may be read otherwise.
        EXPECT_GE(2.0 * static_cast<double>(both) / static_cast<double>(either), 0.9999);
        EXPECT_LE(unlike, 5);
        ++cases;
    }
    EXPECT_GT(cases, 0U);
}

TEST(Contours, OfTheLungCaseHaveThePublishedVolumes)
{
    RETROMASS_NEEDS_DATA("lung_4d113/CT");
    const auto root = test::data_folder() / "lung_4d113";
    const auto series = one_series(scan({root / "CT"}).value()).value();
    std::filesystem::path file;
    for (const auto& f : std::filesystem::recursive_directory_iterator(root / "RTSTRUCT")) {
        if (f.is_regular_file()) file = f.path();
    }
    const auto labels = read_labels(file, &series.geometry);
    ASSERT_TRUE(labels.ok()) << labels.error().message;
    const std::map<std::string, double> published_ml{{"Tumor_c40", 67.6}, {"LN_c40", 6.4}};  // as published with the case
    std::size_t found = 0;
    for (const auto& label : labels->present) {
        const auto expected = published_ml.find(label.name);
        if (expected == published_ml.end()) continue;
        const auto mask = mask_on_grid(*labels, label.value, series.geometry).value();
        EXPECT_NEAR(static_cast<double>(count(mask)) * *series.geometry.voxel_volume_mm3() / 1000, expected->second, 0.05) << label.name;  // printed to 0.1 ml
        ++found;
    }
    EXPECT_EQ(found, published_ml.size());
}

}  // namespace
}  // namespace retromass::ingest

#include <gmock/gmock.h>

#include "pipeline/outputs/cairo/slice_view.h"
#include "pipeline/outputs/outputs.h"
#include "tests/support/scratch.h"
#include "tests/unit/outputs/sample_case.h"

namespace retromass {
namespace {

using outputs::View;

TEST(DirectionsOf, AxialPutsThePatientsRightAtTheLeftAndTheFrontOnTop)
{
    // columns that run to the right and rows that run to the front, as some reformats have
    const auto geometry = *VolumeGeometry::from_slices(4, 4, {-1, 0, 0}, {0, -1, 0}, 1, 1, {{0, 0, 0}, {0, 0, 2}});
    const auto directions = outputs::directions_of(View::axial, geometry);
    EXPECT_EQ(outputs::letter_of(directions[0]), 'L');
    EXPECT_EQ(outputs::letter_of(directions[1]), 'P');
}

TEST(DirectionsOf, SagittalLooksFromTheLeftWithTheHeadOnTop)
{
    const auto directions = outputs::directions_of(View::sagittal, VolumeGeometry::axial({4, 4, 4}, 1, 1, 1));
    EXPECT_EQ(outputs::letter_of(directions[0]), 'P');
    EXPECT_EQ(outputs::letter_of(-1.0 * directions[1]), 'H');
}

TEST(OutlineOf, OfARectangleIsItsFourSides)
{
    std::vector<std::uint8_t> inside(6 * 5);
    for (int y = 1; y < 3; ++y) {
        for (int x = 2; x < 5; ++x) inside[static_cast<std::size_t>(y * 6 + x)] = 1;
    }
    const auto edges = outputs::outline_of(inside, 6, 5);
    int length = 0;
    for (const auto& edge : edges) length += (edge.x1 - edge.x0) + (edge.y1 - edge.y0);
    EXPECT_EQ(edges.size(), 4U);
    EXPECT_EQ(length, 2 * (3 + 2));
}

TEST(MaskPixels, KeepMillimetresWhereVoxelsAreNotCubes)
{
    // 10 x 10 x 2 voxels of 1 x 1 x 5 mm are a square of 10 x 10 mm in the coronal plane
    const auto geometry = VolumeGeometry::axial({20, 20, 4}, 1, 1, 5);
    Mask mask(geometry.size());
    for (int k = 1; k < 3; ++k) {
        for (int r = 5; r < 15; ++r) {
            for (int c = 5; c < 15; ++c) mask.at(c, r, k) = 1;
        }
    }
    const auto d = outputs::directions_of(View::coronal, geometry);
    const outputs::PicturePlane plane{PatientPoint{0.25, 10, 17.25}, 0.5 * d[0], 0.5 * d[1], 40, 40, 0.5};
    const auto inside = outputs::mask_pixels(mask, geometry, plane);
    int count = 0, widest = 0;
    for (int y = 0; y < 40; ++y) {
        int in_row = 0;
        for (int x = 0; x < 40; ++x) in_row += inside[static_cast<std::size_t>(y * 40 + x)];
        widest = std::max(widest, in_row);
        count += in_row;
    }
    EXPECT_EQ(widest, 20);       // 10 mm at 0.5 mm a pixel
    EXPECT_EQ(count, 20 * 20);
}

TEST(WriteKeyImages, AreThreePicturesAndTheSameBytesTwice)
{
    const test::Scratch scratch;
    const auto result = test::sample_case(scratch.path() / "ct", 6, 10);
    const auto& timepoint = result.timepoints[2];
    std::vector<std::string> hashes[2];
    for (auto& hash : hashes) {
        const auto names = outputs::write_key_images(scratch.path(), "x", result, timepoint, timepoint.lesions[0]);
        ASSERT_TRUE(names.ok()) << names.error().message;
        EXPECT_THAT(*names, testing::ElementsAre("x-axial.png", "x-coronal.png", "x-sagittal.png"));
        for (const auto& name : *names) hash.push_back(*outputs::sha256_of_file(scratch.path() / name));
    }
    EXPECT_EQ(hashes[0], hashes[1]);
    EXPECT_NE(hashes[0][1], hashes[0][2]);
}

TEST(WriteKeyImages, ChangeWithTheMask)
{
    const test::Scratch scratch;
    auto result = test::sample_case(scratch.path() / "ct", 6, 10);
    auto& timepoint = result.timepoints[2];
    ASSERT_TRUE(outputs::write_key_images(scratch.path(), "a", result, timepoint, timepoint.lesions[0]).ok());
    auto& mask = *timepoint.lesions[0].mask;
    for (int k = 0; k < mask.size().slices; ++k) {  // a notch through all slices
        for (int r = 0; r < mask.size().rows / 2; ++r) mask.at(mask.size().columns / 2 - 4, r, k) = 0;
    }
    ASSERT_TRUE(outputs::write_key_images(scratch.path(), "b", result, timepoint, timepoint.lesions[0]).ok());
    EXPECT_NE(*outputs::sha256_of_file(scratch.path() / "a-axial.png"), *outputs::sha256_of_file(scratch.path() / "b-axial.png"));
}

}  // namespace
}  // namespace retromass

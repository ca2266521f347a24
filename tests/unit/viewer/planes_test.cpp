#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "viewer/view.h"

namespace retromass::viewer {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

const VolumeGeometry kUpright = VolumeGeometry::axial({8, 6, 5}, 2, 2, 4, {-7, -5, 100});

/// Slices that drift 3 mm towards the feet of the patient's back for each 4 mm upwards: a tilted gantry.
VolumeGeometry tilted()
{
    std::vector<PatientPoint> origins;
    for (int k = 0; k < 5; ++k) origins.push_back({0, 3.0 * k, 4.0 * k});
    return VolumeGeometry::from_slices(8, 6, {1, 0, 0}, {0, 1, 0}, 1, 1, origins).value();
}

double total_length(const std::vector<PlaneLine>& lines)
{
    double sum = 0;
    for (const auto& line : lines) sum += std::hypot(line.x2 - line.x1, line.y2 - line.y1);
    return sum;
}

TEST(Grey, FollowsTheLinearWindowOfTheDicomStandard)
{
    // PS3.3 C.11.2.1.2.1, c = 40, w = 400: black up to c - 0.5 - (w - 1) / 2 = -160, white above 239.
    const Window window{40, 400};
    EXPECT_EQ(grey(-160, window), 0);
    EXPECT_EQ(grey(-158, window), 1);  // ((-158 - 39.5) / 399 + 0.5) * 255 = 1.28
    EXPECT_EQ(grey(40, window), 128);  // (0.5 / 399 + 0.5) * 255 = 127.8
    EXPECT_EQ(grey(239, window), 255);
    EXPECT_EQ(grey(3000, window), 255);
}

TEST(Grey, OfPaddingIsBlackAndAWidthOfOneIsAStep)
{
    EXPECT_EQ(grey(kPaddingHu, {-30000, 10000}), 0);
    EXPECT_EQ(grey(39, {40, 1}), 0);
    EXPECT_EQ(grey(40, {40, 1}), 255);
}

TEST(PlaneFrame, OfAnAxialPlaneIsTheSliceItself)
{
    const auto frame = plane_frame(kUpright, Plane::axial, {0, 0, 109});  // nearest slice: 100 + 2 * 4
    EXPECT_EQ(frame.width, 8);
    EXPECT_EQ(frame.height, 6);
    EXPECT_EQ(frame.to_patient(3, 1), kUpright.to_patient(Index{3, 1, 2}));
}

TEST(PlaneFrame, HasTheHeadAboveAndTheLettersOfTheConvention)
{
    const auto letters = [](Plane plane) {
        const auto at = edge_letters(plane_frame(kUpright, plane, {0, 0, 108}));
        return std::string{at.left, at.right, at.top, at.bottom};
    };
    // Seen from the feet, the front and the left, as radiologists do.
    EXPECT_EQ(letters(Plane::axial), "RLAP");
    EXPECT_EQ(letters(Plane::coronal), "RLHF");
    EXPECT_EQ(letters(Plane::sagittal), "APHF");
}

TEST(PlaneFrame, PutsTheHeadAboveForAStackWhoseNormalPointsToTheFeet)
{
    std::vector<PatientPoint> origins{{0, 0, 50}, {0, 0, 46}, {0, 0, 42}};
    const auto feet_first = VolumeGeometry::from_slices(4, 4, {1, 0, 0}, {0, -1, 0}, 1, 1, origins).value();
    const auto frame = plane_frame(feet_first, Plane::coronal, {2, -2, 46});
    EXPECT_EQ(edge_letters(frame).top, 'H');
    // The stack reaches from 52 (top face) to 40; the first row of 1 mm pixels has its centre at 51.5.
    EXPECT_NEAR(frame.to_patient(0, 0).z, 51.5, 1e-9);
    EXPECT_EQ(frame.height, 12);
}

TEST(PlaneFrame, TakesAPointToThePlaneAndBack)
{
    for (const auto plane : {Plane::axial, Plane::coronal, Plane::sagittal}) {
        const auto frame = plane_frame(kUpright, plane, {1, 3, 108});
        const auto there = frame.to_plane(frame.to_patient(2.5, 1.25));
        EXPECT_NEAR(there[0], 2.5, 1e-12);
        EXPECT_NEAR(there[1], 1.25, 1e-12);
        EXPECT_NEAR(frame.distance_mm(frame.to_patient(2.5, 1.25)), 0, 1e-12);
    }
}

TEST(Sampled, AxialIsTheSliceVoxelForVoxel)
{
    CtVolume ct{kUpright, Grid<std::int16_t>(kUpright.size())};
    for (std::size_t i = 0; i < ct.hu.values().size(); ++i) ct.hu[i] = static_cast<std::int16_t>(i);
    const auto picture = sampled(ct, plane_frame(kUpright, Plane::axial, {0, 0, 112}));
    const auto slice = ct.hu.plane(3);
    EXPECT_TRUE(std::equal(picture.begin(), picture.end(), slice.begin(), slice.end()));
}

TEST(Sampled, RunsLinearlyFromSliceToSliceButNeverIntoPadding)
{
    CtVolume ct{kUpright, Grid<std::int16_t>(kUpright.size())};
    for (int k = 0; k < 5; ++k) {
        for (auto& hu : ct.hu.plane(k)) hu = static_cast<std::int16_t>(100 * k);
    }
    for (auto& hu : ct.hu.plane(4)) hu = kPaddingHu;
    const auto frame = plane_frame(kUpright, Plane::coronal, {0, 1, 108});
    const auto picture = sampled(ct, frame);
    const auto at_z = [&](double z) {
        const auto y = static_cast<int>(std::lround(frame.to_plane({-1, 1, z})[1]));
        return std::pair{picture[static_cast<std::size_t>(y) * static_cast<std::size_t>(frame.width) + 3],
                         frame.to_patient(3, y).z};
    };
    const auto [inside, z] = at_z(105);
    EXPECT_NEAR(inside, 100 * (z - 100) / 4, 0.5);  // 25 HU a mm, rounded
    for (const double near_padding : {113.0, 115.0}) {
        const auto value = at_z(near_padding).first;
        EXPECT_TRUE(value == 300 || value == kPaddingHu) << value;
    }
}

TEST(Sampled, OfATiltedStackIsStraightInThePatient)
{
    // HU = position along y in the patient, so every coronal plane is one value, though each slice starts elsewhere.
    const auto geometry = tilted();
    CtVolume ct{geometry, Grid<std::int16_t>(geometry.size())};
    for (int k = 0; k < 5; ++k) {
        for (int r = 0; r < 6; ++r) {
            for (int c = 0; c < 8; ++c) ct.hu.at(c, r, k) = static_cast<std::int16_t>(10 * geometry.to_patient(Index{c, r, k}).y);
        }
    }
    const auto frame = plane_frame(geometry, Plane::coronal, {3, 6, 6});
    int measured = 0;
    for (const auto hu : sampled(ct, frame)) {
        if (hu == kPaddingHu) continue;
        ++measured;
        EXPECT_NEAR(hu, 60, 5.01);  // the nearest voxel is at most half a row, 5 HU here, away
    }
    EXPECT_GT(measured, 8);
}

/// Every pixel rounded by itself: what `sampled` says more quickly.
std::vector<std::int16_t> sampled_pixel_by_pixel(const CtVolume& ct, const PlaneFrame& frame)
{
    const auto n = ct.geometry.size();
    std::vector<std::int16_t> out;
    for (int y = 0; y < frame.height; ++y) {
        const auto first = ct.geometry.to_index(frame.to_patient(0, y));
        const auto second = ct.geometry.to_index(frame.to_patient(1, y));
        const double slice = std::clamp(first.slice, 0.0, n.slices - 1.0);
        const int lower = static_cast<int>(std::floor(slice));
        const int upper = std::min(lower + 1, n.slices - 1);
        for (int x = 0; x < frame.width; ++x) {
            const int c = static_cast<int>(std::lround(first.column + x * (second.column - first.column)));
            const int r = static_cast<int>(std::lround(first.row + x * (second.row - first.row)));
            const bool outside = first.slice < -0.5 || first.slice > n.slices - 0.5 || !n.contains(c, r, lower);
            const double part = slice - lower;
            out.push_back(outside ? kPaddingHu : static_cast<std::int16_t>(std::lround((1 - part) * ct.hu.at(c, r, lower) + part * ct.hu.at(c, r, upper))));
        }
    }
    return out;
}

TEST(Sampled, IsWhatRoundingEveryPixelByItselfGives)
{
    const double s = std::sqrt(0.5);
    std::vector<PatientPoint> turned;
    for (int k = 0; k < 5; ++k) turned.push_back({1, 2, 1.7 * k});
    const auto in_plane = VolumeGeometry::from_slices(8, 6, {s, s, 0}, {-s, s, 0}, 0.7, 0.9, turned).value();
    for (const auto& geometry : {kUpright, tilted(), in_plane}) {
        CtVolume ct{geometry, Grid<std::int16_t>(geometry.size())};
        for (std::size_t i = 0; i < ct.hu.values().size(); ++i) ct.hu[i] = static_cast<std::int16_t>(37 * i % 2003);
        // On a voxel, in the middle between two, next to it, and anywhere.
        for (const ContinuousIndex at : {ContinuousIndex{3, 2, 2}, {3.5, 2.5, 2}, {3.4999, 2.5001, 2.5}, {2.37, 3.81, 1.29}}) {
            for (const auto plane : {Plane::axial, Plane::coronal, Plane::sagittal}) {
                const auto frame = plane_frame(geometry, plane, geometry.to_patient(at));
                EXPECT_EQ(sampled(ct, frame), sampled_pixel_by_pixel(ct, frame)) << at.column << ' ' << static_cast<int>(plane);
            }
        }
    }
}

TEST(Outline, OfABoxIsItsFourEdges)
{
    Mask mask(kUpright.size(), 0);
    for (int r = 2; r <= 4; ++r) {
        for (int c = 1; c <= 5; ++c) mask.at(c, r, 2) = 1;
    }
    const auto frame = plane_frame(kUpright, Plane::axial, {0, 0, 108});
    EXPECT_THAT(outline(mask, kUpright, frame),
                UnorderedElementsAre(PlaneLine{0.5, 1.5, 5.5, 1.5}, PlaneLine{0.5, 4.5, 5.5, 4.5}, PlaneLine{0.5, 1.5, 0.5, 4.5},
                                     PlaneLine{5.5, 1.5, 5.5, 4.5}));
    EXPECT_TRUE(outline(mask, kUpright, plane_frame(kUpright, Plane::axial, {0, 0, 112})).empty());
}

TEST(Outline, ClosesAtTheEdgeOfThePictureAndRoundHoles)
{
    Mask mask(kUpright.size(), 1);
    mask.at(3, 3, 2) = 0;
    const auto frame = plane_frame(kUpright, Plane::axial, {0, 0, 108});
    EXPECT_DOUBLE_EQ(total_length(outline(mask, kUpright, frame)), 2 * (8 + 6) + 4);
}

TEST(Outline, KeepsTouchingCornersApart)
{
    Mask mask(kUpright.size(), 0);
    mask.at(2, 2, 2) = 1;
    mask.at(3, 3, 2) = 1;  // every edge of both pixels is drawn; none is joined through the corner
    const auto lines = outline(mask, kUpright, plane_frame(kUpright, Plane::axial, {0, 0, 108}));
    EXPECT_DOUBLE_EQ(total_length(lines), 8);
}

TEST(Outline, OfOneSliceIsOneSlabHighInTheCoronalPlane)
{
    Mask mask(kUpright.size(), 0);
    for (int c = 2; c <= 4; ++c) mask.at(c, 3, 2) = 1;
    const auto frame = plane_frame(kUpright, Plane::coronal, {0, 1, 108});
    const auto lines = outline(mask, kUpright, frame);
    const auto [top, bottom] =
        std::minmax_element(lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.y1 + a.y2 < b.y1 + b.y2; });
    EXPECT_NEAR((bottom->y1 - top->y1) * frame.pixel_y_mm, 4, 1e-9);
    EXPECT_NEAR(top->x2 - top->x1, 3, 1e-9);
}

measurement::LesionMeasurements measured()
{
    measurement::LesionMeasurements m;
    m.long_axis = {6, Length::mm(6), {-3, 1, 108}, {3, 1, 108}, 2};
    m.short_axis = {4, Length::mm(4), {0, -1, 108}, {0, 3, 108}, 2};
    m.craniocaudal = {12, Length::mm(12), {0, 1, 102}, {0, 1, 114}, 0};
    return m;
}

TEST(Calipers, LieOnTheirOwnSliceAndOnNoOther)
{
    const auto on = calipers(measured(), kUpright, plane_frame(kUpright, Plane::axial, {0, 0, 108}));
    ASSERT_EQ(on.size(), 2u);
    EXPECT_EQ(on[0].text, "long axis 6 mm");
    EXPECT_EQ(on[0].line, (PlaneLine{2, 3, 5, 3}));  // (-3 + 7) / 2 and (1 + 5) / 2
    EXPECT_EQ(on[1].text, "short axis 4 mm");
    EXPECT_TRUE(calipers(measured(), kUpright, plane_frame(kUpright, Plane::axial, {0, 0, 112})).empty());
}

TEST(Calipers, SayWhenTheCraniocaudalExtentIsOnlyProjected)
{
    const auto in = calipers(measured(), kUpright, plane_frame(kUpright, Plane::coronal, {0, 1, 108}));
    ASSERT_EQ(in.size(), 1u);
    EXPECT_TRUE(in[0].in_plane);
    EXPECT_EQ(in[0].text, "craniocaudal 12 mm");
    const auto frame = plane_frame(kUpright, Plane::coronal, {0, 5, 108});
    const auto off = calipers(measured(), kUpright, frame);
    ASSERT_EQ(off.size(), 1u);
    EXPECT_FALSE(off[0].in_plane);
    EXPECT_EQ(off[0].text, "craniocaudal 12 mm (projected)");
    EXPECT_NEAR(std::abs(off[0].line.y2 - off[0].line.y1) * frame.pixel_y_mm, 12, 1e-9);
}

}  // namespace
}  // namespace retromass::viewer

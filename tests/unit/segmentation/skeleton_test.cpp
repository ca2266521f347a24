#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "pipeline/ingest/ingest.h"
#include "segmentation/segment.h"
#include "tests/support/real_data.h"

namespace retromass::segmentation {
namespace {

using Verdict = SkeletonMatch::Verdict;

struct Ellipsoid {
    PatientPoint middle;
    PatientPoint half;

    /// Bone at a place: a bright rim of 4 mm round a dimmer inside, blurred over 3 mm.
    double bone_at(PatientPoint p) const
    {
        const auto d = p - middle;
        const double r = std::hypot(d.x / half.x, d.y / half.y, d.z / half.z);
        const double depth_mm = (1 - r) * std::min({half.x, half.y, half.z});
        return std::clamp(0.5 + depth_mm / 3, 0.0, 1.0) * (depth_mm > 4 ? 0.4 : 0.9);
    }
};

/// A person of twelve vertebrae, no two alike, ribs and a pelvis, all sizes times `size`.
std::vector<Ellipsoid> person(PatientPoint size = {1, 1, 1})
{
    std::vector<Ellipsoid> out;
    const auto add = [&](PatientPoint middle, PatientPoint half) {
        out.push_back({{middle.x * size.x, middle.y * size.y, middle.z * size.z}, {half.x * size.x, half.y * size.y, half.z * size.z}});
    };
    for (int v = 0; v < 12; ++v) {
        const double z = 32.0 * v + 3 * std::sin(2.0 * v);
        const double y = 15 * std::sin(v / 3.0);
        add({2 * std::sin(1.7 * v), y, z}, {24 - v + 2 * std::cos(3.0 * v), 18 - 0.6 * v, 13 - 0.3 * v});
        add({0, y + 35 + 2 * std::sin(2.3 * v), z - 8}, {5, 16 + 2 * std::cos(1.3 * v), 8});
        add({0, y + 22, z}, {38 + 4 * std::sin(1.1 * v), 6, 5 + std::cos(2.1 * v)});
        for (const int side : {-1, 1}) {
            for (double along = 0; v >= 5 && along < 1.15; along += 0.1) add({side * (40 + 110 * std::sin(along * 1.2)), 30 - 90 * along, z - 40 * along}, {7, 9, 6});
        }
    }
    for (const int side : {-1, 1}) {
        for (double along = 0; along < 1.05; along += 0.1) add({side * (45 + 70 * along), 40 - 60 * along, -10 - 60 * std::abs(along - 0.5)}, {10, 14, 30 - 10 * along});
        add({side * 95.0, 0, -90}, {24, 24, 24});
    }
    return out;
}

struct Position {
    double turn_deg = 0;   ///< about x
    PatientPoint shift;
    double low_mm = -130;  ///< the scan's range along the table
    double high_mm = 420;
};

Skeleton scanned(const std::vector<Ellipsoid>& bones, const Position& position = {})
{
    const double a = position.turn_deg * std::numbers::pi / 180;
    const auto turned = [&](PatientPoint p, double by) { return PatientPoint{p.x, p.y * std::cos(by) - p.z * std::sin(by), p.y * std::sin(by) + p.z * std::cos(by)}; };
    const PatientPoint low{-201, -120, position.low_mm};
    Skeleton out;
    out.bone = Grid<std::uint8_t>({134, 80, static_cast<int>((position.high_mm - position.low_mm) / Skeleton::cell_mm)});
    const auto& n = out.bone.size();
    for (const auto& bone : bones) {
        const auto middle = (1 / Skeleton::cell_mm) * (turned(bone.middle, a) + position.shift - low);
        const double reach = std::max({bone.half.x, bone.half.y, bone.half.z}) / Skeleton::cell_mm + 1;
        const auto range = [&](double at, int count) { return std::array{std::max(0, static_cast<int>(at - reach)), std::min(count, static_cast<int>(at + reach) + 2)}; };
        const auto x = range(middle.x, n.columns), y = range(middle.y, n.rows), z = range(middle.z, n.slices);
        for (int k = z[0]; k < z[1]; ++k) {
            for (int j = y[0]; j < y[1]; ++j) {
                for (int i = x[0]; i < x[1]; ++i) {
                    const auto p = turned(low + Skeleton::cell_mm * PatientPoint{double(i), double(j), double(k)} - position.shift, -a);
                    auto& cell = out.bone.at(i, j, k);
                    cell = std::max(cell, static_cast<std::uint8_t>(std::lround(Skeleton::full * bone.bone_at(p))));
                }
            }
        }
    }
    return out;
}

TEST(Skeletons, OfOnePersonInAnotherPositionAreOne)
{
    const auto first = scanned(person());
    const auto match = segmentation::match(first, scanned(person(), {.turn_deg = 6, .shift = {20, -25, 60}}));
    EXPECT_EQ(match.verdict, Verdict::same) << match.text;
    EXPECT_GT(match.rigid, 0.85);  // what is left is the rim of the bones, sampled anew on cells of 3 mm
    // Lifted by 60 mm on the same range of the table: so much more is seen towards the feet, so much less towards the head.
    EXPECT_NEAR(match.beyond_mm[0], -60, 6);  // two cells, and 6 degrees about a line some 10 mm off
    EXPECT_NEAR(match.beyond_mm[1], 60, 6);
}

TEST(Skeletons, OfOnePersonMatchWhereOneScanShowsHalf)
{
    const auto whole = scanned(person());
    const auto half = scanned(person(), {.turn_deg = -4, .shift = {-15, 10, -30}, .low_mm = 80});
    const auto forth = segmentation::match(whole, half), back = segmentation::match(half, whole);
    for (const auto& match : {forth, back}) EXPECT_EQ(match.verdict, Verdict::same) << match.text;
    // The whole from -130 to 420 mm; the half from 80 to 420, of a patient who lies 30 mm lower: from 110 to 450 mm of the whole.
    EXPECT_NEAR(forth.beyond_mm[0], 240, 6);
    EXPECT_NEAR(forth.beyond_mm[1], -30, 6);
    EXPECT_NEAR(back.beyond_mm[0], -240, 6);
    EXPECT_NEAR(back.beyond_mm[1], 30, 6);
}

TEST(Skeletons, OfPeopleOfOtherSizesAreDifferentAndTheSizesAreFound)
{
    const PatientPoint size{1.05, 1.03, 1.07};  // two adults differ as much in the length of a vertebra
    const auto match = segmentation::match(scanned(person(size)), scanned(person(), {.turn_deg = 3, .shift = {10, 10, 20}}));
    ASSERT_EQ(match.verdict, Verdict::different) << match.text;
    EXPECT_NEAR(match.size[0], size.x, 0.015);  // a cell of 3 mm over the 200 mm to the rim of the body
    EXPECT_NEAR(match.size[2], size.z, 0.015);
    EXPECT_THAT(match.text, testing::HasSubstr("with other sizes"));
}

TEST(Skeletons, OfOtherPartsOfOneBodyCannotBeCompared)
{
    const auto head_end = scanned(person(), {.low_mm = 250});
    const auto feet_end = scanned(person(), {.high_mm = 120});
    EXPECT_EQ(segmentation::match(head_end, feet_end).verdict, Verdict::not_compared);
}

TEST(Skeletons, OfTooLittleBoneCannotBeComparedAndSaySo)
{
    Skeleton empty;
    empty.bone = Grid<std::uint8_t>({60, 60, 60}, 0);
    const auto none = segmentation::match(empty, scanned(person()));
    EXPECT_EQ(none.verdict, Verdict::not_compared);
    EXPECT_THAT(none.text, testing::HasSubstr("too little bone"));
    EXPECT_EQ(segmentation::match(Skeleton{}, Skeleton{}).verdict, Verdict::not_compared);
}

TEST(Skeletons, AreTheSameForAnyNumberOfThreads)
{
    const auto a = scanned(person());
    const auto b = scanned(person({1.02, 0.96, 1.05}), {.turn_deg = 5});
    const auto one = segmentation::match(a, b, 1);
    const auto three = segmentation::match(a, b, 3);
    EXPECT_EQ(one.text, three.text);
    EXPECT_EQ(one.rigid, three.rigid);
    EXPECT_EQ(one.size, three.size);
}

TEST(Skeletons, KeepTheAmountOfBoneWhateverTheSpacingAndTheTilt)
{
    // A cube of 48 mm of 850 HU in soft tissue, cut by slices that lean by 15 degrees.
    constexpr double cube_mm = 48;
    const double tilt = 15 * std::numbers::pi / 180;
    for (const double gap_mm : {1.0, 2.5, 5.0}) {
        const int count = static_cast<int>(150 / gap_mm);
        std::vector<PatientPoint> origins;
        for (int k = 0; k < count; ++k) origins.push_back({-60, -60, -75 + k * gap_mm});
        CtVolume ct;
        ct.geometry = VolumeGeometry::from_slices(120, 120, {1, 0, 0}, {0, std::cos(tilt), std::sin(tilt)}, 1, 1, origins).value();
        ct.hu = Grid<std::int16_t>({120, 120, count}, 40);
        for (int k = 0; k < count; ++k) {
            for (int j = 0; j < 120; ++j) {
                for (int i = 0; i < 120; ++i) {
                    const auto p = ct.geometry.to_patient(Index{i, j, k});
                    if (std::max({std::abs(p.x), std::abs(p.y), std::abs(p.z)}) < cube_mm / 2) ct.hu.at(i, j, k) = 850;
                }
            }
        }
        const auto skeleton = skeleton_of(ct);
        double cells = 0;
        for (const auto cell : skeleton.bone.values()) cells += cell == Skeleton::unknown ? 0 : static_cast<double>(cell) / Skeleton::full;
        const double expected = std::pow(cube_mm / Skeleton::cell_mm, 3);
        EXPECT_NEAR(cells, expected, 0.06 * expected) << gap_mm;  // a face is placed to half a slice of 5 mm at both ends: 5 of 48 mm at worst, halves on average
    }
}

ingest::CtSeries real_series(const std::string& folder)
{
    const auto scan = ingest::scan({test::data_folder() / folder}).value();
    return ingest::load(ingest::one_series(scan).value()).value();
}

/// The volume moved: turned by `deg` about x through its middle, resampled on its own grid.
CtVolume turned(const CtVolume& in, double deg)
{
    const auto& g = in.geometry;
    const auto n = g.size();
    const auto middle = g.to_patient(Index{n.columns / 2, n.rows / 2, n.slices / 2});
    const double a = deg * std::numbers::pi / 180;
    CtVolume out{g, Grid<std::int16_t>(n, -1000)};
    for (int k = 0; k < n.slices; ++k) {
        for (int j = 0; j < n.rows; ++j) {
            for (int i = 0; i < n.columns; ++i) {
                const auto p = g.to_patient(Index{i, j, k}) - middle;
                const auto at = g.to_index(middle + PatientPoint{p.x, p.y * std::cos(a) - p.z * std::sin(a), p.y * std::sin(a) + p.z * std::cos(a)});
                const int r = static_cast<int>(std::lround(at.row));
                const int below = static_cast<int>(std::floor(at.slice));
                if (r < 0 || r >= n.rows || below < 0 || below + 1 >= n.slices) continue;
                const double part = at.slice - below;
                out.hu.at(i, j, k) = static_cast<std::int16_t>(std::lround((1 - part) * in.hu.at(i, r, below) + part * in.hu.at(i, r, below + 1)));
            }
        }
    }
    return out;
}

TEST(Skeletons, OfARealPatientTurnedAreOneAndOfAnotherPartOfAnotherPatientAreNot)
{
    RETROMASS_NEEDS_DATA("crlm/CRLM-CT-1004");
    RETROMASS_NEEDS_DATA("lung_4d113/CT");
    const auto abdomen = real_series("crlm/CRLM-CT-1004");
    const auto skeleton = skeleton_of(abdomen.volume);
    const auto again = segmentation::match(skeleton, skeleton_of(turned(abdomen.volume, 4)));
    EXPECT_EQ(again.verdict, Verdict::same) << again.text;
    const auto chest = segmentation::match(skeleton, skeleton_of(real_series("lung_4d113/CT").volume));
    EXPECT_EQ(chest.verdict, Verdict::not_compared) << chest.text;  // chest and abdomen of one person would look no different
}

}  // namespace
}  // namespace retromass::segmentation

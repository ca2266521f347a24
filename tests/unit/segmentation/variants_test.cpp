#include "segmentation/variants.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tools/interval_phantom.h"

namespace retromass::segmentation {
namespace {

/// An ellipsoid about the origin, in fat or in tissue of its own HU.
CtVolume ellipsoid(std::array<double, 3> half_mm, std::int16_t around_hu, const Dimensions& size = {56, 56, 30})
{
    CtVolume ct;
    ct.geometry = VolumeGeometry::axial(size, 1, 1, 2, {0.5 - size.columns / 2.0, 0.5 - size.rows / 2.0, 1.0 - size.slices});
    ct.hu = Grid<std::int16_t>(size);
    tools::PhantomDice dice(1);
    for (int k = 0; k < size.slices; ++k) {
        for (int r = 0; r < size.rows; ++r) {
            for (int c = 0; c < size.columns; ++c) {
                const auto p = ct.geometry.to_patient(Index{c, r, k});
                const bool inside = norm({p.x / half_mm[0], p.y / half_mm[1], p.z / half_mm[2]}) < 1;
                ct.hu.at(c, r, k) = static_cast<std::int16_t>(std::lround((inside ? 60 : around_hu) + dice.normal(10)));
            }
        }
    }
    return ct;
}

CtVolume ball(std::int16_t around_hu) { return ellipsoid({12, 12, 12}, around_hu); }

Prompt of_line() { return {.lines = {{{-12, 0, 1}, {12, 0, 1}}}}; }

MaskVariants variants(const CtVolume& ct, const Prompt& prompt, int threads = 1)
{
    return *segment(ct, "", prompt, {.threads = threads, .variants = kVariants}).value().variants;
}

double voxels(const Mask& mask)
{
    double sum = 0;
    for (const auto v : mask.values()) sum += v;
    return sum;
}

/// Standard deviation of the variants' volume over the volume.
double varying(const MaskVariants& v)
{
    double squares = 0;
    for (const auto& repeat : v.repeats) squares += std::pow(voxels(repeat) / voxels(v.base) - 1, 2);
    return std::sqrt(squares / static_cast<double>(v.repeats.size()));
}

}  // namespace

TEST(Variants, RedrawALineByTheStatedJitterWithinItsSlice)
{
    const auto ct = ball(-100);
    double squares = 0;
    constexpr int count = 500;
    for (int i = 0; i < count; ++i) {
        const auto line = redrawn(of_line(), ct.geometry, i).lines[0];
        EXPECT_EQ(line.a.z, 1);
        for (const double d : {line.a.x + 12, line.a.y, line.b.x - 12, line.b.y}) squares += d * d;
    }
    // 2000 numbers: their standard deviation is known to 1.6 %; four of those.
    EXPECT_NEAR(std::sqrt(squares / (4 * count)), kPromptJitter_mm, 0.064 * kPromptJitter_mm);
}

TEST(Variants, RedrawTopAndBottomByPartsOfASlice)
{
    const auto ct = ball(-100);
    auto prompt = of_line();
    prompt.extent = {PatientPoint{0, 0, 11}, PatientPoint{0, 0, -11}};
    double squares = 0;
    constexpr int count = 500;
    for (int i = 0; i < count; ++i) {
        const auto [top, bottom] = *redrawn(prompt, ct.geometry, i).extent;
        squares += std::pow(top.z - 11, 2) + std::pow(bottom.z + 11, 2);
    }
    EXPECT_NEAR(std::sqrt(squares / (2 * count)), 1, 0.09);  // half a slice of 2 mm; 1000 numbers: 2.2 %, four of those
}

TEST(Variants, OfALesionNobodySeesVaryAsItsPromptAndOfOneInFatDoNot)
{
    const double seen = varying(variants(ball(-100), of_line()));
    const double unseen = varying(variants(ball(60), of_line()));
    // Unseen, the volume goes with the cube of the size: 0.09 of a line of 24 mm, 0.20 of the width and 0.25 of the depth, 0.35 in all; the
    // evidence that is shared takes some of it, noise of eight repeats a quarter.
    EXPECT_GT(unseen, 0.15);
    EXPECT_LT(seen, unseen / 3);
}

TEST(Variants, WithTopAndBottomMarkedVaryLessInHeight)
{
    auto marked = of_line();
    marked.extent = {PatientPoint{0, 0, 11}, PatientPoint{0, 0, -11}};
    EXPECT_LT(varying(variants(ball(60), marked)), varying(variants(ball(60), of_line())));
}

/// In muscle of its own HU a box of 60 mm decides the volume, and such lesions fill 0.73 of its ellipsoid: the mask goes towards that, and so must the variants. Their boxes
/// differ by 1.5 mm a corner and half a slice, 4 % of the volume of one, and eight are averaged: 2 %; three of those. Left as they were they are larger than that.
TEST(Variants, HaveTheUsualVolumeThatTheMaskWasGiven)
{
    Prompt box;
    box.box = {{{-30, -30, -30}, {30, 30, 30}}};
    const auto of = variants(ellipsoid({30, 30, 30}, 60, {120, 120, 60}), box);
    double sum = 0;
    for (const auto& repeat : of.repeats) sum += std::log(voxels(repeat) / voxels(of.base)) / static_cast<double>(of.repeats.size());
    EXPECT_NEAR(sum, 0, 0.06);
}

TEST(Variants, OfAPointAreTurnedAsTheLesionThatWasSeen)
{
    // Longest across the columns: a shape that forgot how it was turned would be longest along them.
    const auto ct = ellipsoid({8, 22, 14}, -40);
    const auto seen = variants(ct, {.points = {{0, 0, 1}}});
    for (const auto& repeat : seen.repeats) {
        double across = 0;
        double along = 0;
        for (int k = 0; k < repeat.size().slices; ++k) {
            for (int r = 0; r < repeat.size().rows; ++r) {
                for (int c = 0; c < repeat.size().columns; ++c) {
                    if (!repeat.at(c, r, k)) continue;
                    const auto p = seen.geometry.to_patient(Index{c, r, k});
                    across += p.x * p.x;
                    along += p.y * p.y;
                }
            }
        }
        EXPECT_GT(std::sqrt(along / across), 1.5);  // 2.75 in truth
    }
}

TEST(Variants, AreTheSameForAnyNumberOfThreads)
{
    const auto ct = ball(-20);
    const auto one = variants(ct, of_line(), 1);
    const auto three = variants(ct, of_line(), 3);
    ASSERT_EQ(one.repeats.size(), three.repeats.size());
    for (std::size_t i = 0; i < one.repeats.size(); ++i) EXPECT_TRUE(std::equal(one.repeats[i].values().begin(), one.repeats[i].values().end(), three.repeats[i].values().begin()));
}

TEST(Variants, LeaveTheMaskAsItIs)
{
    const auto ct = ball(-20);
    const auto without = segment(ct, "", of_line(), {.threads = 1}).value();
    const auto with = segment(ct, "", of_line(), {.threads = 1, .variants = 3}).value();
    EXPECT_TRUE(std::equal(without.mask.values().begin(), without.mask.values().end(), with.mask.values().begin()));
    EXPECT_FALSE(without.variants);
    EXPECT_EQ(with.variants->repeats.size(), 3U);
}

}  // namespace retromass::segmentation

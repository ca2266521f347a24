#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "segmentation/lattice.h"

namespace retromass::segmentation {
namespace {

constexpr Dimensions kSize{40, 32, 24};

double lumps(double x, double y, double z) { return 0.5 + 0.2 * std::sin(x / 3) * std::cos(y / 4) + 0.2 * std::sin(z / 3 + y / 5); }

/// A bump of 1.5 cells in the middle, which no bend of the whole could follow.
std::array<double, 3> bump(double x, double y, double z)
{
    const double r2 = (x - 20) * (x - 20) + (y - 16) * (y - 16) + (z - 12) * (z - 12), high = 1.5 * std::exp(-r2 / 72);
    return {high, -0.7 * high, 0.5 * high};
}

/// The lumps as a displacement shows them; nothing from `column` on.
Picture picture(const std::function<std::array<double, 3>(int, int, int)>& at, int column = kSize.columns)
{
    Picture out(kSize);
    for (int k = 0; k < kSize.slices; ++k) {
        for (int j = 0; j < kSize.rows; ++j) {
            for (int i = 0; i < kSize.columns; ++i) {
                const auto u = at(i, j, k);
                const auto t = i < column ? static_cast<float>(lumps(i + u[0], j + u[1], k + u[2])) : 0.5F;
                out.at(i, j, k) = {t, 3 * t, 1, 0};
            }
        }
    }
    return out;
}

Picture as_laid_by(const Field& field, int column = kSize.columns)
{
    return picture([&](int i, int j, int k) { return std::array<double, 3>{field.at(i, j, k)[0], field.at(i, j, k)[1], field.at(i, j, k)[2]}; }, column);
}

Lattice found(const Picture& fixed, int block, int most, int threads = 0, int column = kSize.columns)
{
    Lattice lattice(Field(kSize), 6, {0.01, 0.01});
    for (int i = 0; i < most && lattice.improve(pulls_of(fixed, as_laid_by(lattice.field(threads), column), block, threads)); ++i) {
    }
    return lattice;
}

double farthest_off(const Field& field)
{
    double out = 0;
    for (int k = 4; k < kSize.slices - 4; ++k) {
        for (int j = 4; j < kSize.rows - 4; ++j) {
            for (int i = 4; i < kSize.columns - 4; ++i) {
                const auto u = bump(i, j, k);
                const auto& v = field.at(i, j, k);
                out = std::max(out, std::hypot(u[0] - v[0], u[1] - v[1], u[2] - v[2]));
            }
        }
    }
    return out;
}

TEST(Lattice, FindsABumpByCellsAndByBlocks)
{
    const auto fixed = picture(bump);
    EXPECT_GT(farthest_off(Field(kSize)), 1.5);   // none at all
    for (const int block : {1, 2, 3}) EXPECT_LT(farthest_off(found(fixed, block, 12).field(1)), 0.5) << block;   // a quarter of its height
}

TEST(Lattice, StaysWithWhatLiesBeneathFarFromWhatIsSeen)
{
    const auto aside = picture([](int, int, int) { return std::array<double, 3>{0.8, 0, 0}; }, 16);
    const auto field = found(aside, 2, 12, 0, 16).field(1);
    EXPECT_NEAR(field.at(8, 16, 12)[0], 0.8, 0.15);      // what holds it shrinks it a little
    EXPECT_LT(std::abs(field.at(39, 16, 12)[0]), 0.5);   // splines without a hold would go on beyond 0.8
}

TEST(Lattice, GoesStraightOnBetweenWhatIsSeenWhereCurvingCosts)
{
    // It stretches along x; twelve columns in the middle show nothing. A straight line costs nothing however much curving does.
    const auto stretched = [](double x) { return 0.08 * (x - 12); };
    const auto blank = [](Picture p) {
        for (int k = 0; k < kSize.slices; ++k) {
            for (int j = 0; j < kSize.rows; ++j) {
                for (int i = 14; i < 26; ++i) p.at(i, j, k) = {0.5F, 1.5F, 1, 0};
            }
        }
        return p;
    };
    const auto fixed = blank(picture([&](int i, int, int) { return std::array<double, 3>{stretched(i), 0, 0}; }));
    Lattice lattice(Field(kSize), 6, {30, 0});
    for (int i = 0; i < 20 && lattice.improve(pulls_of(fixed, blank(as_laid_by(lattice.field(1))), 2, 1)); ++i) {
    }
    const auto field = lattice.field(1);
    for (const int i : {8, 16, 20, 24, 32}) EXPECT_NEAR(field.at(i, 16, 12)[0], stretched(i), 0.25) << i;   // a quarter of a cell, as a bend is found
}

TEST(Lattice, TakesAStepBackThatMadeMattersWorse)
{
    const auto fixed = picture(bump);
    Lattice lattice(Field(kSize), 6, {0.01, 0.01});
    ASSERT_TRUE(lattice.improve(pulls_of(fixed, as_laid_by(Field(kSize)), 2, 1)));
    auto other = fixed;
    for (auto& v : other.values()) v[kTissue] = 1 - v[kTissue], v[kLocal] = 3 - v[kLocal];
    EXPECT_FALSE(lattice.improve(pulls_of(fixed, other, 2, 1)));
    const auto field = lattice.field(1);
    EXPECT_TRUE(std::all_of(field.values().begin(), field.values().end(), [](const Four& u) { return u == Four{}; }));
    // Or led out of the scan, in part: alike where something is left.
    Lattice out(Field(kSize), 6, {0.01, 0.01});
    ASSERT_TRUE(out.improve(pulls_of(fixed, as_laid_by(Field(kSize)), 2, 1)));
    auto left = fixed;
    for (int k = 12; k < kSize.slices; ++k) {
        for (auto& v : left.plane(k)) v[kWeight] = 0;
    }
    EXPECT_FALSE(out.improve(pulls_of(fixed, left, 2, 1)));
}

TEST(Lattice, SaysWhereNothingIsSeen)
{
    Lattice lattice(Field(kSize), 6, {1, 1});
    EXPECT_FALSE(lattice.improve(pulls_of(Picture(kSize), Picture(kSize), 2, 1)));
}

TEST(Lattice, IsTheSameForAnyNumberOfThreads)
{
    const auto fixed = picture(bump);
    const auto one = found(fixed, 2, 4, 1).field(1), three = found(fixed, 2, 4, 3).field(2);
    EXPECT_TRUE(std::equal(one.values().begin(), one.values().end(), three.values().begin()));
}

}  // namespace
}  // namespace retromass::segmentation

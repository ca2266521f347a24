#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "segmentation/bend.h"

namespace retromass::segmentation {
namespace {

constexpr Dimensions kSize{40, 32, 24};

using Tissue = std::function<double(double x, double y, double z)>;
using Displacement = std::function<std::array<double, 3>(double x, double y, double z)>;

/// What a scan shows whose cells lie where `at` says.
Picture picture(const Tissue& tissue, const Displacement& at, double filled = 1)
{
    Picture out(kSize);
    for (int k = 0; k < kSize.slices; ++k) {
        for (int j = 0; j < kSize.rows; ++j) {
            for (int i = 0; i < kSize.columns; ++i) {
                const auto u = at(i, j, k);
                const auto t = static_cast<float>(tissue(i + u[0], j + u[1], k + u[2]));
                out.at(i, j, k) = {t, 3 * t, k < filled * kSize.slices ? 1.0F : 0.0F, 0};
            }
        }
    }
    return out;
}

double lumps(double x, double y, double z) { return 0.5 + 0.2 * std::sin(x / 3) * std::cos(y / 4) + 0.2 * std::sin(z / 3 + y / 5); }
double rods(double x, double y, double) { return 0.5 + 0.3 * std::sin(x / 3) * std::cos(y / 4); }   // nothing shows a motion along z
std::array<double, 3> nowhere(double, double, double) { return {0, 0, 0}; }

/// Two to three cells, of the third degree along z.
std::array<double, 3> bent(double x, double y, double z)
{
    const double a = (2 * x + 1 - kSize.columns) / kSize.columns, b = (2 * y + 1 - kSize.rows) / kSize.rows, c = (2 * z + 1 - kSize.slices) / kSize.slices;
    return {1 + 0.8 * b * c, -0.7 * a * a + 0.5, 1.2 * a * a * a - 0.8 * b + 0.4 * c};
}

/// Steps until it says that nothing is left; the moving scan shows the lumps as they lie.
Bend found(const Tissue& tissue, const Picture& fixed, int most, int threads = 0, int block = 1)
{
    Bend bend(kSize);
    for (int i = 0; i < most; ++i) {
        const auto field = bend.field(threads);
        const auto moved = picture(tissue, [&](double x, double y, double z) {
            const auto& u = field.at(static_cast<int>(x), static_cast<int>(y), static_cast<int>(z));
            return std::array<double, 3>{u[0], u[1], u[2]};
        });
        if (!bend.improve(pulls_of(fixed, moved, block, threads), 0.1)) break;
    }
    return bend;
}

double farthest_off(const Bend& bend, const Displacement& truth)
{
    const auto field = bend.field(1);
    double out = 0;
    for (int k = 0; k < kSize.slices; ++k) {
        for (int j = 0; j < kSize.rows; ++j) {
            for (int i = 0; i < kSize.columns; ++i) {
                const auto u = truth(i, j, k);
                const auto& v = field.at(i, j, k);
                out = std::max(out, std::hypot(u[0] - v[0], u[1] - v[1], u[2] - v[2]));
            }
        }
    }
    return out;
}

TEST(Bend, FindsAKnownOneEverywhereToTheRim)
{
    for (const int block : {1, 2}) EXPECT_LT(farthest_off(found(lumps, picture(lumps, bent), 30, 0, block), bent), 0.25) << block;   // slopes over two cells: a quarter of a cell
    EXPECT_GT(farthest_off(Bend(kSize), bent), 2);    // no bend at all
}

TEST(Bend, FollowsWhatIsSeenIntoWhatIsNot)
{
    // A quarter of the scan shows nothing: the bend goes on there.
    const auto bend = found(lumps, picture(lumps, bent, 0.75), 30);
    EXPECT_LT(farthest_off(bend, bent), 1);
}

TEST(Bend, DoesNotMoveWhereNothingShowsAMotion)
{
    const Displacement aside = [](double, double, double) { return std::array<double, 3>{1.5, 0, 0}; };
    const auto field = found(rods, picture(rods, aside), 30).field(1);
    for (int k = 0; k < kSize.slices; k += 5) {
        EXPECT_NEAR(field.at(20, 16, k)[0], 1.5, 0.1);
        EXPECT_NEAR(field.at(20, 16, k)[2], 0, 0.05);
    }
}

TEST(Bend, TakesAStepBackThatMadeThePicturesLessAlike)
{
    const auto fixed = picture(lumps, bent);
    Bend bend(kSize);
    ASSERT_TRUE(bend.improve(pulls_of(fixed, picture(lumps, nowhere), 1, 1), 0.1));
    // As if the step had led to something wholly different.
    EXPECT_FALSE(bend.improve(pulls_of(fixed, picture([](double x, double y, double z) { return 1 - lumps(x, y, z); }, nowhere), 1, 1), 0.1));
    EXPECT_EQ(farthest_off(bend, nowhere), 0);
    // Or out of the scan, in part or as a whole.
    for (const double left : {0.5, 0.0}) {
        Bend other(kSize);
        ASSERT_TRUE(other.improve(pulls_of(fixed, picture(lumps, nowhere), 1, 1), 0.1));
        EXPECT_GT(farthest_off(other, nowhere), 0.5);
        EXPECT_FALSE(other.improve(pulls_of(fixed, picture(lumps, bent, left), 1, 1), 0.1));
        EXPECT_EQ(farthest_off(other, nowhere), 0);
    }
}

TEST(Bend, IsTheSameForAnyNumberOfThreadsAndOnOtherCells)
{
    const auto fixed = picture(lumps, bent);
    const auto one = found(lumps, fixed, 4, 1), three = found(lumps, fixed, 4, 3);
    const auto a = one.field(1), b = three.field(2);
    EXPECT_TRUE(std::equal(a.values().begin(), a.values().end(), b.values().begin()));
    const auto coarse = one.on({kSize.columns / 2, kSize.rows / 2, kSize.slices / 2}, 0.5).field(1);
    EXPECT_NEAR(coarse.at(3, 4, 5)[0], 0.25 * (a.at(6, 8, 10)[0] + a.at(7, 9, 11)[0]), 0.01);  // the middle of eight cells, in cells twice as large
}

}  // namespace
}  // namespace retromass::segmentation

#include "segmentation/filters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "segmentation/distance.h"
#include "segmentation/working_grid.h"
#include "tests/support/itk/maurer.h"

namespace retromass::segmentation {
namespace {

constexpr std::array<double, 3> kSpacing{0.7, 1.1, 2.5};

Grid<float> noise(Dimensions size, unsigned seed)
{
    std::mt19937 random(seed);
    std::normal_distribution<float> value(40, 30);
    Grid<float> out(size);
    for (auto& v : out.values()) v = value(random);
    return out;
}

/// The sum as its definition has it, one value at a time, along one axis.
Grid<float> convolved(const Grid<float>& in, int axis, double sigma_cells)
{
    const auto n = in.size();
    const int radius = std::max(1, static_cast<int>(std::ceil(3 * sigma_cells)));
    Grid<float> out(n);
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            for (int c = 0; c < n.columns; ++c) {
                float sum = 0;
                float weight = 0;
                for (int t = -radius; t <= radius; ++t) {
                    const int cc = c + (axis == 0 ? t : 0);
                    const int rr = r + (axis == 1 ? t : 0);
                    const int kk = k + (axis == 2 ? t : 0);
                    if (!n.contains(cc, rr, kk)) continue;
                    const auto w = static_cast<float>(std::exp(-0.5 * t * t / (sigma_cells * sigma_cells)));
                    sum += w * in.at(cc, rr, kk);
                    weight += w;
                }
                out.at(c, r, k) = sum / weight;
            }
        }
    }
    return out;
}

/// A union of balls, seeded: thick and thin parts, touching the edges of the grid.
Mask balls(Dimensions size, unsigned seed)
{
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> part(0, 1);
    Mask out(size);
    for (int ball = 0; ball < 6; ++ball) {
        const double x = part(random) * size.columns;
        const double y = part(random) * size.rows;
        const double z = part(random) * size.slices;
        const double radius_mm = 2 + 9 * part(random);
        for (int k = 0; k < size.slices; ++k) {
            for (int r = 0; r < size.rows; ++r) {
                for (int c = 0; c < size.columns; ++c) {
                    if (std::hypot((c - x) * kSpacing[0], (r - y) * kSpacing[1], (k - z) * kSpacing[2]) < radius_mm) out.at(c, r, k) = 1;
                }
            }
        }
    }
    return out;
}

}  // namespace

// Lines side by side in vectors are still sums in the order of the definition: not one bit differs, for any width of the kernel and any rest of lines.
TEST(Gaussian, IsThePlainSumBitForBit)
{
    for (const Dimensions size : {Dimensions{17, 9, 5}, Dimensions{8, 16, 3}, Dimensions{3, 5, 21}}) {
        const auto in = noise(size, 3);
        for (const double sigma_mm : {0.5, 1.5, 6.0}) {
            auto plain = in;
            for (int axis = 0; axis < 3; ++axis) {
                const double cells = sigma_mm / kSpacing[static_cast<std::size_t>(axis)];
                if (cells > 0.3) plain = convolved(plain, axis, cells);
            }
            for (const int threads : {1, 3}) {
                const auto fast = gaussian(in, kSpacing, sigma_mm, threads);
                for (std::size_t i = 0; i < plain.values().size(); ++i) ASSERT_EQ(fast[i], plain[i]) << sigma_mm << " mm, voxel " << i;
            }
        }
    }
}

TEST(Gaussian, WhereItIsWantedIsTheSameToTheLastBit)
{
    // Lines of a number of columns that is no multiple of the lanes, a kernel longer than the slices, and one too narrow to count.
    for (const double sigma_mm : {0.1, 0.9, 3.0}) {
        const Dimensions size{37, 29, 11};
        const auto in = noise(size, 5);
        const auto whole = gaussian(in, kSpacing, sigma_mm, 2);
        auto corners = Mask(size);
        corners.at(36, 0, 10) = corners.at(3, 28, 0) = 1;
        for (const auto& wanted : {balls(size, 1), corners}) {
            GaussianWhere gaussian_where(size, kSpacing, sigma_mm, 2);
            auto part = in;
            gaussian_where.apply({&part}, Mask(size, 1));   // a use before leaves nothing behind
            part = in;
            auto other = in;
            gaussian_where.apply({&part, &other}, wanted);
            Grid<float> read(size, 1e9F);
            gaussian_where.apply(read, wanted, [&](int row, int slice, int first, int last, float* to) { std::copy(&in.at(first, row, slice), &in.at(last, row, slice) + 1, to); });
            std::size_t compared = 0;
            for (std::size_t i = 0; i < wanted.values().size(); ++i) {
                if (!wanted[i]) continue;
                for (const auto& found : {part[i], other[i], read[i]}) ASSERT_EQ(found, whole[i]) << "sigma " << sigma_mm << ", voxel " << i;
                ++compared;
            }
            EXPECT_GT(compared, 0U);
        }
    }
}

// ITK's filter works in squares of float as ours does: 1e-4 mm is their rounding at 30 mm.
TEST(SignedDistance, IsThatOfItk)
{
    for (unsigned seed = 1; seed <= 8; ++seed) {
        const auto mask = balls({40, 31, 15}, seed);
        const auto ours = signed_distance(mask, kSpacing, 2);
        const auto theirs = test::maurer_distance(mask, kSpacing);
        for (std::size_t i = 0; i < ours.values().size(); ++i) ASSERT_NEAR(ours[i], theirs[i], 1e-4) << "seed " << seed << ", voxel " << i;
    }
}

TEST(SignedDistance, IsTheDistanceToTheNearestVoxelOfTheSurface)
{
    const auto mask = balls({23, 19, 9}, 11);
    const auto n = mask.size();
    const auto ours = signed_distance(mask, kSpacing);
    const auto theirs = signed_distance(mask, kSpacing, 3);
    std::vector<std::array<int, 3>> surface;
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            for (int c = 0; c < n.columns; ++c) {
                bool outside = false;
                for (int d = 0; d < 27; ++d) {
                    const int cc = c + d % 3 - 1;
                    const int rr = r + d / 3 % 3 - 1;
                    const int kk = k + d / 9 - 1;
                    outside = outside || (n.contains(cc, rr, kk) && !mask.at(cc, rr, kk));
                }
                if (mask.at(c, r, k) && outside) surface.push_back({c, r, k});
            }
        }
    }
    ASSERT_FALSE(surface.empty());
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            for (int c = 0; c < n.columns; ++c) {
                double least = 1e9;
                for (const auto& s : surface) least = std::min(least, std::hypot((c - s[0]) * kSpacing[0], (r - s[1]) * kSpacing[1], (k - s[2]) * kSpacing[2]));
                ASSERT_NEAR(ours.at(c, r, k), mask.at(c, r, k) ? least : -least, 1e-4) << c << ' ' << r << ' ' << k;
                ASSERT_EQ(ours.at(c, r, k), theirs.at(c, r, k));
            }
        }
    }
}

TEST(SignedDistance, AskedForAFewMmIsTheSameThereAndNowhereNearer)
{
    const auto mask = balls({41, 33, 17}, 3);
    const auto whole = signed_distance(mask, kSpacing);
    for (const double most_mm : {0.0, 1.5, 4.0}) {
        const auto near = signed_distance(mask, kSpacing, 2, most_mm);
        std::size_t beyond = 0;
        for (std::size_t i = 0; i < mask.values().size(); ++i) {
            if (std::abs(whole[i]) <= most_mm) {
                ASSERT_EQ(near[i], whole[i]) << i;
            } else {
                ASSERT_GT(std::abs(near[i]), most_mm) << i;
                ASSERT_EQ(near[i] > 0, whole[i] > 0) << i;
                ++beyond;
            }
        }
        EXPECT_GT(beyond, 0U);
    }
}

// Many slices, so that they come some at a time, each row of each once.
TEST(NearDistance, IsThatOfTheWholeWhereItIsNearAndNowhereNearer)
{
    for (const Dimensions size : {Dimensions{19, 23, 71}, Dimensions{40, 9, 3}}) {
        const auto scan = balls({size.columns + 3, size.rows + 2, size.slices + 1}, 3);
        const MaskBox box{{2, 1, 1}, {size.columns + 1, size.rows, size.slices}};
        const auto mask = part_of(scan, box, 1);
        for (const auto& spacing_mm : {kSpacing, std::array<double, 3>{0.8, 0.8, 0.3}}) {
            const auto whole = signed_distance(mask, spacing_mm);
            for (const double most_mm : {0.0, 1.5, 4.0, 1000.0}) {
                Grid<float> near(size);
                Mask times({1, size.rows, size.slices});
                near_distance(scan, box, spacing_mm, most_mm, 2, [&](int r, int k, const float* mm) {
                    std::copy_n(mm, size.columns, &near.at(0, r, k));
                    ++times.at(0, r, k);
                });
                for (const auto t : times.values()) ASSERT_EQ(t, 1);
                for (std::size_t i = 0; i < mask.values().size(); ++i) {
                    if (std::abs(whole[i]) <= most_mm) ASSERT_EQ(near[i], whole[i]) << i;
                    else ASSERT_GT(std::abs(near[i]), most_mm) << i;
                    ASSERT_EQ(near[i] > 0, whole[i] > 0) << i;
                }
            }
        }
    }
}

TEST(SignedDistance, OfAMaskWithoutSurfaceIsFar)
{
    const Dimensions size{6, 5, 4};
    const auto of_nothing = signed_distance(Mask(size), kSpacing);
    const auto of_all = signed_distance(Mask(size, 1), kSpacing);
    for (const float d : of_nothing.values()) ASSERT_EQ(d, -kNoSurface_mm);
    for (const float d : of_all.values()) ASSERT_EQ(d, kNoSurface_mm);
}

// The neighbours of a raster sweep in their order, each looked at for whether it is there.
TEST(Geodesic, IsThePlainSweepsBitForBit)
{
    const Dimensions n{13, 9, 7};
    const auto hu = noise(n, 7);
    Mask seeds(n);
    seeds.at(6, 4, 3) = seeds.at(0, 8, 6) = 1;
    Grid<float> cost(n, std::numeric_limits<float>::max() / 4);
    Grid<float> length = cost;
    for (std::size_t i = 0; i < seeds.values().size(); ++i) {
        if (seeds[i]) cost[i] = length[i] = 0;
    }
    for (const int sign : {1, -1, 1, -1}) {
        for (int i = 0; i < static_cast<int>(n.voxels()); ++i) {
            const int at = sign > 0 ? i : static_cast<int>(n.voxels()) - 1 - i;
            const int c = at % n.columns;
            const int r = at / n.columns % n.rows;
            const int k = at / (n.columns * n.rows);
            for (int before = 0; before < 13; ++before) {
                const int dc = before % 3 - 1;
                const int dr = before / 3 % 3 - 1;
                const int dk = before / 9 - 1;
                if (!n.contains(c + sign * dc, r + sign * dr, k + sign * dk)) continue;
                const auto from = hu.offset(c + sign * dc, r + sign * dr, k + sign * dk);
                const auto here = hu.offset(c, r, k);
                const auto mm = static_cast<float>(std::sqrt(dc * dc * kSpacing[0] * kSpacing[0] + dr * dr * kSpacing[1] * kSpacing[1] + dk * dk * kSpacing[2] * kSpacing[2]));
                cost[here] = std::min(cost[here], cost[from] + mm + 1.5F * std::abs(hu[here] - hu[from]));
                length[here] = std::min(length[here], length[from] + mm);
            }
        }
    }
    for (const int threads : {1, 2}) {
        const auto fast = geodesic(hu, seeds, kSpacing, threads);
        for (std::size_t i = 0; i < cost.values().size(); ++i) {
            ASSERT_EQ(fast.cost[i], cost[i]) << i;
            ASSERT_EQ(fast.length[i], length[i]) << i;
        }
    }
}

TEST(RandomWalker, SolvesItsEquations)
{
    // What it minimises is flat in every active cell: confidence (p - prior) + sum of w (p - neighbour's p) = 0; inactive ones are left out.
    const Dimensions n{21, 17, 9};
    constexpr double confidence = 0.5, contrast_hu = 12, least_link = 1e-3;
    const auto hu = noise(n, 9);
    auto prior = noise(n, 10);
    for (auto& p : prior.values()) p = 1 / (1 + std::exp(-p / 30));
    const auto active = balls(n, 5);
    const auto p = random_walker(hu, prior, active, kSpacing, confidence, 2);
    double most_moved = 0;
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            for (int c = 0; c < n.columns; ++c) {
                if (!active.at(c, r, k)) {
                    ASSERT_EQ(p.at(c, r, k), 0);
                    continue;
                }
                double slope = confidence * (p.at(c, r, k) - prior.at(c, r, k));
                for (int side = 0; side < 6; ++side) {
                    const int axis = side / 2, step = side % 2 ? 1 : -1;
                    const Index at{c + step * (axis == 0), r + step * (axis == 1), k + step * (axis == 2)};
                    if (!n.contains(at.column, at.row, at.slice) || !active.at(at.column, at.row, at.slice)) continue;
                    const double jump = hu.at(c, r, k) - hu.at(at.column, at.row, at.slice);
                    const double w = std::pow(kSpacing[0] / kSpacing[static_cast<std::size_t>(axis)], 2) * (std::exp(-jump * jump / (2 * contrast_hu * contrast_hu)) + least_link);
                    slope += w * (p.at(c, r, k) - p.at(at.column, at.row, at.slice));
                }
                ASSERT_NEAR(slope, 0, 1e-5) << c << ' ' << r << ' ' << k;  // probabilities as floats, residuals reduced a million times
                most_moved = std::max<double>(most_moved, std::abs(p.at(c, r, k) - prior.at(c, r, k)));
            }
        }
    }
    EXPECT_GT(most_moved, 0.1);  // the prior handed back would not do
}

TEST(RandomWalker, IsTheSameForAnyNumberOfThreads)
{
    const Dimensions n{21, 17, 9};
    const auto hu = noise(n, 9);
    auto prior = noise(n, 10);
    for (auto& p : prior.values()) p = 1 / (1 + std::exp(-p / 30));
    const auto active = balls(n, 5);
    const auto alone = random_walker(hu, prior, active, kSpacing, 0.5, 1);
    for (const int threads : {2, 5}) {
        const auto together = random_walker(hu, prior, active, kSpacing, 0.5, threads);
        for (std::size_t i = 0; i < alone.values().size(); ++i) ASSERT_EQ(together[i], alone[i]) << i;
    }
}

TEST(BlockAverage, IsTheMeanOfWhatIsNotPadding)
{
    const Dimensions n{23, 11, 6};
    CtVolume ct{VolumeGeometry::from_slices(n.columns, n.rows, {1, 0, 0}, {0, 1, 0}, 0.7, 0.7, {{0, 0, 0}, {0, 0, 1}, {0, 0, 2}, {0, 0, 3}, {0, 0, 4}, {0, 0, 5}}).value(), Grid<std::int16_t>(n)};
    std::mt19937 random(1);
    for (auto& hu : ct.hu.values()) hu = random() % 3 == 0 ? kPaddingHu : static_cast<std::int16_t>(static_cast<int>(random() % 1200) - 500);
    const auto grid = working_grid(ct.geometry, {2, 1, 0}, {22, 10, 5}, 2.1);
    ASSERT_EQ(grid.block, (std::array{3, 3, 2}));
    const auto fast = block_average(ct, grid, 2);
    for (int k = 0; k < grid.size.slices; ++k) {
        for (int j = 0; j < grid.size.rows; ++j) {
            for (int i = 0; i < grid.size.columns; ++i) {
                double sum = 0;
                int count = 0;
                for (int b = 0; b < 18; ++b) {
                    const Index at{grid.first.column + 3 * i + b % 3, grid.first.row + 3 * j + b / 3 % 3, grid.first.slice + 2 * k + b / 9};
                    if (!n.contains(at.column, at.row, at.slice)) continue;
                    const auto hu = ct.hu.at(at.column, at.row, at.slice);
                    if (hu == kPaddingHu) continue;
                    sum += std::clamp<double>(hu, -200, 400);
                    ++count;
                }
                ASSERT_EQ(fast.at(i, j, k), count ? static_cast<float>(sum / count) : -200.0F);
            }
        }
    }
}

}  // namespace retromass::segmentation

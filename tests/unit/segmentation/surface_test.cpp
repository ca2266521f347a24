#include "segmentation/surface.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

namespace retromass::segmentation {
namespace {

constexpr int kCells = 56;
constexpr double kCell_mm = 1.5;
constexpr double kMiddle_mm = kCell_mm * (kCells - 1) / 2;
constexpr double kRadius_mm = 25;

/// Cells of 1.5 mm over voxels of the same size.
VolumeGeometry geometry()
{
    std::vector<PatientPoint> origins;
    for (int k = 0; k < kCells; ++k) origins.push_back({0, 0, kCell_mm * k});
    return VolumeGeometry::from_slices(kCells, kCells, {1, 0, 0}, {0, 1, 0}, kCell_mm, kCell_mm, std::move(origins)).value();
}
WorkingGrid grid() { return {{0, 0, 0}, {1, 1, 1}, {kCells, kCells, kCells}, {kCell_mm, kCell_mm, kCell_mm}}; }

PatientPoint from_middle(double x, double y, double z) { return {kMiddle_mm + x, kMiddle_mm + y, kMiddle_mm + z}; }

/// Three axes of 50 mm.
Prompt marked()
{
    constexpr double h = kRadius_mm;
    Prompt p;
    p.lines = {{from_middle(-h, 0, 0), from_middle(h, 0, 0)}, {from_middle(0, -h, 0), from_middle(0, h, 0)}};
    p.extent = {from_middle(0, 0, h), from_middle(0, 0, -h)};
    return p;
}

/// Logits of a lesion round the middle whose surface lies at `radius_mm(ring, around)`, angles from the slice normal and in the slice.
Grid<float> lesion(const std::function<double(double, double)>& radius_mm)
{
    Grid<float> out(grid().size);
    for (int k = 0; k < kCells; ++k) {
        for (int j = 0; j < kCells; ++j) {
            for (int i = 0; i < kCells; ++i) {
                const double x = kCell_mm * i - kMiddle_mm, y = kCell_mm * j - kMiddle_mm, z = kCell_mm * k - kMiddle_mm;
                const double away = std::sqrt(x * x + y * y + z * z);
                out.at(i, j, k) = static_cast<float>(0.4 * (radius_mm(std::acos(z / std::max(away, 1e-9)), std::atan2(y, x)) - away));
            }
        }
    }
    return out;
}

double volume_mm3(const Grid<float>& logits)
{
    return std::pow(kCell_mm, 3) * static_cast<double>(std::count_if(logits.values().begin(), logits.values().end(), [](float z) { return z >= 0; }));
}

/// Where the surface lies in the middle slice, mm: the logits fall by 0.4 a mm.
double surface_mm(const Grid<float>& logits, double around)
{
    for (double mm = 10;; mm += 0.05) {
        const double x = (kMiddle_mm + mm * std::cos(around)) / kCell_mm, y = (kMiddle_mm + mm * std::sin(around)) / kCell_mm, z = kMiddle_mm / kCell_mm;
        const int i = static_cast<int>(x), j = static_cast<int>(y), k = static_cast<int>(z);
        double sum = 0;
        for (int corner = 0; corner < 8; ++corner) {
            const int a = corner & 1, b = corner >> 1 & 1, c = corner >> 2;
            sum += (a ? x - i : 1 - (x - i)) * (b ? y - j : 1 - (y - j)) * (c ? z - k : 1 - (z - k)) * logits.at(i + a, j + b, k + c);
        }
        if (sum < 0) return mm;
    }
}

/// Height of a wave of `order` periods round the middle slice, mm.
double height_mm(const Grid<float>& logits, int order)
{
    double sum = 0;
    constexpr int places = 180;
    for (int n = 0; n < places; ++n) {
        const double around = 2 * std::numbers::pi * n / places;
        sum += surface_mm(logits, around) * std::cos(order * around) * 2 / places;
    }
    return sum;
}

Mask everywhere()
{
    Mask out(grid().size);
    std::fill(out.values().begin(), out.values().end(), std::uint8_t{1});
    return out;
}

void settle(Grid<float>& logits, const Prompt& prompt, double weight = 1, int threads = 1, const Mask& active = everywhere())
{
    const auto g = geometry();
    const auto shape = shape_of(prompt, g);
    settle_surface(logits, shape, shape_coordinate(shape, g, grid(), 1), active, g, grid(), weight, threads);
}

bool same(const Grid<float>& a, const Grid<float>& b) { return std::equal(a.values().begin(), a.values().end(), b.values().begin()); }

double ball_mm3(double radius) { return 4 * std::numbers::pi / 3 * radius * radius * radius; }

}  // namespace

// A wave of spherical harmonics of degree l keeps exp(-l (l + 1) sigma^2 / 2) of its height under a Gaussian of sigma on the sphere. Of degree 2: 0.81 under
// 15 degrees, 0.04 under 60; so 1 - 0.5 (1 - 0.81) + 0.5 (0.81 - 0.04) = 1.29 of it is left. Of degree 8: 0.09 and nothing, so 0.58
// at the directions themselves; between them, 11.25 degrees apart, lines keep (sin(x) / x)^2 of a wave of 45 degrees, x = pi / 4: 0.81 of the change, and 0.66 is left.
TEST(SettleSurface, RaisesWideBulgesAndLowersNarrowOnes)
{
    const auto wave = [](int order, double height) {
        return lesion([=](double ring, double around) { return kRadius_mm + height * std::pow(std::sin(ring), order) * std::cos(order * around); });
    };
    auto wide = wave(2, 2.5);
    const double before = height_mm(wide, 2);
    settle(wide, marked());
    EXPECT_NEAR(height_mm(wide, 2) / before, 1.29, 0.06);  // logarithms of radii are moved, and the Gaussian is of the angle

    auto narrow = wave(8, 2);
    const double narrow_before = height_mm(narrow, 8);
    settle(narrow, marked());
    EXPECT_NEAR(height_mm(narrow, 8) / narrow_before, 0.66, 0.06);
}

TEST(SettleSurface, LeavesTheMiddleWhereItIs)
{
    auto logits = lesion([](double, double) { return 22; });
    settle(logits, marked());
    EXPECT_NEAR(surface_mm(logits, 0), surface_mm(logits, std::numbers::pi), 0.1);
    EXPECT_NEAR(surface_mm(logits, 0), surface_mm(logits, std::numbers::pi / 2), 0.1);
}

// The usual volume is 0.9 of the ellipsoid of three marked axes, and 0.73 of it in a box.
TEST(SettleSurface, TakesTheVolumeThreeTenthsOfTheWayToTheUsualOne)
{
    Prompt box;
    box.box = {from_middle(-kRadius_mm, -kRadius_mm, -kRadius_mm), from_middle(kRadius_mm, kRadius_mm, kRadius_mm)};
    struct Row {
        Prompt prompt;
        double usual_mm3;
    };
    for (const auto& [prompt, usual_mm3] : {Row{marked(), 0.9 * ball_mm3(kRadius_mm)}, Row{box, 0.73 * ball_mm3(kRadius_mm)}}) {
        for (const double radius : {19.0, 28.0}) {
            auto logits = lesion([=](double, double) { return radius; });
            const double before = volume_mm3(logits);
            settle(logits, prompt);
            EXPECT_NEAR(std::log(volume_mm3(logits) / before), 0.3 * std::log(usual_mm3 / before), 0.02) << usual_mm3 << ' ' << radius;  // half a cell of a slice at both ends
        }
    }
}

TEST(SettleSurface, LeavesTheVolumeWhereAnAxisIsNotMarked)
{
    auto no_depth = marked();
    no_depth.extent.reset();
    auto no_width = marked();
    no_width.lines.pop_back();
    for (const auto& prompt : {no_depth, no_width}) {
        auto logits = lesion([](double, double) { return 20; });
        const double before = volume_mm3(logits);
        settle(logits, prompt);
        EXPECT_NEAR(volume_mm3(logits) / before, 1, 0.005);
    }
}

// A box on one slice of thin slices holds no cell's centre: its shape says nothing of the volume, which must not become that of one cell.
TEST(SettleSurface, LeavesTheVolumeOfAShapeThinnerThanACell)
{
    Prompt box;
    box.box = {from_middle(-kRadius_mm, -kRadius_mm, 0), from_middle(kRadius_mm, kRadius_mm, 0)};
    auto logits = lesion([](double, double) { return 20; });
    const auto shape = shape_of(box, geometry());
    const double before = volume_mm3(logits);
    settle_surface(logits, shape, Grid<float>(grid().size, 2), everywhere(), geometry(), grid(), 1, 1);
    EXPECT_GT(volume_mm3(logits), 0.5 * before);
}

TEST(SettleSurface, LeavesALesionThatIsNotSeenFromItsMiddle)
{
    const auto shell = [] {
        auto out = lesion([](double, double) { return 25; });
        const auto hole = lesion([](double, double) { return 15; });
        for (std::size_t i = 0; i < out.values().size(); ++i) out[i] = std::min(out[i], -hole[i]);
        return out;
    };
    auto logits = shell();
    settle(logits, marked());
    EXPECT_TRUE(same(logits, shell()));
}

TEST(SettleSurface, DoesSoMuchOfItAsItCounts)
{
    auto half = lesion([](double, double) { return 20; });
    const double before = volume_mm3(half);
    settle(half, marked(), 0.5);
    EXPECT_NEAR(std::log(volume_mm3(half) / before), 0.15 * std::log(0.9 * ball_mm3(kRadius_mm) / before), 0.01);

    auto none = lesion([](double, double) { return 20; });
    settle(none, marked(), 0);
    EXPECT_TRUE(same(none, lesion([](double, double) { return 20; })));
}

TEST(SettleSurface, LeavesWhatAContourShowsAndWhereNothingIsFound)
{
    const auto ball = [] { return lesion([](double, double) { return 20; }); };
    Prompt contour;
    contour.contours.emplace_back();
    for (int n = 0; n < 60; ++n) contour.contours[0].push_back(from_middle(25 * std::cos(n * std::numbers::pi / 30), 25 * std::sin(n * std::numbers::pi / 30), 0));
    auto logits = ball();
    settle(logits, contour);
    EXPECT_TRUE(same(logits, ball()));

    auto nothing = lesion([](double, double) { return -5; });
    settle(nothing, marked());
    EXPECT_TRUE(same(nothing, lesion([](double, double) { return -5; })));
}

TEST(SettleSurface, KeepsToTheCellsTheLesionMayReach)
{
    auto active = everywhere();
    for (int k = 0; k < kCells; ++k) {
        for (int j = 0; j < kCells; ++j) {
            for (int i = 40; i < kCells; ++i) active.at(i, j, k) = 0;
        }
    }
    const auto before = lesion([](double, double) { return 20; });
    auto after = before;
    settle(after, marked(), 1, 1, active);
    for (int j = 0; j < kCells; ++j) EXPECT_EQ(after.at(40, j, 28), before.at(40, j, 28)) << j;
    auto nowhere = before;
    settle(nowhere, marked(), 1, 1, Mask(grid().size));
    EXPECT_TRUE(same(nowhere, before));
    EXPECT_NE(after.at(20, 28, 28), before.at(20, 28, 28));
}

TEST(SettleSurface, IsTheSameForAnyNumberOfThreads)
{
    const auto lobes = [] { return lesion([](double ring, double around) { return 22 + 3 * std::sin(ring) * std::cos(3 * around); }); };
    auto one = lobes();
    auto three = lobes();
    settle(one, marked(), 0.7, 1);
    settle(three, marked(), 0.7, 3);
    EXPECT_TRUE(same(one, three));
    EXPECT_FALSE(same(one, lobes()));
}

}  // namespace retromass::segmentation

#include "segmentation/drawn.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "sample_data/phantom.h"

namespace retromass::segmentation {
namespace {

constexpr float kEnd = -0.2F;
constexpr int kCells = 40;
constexpr int kSlices = 30;

/// Cells of 2 x 2 x 3 mm over voxels of the same size, the first at the origin.
VolumeGeometry geometry()
{
    std::vector<PatientPoint> origins;
    for (int k = 0; k < kSlices; ++k) origins.push_back({0, 0, 3.0 * k});
    return VolumeGeometry::from_slices(kCells, kCells, {1, 0, 0}, {0, 1, 0}, 2, 2, std::move(origins)).value();
}
WorkingGrid grid() { return {{0, 0, 0}, {1, 1, 1}, {kCells, kCells, kSlices}, {2, 2, 3}}; }

/// An outline of three lobes about (40, 40), at 45 mm.
double lobes_mm(double angle) { return 22 + 5 * std::cos(3 * angle); }
Prompt of_lobes()
{
    Prompt p;
    p.contours.emplace_back();
    for (int i = 0; i < 180; ++i) {
        const double angle = i * std::numbers::pi / 90;
        p.contours[0].push_back({40 + lobes_mm(angle) * std::cos(angle), 40 + lobes_mm(angle) * std::sin(angle), 45});
    }
    return p;
}

/// Logits that fall evenly along x: nothing of what is drawn.
Grid<float> falling()
{
    Grid<float> out(grid().size);
    for (int k = 0; k < kSlices; ++k) {
        for (int j = 0; j < kCells; ++j) {
            for (int i = 0; i < kCells; ++i) out.at(i, j, k) = 3 - 0.15F * static_cast<float>(i);
        }
    }
    return out;
}

bool same(const Grid<float>& a, const Grid<float>& b) { return std::equal(a.values().begin(), a.values().end(), b.values().begin()); }

}  // namespace

TEST(HoldToDrawing, MakesTheSliceOfAContourWhatWasDrawn)
{
    const auto g = geometry();
    const auto prompt = of_lobes();
    auto logits = falling();
    hold_to_drawing(logits, prompt, shape_of(prompt, g), g, grid(), kEnd, 1, 1);
    for (int j = 0; j < kCells; ++j) {
        for (int i = 0; i < kCells; ++i) {
            const double x = 2.0 * i - 40;
            const double y = 2.0 * j - 40;
            const double beyond_mm = std::hypot(x, y) - lobes_mm(std::atan2(y, x));
            if (std::abs(beyond_mm) < 0.1) continue;  // the outline's 180 corners are the lobes within that
            EXPECT_EQ(logits.at(i, j, 15) >= kEnd, beyond_mm < 0) << i << ' ' << j;
        }
    }
}

TEST(HoldToDrawing, TellsTheSlicesBesideAContourLessTheFartherTheyLie)
{
    const auto g = geometry();
    const auto prompt = of_lobes();
    const auto before = falling();
    auto after = before;
    hold_to_drawing(after, prompt, shape_of(prompt, g), g, grid(), kEnd, 1, 1);
    const auto moved = [&](int k) { return std::abs(after.at(30, 20, k) - before.at(30, 20, k)); };
    for (int k = 15; k + 1 < kSlices; ++k) {
        EXPECT_LT(moved(k + 1), moved(k)) << k;
        EXPECT_FLOAT_EQ(moved(k), moved(30 - k)) << k;
    }
    EXPECT_LT(moved(kSlices - 1), 0.05F * moved(15));  // 42 mm away, more than three sigma
}

TEST(HoldToDrawing, EndsTheLesionAtBothEndsOfALine)
{
    const auto g = geometry();
    Prompt prompt;
    prompt.lines = {{{12, 41, 45}, {70, 41, 45}}};   // y lies between two cells
    const auto before = falling();
    auto after = before;
    hold_to_drawing(after, prompt, shape_of(prompt, g), g, grid(), kEnd, 1, 1);
    ASSERT_GT(before.at(6, 20, 15), kEnd + 1);    // the lesion went on there ...
    ASSERT_LT(before.at(35, 20, 15), kEnd - 1);   // ... and here it had ended before
    for (const int i : {6, 35}) EXPECT_NEAR((after.at(i, 20, 15) + after.at(i, 21, 15)) / 2, kEnd, 0.03) << i;  // 1 mm beside an end bell(1 mm) is 0.992
    EXPECT_NEAR(after.at(20, 39, 29), before.at(20, 39, 29), 1e-3);  // far from both
}

TEST(HoldToDrawing, LeavesEveryLogitWhereItCountsForNothingOrNothingWasDrawn)
{
    const auto g = geometry();
    auto logits = falling();
    hold_to_drawing(logits, of_lobes(), shape_of(of_lobes(), g), g, grid(), kEnd, 0, 1);
    EXPECT_TRUE(same(logits, falling()));
    Prompt box;
    box.box = {{{10, 10, 20}, {60, 60, 60}}};
    hold_to_drawing(logits, box, shape_of(box, g), g, grid(), kEnd, 1, 1);
    EXPECT_TRUE(same(logits, falling()));
}

TEST(HoldToDrawing, IsTheSameForAnyNumberOfThreads)
{
    const auto g = geometry();
    Prompt lines;
    lines.lines = {{{12, 41, 45}, {70, 41, 45}}, {{40, 20, 45}, {40, 62, 45}}};
    for (const auto& prompt : {of_lobes(), lines}) {
        auto one = falling();
        auto three = falling();
        hold_to_drawing(one, prompt, shape_of(prompt, g), g, grid(), kEnd, 0.7, 1);
        hold_to_drawing(three, prompt, shape_of(prompt, g), g, grid(), kEnd, 0.7, 3);
        EXPECT_TRUE(same(one, three));
        EXPECT_FALSE(same(one, falling()));
    }
}

/// A ball of 60 mm that muscle of nearly its own brightness surrounds, of which the reader takes the inner 50: method `fusion` stays within, and `energy`, which does not ask, goes on.
TEST(HoldToDrawing, KeepsAMaskInMuscleToItsContour)
{
    sample_data::ShapeSpecification s;
    s.shape = sample_data::Shape::ball;
    s.size_mm = {60, 60, 60};
    s.grid = {110, 110, 48};
    s.slice_spacing_mm = 2.5;
    s.noise_hu = 15;
    s.lesion_hu = 60;
    s.surrounding_hu = 50;
    const auto phantom = sample_data::make_shape(s).value();
    Prompt prompt;
    prompt.contours.emplace_back();
    for (int i = 0; i < 90; ++i) prompt.contours[0].push_back({25 * std::cos(i * std::numbers::pi / 45), 25 * std::sin(i * std::numbers::pi / 45), 1.25});
    const auto slice = static_cast<int>(std::lround(phantom.ct.geometry.to_index(prompt.contours[0][0]).slice));
    const auto area_mm2 = [&](Method method) {
        const auto made = segment(phantom.ct, "", prompt, {.method = method});
        double sum = 0;
        for (const auto v : made->mask.plane(slice)) sum += v != 0;
        return sum * phantom.ct.geometry.column_spacing_mm() * phantom.ct.geometry.row_spacing_mm();
    };
    const double drawn_mm2 = 625 * std::numbers::pi;
    EXPECT_NEAR(area_mm2(Method::fusion) / drawn_mm2, 1, 0.05);  // half a cell of 1.25 mm of the radius
    EXPECT_GT(std::abs(area_mm2(Method::energy) / drawn_mm2 - 1), 0.05);
}

}  // namespace retromass::segmentation

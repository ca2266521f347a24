#include "segmentation/corrections.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "sample_data/phantom.h"
#include "tests/support/reader_prompts.h"

namespace retromass::segmentation {
namespace {

using test::dice;

/// A lesion of 60 HU in fat that touches muscle of 50 HU on one side: the mask is wrong where nothing can be seen.
sample_data::ShapePhantom beside_muscle(sample_data::Shape shape, std::vector<double> size_mm)
{
    sample_data::ShapeSpecification s;
    s.shape = shape;
    s.size_mm = std::move(size_mm);
    s.grid = {110, 110, 40};
    s.slice_spacing_mm = 2.5;
    s.noise_hu = 15;
    s.lesion_hu = 60;
    auto body = sample_data::make_shape(s).value();
    for (int k = 0; k < 40; ++k) {
        for (int r = 0; r < 110; ++r) {
            for (int c = 0; c < 110; ++c) {
                const auto p = body.ct.geometry.to_patient(Index{c, r, k});
                if (!body.mask.at(c, r, k) && p.y + 0.5 * p.z > 0) body.ct.hu.at(c, r, k) = static_cast<std::int16_t>(body.ct.hu.at(c, r, k) + 150);
            }
        }
    }
    return body;
}

/// Nothing was found: no voxel of the mask, and a probability below one half throughout.
Segmentation nothing_in(Dimensions size)
{
    Segmentation out;
    out.mask = Mask(size);
    out.probability = Grid<float>(size, 0.01F);
    return out;
}

Prompt of_line(const test::ReaderPrompts& reader)
{
    Prompt out;
    out.lines = {reader.long_axis};
    return out;
}

std::uint8_t at(const Mask& mask, const VolumeGeometry& g, PatientPoint p)
{
    const auto i = g.to_index(p);
    return mask.at(static_cast<int>(std::lround(i.column)), static_cast<int>(std::lround(i.row)), static_cast<int>(std::lround(i.slice)));
}

std::vector<PatientPoint> ring(PatientPoint centre, double a, double b)
{
    std::vector<PatientPoint> out;
    for (int i = 0; i < 72; ++i) out.push_back(centre + PatientPoint{a * std::cos(i * std::numbers::pi / 36), b * std::sin(i * std::numbers::pi / 36), 0});
    return out;
}

}  // namespace

// A point is itself a mark inside: it must not make a mask of everything where the rules found none.
TEST(Corrections, MakeNoMaskWhereNothingWasFound)
{
    const auto body = beside_muscle(sample_data::Shape::ball, {30, 30, 30});
    Prompt prompt;
    prompt.points = {body.ct.geometry.to_patient(Index{55, 55, 20})};
    EXPECT_TRUE(corrections_of(nothing_in(body.ct.geometry.size()), body.ct.geometry, prompt).empty());
}

TEST(Corrections, AMarkedPlaceIsWhereItWasMarkedWhateverThePixelsSay)
{
    const auto body = beside_muscle(sample_data::Shape::ellipsoid, {50, 40, 44});
    const auto& g = body.ct.geometry;
    auto prompt = of_line(test::prompts_of(body.mask, g));
    prompt.points = {{0, -40, 1.25}, {3, 3, 1.25}};             // in fat; beside an excluded place
    prompt.exclude = {{0, 3, 1.25}, {0, 0, 11.25}};             // in the middle
    for (const auto method : {Method::fusion, Method::energy, Method::ellipsoid}) {
        const auto made = segment(body.ct, "", prompt, {method, 0});
        ASSERT_TRUE(made.ok()) << made.error().message;
        for (const auto& p : prompt.points) EXPECT_EQ(at(made->mask, g, p), 1) << p.x << ' ' << p.y;
        for (const auto& p : prompt.exclude) EXPECT_EQ(at(made->mask, g, p), 0) << p.x << ' ' << p.y;
        for (std::size_t i = 0; i < made->mask.values().size(); ++i) ASSERT_EQ(made->mask[i] != 0, made->probability[i] >= 0.5F) << i;
    }
}

TEST(Corrections, CorrectingTheLargestErrorNeverLowersDice)
{
    using sample_data::Shape;
    const std::vector<std::pair<Shape, std::vector<double>>> bodies{{Shape::ellipsoid, {60, 40, 44}}, {Shape::box, {50, 40, 40}}, {Shape::dumbbell, {66, 28, 28}}, {Shape::crescent, {60, 60, 60}}};
    for (const auto& [shape, size] : bodies) {
        const auto body = beside_muscle(shape, size);
        const auto& g = body.ct.geometry;
        auto prompt = of_line(test::prompts_of(body.mask, g));
        auto mask = segment(body.ct, "", prompt)->mask;
        const double first = dice(mask, body.mask);
        double before = first;
        for (int step = 0; step < 4; ++step) {
            const auto [error, missing] = test::largest_error(mask, body.mask);
            (missing ? prompt.points : prompt.exclude).push_back(test::middle_of(error, g));
            const auto made = segment(body.ct, "", prompt);
            if (!made) break;  // the error's middle lies on the reader's own line
            mask = made->mask;
            const double now = dice(mask, body.mask);
            EXPECT_GE(now, before) << static_cast<int>(shape) << " step " << step << (missing ? " included" : " excluded");
            before = now;
        }
        std::cout << "shape " << static_cast<int>(shape) << ": Dice " << first << " -> " << before << '\n';
        EXPECT_GT(before, first + 0.1 * (1 - first)) << static_cast<int>(shape);  // four marks take a tenth of what was wrong; one voxel each would not
    }
}

TEST(Corrections, MarksThatAreRightAlreadyChangeNothingAndOthersNothingFarAway)
{
    const auto body = beside_muscle(sample_data::Shape::ellipsoid, {50, 40, 44});
    const auto& g = body.ct.geometry;
    auto prompt = of_line(test::prompts_of(body.mask, g));
    const auto plain = segment(body.ct, "", prompt);
    prompt.points = {{4, 0, 1.25}};
    prompt.exclude = {{0, -45, 1.25}};
    const auto right = segment(body.ct, "", prompt);
    ASSERT_TRUE(plain.ok() && right.ok());
    EXPECT_TRUE(std::equal(plain->probability.values().begin(), plain->probability.values().end(), right->probability.values().begin()));
    // 10 mm off the body nothing beyond twice that may move, 30 mm off nothing beyond another 10; and the pixel the mark falls on is up to a mm away.
    for (const auto& [mark, most_mm] : {std::pair{PatientPoint{0, -30, 1.25}, 22.0}, {PatientPoint{0, -50, 1.25}, 42.0}}) {
        prompt.points.back() = mark;
        const auto moved = segment(body.ct, "", prompt);
        ASSERT_TRUE(moved.ok());
        double farthest = 0;
        for (int k = 0; k < 40; ++k) {
            for (int r = 0; r < 110; ++r) {
                for (int c = 0; c < 110; ++c) {
                    if (moved->probability.at(c, r, k) != plain->probability.at(c, r, k)) farthest = std::max(farthest, distance(g.to_patient(Index{c, r, k}), mark));
                }
            }
        }
        EXPECT_LT(farthest, most_mm) << mark.y;
        EXPECT_GT(farthest, 5) << mark.y;
    }
}

TEST(Corrections, ASecondContourIsTheMaskOnItsSliceAndNeverLowersDice)
{
    using sample_data::Shape;
    for (const auto& [shape, size] : {std::pair{Shape::ellipsoid, std::vector{60.0, 40.0, 44.0}}, {Shape::box, std::vector{50.0, 40.0, 40.0}}}) {
        const auto body = beside_muscle(shape, size);
        const auto& g = body.ct.geometry;
        const auto outline = [&shape = shape, &size = size](double z) {  // clang 14 captures no binding by itself
            const double t = shape == Shape::box ? 1 : std::sqrt(1 - 4 * z * z / (size[2] * size[2]));
            if (shape == Shape::box) return std::vector<PatientPoint>{{-25, -20, z}, {25, -20, z}, {25, 20, z}, {-25, 20, z}};
            return ring({0, 0, z}, 30 * t, 20 * t);
        };
        Prompt prompt;
        prompt.contours = {outline(1.25)};
        double before = dice(segment(body.ct, "", prompt)->mask, body.mask);
        for (const double z : {13.75, -13.75, 16.25}) {
            prompt.contours.push_back(outline(z));
            const auto made = segment(body.ct, "", prompt);
            ASSERT_TRUE(made.ok()) << made.error().message;
            for (const auto& contour : prompt.contours) {
                const int k = static_cast<int>(std::lround(g.to_index(contour[0]).slice));
                const auto found = made->mask.plane(k);
                const auto truth = body.mask.plane(k);
                std::size_t wrong = 0;
                for (std::size_t i = 0; i < found.size(); ++i) wrong += (found[i] != 0) != (truth[i] != 0);
                EXPECT_LE(wrong, 8U) << contour[0].z;  // pixel centres on the polygon's chords, not on the ellipse
            }
            const double now = dice(made->mask, body.mask);
            EXPECT_GE(now, before) << z;
            before = now;
        }
        std::cout << "contours: Dice " << before << '\n';
    }
}

TEST(Corrections, AreTheSameForAnyNumberOfThreads)
{
    const auto body = beside_muscle(sample_data::Shape::ellipsoid, {50, 40, 44});
    auto prompt = of_line(test::prompts_of(body.mask, body.ct.geometry));
    prompt.points = {{0, -30, 1.25}};
    prompt.exclude = {{10, 5, 6.25}};
    const auto a = segment(body.ct, "", prompt, {Method::fusion, 1});
    const auto b = segment(body.ct, "", prompt, {Method::fusion, 3});
    ASSERT_TRUE(a.ok() && b.ok());
    EXPECT_TRUE(std::equal(a->probability.values().begin(), a->probability.values().end(), b->probability.values().begin()));
}

TEST(Corrections, OneVoxelMarkedBothWaysIsRefused)
{
    const auto body = beside_muscle(sample_data::Shape::ellipsoid, {50, 40, 44});
    auto prompt = of_line(test::prompts_of(body.mask, body.ct.geometry));
    prompt.points = {{0, -30, 0.3}};
    prompt.exclude = {{0, -30, 2.4}};   // 2.1 mm higher, on the same slice of 2.5 mm
    const auto made = segment(body.ct, "", prompt);
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().code, Code::prompt_contradictory);
}

TEST(Corrections, AnIntervalOfACorrectedMaskNamesTheMarks)
{
    const auto body = beside_muscle(sample_data::Shape::ellipsoid, {50, 40, 44});
    auto prompt = of_line(test::prompts_of(body.mask, body.ct.geometry));
    SegmentParameters parameters;
    parameters.variants = 2;
    EXPECT_EQ(segment(body.ct, "", prompt, parameters)->variants->prompt, "line");
    prompt.points = {{0, -30, 1.25}};
    const auto made = segment(body.ct, "", prompt, parameters);
    EXPECT_EQ(made->variants->prompt, "line+marks");   // no set of cases has it: the interval is not validated
    EXPECT_EQ(at(made->variants->base, made->variants->geometry, {0, -30, 1.25}), 1);
}

}  // namespace retromass::segmentation

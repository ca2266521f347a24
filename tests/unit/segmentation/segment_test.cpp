#include "segmentation/segment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sample_data/phantom.h"

namespace retromass::segmentation {
namespace {

using testing::HasSubstr;

/// A lesion of 60 HU in fat of -100 HU with noise, 1 x 1 x 2.5 mm; its centre is the origin.
sample_data::ShapePhantom phantom(sample_data::Shape shape, std::vector<double> size_mm, double lesion_hu = 60)
{
    sample_data::ShapeSpecification s;
    s.shape = shape;
    s.size_mm = std::move(size_mm);
    s.grid = {100, 100, 36};
    s.slice_spacing_mm = 2.5;
    s.noise_hu = 15;
    s.lesion_hu = lesion_hu;
    return sample_data::make_shape(s).value();
}

LineSegment line(double half_mm, double z = 1.25) { return {{-half_mm, 0, z}, {half_mm, 0, z}}; }

double dice(const Mask& a, const Mask& b)
{
    double both = 0;
    double sum = 0;
    for (std::size_t i = 0; i < a.values().size(); ++i) {
        both += a[i] && b[i];
        sum += (a[i] != 0) + (b[i] != 0);
    }
    return 2 * both / sum;
}

double dice_of(const sample_data::ShapePhantom& truth, const Prompt& prompt, Method method = Method::fusion)
{
    SegmentParameters parameters;
    parameters.method = method;
    const auto made = segment(truth.ct, "1.2", prompt, parameters);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return made.ok() ? dice(made->mask, truth.mask) : 0;
}

Prompt of_line(double half_mm)
{
    Prompt p;
    p.lines = {line(half_mm)};
    return p;
}

}  // namespace

TEST(Segment, FindsABodyTheLineAloneDoesNotDescribe)
{
    // 40 x 40 x 30 mm: the usual proportions of a 40 mm line are 30 x 50. Looking at the pixels must beat them.
    const auto body = phantom(sample_data::Shape::ellipsoid, {40, 40, 30});
    const double found = dice_of(body, of_line(20));
    EXPECT_GT(found, 0.93);                                             // a shell of half a voxel on a 40 mm body is 0.93
    EXPECT_LT(dice_of(body, of_line(20), Method::ellipsoid), 0.88);   // the fake that looks at nothing
}

TEST(Segment, DoesNotFindWhatIsNotInThePixels)
{
    const auto body = phantom(sample_data::Shape::ellipsoid, {40, 40, 30}, -100);
    const auto made = segment(body.ct, "1.2", of_line(20));
    if (made.ok()) EXPECT_LT(dice(made->mask, body.mask), 0.93);
}

TEST(Segment, KeepsTheNecroticInsideOfALesion)
{
    sample_data::ShapeSpecification s;
    s.shape = sample_data::Shape::rim_necrosis;
    s.size_mm = {44, 40, 36};
    s.grid = {100, 100, 36};
    s.slice_spacing_mm = 2.5;
    s.noise_hu = 12;
    s.lesion_hu = 70;
    s.necrotic_fraction = 0.5;
    const auto body = sample_data::make_shape(s).value();
    EXPECT_GT(dice_of(body, of_line(22)), 0.93);
}

TEST(Segment, TakesEveryKindOfPrompt)
{
    const auto body = phantom(sample_data::Shape::ellipsoid, {40, 36, 40});
    Prompt point;
    point.points = {{0, 0, 1.25}};
    Prompt lines = of_line(20);
    lines.lines.push_back({{0, -18, 1.25}, {0, 18, 1.25}});
    Prompt extent = of_line(20);
    extent.extent = {PatientPoint{0, 0, 18.75}, PatientPoint{0, 0, -18.75}};
    Prompt box;
    box.box = {PatientPoint{-20, -18, -20}, PatientPoint{20, 18, 20}};
    Prompt contour;
    std::vector<PatientPoint> ring;
    for (int i = 0; i < 24; ++i) ring.push_back({20 * std::cos(i * M_PI / 12), 18 * std::sin(i * M_PI / 12), 1.25});
    contour.contours = {ring};
    Prompt prior;
    prior.prior = body.mask;
    const std::vector<std::pair<const char*, Prompt>> kinds{{"line", of_line(20)}, {"lines", lines}, {"extent", extent}, {"box", box}, {"contour", contour}, {"prior", prior}};
    for (const auto& [name, prompt] : kinds) EXPECT_GT(dice_of(body, prompt), 0.90) << name;
    EXPECT_GT(dice_of(body, point), 0.70);  // a point says nothing of the size
    const auto from_point = segment(body.ct, "1.2", point);
    EXPECT_TRUE(has(from_point->notices, Code::low_confidence));
}

TEST(Segment, LeavesOutWhatIsExcluded)
{
    const auto body = phantom(sample_data::Shape::dumbbell, {60, 26, 26});
    Prompt prompt;
    prompt.lines = {{{-29, 0, 1.25}, {29, 0, 1.25}}};
    const auto whole = segment(body.ct, "1.2", prompt);
    prompt.lines = {{{-29, 0, 1.25}, {20, 0, 1.25}}};
    prompt.exclude = {{26, 0, 1.25}};
    const auto part = segment(body.ct, "1.2", prompt);
    ASSERT_TRUE(whole.ok() && part.ok());
    const auto there = body.ct.geometry.to_index({26, 0, 1.25});
    EXPECT_EQ(part->mask.at(int(there.column), int(there.row), int(std::lround(there.slice))), 0);
}

TEST(Segment, IsTheSameForAnyNumberOfThreads)
{
    const auto body = phantom(sample_data::Shape::ellipsoid, {40, 30, 36});
    SegmentParameters one;
    one.threads = 1;
    SegmentParameters three;
    three.threads = 3;
    const auto a = segment(body.ct, "1.2", of_line(20), one);
    const auto b = segment(body.ct, "1.2", of_line(20), three);
    ASSERT_TRUE(a.ok() && b.ok());
    EXPECT_TRUE(std::equal(a->mask.values().begin(), a->mask.values().end(), b->mask.values().begin()));
    EXPECT_TRUE(std::equal(a->probability.values().begin(), a->probability.values().end(), b->probability.values().begin()));
}

TEST(Segment, GivesAProbabilityThatAgreesWithItsMask)
{
    const auto body = phantom(sample_data::Shape::ball, {36, 36, 36});
    const auto made = segment(body.ct, "1.2", of_line(18));
    ASSERT_TRUE(made.ok());
    for (std::size_t i = 0; i < made->mask.values().size(); ++i) ASSERT_EQ(made->mask[i] != 0, made->probability[i] >= 0.5F) << i;
}

TEST(CheckPrompt, RefusesEachImpossiblePromptByItsCode)
{
    const auto body = phantom(sample_data::Shape::ball, {36, 36, 36});
    const auto code = [&](const Prompt& prompt) {
        const auto status = check_prompt(body.ct, "1.2", prompt);
        return status.ok() ? std::string("accepted") : std::string(name(status.error().code));
    };
    EXPECT_EQ(code(of_line(18)), "accepted");
    EXPECT_EQ(code({}), "prompt-missing");
    EXPECT_EQ(code(of_line(400)), "prompt-outside");
    EXPECT_EQ(code(of_line(0.2)), "prompt-contradictory");
    Prompt elsewhere = of_line(18);
    elsewhere.frame_of_reference_uid = "9.9";
    EXPECT_EQ(code(elsewhere), "prompt-frame-of-reference");
    EXPECT_THAT(check_prompt(body.ct, "1.2", elsewhere).error().message, testing::AllOf(HasSubstr("9.9"), HasSubstr("1.2")));
    Prompt apart = of_line(18);
    apart.lines.push_back({{0, -9, 21.25}, {0, 9, 21.25}});
    EXPECT_EQ(code(apart), "prompt-contradictory");
    Prompt beyond = of_line(18);
    beyond.extent = {PatientPoint{0, 0, 38}, PatientPoint{0, 0, 20}};
    EXPECT_EQ(code(beyond), "prompt-contradictory");
    auto air = body.ct;
    std::fill(air.hu.values().begin(), air.hu.values().end(), std::int16_t{-1000});
    EXPECT_EQ(std::string(name(check_prompt(air, "1.2", of_line(18)).error().code)), "prompt-in-air");
}

}  // namespace retromass::segmentation

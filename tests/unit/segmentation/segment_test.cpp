#include "segmentation/segment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sample_data/phantom.h"
#include "segmentation/scene.h"

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
    if (made.ok()) {
        EXPECT_LT(dice(made->mask, body.mask), 0.93);
    }
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

namespace {

/// A ball of 60 mm, 76 HU, whole or necrotic inside, in fat; `muscle` says which voxels around it are muscle of 60 HU instead.
template <class IsMuscle>
sample_data::ShapePhantom beside_muscle(double necrotic_fraction, IsMuscle muscle)
{
    sample_data::ShapeSpecification s;
    s.shape = necrotic_fraction > 0 ? sample_data::Shape::rim_necrosis : sample_data::Shape::ellipsoid;
    s.necrotic_fraction = necrotic_fraction;
    s.size_mm = {60, 60, 60};
    s.grid = {128, 128, 44};
    s.slice_spacing_mm = 2.5;
    s.noise_hu = 15;
    s.lesion_hu = 76;
    auto body = sample_data::make_shape(s).value();
    for (int k = 0; k < 44; ++k) {
        for (int r = 0; r < 128; ++r) {
            for (int c = 0; c < 128; ++c) {
                if (body.mask.at(c, r, k)) continue;
                if (muscle(body.ct.geometry.to_patient(ContinuousIndex{double(c), double(r), double(k)}))) body.ct.hu.at(c, r, k) = static_cast<std::int16_t>(body.ct.hu.at(c, r, k) + 160);
            }
        }
    }
    return body;
}

/// Extent of the mask along y, mm.
double width_of(const Mask& mask, const VolumeGeometry& g)
{
    int first = mask.size().rows;
    int last = -1;
    for (int k = 0; k < mask.size().slices; ++k) {
        for (int r = 0; r < mask.size().rows; ++r) {
            for (int c = 0; c < mask.size().columns; ++c) {
                if (mask.at(c, r, k)) first = std::min(first, r), last = std::max(last, r);
            }
        }
    }
    return (last - first + 1) * g.row_spacing_mm();
}

}  // namespace

TEST(Segment, FollowsAnEdgeThatIsSeenThoughTheRestOfTheRimIsMuscle)
{
    // Muscle at both ends of the line, fat across it. The usual width of a 60 mm line is 46 mm; the edge is at 60 mm.
    const auto body = beside_muscle(0.6, [](PatientPoint p) { return std::abs(p.x) > 20; });
    Prompt prompt = of_line(30);
    prompt.extent = {PatientPoint{0, 0, 28.75}, PatientPoint{0, 0, -28.75}};
    const auto made = segment(body.ct, "1.2", prompt);
    ASSERT_TRUE(made.ok());
    EXPECT_NEAR(width_of(made->mask, body.ct.geometry), 60, 3);  // the 5 % the sample patient is held to
    const auto bare = segment(body.ct, "1.2", prompt, {Method::ellipsoid, 0});
    EXPECT_LT(width_of(bare->mask, body.ct.geometry), 50);       // the fake that keeps the usual proportion
}

TEST(Segment, DoesNotShrinkTheShapeToTheNecrosis)
{
    // Inside: 15 HU. Rim: 76 HU. Around, at every side, muscle of 60 HU: the clearest edge is the one within the lesion.
    const auto body = beside_muscle(0.3, [](PatientPoint) { return true; });
    auto scene = bare_scene(body.ct, of_line(30), 1);
    look(scene, body.ct, EnergyConstants{}, 1);
    EXPECT_LT(scene.fit.half_v_mm, 20);      // what gathers most evidence is the necrosis ...
    EXPECT_GT(scene.shape.half_v_mm, 22.5);  // ... and the shape keeps the usual 0.76 of the line
}

TEST(Segment, SaysWhereAVisibleEdgeWasNotFollowed)
{
    // All round lies muscle a little darker than the lesion: a step, but within soft tissue, where a living rim might end it as well.
    const auto body = beside_muscle(0, [](PatientPoint) { return true; });
    const auto made = segment(body.ct, "1.2", of_line(30));
    ASSERT_TRUE(made.ok());
    const auto said = std::find_if(made->notices.begin(), made->notices.end(), [](const Notice& n) { return n.text.find("short axis, which nobody marked") != std::string::npos; });
    ASSERT_NE(said, made->notices.end());
    EXPECT_THAT(said->text, HasSubstr("46 mm from the usual proportion"));
    Prompt both = of_line(30);
    both.lines.push_back({{0, -30, 1.25}, {0, 30, 1.25}});
    const auto settled = segment(body.ct, "1.2", both);
    for (const auto& n : settled->notices) EXPECT_THAT(n.text, testing::Not(HasSubstr("short axis, which nobody marked")));
}

TEST(Segment, AsksForAContourWhereTheLesionLooksLikeWhatLiesRoundIt)
{
    const auto asks = [](double lesion_hu) {
        const auto made = segment(phantom(sample_data::Shape::ball, {50, 50, 50}, lesion_hu).ct, "1.2", of_line(25));
        EXPECT_TRUE(made.ok());
        return made.ok() && std::any_of(made->notices.begin(), made->notices.end(), [](const Notice& n) { return n.code == Code::low_confidence && n.text.find("looks much like") != std::string::npos; });
    };
    EXPECT_TRUE(asks(-98));   // in fat of -100 HU
    EXPECT_FALSE(asks(60));
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
    EXPECT_GT(dice_of(body, point), 0.90);
    const auto from_point = segment(body.ct, "1.2", point);
    EXPECT_TRUE(has(from_point->notices, Code::low_confidence));
}

TEST(Segment, ReadsTheSizeBehindAPointFromThePixels)
{
    // No fixed size serves a lesion of 20 mm and one of 70, and the point is a fifth of the length off the middle.
    for (const double length : {20.0, 40.0, 70.0}) {
        const auto body = phantom(sample_data::Shape::ellipsoid, {length, 0.7 * length, 0.8 * length});
        Prompt point;
        point.points = {{0.2 * length, 0, 1.25}};
        EXPECT_GT(dice_of(body, point), 0.93) << length;  // half a voxel all round on 20 mm is 0.93
        EXPECT_LT(dice_of(body, point, Method::ellipsoid), 0.8) << length;  // the ball of 40 mm that looks at nothing
    }
}

TEST(Segment, KeepsTopAndBottomMarkedBesideAPoint)
{
    const auto body = phantom(sample_data::Shape::ellipsoid, {40, 36, 40});
    Prompt point;
    point.points = {{0, 0, 1.25}};
    point.extent = {PatientPoint{0, 0, 11.25}, PatientPoint{0, 0, -11.25}};
    const auto scene = bare_scene(body.ct, point, 1);
    EXPECT_NEAR(scene.shape.half_n_mm, 12.5, 1e-6);  // half of nine gaps and a slab
    EXPECT_NEAR(scene.shape.centre.z, 0, 1e-6);
    EXPECT_NEAR(scene.shape.half_u_mm, 20, 4);       // a cell
}

TEST(Segment, FromAPointIsTheSameForAnyNumberOfThreads)
{
    const auto body = phantom(sample_data::Shape::ellipsoid, {40, 30, 36});
    Prompt point;
    point.points = {{3, 0, 1.25}};
    const auto a = segment(body.ct, "1.2", point, {Method::fusion, 1});
    const auto b = segment(body.ct, "1.2", point, {Method::fusion, 3});
    ASSERT_TRUE(a.ok() && b.ok());
    EXPECT_TRUE(std::equal(a->probability.values().begin(), a->probability.values().end(), b->probability.values().begin()));
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
    EXPECT_EQ(part->mask.at(int(std::lround(there.column)), int(std::lround(there.row)), int(std::lround(there.slice))), 0);
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

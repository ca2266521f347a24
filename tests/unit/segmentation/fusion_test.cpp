#include "segmentation/fusion.h"

#include <gtest/gtest.h>

#include <array>

#include "sample_data/phantom.h"

namespace retromass::segmentation {
namespace {

/// A ball of 60 HU in its surroundings, 1 x 1 x 2.5 mm, its centre the origin.
sample_data::ShapePhantom ball(double diameter_mm, double surrounding_hu)
{
    sample_data::ShapeSpecification s;
    s.shape = sample_data::Shape::ball;
    s.size_mm = {diameter_mm, diameter_mm, diameter_mm};
    s.grid = {90, 90, 40};
    s.slice_spacing_mm = 2.5;
    s.noise_hu = 15;
    s.lesion_hu = 60;
    s.surrounding_hu = surrounding_hu;
    return sample_data::make_shape(s).value();
}

Prompt of_line(double half_mm)
{
    Prompt p;
    p.lines = {{{-half_mm, 0, 1.25}, {half_mm, 0, 1.25}}};
    return p;
}

double likeness_of(const sample_data::ShapePhantom& phantom, const Prompt& prompt)
{
    auto scene = bare_scene(phantom.ct, prompt, 1);
    look(scene, phantom.ct, {}, 1);
    return likeness(scene);
}

}  // namespace

TEST(Trees, AddTheLeafEachRowFallsInto)
{
    // Two stumps: r <= 1 gives 2, else -3; evidence <= 0 gives 10, else 20.
    constexpr auto r = static_cast<std::uint8_t>(Feature::r);
    constexpr auto evidence = static_cast<std::uint8_t>(Feature::evidence);
    const std::array<TreeNode, 6> nodes{{{r, 1, 2, 1}, {kLeaf, 0, 0, 2}, {kLeaf, 0, 0, -3}, {evidence, 1, 2, 0}, {kLeaf, 0, 0, 10}, {kLeaf, 0, 0, 20}}};
    const Trees trees{nodes, 3};
    FeatureRow row{};
    row[r] = 1;
    row[evidence] = 0.5F;
    EXPECT_FLOAT_EQ(sum_of(trees, row), 22);
    row[r] = 1.01F;
    row[evidence] = 0;
    EXPECT_FLOAT_EQ(sum_of(trees, row), 7);
}

TEST(Trees, OfTheProgramAreWholeAndReadOnlyFeaturesThatAre)
{
    const auto& trees = sarcoma_trees();
    ASSERT_GT(trees.nodes.size(), 0U);
    ASSERT_EQ(trees.nodes.size() % trees.nodes_a_tree, 0U);
    for (std::size_t i = 0; i < trees.nodes.size(); ++i) {
        const auto& node = trees.nodes[i];
        if (node.feature == kLeaf) continue;
        ASSERT_LT(node.feature, kFeatures) << i;
        // Children stand behind their parent in the same tree: no walk can go round in a circle.
        ASSERT_GT(node.left, i % trees.nodes_a_tree) << i;
        ASSERT_GT(node.right, i % trees.nodes_a_tree) << i;
        ASSERT_LT(node.left, trees.nodes_a_tree) << i;
        ASSERT_LT(node.right, trees.nodes_a_tree) << i;
    }
}

TEST(Likeness, IsFullInMuscleAndNoneInFatOrLungOrBehindAPointAlone)
{
    EXPECT_DOUBLE_EQ(likeness_of(ball(50, 55), of_line(25)), 1);     // hardly a contrast: what the trees were taught
    EXPECT_DOUBLE_EQ(likeness_of(ball(50, -100), of_line(25)), 0);   // fat all round: the lesion stands out
    EXPECT_DOUBLE_EQ(likeness_of(ball(50, -800), of_line(25)), 0);
    Prompt point;
    point.points = {{0, 0, 1.25}};
    EXPECT_DOUBLE_EQ(likeness_of(ball(50, 55), point), 0);
}

TEST(Likeness, IsNoneForLesionsSmallerThanAnyTheTreesHaveSeen)
{
    EXPECT_DOUBLE_EQ(likeness_of(ball(18, 55), of_line(9)), 0);
}

TEST(Fusion, LeavesALesionThatStandsOutToTheEnergy)
{
    const auto phantom = ball(50, -100);
    SegmentParameters parameters;
    parameters.method = Method::energy;
    const auto energy = segment(phantom.ct, "", of_line(25), parameters);
    parameters.method = Method::fusion;
    const auto fusion = segment(phantom.ct, "", of_line(25), parameters);
    ASSERT_TRUE(energy.ok() && fusion.ok());
    EXPECT_TRUE(std::equal(energy->probability.values().begin(), energy->probability.values().end(), fusion->probability.values().begin()));
}

TEST(Fusion, IsTheSameForAnyNumberOfThreads)
{
    const auto phantom = ball(50, 30);
    SegmentParameters parameters;
    parameters.threads = 1;
    const auto one = segment(phantom.ct, "", of_line(25), parameters);
    parameters.threads = 3;
    const auto three = segment(phantom.ct, "", of_line(25), parameters);
    ASSERT_TRUE(one.ok() && three.ok());
    EXPECT_TRUE(std::equal(one->probability.values().begin(), one->probability.values().end(), three->probability.values().begin()));
    EXPECT_TRUE(std::equal(one->mask.values().begin(), one->mask.values().end(), three->mask.values().begin()));
}

}  // namespace retromass::segmentation

#include "segmentation/fusion.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"

namespace retromass::segmentation {
namespace {

constexpr float kSoftLow_hu = -150;
constexpr float kSoftHigh_hu = 150;
constexpr double kRimTo_r = 1.4;
// Each pair: where likeness ends and where it is full; a little beyond the training cases on every side.
constexpr double kContrast[2] = {4.7, 4.1};        // separation; from 4.1 on the image may move the axes, which the trees never saw
constexpr double kRimStep[2] = {2.4, 2.1};         // a rim so clear is not theirs: they learned in muscle
constexpr double kShortest_mm[2] = {30, 45};        // one training case is shorter, and trees that have not seen it harm it
constexpr double kLongest_mm[2] = {150, 135};
constexpr double kSoftCore[2] = {0.8, 0.9};        // fractions of soft tissue: lung and bone are another world
constexpr double kSoftRim[2] = {0.5, 0.6};
constexpr double kAgreement[2] = {0.65, 0.8};      // Dice of the lesion with and without the trees: whoever contradicts the energy so much is lost

double ramp(double x, const double (&ends)[2]) { return std::clamp((x - ends[0]) / (ends[1] - ends[0]), 0.0, 1.0); }

}  // namespace

float sum_of(const Trees& trees, const FeatureRow& row)
{
    float sum = 0;
    for (std::size_t root = 0; root < trees.nodes.size(); root += trees.nodes_a_tree) {
        const TreeNode* node = &trees.nodes[root];
        while (node->feature != kLeaf) node = &trees.nodes[root + (row[node->feature] <= node->limit ? node->left : node->right)];
        sum += node->limit;
    }
    return sum;
}

double likeness(const Scene& scene)
{
    if (scene.shape.kind == Shape::Kind::prior || scene.shape.free_scale) return 0;
    double core = 0, soft_core = 0, rim = 0, soft_rim = 0;
    for (std::size_t i = 0; i < scene.r.values().size(); ++i) {
        const bool soft = scene.smooth[i] >= kSoftLow_hu && scene.smooth[i] <= kSoftHigh_hu;
        if (scene.core[i]) ++core, soft_core += soft;
        else if (scene.r[i] > 1 && scene.r[i] < kRimTo_r) ++rim, soft_rim += soft;
    }
    if (core == 0 || rim == 0) return 0;
    return ramp(scene.appearance.separation, kContrast) * ramp(scene.rim_step, kRimStep) * ramp(scene.length_mm, kShortest_mm) * ramp(scene.length_mm, kLongest_mm) * ramp(soft_core / core, kSoftCore) *
           ramp(soft_rim / rim, kSoftRim);
}

double correct(Grid<float>& logits, const Scene& scene, const Mask& active, const Trees& trees, double weight, const VolumeGeometry& geometry, int threads)
{
    if (weight <= 0) return 0;
    const FeatureReader reader(scene, logits, geometry, threads);
    Grid<float> change(logits.size());
    parallel_for(scene.grid.size.slices, threads, [&](int k) {
        for (int j = 0; j < scene.grid.size.rows; ++j) {
            for (int i = 0; i < scene.grid.size.columns; ++i) {
                const auto at = change.offset(i, j, k);
                if (active[at] && std::abs(logits[at]) <= kDoubt) change[at] = static_cast<float>(weight) * sum_of(trees, reader.at(i, j, k));
            }
        }
    });
    double both = 0;
    double sum = 0;
    for (std::size_t i = 0; i < change.values().size(); ++i) {
        const bool before = logits[i] > 0;
        const bool after = logits[i] + change[i] > 0;
        both += before && after;
        sum += before + after;
    }
    const double trusted = sum > 0 ? ramp(2 * both / sum, kAgreement) : 0;
    for (std::size_t i = 0; i < change.values().size(); ++i) logits[i] += static_cast<float>(trusted) * change[i];
    return trusted * weight;
}

}  // namespace retromass::segmentation

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "segmentation/fusion.h"

/// Gradient boosting of small regression trees on binned features, logistic loss, best split first. Seeded: the same rows give
/// the same trees.
namespace retromass::tools {

using segmentation::FeatureRow;
using segmentation::kFeatures;
using segmentation::TreeNode;

struct Rows {
    std::vector<FeatureRow> x;
    std::vector<float> y;       ///< fraction of the cell inside the lesion
    std::vector<float> start;   ///< logit to be corrected
    std::vector<int> owner;     ///< the case a row comes from
};

struct BoostingOptions {
    int trees = 60;
    int leaves = 8;
    double rate = 0.12;
    double shrinkage = 10;            ///< L2 on a leaf's value
    double least_weight = 15;         ///< of a leaf, in units of p (1 - p)
    double features_a_tree = 0.2;     ///< a random part of the features: trees that differ generalise better
    std::vector<segmentation::Feature> decreasing;  ///< the sum may only fall with these
    std::vector<segmentation::Feature> left_out;
};

class Boosting {
public:
    Boosting(const Rows& rows, BoostingOptions options) : rows_(rows), options_(std::move(options)), cuts_(kFeatures), bins_(kFeatures)
    {
        constexpr std::size_t sampled = 50'000;
        const std::size_t n = rows.x.size();
        for (std::size_t f = 0; f < kFeatures; ++f) {
            std::vector<float> values;
            for (std::size_t i = 0; i < n; i += std::max<std::size_t>(1, n / sampled)) values.push_back(rows.x[i][f]);
            std::sort(values.begin(), values.end());
            for (std::size_t q = 1; q < kBins; ++q) {
                const float cut = values[values.size() * q / kBins];
                if (cuts_[f].empty() || cut > cuts_[f].back()) cuts_[f].push_back(cut);
            }
            for (std::size_t i = 0; i < n; ++i) bins_[f].push_back(static_cast<std::uint8_t>(std::lower_bound(cuts_[f].begin(), cuts_[f].end(), rows.x[i][f]) - cuts_[f].begin()));
        }
    }

    /// Trees of the rows of every case for which `taken` holds, one after the other, all of `nodes_a_tree()` nodes.
    template <class Taken>
    std::vector<TreeNode> fitted(Taken taken)
    {
        std::vector<std::uint32_t> all;
        for (std::size_t i = 0; i < rows_.x.size(); ++i) {
            if (taken(rows_.owner[i])) all.push_back(static_cast<std::uint32_t>(i));
        }
        auto sum = rows_.start;
        slope_.assign(rows_.x.size(), 0);
        weight_.assign(rows_.x.size(), 0);
        random_ = 1;
        std::vector<TreeNode> out;
        for (int t = 0; t < options_.trees; ++t) {
            for (const auto i : all) {
                const float p = 1 / (1 + std::exp(-sum[i]));
                slope_[i] = p - rows_.y[i];
                weight_[i] = std::max(p * (1 - p), 1e-4F);
            }
            const auto tree = one_tree(all);
            for (const auto i : all) {
                std::size_t node = 0;
                while (tree[node].feature != segmentation::kLeaf) node = rows_.x[i][tree[node].feature] <= tree[node].limit ? tree[node].left : tree[node].right;
                sum[i] += tree[node].limit;
            }
            out.insert(out.end(), tree.begin(), tree.end());
        }
        return out;
    }
    std::size_t nodes_a_tree() const { return static_cast<std::size_t>(2 * options_.leaves - 1); }

private:
    static constexpr std::size_t kBins = 64;
    struct Sum {
        double slope = 0;
        double weight = 0;
    };
    struct Leaf {
        std::vector<std::uint32_t> rows;
        std::vector<Sum> histogram;   // feature by bin
        Sum all;
        double low = -1e9;            // bounds that keep the sum decreasing where it must be
        double high = 1e9;
        std::size_t node = 0;
        double gain = 0;
        std::size_t feature = 0;
        std::size_t bin = 0;
    };

    double uniform()
    {
        random_ = random_ * 6364136223846793005ULL + 1442695040888963407ULL;
        return static_cast<double>(random_ >> 11) / 9007199254740992.0;
    }
    static bool holds(const std::vector<segmentation::Feature>& list, std::size_t f) { return std::find(list.begin(), list.end(), static_cast<segmentation::Feature>(f)) != list.end(); }
    double value(const Sum& s, const Leaf& leaf) const { return std::clamp(-s.slope / (s.weight + options_.shrinkage), leaf.low, leaf.high); }
    double gain(const Sum& s, double v) const { return -(s.slope * v + 0.5 * (s.weight + options_.shrinkage) * v * v); }

    void count(Leaf& leaf, const std::vector<bool>& used) const
    {
        leaf.histogram.assign(kFeatures * kBins, {});
        for (std::size_t f = 0; f < kFeatures; ++f) {
            if (!used[f]) continue;
            for (const auto i : leaf.rows) {
                auto& s = leaf.histogram[f * kBins + bins_[f][i]];
                s.slope += slope_[i];
                s.weight += weight_[i];
            }
        }
    }

    void find_split(Leaf& leaf, const std::vector<bool>& used) const
    {
        leaf.gain = 0;
        const double before = gain(leaf.all, value(leaf.all, leaf));
        for (std::size_t f = 0; f < kFeatures; ++f) {
            if (!used[f]) continue;
            const bool falls = holds(options_.decreasing, f);
            Sum left;
            for (std::size_t q = 0; q < cuts_[f].size(); ++q) {
                left.slope += leaf.histogram[f * kBins + q].slope;
                left.weight += leaf.histogram[f * kBins + q].weight;
                const Sum right{leaf.all.slope - left.slope, leaf.all.weight - left.weight};
                if (left.weight < options_.least_weight || right.weight < options_.least_weight) continue;
                const double a = value(left, leaf);
                const double b = value(right, leaf);
                if (falls && a < b) continue;
                const double better = gain(left, a) + gain(right, b) - before;
                if (better <= leaf.gain) continue;
                leaf.gain = better;
                leaf.feature = f;
                leaf.bin = q;
            }
        }
    }

    std::vector<TreeNode> one_tree(const std::vector<std::uint32_t>& all)
    {
        std::vector<bool> used(kFeatures);
        for (std::size_t f = 0; f < kFeatures; ++f) used[f] = uniform() < options_.features_a_tree && !holds(options_.left_out, f);
        std::vector<Leaf> leaves(1);
        leaves[0].rows = all;
        for (const auto i : all) leaves[0].all.slope += slope_[i], leaves[0].all.weight += weight_[i];
        count(leaves[0], used);
        find_split(leaves[0], used);
        std::vector<TreeNode> nodes(1);
        while (leaves.size() < static_cast<std::size_t>(options_.leaves)) {
            const auto best = std::max_element(leaves.begin(), leaves.end(), [](const Leaf& a, const Leaf& b) { return a.gain < b.gain; });
            if (best->gain <= 0) break;
            Leaf parent = std::move(*best);
            leaves.erase(best);
            Leaf left;
            Leaf right;
            for (const auto i : parent.rows) {
                auto& side = bins_[parent.feature][i] <= parent.bin ? left : right;
                side.rows.push_back(i);
                side.all.slope += slope_[i];
                side.all.weight += weight_[i];
            }
            left.low = right.low = parent.low;
            left.high = right.high = parent.high;
            if (holds(options_.decreasing, parent.feature)) left.low = right.high = (value(left.all, parent) + value(right.all, parent)) / 2;
            auto& small = left.rows.size() < right.rows.size() ? left : right;
            auto& large = &small == &left ? right : left;
            count(small, used);
            large.histogram = std::move(parent.histogram);
            for (std::size_t q = 0; q < large.histogram.size(); ++q) {
                large.histogram[q].slope -= small.histogram[q].slope;
                large.histogram[q].weight -= small.histogram[q].weight;
            }
            left.node = nodes.size();
            right.node = left.node + 1;
            nodes[parent.node] = {static_cast<std::uint8_t>(parent.feature), static_cast<std::uint8_t>(left.node), static_cast<std::uint8_t>(right.node), cuts_[parent.feature][parent.bin]};
            nodes.resize(nodes.size() + 2);
            find_split(left, used);
            find_split(right, used);
            leaves.push_back(std::move(left));
            leaves.push_back(std::move(right));
        }
        for (const auto& leaf : leaves) nodes[leaf.node] = {segmentation::kLeaf, 0, 0, static_cast<float>(options_.rate * value(leaf.all, leaf))};
        nodes.resize(nodes_a_tree(), {segmentation::kLeaf, 0, 0, 0});
        return nodes;
    }

    const Rows& rows_;
    BoostingOptions options_;
    std::vector<std::vector<float>> cuts_;
    std::vector<std::vector<std::uint8_t>> bins_;   // bin q: value <= cuts_[q]
    std::vector<float> slope_;
    std::vector<float> weight_;
    std::uint64_t random_ = 1;
};

}  // namespace retromass::tools

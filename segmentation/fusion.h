#pragma once

#include <cstdint>
#include <span>

#include "segmentation/features.h"

namespace retromass::segmentation {

/// One node of a decision tree, children by their place in the same tree: left if row[feature] <= limit. A leaf has feature
/// `kLeaf` and its value in `limit`.
struct TreeNode {
    std::uint8_t feature;
    std::uint8_t left;
    std::uint8_t right;
    float limit;
};
inline constexpr std::uint8_t kLeaf = 255;
inline constexpr float kDoubt = 7;   ///< beyond these logits of the energy a cell is decided; the trees are neither taught nor asked

/// Boosted trees whose sum corrects the logits of method `energy`; every tree has as many nodes.
struct Trees {
    std::span<const TreeNode> nodes;
    std::size_t nodes_a_tree = 1;
};
float sum_of(const Trees& trees, const FeatureRow& row);

/// The trees learned from 29 soft-tissue sarcomas by tools/train_fusion.cpp: TCIA Soft-tissue-Sarcoma, Vallieres et al. 2015,
/// IBSI validation set, CC BY 3.0.
const Trees& sarcoma_trees();

/// How far a scene is one that the trees have seen the like of, 0..1: soft tissue in soft tissue, little contrast, of a size
/// between the training cases'. Elsewhere method `energy` stands alone.
double likeness(const Scene& scene);

/// Adds what the trees say to the logits of method `energy`, where those leave a doubt; less of it where the two contradict each
/// other in most of the lesion. Returns how much of it was added, 0..`weight`.
double correct(Grid<float>& logits, const Scene& scene, const Mask& active, const Trees& trees, double weight, const VolumeGeometry& geometry, int threads);

}  // namespace retromass::segmentation

#pragma once

#include <array>
#include <span>
#include <string_view>

#include "segmentation/scene.h"

namespace retromass::segmentation {

/// What the learned correction reads of one cell, relative to the prompt (docs/stages/segmentation.md, "Learned correction").
/// None of them knows where in the image the cell lies, how large the image is, or how coarse its voxels are.
enum class Feature : std::uint8_t {
    across_u, across_v, across_n, r, r_in_plane, half_mm, depth_mm, core_mm, core_of_half,
    fine_hu, smooth_hu, wide_hu, smooth_of_sd, wide_of_sd, absolute_hu, local_sd, gradient, radial, wide_gradient, wide_radial,
    evidence, wide_evidence, climbed_mm, climbed, seed_sd, seed_hu, separation, fat_mm, bone_mm, energy,
    ray_max, ray_min, ray_mean, ray_step, ray_variation, ray_fat_mm, ray_bone_mm, ray_sd, back_8, ahead_6, ahead_12, ahead_20,
    wide_ray_max, wide_ray_min, wide_ray_variation, wide_ahead_6, wide_ahead_12, wide_ahead_20, marked_v, marked_n, kind,
    count
};
inline constexpr std::size_t kFeatures = static_cast<std::size_t>(Feature::count);
using FeatureRow = std::array<float, kFeatures>;

/// Reads the features of single cells of a scene that has been looked at.
class FeatureReader {
public:
    /// `energy` are the logits of method `energy` on the scene's grid.
    FeatureReader(const Scene& scene, const Grid<float>& energy, const VolumeGeometry& geometry, int threads);
    FeatureRow at(int i, int j, int k) const;

private:
    float sample(const Grid<float>& values, const std::array<double, 3>& cell) const;
    const Scene& scene_;
    const Grid<float>& energy_;
    const VolumeGeometry& geometry_;
    Grid<float> wide_;
    Grid<float> wide_evidence_;
    Grid<float> variance_;
    Grid<float> to_fat_;
    Grid<float> to_bone_;
    Grid<int> nearest_;   ///< offset of the core cell nearest to each cell
};

}  // namespace retromass::segmentation

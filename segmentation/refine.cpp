#include "segmentation/refine.h"

#include <algorithm>
#include <cmath>

#include "segmentation/filters.h"
#include "segmentation/distance.h"

namespace retromass::segmentation {
namespace {

constexpr double kSideFrom_mm = 1.5;    // voxels nearer to the boundary are mixed and tell nothing of either side
constexpr double kSideTo_mm[2] = {4.5, 7};   // how far a side reaches: round a small lesion the next organ is near
constexpr double kSideOfLength = 0.24;
constexpr double kWindowOfSide = 0.75;  // sigma over which a side is averaged
constexpr double kClear_hu = 85;        // fat or gas against tissue; lesser steps are too often within the lesion or beyond it (sarcomas)
constexpr double kDenoise_mm = 0.7;
constexpr float kLow_hu = -200;
constexpr float kHigh_hu = 300;

}  // namespace

Mask refined(const CtVolume& ct, const Mask& mask, Index low, Index high, double band_mm, double length_mm, int threads)
{
    const auto& g = ct.geometry;
    const Dimensions size{high.column - low.column + 1, high.row - low.row + 1, high.slice - low.slice + 1};
    const double dz = g.size().slices > 1 ? (g.slice_position_mm(g.size().slices - 1) - g.slice_position_mm(0)) / (g.size().slices - 1) : 1;
    const std::array<double, 3> spacing{g.column_spacing_mm(), g.row_spacing_mm(), dz};
    Mask part(size);
    Grid<float> hu(size);
    for (int k = 0; k < size.slices; ++k) {
        for (int r = 0; r < size.rows; ++r) {
            for (int c = 0; c < size.columns; ++c) {
                const auto from = mask.offset(low.column + c, low.row + r, low.slice + k);
                part.at(c, r, k) = mask[from];
                hu.at(c, r, k) = ct.hu[from] == kPaddingHu ? kLow_hu : std::clamp(static_cast<float>(ct.hu[from]), kLow_hu, kHigh_hu);
            }
        }
    }
    if (std::none_of(part.values().begin(), part.values().end(), [](auto v) { return v != 0; })) return mask;
    // The neighbouring slice always lies within the band, however thick the slices are.
    const auto distance = signed_distance(part, {spacing[0], spacing[1], std::min(dz, 0.95 * band_mm)}, threads);
    const double side_to_mm = std::clamp(kSideOfLength * length_mm, kSideTo_mm[0], kSideTo_mm[1]);
    const double window_mm = kWindowOfSide * side_to_mm;
    // Local means of each side: normalised convolution over voxels well inside and well outside.
    Grid<float> in_weight(size);
    Grid<float> in_sum(size);
    Grid<float> out_weight(size);
    Grid<float> out_sum(size);
    for (std::size_t i = 0; i < hu.values().size(); ++i) {
        const double d = distance[i];
        if (d >= kSideFrom_mm && d <= side_to_mm) in_weight[i] = 1, in_sum[i] = hu[i];
        else if (d <= -kSideFrom_mm && d >= -side_to_mm) out_weight[i] = 1, out_sum[i] = hu[i];
    }
    in_weight = gaussian(in_weight, spacing, window_mm, threads);
    in_sum = gaussian(in_sum, spacing, window_mm, threads);
    out_weight = gaussian(out_weight, spacing, window_mm, threads);
    out_sum = gaussian(out_sum, spacing, window_mm, threads);
    const auto calm = gaussian(hu, spacing, kDenoise_mm, threads);
    Mask out = mask;
    for (int k = 0; k < size.slices; ++k) {
        for (int r = 0; r < size.rows; ++r) {
            for (int c = 0; c < size.columns; ++c) {
                const auto i = part.offset(c, r, k);
                if (std::abs(distance[i]) > band_mm || in_weight[i] < 1e-3F || out_weight[i] < 1e-3F) continue;
                const float inside = in_sum[i] / in_weight[i];
                const float outside = out_sum[i] / out_weight[i];
                if (std::abs(inside - outside) < kClear_hu) continue;
                const bool nearer = (calm[i] - (inside + outside) / 2) * (inside - outside) > 0;
                out.at(low.column + c, low.row + r, low.slice + k) = nearer;
            }
        }
    }
    return out;
}

Mask without_strands(const Mask& mask, std::array<double, 3> spacing_mm, double radius_mm)
{
    const auto depth = signed_distance(mask, spacing_mm);
    Mask deep(mask.size());
    bool any = false;
    for (std::size_t i = 0; i < mask.values().size(); ++i) {
        deep[i] = depth[i] > radius_mm;
        any = any || deep[i];
    }
    if (!any) return mask;  // thinner than the ball everywhere: all strand, or a small lesion
    const auto away = signed_distance(deep, spacing_mm);
    const double reach = radius_mm + 0.75 * std::max({spacing_mm[0], spacing_mm[1], spacing_mm[2]});  // a voxel's rounding of both steps
    Mask out(mask.size());
    for (std::size_t i = 0; i < mask.values().size(); ++i) out[i] = mask[i] && away[i] > -reach;
    return out;
}

}  // namespace retromass::segmentation

#include "segmentation/refine.h"

#include <algorithm>
#include <cmath>

#include "segmentation/distance.h"
#include "segmentation/filters.h"

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

/// Moves the boundary within a box, some slices at a time, so that what is kept of the means is a part of the box alone.
class Refiner {
public:
    Refiner(const CtVolume& ct, const MaskBox& box, const Grid<float>& distance, std::array<double, 3> spacing_mm, double band_mm, double side_to_mm, int threads)
        : ct_(ct), box_(box), distance_(distance), spacing_mm_(spacing_mm), band_mm_(band_mm), side_to_mm_(side_to_mm), threads_(threads),
          reach_(GaussianWhere::reach(spacing_mm, std::max(kWindowOfSide * side_to_mm, kDenoise_mm))[2]), step_(std::max(16, 4 * reach_)),  // the slices read twice stay a small part
          size_{box.size().columns, box.size().rows, std::min(box.size().slices, step_ + 2 * reach_)}, wanted_(size_), calm_(size_), in_{Grid<float>(size_), Grid<float>(size_)}, out_{Grid<float>(size_), Grid<float>(size_)}
    {
    }

    void move(Mask& out)
    {
        for (int first = 0; first < box_.size().slices; first += step_) slices(first, std::min(first + step_, box_.size().slices) - 1, out);
    }

private:
    /// The mean of one side of the boundary: its sum and the weight it is to be divided by.
    struct Mean {
        Grid<float> sum;
        Grid<float> weight;
    };

    void slices(int first, int last, Mask& out)
    {
        const int from = std::clamp(first - reach_, 0, box_.size().slices - size_.slices);
        const auto begin = static_cast<std::size_t>(from) * size_.plane();
        bool any = false;
        for (int k = 0; k < size_.slices; ++k) {
            const bool asked = from + k >= first && from + k <= last;
            for (std::size_t i = static_cast<std::size_t>(k) * size_.plane(); i < static_cast<std::size_t>(k + 1) * size_.plane(); ++i) {
                wanted_[i] = asked && std::abs(distance_[begin + i]) <= band_mm_;
                any = any || wanted_[i];
            }
        }
        if (!any) return;
        read_hu(from);
        // Local means of each side: normalised convolution over voxels well inside and well outside.
        for (std::size_t i = 0; i < size_.voxels(); ++i) {
            const double d = distance_[begin + i];
            const bool within = d >= kSideFrom_mm && d <= side_to_mm_;
            const bool beyond = d <= -kSideFrom_mm && d >= -side_to_mm_;
            in_.weight[i] = within;
            in_.sum[i] = within ? calm_[i] : 0;
            out_.weight[i] = beyond;
            out_.sum[i] = beyond ? calm_[i] : 0;
        }
        const GaussianWhere window(wanted_, spacing_mm_, kWindowOfSide * side_to_mm_);
        for (auto* values : {&in_.weight, &in_.sum, &out_.weight, &out_.sum}) window.apply(*values, threads_);
        GaussianWhere(wanted_, spacing_mm_, kDenoise_mm).apply(calm_, threads_);
        for (int k = first; k <= last; ++k) {
            for (int r = 0; r < size_.rows; ++r) {
                for (int c = 0; c < size_.columns; ++c) {
                    const auto i = wanted_.offset(c, r, k - from);
                    if (!wanted_[i] || in_.weight[i] < 1e-3F || out_.weight[i] < 1e-3F) continue;
                    const float inside = in_.sum[i] / in_.weight[i];
                    const float outside = out_.sum[i] / out_.weight[i];
                    if (std::abs(inside - outside) < kClear_hu) continue;
                    const bool nearer = (calm_[i] - (inside + outside) / 2) * (inside - outside) > 0;
                    out.at(box_.low.column + c, box_.low.row + r, box_.low.slice + k) = nearer;
                }
            }
        }
    }

    void read_hu(int from)
    {
        for (int k = 0; k < size_.slices; ++k) {
            for (int r = 0; r < size_.rows; ++r) {
                const auto* const row = ct_.hu.data() + ct_.hu.offset(box_.low.column, box_.low.row + r, box_.low.slice + from + k);
                auto* const to = calm_.data() + calm_.offset(0, r, k);
                for (int c = 0; c < size_.columns; ++c) to[c] = row[c] == kPaddingHu ? kLow_hu : std::clamp(static_cast<float>(row[c]), kLow_hu, kHigh_hu);
            }
        }
    }

    const CtVolume& ct_;
    const MaskBox& box_;
    const Grid<float>& distance_;
    std::array<double, 3> spacing_mm_;
    double band_mm_;
    double side_to_mm_;
    int threads_;
    int reach_;           ///< slices read beyond those asked for
    int step_;            ///< slices at a time
    Dimensions size_;     ///< of what follows, used again for every step
    Mask wanted_;         ///< the band
    Grid<float> calm_;    ///< HU, then HU without noise
    Mean in_;
    Mean out_;
};

}  // namespace

Mask refined(const CtVolume& ct, const Mask& mask, const MaskBox& limits, double band_mm, double length_mm, int threads)
{
    const auto inside = box_of(mask, limits);
    if (!inside) return mask;
    const auto& g = ct.geometry;
    const double dz = g.size().slices > 1 ? (g.slice_position_mm(g.size().slices - 1) - g.slice_position_mm(0)) / (g.size().slices - 1) : 1;
    const std::array<double, 3> spacing_mm{g.column_spacing_mm(), g.row_spacing_mm(), dz};
    const double side_to_mm = std::clamp(kSideOfLength * length_mm, kSideTo_mm[0], kSideTo_mm[1]);
    const auto reach = GaussianWhere::reach(spacing_mm, std::max(kWindowOfSide * side_to_mm, kDenoise_mm));
    // The neighbouring slice always lies within the band, however thick the slices are.
    const std::array<double, 3> in_band_mm{spacing_mm[0], spacing_mm[1], std::min(dz, 0.95 * band_mm)};
    std::array<int, 3> margin{};
    for (std::size_t a = 0; a < 3; ++a) margin[a] = reach[a] + static_cast<int>(std::ceil(band_mm / in_band_mm[a])) + 1;
    const auto box = widened(*inside, margin, limits);
    const auto distance = signed_distance(part_of(mask, box), in_band_mm, threads, std::max(side_to_mm, band_mm));
    Mask out = mask;
    Refiner(ct, box, distance, spacing_mm, band_mm, side_to_mm, threads).move(out);
    return out;
}

Mask without_strands(const Mask& mask, std::array<double, 3> spacing_mm, double radius_mm, int threads)
{
    const double reach = radius_mm + 0.75 * std::max({spacing_mm[0], spacing_mm[1], spacing_mm[2]});  // a voxel's rounding of both steps
    const auto depth = signed_distance(mask, spacing_mm, threads, reach);
    Mask deep(mask.size());
    bool any = false;
    for (std::size_t i = 0; i < mask.values().size(); ++i) {
        deep[i] = depth[i] > radius_mm;
        any = any || deep[i];
    }
    if (!any) return mask;  // thinner than the ball everywhere: all strand, or a small lesion
    const auto away = signed_distance(deep, spacing_mm, threads, reach);
    Mask out(mask.size());
    for (std::size_t i = 0; i < mask.values().size(); ++i) out[i] = mask[i] && away[i] > -reach;
    return out;
}

}  // namespace retromass::segmentation

#include "segmentation/refine.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/parallel.h"
#include "segmentation/distance.h"
#include "segmentation/filters.h"

namespace retromass::segmentation {
namespace {

constexpr float kSideFrom_mm = 1.5F;    // voxels nearer to the boundary are mixed and tell nothing of either side
constexpr double kSideTo_mm[2] = {4.5, 7};   // how far a side reaches: round a small lesion the next organ is near
constexpr double kSideOfLength = 0.24;
constexpr double kWindowOfSide = 0.75;  // sigma over which a side is averaged
constexpr double kBlocksInWindow = 3;   // voxels in a block that small beside sigma share a mean: those at its side are sigma / 6 from its middle, a fifteenth of the weights
constexpr double kClear_hu = 85;        // fat or gas against tissue; lesser steps are too often within the lesion or beyond it (sarcomas)
constexpr double kDenoise_mm = 0.7;
constexpr float kLeastWeight = 1e-3F;   // a voxel, of a side that counts as seen
constexpr float kLow_hu = -200;
constexpr float kHigh_hu = 300;

/// Moves the boundary within a box, some slices at a time, so that what is kept of the means is a part of the box alone.
class Refiner {
public:
    Refiner(const CtVolume& ct, const MaskBox& box, const Grid<float>& distance, std::array<double, 3> spacing_mm, double band_mm, double side_to_mm, int threads)
        : ct_(ct), box_(box), distance_(distance), spacing_mm_(spacing_mm), band_mm_(static_cast<float>(band_mm)), side_to_mm_(static_cast<float>(side_to_mm)), threads_(threads),
          reach_(GaussianWhere::reach(spacing_mm, std::max(kWindowOfSide * side_to_mm, kDenoise_mm))[2]), step_(std::max(16, 8 * reach_)),  // the slices read twice stay a small part
          block_{block_of(spacing_mm[0]), block_of(spacing_mm[1])}, size_{box.size().columns, box.size().rows, std::min(box.size().slices, step_ + 2 * reach_)},
          blocks_{(size_.columns + block_[0] - 1) / block_[0], (size_.rows + block_[1] - 1) / block_[1], size_.slices}, wanted_(size_), calm_(size_), column_block_(static_cast<std::size_t>(size_.columns)), in_(blocks_), out_(blocks_)
    {
        for (int c = 0; c < size_.columns; ++c) column_block_[static_cast<std::size_t>(c)] = static_cast<std::size_t>(c / block_[0]);
    }

    void move(Mask& out)
    {
        for (int first = 0; first < box_.size().slices; first += step_) slices(first, std::min(first + step_, box_.size().slices) - 1, out);
    }

private:
    /// The mean of one side of the boundary: its sum and the weight it is to be divided by.
    struct Mean {
        explicit Mean(Dimensions size) : sum(size), weight(size) {}

        void add(std::size_t block, float value)
        {
            sum[block] += value;
            weight[block] += 1;
        }

        void clear()
        {
            std::fill(sum.values().begin(), sum.values().end(), 0.0F);
            std::fill(weight.values().begin(), weight.values().end(), 0.0F);
        }

        Grid<float> sum;
        Grid<float> weight;
    };

    int block_of(double spacing_mm) const { return std::max(1, static_cast<int>(kWindowOfSide * side_to_mm_ / (kBlocksInWindow * spacing_mm))); }

    std::size_t first_block(int r, int k) const { return in_.sum.offset(0, r / block_[1], k); }

    void slices(int first, int last, Mask& out)
    {
        const int from = std::clamp(first - reach_, 0, box_.size().slices - size_.slices);
        std::vector<std::uint8_t> any(static_cast<std::size_t>(size_.slices));
        parallel_for(size_.slices, threads_, [&](int k) {
            auto* const wanted = wanted_.data() + wanted_.offset(0, 0, k);
            const auto* const distance = distance_.data() + distance_.offset(0, 0, from + k);
            const float band_mm = from + k >= first && from + k <= last ? band_mm_ : -1;
            std::uint8_t here = 0;
            for (std::size_t i = 0, n = size_.plane(); i < n; ++i) here |= wanted[i] = std::abs(distance[i]) <= band_mm;
            any[static_cast<std::size_t>(k)] = here;
        });
        if (std::none_of(any.begin(), any.end(), [](auto v) { return v != 0; })) return;
        read_hu(from);
        average(from);
        GaussianWhere(wanted_, spacing_mm_, kDenoise_mm, threads_).apply(calm_);
        parallel_for(last - first + 1, threads_, [&](int step) {
            const int k = first + step - from;
            if (!any[static_cast<std::size_t>(k)]) return;
            const float least = kLeastWeight * static_cast<float>(block_[0] * block_[1]);
            for (int r = 0; r < size_.rows; ++r) {
                const auto* const wanted = wanted_.data() + wanted_.offset(0, r, k);
                const auto* const calm = calm_.data() + calm_.offset(0, r, k);
                const auto blocks = first_block(r, k);
                auto* const to = out.data() + out.offset(box_.low.column, box_.low.row + r, box_.low.slice + first + step);
                for (int c = 0; c < size_.columns; ++c) {
                    if (!wanted[c]) continue;
                    const auto block = blocks + column_block_[static_cast<std::size_t>(c)];
                    if (in_.weight[block] < least || out_.weight[block] < least) continue;
                    const float inside = in_.sum[block] / in_.weight[block];
                    const float outside = out_.sum[block] / out_.weight[block];
                    if (std::abs(inside - outside) < kClear_hu) continue;
                    to[c] = (calm[c] - (inside + outside) / 2) * (inside - outside) > 0;
                }
            }
        });
    }

    /// Local means of each side: normalised convolution over voxels well inside and well outside, a block of a slice at a time.
    void average(int from)
    {
        in_.clear();
        out_.clear();
        Mask wanted_blocks(blocks_);
        parallel_for(size_.slices, threads_, [&](int k) {
            for (int r = 0; r < size_.rows; ++r) {
                const auto* const wanted = wanted_.data() + wanted_.offset(0, r, k);
                const auto* const hu = calm_.data() + calm_.offset(0, r, k);
                const auto* const distance = distance_.data() + distance_.offset(0, r, from + k);
                const auto blocks = first_block(r, k);
                for (int c = 0; c < size_.columns; ++c) {
                    const float away = std::abs(distance[c]);
                    const bool tells = away >= kSideFrom_mm && away <= side_to_mm_;
                    if (!tells && !wanted[c]) continue;
                    const auto block = blocks + column_block_[static_cast<std::size_t>(c)];
                    wanted_blocks[block] |= wanted[c];
                    if (tells) (distance[c] > 0 ? in_ : out_).add(block, hu[c]);
                }
            }
        });
        const GaussianWhere window(wanted_blocks, {block_[0] * spacing_mm_[0], block_[1] * spacing_mm_[1], spacing_mm_[2]}, kWindowOfSide * side_to_mm_, threads_);
        for (auto* values : {&in_.weight, &in_.sum, &out_.weight, &out_.sum}) window.apply(*values);
    }

    void read_hu(int from)
    {
        parallel_for(size_.slices, threads_, [&](int k) {
            for (int r = 0; r < size_.rows; ++r) {
                const auto* const row = ct_.hu.data() + ct_.hu.offset(box_.low.column, box_.low.row + r, box_.low.slice + from + k);
                auto* const to = calm_.data() + calm_.offset(0, r, k);
                for (int c = 0; c < size_.columns; ++c) to[c] = row[c] == kPaddingHu ? kLow_hu : std::clamp(static_cast<float>(row[c]), kLow_hu, kHigh_hu);
            }
        });
    }

    const CtVolume& ct_;
    const MaskBox& box_;
    const Grid<float>& distance_;
    std::array<double, 3> spacing_mm_;
    float band_mm_;
    float side_to_mm_;
    int threads_;
    int reach_;           ///< slices read beyond those asked for
    int step_;            ///< slices at a time
    std::array<int, 2> block_;  ///< columns and rows that share their means
    Dimensions size_;     ///< of what follows, used again for every step
    Dimensions blocks_;
    Mask wanted_;         ///< the band
    Grid<float> calm_;    ///< HU, then HU without noise
    std::vector<std::size_t> column_block_;
    Mean in_;
    Mean out_;
};

}  // namespace

Mask refined(const CtVolume& ct, Mask mask, const MaskBox& limits, double band_mm, double length_mm, int threads)
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
    Refiner(ct, box, distance, spacing_mm, band_mm, side_to_mm, threads).move(mask);
    return mask;
}

Mask without_strands(const Mask& mask, std::array<double, 3> spacing_mm, double radius_mm, int threads)
{
    const double reach = radius_mm + 0.75 * std::max({spacing_mm[0], spacing_mm[1], spacing_mm[2]});  // a voxel's rounding of both steps
    const auto depth = signed_distance(mask, spacing_mm, threads, reach);
    const auto n = mask.size();
    Mask deep(n);
    const auto each_slice = [&](auto&& of_slice) {
        parallel_for(n.slices, threads, [&](int k) { of_slice(static_cast<std::size_t>(k) * n.plane(), static_cast<std::size_t>(k + 1) * n.plane()); });
    };
    each_slice([&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) deep[i] = depth[i] > radius_mm;
    });
    if (std::none_of(deep.values().begin(), deep.values().end(), [](auto v) { return v != 0; })) return mask;  // thinner than the ball everywhere: all strand, or a small lesion
    const auto away = signed_distance(deep, spacing_mm, threads, reach);
    Mask out(n);
    each_slice([&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) out[i] = mask[i] && away[i] > -reach;
    });
    return out;
}

}  // namespace retromass::segmentation

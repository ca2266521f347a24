#include "segmentation/refine.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/parallel.h"
#include "segmentation/distance.h"
#include "segmentation/filters.h"
#include "segmentation/nonzero.h"

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

// What is asked of a voxel's distance to the boundary; the distances themselves are not kept.
constexpr std::uint8_t kBand = 1;       // near enough to change sides
constexpr std::uint8_t kInside = 2;     // tells of the inside ...
constexpr std::uint8_t kOutside = 4;    // ... or of the outside

/// Moves the boundary within a box, some slices at a time, so that what is kept of the means is a part of the box alone.
class Refiner {
public:
    /// `roles` are those of the voxels of the box.
    Refiner(const CtVolume& ct, const MaskBox& box, const Mask& roles, std::array<double, 3> spacing_mm, float side_to_mm, int threads)
        : ct_(ct), box_(box), roles_(roles), threads_(threads), reach_(GaussianWhere::reach(spacing_mm, std::max(kWindowOfSide * side_to_mm, kDenoise_mm))[2]),
          step_(std::max(16, 8 * reach_)),  // the slices read twice stay a small part
          block_{block_of(spacing_mm[0], side_to_mm), block_of(spacing_mm[1], side_to_mm)}, blocks_(blocks_of(box.size(), std::min(box.size().slices, step_ + 2 * reach_))),
          calm_reach_(GaussianWhere::reach(spacing_mm, kDenoise_mm)[2]), calm_size_{box.size().columns, box.size().rows, std::min(box.size().slices, kCalmStep + 2 * calm_reach_)},
          column_block_(static_cast<std::size_t>(box.size().columns)), wanted_blocks_(blocks_), in_(blocks_), out_(blocks_),
          window_(blocks_, {block_[0] * spacing_mm[0], block_[1] * spacing_mm[1], spacing_mm[2]}, kWindowOfSide * side_to_mm, threads), wanted_(calm_size_), calm_(calm_size_),
          denoise_(calm_size_, spacing_mm, kDenoise_mm, threads)
    {
        for (int c = 0; c < box.size().columns; ++c) column_block_[static_cast<std::size_t>(c)] = static_cast<std::size_t>(c / block_[0]);
    }

    void move(Mask& out)
    {
        const int slices = box_.size().slices;
        for (int first = 0; first < slices; first += step_) {
            const int last = std::min(first + step_, slices) - 1;
            const int from = std::clamp(first - reach_, 0, slices - blocks_.slices);
            average(from, first, last);
            for (int k = first; k <= last; k += kCalmStep) decide(k, std::min(k + kCalmStep - 1, last), from, out);
        }
    }

private:
    static constexpr int kCalmStep = 16;   // slices whose noise is taken away together

    /// The mean of one side of the boundary: its sum and the weight it is to be divided by.
    struct Mean {
        explicit Mean(Dimensions size) : sum(size), weight(size) {}

        void add(std::size_t block, float value)
        {
            sum[block] += value;
            weight[block] += 1;
        }

        void clear(int slice)
        {
            std::fill(sum.plane(slice).begin(), sum.plane(slice).end(), 0.0F);
            std::fill(weight.plane(slice).begin(), weight.plane(slice).end(), 0.0F);
        }

        Grid<float> sum;
        Grid<float> weight;
    };

    static int block_of(double spacing_mm, float side_to_mm) { return std::max(1, static_cast<int>(kWindowOfSide * side_to_mm / (kBlocksInWindow * spacing_mm))); }

    Dimensions blocks_of(Dimensions box, int slices) const { return {(box.columns + block_[0] - 1) / block_[0], (box.rows + block_[1] - 1) / block_[1], slices}; }

    const std::uint8_t* roles(int r, int k) const { return roles_.data() + roles_.offset(0, r, k); }
    const std::int16_t* hu(int r, int k) const { return ct_.hu.data() + ct_.hu.offset(box_.low.column, box_.low.row + r, box_.low.slice + k); }
    static float clipped(std::int16_t hu) { return hu == kPaddingHu ? kLow_hu : std::clamp(static_cast<float>(hu), kLow_hu, kHigh_hu); }

    /// Local means of each side for the slices from `first` to `last`: normalised convolution over voxels well inside and well outside, a block of a slice at a time.
    void average(int from, int first, int last)
    {
        parallel_for(blocks_.slices, threads_, [&](int slice) {
            const int k = from + slice;
            const bool asked = k >= first && k <= last;
            in_.clear(slice);
            out_.clear(slice);
            std::fill(wanted_blocks_.plane(slice).begin(), wanted_blocks_.plane(slice).end(), std::uint8_t{0});
            for (int r = 0; r < box_.size().rows; ++r) {
                const auto* const role = roles(r, k);
                const auto* const value = hu(r, k);
                const auto blocks = first_block(r, slice);
                each_nonzero(role, box_.size().columns, [&](int c) {
                    const auto block = blocks + column_block_[static_cast<std::size_t>(c)];
                    if (asked && role[c] & kBand) wanted_blocks_[block] = 1;
                    if (role[c] & (kInside | kOutside)) (role[c] & kInside ? in_ : out_).add(block, clipped(value[c]));
                });
            }
        });
        window_.apply({&in_.weight, &in_.sum, &out_.weight, &out_.sum}, wanted_blocks_);
    }

    /// Moves the boundary in the slices from `first` to `last`, whose means are kept from slice `from` on.
    void decide(int first, int last, int from, Mask& out)
    {
        const int calm_from = std::clamp(first - calm_reach_, 0, box_.size().slices - calm_size_.slices);
        parallel_for(calm_size_.slices, threads_, [&](int slice) {
            const int k = calm_from + slice;
            const std::uint8_t asked = k >= first && k <= last ? kBand : 0;
            auto* const wanted = wanted_.data() + wanted_.offset(0, 0, slice);
            const auto* const role = roles(0, k);
            for (std::size_t i = 0, n = calm_size_.plane(); i < n; ++i) wanted[i] = role[i] & asked;
        });
        denoise_.apply(calm_, wanted_, [&](int r, int slice, int from_column, int to_column, float* to) {
            const auto* const value = hu(r, calm_from + slice);
            for (int c = from_column; c <= to_column; ++c) to[c - from_column] = clipped(value[c]);
        });
        const float least = kLeastWeight * static_cast<float>(block_[0] * block_[1]);
        parallel_for(last - first + 1, threads_, [&](int step) {
            const int k = first + step;
            for (int r = 0; r < box_.size().rows; ++r) {
                const auto* const calm = calm_.data() + calm_.offset(0, r, k - calm_from);
                const auto blocks = first_block(r, k - from);
                auto* const to = out.data() + out.offset(box_.low.column, box_.low.row + r, box_.low.slice + k);
                each_nonzero(wanted_.data() + wanted_.offset(0, r, k - calm_from), box_.size().columns, [&](int c) {
                    const auto block = blocks + column_block_[static_cast<std::size_t>(c)];
                    if (in_.weight[block] < least || out_.weight[block] < least) return;
                    const float inside = in_.sum[block] / in_.weight[block];
                    const float outside = out_.sum[block] / out_.weight[block];
                    if (std::abs(inside - outside) < kClear_hu) return;
                    to[c] = (calm[c] - (inside + outside) / 2) * (inside - outside) > 0;
                });
            }
        });
    }

    std::size_t first_block(int r, int slice) const { return in_.sum.offset(0, r / block_[1], slice); }

    const CtVolume& ct_;
    const MaskBox& box_;
    const Mask& roles_;
    int threads_;
    int reach_;           ///< slices whose voxels tell of the sides beyond those asked for
    int step_;            ///< slices at a time
    std::array<int, 2> block_;  ///< columns and rows that share their means
    Dimensions blocks_;   ///< of the means that are kept at a time
    int calm_reach_;      ///< slices read beyond those whose noise is taken away
    Dimensions calm_size_;
    std::vector<std::size_t> column_block_;
    Mask wanted_blocks_;
    Mean in_;
    Mean out_;
    GaussianWhere window_;
    Mask wanted_;         ///< the band, in the slices asked for
    Grid<float> calm_;    ///< HU without noise, there
    GaussianWhere denoise_;
};

/// What each voxel of a box can tell and whether it may change sides.
Mask roles_of(const Mask& mask, const MaskBox& box, std::array<double, 3> spacing_mm, float band_mm, float side_to_mm, int threads)
{
    Mask roles(box.size());
    near_distance(mask, box, spacing_mm, std::max(side_to_mm, band_mm), threads, [&](int r, int k, const float* mm) {
        auto* const role = roles.data() + roles.offset(0, r, k);
        for (int c = 0; c < box.size().columns; ++c) {
            const float away = std::abs(mm[c]);
            const bool tells = away >= kSideFrom_mm && away <= side_to_mm;
            role[c] = static_cast<std::uint8_t>((away <= band_mm ? kBand : 0) | (tells ? (mm[c] > 0 ? kInside : kOutside) : 0));
        }
    });
    return roles;
}

}  // namespace

Mask refined(const CtVolume& ct, Mask mask, const MaskBox& limits, double band_mm, double length_mm, int threads)
{
    const auto inside = box_of(mask, limits, threads);
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
    const auto side_to = static_cast<float>(side_to_mm);
    const auto roles = roles_of(mask, box, in_band_mm, static_cast<float>(band_mm), side_to, threads);
    Refiner(ct, box, roles, spacing_mm, side_to, threads).move(mask);
    return mask;
}

Mask without_strands(Mask mask, std::array<double, 3> spacing_mm, double radius_mm, int threads)
{
    const double reach = radius_mm + 0.75 * std::max({spacing_mm[0], spacing_mm[1], spacing_mm[2]});  // a voxel's rounding of both steps
    const auto n = mask.size();
    const MaskBox all{{0, 0, 0}, {n.columns - 1, n.rows - 1, n.slices - 1}};
    Mask deep(n);
    near_distance(mask, all, spacing_mm, reach, threads, [&](int r, int k, const float* mm) {
        auto* const to = deep.data() + deep.offset(0, r, k);
        for (int c = 0; c < n.columns; ++c) to[c] = mm[c] > radius_mm;
    });
    if (std::none_of(deep.values().begin(), deep.values().end(), [](auto v) { return v != 0; })) return mask;  // thinner than the ball everywhere: all strand, or a small lesion
    near_distance(deep, all, spacing_mm, reach, threads, [&](int r, int k, const float* mm) {
        auto* const in = mask.data() + mask.offset(0, r, k);
        for (int c = 0; c < n.columns; ++c) in[c] = in[c] && mm[c] > -reach;
    });
    return mask;
}

}  // namespace retromass::segmentation

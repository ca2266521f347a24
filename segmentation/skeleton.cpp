#include <algorithm>
#include <cmath>

#include "segmentation/segment.h"
#include "segmentation/upright.h"

namespace retromass::segmentation {
namespace {

constexpr double kLower_hu = 100;   ///< soft tissue and most vessels with contrast lie below, spongy bone above
constexpr double kUpper_hu = 600;   ///< cortex; metal above it must not weigh more

}  // namespace

Skeleton skeleton_of(const CtVolume& ct, int threads)
{
    const HuWindow bone([](double hu) { return std::floor(std::clamp((hu - kLower_hu) / (kUpper_hu - kLower_hu), 0.0, 1.0) * Skeleton::full); });
    const auto cells = sampled(ct, upright_grid(ct.geometry, Skeleton::cell_mm), {}, bone, threads);
    Skeleton out;
    out.bone = Grid<std::uint8_t>(cells.size(), Skeleton::unknown);
    for (std::size_t i = 0; i < cells.values().size(); ++i) {
        if (cells[i] != kUnseen) out.bone[i] = static_cast<std::uint8_t>(std::lround(cells[i]));
    }
    return out;
}

}  // namespace retromass::segmentation

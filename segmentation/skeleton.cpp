#include <algorithm>
#include <array>
#include <cmath>

#include "core/parallel.h"
#include "segmentation/linear.h"
#include "segmentation/segment.h"

namespace retromass::segmentation {
namespace {

constexpr double kLower_hu = 100;   ///< soft tissue and most vessels with contrast lie below, spongy bone above
constexpr double kUpper_hu = 600;   ///< cortex; metal above it must not weigh more
constexpr int kLeast_hu = -1024;
constexpr std::size_t kWindow = 4096;
constexpr int kMostLayers = 4;      ///< slices finer than a quarter of a cell need no more

/// How much bone an HU is, 0 .. Skeleton::full, from kLeast_hu on.
std::array<std::uint8_t, kWindow> bone_window()
{
    std::array<std::uint8_t, kWindow> out{};
    for (std::size_t i = 0; i < kWindow; ++i) {
        const double hu = kLeast_hu + static_cast<double>(i);
        out[i] = static_cast<std::uint8_t>(std::clamp((hu - kLower_hu) / (kUpper_hu - kLower_hu), 0.0, 1.0) * Skeleton::full);
    }
    return out;
}

/// Mean bone of blocks of columns x rows pixels: the denoiser in plane.
Grid<float> blocks_of(const CtVolume& ct, int columns, int rows, int threads)
{
    const auto& n = ct.hu.size();
    auto out = Grid<float>::unfilled({n.columns / columns, n.rows / rows, n.slices});
    const auto window = bone_window();
    parallel_for(n.slices, threads, [&](int k) {
        std::vector<int> sums(static_cast<std::size_t>(out.size().columns));
        for (int j = 0; j < out.size().rows; ++j) {
            std::fill(sums.begin(), sums.end(), 0);
            for (int y = 0; y < rows; ++y) {
                const auto* hu = ct.hu.data() + ct.hu.offset(0, j * rows + y, k);
                for (auto& sum : sums) {
                    for (int x = 0; x < columns; ++x, ++hu) sum += window[static_cast<std::size_t>(std::clamp(*hu - kLeast_hu, 0, int{kWindow} - 1))];
                }
            }
            for (int i = 0; i < out.size().columns; ++i) out.at(i, j, k) = static_cast<float>(sums[static_cast<std::size_t>(i)]) / static_cast<float>(columns * rows);
        }
    });
    return out;
}

}  // namespace

Skeleton skeleton_of(const CtVolume& ct, int threads)
{
    const auto& g = ct.geometry;
    const auto& n = g.size();
    const int columns = std::max(1, static_cast<int>(Skeleton::cell_mm / g.column_spacing_mm()));
    const int rows = std::max(1, static_cast<int>(Skeleton::cell_mm / g.row_spacing_mm()));
    if (n.slices < 2 || n.columns < 2 * columns || n.rows < 2 * rows) return {};
    const auto blocks = blocks_of(ct, columns, rows, threads);
    const auto& b = blocks.size();

    PatientPoint low = g.slice_origin(0);
    PatientPoint high = low;
    for (const int c : {0, n.columns - 1}) {
        for (const int r : {0, n.rows - 1}) {
            for (const int k : {0, n.slices - 1}) {
                const auto p = g.to_patient(Index{c, r, k});
                low = {std::min(low.x, p.x), std::min(low.y, p.y), std::min(low.z, p.z)};
                high = {std::max(high.x, p.x), std::max(high.y, p.y), std::max(high.z, p.z)};
            }
        }
    }
    const auto cells = [](double from, double to) { return static_cast<int>((to - from) / Skeleton::cell_mm) + 1; };
    Skeleton out;
    out.bone = Grid<std::uint8_t>({cells(low.x, high.x), cells(low.y, high.y), cells(low.z, high.z)}, Skeleton::unknown);

    const auto bone_at = [&](const PatientPoint& p) -> std::optional<float> {
        const auto at = g.to_index(p);
        const double x = (at.column + 0.5) / columns - 0.5;
        const double y = (at.row + 0.5) / rows - 0.5;
        const int i = static_cast<int>(std::floor(x)), j = static_cast<int>(std::floor(y)), k = static_cast<int>(std::floor(at.slice));
        if (i < 0 || j < 0 || k < 0 || i + 1 >= b.columns || j + 1 >= b.rows || k + 1 >= b.slices) return std::nullopt;
        return linear(blocks.data() + blocks.offset(i, j, k), b, static_cast<float>(x - i), static_cast<float>(y - j), static_cast<float>(at.slice - k));
    };
    // Along the normal a cell averages the slices it holds.
    const double gap_mm = (g.slice_position_mm(n.slices - 1) - g.slice_position_mm(0)) / (n.slices - 1);
    const int layers = std::clamp(static_cast<int>(std::lround(Skeleton::cell_mm / gap_mm)), 1, kMostLayers);
    parallel_for(out.bone.size().slices, threads, [&](int k) {
        for (int j = 0; j < out.bone.size().rows; ++j) {
            for (int i = 0; i < out.bone.size().columns; ++i) {
                const auto middle = low + Skeleton::cell_mm * PatientPoint{double(i), double(j), double(k)};
                float sum = 0;
                int known = 0;
                for (int layer = 0; layer < layers; ++layer) {
                    const double along_mm = ((layer + 0.5) / layers - 0.5) * Skeleton::cell_mm;
                    const auto bone = bone_at(middle + along_mm * g.normal());
                    if (!bone) continue;
                    sum += *bone;
                    ++known;
                }
                if (2 * known >= layers) out.bone.at(i, j, k) = static_cast<std::uint8_t>(std::lround(sum / static_cast<float>(known)));
            }
        }
    });
    return out;
}

}  // namespace retromass::segmentation

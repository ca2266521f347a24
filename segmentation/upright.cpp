#include "segmentation/upright.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel.h"
#include "segmentation/linear.h"

namespace retromass::segmentation {
namespace {

constexpr int kMostLayers = 4;      ///< slices finer than a quarter of a cell need no more

/// Means over blocks of columns x rows pixels.
Grid<float> blocks_of(const CtVolume& ct, int columns, int rows, const HuWindow& window, int threads)
{
    const auto& n = ct.hu.size();
    auto out = Grid<float>(Dimensions{n.columns / columns, n.rows / rows, n.slices});
    parallel_for(n.slices, threads, [&](int k) {
        std::vector<float> sums(static_cast<std::size_t>(out.size().columns));
        for (int j = 0; j < out.size().rows; ++j) {
            std::fill(sums.begin(), sums.end(), 0.0F);
            for (int y = 0; y < rows; ++y) {
                const auto* hu = ct.hu.data() + ct.hu.offset(0, j * rows + y, k);
                for (auto& sum : sums) {
                    for (int x = 0; x < columns; ++x, ++hu) sum += window(*hu);
                }
            }
            for (int i = 0; i < out.size().columns; ++i) out.at(i, j, k) = sums[static_cast<std::size_t>(i)] / static_cast<float>(columns * rows);
        }
    });
    return out;
}

}  // namespace

std::array<std::array<double, 3>, 3> rotation(const std::array<double, 3>& turn)
{
    const double cx = std::cos(turn[0]), sx = std::sin(turn[0]);
    const double cy = std::cos(turn[1]), sy = std::sin(turn[1]);
    const double cz = std::cos(turn[2]), sz = std::sin(turn[2]);
    return {{{cy * cz, sx * sy * cz - cx * sz, cx * sy * cz + sx * sz}, {cy * sz, sx * sy * sz + cx * cz, cx * sy * sz - sx * cz}, {-sy, sx * cy, cx * cy}}};
}

UprightGrid upright_grid(const VolumeGeometry& g, double cell_mm)
{
    const auto& n = g.size();
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
    const auto cells = [&](double from, double to) { return static_cast<int>((to - from) / cell_mm) + 1; };
    return {cell_mm, low, {cells(low.x, high.x), cells(low.y, high.y), cells(low.z, high.z)}};
}

Grid<float> sampled(const CtVolume& ct, const UprightGrid& grid, const Rigid& into, const HuWindow& window, int threads)
{
    const auto& g = ct.geometry;
    const auto& n = g.size();
    const int columns = std::max(1, static_cast<int>(grid.cell_mm / g.column_spacing_mm()));
    const int rows = std::max(1, static_cast<int>(grid.cell_mm / g.row_spacing_mm()));
    Grid<float> out(grid.size, kUnseen);
    if (n.slices < 2 || n.columns < 2 * columns || n.rows < 2 * rows) return out;
    const auto blocks = blocks_of(ct, columns, rows, window, threads);
    const auto& b = blocks.size();
    const auto value_at = [&](const PatientPoint& p) {
        const auto at = g.to_index(p);
        const double x = (at.column + 0.5) / columns - 0.5;
        const double y = (at.row + 0.5) / rows - 0.5;
        const int i = static_cast<int>(std::floor(x)), j = static_cast<int>(std::floor(y)), k = static_cast<int>(std::floor(at.slice));
        if (i < 0 || j < 0 || k < 0 || i + 1 >= b.columns || j + 1 >= b.rows || k + 1 >= b.slices) return kUnseen;
        return linear(blocks.data() + blocks.offset(i, j, k), b, static_cast<float>(x - i), static_cast<float>(y - j), static_cast<float>(at.slice - k));
    };
    // Along the normal a cell averages the slices it holds.
    const int layers = std::clamp(static_cast<int>(std::lround(grid.cell_mm / mean_gap_mm(g))), 1, kMostLayers);
    parallel_for(grid.size.slices, threads, [&](int k) {
        for (int j = 0; j < grid.size.rows; ++j) {
            for (int i = 0; i < grid.size.columns; ++i) {
                const auto middle = into(grid.centre(i, j, k));
                float sum = 0;
                int known = 0;
                for (int layer = 0; layer < layers; ++layer) {
                    const double along_mm = ((layer + 0.5) / layers - 0.5) * grid.cell_mm;
                    const float value = value_at(middle + along_mm * g.normal());
                    if (value < 0) continue;
                    sum += value;
                    ++known;
                }
                if (2 * known >= layers) out.at(i, j, k) = sum / static_cast<float>(known);
            }
        }
    });
    return out;
}

}  // namespace retromass::segmentation

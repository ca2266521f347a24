#include "segmentation/working_grid.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"

namespace retromass::segmentation {
namespace {

constexpr float kLowest_hu = -200;
constexpr float kHighest_hu = 400;

double slice_distance(const VolumeGeometry& g)
{
    const int n = g.size().slices;
    return n > 1 ? (g.slice_position_mm(n - 1) - g.slice_position_mm(0)) / (n - 1) : 1;
}

}  // namespace

WorkingGrid working_grid(const VolumeGeometry& geometry, ContinuousIndex low, ContinuousIndex high, double wanted_mm)
{
    const auto n = geometry.size();
    const double spacing[3] = {geometry.column_spacing_mm(), geometry.row_spacing_mm(), slice_distance(geometry)};
    const double lo[3] = {low.column, low.row, low.slice};
    const double hi[3] = {high.column, high.row, high.slice};
    const int limit[3] = {n.columns, n.rows, n.slices};
    int first[3];
    int cells[3];
    WorkingGrid out;
    for (std::size_t a = 0; a < 3; ++a) {
        out.block[a] = std::max(1, static_cast<int>(std::floor(wanted_mm / spacing[a] + 0.5)));
        first[a] = std::clamp(static_cast<int>(std::floor(lo[a])), 0, limit[a] - 1);
        const int last = std::clamp(static_cast<int>(std::ceil(hi[a])), first[a], limit[a] - 1);
        cells[a] = (last - first[a] + out.block[a]) / out.block[a];
        out.spacing_mm[a] = out.block[a] * spacing[a];
    }
    out.first = {first[0], first[1], first[2]};
    out.size = {cells[0], cells[1], cells[2]};
    return out;
}

Grid<float> block_average(const CtVolume& ct, const WorkingGrid& grid, int threads)
{
    Grid<float> out(grid.size);
    const auto n = ct.hu.size();
    parallel_for(grid.size.slices, threads, [&](int k) {
        for (int j = 0; j < grid.size.rows; ++j) {
            for (int i = 0; i < grid.size.columns; ++i) {
                double sum = 0;
                int count = 0;
                const int c0 = grid.first.column + i * grid.block[0];
                const int r0 = grid.first.row + j * grid.block[1];
                const int k0 = grid.first.slice + k * grid.block[2];
                for (int z = k0; z < std::min(k0 + grid.block[2], n.slices); ++z) {
                    for (int y = r0; y < std::min(r0 + grid.block[1], n.rows); ++y) {
                        for (int x = c0; x < std::min(c0 + grid.block[0], n.columns); ++x) {
                            const auto hu = ct.hu.at(x, y, z);
                            if (hu == kPaddingHu) continue;
                            sum += std::clamp(static_cast<float>(hu), kLowest_hu, kHighest_hu);
                            ++count;
                        }
                    }
                }
                out.at(i, j, k) = count ? static_cast<float>(sum / count) : kLowest_hu;
            }
        }
    });
    return out;
}

Mask block_majority(const Mask& mask, const WorkingGrid& grid)
{
    Mask out(grid.size);
    const auto n = mask.size();
    for (int k = 0; k < grid.size.slices; ++k) {
        for (int j = 0; j < grid.size.rows; ++j) {
            for (int i = 0; i < grid.size.columns; ++i) {
                int inside = 0;
                int count = 0;
                for (int z = grid.first.slice + k * grid.block[2]; z < std::min(grid.first.slice + (k + 1) * grid.block[2], n.slices); ++z) {
                    for (int y = grid.first.row + j * grid.block[1]; y < std::min(grid.first.row + (j + 1) * grid.block[1], n.rows); ++y) {
                        for (int x = grid.first.column + i * grid.block[0]; x < std::min(grid.first.column + (i + 1) * grid.block[0], n.columns); ++x) {
                            inside += mask.at(x, y, z) != 0;
                            ++count;
                        }
                    }
                }
                out.at(i, j, k) = 2 * inside > count;
            }
        }
    }
    return out;
}

}  // namespace retromass::segmentation

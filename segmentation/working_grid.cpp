#include "segmentation/working_grid.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/parallel.h"

namespace retromass::segmentation {
namespace {

constexpr std::int16_t kLowest_hu = -200;
constexpr std::int16_t kHighest_hu = 400;

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
    const auto columns = static_cast<std::size_t>(std::min(grid.size.columns * grid.block[0], n.columns - grid.first.column));
    parallel_for(grid.size.slices, threads, [&](int k) {
        std::vector<int> sums(columns);    // of the columns of the CT over the rows and slices of a row of cells: HU are whole numbers, and no order of them is another sum
        std::vector<int> counts(columns);
        const int k0 = grid.first.slice + k * grid.block[2];
        for (int j = 0; j < grid.size.rows; ++j) {
            const int r0 = grid.first.row + j * grid.block[1];
            std::fill(sums.begin(), sums.end(), 0);
            std::fill(counts.begin(), counts.end(), 0);
            for (int z = k0; z < std::min(k0 + grid.block[2], n.slices); ++z) {
                for (int y = r0; y < std::min(r0 + grid.block[1], n.rows); ++y) {
                    const auto* const hu = ct.hu.data() + ct.hu.offset(grid.first.column, y, z);
                    for (std::size_t x = 0; x < columns; ++x) {
                        const auto counting = static_cast<std::int16_t>(hu[x] != kPaddingHu ? -1 : 0);  // all bits
                        sums[x] += static_cast<std::int16_t>(counting & std::clamp(hu[x], kLowest_hu, kHighest_hu));
                        counts[x] -= counting;
                    }
                }
            }
            for (int i = 0; i < grid.size.columns; ++i) {
                const auto first = static_cast<std::size_t>(i * grid.block[0]);
                const auto end = std::min(first + static_cast<std::size_t>(grid.block[0]), columns);
                int sum = 0;
                int count = 0;
                for (std::size_t x = first; x < end; ++x) sum += sums[x], count += counts[x];
                out.at(i, j, k) = count ? static_cast<float>(static_cast<double>(sum) / count) : kLowest_hu;
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

#pragma once

#include <array>

#include "core/volume.h"

namespace retromass::segmentation {

/// A coarser grid over a box of the CT: each cell is a block of whole CT voxels. Block averaging is the denoiser; z is never
/// up-sampled.
struct WorkingGrid {
    Index first;                      ///< CT voxel at the corner of cell (0, 0, 0)
    std::array<int, 3> block{1, 1, 1};
    Dimensions size;
    std::array<double, 3> spacing_mm{1, 1, 1};

    /// Position of a cell's centre in CT voxel units.
    ContinuousIndex ct_index(int i, int j, int k) const
    {
        return {first.column + (i + 0.5) * block[0] - 0.5, first.row + (j + 0.5) * block[1] - 0.5, first.slice + (k + 0.5) * block[2] - 0.5};
    }
    /// Where a place in CT voxel units lies, in cells from the centre of cell (0, 0, 0).
    std::array<float, 3> cell(ContinuousIndex voxel) const
    {
        const auto place = [](double at, int corner, int length) { return static_cast<float>((at - corner + 0.5) / length - 0.5); };
        return {place(voxel.column, first.column, block[0]), place(voxel.row, first.row, block[1]), place(voxel.slice, first.slice, block[2])};
    }
};

/// Cells of about `wanted_mm` over the CT voxels from `low` to `high` (clamped to the CT).
WorkingGrid working_grid(const VolumeGeometry& geometry, ContinuousIndex low, ContinuousIndex high, double wanted_mm);

/// Mean HU of each cell, voxels clipped to [-200, 400], padding left out; a cell of padding alone is -200.
Grid<float> block_average(const CtVolume& ct, const WorkingGrid& grid, int threads);

/// A cell is inside if most of its voxels are.
Mask block_majority(const Mask& mask, const WorkingGrid& grid);

}  // namespace retromass::segmentation

#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "core/volume.h"

namespace retromass::segmentation {

/// A turn, then a shift: `from` goes to `to`.
struct Rigid {
    std::array<std::array<double, 3>, 3> rows{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
    PatientPoint from;
    PatientPoint to;

    PatientPoint operator()(PatientPoint p) const
    {
        const auto d = p - from;
        return to + PatientPoint{dot({rows[0][0], rows[0][1], rows[0][2]}, d), dot({rows[1][0], rows[1][1], rows[1][2]}, d), dot({rows[2][0], rows[2][1], rows[2][2]}, d)};
    }
    Rigid inverse() const
    {
        Rigid out{{}, to, from};
        for (std::size_t a = 0; a < 3; ++a) {
            for (std::size_t b = 0; b < 3; ++b) out.rows[a][b] = rows[b][a];
        }
        return out;
    }
};
/// Whether the voxel of the mask that a point lies in is set; false outside the scan.
inline bool holds(const Mask& mask, const VolumeGeometry& geometry, PatientPoint point)
{
    const auto at = geometry.to_index(point);
    const int column = static_cast<int>(std::lround(at.column)), row = static_cast<int>(std::lround(at.row)), slice = static_cast<int>(std::lround(at.slice));
    return mask.size().contains(column, row, slice) && mask.at(column, row, slice);
}

/// Mean distance of the slices; 1 mm where there is only one.
inline double mean_gap_mm(const VolumeGeometry& geometry)
{
    const int last = geometry.size().slices - 1;
    return last > 0 ? (geometry.slice_position_mm(last) - geometry.slice_position_mm(0)) / last : 1;
}

/// About x, y, z one after the other, radians.
std::array<std::array<double, 3>, 3> rotation(const std::array<double, 3>& turn);

/// Cubes with their columns along LPS x, rows along y and slices along z, whichever way a scan is cut.
struct UprightGrid {
    double cell_mm = 3;
    PatientPoint origin;  ///< centre of the first cell
    Dimensions size;

    PatientPoint centre(int i, int j, int k) const { return origin + cell_mm * PatientPoint{double(i), double(j), double(k)}; }
};
/// The grid round all of a scan.
UprightGrid upright_grid(const VolumeGeometry& geometry, double cell_mm);

/// What an HU counts for, 4096 of them from -1024 on; whatever lies beyond counts as the first or the last.
class HuWindow {
public:
    static constexpr int least_hu = -1024;
    template <class Value>
    explicit HuWindow(Value value)
    {
        for (std::size_t i = 0; i < values_.size(); ++i) values_[i] = static_cast<float>(value(least_hu + static_cast<double>(i)));
    }
    float operator()(std::int16_t hu) const { return values_[static_cast<std::size_t>(std::clamp(hu - least_hu, 0, static_cast<int>(values_.size()) - 1))]; }

private:
    std::array<float, 4096> values_{};
};

inline constexpr float kUnseen = -1;  ///< outside the scan

/// Means of the window's values (none is below 0) over the cells of a grid laid into the scan by `into`; kUnseen outside it. Blocks of
/// pixels and the slices a cell holds are averaged: the denoiser.
Grid<float> sampled(const CtVolume& ct, const UprightGrid& grid, const Rigid& into, const HuWindow& window, int threads);

}  // namespace retromass::segmentation

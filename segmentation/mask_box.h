#pragma once

#include <algorithm>
#include <array>
#include <optional>

#include "core/grid.h"

namespace retromass::segmentation {

/// A box of voxels, both ends in it.
struct MaskBox {
    Index low;
    Index high;
    Dimensions size() const { return {high.column - low.column + 1, high.row - low.row + 1, high.slice - low.slice + 1}; }
};

/// The box of what is inside, within `limits`; nothing where nothing is.
inline std::optional<MaskBox> box_of(const Mask& mask, const MaskBox& limits)
{
    MaskBox box{limits.high, limits.low};
    bool any = false;
    for (int k = limits.low.slice; k <= limits.high.slice; ++k) {
        for (int r = limits.low.row; r <= limits.high.row; ++r) {
            const auto* const row = mask.data() + mask.offset(0, r, k);
            const auto* const end = row + limits.high.column + 1;
            const auto* const first = std::find_if(row + limits.low.column, end, [](auto v) { return v != 0; });
            if (first == end) continue;
            any = true;
            int last = limits.high.column;
            while (row[last] == 0) --last;
            box.low = {std::min(box.low.column, static_cast<int>(first - row)), std::min(box.low.row, r), std::min(box.low.slice, k)};
            box.high = {std::max(box.high.column, last), std::max(box.high.row, r), std::max(box.high.slice, k)};
        }
    }
    return any ? std::optional(box) : std::nullopt;
}

/// Wider by so many voxels a side, but not beyond `limits`.
inline MaskBox widened(const MaskBox& box, std::array<int, 3> voxels, const MaskBox& limits)
{
    return {{std::max(limits.low.column, box.low.column - voxels[0]), std::max(limits.low.row, box.low.row - voxels[1]), std::max(limits.low.slice, box.low.slice - voxels[2])},
            {std::min(limits.high.column, box.high.column + voxels[0]), std::min(limits.high.row, box.high.row + voxels[1]), std::min(limits.high.slice, box.high.slice + voxels[2])}};
}

template <class T>
Grid<T> part_of(const Grid<T>& whole, const MaskBox& box)
{
    Grid<T> part(box.size());
    for (int k = 0; k < box.size().slices; ++k) {
        for (int r = 0; r < box.size().rows; ++r) {
            const auto* const from = whole.data() + whole.offset(box.low.column, box.low.row + r, box.low.slice + k);
            std::copy(from, from + box.size().columns, part.data() + part.offset(0, r, k));
        }
    }
    return part;
}

}  // namespace retromass::segmentation

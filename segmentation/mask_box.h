#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "core/grid.h"
#include "core/parallel.h"
#include "segmentation/nonzero.h"

namespace retromass::segmentation {

/// A box of voxels, both ends in it.
struct MaskBox {
    Index low;
    Index high;
    Dimensions size() const { return {high.column - low.column + 1, high.row - low.row + 1, high.slice - low.slice + 1}; }
};

/// The box of what is inside, within `limits`; nothing where nothing is.
inline std::optional<MaskBox> box_of(const Mask& mask, const MaskBox& limits, int threads)
{
    std::vector<std::optional<MaskBox>> slices(static_cast<std::size_t>(limits.size().slices));
    parallel_for(limits.size().slices, threads, [&](int s) {
        const int k = limits.low.slice + s;
        auto& box = slices[static_cast<std::size_t>(s)];
        for (int r = limits.low.row; r <= limits.high.row; ++r) {
            const auto* const row = mask.data() + mask.offset(0, r, k);
            const int first = first_nonzero(row, limits.low.column, limits.high.column + 1);
            if (first > limits.high.column) continue;
            int last = limits.high.column;
            while (row[last] == 0) --last;
            if (!box) box = MaskBox{{first, r, k}, {last, r, k}};
            box->low.column = std::min(box->low.column, first);
            box->high.column = std::max(box->high.column, last);
            box->high.row = r;
        }
    });
    std::optional<MaskBox> out;
    for (const auto& box : slices) {
        if (!box) continue;
        if (!out) out = box;
        out->low = {std::min(out->low.column, box->low.column), std::min(out->low.row, box->low.row), out->low.slice};
        out->high = {std::max(out->high.column, box->high.column), std::max(out->high.row, box->high.row), box->high.slice};
    }
    return out;
}

/// How many voxels of a box are inside.
inline std::size_t voxels_in(const Mask& mask, const MaskBox& box)
{
    std::size_t count = 0;
    for (int k = box.low.slice; k <= box.high.slice; ++k) {
        for (int r = box.low.row; r <= box.high.row; ++r) {
            const auto* const row = mask.data() + mask.offset(0, r, k);
            count += static_cast<std::size_t>(std::count_if(row + box.low.column, row + box.high.column + 1, [](auto v) { return v != 0; }));
        }
    }
    return count;
}

/// Wider by so many voxels a side, but not beyond `limits`.
inline MaskBox widened(const MaskBox& box, std::array<int, 3> voxels, const MaskBox& limits)
{
    return {{std::max(limits.low.column, box.low.column - voxels[0]), std::max(limits.low.row, box.low.row - voxels[1]), std::max(limits.low.slice, box.low.slice - voxels[2])},
            {std::min(limits.high.column, box.high.column + voxels[0]), std::min(limits.high.row, box.high.row + voxels[1]), std::min(limits.high.slice, box.high.slice + voxels[2])}};
}

template <class T>
Grid<T> part_of(const Grid<T>& whole, const MaskBox& box, int threads)
{
    Grid<T> part(box.size());
    parallel_for(box.size().slices, threads, [&](int k) {
        for (int r = 0; r < box.size().rows; ++r) {
            const auto* const from = whole.data() + whole.offset(box.low.column, box.low.row + r, box.low.slice + k);
            std::copy(from, from + box.size().columns, part.data() + part.offset(0, r, k));
        }
    });
    return part;
}

}  // namespace retromass::segmentation

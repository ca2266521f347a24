#pragma once

#include <algorithm>
#include <limits>

#include "core/grid.h"

namespace retromass::segmentation {

/// Linear between the eight values that start at `v` in a grid of this size; x, y, z from 0 to 1.
template <class T>
float linear(const T* v, const Dimensions& size, float x, float y, float z)
{
    const auto row = static_cast<std::size_t>(size.columns);
    const auto mix = [](float a, float b, float part) { return a + (b - a) * part; };
    const auto on_plane = [&](const T* p) { return mix(mix(p[0], p[1], x), mix(p[row], p[row + 1], x), y); };
    return mix(on_plane(v), on_plane(v + size.plane()), z);
}

/// Linear between the cells round a place in a grid, that of the outermost beyond them; what is beyond `limit` counts as that.
inline float linear_at(const Grid<float>& values, float x, float y, float z, float limit = std::numeric_limits<float>::max())
{
    const auto n = values.size();
    struct Between {
        int lower;
        int upper;
        float part;
    };
    const auto place = [](float at, int cells) {
        const float held = std::clamp(at, 0.0F, static_cast<float>(cells - 1));
        const int lower = static_cast<int>(held);
        return Between{lower, std::min(lower + 1, cells - 1), held - static_cast<float>(lower)};
    };
    const auto a = place(x, n.columns), b = place(y, n.rows), c = place(z, n.slices);
    const auto along = [&](int j, int k) {
        const float left = std::clamp(values.at(a.lower, j, k), -limit, limit), right = std::clamp(values.at(a.upper, j, k), -limit, limit);
        return left + a.part * (right - left);
    };
    const auto across = [&](int k) {
        const float upper = along(b.lower, k);
        return upper + b.part * (along(b.upper, k) - upper);
    };
    const float nearer = across(c.lower);
    return nearer + c.part * (across(c.upper) - nearer);
}

}  // namespace retromass::segmentation

#pragma once

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

}  // namespace retromass::segmentation

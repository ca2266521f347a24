#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace retromass::bench {

/// A 512 x 512 slice that compresses like CT: air, a body, organs, bone and lung, noise of 12 HU inside the field of view of the
/// reconstruction and padding outside it. Stored values are HU + 1024 in 12 bits, signed words.
inline std::vector<std::uint16_t> ct_like_slice(unsigned slice)
{
    constexpr int n = 512;
    std::mt19937 random(slice + 1);
    std::normal_distribution<double> noise(0, 12);
    std::vector<std::uint16_t> stored(n * n);
    const double z = slice * 0.02;
    const auto inside = [](double x, double y, double cx, double cy, double rx, double ry) {
        return (x - cx) * (x - cx) / (rx * rx) + (y - cy) * (y - cy) / (ry * ry) < 1;
    };
    for (int row = 0; row < n; ++row) {
        for (int column = 0; column < n; ++column) {
            const double x = (column - 255.5) / 256;
            const double y = (row - 255.5) / 256;
            double hu = -1000;
            if (x * x + y * y > 1) {
                stored[static_cast<std::size_t>(row * n + column)] = 0;
                continue;
            }
            if (inside(x, y, 0, 0, 0.85, 0.6)) hu = -100 + 15 * std::sin(9 * x + z);
            if (inside(x, y, 0, 0, 0.75, 0.5)) hu = 45 + 10 * std::cos(14 * y - z);
            if (inside(x, y, -0.4, -0.1, 0.22, 0.3 + 0.05 * std::sin(z))) hu = -850;
            if (inside(x, y, 0.4, -0.1, 0.22, 0.3 + 0.05 * std::cos(z))) hu = -850;
            if (inside(x, y, 0, 0.35, 0.09, 0.09)) hu = 500;
            if (inside(x, y, 0.15, 0.1, 0.1, 0.08)) hu = 120;
            stored[static_cast<std::size_t>(row * n + column)] = static_cast<std::uint16_t>(std::clamp(std::lround(hu + noise(random)) + 1024L, 0L, 4095L));
        }
    }
    return stored;
}

}  // namespace retromass::bench

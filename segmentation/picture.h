#pragma once

#include <array>

#include "core/grid.h"

/// Two pictures of the anatomy as registration compares them, and fields that lay one on the other.
namespace retromass::segmentation {

/// The fourth number is not used: four fill a vector register.
using Four = std::array<float, 4>;
/// A smooth displacement on a grid: the cell at x of the fixed scan shows what lies at x + u(x) of the moving one, in cells.
using Field = Grid<Four>;
/// Three channels a cell.
using Picture = Grid<Four>;
inline constexpr std::size_t kTissue = 0;
inline constexpr std::size_t kLocal = 1;   ///< tissue less its local mean, over its local spread
inline constexpr std::size_t kWeight = 2;

inline constexpr float kTissueImportance = 6;   ///< of a squared difference of tissue beside one of the local picture

/// How far two pictures differ at a cell, and how fast both change there, the mean of both: what each axis can say of a displacement.
struct Difference {
    float weight = 0;              ///< 0 where one of them was not measured
    float tissue = 0;              ///< fixed less moving
    float local = 0;
    std::array<float, 3> tissue_slope{};   ///< a cell; 0 beside what was not measured
    std::array<float, 3> local_slope{};
};
inline Difference difference_at(const Picture& fixed, const Picture& moved, int i, int j, int k)
{
    const auto& n = fixed.size();
    const auto at = fixed.offset(i, j, k);
    const auto& f = fixed[at];
    const auto& m = moved[at];
    Difference out;
    out.weight = f[kWeight] * m[kWeight];
    if (out.weight <= 0) return out;
    out.tissue = f[kTissue] - m[kTissue];
    out.local = f[kLocal] - m[kLocal];
    const std::array<std::size_t, 3> strides{1, static_cast<std::size_t>(n.columns), n.plane()};
    const std::array<int, 3> place{i, j, k}, count{n.columns, n.rows, n.slices};
    for (std::size_t a = 0; a < 3; ++a) {
        if (place[a] == 0 || place[a] == count[a] - 1) continue;
        const auto before = at - strides[a], after = at + strides[a];
        if (fixed[before][kWeight] * fixed[after][kWeight] * moved[before][kWeight] * moved[after][kWeight] <= 0) continue;
        out.tissue_slope[a] = 0.25F * (fixed[after][kTissue] - fixed[before][kTissue] + moved[after][kTissue] - moved[before][kTissue]);
        out.local_slope[a] = 0.25F * (fixed[after][kLocal] - fixed[before][kLocal] + moved[after][kLocal] - moved[before][kLocal]);
    }
    return out;
}

}  // namespace retromass::segmentation

#pragma once

#include <array>
#include <vector>

#include "core/grid.h"

namespace retromass::segmentation {

/// Separable Gaussian of sigma mm, renormalised at the edges of the grid; truncated at 3 sigma.
Grid<float> gaussian(const Grid<float>& in, std::array<double, 3> spacing_mm, double sigma_mm, int threads);

/// The same Gaussian where it is wanted, to the last bit, and only there: what is not wanted holds anything. For a shell round a boundary this is a
/// tenth of the work.
class GaussianWhere {
public:
    GaussianWhere(const Mask& wanted, std::array<double, 3> spacing_mm, double sigma_mm, int threads);
    void apply(Grid<float>& values) const;

    /// How many columns, rows and slices away a value still counts.
    static std::array<int, 3> reach(std::array<double, 3> spacing_mm, double sigma_mm);

private:
    struct Pass {
        std::vector<float> kernel;  ///< empty = too narrow to change anything
        Mask wanted;                ///< what the passes after it need
    };
    std::array<Pass, 3> passes_;
    int threads_;
};

/// Shortest paths from the seeds over the 26-neighbourhood: `cost` adds 1.5 mm per HU of change to each step, `length` counts
/// mm alone, both by the same sweeps, so that their difference is the edges climbed and not the metric's error.
struct Geodesic {
    Grid<float> cost;
    Grid<float> length;
};
Geodesic geodesic(const Grid<float>& smooth_hu, const Mask& seeds, std::array<double, 3> spacing_mm);

/// Random walker with priors: minimises sum w_ij (p_i - p_j)^2 + confidence sum (p_i - prior_i)^2 over the cells with
/// `active`, by Jacobi-preconditioned conjugate gradients. Inactive cells are left out and stay at 0.
Grid<float> random_walker(const Grid<float>& smooth_hu, const Grid<float>& prior, const Mask& active, std::array<double, 3> spacing_mm, double confidence, int threads);

}  // namespace retromass::segmentation

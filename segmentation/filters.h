#pragma once

#include <array>
#include <functional>
#include <initializer_list>
#include <vector>

#include "core/grid.h"

namespace retromass::segmentation {

/// Separable Gaussian of sigma mm, renormalised at the edges of the grid; truncated at 3 sigma.
Grid<float> gaussian(const Grid<float>& in, std::array<double, 3> spacing_mm, double sigma_mm, int threads);

/// The same Gaussian where it is wanted, to the last bit, and only there: what is not wanted holds anything. For a shell round a boundary this is a
/// tenth of the work.
class GaussianWhere {
public:
    /// For grids of that size: what is kept of where it is wanted serves again for the next.
    GaussianWhere(Dimensions size, std::array<double, 3> spacing_mm, double sigma_mm, int threads);
    /// Of each of `values`, which are wanted at the same places.
    void apply(std::initializer_list<Grid<float>*> values, const Mask& wanted);
    /// Of what read(row, slice, first, last, to) puts `to` where the columns `first` to `last` are kept: it is asked for those that count, on several threads.
    void apply(Grid<float>& values, const Mask& wanted, const std::function<void(int row, int slice, int first, int last, float* to)>& read);

    /// How many columns, rows and slices away a value still counts.
    static std::array<int, 3> reach(std::array<double, 3> spacing_mm, double sigma_mm);

private:
    void want(const Mask& wanted);
    void passes(Grid<float>& values, const Mask& wanted) const;

    std::array<std::vector<float>, 3> kernels_;  ///< empty = too narrow to change anything
    Mask across_;                                ///< what the pass across slices reads
    Mask along_;                                 ///< what that across rows reads
    int threads_;
};

/// Shortest paths from the seeds over the 26-neighbourhood: `cost` adds 1.5 mm per HU of change to each step, `length` counts
/// mm alone, both by the same sweeps, so that their difference is the edges climbed and not the metric's error.
struct Geodesic {
    Grid<float> cost;
    Grid<float> length;
};
Geodesic geodesic(const Grid<float>& smooth_hu, const Mask& seeds, std::array<double, 3> spacing_mm, int threads);

/// Random walker with priors: minimises sum w_ij (p_i - p_j)^2 + confidence sum (p_i - prior_i)^2 over the cells with
/// `active`, by Jacobi-preconditioned conjugate gradients. Inactive cells are left out and stay at 0.
Grid<float> random_walker(const Grid<float>& smooth_hu, const Grid<float>& prior, const Mask& active, std::array<double, 3> spacing_mm, double confidence, int threads);

}  // namespace retromass::segmentation

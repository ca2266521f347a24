#pragma once

#include <array>

#include "core/progress.h"
#include "segmentation/anatomy.h"

namespace retromass::segmentation {

/// A smooth displacement on a grid: the cell at x of the fixed scan shows what lies at x + u(x) of the moving one, in cells. The
/// fourth number is not used: four fill a vector register.
using Four = std::array<float, 4>;
using Field = Grid<Four>;

/// What one scan shows on the grid both share, from its coarsest level to its finest.
struct DeformParameters {
    std::array<int, 3> iterations{40, 40, 20};  ///< on cells four times as large, twice as large, and the grid's own
    double step_smoothing = 1;                  ///< sigma of each step, cells: neighbours move together
    double field_smoothing = 1.2;               ///< sigma of the field after each step, cells
    int threads = 0;
    Progress progress;   ///< asked at each step; where it says no the field is left as it is, on a coarser grid maybe
};

/// Symmetric demons on two pictures of the anatomy, the tissue and the tissue less its local mean over its local spread (which a change of
/// contrast leaves nearly as it is), over three levels. `fixed` and `moving` lie on one grid. Where either weight is 0 nothing pulls,
/// and the field follows its surroundings. The same for any number of threads.
Field deformation(const Anatomy& fixed, const Anatomy& moving, const DeformParameters& parameters);

/// Linear between the cells; the edge cell's beyond them.
Four displacement_at(const Field& field, double i, double j, double k);

}  // namespace retromass::segmentation

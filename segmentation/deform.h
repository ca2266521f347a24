#pragma once

#include <array>

#include "core/progress.h"
#include "segmentation/anatomy.h"
#include "segmentation/picture.h"

namespace retromass::segmentation {

struct DeformParameters {
    std::array<int, 2> bends{8, 6};       ///< steps of the bend, on cells four times as large and twice as large
    std::array<int, 3> lattices{3, 2, 1};  ///< of the lattices after it, from wide knots to narrow ones, on the grid's own cells
    int threads = 0;
    Progress progress;   ///< asked at each step; where it says no the field is left as it is, on a coarser grid maybe
};

/// First a bend of the whole patient (bend.h), then lattices of splines on it (lattice.h), on two pictures of the anatomy: the tissue, and the tissue less its local mean over its local spread
/// (which a change of contrast leaves nearly as it is). `fixed` and `moving` lie on one grid. Where either weight is 0 nothing pulls: the field goes as its surroundings go, and far from them as the bend does. The same for any number of threads.
Field deformation(const Anatomy& fixed, const Anatomy& moving, const DeformParameters& parameters);

/// Linear between the cells; the edge cell's beyond them.
Four displacement_at(const Field& field, double i, double j, double k);

}  // namespace retromass::segmentation

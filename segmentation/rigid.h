#pragma once

#include "segmentation/anatomy.h"

namespace retromass::segmentation {

/// The rigid motion that lays `fixed` on `moving` best, by the weighted correlation of their tissues wherever both were scanned.
struct RigidFit {
    Rigid motion;             ///< a point of the fixed scan to the moving one
    double correlation = -1;
};
RigidFit rigid_fit(const Anatomy& fixed, const Anatomy& moving, int threads);

}  // namespace retromass::segmentation

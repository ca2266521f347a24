#pragma once

#include <array>
#include <vector>

#include "core/volume.h"
#include "segmentation/shape.h"
#include "segmentation/working_grid.h"

namespace retromass::segmentation {

/// Planes of fat of a few mm that end a lesion where nobody marked its end: between a mass and the liver, say, which may look alike and of which cells
/// of 4 mm show no border. They are looked for on the CT's own voxels, within the shape's expected surface alone: beyond it a plane may be anybody's.
class FatPlanes {
public:
    /// Looks along rays from the shape's centre about every end of its free axes. A single slice, a prior mask and half axes below 40 mm show none.
    FatPlanes(const CtVolume& ct, const Shape& shape, int threads);

    bool any() const;

    /// Whether a plane ends this axis (0 = u, 1 = v, 2 = n) on either side.
    bool end_axis(std::size_t axis) const;

    /// The shape, its ends set to the planes (the median of their rays). The middle moves with them: a line drawn in it lies off it then, by 6 % of its length where a plane is half way to the surface.
    Shape ended(Shape shape) const;

    /// Cells beyond the planes.
    Mask beyond(const VolumeGeometry& geometry, const WorkingGrid& grid, int threads) const;

private:
    /// A plane about one end: where the rays of a square of directions meet it, in units of the shape's surface.
    struct Plane {
        std::vector<float> met;   ///< empty = none found
        double median = 0;
    };
    Plane plane_at(const CtVolume& ct, std::size_t end, int threads) const;

    Shape shape_;
    int side_ = 0;                      ///< rays along each side of the square
    std::array<Plane, 6> planes_;       ///< u-, u+, v-, v+, n-, n+
};

}  // namespace retromass::segmentation

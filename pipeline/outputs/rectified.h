#pragma once

#include <optional>
#include <vector>

#include "pipeline/outputs/outputs.h"

namespace retromass::outputs {

/// Masks on a right-angled grid with one distance between slices, for viewers that refuse a leaning or uneven stack. A leaning stack is set upright by moving each slice by
/// whole pixels, at most half a pixel from where it lay, so areas, lengths in the plane and the volume stay; an uneven one is cut at its smallest distance, each new slice taking the mask of the
/// slab it lies in, so that volumes agree within half that distance at each face of a slab.
struct Rectified {
    ingest::CtSeries ct;      ///< the grid, and for each slice the image it came from; no pixels
    std::vector<Mask> masks;
};
/// Empty where the stack is right-angled and even already.
std::optional<Rectified> rectified(const ingest::CtSeries& ct, const std::vector<const Mask*>& masks);

}  // namespace retromass::outputs

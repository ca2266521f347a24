#pragma once

#include <array>

#include "core/grid.h"

namespace retromass::test {

/// ITK's signed Maurer distance, mm, positive inside: the oracle of our own.
Grid<float> maurer_distance(const Mask& mask, std::array<double, 3> spacing_mm);

}  // namespace retromass::test

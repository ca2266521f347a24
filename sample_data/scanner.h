#pragma once

#include <cstdint>
#include <vector>

namespace retromass::sample_data {

/// Blurs a plane by the scanner's point spread, about one pixel wide.
void blur(std::vector<float>& plane, int columns, int rows);

/// Noise of one slice, mean 0, standard deviation 1: correlated in the plane as a body kernel leaves it (fine grain, no slow
/// waves: the ramp of filtered back projection takes them out) and weakly with the two neighbouring slices.
std::vector<float> noise(std::uint64_t seed, int slice, int columns, int rows);

}  // namespace retromass::sample_data

#pragma once

#include <cstdint>

#include "sample_data/body.h"
#include "sample_data/mass.h"

namespace retromass::sample_data {

/// Smooth noise in -1..1 with features of about one unit.
double value_noise(PatientPoint p, std::uint64_t seed);

/// HU inside a mass: living rim, solid, dead and fatty parts, clusters filled with contrast. `necrosis` is the threshold above
/// which tissue is dead: lower = more.
double mass_hu(const LobulatedMass& mass, PatientPoint p, double depth_mm, const Tissue& tissue, double necrosis, std::uint64_t seed);

}  // namespace retromass::sample_data

#pragma once

#include "core/geometry.h"

namespace retromass::sample_data {

/// What an abdomen at a portal-venous CT shows at a point, HU without noise. Anatomy gives way to a mass: organs keep a fat
/// plane to it, muscle a thin one, the vena cava is flattened; vena cava and one bowel loop touch it.
struct Anatomy {
    /// `outside_mass_mm` is the distance to the mass (large where there is none); `pressure` in 0..1 is how much a mass
    /// displaces the vena cava and the right kidney.
    double hu(PatientPoint p, double outside_mass_mm) const;
    double pressure = 0;
    double girth = 1;  ///< scales the body's outline
};

/// Smooth noise in -1..1 with features of about one unit.
double value_noise(PatientPoint p, unsigned long seed);

}  // namespace retromass::sample_data

#pragma once

#include <filesystem>

#include "pipeline/outputs/outputs.h"

namespace retromass::test {

/// A bean-shaped body with an ellipsoid of 45 HU in it, diameters in mm. The case report's sizes fit at a spacing of 1.5 x 1.5 x 5.
struct BodyWithMass {
    double mass_x_mm = 30, mass_y_mm = 20, mass_z_mm = 40;
    double pixel_mm = 2, slice_mm = 4;
    double body_x_mm = 340, body_y_mm = 240, body_z_mm = 320;
    bool noise = true;
};
CtVolume body_with_mass(const BodyWithMass& body);
Mask mass_of(const BodyWithMass& body, const VolumeGeometry& geometry);

/// Three time points (one of them not evaluable), decisions written by hand, texts with HTML in them. The CT lies in `folder`.
outputs::CaseResult sample_case(const std::filesystem::path& folder, double pixel_mm = 4, double slice_mm = 8);

}  // namespace retromass::test

#pragma once

#include <array>
#include <vector>

#include "sample_data/phantom.h"
#include "sample_data/scan.h"

namespace retromass::sample_data {

/// The two ends of a true axis.
struct TruthLine {
    PatientPoint a;
    PatientPoint b;
};

/// A rise (or, negative, a dent) of the surface round a direction.
struct Lobe {
    PatientPoint direction;  ///< unit
    double height = 0;       ///< as a fraction of the radius
    double sharpness = 5;
};

/// A large irregular mass, or one that shrank and is nearly as deep as wide; `height` scales the lobes, 0 = none.
std::vector<Lobe> irregular_lobes(double height);
std::vector<Lobe> even_lobes(double height);

/// A lobulated body: star-shaped in a frame scaled by three half axes, its surface at 1 + lobes(direction).
class LobulatedMass {
public:
    /// `half_mm` are the half axes of the scaled frame; `turn_deg` turns the first about z.
    LobulatedMass(PatientPoint centre, std::array<double, 3> half_mm, double turn_deg, std::vector<Lobe> lobes);

    /// Depth below the surface, mm, negative outside; exact at the surface, approximate away from it.
    double depth_mm(PatientPoint p) const;
    /// Position in the scaled frame: for textures that move with the mass.
    PatientPoint scaled(PatientPoint p) const;
    PatientPoint unscaled(PatientPoint q) const;
    double surface(PatientPoint direction) const;
    /// Away from the mass, unit.
    PatientPoint outward(PatientPoint p) const;

    PatientPoint centre() const { return centre_; }
    double reach() const { return reach_; }  ///< no point of the surface is farther from the centre, mm
    /// Where planes of this normal cut the body's middle line: inside every section that is not near an end.
    PatientPoint middle_of(PatientPoint normal, double offset_mm) const;

private:
    PatientPoint centre_;
    std::array<double, 3> half_mm_;
    double cosine_;
    double sine_;
    std::vector<Lobe> lobes_;
    double reach_ = 0;
};

/// Sizes of the continuous body in the planes of a frame (docs/clinical.md 2.2-2.4), from the analytic surface alone: dense
/// sampling, then refined to far below 0.01 mm. `lowest` and `highest` are the ends along the frame's z, from the centre.
struct MassTruth {
    Truth truth;
    TruthLine long_axis;
    PatientPoint lowest;
    PatientPoint highest;
};
MassTruth truth_of(const LobulatedMass& mass, const Frame& frame);

}  // namespace retromass::sample_data

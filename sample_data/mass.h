#pragma once

#include <array>

#include "core/geometry.h"
#include "sample_data/phantom.h"

namespace retromass::sample_data {

/// The two ends of a true axis.
struct TruthLine {
    PatientPoint a;
    PatientPoint b;
};

/// A lobulated body of exactly known size: star-shaped in a frame scaled by three half axes, its surface at
/// 1 + lobes(direction). Its long axis, short axis, craniocaudal extent and volume (docs/clinical.md 2.2-2.4, on the
/// continuous body) come from dense sampling of the analytic surface.
class LobulatedMass {
public:
    /// Where the lobes sit: a large irregular mass, or one that shrank and is nearly as deep as wide.
    enum class Pattern { irregular, even };

    /// `half_mm` are the half axes of the scaled frame; `turn_deg` turns the long axis about z; `lobes` is their
    /// height as a fraction (0 = an ellipsoid).
    LobulatedMass(PatientPoint centre, std::array<double, 3> half_mm, double turn_deg, double lobes, Pattern pattern);

    /// Depth below the surface, mm, negative outside; exact at the surface, approximate away from it.
    double depth_mm(PatientPoint p) const;
    /// Position in the scaled frame: for textures that move with the mass.
    PatientPoint scaled(PatientPoint p) const;

    const Truth& truth() const { return truth_; }
    const TruthLine& long_axis() const { return long_axis_; }
    PatientPoint centre() const { return centre_; }
    double highest_z() const { return highest_; }
    double lowest_z() const { return lowest_; }

private:
    double surface(PatientPoint direction) const;
    void sample();

    PatientPoint centre_;
    std::array<double, 3> half_mm_;
    double cosine_;
    double sine_;
    double lobes_;
    Pattern pattern_;
    Truth truth_;
    TruthLine long_axis_;
    double highest_ = 0;
    double lowest_ = 0;
};

}  // namespace retromass::sample_data

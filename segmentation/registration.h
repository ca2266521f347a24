#pragma once

#include <memory>

#include "core/progress.h"
#include "core/result.h"
#include "core/volume.h"

namespace retromass::segmentation {

/// How far a registration can be believed around one lesion, in the 30 mm about it where both scans show the patient
/// (gates, not calibrated against true errors: docs/stages/registration.md).
struct RegistrationTrust {
    double covered = 0;         ///< part of the lesion and its surroundings that both scans show
    double similarity = -1;     ///< correlation of the tissues in the 30 mm about the place that the lesion would take had it doubled: that looks like nothing that was there
    double round_trip_mm = 0;   ///< there by one registration and back by one made the other way round: 95th percentile of what a point is off
    double least_jacobian = 0;  ///< 1st percentile of how much a small volume grows; folding is negative
};

/// A rigid motion and a smooth deformation that lay one scan of a patient on another. Positions are LPS mm, each in its own scan's
/// frame of reference. Beyond the patient the deformation of his rim goes on.
class Registration {
public:
    PatientPoint to_moving(PatientPoint fixed) const;
    /// Inverse of to_moving, to 0.01 mm where the deformation changes by less than a mm a mm; elsewhere what 60 steps towards it give.
    PatientPoint to_fixed(PatientPoint moving) const;
    /// Trust around the lesion that `moving_mask` shows on the moving scan's grid; all zero where nothing of it is covered.
    RegistrationTrust trust_around(const Mask& moving_mask, const VolumeGeometry& moving) const;

    struct Content;
    explicit Registration(std::shared_ptr<const Content> content) : content_(std::move(content)) {}

private:
    std::shared_ptr<const Content> content_;
};

/// A scan, and what of it must not be looked at: lesions grow and shrink. The mask, on the scan's grid, may be null.
struct RegisteredScan {
    const CtVolume& ct;
    const Mask* left_out = nullptr;
};

struct RegistrationParameters {
    double cell_mm = 2;   ///< of the finest level; larger ones where the patient would fill more than two million
    int threads = 0;
};

/// Registers two scans of one patient: other couch position, field of view, phase and spacing, resection and lesions of another size
/// are allowed for. Fails with not_evaluable if they show too little of one body region in common. The same for any number of threads.
Result<Registration> register_scans(const RegisteredScan& fixed, const RegisteredScan& moving, const RegistrationParameters& parameters = {}, const Progress& progress = {});

}  // namespace retromass::segmentation

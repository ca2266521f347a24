#pragma once

#include "sample_data/phantom.h"

namespace retromass::sample_data {

/// Three directions at right angles, z the normal of the planes that are measured (docs/clinical.md 2.5).
struct Frame {
    PatientPoint x{1, 0, 0};
    PatientPoint y{0, 1, 0};
    PatientPoint z{0, 0, 1};

    PatientPoint local(PatientPoint p) const { return {dot(p, x), dot(p, y), dot(p, z)}; }
    PatientPoint patient(PatientPoint p) const { return p.x * x + p.y * y + p.z * z; }
};

/// The grid of a scan whose middle lies at `middle`. Fails with a usage error for a scan no scanner makes.
Result<VolumeGeometry> scan_geometry(const Scan& scan, Dimensions grid, PatientPoint middle);

/// The frame in which a reader of this scan measures: the slices where they are near axial, the axial planes of a coronal or
/// sagittal scan. Other scans are refused by scan_geometry.
Frame measuring_frame(const VolumeGeometry& geometry);

}  // namespace retromass::sample_data

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/geometry.h"
#include "core/result.h"
#include "pipeline/ingest/ingest.h"

namespace retromass::ingest {

/// One region of interest of an RT Structure Set: closed planar contours in LPS mm.
struct ContouredRegion {
    int number = 0;
    std::string name;
    std::vector<std::vector<PatientPoint>> contours;
    std::string frame_of_reference_uid = {};         ///< it was drawn in; empty = not stated
    std::vector<std::string> odd_contours = {};      ///< what else was drawn of it and closes no area, in words
};
std::string named(const ContouredRegion& region);

struct StructureSet {
    std::string frame_of_reference_uid;
    std::vector<ContouredRegion> regions;
};

/// Reads an RT Structure Set. Contours that close no area (points, open lines) are left out and said; a region without any other is not listed.
Result<StructureSet> read_structure_set(const std::filesystem::path& file);

/// The voxels whose centres lie inside the contours (docs/clinical.md 8.2: even-odd rule, left and lower edge in). Contours of one plane are
/// taken together, so that one inside another is a hole, whether drawn as a second contour or by a keyhole; a plane counts for the slice it lies
/// in, within half a slice. Fails with mask_grid where a contour does not run along the slices, lies outside the stack, or where the planes are
/// so far apart that slices between them have none.
Result<Mask> filled(const ContouredRegion& region, const VolumeGeometry& grid);

/// Which slices between the first and the last of a region hold nothing of it, in words; empty where none. They may have been forgotten.
std::string slices_between_contours(const Mask& mask);

}  // namespace retromass::ingest

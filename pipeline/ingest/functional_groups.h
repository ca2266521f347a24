#pragma once

#include <optional>
#include <string>

#include "pipeline/ingest/elements.h"

namespace retromass::ingest {

/// What the functional groups say of one frame of an enhanced image, or of all of them (PS3.3 C.7.6.16). Empty = not stated.
struct FrameFacts {
    std::optional<PatientPoint> position;
    std::optional<PatientPoint> column_step;
    std::optional<PatientPoint> row_step;
    std::optional<double> row_spacing_mm;
    std::optional<double> column_spacing_mm;
    std::optional<double> slice_thickness_mm;
    std::optional<double> slope;
    std::optional<double> intercept;
    std::optional<double> kvp;
    std::string rescale_type;
    std::string frame_type;
    std::string technique;
    std::string volumetric;
    std::string kernel;
    std::string stack_id;
    std::string temporal_position;
    std::string acquisition_time;
    std::string cardiac_phase;   ///< bytes that tell phases apart, in no unit
};

/// Reads one item of the shared or per-frame groups. Only the groups CT defines are looked into: private sequences may repeat their tags.
FrameFacts frame_facts(Bytes item, Encoding encoding);

/// `frame` where it says something, else `shared`.
FrameFacts merged(const FrameFacts& frame, const FrameFacts& shared);

}  // namespace retromass::ingest

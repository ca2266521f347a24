#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace retromass {

/// Every notice, exclusion and refusal there is (docs/clinical.md 8.3). One row each in the table of codes.cpp, from
/// which docs/codes.md is made; the kebab-case name is what users see and what `--accept` takes.
enum class Code {
    internal,
    usage,
    io,
    malformed,
    not_dicom,
    not_an_image,
    unsupported_syntax,
    private_compression,
    truncated_pixels,
    oversized,
    localizer,
    screenshot,
    no_geometry,
    mixed_orientation,
    mixed_spacing,
    mixed_size,
    two_patients,
    two_frames_of_reference,
    no_frame_of_reference,
    missing_slices,
    uneven_slices,
    gantry_tilt,
    duplicate_file,
    conflicting_duplicate,
    several_phases,
    bolus_monitoring,
    single_slice,
    not_hu,
    material_map,
    lossy,
    not_axial,
    anonymised_dates,
    few_slices,
    slices_apart,
    slice_out_of_place,
    missing_dicomdir_target,
    no_series,
    several_series,
    series_chosen,
    prompt_missing,
    prompt_outside,
    prompt_in_air,
    prompt_contradictory,
    prompt_frame_of_reference,
    prompt_disagrees,
    empty_mask,
    mask_grid,
    mask_labels,
    tracking_disagrees,
    fractional_mask,
    truncated,
    several_components,
    axis_leaves_lesion,
    craniocaudal_diverges,
    reader_disagrees,
    interval_not_validated,
    low_confidence,
    new_lesions_not_stated,
    no_valid_baseline,
    target_not_eligible,
    treated_locally,
    treatment_effect,
    not_evaluable,
    fast_growth_pair,
    density_not_comparable,
    response_while_growing,
    at_limit,
    criteria_disagree,
    not_comparable,
    comparison_widened,
    body_region_missing,
    identity_conflict,
    identity_suggested,
    same_place,
    date_missing,
    date_order,
    date_shared,
    different_patient,
    patient_not_compared,
    case_file,
    table,
    policy,
    outside_protocol,
    unreviewed,
    cancelled,
    disk_space,
    memory,
    no_display,
    output_exists,
    verification_failed,
    pacs_profile,
    network,
    peer_refused,
    not_at_peer,
    pacs_incomplete,
    synthetic_patient,
};

enum class Disposition { refuse, exclude, notice };

struct CodeEntry {
    Code code;
    std::string_view name;        ///< kebab-case
    Disposition disposition;      ///< what the program does unless told otherwise
    bool acceptable;              ///< whether `--accept NAME` is meaningful
    std::string_view meaning;     ///< one sentence, for docs/codes.md
};

std::span<const CodeEntry> code_table();
const CodeEntry& entry(Code code);
std::string_view name(Code code);
std::optional<Code> code_named(std::string_view name);

}  // namespace retromass

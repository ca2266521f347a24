#include "core/codes.h"

#include <array>
#include <cstdlib>

namespace retromass {
namespace {

using enum Disposition;

constexpr std::array kTable{
    CodeEntry{Code::internal, "internal", refuse, false, "A mistake of the program itself; please report it."},
    CodeEntry{Code::usage, "usage", refuse, false, "The command line does not fit the subcommand; its --help says how."},
    CodeEntry{Code::io, "io", refuse, false, "A file or folder could not be read or written."},
    CodeEntry{Code::malformed, "malformed", exclude, false, "The file breaks its own format and cannot be trusted."},
    CodeEntry{Code::not_dicom, "not-dicom", exclude, false, "The file is not DICOM."},
    CodeEntry{Code::not_an_image, "not-an-image", exclude, false, "A DICOM object other than a CT image."},
    CodeEntry{Code::unsupported_syntax, "unsupported-syntax", exclude, false, "The transfer syntax has no decoder here."},
    CodeEntry{Code::private_compression, "private-compression", exclude, false, "The pixels are compressed by a vendor's private scheme."},
    CodeEntry{Code::truncated_pixels, "truncated-pixels", exclude, false, "The pixel data is shorter than rows x columns x bytes."},
    CodeEntry{Code::oversized, "oversized", exclude, false, "The header promises more pixels than the file or the memory limit can hold."},
    CodeEntry{Code::localizer, "localizer", exclude, false, "A scout image, not a slice of the volume."},
    CodeEntry{Code::screenshot, "screenshot", exclude, false, "A screen save, dose page or rendering stored as CT."},
    CodeEntry{Code::no_geometry, "no-geometry", refuse, false, "Image position, orientation or pixel spacing is missing: nothing can be measured in mm."},
    CodeEntry{Code::mixed_orientation, "mixed-orientation", exclude, false, "The image is oriented otherwise than the stack it came with."},
    CodeEntry{Code::mixed_spacing, "mixed-spacing", refuse, false, "Pixel spacing differs within the series."},
    CodeEntry{Code::mixed_size, "mixed-size", refuse, false, "Rows or columns differ within the series."},
    CodeEntry{Code::two_patients, "two-patients", refuse, false, "One series holds images of two patients."},
    CodeEntry{Code::two_frames_of_reference, "two-frames-of-reference", notice, false, "One series holds two frames of reference; each is a volume of its own."},
    CodeEntry{Code::no_frame_of_reference, "no-frame-of-reference", notice, false, "The series names no frame of reference."},
    CodeEntry{Code::missing_slices, "missing-slices", refuse, true, "Slices are missing: a gap is a multiple of the usual distance."},
    CodeEntry{Code::uneven_slices, "uneven-slices", notice, true, "The slice distance changes by design; volumes are sums of area times slab."},
    CodeEntry{Code::gantry_tilt, "gantry-tilt", notice, false, "The stack leans against the slice normal; the sheared geometry is kept."},
    CodeEntry{Code::duplicate_file, "duplicate-file", exclude, false, "The same image again, pixel for pixel."},
    CodeEntry{Code::conflicting_duplicate, "conflicting-duplicate", refuse, false, "Two different images claim the same place or the same identity."},
    CodeEntry{Code::several_phases, "several-phases", notice, false, "Several phases or acquisitions share the positions; each is a volume of its own."},
    CodeEntry{Code::bolus_monitoring, "bolus-monitoring", refuse, false, "The same position over time: not a volume."},
    CodeEntry{Code::single_slice, "single-slice", refuse, false, "Fewer than two slices give no volume."},
    CodeEntry{Code::not_hu, "not-hu", refuse, true, "The stored values are not Hounsfield units."},
    CodeEntry{Code::material_map, "material-map", refuse, false, "A material or perfusion map, not an attenuation image."},
    CodeEntry{Code::lossy, "lossy", notice, false, "The images were compressed with loss."},
    CodeEntry{Code::not_axial, "not-axial", notice, true, "The slice normal is more than 30 degrees from the patient's long axis; RECIST is not evaluable unless accepted."},
    CodeEntry{Code::anonymised_dates, "anonymised-dates", notice, false, "Dates were removed; state the order and the days."},
    CodeEntry{Code::few_slices, "few-slices", notice, false, "Fewer than 20 slices: not chosen by itself."},
    CodeEntry{Code::slices_apart, "slices-apart", notice, false, "The slices are thinner than their distance: tissue between them was not imaged, or every second image is lost."},
    CodeEntry{Code::slice_out_of_place, "slice-out-of-place", notice, false, "An image does not belong where it says it lies: exchanged, turned, or of another scan."},
    CodeEntry{Code::missing_dicomdir_target, "missing-dicomdir-target", exclude, false, "The DICOMDIR names a file that is not there."},
    CodeEntry{Code::no_series, "no-series", refuse, false, "No CT series to measure was found."},
    CodeEntry{Code::several_series, "several-series", refuse, false, "Several CT series fit; name one."},
    CodeEntry{Code::series_chosen, "series-chosen", notice, false, "One of several CT series that fit was chosen by the stated ranking."},
    CodeEntry{Code::prompt_missing, "prompt-missing", refuse, false, "Nothing says where the lesion is."},
    CodeEntry{Code::prompt_outside, "prompt-outside", refuse, false, "The prompt lies outside the scanned volume."},
    CodeEntry{Code::prompt_in_air, "prompt-in-air", refuse, false, "The prompt lies in air."},
    CodeEntry{Code::prompt_contradictory, "prompt-contradictory", refuse, false, "The parts of the prompt contradict each other."},
    CodeEntry{Code::prompt_frame_of_reference, "prompt-frame-of-reference", refuse, false, "The prompt was drawn in another frame of reference."},
    CodeEntry{Code::prompt_disagrees, "prompt-disagrees", notice, false, "The mask disagrees with the line it was prompted by."},
    CodeEntry{Code::empty_mask, "empty-mask", refuse, false, "The mask holds no voxel; that is not 0 mm, it is not evaluable."},
    CodeEntry{Code::mask_grid, "mask-grid", refuse, false, "The mask lies on another grid than the CT."},
    CodeEntry{Code::mask_labels, "mask-labels", refuse, false, "The mask's labels do not fit what was asked."},
    CodeEntry{Code::tracking_disagrees, "tracking-disagrees", notice, false, "A tracking UID of a prompt or mask was not taken over: the lesion has another already, another lesion has it, or it is no UID."},
    CodeEntry{Code::fractional_mask, "fractional-mask", notice, false, "The mask was fractional and was cut at one half."},
    CodeEntry{Code::truncated, "truncated", notice, true, "The lesion is cut by the edge of the scan or the field of view; its values are lower bounds."},
    CodeEntry{Code::several_components, "several-components", notice, false, "The mask has several separate parts."},
    CodeEntry{Code::axis_leaves_lesion, "axis-leaves-lesion", notice, false, "More than 10 % of the long axis runs outside the lesion."},
    CodeEntry{Code::craniocaudal_diverges, "craniocaudal-diverges", notice, false, "The axial diameter falls while the craniocaudal extent grows by 20 % or more."},
    CodeEntry{Code::reader_disagrees, "reader-disagrees", notice, false, "The reader's line and the mask's long axis differ by more than 5 mm and 10 %, or a stated interval does not hold the measured length or mean HU."},
    CodeEntry{Code::interval_not_validated, "interval-not-validated", notice, false, "The lesion is unlike every case its intervals were calibrated on: they may be too narrow."},
    CodeEntry{Code::low_confidence, "low-confidence", notice, false, "The segmentation doubts itself; one more prompt would help."},
    CodeEntry{Code::new_lesions_not_stated, "new-lesions-not-stated", notice, false, "Nobody stated whether there are new lesions: the overall response is not evaluable."},
    CodeEntry{Code::no_valid_baseline, "no-valid-baseline", notice, false, "No evaluable study lies within the baseline window before the first dose."},
    CodeEntry{Code::target_not_eligible, "target-not-eligible", notice, false, "A target does not meet the criterion's rules of size, number or history; it stays as the reader's choice."},
    CodeEntry{Code::treated_locally, "treated-locally", notice, false, "A target was treated locally; the policy local_therapy decides what it counts."},
    CodeEntry{Code::treatment_effect, "treatment-effect", notice, false, "Growth within 12 weeks after radiotherapy may be an effect of the treatment."},
    CodeEntry{Code::not_evaluable, "not-evaluable", notice, false, "The lesion could not be evaluated at this time point."},
    CodeEntry{Code::fast_growth_pair, "one-pair", notice, false, "Growth is computed from one pair of studies only."},
    CodeEntry{Code::density_not_comparable, "density-not-comparable", notice, false, "Densities of two studies cannot be compared: Choi judges size alone."},
    CodeEntry{Code::response_while_growing, "response-while-growing", notice, false, "A response by density while the size grows."},
    CodeEntry{Code::at_limit, "at-limit", notice, false, "The change lies exactly on a limit whose sources differ on whether that counts."},
    CodeEntry{Code::criteria_disagree, "criteria-disagree", notice, false, "An exploratory criterion says something else than the primary one."},
    CodeEntry{Code::not_comparable, "not-comparable", notice, false, "Two studies differ so much that their sizes cannot be compared; the category stands, and is in doubt."},
    CodeEntry{Code::comparison_widened, "comparison-widened", notice, false, "Two studies differ in their acquisition: their sizes compare less closely."},
    CodeEntry{Code::body_region_missing, "body-region-missing", notice, false, "A part of the body that the baseline scan shows is not in this one: new lesions there would not be seen."},
    CodeEntry{Code::identity_conflict, "identity-conflict", notice, false, "Statements on a lesion's identity contradict each other; a reader has to decide."},
    CodeEntry{Code::identity_suggested, "identity-suggested", notice, false, "A lesion may have split, merged, come back or been exchanged with another; nothing changes until a reader says so."},
    CodeEntry{Code::same_place, "same-place", notice, false, "Two lesions' masks share voxels: neither is evaluable until a reader decides."},
    CodeEntry{Code::date_missing, "date-missing", refuse, false, "A time point has no date and no day."},
    CodeEntry{Code::date_order, "date-order", refuse, false, "The time points' order contradicts their dates."},
    CodeEntry{Code::date_shared, "date-shared", refuse, false, "Two time points share a date without naming the visit."},
    CodeEntry{Code::different_patient, "different-patient-ids", refuse, true, "The time points' patient identities or skeletons contradict each other."},
    CodeEntry{Code::patient_not_compared, "patient-not-compared", notice, false, "Identity or skeleton of two time points could not be compared: nothing shows that they are of one patient, nothing that they are not."},
    CodeEntry{Code::case_file, "case-file", refuse, false, "The case file does not fit its schema."},
    CodeEntry{Code::table, "table", refuse, false, "The table does not fit its columns."},
    CodeEntry{Code::policy, "policy", refuse, false, "No such policy, or no such value."},
    CodeEntry{Code::outside_protocol, "outside-protocol", notice, false, "The study is not what the trial's protocol asks for, or nothing says whether it is: its series, slices, phase, kernel, voltage, coverage or compression, or the window of its visit."},
    CodeEntry{Code::unreviewed, "unreviewed", notice, false, "No reader has accepted this result."},
    CodeEntry{Code::cancelled, "cancelled", refuse, false, "Stopped on request; nothing half-written is left."},
    CodeEntry{Code::disk_space, "disk-space", refuse, false, "Too little free space for the results."},
    CodeEntry{Code::memory, "memory", refuse, false, "Too little free memory for the case."},
    CodeEntry{Code::no_display, "no-display", refuse, false, "There is no display to open the viewer on, or 3-D pictures could not be drawn; xvfb-run gives one."},
    CodeEntry{Code::output_exists, "output-exists", refuse, false, "The output is there already and is not overwritten."},
    CodeEntry{Code::verification_failed, "verification-failed", refuse, false, "A written object, read back, does not give the recorded values."},
    CodeEntry{Code::pacs_profile, "pacs-profile", refuse, false, "The profile of a PACS is missing or does not fit."},
    CodeEntry{Code::network, "network", refuse, false, "The peer cannot be reached, its certificate is not trusted, or it broke off."},
    CodeEntry{Code::peer_refused, "peer-refused", refuse, false, "The peer refuses the association or the service asked for."},
    CodeEntry{Code::not_at_peer, "not-at-peer", refuse, false, "The peer holds nothing of that identity."},
    CodeEntry{Code::pacs_incomplete, "pacs-incomplete", refuse, false, "Not all that was asked for arrived, or was taken; what is missing is named."},
    CodeEntry{Code::synthetic_patient, "synthetic-patient", refuse, false, "Objects of a generated patient go to a PACS only with --allow-synthetic."},
};

}  // namespace

std::span<const CodeEntry> code_table() { return kTable; }

const CodeEntry& entry(Code code)
{
    for (const auto& row : kTable) {
        if (row.code == code) return row;
    }
    std::abort();  // unreachable: tests/unit/core/codes_test.cpp walks the enum
}

std::string_view name(Code code) { return entry(code).name; }

std::optional<Code> code_named(std::string_view wanted)
{
    for (const auto& row : kTable) {
        if (row.name == wanted) return row.code;
    }
    return std::nullopt;
}

}  // namespace retromass

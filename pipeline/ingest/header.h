#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/ingest/ingest.h"

namespace retromass::ingest {

/// What the header of one image (one frame of a multi-frame file) says, before it is grouped with others.
struct Header {
    SliceSource source;
    AcquisitionFacts facts;
    int rows = 0;
    int columns = 0;
    int samples_per_pixel = 1;
    std::optional<PatientPoint> position;
    std::optional<PatientPoint> column_step;
    std::optional<PatientPoint> row_step;
    std::optional<double> column_spacing_mm;
    std::optional<double> row_spacing_mm;
    bool rescaled = false;               ///< slope and intercept are stated
    bool rescale_begun = false;          ///< at least one of them is
    bool palette = false;                ///< stored values are places in a table of colours
    bool modality_lut = false;           ///< stored values are mapped by a table
    std::string rescale_type;
    std::string technique;               ///< Volume Based Calculation Technique: MAX_IP, MPR, ...
    bool curved = false;                 ///< pixels that lie on no plane
    std::optional<double> slice_location_mm;  ///< never a position; only to see whether it contradicts one
    bool lossy = false;
    bool multi_frame = false;            ///< an enhanced image: geometry came from functional groups
    // Only to tell stacks apart where positions collide (docs/stages/ingest.md):
    std::string acquisition_number;
    std::string temporal_position;
    std::string acquisition_time;
    std::string contrast_time;           ///< trigger time, cardiac phase
    std::string stack_id;
    long instance_number = 0;
    int concatenation_parts = 0;         ///< In-concatenation Total Number, 0 = not stated
    std::string concatenation_uid;
    /// What keeps this image from being decoded although it belongs to its series.
    std::optional<Code> problem;
    std::string problem_text;
};

/// Images of one group; the headers stay where the scan put them.
using Images = std::vector<Header*>;

/// What a file holds that ingest cares about.
struct HeaderFile {
    std::vector<Header> images;               ///< one image, or each frame of an enhanced one
    bool directory = false;                   ///< a DICOMDIR
    std::vector<std::string> referenced;      ///< its Referenced File IDs, components joined by backslash
    std::optional<Error> no_image;            ///< why it holds no image: a report, a mask, a presentation state
    std::string study_instance_uid;           ///< of an object that is no image
};
/// Reads the header of one file; the images do not yet name it. Fails with the exclusion code and its reason.
Result<HeaderFile> read_headers(const std::filesystem::path& file);

/// Volumes from headers: grouping, sorting, verification (docs/stages/ingest.md). `progress` is asked while pixels of duplicates are
/// compared; fails with `cancelled` alone.
Result<Scan> group(std::vector<HeaderFile> files, std::vector<Exclusion> excluded, const ScanParameters& parameters, const Progress& progress = {});

/// A volume from images of one orientation and size at distinct positions, in their order along the normal. Takes what the slices need out
/// of the headers, as `refused` does: a header ends in one series.
SeriesCandidate stack(const Images& sorted, const ScanParameters& parameters, std::vector<Notice> notices);
/// A series that cannot be loaded as it is.
SeriesCandidate refused(const Images& images, Code code, const std::string& why);
/// Position of an image along its own normal, mm.
double position_mm(const Header& header);
bool accepts(const ScanParameters& parameters, Code code);
/// Two slices this close share a position.
inline constexpr double kSamePosition_mm = 0.01;

/// The files a DICOMDIR names: which are there, which are not, and which would lead out of its folder.
struct Directory {
    std::vector<std::filesystem::path> present;
    std::vector<Exclusion> missing;
};
/// Looks up the Referenced File IDs of a DICOMDIR. Names are matched without regard to case, ";1" or an added ".dcm"; a path never
/// leaves the folder of the DICOMDIR.
Directory resolve(const std::filesystem::path& dicomdir, const std::vector<std::string>& referenced);

/// What the values mean, by Image Type, Rescale Type and (for what vendors name there alone) the series description.
ImageKind image_kind(std::string_view image_type, std::string_view series_description);
/// Only what the header plainly states; everything else stays unstated (docs/clinical.md 6.6).
std::string contrast_phase(std::string_view series_description, std::string_view protocol);

/// Whether a file may hold that many bytes, packed by deflate or not: no memory is taken on the word of a header alone.
bool may_hold(const std::filesystem::path& file, double bytes);
Result<LabelVolume> read_nifti(const std::filesystem::path& file);
Result<LabelVolume> read_nrrd(const std::filesystem::path& file);
/// A DICOM SEG, or an RT Structure Set filled on `ct`.
Result<LabelVolume> read_dicom_labels(const std::filesystem::path& file, const VolumeGeometry* ct, const std::string& frame_of_reference_uid);
/// The labels that occur in the grid, with no names.
std::vector<LabelVolume::Label> labels_present(const Grid<std::uint16_t>& labels);
/// A label volume from raw values and any LPS affine (row-major 4x4) without in-plane shear; turns or flips slices where the
/// third axis runs against row x column.
Result<LabelVolume> labels_on_affine(Grid<std::uint16_t> values, const std::array<double, 16>& affine_lps, const std::string& format);

}  // namespace retromass::ingest

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/ingest/ingest.h"

namespace retromass::ingest {

/// What the header of one image says, before it is grouped with others.
struct Header {
    std::filesystem::path file;
    AcquisitionFacts facts;
    std::string sop_class_uid;
    std::string sop_instance_uid;
    std::vector<std::string> image_type;
    int rows = 0;
    int columns = 0;
    int frames = 1;
    int samples_per_pixel = 1;
    int bits_allocated = 0;
    std::optional<PatientPoint> position;
    std::optional<PatientPoint> column_step;
    std::optional<PatientPoint> row_step;
    std::optional<double> column_spacing_mm;
    std::optional<double> row_spacing_mm;
    bool rescaled = false;               ///< slope and intercept are stated
    std::string rescale_type;
    bool lossy = false;
    std::string acquisition_number;
    std::string temporal_position;
    std::string acquisition_time;
    std::string content_key;             ///< instance number, only to tell repeated stacks apart
    bool has_pixels = false;
};

/// Reads one file's header; fails with the exclusion code and its reason.
Result<Header> read_header(const std::filesystem::path& file);

/// Decodes one image into `hu` (rows x columns); padding becomes kPaddingHu.
Status decode_slice(const SliceSource& source, int columns, int rows, std::span<std::int16_t> hu);

/// SHA-256 of an image's decoded stored pixels, to tell duplicates from conflicts.
Result<std::string> pixel_digest(const std::filesystem::path& file);

/// Volumes from headers: grouping, sorting, verification (docs/stages/ingest.md).
Scan group(std::vector<Header> headers, std::vector<Exclusion> excluded, const ScanParameters& parameters);

Result<LabelVolume> read_nifti(const std::filesystem::path& file);
Result<LabelVolume> read_nrrd(const std::filesystem::path& file);
/// A DICOM SEG, or an RT Structure Set filled on `ct`.
Result<LabelVolume> read_dicom_labels(const std::filesystem::path& file, const VolumeGeometry* ct);
/// The labels that occur in the grid, with no names.
std::vector<LabelVolume::Label> labels_present(const Grid<std::uint16_t>& labels);
/// A label volume from raw values and any LPS affine (row-major 4x4) without in-plane shear; turns or flips slices where the
/// third axis runs against row x column.
Result<LabelVolume> labels_on_affine(Grid<std::uint16_t> values, const std::array<double, 16>& affine_lps, const std::string& format);

}  // namespace retromass::ingest

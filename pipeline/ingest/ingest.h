#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/date.h"
#include "core/notice.h"
#include "core/progress.h"
#include "core/result.h"
#include "core/volume.h"

/// Where data enters: DICOM folders become CT series, files become masks.
namespace retromass::ingest {

/// One image of a series, in the order of the volume's slices.
struct SliceSource {
    std::filesystem::path file;
    std::string sop_class_uid;
    std::string sop_instance_uid;
    int frame = 0;  ///< 0-based frame of a multi-frame file
};

/// What the scanner says of a series. Texts are UTF-8; empty = not stated. Holds no patient name.
struct AcquisitionFacts {
    std::string study_instance_uid;
    std::string series_instance_uid;
    std::string frame_of_reference_uid;
    std::string study_description;
    std::string series_description;
    int series_number = 0;
    std::string modality;
    std::string manufacturer;
    std::string model;
    std::string image_type;         ///< values joined by backslash
    std::string kernel;             ///< (0018,1210)
    std::string contrast_agent;     ///< (0018,0010)
    std::string contrast_phase;     ///< portal-venous, arterial, delayed, none; empty = not stated
    std::string transfer_syntax;    ///< UID
    std::string body_part;
    std::optional<double> slice_thickness_mm;
    std::optional<double> kvp;
    std::optional<Date> acquisition_date;
    std::optional<Date> series_date;
    std::optional<Date> study_date;
    std::string patient_key;        ///< SHA-256 of Patient ID, issuer, birth date and sex; never the values
    bool synthetic = false;         ///< Quality Control Image YES

    /// Acquisition date, else series date, else study date (docs/clinical.md 6.1).
    std::optional<Date> date() const { return acquisition_date ? acquisition_date : series_date ? series_date : study_date; }
    /// Which of them: "acquisition date", "series date", "study date" or "".
    std::string date_source() const
    {
        return acquisition_date ? "acquisition date" : series_date ? "series date" : study_date ? "study date" : "";
    }
};

/// A file set aside, and why.
struct Exclusion {
    std::filesystem::path file;
    Code code = Code::malformed;
    std::string text;
};

/// One volume found in the headers. `refused` says why it cannot be loaded as it is.
struct SeriesCandidate {
    AcquisitionFacts facts;
    int volume_index = 0;               ///< which volume of its Series UID
    VolumeGeometry geometry;            ///< empty (0 slices) where there is none
    std::vector<SliceSource> slices;    ///< sorted along row x column
    std::vector<Notice> notices;
    std::optional<Error> refused;
    bool eligible = false;              ///< may be measured by itself: HU, uniform, near axial, >= 20 slices
    std::string why_not_eligible;
};

struct Scan {
    std::vector<SeriesCandidate> series;  ///< by study, series number, UID, volume index
    std::vector<Exclusion> excluded;      ///< by path
};

struct ScanParameters {
    int threads = 0;
    std::vector<Code> accepted;  ///< codes the user accepts (`--accept`)
};

/// Reads headers below the paths (folders are searched through; DICOMDIR and single files too) and groups them into
/// volumes. Never fails because of a file: bad ones are in `excluded`. Fails with `io` if a path does not exist.
Result<Scan> scan(const std::vector<std::filesystem::path>& paths, const ScanParameters& parameters = {},
                  const Progress& progress = {});

/// The one series to measure under the paths: the candidate of `series_uid` if given, else the only loadable one.
/// Fails with no_series (listing why each was set aside) or several_series (listing them).
Result<SeriesCandidate> one_series(const Scan& scan, const std::string& series_uid = {});

/// A loaded CT series.
struct CtSeries {
    AcquisitionFacts facts;
    CtVolume volume;
    std::vector<SliceSource> slices;  ///< one per slice
    std::vector<Notice> notices;
};

/// Decodes the pixels: HU with each slice's own rescale, padding marked (kPaddingHu). Slices in parallel.
Result<CtSeries> load(const SeriesCandidate& series, int threads = 0, const Progress& progress = {});

/// A mask file: labels on a grid. Label 0 is background.
struct LabelVolume {
    VolumeGeometry geometry;
    Grid<std::uint16_t> labels;
    std::vector<Grid<std::uint16_t>> overlaps;  ///< further layers on the same grid, where segments or regions share voxels
    struct Label {
        int value = 0;
        std::string name;          ///< segment or ROI label, empty where the format has none
        std::string tracking_uid;
    };
    std::vector<Label> present;    ///< labels with at least one voxel, ascending
    std::string frame_of_reference_uid;
    std::string format;            ///< "NIfTI", "NRRD", "DICOM SEG", "RT Structure Set"
    std::vector<Notice> notices;   ///< what the reader must know of how the mask was made
};

/// Reads NIfTI-1 (.nii, .nii.gz), NRRD (raw or gzip), DICOM SEG (binary, fractional at one half, label map) or an RT Structure Set, by
/// content, not by name. A SEG that stores only the slices that hold the lesion gives a volume of those slices; see `on_grid`. Contours have no
/// grid of their own: an RT Structure Set is filled on `ct` (docs/clinical.md 8.2), and refused with mask_grid where that is null.
Result<LabelVolume> read_labels(const std::filesystem::path& file, const VolumeGeometry* ct = nullptr);

/// The labels laid on another grid by position. Fails with mask_grid if the two do not fit within half a voxel
/// (docs/clinical.md 8.2); slices the mask file lacks are background.
Result<Grid<std::uint16_t>> on_grid(const LabelVolume& labels, const VolumeGeometry& grid);

/// One label laid on another grid in the same way, whatever else shares its voxels.
Result<Mask> mask_on_grid(const LabelVolume& labels, int value, const VolumeGeometry& grid);

}  // namespace retromass::ingest

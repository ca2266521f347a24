#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/date.h"
#include "core/notice.h"
#include "core/progress.h"
#include "core/result.h"
#include "core/volume.h"

/// Where data enters: DICOM folders become CT series, files become masks.
namespace retromass::ingest {

/// How the pixels of an image are stored, and how stored values become HU: what `scan` found out for `load`.
struct StoredPixels {
    std::string transfer_syntax;        ///< UID
    std::uint64_t offset = 0;           ///< of the first byte of this frame's pixels, or of the first item where encapsulated
    std::uint64_t file_size = 0;        ///< a file that changed since the scan is not decoded
    bool encapsulated = false;
    bool deflated = false;              ///< `offset` counts from the start of the inflated data set
    std::uint64_t data_set_offset = 0;  ///< where a deflated data set starts in the file
    bool big_endian = false;
    int frames = 1;
    int bits_allocated = 16;
    int bits_stored = 16;
    int high_bit = 15;
    bool is_signed = false;
    double slope = 1;
    double intercept = 0;
    std::optional<int> padding;         ///< stored value; with `padding_limit` a range, either way round
    std::optional<int> padding_limit;
};

/// One image of a series, in the order of the volume's slices.
struct SliceSource {
    std::filesystem::path file;
    std::string sop_class_uid;
    std::string sop_instance_uid;
    int frame = 0;  ///< 0-based frame of a multi-frame file
    StoredPixels stored;
};

/// What the values of an image mean. Only `attenuation` is measured by itself (docs/clinical.md 6.6).
enum class ImageKind { attenuation, monoenergetic, virtual_non_contrast, material, perfusion, projection };
std::string_view name(ImageKind kind);

/// Who an image says it is of: the first eight bytes of the SHA-256 of each, 0 = not stated. Never the values.
struct PatientIdentity {
    std::uint64_t id = 0;
    std::uint64_t issuer = 0;
    std::uint64_t birth_date = 0;
    std::uint64_t sex = 0;

    friend bool operator==(const PatientIdentity&, const PatientIdentity&) = default;
};
/// What both state, and differently, in words ("patient ID and sex"); empty where nothing contradicts.
std::string contradiction(const PatientIdentity& a, const PatientIdentity& b);
/// Whether there is anything both state.
bool comparable(const PatientIdentity& a, const PatientIdentity& b);

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
    ImageKind kind = ImageKind::attenuation;
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
    PatientIdentity patient;
    bool synthetic = false;         ///< Quality Control Image YES

    /// Acquisition date, else series date, else study date (docs/clinical.md 6.1).
    std::optional<Date> date() const { return acquisition_date ? acquisition_date : series_date ? series_date : study_date; }
    /// Which of them: "acquisition date", "series date", "study date" or "".
    std::string date_source() const
    {
        return acquisition_date ? "acquisition date" : series_date ? "series date" : study_date ? "study date" : "";
    }
};

/// The files below a folder, by path.
struct FilesBelow {
    std::vector<std::filesystem::path> files;
    std::vector<std::pair<std::filesystem::path, std::string>> unread;  ///< folders and links that could not be followed, and why: what lies there is not lost silently
};
/// Follows links to files and folders, each folder once: by its own path rather than by a link's, and never in a circle. Devices, pipes and
/// sockets are passed over. Fails with `cancelled` alone.
Result<FilesBelow> files_below(const std::filesystem::path& folder, const Progress& progress = {});

/// A file set aside, and why.
struct Exclusion {
    std::filesystem::path file;
    Code code = Code::malformed;
    std::string text;
    std::string study_instance_uid;  ///< of an object that is no image (`not_an_image`), where it states one
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
    std::uint64_t largest_volume_bytes = std::uint64_t{16} << 30;  ///< larger ones are refused before anything is allocated
};

/// Reads headers below the paths (folders are searched through; DICOMDIR and single files too) and groups them into
/// volumes. Never fails because of a file: bad ones are in `excluded`. Fails with `io` if a path does not exist.
Result<Scan> scan(const std::vector<std::filesystem::path>& paths, const ScanParameters& parameters = {},
                  const Progress& progress = {});

/// The words of a trial's rule for the series to measure: phases, kernels, and `thinnest` (slice thickness).
std::span<const std::string_view> series_words();
inline constexpr const char* kOfProtocol = "protocol: ";  ///< what a step of the ranking that asks for such a word begins with

/// What else bears on the choice of the series to measure.
struct ChoiceParameters {
    std::string series_uid;                        ///< the user's word, overrides the ranking: UID, or UID#N for volume N of it
    std::vector<std::string> rule;                 ///< of a trial: words of `series_words`, the most important first; asked before the program's own preferences
    std::vector<std::string> prompt_series_uids;   ///< the series the reader's prompts were drawn on
    std::string prompt_frame_of_reference_uid;
    std::vector<PatientPoint> lesion;              ///< points of the lesion, all to be covered; empty = not known
    std::optional<AcquisitionFacts> baseline;      ///< of the series measured at baseline
};

/// One step of the ranking for one series: what is looked at and what this series has.
struct RankStep {
    std::string what;   ///< "eligible", "covers the lesion", "slice spacing", ...
    std::string value;
    double key = 0;     ///< smaller is better
};
struct RankedSeries {
    std::size_t series = 0;          ///< in Scan::series
    std::vector<RankStep> steps;     ///< in the order they are compared
    std::string decided_by;          ///< the step that put it behind the one before, with both values; of the first: ahead of the second
};
/// The series of one study, best first (docs/stages/ingest.md).
struct StudyChoice {
    std::string study_instance_uid;
    std::vector<RankedSeries> ranked;
};
/// Ranks the series of each study by the stated rule; every loadable and refused one is listed.
std::vector<StudyChoice> rank(const Scan& scan, const ChoiceParameters& parameters = {});

/// Classes of reconstruction kernels, by a table of the vendors' names.
enum class KernelClass { soft, sharp, unknown };
KernelClass kernel_class(std::string_view kernel);
std::string_view name(KernelClass kernel);

/// The one series to measure under the paths: the one named if `series_uid` is given, else the first of the ranking where it is
/// eligible and all eligible ones are of one study; a notice says what decided. Fails with no_series (listing why each was set aside)
/// or several_series (listing them).
Result<SeriesCandidate> one_series(const Scan& scan, const ChoiceParameters& parameters = {});
Result<SeriesCandidate> one_series(const Scan& scan, const std::string& series_uid);

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
        std::vector<Notice> notices = {};  ///< of this one alone
    };
    std::vector<Label> present;    ///< labels with at least one voxel, ascending
    std::string frame_of_reference_uid;
    std::string format;            ///< "NIfTI", "NRRD", "DICOM SEG", "RT Structure Set"
    std::vector<Notice> notices;   ///< what the reader must know of how the mask was made
};

/// Reads NIfTI-1 (.nii, .nii.gz), NRRD (raw or gzip), DICOM SEG (binary, fractional at one half, label map) or an RT Structure Set, by
/// content, not by name. A SEG that stores only the slices that hold the lesion gives a volume of those slices; see `on_grid`. Contours have no
/// grid of their own: an RT Structure Set is filled on `ct` (docs/clinical.md 8.2), and refused with mask_grid where that is null.
/// Fails with mask_grid too where the file states another frame of reference than `frame_of_reference_uid`, the CT's (empty = not known);
/// of a structure set, regions drawn in another one are left out, with a notice.
Result<LabelVolume> read_labels(const std::filesystem::path& file, const VolumeGeometry* ct = nullptr, const std::string& frame_of_reference_uid = {});

/// The labels laid on another grid by position. Fails with mask_grid if the two do not fit within half a voxel
/// (docs/clinical.md 8.2); slices the mask file lacks are background.
Result<Grid<std::uint16_t>> on_grid(const LabelVolume& labels, const VolumeGeometry& grid);

/// One label laid on another grid in the same way, whatever else shares its voxels.
Result<Mask> mask_on_grid(const LabelVolume& labels, int value, const VolumeGeometry& grid);

/// The label of that name, tracking UID or value; without a name the only one. Fails with mask_labels, listing what there is, and with
/// empty_mask if there is none at all.
Result<LabelVolume::Label> label_named(const LabelVolume& labels, const std::string& name);

/// A position on an image as DICOM counts it: column and row in pixels; 0,0 is the outer corner of the first pixel, 0.5,0.5 its centre
/// (PS3.3 C.18.6.1.2, C.10.5.1.2).
struct ImagePoint {
    double column = 0;
    double row = 0;
};
/// A straight line that a reader drew in another program: on an image, or in the patient.
struct MarkedLine {
    std::string sop_instance_uid;            ///< of the image; empty = `in_patient` counts
    std::optional<int> frame;                ///< 0-based; empty = none was named, or several: the image then has to have one only
    std::array<ImagePoint, 2> on_image{};
    std::string frame_of_reference_uid;      ///< of `in_patient`
    std::array<PatientPoint, 2> in_patient{};
};
/// A number as another program reported it.
struct ReportedValue {
    std::string name;                        ///< meaning of its code
    std::string code;                        ///< value and scheme: "103339001 SCT"
    std::string qualifier;                   ///< its derivation or modifier, e.g. "Mean"
    std::optional<double> value;             ///< empty = stated as not available
    std::string unit;
    std::optional<double> low;               ///< interval, where the value has one
    std::optional<double> high;
    std::optional<MarkedLine> line;          ///< what it was inferred from
    std::string no_line;                     ///< why what it was inferred from is none
};
/// What was said or drawn of one lesion: a measurement group, a line, or two that cross.
struct Mark {
    std::string name;                        ///< tracking identifier, or "line N"
    std::string tracking_uid;
    std::string finding;
    std::string site;
    std::vector<ReportedValue> values;
    std::vector<std::pair<std::string, std::string>> statements;  ///< other words: name, value
    std::optional<MarkedLine> long_axis;
    std::optional<MarkedLine> short_axis;
    std::string no_lines;                    ///< why it is no prompt; a mark is listed, never guessed
};
struct Marks {
    std::string format;                      ///< "SR", "GSPS", "CSV"
    std::string sop_instance_uid;            ///< of the object; empty for a table
    std::string study_instance_uid;
    std::string completion;                  ///< of a report: COMPLETE, PARTIAL
    std::string verification;                ///< of a report: VERIFIED, UNVERIFIED
    std::vector<std::string> replaces;       ///< SOP Instance UIDs of the reports it names as its predecessors
    bool ours = false;                       ///< written by this program: what it measured, not what a reader marked
    std::vector<Mark> all;
};
/// Reads what other programs measured or drew, by content: an SR document (measurement groups of TID 1500 and what stands outside of
/// them), a presentation state (lines of two points; what else is drawn is listed), or a CSV table `sop_instance_uid,x1,y1,x2,y2` with optional `lesion` and `frame`.
Result<Marks> read_marks(const std::filesystem::path& file);
/// The mark of that name or tracking UID (of several the only one that has lines); without a name the only one that has lines. Fails with prompt_missing, listing what there is.
Result<Mark> mark_named(const Marks& marks, const std::string& name);

/// Lines in the patient: the long axis, then the short one where there is one.
struct PlacedLines {
    std::vector<std::array<PatientPoint, 2>> lines;
    std::string series_instance_uid;         ///< they were drawn on; empty where they were drawn in the patient
    std::string frame_of_reference_uid;
};
/// Places a mark's lines by the images of the scan they were drawn on. Fails with prompt_missing if it has none, with
/// prompt_frame_of_reference if the scan does not hold the image.
Result<PlacedLines> placed(const Mark& mark, const Scan& scan);

}  // namespace retromass::ingest

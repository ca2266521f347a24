#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "measurement/measure.h"
#include "measurement/response/response.h"
#include "pipeline/ingest/ingest.h"
#include "segmentation/segment.h"

/// Where results leave: files a reader, a spreadsheet or a PACS can open.
namespace retromass::outputs {

inline constexpr const char* kUidRoot = "2.25";  ///< of UIDs that are UUIDs (PS3.5 B.2): valid without any registration

/// The probability map of a lesion on the slices it reaches, 0..255 for 0..1.
struct ProbabilityMap {
    int first_slice = 0;
    Grid<std::uint8_t> values;
};

/// Where the intervals of a lesion come from.
struct IntervalOrigin {
    std::string calibrated_on;                ///< the set of cases; empty where none was made here
    std::string not_validated;                ///< why the lesion lies outside that set; empty = within
    std::map<std::string, double> within_case_cv;  ///< by quantity: relative, of hu_mean in HU
    std::string stated;                       ///< the quantities whose intervals a reader states instead, with ", " between
    bool of_repeats = false;                  ///< what a site's repeats differ by, not how far the truth may lie
};

/// A reader's edits as they were replayed on the mask.
struct AppliedEdits {
    std::string sha256;                       ///< of the log
    std::string start;                        ///< fingerprint of the mask before ...
    std::string result;                       ///< ... and after
    std::vector<segmentation::EditEffect> effects;
};

/// What a reader says of a lesion at a time point beside its size, in words that can be counted. An empty word is not stated.
struct Description {
    struct Relation {
        std::string kind;                     ///< abuts | displaces | compresses | encases | invades
        std::string structure;                ///< a vessel or an organ
    };
    std::vector<Relation> relations;
    std::string texture;
    std::string hydronephrosis;               ///< none | left | right | both
    std::string ascites;                      ///< none | small | moderate | large
};

/// One lesion at one time point, as it is reported.
struct LesionResult {
    std::string lesion;
    response::LesionStatus status = response::LesionStatus::not_evaluable;
    std::string reason;                       ///< why not evaluable
    std::string tracking_uid;
    std::optional<segmentation::Prompt> prompt;
    std::optional<Mask> mask;                 ///< on the CT grid
    std::optional<ProbabilityMap> probability;  ///< where the mask was segmented here
    std::optional<measurement::LesionMeasurements> measurements;
    std::optional<Length> reader_long_axis;   ///< the reader's own line (docs/clinical.md 5.3)
    std::optional<Length> counted;            ///< the length that enters a sum: the short axis of a node, else the long axis
    std::string counted_from;                 ///< mask | reader | reported
    std::string merged_into;                  ///< the lesion it is part of here
    std::vector<std::string> split_into;      ///< the lesions that are its parts from here on
    std::string review_state = "unreviewed";  ///< unreviewed | accepted | edited | rejected
    std::string reviewer;
    std::string conflict;                     ///< with another lesion, for a reader to decide
    std::vector<response::Suggestion> suggested;  ///< of its identity, for a reader to decide; not written by itself
    std::string review_time;                  ///< ISO 8601, of the reader's decision
    std::map<std::string, response::Interval> intervals;  ///< by the quantity's name in case.json, e.g. "long_axis_mm"; "hu_mean"; none until known
    IntervalOrigin interval_origin;
    std::string carried_from;                 ///< the time point whose mask said where to look, by registration; empty = a reader's prompt or mask
    std::string carried_trust;                ///< the figures that rests on
    std::optional<AppliedEdits> edits;        ///< what a reader changed on the mask
    std::optional<Description> description;
    std::string described_at;                 ///< the time point that the description was stated at, for confirmation here; empty = stated here
    std::vector<Notice> notices;
};

struct TimepointResult {
    std::string id;
    std::string visit;                        ///< of the trial; empty = not stated
    std::string reader;
    std::optional<Date> date;
    std::string date_source;
    std::optional<response::NewLesions> new_lesions;
    std::optional<ingest::CtSeries> ct;       ///< pixels may be dropped once masks and pictures are written
    std::optional<std::array<double, 2>> reach_mm;  ///< where the scan lies along the patient (response::StudyFacts)
    std::vector<LesionResult> lesions;
    std::vector<Notice> notices;
};

/// Dates of a case whose people are hidden: shifted by whole days, the same for all of a patient, or kept.
enum class Dates { shift, keep };
/// How the people of a case are hidden: by the basic profile of PS3.15 E, UIDs and names mapped by a secret key.
struct Deidentification {
    std::string key;              ///< without it nothing can be mapped back, nor another case mapped in the same way
    std::string pseudonym;        ///< stands for the patient's name and ID
    Dates dates = Dates::shift;
    int days = 0;                 ///< added to every date
};

/// Everything a case produced; the model behind every output.
struct CaseResult {
    std::string case_id;
    bool synthetic = false;                   ///< prints SYNTHETIC on every picture
    std::string uid_root = kUidRoot;          ///< of every UID that is made
    std::optional<Deidentification> hiding;   ///< where set, all here is hidden already, and the objects take nothing else from the CT's headers
    std::vector<response::Lesion> lesions;
    std::vector<response::Treatment> treatments;
    std::vector<response::Event> events;
    std::vector<TimepointResult> timepoints;
    response::Assessment assessment;
    std::map<std::string, response::Assessment> alternatives;  ///< "local_therapy=ne" -> what it would give
    std::vector<std::pair<std::string, std::string>> settings; ///< name, value: parameters used
    std::vector<std::pair<std::string, std::string>> inputs;   ///< relative path or series, SHA-256
    std::vector<Notice> notices;
};

/// The measurements of a lesion as the stable JSON of `measure --json` (docs/interfaces.md).
std::string measurements_json(const std::string& lesion, const measurement::LesionMeasurements& measured);
/// The response part of `assess --json` and case.json for one patient.
std::string assessment_json(const response::Assessment& assessment);

/// Text of an identifier as a file name: letters, digits, '.', '_' and '-' stay; where anything else had to go, eight hex
/// digits of its hash keep two identifiers apart.
std::string file_name_of(const std::string& identifier);
/// One line of a CSV table (RFC 4180), its end included.
std::string csv_line(const std::vector<std::string>& cells);
/// Tables of many patients, header first: every criterion at every time point; the best change of each period up to its first
/// progression (a waterfall plot's bars); and the change at every time point (a spider plot's lines).
std::string response_csv(const std::vector<response::Assessment>& assessments);
std::string waterfall_csv(const std::vector<response::Assessment>& assessments);
std::string spider_csv(const std::vector<response::Assessment>& assessments);

/// NIfTI-1, gzip: sform 1 in RAS with the full (sheared) affine, qform 0 (docs/clinical.md 8.1). Fails with uneven_slices where
/// the grid is not uniform. Byte-identical for identical input.
Status write_nifti(const std::filesystem::path& file, const Mask& mask, const VolumeGeometry& geometry);
Status write_nifti(const std::filesystem::path& file, const Grid<float>& values, const VolumeGeometry& geometry);

/// A DICOM object as written: what others refer to it by.
struct ObjectReference {
    std::string sop_class_uid;
    std::string sop_instance_uid;
    std::string series_uid;
    std::string study_uid;
};
/// What the DICOM objects of one time point share.
struct ObjectParameters {
    std::string uid_root = kUidRoot;
    std::string owner;                       ///< case and time point: they name the new series beside the CT's
    std::string review_state = "unreviewed";
    std::optional<ObjectReference> predecessor;  ///< the instance that this one replaces
    std::optional<Deidentification> hiding;
    std::string protocol;                    ///< name, version and hash of the trial's rules; empty = under none
};

struct SegDescription {
    std::string lesion;           ///< segment label and tracking identifier
    std::string tracking_uid;
    std::string site;             ///< of the lesion; coded as anatomic region where it is the retroperitoneum
};
/// DICOM SEG, one binary segment a lesion, SEMIAUTOMATIC, referring to the CT's images. Reads patient and study from the CT's
/// first file. Passes dciodvfy without errors.
Result<ObjectReference> write_seg(const std::filesystem::path& file, const ingest::CtSeries& ct, const std::vector<const Mask*>& masks,
                                  const std::vector<SegDescription>& segments, const ObjectParameters& parameters = {});

/// Comprehensive 3D SR of one time point after TID 1500: the lesions' segments in `seg` (in the order of `segmented`), sizes with the lines they
/// were taken along, density, response. PARTIAL and UNVERIFIED unless a reader has accepted or edited every lesion; then COMPLETE and VERIFIED.
Result<ObjectReference> write_report(const std::filesystem::path& file, const CaseResult& result, const TimepointResult& timepoint, const std::vector<std::string>& segmented,
                                     const std::optional<ObjectReference>& seg, const ObjectParameters& parameters = {});

/// A UID under a root, made from the SHA-256 of `name`: the same name gives the same UID.
std::string derived_uid(const std::string& name, const std::string& root = kUidRoot);
/// Why a text is no UID (PS3.5 9.1: numbers without leading zeros between full stops, 64 characters at most); empty where it is one.
std::string fault_of_uid(std::string_view uid);
/// Refuses (usage) what is no root of UIDs, or leaves too little room below it.
Status check_uid_root(const std::string& root);
/// The key in a file, or a new one that is written there for its owner alone. Fails with usage where the file holds none.
Result<std::string> deidentification_key(const std::filesystem::path& file);
/// The shift of dates is drawn by key and patient: back by 1 to 3650 days.
Deidentification deidentification_of(const std::string& key, const std::string& patient, const std::string& pseudonym, Dates dates);
/// What stands for a UID, a person's name and a hash of the original: the same whenever key and original are.
std::string hidden_uid(const Deidentification& hiding, const std::string& uid, const std::string& root = kUidRoot);
std::string hidden_name(const Deidentification& hiding, const std::string& name);
std::string hidden_hash(const Deidentification& hiding, const std::string& hash);
/// Lower-case hex SHA-256 of a file.
Result<std::string> sha256_of_file(const std::filesystem::path& file);
std::string sha256_of_text(std::string_view text);

/// Draws the key images of one lesion at one time point: axial slice of the long axis with contour and calipers, coronal and
/// sagittal through the centroid. Files `<stem>-axial.png`, `-coronal.png`, `-sagittal.png` in `folder`; returns their names.
Result<std::vector<std::string>> write_key_images(const std::filesystem::path& folder, const std::string& stem,
                                                  const CaseResult& result, const TimepointResult& timepoint,
                                                  const LesionResult& lesion);

/// The surface of a lesion at a time point, as a picture to be drawn.
struct SurfaceFile {
    std::string lesion;
    std::string timepoint;
    std::filesystem::path file;   ///< PNG
};
/// Draws all of them or fails; those of one lesion at one scale, which stands in the pictures. Who writes a case knows no toolkit for it.
using DrawSurfaces = std::function<Status(const CaseResult& result, const std::vector<SurfaceFile>& wanted)>;

/// Writes the case folder of the design (case.json, measurements.csv, response.csv, masks/, dicom/, images/, report.html,
/// provenance.json, events.jsonl) to a temporary name beside `folder`, then renames. An existing `folder` is replaced only with
/// `overwrite`. The written SEG is read back and re-measured; a difference fails with verification_failed. Answers which signatures of the replaced
/// case no longer hold; where a time point's report is the one that was signed, the signed one stays.
struct WriteParameters {
    bool overwrite = false;
    std::string command;          ///< for provenance
    std::string timestamp;        ///< ISO 8601; the declared timestamp of this run
    DrawSurfaces draw_surfaces;   ///< empty = nobody asks for them; where it fails the report says why there are none
};
Result<std::vector<Notice>> write_case(const std::filesystem::path& folder, const CaseResult& result, const WriteParameters& parameters,
                  const Progress& progress = {});

/// `<RESULT>.<what>` beside a result: `run` replaces the folder, and an audit knows every file in it.
std::filesystem::path beside_result(const std::filesystem::path& result, const std::string& what);

/// The right to change a result, for one program at a time: `<RESULT>.lock` beside the folder says who has it, on which host, for what and since when. It goes
/// with this object; one is taken over whose program can be seen from here to have ended (docs/operations.md).
class ResultLock {
public:
    /// `work` is the command that asks, `time` ISO 8601. Fails with io where somebody else has it, and says who, and where the file cannot be written.
    static Result<ResultLock> take(const std::filesystem::path& result, const std::string& work, const std::string& time, const std::string& reader = {});
    ~ResultLock();
    ResultLock(ResultLock&& other) noexcept;
    ResultLock& operator=(ResultLock&&) = delete;
    const std::filesystem::path& result() const { return result_; }

private:
    ResultLock(std::filesystem::path result, std::filesystem::path file, std::string text) : result_(std::move(result)), file_(std::move(file)), text_(std::move(text)) {}
    std::filesystem::path result_;
    std::filesystem::path file_;  ///< empty = moved from
    std::string text_;            ///< what it holds
};
/// Removes the lock of a `run` that has ended, by its process and its host (empty = any): a batch knows of its workers what the lock alone does not tell.
void remove_lock_of_ended_run(const std::filesystem::path& result, const std::string& process, const std::string& host);
/// As locks name it.
std::string host_name();

struct SignParameters {
    std::string reader;
    std::string role;
    std::string timepoint;        ///< empty = every one that has a report and no signature
    std::string reason;           ///< needed where the time point was signed before and has changed since
    std::string timestamp;        ///< ISO 8601
    std::string uid_root = kUidRoot;
    bool blinded = false;         ///< read in a blinded session: time points in their order, without dates and other readers
};
/// Makes the reports of a finished case complete and verified, as new instances that name those they replace, and notes it in case.json, report.html and the
/// audit log. Answers the time points. Fails with usage where there is nothing to sign, with verification_failed where the case is not what was written.
Result<std::vector<std::string>> sign_case(const ResultLock& lock, const SignParameters& parameters);

/// How thoroughly files are compared with what was written down of them.
enum class Depth {
    figures,     ///< case.json and the tables by their bytes, every other file by its presence and size
    every_byte,
};
/// What of a finished case is no longer what provenance.json lists, a sentence a file; empty = it is whole. What reviews and signatures change - the end of the
/// log, the page's bands - is no damage.
std::vector<std::string> damage_of(const std::filesystem::path& folder, Depth depth);

/// What an audit of a case folder found.
struct Audit {
    std::size_t events = 0;
    std::size_t files = 0;
    std::size_t signatures = 0;
    std::vector<std::string> faults;
};
/// Whether the chain of the audit log is whole, every file is what provenance.json lists, and every signed report the one that was signed.
Result<Audit> audit_case(const std::filesystem::path& folder);

/// A reader's word on a lesion, as the audit log keeps it.
struct Review {
    std::string time;             ///< ISO 8601
    std::string timepoint;
    std::string lesion;
    std::string state;            ///< accepted | edited | rejected
    std::string reader;
    std::string comment;
    bool needs_prompt = false;    ///< rejected, and what it waits for is a mark
    bool blinded = false;         ///< given in a blinded session
};
/// Into the audit log of the result, all of them or none.
Status note_reviews(const ResultLock& lock, const std::vector<Review>& reviews);
/// The SHA-256 of case.json as the last run wrote it, by the audit log: which result a folder holds now. Empty where the log does not say.
std::string written_result(const std::filesystem::path& folder);
/// Notes the reviews of a file that report.html saved: all of them, once, or none. Fails where the folder is not what was written, where the file is no review, and where it
/// reviews another result than the folder's: what a reader did not see is not accepted.
Result<std::vector<Review>> apply_reviews(const ResultLock& lock, const std::filesystem::path& file, const std::string& time);

/// Text inside HTML or an attribute.
std::string html(std::string_view text);
std::string base64(std::string_view bytes);

/// The family of letters that pictures and pages get on this machine where they ask for DejaVu Sans; empty where there is none.
std::string font_family();

/// How many attributes DICOM's data dictionary, as it is found on this machine, knows; 0 where there is none, or one that lacks what is written here.
int attributes_known();

/// The response table as printed by `demo` and `run`.
std::string response_table(const CaseResult& result);

}  // namespace retromass::outputs

#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/progress.h"
#include "core/result.h"
#include "measurement/response/response.h"
#include "pipeline/ingest/ingest.h"
#include "pipeline/outputs/outputs.h"
#include "segmentation/segment.h"

/// The chain for one case, and the case file it starts from.
namespace retromass::run {

/// What a case file says of one lesion at one time point.
struct LesionAtTimepoint {
    segmentation::Prompt prompt;
    std::string mask_file;                                  ///< to be measured; relative to the case file
    std::string prior_file;                                 ///< a mask as prompt
    std::string edits_file;                                 ///< the reader's changes of the mask, segmented or read
    std::string label;                                      ///< of mask_file or prior_file: name, tracking UID or value
    std::string marks_file;                                 ///< lines of another program as prompt
    std::string mark;                                       ///< of marks_file: name or tracking UID
    std::optional<response::LesionStatus> status;           ///< entered by a reader
    std::string reader;
    std::optional<Date> status_date;
    std::optional<Length> reported_long_axis;
    std::optional<Length> reported_short_axis;
    std::string reported_source;
    std::string reported_by;
    std::string merged_into;
    std::vector<std::string> split_into;                    ///< lesions that are its parts from here on
    std::optional<response::Interval> interval_mm;          ///< of the length, as the reader states it
    std::optional<response::Interval> interval_hu;          ///< of the mean HU without the outermost voxels, as the reader states it
    bool nodule = false;                                    ///< a new or growing nodule inside the tumour
    std::optional<outputs::Description> description;
    bool has_prompt = false;
};

struct CaseTimepoint {
    std::string id;
    std::string ct;                                         ///< folder relative to the case file, or a series UID; may be empty
    std::string files;                                      ///< a list of the files of `ct` that count, relative to the case file; empty = all
    std::string series_uid;
    std::optional<response::NewLesions> new_lesions;
    std::string reader;
    std::optional<Date> date;                               ///< stated; else from the series
    std::optional<long> day;
    std::string visit;
    std::string phase;
    std::string contrast;
    std::optional<bool> marker_normal;
};

struct CaseLesion {
    response::Lesion lesion;
    std::string tracking_uid;                               ///< stated; else a foreign object's, else minted
    std::map<std::string, LesionAtTimepoint> timepoints;
};

/// What the series of a trial have to be. Empty = not asked.
struct Acquisition {
    std::optional<double> slice_thickness_max_mm;
    std::optional<double> slice_spacing_max_mm;
    std::optional<double> pixel_max_mm;
    std::optional<double> coverage_min_mm;                  ///< along the patient
    std::optional<std::array<double, 2>> kvp;               ///< from, to
    std::vector<std::string> phases;                        ///< one of them
    std::string kernel;                                     ///< soft or sharp
    std::string lossy;                                      ///< refused
};
/// A visit and its window, in days from the start of treatment (day 0).
struct Visit {
    std::string name;
    long from_day = 0;
    long to_day = 0;
};

/// What a trial's charter fixes for every case (docs/interfaces.md).
struct Protocol {
    std::string id;                                         ///< of the trial
    int version = 1;                                        ///< rises with every change
    std::vector<std::string> readers;                       ///< who may read; empty = anybody
    std::string evaluator;                                  ///< CDISC: INVESTIGATOR or INDEPENDENT ASSESSOR; empty = not stated
    Acquisition acquisition;
    std::vector<Visit> visits;                              ///< in the order of their windows, which do not overlap
    std::vector<std::string> series;                        ///< which series of a study is measured: words of ingest::series_words, the most important first
    std::string primary = "recist-1.1";
    std::vector<std::string> criteria;                      ///< beside the primary; empty = all there are
    std::map<std::string, std::string> policies;
    std::string diameter_from = "mask";
    double recorded_precision_mm = 0.1;
    std::string sha256;                                     ///< of its canonical text: the same for two files that say the same
};
/// Reads and checks a protocol file (YAML or JSON, as a case file).
Result<Protocol> read_protocol(const std::filesystem::path& file);
/// "TRIAL-1 version 2, SHA-256 ..."
std::string name_of(const Protocol& protocol);
/// The visit whose window holds that day; null = none.
const Visit* visit_on(const Protocol& protocol, long day);
/// The protocol a result was made under, as name_of() says it; empty = under none, or no result.
std::string protocol_in(const std::filesystem::path& result);
/// A result made under a protocol is made again, or continued, only under that one, or a later version of it. Fails with output_exists, naming what changed.
Status check_lock(const std::filesystem::path& result, const std::optional<Protocol>& protocol);
/// A protocol as name_of() says it, and the case, result or table that it stands in.
struct SeenProtocol {
    std::string name;
    std::string where;
};
/// Fails with output_exists where one version of one protocol stands for two sets of rules: a trial's results lie in many folders, and a
/// protocol that was changed without a higher version would go unseen. Names every hash and where it was seen.
Status check_versions(const std::vector<SeenProtocol>& seen);

/// What bears on the limits of a protocol. Empty = not stated.
struct ScannedAs {
    std::optional<double> slice_thickness_mm;
    std::optional<double> slice_spacing_mm;                 ///< the largest
    std::optional<double> pixel_mm;                         ///< the larger side
    std::optional<double> scanned_mm;                       ///< along the patient
    std::string phase;
    std::string kernel_class;                               ///< soft or sharp
    std::optional<double> kvp;
    std::optional<bool> lossy;
};
ScannedAs scanned_as(const ingest::AcquisitionFacts& facts, const VolumeGeometry& geometry, const std::vector<Notice>& notices);
/// One limit of a protocol and what a study has.
struct LimitCheck {
    std::string what;                                       ///< "slice thickness"
    std::string expected;                                   ///< "at most 5.00 mm"
    std::string found;                                      ///< empty = not stated, which does not meet it
    bool met = false;
};
/// Every limit that is stated, in a fixed order.
std::vector<LimitCheck> limit_checks(const Acquisition& asked, const ScannedAs& found);
/// What of the patient's time points is not as the protocol asks, or cannot be told, by time point (`outside-protocol`): acquisition by what
/// the table says of each study, and the windows of the visits. A time point without a visit is named by its window.
std::vector<std::vector<Notice>> notices_outside(const Protocol& protocol, response::Patient& patient);
/// Puts such notices beside the decisions of their time points.
void add_outside(response::Assessment& assessment, const std::string& timepoint, const std::vector<Notice>& notices);

struct CaseFile {
    std::filesystem::path folder;                           ///< what relative paths start from
    std::string case_id;
    std::vector<CaseTimepoint> timepoints;
    std::vector<CaseLesion> lesions;
    std::vector<response::Treatment> treatments;
    std::vector<response::Event> events;
    std::string primary = "recist-1.1";
    std::vector<std::string> criteria;                      ///< beside the primary; empty = all there are
    std::map<std::string, std::string> policies;
    std::string diameter_from = "mask";
    double recorded_precision_mm = 0.1;
    std::vector<Code> accepted;
    bool carries_forward = true;                            ///< a lesion of which nothing is said is looked for where the last mask lay
    bool states_rules = false;                              ///< response, diameter_from or recorded_precision_mm are its own
    std::optional<Protocol> protocol;
};

/// The log of a reader's edits (docs/stages/segmentation.md).
Result<segmentation::EditLog> edits_in(const std::filesystem::path& file);

/// Reads and checks a case file (YAML or JSON). An unknown key is refused, naming the nearest known one and its line.
Result<CaseFile> read_case(const std::filesystem::path& file);

/// What of a time point's `ct` is looked at: the folder, or the files of its list (a path a line, from the list's folder). Fails with io where the list
/// cannot be read, with case_file where it is empty.
Result<std::vector<std::filesystem::path>> files_of(const CaseFile& file, const CaseTimepoint& timepoint);

/// A case file drafted from a scan: one patient's studies by date, the chosen series of each.
struct DraftParameters {
    std::string case_id = "P-1";             ///< a pseudonym
    std::filesystem::path folder;            ///< of the case file: paths are written relative to it
    std::vector<Code> accepted;
    std::map<std::string, std::string> lists;              ///< the name of the list of its files, by the UID of a study that shares its folder with others
    std::vector<std::string> labels;                       ///< patterns ('*'): segments and contours of such a name are lesions to be measured
    std::vector<std::filesystem::path> tables;             ///< CSV tables of lines, one a study, that name the patient's lesions
    struct Visit {
        std::string visit;
        std::string day;
        std::string reader;
    };
    std::map<std::string, Visit> visits;                   ///< what is stated of a study, by its UID
    std::optional<Protocol> protocol;                      ///< by whose rules series are chosen and targets proposed
    std::filesystem::path protocol_file;                   ///< named in the case file; empty = the case comes under it otherwise
    bool own_marks = true;                                 ///< take what this program measured where no reader marked anything
};
/// The text of a case file whose time points are the studies of the scan and whose lesion waits for prompts. Under a protocol it says of each study
/// what is not as that asks, and which targets its rules would take. Fails with different_patient if the studies are not of one patient, with no_series
/// if none has a series to measure.
Result<std::string> draft_case(const ingest::Scan& scan, const DraftParameters& parameters);

/// A case file without time points, and which studies it is for.
struct CaseTemplate {
    using Rule = std::map<std::string, std::string>;        ///< tag -> value, with * and ?; all of a rule hold
    std::string name;
    std::vector<Rule> rules;                                ///< one of them holds
    std::string text;                                       ///< what it says of a case
};
/// The templates of a folder (*.yaml, *.yml), by file name. Fails with case_file where one has no rule or states time points.
Result<std::vector<CaseTemplate>> read_templates(const std::filesystem::path& folder);
/// What a study states, by tag; several series may state several values, one of which must fit.
using TagValues = std::map<std::string, std::vector<std::string>>;
/// The first template of which a rule holds; null = none. The pointer is into `templates`.
const CaseTemplate* template_for(const std::vector<CaseTemplate>& templates, const TagValues& values);

struct ComposedCase {
    std::string text;                                       ///< of the case file
    std::vector<std::string> missing;                       ///< "T1 at 2020-01-31": lesions nobody pointed at; no numbers before that
};
/// The case file of a patient from all studies that are there (`scan`): what is `known` (its text, empty at first) stays; a new study
/// becomes a time point in the order of dates; marks become prompts of the lesion they name. Fails as draft_case does.
Result<ComposedCase> compose_case(const ingest::Scan& scan, const CaseTemplate& from, const std::string& known, const DraftParameters& parameters);

/// How far repeats of one measurement lie apart, by the size of the lesion: a site's own, as `qualify` writes it (docs/interfaces.md).
struct Repeatability {
    std::string name;                                       ///< of the set it was made from
    std::string kind;                                       ///< repeated-reads | repeated-prompts | test-retest
    struct SizeClass {
        double from = 0;                                    ///< of the quantity itself, in its unit
        std::optional<double> to;                           ///< empty = no end
        double sd_log = 0;                                  ///< within a lesion, of the natural logarithm
    };
    std::map<std::string, std::vector<SizeClass>> quantities;  ///< long_axis_mm, short_axis_mm, craniocaudal_mm, volume_ml
    std::string sha256;                                     ///< of the file
};
Result<Repeatability> read_repeatability(const std::filesystem::path& file);
/// "phantom reads (repeated-reads), SHA-256 ..."
std::string name_of(const Repeatability& repeatability);
/// What repeats measure on average lies there in 95 of 100; empty where no class holds that value.
std::optional<response::Interval> repeats_of(const Repeatability& repeatability, const std::string& quantity, double value);

/// What a site runs all its cases with, as a file that says which version of it this is. The case file and the command line count before it; a protocol's
/// rules alone count where there is one.
struct Settings {
    std::string name;
    int version = 0;                                        ///< rises with every change
    std::optional<segmentation::Method> method;
    std::map<std::string, std::string> policies;
    std::vector<Code> accepted;
    std::string uid_root;                                   ///< empty = the program's own
    std::string sha256;                                     ///< of the file
};
/// Fails with case_file, naming line, expected and found: an unknown key, policy, method or code, another version of the format.
Result<Settings> read_settings(const std::filesystem::path& file);
/// "site A version 3, SHA-256 ..."
std::string name_of(const Settings& settings);

struct RunParameters {
    std::optional<Settings> settings;                       ///< what they say stands in the other members already, but for the policies
    std::optional<Protocol> protocol;                       ///< beside one that the case file names
    std::optional<Repeatability> repeatability;             ///< instead of the intervals that are made here
    segmentation::Method method = segmentation::Method::fusion;
    int threads = 0;
    bool assume_no_new_lesions = false;
    bool overwrite = false;
    std::optional<double> available_memory_gb;              ///< what the machine has left; empty = not known, not checked
    std::vector<Code> accepted;
    std::map<std::string, std::string> policies;            ///< over those of the case file
    std::string uid_root = outputs::kUidRoot;               ///< of every UID that is made
    std::filesystem::path key_file;                         ///< of de-identification; empty = names and dates stay
    outputs::Dates dates = outputs::Dates::shift;           ///< of a de-identified case
    std::string command;                                    ///< for provenance
    std::string timestamp;                                  ///< ISO 8601, for provenance
    outputs::DrawSurfaces draw_surfaces;                    ///< for the report; empty = nobody asks for them
    int variants = segmentation::kVariants;                 ///< re-runs of each segmentation for its interval; 0 = no interval
};

/// What a dry run found: what would be done and what it needs. Headers alone are read: dates that are missing, shared or in the wrong order
/// and identities that contradict each other are refused here, before anything is segmented.
struct Plan {
    std::vector<std::string> steps;
    std::vector<Notice> notices;                            ///< of the case as a whole
    double memory_gb = 0;
    double disk_gb = 0;
    double free_disk_gb = 0;
};
Result<Plan> plan(const CaseFile& file, const std::filesystem::path& out, const RunParameters& parameters, const Progress& progress = {});

/// The whole chain: load, segment, measure, assess, write. Returns what was written.
Result<outputs::CaseResult> run_case(const CaseFile& file, const std::filesystem::path& out, const RunParameters& parameters,
                                     const Progress& progress = {});

struct ChosenSeries;

/// A case that is worked on: what `run` would make of it, kept lesion by lesion while a reader changes what the case file says.
/// No intervals are made, and nothing is written.
class OpenCase {
public:
    struct Lesion {
        outputs::LesionResult result;                       ///< without voxels
        std::shared_ptr<const Mask> mask;                   ///< on the CT grid; null = none
        std::shared_ptr<const Mask> unedited;               ///< where a reader changed it: as it was before, if that is known
    };
    struct Place {
        std::size_t timepoint = 0;
        std::size_t lesion = 0;                             ///< both as the case file counts
    };
    using Lesions = std::vector<std::vector<Lesion>>;       ///< by time point
    /// What a result holds of a lesion at a time point.
    struct Written {
        std::filesystem::path mask;                         ///< empty = none
        std::string carried_from;
        std::string reason;                                 ///< why not evaluable
    };
    using WrittenCase = std::map<std::pair<std::string, std::string>, Written>;   ///< by time point and lesion
    /// One time point, whole, while the others are still being read.
    struct Early {
        std::shared_ptr<const ingest::CtSeries> ct;
        std::optional<Date> date;
        std::vector<Lesion> lesions;                        ///< as they count
    };
    /// Which time point is read before the others, and who is told of it, in the thread that reads.
    struct ReadFirst {
        std::size_t timepoint;                              ///< one with a CT; no default, as a default argument below has to be made of it
        std::function<void(Early)> tell;                    ///< empty = all in their order
    };
    /// Of lesions that `written` has no mask of, prompts are followed; what was carried from a time point of `changed` is for the next run to find. The order
    /// of reading changes nothing of what is read; nobody is told early where something has changed, since that may take a mask from any time point.
    static Result<OpenCase> open(const CaseFile& file, const WrittenCase& written, const std::set<std::string>& changed, const RunParameters& parameters, const Progress& progress = {},
                                 const ReadFirst& first = {});

    const CaseFile& file() const { return file_; }
    bool synthetic() const { return synthetic_; }
    /// Null where the time point has none.
    const std::shared_ptr<const ingest::CtSeries>& ct(std::size_t timepoint) const { return cts_[timepoint]; }
    std::optional<Date> date(std::size_t timepoint) const { return timepoints_[timepoint].date; }
    /// As they count: lesions in one place are not evaluable, though their masks are there.
    const Lesions& lesions() const { return counting_; }
    /// The same with one changed; what was carried from its time point is not evaluable until a run has found it again.
    Lesions lesions_with(Place place, const Lesion& changed) const;

    /// What a run would make of the lesion if the case file said `said` of it; with a mask, what that mask measures.
    Result<Lesion> tried(Place place, const LesionAtTimepoint& said, const std::shared_ptr<const Mask>& mask = {}, const Progress& progress = {}) const;
    /// What a run would make of the lesion if its edits were these, on the mask it has without any; `edits.start` does not count. A mask
    /// that nobody pointed at is not to be edited.
    Result<Lesion> edited(Place place, segmentation::EditLog edits, const Progress& progress = {}) const;
    Result<response::Assessment> assessed(const Lesions& lesions) const;
    void take(Place place, const LesionAtTimepoint& said, Lesion changed);

private:
    OpenCase() = default;
    std::set<std::size_t> unsettle_carried(Lesions& lesions, std::size_t changed) const;
    /// Fills one time point: its CT, its masks and what they measure.
    Status read(std::size_t timepoint, const ChosenSeries& chosen, const WrittenCase& written, const Progress& progress);

    CaseFile file_;
    RunParameters parameters_;
    std::vector<Code> accepted_;
    bool synthetic_ = false;
    std::vector<outputs::TimepointResult> timepoints_;      ///< without lesions and voxels
    std::vector<std::shared_ptr<const ingest::CtSeries>> cts_;
    Lesions lesions_;                                       ///< each by itself
    Lesions counting_;                                      ///< the same as they count
};

/// What a reader now says of a lesion at a time point is written into the case file in place of prompt, mask and status; the rest of it stays,
/// but for comments. The file as it was is kept beside it as `<stem>.0001.yaml` and on; answers that name. Fails with case_file where the lesion or
/// time point is not in the file.
///
/// With a log, that becomes the lesion's `edits`, in a new file beside the case file.
Result<std::filesystem::path> change_case(const std::filesystem::path& case_file, const std::string& timepoint, const std::string& lesion, const LesionAtTimepoint& said,
                                          const std::optional<segmentation::EditLog>& edits = {});

/// A row of a table, CSV (RFC 4180) or JSON, by column.
struct TableRow {
    std::string place;                                      ///< "table.csv line 5"
    std::map<std::string, std::string> cells;
};
/// Reads a table whose columns are all of `known` and whose rows fill every one of `needed`; fails with table, naming line and column.
Result<std::vector<TableRow>> read_rows(const std::filesystem::path& file, const std::vector<std::string>& known, const std::vector<std::string>& needed);

/// Measurements in a table (the columns of docs/interfaces.md), by case.
struct TableFiles {
    std::filesystem::path table;       ///< CSV, or JSON by its ending
    std::filesystem::path treatments;  ///< empty = none
    std::filesystem::path events;
    std::string protocol;              ///< that the table is assessed under, as name_of() says it; empty = none
};
/// Fails with output_exists too where its column `protocol` and the one it is assessed under give one version two sets of rules.
Result<std::vector<response::Patient>> read_table(const TableFiles& files);

}  // namespace retromass::run

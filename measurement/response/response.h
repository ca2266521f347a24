#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/date.h"
#include "core/notice.h"
#include "core/result.h"
#include "core/units.h"

/// From measurements over time to response categories, each with its rule, inputs and reason (clinical.md 5-6,
/// response rules in docs/clinical.md). Standard library only; all comparisons on exact integers.
namespace retromass::response {

enum class Role { target, non_target, new_lesion };
enum class LesionStatus {
    measured, absent, too_small, not_evaluable, present, increased, unequivocal_progression, equivocal, merged, resected,
    normal_node,
};
enum class NewLesions { none, equivocal, unequivocal, not_assessed };
/// Of RECIST 1.1 and, with i, of iRECIST: iUPD is a progression not yet confirmed, iCPD a confirmed one.
enum class Category { cr, pr, sd, pd, ne, non_cr_non_pd, na, ned, none, nd, missing, icr, ipr, isd, iupd, icpd, non_icr_non_iupd };

std::string_view name(Role value);
std::string_view name(LesionStatus value);
std::string_view name(NewLesions value);
std::string_view name(Category value);  ///< CR, PR, SD, PD, NE, NON-CR/NON-PD, NA, NED, "", ND (not done), MISSING, iCR ...
std::optional<Category> category_named(std::string_view text);

/// Where a repeated measurement would land in 95 of 100 repeats (clinical.md 7.1).
struct Interval {
    double low = 0;
    double high = 0;
};

/// One with its origin.
struct OwnInterval {
    Interval ends;
    bool validated = true;               ///< as length_validated
    bool calibrated = false;             ///< as length_calibrated
};

/// What may have become of a lesion's identity, as the program guesses where it read it. Changes nothing.
struct Suggestion {
    std::string what;                    ///< split, merged, exchanged
    std::string text;                    ///< the figures it rests on, and what a reader writes to make it so
};

/// One lesion at one time point.
struct Observation {
    std::string lesion;
    LesionStatus status = LesionStatus::not_evaluable;
    std::optional<Length> long_axis;
    std::optional<Length> short_axis;
    std::optional<Length> craniocaudal;  ///< for the ellipsoid of growth pairs
    std::optional<double> volume_ml;
    std::optional<double> hu_mean;
    std::vector<Length> fragments;       ///< further parts of a split lesion, added
    std::string merged_into;
    std::optional<double> slice_mm;      ///< slice thickness for measurability
    std::optional<Interval> length_mm;   ///< of the axis that enters the sum; empty = not known
    std::optional<OwnInterval> volume_interval_ml;
    std::optional<OwnInterval> other_axis_mm;  ///< of the axis that does not enter the sum
    std::optional<OwnInterval> hu_interval;    ///< of hu_mean
    bool length_validated = true;        ///< false: the lesion is unlike every case that the interval was calibrated on
    bool length_calibrated = false;      ///< that interval counts segmentation, prompt, slices and acquisition; else what its reader says
    bool nodule = false;                 ///< a new or growing nodule inside the tumour (Choi)
    bool treated = false;
    bool cut = false;                    ///< by the edge of the scan: values are lower bounds
    std::vector<Suggestion> suggested;   ///< of its identity
    std::string organ;                   ///< as stated here; empty = as for the lesion
    std::string conflict;                ///< a contradiction found where this was read; the reader resolves it
    std::string source = "mask";         ///< mask | reader | reported
    std::string reason;                  ///< why not evaluable
};

struct Lesion {
    std::string id;
    Role role = Role::target;
    std::string site;
    std::string organ;
    bool nodal = false;
};

/// What bears on whether two studies can be compared. Empty = not stated.
struct StudyFacts {
    std::optional<double> slice_thickness_mm;
    std::optional<double> slice_spacing_mm;
    std::string kernel;
    std::string kernel_class;            ///< soft, sharp
    std::optional<double> kvp;
    std::string phase;                   ///< portal-venous, arterial, delayed, none
    std::string contrast;                ///< given, none
    std::string image_kind;              ///< attenuation, monoenergetic, virtual-non-contrast, material, perfusion
    std::optional<double> scanned_mm;    ///< along the patient
    std::optional<std::array<double, 2>> reach_mm;  ///< its foot and its head end along the patient, from the foot end of the patient's first scan, told by the bones
    std::optional<bool> lossy;
};

struct Timepoint {
    std::string id;
    std::optional<Date> date;
    std::optional<long> day;             ///< from a named day 0, where there are no dates
    std::string visit;
    std::optional<NewLesions> new_lesions;  ///< empty = not stated
    std::optional<bool> marker_normal;
    std::string modality = "CT";
    StudyFacts study;
    std::vector<Observation> observations;
    std::vector<Notice> notices;
};

struct Treatment {
    std::string kind;                    ///< systemic | radiotherapy | surgery | ablation | embolisation
    int line = 0;                        ///< opens this line if > 0
    std::optional<Date> start;
    std::optional<Date> end;
    std::vector<std::string> lesions;    ///< empty = all, for systemic
    bool immunotherapy = false;          ///< as stated: iRECIST applies to no other line
    std::string note;
};

struct Event {
    std::string kind;  ///< randomisation | new-anticancer-therapy | clinical-progression | death | last-contact | off-study
    Date date;
};

/// One patient. Time points in order of date (or day).
struct Patient {
    std::string id;
    std::vector<Lesion> lesions;
    std::vector<Timepoint> timepoints;
    std::vector<Treatment> treatments;
    std::vector<Event> events;
};

/// The settings of response_rules section 16. Values are kept as text; `policy_table()` says what each may be.
struct PolicyEntry {
    std::string_view name;
    std::string_view values;         ///< comma-separated, or "days", "count"
    std::string_view default_value;
    std::string_view meaning;
    std::string_view rule;
};
std::span<const PolicyEntry> policy_table();

/// A set of values for all of them; what is not set keeps its default.
class Policies {
public:
    Policies();  ///< all defaults
    /// Fails with Code::policy, naming the nearest known policy or the allowed values.
    Status set(std::string_view name, std::string_view value);
    const std::string& value(std::string_view name) const;
    long number(std::string_view name) const;
    const std::map<std::string, std::string, std::less<>>& all() const { return values_; }

private:
    std::map<std::string, std::string, std::less<>> values_;
};

/// Why a category was given.
struct Decision {
    std::string criterion;               ///< "recist-1.1"
    Category category = Category::ne;
    std::string rule;                    ///< e.g. "RECIST 1.1 4.3.1 partial response"
    std::vector<std::pair<std::string, std::string>> inputs;  ///< name, value with unit
    std::string reason;                  ///< one plain sentence
    std::vector<Notice> notices;
};

/// How often the category would be another one if the same scans were measured again in the same way (clinical.md 7.1).
/// Never changes the category.
struct Repeats {
    std::optional<Interval> change_pct;  ///< from the baseline, 95 of 100 repeats
    std::vector<std::pair<Category, double>> share;  ///< of each category, most frequent first; empty = not known
    std::optional<double> differs;       ///< share of the repeats whose category is another
    std::string text;                    ///< the sentence; or why nothing can be said
};

/// RECIST 1.1 at one time point within one period.
struct RecistTimepoint {
    std::string timepoint;
    std::optional<Date> date;
    std::optional<long> day;             ///< since the baseline of the period
    int line = 0;                        ///< treatment line; 0 = observation
    std::string period;                  ///< "observation after surgery 2013-02-05", "line 1"
    bool is_baseline = false;
    std::optional<Length> sum;           ///< empty = incomplete
    std::optional<Length> partial_sum;   ///< of what was measured, where incomplete
    std::optional<Length> baseline_sum;
    std::optional<Length> nadir_sum;
    std::string baseline_timepoint;
    std::string nadir_timepoint;
    std::optional<double> change_from_baseline_pct;  ///< for display
    std::optional<double> change_from_nadir_pct;
    std::optional<bool> confirmed;       ///< of a CR or PR
    Category target = Category::na;
    Category non_target = Category::na;
    std::optional<NewLesions> new_lesions;
    Decision overall;
    Repeats repeats;
};

/// Two studies compared, for growth arithmetic.
struct GrowthPair {
    std::string lesion;
    std::string from;
    std::string to;
    std::string basis;                   ///< "volume" (measured) or "ellipsoid" (pi/6 of the three axes)
    double days = 0;
    double fold = 0;
    std::optional<double> doubling_time_days;  ///< negative = halving time; empty = unchanged
    std::vector<Notice> notices;
    double specific_growth_rate_pct_day = 0;
};

/// A fitted rate (1/day) or share with its 95 % interval; empty where no point is left to judge the scatter.
struct FittedRate {
    double value = 0;
    std::optional<Interval> interval;
};

/// Growth of the sum of diameters within one period.
struct SumKinetics {
    int line = 0;
    std::string period;
    struct Step {
        std::string from;
        std::string to;
        double days = 0;
        double growth_rate_pct_month = 0;  ///< tumour growth rate of Ferte 2014: of the volume of a sphere of that diameter
    };
    std::vector<Step> steps;             ///< between consecutive complete sums
    int points = 0;
    std::string model;                   ///< gd, gx, dx, gdphi; empty = none fits
    std::optional<FittedRate> growth_per_day;
    std::optional<FittedRate> regression_per_day;
    std::optional<FittedRate> regressing_share;
    std::optional<double> smallest_on_day;  ///< of gd, from the baseline
    std::string text;                    ///< one sentence
};

struct LineSummary {
    int line = 0;
    std::string period;
    std::string baseline_timepoint;
    Decision best_overall_response;
    std::optional<Date> best_response_date;
    std::optional<bool> confirmed;
    // duration of response, from the first CR or PR (of the confirmed pair) to progression or death; empty = no responder
    std::optional<long> response_days;
    bool response_ended = false;
    // progression-free survival, from the start of the line
    std::optional<Date> pfs_start;
    std::optional<Date> pfs_end;
    std::optional<long> pfs_days;
    std::optional<double> pfs_months;
    bool pfs_event = false;
    std::string pfs_text;                ///< "more than 17.3 months, censored at last contact 2014-09-01"
    // time to progression: deaths are censored
    std::optional<Date> ttp_end;
    std::optional<long> ttp_days;
    bool ttp_event = false;
    std::optional<long> complete_response_days;  ///< from the first CR, where there was one
    std::optional<long> stable_days;     ///< from the start, where the best response is SD
    std::vector<Notice> notices;
};

/// A criterion beside RECIST 1.1 at one time point.
struct CriterionTimepoint {
    std::string timepoint;
    std::optional<Date> date;
    std::optional<long> day;             ///< since the baseline of the period
    bool is_baseline = false;
    std::optional<double> value;         ///< in the criterion's unit, at the recorded precision; empty = incomplete
    std::optional<double> baseline;
    std::optional<double> nadir;
    std::string nadir_timepoint;
    std::optional<double> change_from_baseline_pct;  ///< for display
    std::optional<double> change_from_nadir_pct;
    std::optional<bool> confirmed;       ///< of a CR or PR
    Category target = Category::na;
    bool by_density = false;             ///< Choi: its mean HU can be compared with the baseline's
    Decision decision;
    Repeats repeats;                     ///< of the primary criterion
};

/// A criterion beside RECIST 1.1 over one period.
struct CriterionPeriod {
    std::string criterion;               ///< irecist, choi, modified-choi, who, volume
    int line = 0;
    std::string period;
    std::string quantity;                ///< "sum of diameters", "sum of products", "sum of volumes"
    std::string unit;                    ///< mm, mm2, ml
    std::string not_applicable;          ///< why; empty = applicable
    std::vector<CriterionTimepoint> timepoints;
    LineSummary summary;
};

/// Where another criterion disagrees with the primary one.
struct Disagreement {
    std::string timepoint;
    int line = 0;
    std::string period;
    std::string primary;
    Category primary_category = Category::none;
    std::string other;
    Category other_category = Category::none;
    std::string reason;                  ///< one sentence
};

/// One difference between two studies.
struct StudyDifference {
    std::string what;                    ///< "slice thickness", "kernel", ...
    std::string before;
    std::string now;
    std::string of_size;                 ///< what it does to sizes: named, widens, not-comparable
    std::string of_density;
    std::string text;
};
/// Whether two studies can be compared.
struct Comparison {
    std::string from;
    std::string to;
    std::string size;                    ///< comparable, widened, not-comparable: the worst of its differences
    std::string density;
    std::vector<StudyDifference> differences;
    std::vector<std::string> not_stated; ///< what neither header nor case file says of one of the two
};

/// What became of a lesion's identity: stated by a reader, or suggested by the program.
struct IdentityNote {
    std::string lesion;
    std::string timepoint;
    std::string what;                    ///< vanished, reappeared, split, merged, exchanged, resected, new, conflict
    bool suggested = false;              ///< the program's guess, which changes nothing
    std::string text;
};

struct Assessment {
    std::string patient;
    std::string protocol;                    ///< name, version and hash of the trial's rules; empty = under none
    std::string primary = "recist-1.1";
    std::vector<RecistTimepoint> recist;     ///< by period, then time
    std::vector<LineSummary> lines;
    std::vector<GrowthPair> growth;
    std::vector<SumKinetics> kinetics;
    std::vector<CriterionPeriod> criteria;   ///< by criterion, then period
    std::vector<Disagreement> disagreements;
    std::vector<Comparison> comparisons;     ///< of each follow-up with its baseline and its nadir
    std::vector<IdentityNote> identity;
    std::vector<Notice> notices;
    std::map<std::string, std::string, std::less<>> policies;  ///< the set used
};

/// Which criteria are wanted. RECIST 1.1 is always evaluated; one is primary, the others are exploratory.
struct Criteria {
    std::string primary = "recist-1.1";
    std::vector<std::string> others{"irecist", "choi", "modified-choi", "who", "volume"};
};
/// All there are, RECIST 1.1 first.
std::span<const std::string_view> criterion_names();
/// "RECIST 1.1" for recist-1.1.
std::string_view criterion_title(std::string_view name);

/// A lesion as it was measured before a line of treatment, for the choice of targets.
struct BaselineLesion {
    std::string id;
    std::string organ;                   ///< empty = not stated; then it is nobody else's
    bool nodal = false;
    Length size;                         ///< long axis; short axis of a node
    std::optional<double> slice_mm;
    std::string modality = "CT";
    bool treated_locally = false;        ///< before: a target only where growth since is shown
};
struct TargetProposal {
    std::vector<std::string> targets;    ///< in the order given
    std::vector<std::string> measurable; ///< all that could be one: where the reader chooses, nothing else binds
    std::vector<std::pair<std::string, std::string>> others;  ///< lesion, why it is none
};
/// Rules 1 and 2: measurable, at most five, two an organ, the largest of each organ first. A proposal: the reader chooses.
TargetProposal propose_targets(std::span<const BaselineLesion> lesions, const Policies& policies = {});

/// How likely the primary criterion's last category is to flip; RECIST 1.1's where the primary one does not apply. Null where there is no time point.
const Repeats* repeats_now(const Assessment& assessment);

/// Fails with policy for a criterion that is not known, naming all there are.
Status check(const Criteria& criteria);

/// Whether the time points can be put in order (clinical.md 6.1). Fails with date_missing, date_order or date_shared.
Status check_dates(const Patient& patient);
/// Evaluates a patient. Fails with date_missing, date_order or date_shared (clinical.md 6.1), and with policy for a criterion it does
/// not know.
Result<Assessment> assess(const Patient& patient, const Policies& policies = {}, const Criteria& criteria = {});

}  // namespace retromass::response

#pragma once

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
    bool treated = false;
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

struct Timepoint {
    std::string id;
    std::optional<Date> date;
    std::optional<long> day;             ///< from a named day 0, where there are no dates
    std::string visit;
    std::optional<NewLesions> new_lesions;  ///< empty = not stated
    std::optional<bool> marker_normal;
    std::string modality = "CT";
    std::vector<Observation> observations;
    std::vector<Notice> notices;
};

struct Treatment {
    std::string kind;                    ///< systemic | radiotherapy | surgery | ablation | embolisation
    int line = 0;                        ///< opens this line if > 0
    std::optional<Date> start;
    std::optional<Date> end;
    std::vector<std::string> lesions;    ///< empty = all, for systemic
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

/// RECIST 1.1 at one time point within one period.
struct RecistTimepoint {
    std::string timepoint;
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
    std::vector<Notice> notices;
};

struct Assessment {
    std::string patient;
    std::vector<RecistTimepoint> recist;     ///< by period, then time
    std::vector<LineSummary> lines;
    std::vector<GrowthPair> growth;
    std::vector<Notice> notices;
    std::map<std::string, std::string, std::less<>> policies;  ///< the set used
};

/// Evaluates a patient. Fails with date_missing, date_order or date_shared (clinical.md 6.1).
Result<Assessment> assess(const Patient& patient, const Policies& policies = {});

}  // namespace retromass::response

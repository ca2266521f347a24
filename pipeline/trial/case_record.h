#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/units.h"
#include "pipeline/run/run.h"

/// A finished case as its folder tells it: what `run` wrote into case.json, as far as a trial asks for it.
namespace retromass::trial {

struct LesionRecord {
    std::string id;
    std::string status;
    std::string reason;
    std::string tracking_uid;
    std::string merged_into;
    std::vector<std::string> split_into;
    bool cut = false;                          ///< by the edge of the scan: its quantities are lower bounds
    std::optional<Length> counted;             ///< the length that enters a sum
    std::map<std::string, double> quantities;  ///< measured on the mask: long_axis_mm, short_axis_mm, craniocaudal_mm, volume_ml
};
struct TimepointRecord {
    std::string id;
    std::string visit;
    std::string date;                          ///< ISO 8601; empty = none
    std::string reader;
    std::string study_uid;
    std::string series_uid;
    std::vector<LesionRecord> lesions;

    const LesionRecord* lesion(const std::string& id) const;
};
struct ListedLesion {
    std::string id;
    std::string role;
    std::string site;
    std::string organ;
    bool nodal = false;
};
/// A row of the response by RECIST 1.1, or of the primary criterion.
struct ResponseRecord {
    std::string timepoint;
    int line = 0;
    std::string period;
    bool is_baseline = false;
    std::optional<Length> sum;
    std::optional<Length> nadir;
    std::optional<double> from_baseline_pct;
    std::optional<double> from_nadir_pct;
    std::string target;
    std::string non_target;
    std::string new_lesions;                   ///< empty = not stated
    std::string overall;
    std::string reason;
};
struct PeriodRecord {
    int line = 0;
    std::string period;
    std::string best;
    std::string best_date;
};
struct CaseRecord {
    std::filesystem::path folder;
    std::string case_id;
    bool synthetic = false;
    std::string primary;
    std::string protocol;                      ///< name, version and hash; empty = under none
    std::map<std::string, std::string> settings;
    std::map<std::string, std::string> policies;
    std::vector<ListedLesion> lesions;
    std::vector<TimepointRecord> timepoints;
    std::vector<ResponseRecord> recist;
    std::vector<ResponseRecord> leading;       ///< of the primary criterion: period, time point and category
    std::vector<PeriodRecord> periods;

    const TimepointRecord* timepoint(const std::string& id) const;
    const ListedLesion* lesion(const std::string& id) const;
};

/// Fails with io where the folder holds no case.json, and with table where that is not what `run` writes.
Result<CaseRecord> read_case_record(const std::filesystem::path& folder);
/// The cases of a result folder, or of every folder directly in it; by case. Fails where there is none, or one case twice.
Result<std::map<std::string, CaseRecord>> read_case_records(const std::vector<std::filesystem::path>& folders);

/// Whether each version of a protocol is one set of rules in all of them, and in the one that is given. Fails with output_exists, naming where.
Status one_set_of_rules(const std::vector<const std::map<std::string, CaseRecord>*>& cases, const std::optional<run::Protocol>& given = {});

}  // namespace retromass::trial

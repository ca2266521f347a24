#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/date.h"
#include "core/result.h"
#include "pipeline/ingest/ingest.h"
#include "pipeline/run/run.h"

/// What a trial does with many patients and several readers, beside measuring one (docs/stages/trial.md).
namespace retromass::trial {

// ------------------------------------------------------------------------------------------------ qc
/// Pass, or what has to be asked. What could not be judged has not passed.
enum class Verdict { pass, query, not_checked };
std::string_view name(Verdict verdict);

/// One thing that the protocol asks of a study, and what was found. `text` is a sentence that can be sent to a site as it is:
/// no name, no path, nothing free that somebody typed into a header.
struct Check {
    std::string what;
    Verdict verdict = Verdict::pass;
    std::string expected;
    std::string found;                     ///< empty = not stated
    std::string text;
};
/// A study, by the series that would be measured: the first of the ranking.
struct StudyQc {
    std::string study_instance_uid;
    std::string series_instance_uid;       ///< empty = none can be measured
    std::optional<Date> date;
    std::optional<long> day;               ///< from the start of treatment
    std::string visit;                     ///< whose window the day lies in
    std::vector<Check> checks;
};
struct Qc {
    std::vector<StudyQc> studies;          ///< by date
    std::vector<Check> patient;            ///< of the studies together
    std::size_t queries = 0;
    std::size_t not_checked = 0;
};
struct QcParameters {
    std::optional<Date> start;             ///< of treatment: day 0 of the visit windows
};
/// Checks one patient's studies against a protocol. Fails with no_series where the scan holds no CT at all.
Result<Qc> check_studies(const ingest::Scan& scan, const run::Protocol& protocol, const QcParameters& parameters = {});

// ------------------------------------------------------------------------------------------------ SDTM
struct SdtmParameters {
    std::string study;                     ///< STUDYID; empty = the protocol that each case was made under
    std::optional<run::Protocol> protocol; ///< evaluator and numbers of visits, where the results do not know them
    std::optional<int> line;               ///< of treatment; empty = the only one
};
struct SdtmFiles {
    std::map<std::string, std::string> files;  ///< text by name: tu.csv, tr.csv, rs.csv, missing.csv
    std::size_t missing = 0;                   ///< variables that are empty because nobody stated them, each named in missing.csv
};
/// The CDISC SDTM domains TU, TR and RS of finished cases. Fails with usage where a case's study or treatment line is not clear.
Result<SdtmFiles> sdtm_tables(const std::vector<std::filesystem::path>& results, const SdtmParameters& parameters = {});

}  // namespace retromass::trial

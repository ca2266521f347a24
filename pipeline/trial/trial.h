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
#include "pipeline/trial/agreement.h"

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
    std::map<std::string, std::string> files;  ///< text by name: tu.csv, tr.csv, rs.csv, missing.csv; under a protocol supptu.csv, supptr.csv and supprs.csv, which name it
    std::size_t missing = 0;                   ///< variables that are empty because nobody stated them, each named in missing.csv
    std::size_t left_out = 0;                  ///< cases without a valid baseline: named there too, and without rows
};
/// The CDISC SDTM domains TU, TR and RS of finished cases. Fails with usage where a case's study or treatment line is not clear, and with output_exists
/// where one version of a protocol stands for two sets of rules.
Result<SdtmFiles> sdtm_tables(const std::vector<std::filesystem::path>& results, const SdtmParameters& parameters = {});

// ------------------------------------------------------------------------------------------------ compare
/// A lesion that both readers have, at one time point, by the overlap of their masks.
struct LesionPair {
    std::string case_id;
    std::string timepoint_a;
    std::string timepoint_b;
    std::string lesion_a;
    std::string lesion_b;
    std::string role_a;
    std::string role_b;
    bool same_series = true;
    double dice = 0;
    std::map<std::string, std::pair<double, double>> quantities;  ///< by name: of A, of B
};
/// A lesion of one reader that none of the other's overlaps enough.
struct Unpaired {
    std::string case_id;
    char reader = 'A';
    std::string lesion;
    std::string role;
    std::string why;
};
/// Where the readers' categories differ: a row of the adjudication list.
struct Discordance {
    std::string case_id;
    std::string timepoint_a;                        ///< empty = best overall response
    std::string timepoint_b;
    std::string date;
    std::string period;
    std::string category_a;
    std::string category_b;
    std::vector<std::string> reasons;               ///< rules, selection, measurement, new-lesion, non-target, not-evaluable, history
    std::string text;
};
struct Agreement {
    std::string quantity;                           ///< long_axis_mm, long_axis_ratio, volume_ml, volume_ratio, sum_mm
    BlandAltman differences;                        ///< B - A; of a ratio B / A, from logarithms
};
struct ReaderComparison {
    std::size_t cases = 0;
    std::vector<LesionPair> pairs;
    std::vector<Unpaired> unpaired;
    std::vector<Agreement> agreement;
    std::vector<std::pair<std::string, std::string>> categories;  ///< of A, of B: the primary criterion at every time point after a baseline
    std::optional<Kappa> kappa;
    std::vector<Discordance> discordances;
    std::vector<std::string> not_compared;          ///< cases and time points of one reader only, and why
    std::map<std::string, std::string> protocols;   ///< by case: that of A, and that of B where it is another; empty = under none
};
/// Compares two readers' results: each a result folder, or a folder of them, matched by case. Fails where no case is in both, and with
/// output_exists where one version of a protocol stands for two sets of rules.
Result<ReaderComparison> compare_readers(const std::filesystem::path& a, const std::filesystem::path& b);
/// pairs.csv, unpaired.csv, agreement.csv and adjudication.csv.
std::map<std::string, std::string> comparison_tables(const ReaderComparison& comparison);

// ------------------------------------------------------------------------------------------------ qualify
struct QualifyParameters {
    std::string name;                               ///< of the set, e.g. "phantom reads 2026"
    std::string kind = "repeated-reads";            ///< repeated-reads | repeated-prompts | test-retest
    std::vector<double> limits_mm{20, 50, 100};     ///< between the size classes; of volumes those of balls of these diameters
};
struct Qualification {
    std::string json;                               ///< the file that `run --repeatability` takes
    std::vector<std::vector<std::string>> rows;     ///< quantity, class, lesions, degrees of freedom, repeatability coefficient in percent, its interval
    std::vector<std::string> left_out;              ///< classes with too few repeats
};
/// Repeatability by size class from repeats of the same lesions: one table (lesion, repeat, sizes), or result folders that measured the same
/// cases. Spreads are of logarithms, for errors grow with size. Fails with table where no class holds enough repeats.
Result<Qualification> qualify(const std::vector<std::filesystem::path>& from, const QualifyParameters& parameters);

}  // namespace retromass::trial

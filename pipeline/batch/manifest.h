#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "pipeline/ingest/ingest.h"

namespace retromass::batch {

/// A row of a manifest: what the archive does not say of a study.
struct ManifestRow {
    std::string place;            ///< "manifest.csv line 5"
    std::string study_uid;        ///< of the study it is about, or
    std::string folder;           ///< the folder its images lie in, relative to the manifest
    std::string study;            ///< STUDYID
    std::string subject;          ///< USUBJID: becomes the case's id
    std::string visit;
    std::string day;              ///< nominal
    std::string site;
    std::string reader;
};

/// Reads `study_uid,folder,studyid,usubjid,visit,day,site,reader`; every row names a study by one of the first two. Fails with table, naming the
/// line: unknown column, no study, two rows of one study, a subject that cannot be a folder's name.
Result<std::vector<ManifestRow>> read_manifest(const std::filesystem::path& file);

/// Finds the study of each row that names a folder, of the series at any depth below it. A folder of several studies, of one patient or of many, names
/// none of them: the row keeps no study. Cost: a look-up for each folder above each series, however many rows there are.
void find_studies(std::vector<ManifestRow>& rows, const ingest::Scan& scan);

/// The rows of a manifest that no study has taken yet.
class OpenRows {
public:
    explicit OpenRows(std::vector<ManifestRow> rows);
    /// Takes the first open row of the study; empty where it has none.
    std::optional<ManifestRow> take(const std::string& study_uid);
    /// Those that are left, in the order of the manifest.
    std::vector<ManifestRow> left() const;

private:
    std::vector<ManifestRow> rows_;
    std::multimap<std::string, std::size_t> open_;  ///< places in `rows_`, by study UID; "" = of no study
};

}  // namespace retromass::batch

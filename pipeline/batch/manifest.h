#pragma once

#include <filesystem>
#include <map>
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

}  // namespace retromass::batch

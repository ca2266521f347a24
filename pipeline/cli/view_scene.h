#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "measurement/response/response.h"
#include "pipeline/run/run.h"
#include "viewer/view.h"

/// What the viewer shows of a result: its files, log and case in the viewer's words.
namespace retromass::cli {

/// Discarded where the file is no JSON.
nlohmann::json json_in(const std::filesystem::path& file);

/// What the audit log says of the lesions since the case was last written.
struct Log {
    using Place = std::pair<std::string, std::string>;                  ///< time point, lesion
    std::map<Place, std::pair<std::string, std::string>> reviews;       ///< state and reader, of the mask that is there now
    std::set<Place> changed;                                            ///< in the case file, not yet in the result
};
Log log_of(const std::filesystem::path& folder);

/// What a result holds of its lesions. Masks that the case file has gone beyond are left out; of uneven series there is no NIfTI: then the prompt is followed again.
run::OpenCase::WrittenCase written_in(const std::filesystem::path& folder, const run::CaseFile& file, const Log& log);
/// Who signed which time point's report.
std::map<std::string, std::string> signatures_in(const std::filesystem::path& folder);
std::string words_of(const std::string& reader, const std::string& role, const std::string& time);

viewer::LesionView shown(const run::OpenCase::Lesion& lesion);
/// What the primary criterion says at every time point; of a time point in two periods the one it ends.
std::vector<std::string> responses_of(const run::CaseFile& file, const response::Assessment& assessment);

Result<viewer::Scene> scene_of(const run::OpenCase& open, const Log& log, std::map<std::string, std::string> signatures);
/// What can be shown while all but one time point are still being read: that one, and nothing that rests on the others.
Result<viewer::Scene> early_scene(const run::CaseFile& file, std::size_t first, const run::OpenCase::Early& early, const Log& log, std::map<std::string, std::string> signatures);

}  // namespace retromass::cli

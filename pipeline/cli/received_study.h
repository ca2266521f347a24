#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "pipeline/pacs/pacs.h"
#include "pipeline/run/run.h"

/// What a storage node does with a complete study: finds its template, adds it to the patient's case, runs the case, returns results.
namespace retromass::cli {

enum class Return { none, reviewed, all };

struct ReceivedStudyOptions {
    std::filesystem::path out;
    std::vector<run::CaseTemplate> templates;
    std::optional<pacs::Profile> count_at;   ///< peer that says how many objects a study has
    std::optional<pacs::Profile> send_to;
    Return send = Return::reviewed;
    bool allow_synthetic = false;
    int threads = 0;
};

/// Makes OUT and what tells its patients apart. Fails with io where it cannot be written.
Status prepare_cases(const std::filesystem::path& out);

/// OUT/P-<key>/<template>/: case.yaml, ct/ with links to the studies, results/NNNN as `run` writes them, run.log.
pacs::Outcome take_study(const pacs::ReceivedStudy& study, const ReceivedStudyOptions& options);

/// Returns the results that readers accepted since; answers a line for the log, empty where there was none.
std::string return_reviewed(const ReceivedStudyOptions& options);

}  // namespace retromass::cli

#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/result.h"

namespace retromass::outputs {

/// Who signed which time point's report: `{reader, role, time, reason, report, sop_instance_uid, sha256, replaces: {file, sha256}}` by time point, as in case.json.
using Signatures = std::map<std::string, nlohmann::ordered_json>;
Signatures signatures_in(const std::filesystem::path& folder);

/// Signatures that no longer hold, in words, by time point.
using Voided = std::map<std::string, std::string>;
/// Writes them into case.json and report.html of a folder.
Status put_signatures(const std::filesystem::path& folder, const Signatures& signatures, const Voided& voided = {});

/// The files of a case folder with their SHA-256, as provenance.json lists them.
Result<nlohmann::ordered_json> outputs_listed(const std::filesystem::path& folder);

}  // namespace retromass::outputs

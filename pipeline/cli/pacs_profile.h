#pragma once

#include <string>

#include "core/result.h"
#include "pipeline/pacs/pacs.h"

namespace retromass::cli {

/// The profile of that name in the file, else in pacs.yaml of the user's configuration folder; an empty name takes the only one.
Result<pacs::Profile> pacs_profile(const std::string& config, const std::string& name);

}  // namespace retromass::cli

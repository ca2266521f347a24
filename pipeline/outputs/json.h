#pragma once

#include <string>

#include "pipeline/outputs/outputs.h"

namespace retromass::outputs {

/// The whole case as the stable JSON of docs/interfaces.md.
std::string case_json(const CaseResult& result);

}  // namespace retromass::outputs

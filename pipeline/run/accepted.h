#pragma once

#include <vector>

#include "pipeline/run/run.h"

namespace retromass::run {

/// The codes that the case file and the command line accept together.
inline std::vector<Code> accepted_of(const CaseFile& file, const RunParameters& parameters)
{
    auto accepted = file.accepted;
    accepted.insert(accepted.end(), parameters.accepted.begin(), parameters.accepted.end());
    return accepted;
}

}  // namespace retromass::run

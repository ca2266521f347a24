#pragma once

#include "pipeline/run/run.h"

/// How a case comes under a protocol, and what a result that was made under one allows afterwards.
namespace retromass::run {

/// Sets every rule of the protocol in the case. Fails with policy where the case states rules itself, names another protocol, or a
/// time point's reader is not one of the protocol's.
Status take_protocol(CaseFile& file, const Protocol& protocol);
/// The case as it is run: under the protocol it or the parameters name, if any, and only where `result` is not locked to another.
Result<CaseFile> under_protocol(CaseFile file, const std::filesystem::path& result, const RunParameters& parameters);
inline constexpr const char* kProtocolRules = "protocol rules";  ///< the setting that lists them
/// For settings of the result: name, hash, and the rules in force, defaults spelled out.
std::vector<std::pair<std::string, std::string>> settings_of(const Protocol& protocol);

}  // namespace retromass::run

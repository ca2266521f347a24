#pragma once

#include <map>
#include <string>

#include "pipeline/run/keys.h"
#include "pipeline/run/run.h"

/// The parts of a protocol file that say what a study has to be: acquisition and visits.
namespace retromass::run {

/// One of the words, else a fault that names the nearest.
std::string word_of(const YAML::Node& node, const std::vector<std::string>& known);
Acquisition acquisition_of(const YAML::Node& node);
std::vector<Visit> visits_of(const YAML::Node& node);
/// Which series is measured, as words in the order of their weight.
std::vector<std::string> series_rule_of(const YAML::Node& node);
/// Adds them to the rules of the protocol's hash. What is not stated adds nothing.
void add_rules(const Protocol& protocol, std::map<std::string, std::string>& rules);
/// Each limit of its acquisition that is not kept, or cannot be told, with the value (`outside-protocol`).
std::vector<Notice> outside_limits(const Protocol& protocol, const ScannedAs& found);
/// Under a protocol each time point is named by the visit whose window its day lies in, unless the case file names it; and what of it is
/// not as the protocol asks, or cannot be told, stands beside it (`outside-protocol`): its acquisition, and the window of its visit.
void note_outside(outputs::CaseResult& result, const CaseFile& file);

}  // namespace retromass::run

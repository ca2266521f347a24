#pragma once

#include <set>
#include <string>
#include <vector>

#include "pipeline/run/run.h"

namespace retromass::run {

/// A mark that may be the prompt of a lesion at a time point.
struct MarkedPrompt {
    std::string file;                     ///< as the case file names it
    std::string mark;
    std::string yaml() const;             ///< {marks: ..., mark: ...}
    friend bool operator==(const MarkedPrompt&, const MarkedPrompt&) = default;
};
/// Marks of one lesion at one time point that say different things: none is taken, a reader has to choose.
struct Dispute {
    std::size_t lesion = 0;               ///< of the draft, by its place there
    std::string timepoint;
    std::vector<MarkedPrompt> marks;
};
struct Draft {
    std::string text;                     ///< of the case file
    std::vector<Dispute> disputes;        ///< in `text` as comments
    std::set<std::string> replaced;       ///< files of marks that another file here says it replaces
};
Result<Draft> draft_of(const ingest::Scan& scan, const DraftParameters& parameters);

/// A text of the case file in double quotes.
std::string quoted(const std::string& text);

}  // namespace retromass::run

#pragma once

#include <string_view>
#include <vector>

#include "core/result.h"
#include "pipeline/pacs/query.h"

namespace retromass::pacs {

/// Answers of QIDO-RS, an array of objects by tag (PS3.18 F.2). What is no text or number is passed over.
Result<std::vector<Attributes>> attributes_of_json(std::string_view text);

/// What a STOW-RS answer says of the objects it holds: the failure reasons (0008,1197) and warning reasons (0008,1196) as DIMSE statuses.
struct StowAnswer {
    std::size_t stored = 0;
    std::vector<int> failures;
    std::vector<int> warnings;
};
Result<StowAnswer> stow_answer_of_json(std::string_view text);

}  // namespace retromass::pacs

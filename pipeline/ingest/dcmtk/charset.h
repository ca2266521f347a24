#pragma once

#include <string>
#include <string_view>

namespace retromass::ingest {

/// Text of a data set whose Specific Character Set is `character_set`, as UTF-8. What cannot be converted becomes '?'.
std::string to_utf8(std::string_view text, std::string_view character_set);

}  // namespace retromass::ingest

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace retromass {

/// The known word with the smallest edit distance to what was written; the first of equals.
std::string nearest(std::string_view written, const std::vector<std::string>& known);

}  // namespace retromass

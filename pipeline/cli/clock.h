#pragma once

#include <string>

namespace retromass::cli {

/// Now, ISO 8601 in UTC to the second: the declared timestamp of a run. SOURCE_DATE_EPOCH, where set, stands for now, so
/// that a whole run can be repeated byte for byte.
std::string timestamp_now();

}  // namespace retromass::cli

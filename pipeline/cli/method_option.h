#pragma once

#include <string>

#include "core/result.h"
#include "segmentation/segment.h"

namespace retromass::cli {

/// The row of the method table with this name; fails with usage, listing the known ones.
Result<segmentation::Method> method_named(const std::string& name);

}  // namespace retromass::cli

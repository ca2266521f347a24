#pragma once

#include <string>

#include "pipeline/batch/table.h"

namespace retromass::batch {

/// Change from the baseline over the days since, a line for each period, by the primary criterion. `response` is the table of outputs.
std::string spider_plot(const TextTable& response);
/// A bar for each period from its baseline to its last time point, longest first, with a letter where response and progression were first seen.
std::string swimmer_plot(const TextTable& response);

}  // namespace retromass::batch

#pragma once

#include <filesystem>
#include <vector>

#include "core/result.h"
#include "pipeline/batch/table.h"

namespace retromass::batch {

/// Writes the tables into a new SQLite file, every column as text, under a temporary name that is renamed at the end.
Status write_store(const std::filesystem::path& file, const std::vector<TextTable>& tables);

}  // namespace retromass::batch

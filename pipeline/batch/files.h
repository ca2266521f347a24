#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/result.h"

namespace retromass::batch {

/// The whole of a file; empty where it cannot be read.
std::optional<std::string> text_of(const std::filesystem::path& file);

/// Writes under a temporary name, brings it to the disk and renames: a reader sees the old text or the new one. Fails with disk_space or io.
Status write_text(const std::filesystem::path& file, const std::string& text);

/// Appends a line in one write: of several programs of one host none comes between. Fails with disk_space or io.
Status append_line(const std::filesystem::path& file, const std::string& line);

/// Removes what `write_text` left in a folder where it was killed: of a process that is no more, and an hour old, for on another host it may be.
void remove_unfinished(const std::filesystem::path& folder);

/// A cell of a CSV table, quoted where RFC 4180 asks for it; one that a spreadsheet would take for a formula gets a leading apostrophe.
std::string csv_cell(const std::string& text);

}  // namespace retromass::batch

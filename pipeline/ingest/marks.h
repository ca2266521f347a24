#pragma once

#include "pipeline/ingest/ingest.h"

namespace retromass::ingest {

/// A line with the name its source gives it; empty = none.
struct NamedLine {
    MarkedLine line;
    std::string name;
    std::string tracking_uid = {};
};
/// Makes marks of lines that say nothing of what they are. Lines of one name and image, or unnamed lines of one image, belong together where
/// they cross: two that cross nearly at right angles are long and short axis, one that crosses no other stands alone. Anything else is
/// listed with the reason and gives no prompt.
std::vector<Mark> marks_of(const std::vector<NamedLine>& lines);

Result<Marks> read_dicom_marks(const std::filesystem::path& file);
Result<Marks> read_lines_table(const std::filesystem::path& file);

}  // namespace retromass::ingest

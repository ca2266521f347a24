#pragma once

#include <filesystem>
#include <string>

#include "pipeline/ingest/ingest.h"

namespace retromass::test {

/// Writes a volume as one CT Image Storage file a slice and describes it as ingest would have read it.
ingest::CtSeries write_ct(const std::filesystem::path& folder, CtVolume volume, const std::string& seed, const std::string& date);

/// Attributes of a written object, as text; "" where absent.
std::string attribute_of(const std::filesystem::path& file, unsigned group, unsigned element);
/// How many items the sequence at top level holds.
int items_of(const std::filesystem::path& file, unsigned group, unsigned element);

}  // namespace retromass::test

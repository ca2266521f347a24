#pragma once

#include <filesystem>
#include <string>

#include "core/result.h"

namespace retromass::pacs {

/// What a DICOM file says it is.
struct ObjectHeader {
    std::string sop_class_uid;
    std::string sop_instance_uid;
    std::string study_instance_uid;
    std::string series_instance_uid;
    std::string transfer_syntax;
    bool synthetic = false;  ///< Quality Control Image (0028,0300) or Subject (0010,0200) YES
};

/// Reads no further than needed. Fails with not-dicom, io, or malformed where an identifier is missing or is none.
Result<ObjectHeader> read_object_header(const std::filesystem::path& file);

}  // namespace retromass::pacs

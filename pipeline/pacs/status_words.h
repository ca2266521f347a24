#pragma once

#include <cstdint>
#include <string>

namespace retromass::pacs {

/// A DIMSE status as a person reads it: "success", "refused: out of resources (0xA700)" (PS3.7 C, PS3.4 B.2.3 and C.4).
std::string status_words(std::uint16_t status);

/// Success, or a warning of C-STORE: the object is stored (PS3.4 B.2.3).
bool is_stored(std::uint16_t status);

/// "success", "not authorized (HTTP 401)".
std::string http_words(long status);

}  // namespace retromass::pacs

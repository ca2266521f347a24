#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace retromass::pacs {

/// The bodies of a multipart message (RFC 2046 5.1.1), inside the bytes given. Passes each byte a bounded number of times.
/// Fails with malformed where the type names no boundary, or the closing one is missing: the message was cut.
Result<std::vector<std::span<const std::byte>>> parts_of(std::string_view content_type, std::span<const std::byte> message);

/// Whether the media type, without its parameters, is this one; letters of either case are equal.
bool is_media_type(std::string_view content_type, std::string_view media_type);

}  // namespace retromass::pacs

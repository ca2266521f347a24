#include "pipeline/pacs/multipart.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "pipeline/pacs/query.h"

namespace retromass::pacs {
namespace {

/// More parts than one answer of a peer has objects are not believed.
constexpr std::size_t kMostParts = 100'000;

Error malformed(const std::string& why) { return {Code::malformed, "the peer's multipart answer cannot be read: " + why, "pacs: dicomweb"}; }

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

bool equal(std::string_view a, std::string_view b) { return a.find_first_of("*?") == std::string_view::npos && matches(a, b); }

/// The value of the parameter `boundary`; empty where there is none. A semicolon inside quotes does not end a parameter.
std::string boundary_of(std::string_view content_type)
{
    bool first = true;
    while (!content_type.empty()) {
        bool quoted = false;
        std::size_t end = 0;
        for (; end < content_type.size() && (quoted || content_type[end] != ';'); ++end) quoted = quoted != (content_type[end] == '"');
        const auto parameter = trimmed(content_type.substr(0, end));
        content_type.remove_prefix(std::min(content_type.size(), end + 1));
        const auto equals = parameter.find('=');
        if (!std::exchange(first, false) && equals != std::string_view::npos && equal("boundary", trimmed(parameter.substr(0, equals)))) {
            auto value = trimmed(parameter.substr(equals + 1));
            if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
            return std::string(value);
        }
    }
    return {};
}

/// A line between parts: its first byte (of the line break before it, which belongs to it) and the byte after its own line break.
struct Delimiter {
    std::size_t start = 0;
    std::size_t after = 0;
    bool closing = false;
};

std::optional<Delimiter> next_delimiter(std::string_view text, const std::string& boundary, std::size_t from)
{
    const std::string line = "\r\n--" + boundary;
    const auto first_line = std::string_view(line).substr(2);
    bool at_start = from == 0 && text.starts_with(first_line);  // nothing need stand before the first one
    for (std::size_t at = at_start ? 0 : text.find(line, from); at != std::string_view::npos; at = text.find(line, at + 1)) {
        auto rest = text.substr(at + (std::exchange(at_start, false) ? first_line.size() : line.size()));
        if (rest.starts_with("--")) return Delimiter{at, text.size() - rest.size() + 2, true};
        while (rest.starts_with(' ') || rest.starts_with('\t')) rest.remove_prefix(1);
        if (rest.starts_with("\r\n")) return Delimiter{at, text.size() - rest.size() + 2, false};
        // Any other line only starts alike.
    }
    return std::nullopt;
}

}  // namespace

bool is_media_type(std::string_view content_type, std::string_view media_type) { return equal(media_type, trimmed(content_type.substr(0, content_type.find(';')))); }

Result<std::vector<std::span<const std::byte>>> parts_of(std::string_view content_type, std::span<const std::byte> message)
{
    const auto boundary = boundary_of(content_type);
    constexpr std::size_t kLongest = 70;  // RFC 2046 5.1.1
    if (boundary.empty() || boundary.size() > kLongest) return malformed("its media type names no boundary");
    const std::string_view text(reinterpret_cast<const char*>(message.data()), message.size());

    std::vector<std::span<const std::byte>> parts;
    auto delimiter = next_delimiter(text, boundary, 0);
    while (delimiter && !delimiter->closing) {
        // From the line break of the delimiter on: a part without header lines starts with the empty line at once.
        const auto from = delimiter->after - 2;
        const auto header_end = text.find("\r\n\r\n", from);
        delimiter = next_delimiter(text, boundary, from);
        if (!delimiter) break;
        const auto body = header_end == std::string_view::npos ? header_end : header_end + 4;
        if (body > delimiter->start) return malformed("a part has no end of its header");
        parts.push_back(message.subspan(body, delimiter->start - body));
        if (parts.size() > kMostParts) return malformed("it has more than a hundred thousand parts");
    }
    if (!delimiter) return malformed("it ends early");
    return parts;
}

}  // namespace retromass::pacs

#include "pipeline/pacs/status_words.h"

#include <array>

namespace retromass::pacs {
namespace {

/// The first row whose status, under its mask, is the one asked for.
struct Row {
    std::uint16_t mask;
    std::uint16_t status;
    const char* words;
};

constexpr std::array kRows{
    Row{0xFFFF, 0x0000, "success"},
    Row{0xFFFF, 0x0105, "failed: no such attribute"},
    Row{0xFFFF, 0x0106, "failed: invalid attribute value"},
    Row{0xFFFF, 0x0110, "failed: processing failure"},
    Row{0xFFFF, 0x0111, "failed: an object of this identifier is there already"},
    Row{0xFFFF, 0x0112, "failed: no such object"},
    Row{0xFFFF, 0x0117, "failed: invalid SOP instance"},
    Row{0xFFFF, 0x0118, "failed: no such SOP class"},
    Row{0xFFFF, 0x0120, "failed: missing attribute"},
    Row{0xFFFF, 0x0122, "refused: SOP class not supported"},
    Row{0xFFFF, 0x0124, "refused: not authorized"},
    Row{0xFFFF, 0x0210, "failed: duplicate invocation"},
    Row{0xFFFF, 0x0211, "failed: unrecognized operation"},
    Row{0xFFFF, 0x0212, "failed: mistyped argument"},
    Row{0xFFFF, 0x0213, "refused: resource limitation"},
    Row{0xFFFF, 0xA701, "refused: out of resources, cannot count the matches"},
    Row{0xFFFF, 0xA702, "refused: out of resources, cannot send the objects"},
    Row{0xFF00, 0xA700, "refused: out of resources"},
    Row{0xFFFF, 0xA801, "refused: the peer does not know where to send (move destination unknown)"},
    Row{0xFF00, 0xA900, "failed: the data set does not match its SOP class"},
    Row{0xF000, 0xC000, "failed: the peer cannot process it"},
    Row{0xFFFF, 0xB000, "warning: elements coerced, or some objects failed"},
    Row{0xFFFF, 0xB006, "warning: elements discarded"},
    Row{0xFFFF, 0xB007, "warning: the data set does not match its SOP class"},
    Row{0xF000, 0xB000, "warning"},
    Row{0xFFFF, 0xFE00, "cancelled"},
    Row{0xFF00, 0xFF00, "pending"},
    Row{0x0000, 0x0000, "failed: unknown status"},
};

}  // namespace

std::string status_words(std::uint16_t status)
{
    const char* words = "";
    for (const auto& row : kRows) {
        if ((status & row.mask) != row.status) continue;
        words = row.words;
        break;
    }
    if (status == 0) return words;
    constexpr const char* kDigits = "0123456789ABCDEF";
    std::string out = std::string(words) + " (0x";
    for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[(status >> shift) & 0xF];
    return out + ")";
}

bool is_stored(std::uint16_t status) { return status == 0 || status == 0xB000 || status == 0xB006 || status == 0xB007; }

std::string http_words(long status)
{
    const auto with = [&](const char* words) { return std::string(words) + " (HTTP " + std::to_string(status) + ")"; };
    switch (status) {
    case 200:
    case 202:
    case 204: return "success";
    case 400: return with("the peer does not understand the request");
    case 401: return with("not authorized: user or secret are wrong, or missing");
    case 403: return with("forbidden to this user");
    case 404: return with("not there: wrong address, or no such object");
    case 406: return with("the peer cannot give this encoding");
    case 409: return with("conflict: refused, or only in part taken");
    case 413: return with("too large for the peer");
    case 415: return with("the peer does not take this media type");
    case 500: return with("the peer failed");
    case 501: return with("the peer does not offer this service");
    case 502:
    case 503:
    case 504: return with("the peer, or what stands before it, is not available");
    case 507: return with("the peer's disk is full");
    default: return with(status >= 300 && status < 400 ? "the peer points to another address; name that in the profile" : "failed");
    }
}

}  // namespace retromass::pacs

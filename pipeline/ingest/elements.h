#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/geometry.h"

/// DICOM's encoding, read without any library: a cursor over bytes that are already in memory. It never reads outside them, never
/// recurses, and passes each byte a bounded number of times (docs/stages/ingest.md).
namespace retromass::ingest {

using Bytes = std::span<const std::byte>;

/// Group and element as one number, e.g. 0x0020'0032.
using Tag = std::uint32_t;

struct Encoding {
    bool explicit_vr = true;
    bool big_endian = false;
};

/// One data element. `value` lies inside the bytes given to the cursor.
struct Element {
    Tag tag = 0;
    std::uint16_t vr = 0;          ///< two letters, first in the high byte; 0 where implicit
    std::size_t start = 0;         ///< of the tag, from the first byte of the cursor's bytes
    std::size_t value_start = 0;
    std::uint32_t length = 0;      ///< as stated; 0xFFFFFFFF = undefined
    Bytes value;                   ///< for a sequence its items, without the delimiter that ends it
    bool undefined_length = false;
};

enum class Step {
    element,    ///< `next` gave an element
    pixels,     ///< reached Pixel Data (7FE0,0010): its length is given, its value is not
    end,        ///< nothing is left
    short_of,   ///< the element runs past the bytes at hand
    malformed,  ///< no element can start like this, or sequences nest deeper than kDeepestNesting
};

/// Sequences of undefined length inside each other; scanners nest four or five, converters a dozen.
inline constexpr int kDeepestNesting = 64;

/// Steps from element to element at one level of a data set; sequences are passed over as a whole.
class Cursor {
public:
    Cursor(Bytes bytes, Encoding encoding, std::size_t at = 0) : bytes_(bytes), encoding_(encoding), at_(at) {}

    Step next(Element& element);
    /// The same position in more of the same bytes.
    void rebind(Bytes bytes) { bytes_ = bytes; }
    std::size_t at() const { return at_; }
    Encoding encoding() const { return encoding_; }

private:
    Bytes bytes_;
    Encoding encoding_;
    std::size_t at_ = 0;
};

/// The encoding of a sequence's items: those of unknown VR are implicit (PS3.5 6.2.2).
Encoding inside(const Element& sequence, Encoding encoding);

/// The items of a sequence's value, in order. Stops at the first byte that is no item; at most `most` items.
std::vector<Bytes> items_of(const Element& sequence, Encoding encoding, std::size_t most = SIZE_MAX);

/// How the data set that starts with these bytes is encoded, judged by its first element: nothing if none can start so.
std::optional<Encoding> encoding_of(Bytes start);

std::uint16_t u16(Bytes bytes, std::size_t at, bool big_endian);
std::uint32_t u32(Bytes bytes, std::size_t at, bool big_endian);

/// Text without the padding around it.
std::string_view text_of(Bytes value);
/// One of the values separated by backslashes, 0 = the first; empty if there are fewer.
std::string_view value_of(std::string_view values, std::size_t which);
/// A decimal string (DS, IS); empty if it is none, or not finite.
std::optional<double> number_of(std::string_view decimal);
/// Unsigned short, also where the VR is a text one or unknown.
std::optional<int> short_of(const Element& element, bool big_endian);
std::optional<PatientPoint> triple_of(std::string_view values, std::size_t first);

}  // namespace retromass::ingest

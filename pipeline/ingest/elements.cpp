#include "pipeline/ingest/elements.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

namespace retromass::ingest {
namespace {

constexpr std::uint32_t kUndefined = 0xFFFFFFFF;
constexpr Tag kItem = 0xFFFEE000;
constexpr Tag kItemEnd = 0xFFFEE00D;
constexpr Tag kSequenceEnd = 0xFFFEE0DD;
constexpr Tag kPixelData = 0x7FE00010;

constexpr std::uint16_t vr_of(char a, char b) { return static_cast<std::uint16_t>(static_cast<unsigned char>(a) << 8 | static_cast<unsigned char>(b)); }
constexpr std::uint16_t kUn = vr_of('U', 'N');

bool letters(std::uint16_t vr)
{
    const auto upper = [](int c) { return c >= 'A' && c <= 'Z'; };
    return upper(vr >> 8) && upper(vr & 0xFF);
}

enum class Form : std::uint8_t { unknown, short_length, long_length };

/// PS3.5 7.1.2: which value representations there are, and whose length has four bytes after two reserved ones.
constexpr std::array<Form, 26 * 26> forms()
{
    std::array<Form, 26 * 26> out{};
    const auto mark = [&](std::string_view names, Form form) {
        for (std::size_t i = 0; i < names.size(); i += 2) out[static_cast<std::size_t>((names[i] - 'A') * 26 + names[i + 1] - 'A')] = form;
    };
    mark("AEASATCSDADSDTFLFDISLOLTPNSHSLSSSTTMUIULUS", Form::short_length);
    mark("OBOWOFODOLOVSQUCURUTUNSVUV", Form::long_length);
    return out;
}

Form form_of(std::uint16_t vr)
{
    static constexpr auto table = forms();
    return letters(vr) ? table[static_cast<std::size_t>(((vr >> 8) - 'A') * 26 + (vr & 0xFF) - 'A')] : Form::unknown;
}

bool known(std::uint16_t vr) { return form_of(vr) != Form::unknown; }

/// One load and, where the order is not the machine's, one swap: headers are mostly small numbers.
template <class T>
T number_at(const std::byte* from, bool big_endian)
{
    T value;
    std::memcpy(&value, from, sizeof value);
    if (big_endian == (std::endian::native == std::endian::big)) return value;
    if constexpr (sizeof value == 2) return static_cast<T>(value << 8 | value >> 8);
    else return value << 24 | (value & 0xFF00) << 8 | (value >> 8 & 0xFF00) | value >> 24;
}

}  // namespace

std::uint16_t u16(Bytes bytes, std::size_t at, bool big_endian) { return number_at<std::uint16_t>(bytes.data() + at, big_endian); }
std::uint32_t u32(Bytes bytes, std::size_t at, bool big_endian) { return number_at<std::uint32_t>(bytes.data() + at, big_endian); }

namespace {

struct Head {
    Tag tag = 0;
    std::uint16_t vr = 0;
    std::uint32_t length = 0;
    std::size_t size = 0;  ///< bytes of tag, VR and length; 0 if they are not all there
};

Head head_at(Bytes bytes, std::size_t at, Encoding encoding)
{
    Head head;
    if (at > bytes.size() || bytes.size() - at < 8) return head;
    const bool big = encoding.big_endian;
    head.tag = static_cast<Tag>(u16(bytes, at, big)) << 16 | u16(bytes, at + 2, big);
    if (!encoding.explicit_vr || head.tag >> 16 == 0xFFFE) {
        head.length = u32(bytes, at + 4, big);
        head.size = 8;
        return head;
    }
    head.vr = u16(bytes, at + 4, true);  // letters stand in reading order whatever the byte order
    if (!letters(head.vr)) {             // an implicit element among explicit ones: some writers mix them
        head.vr = 0;
        head.length = u32(bytes, at + 4, big);
        head.size = 8;
        return head;
    }
    // A VR newer than this table has the long form, as PS3.5 promises, if its reserved bytes are zero.
    const auto form = form_of(head.vr);
    const bool is_long = form == Form::long_length || (form == Form::unknown && u16(bytes, at + 6, big) == 0);
    if (!is_long) {
        head.length = u16(bytes, at + 6, big);
        head.size = 8;
        return head;
    }
    if (bytes.size() - at < 12) return head;
    head.length = u32(bytes, at + 8, big);
    head.size = 12;
    return head;
}

enum class Skip { done, short_of, malformed };

/// Finds the end of a sequence of undefined length that starts at `at`; `inner_end` is where its delimiter starts.
Skip skip_sequence(Bytes bytes, std::size_t& at, std::size_t& inner_end, Encoding encoding)
{
    struct Level {
        bool sequence;   // expects items; else an item that holds elements
        bool explicit_vr;
    };
    std::array<Level, kDeepestNesting> levels{};
    int depth = 0;
    levels[0] = {true, encoding.explicit_vr};
    while (true) {
        auto& level = levels[static_cast<std::size_t>(depth)];
        const auto head = head_at(bytes, at, {level.explicit_vr, encoding.big_endian});
        if (head.size == 0) return Skip::short_of;
        if (head.tag == (level.sequence ? kSequenceEnd : kItemEnd)) {
            inner_end = at;
            at += head.size;
            if (depth == 0) return Skip::done;
            --depth;
            continue;
        }
        if (level.sequence && head.tag != kItem) return Skip::malformed;
        if (!level.sequence && head.tag >> 16 == 0xFFFE) return Skip::malformed;
        at += head.size;
        if (head.length != kUndefined) {
            if (head.length > bytes.size() - at) {
                at = bytes.size();
                return Skip::short_of;
            }
            at += head.length;
            continue;
        }
        if (depth + 1 >= kDeepestNesting) return Skip::malformed;
        // A sequence of unknown VR is encoded implicitly (PS3.5 6.2.2).
        const bool inner_explicit = level.sequence ? level.explicit_vr : level.explicit_vr && head.vr != kUn;
        levels[static_cast<std::size_t>(++depth)] = {!level.sequence, inner_explicit};
    }
}

}  // namespace

Step Cursor::next(Element& element)
{
    if (at_ >= bytes_.size()) return Step::end;
    const auto head = head_at(bytes_, at_, encoding_);
    if (head.size == 0) return Step::short_of;
    if (head.tag >> 16 == 0xFFFE) return Step::malformed;
    element.tag = head.tag;
    element.vr = head.vr;
    element.start = at_;
    element.value_start = at_ + head.size;
    element.length = head.length;
    element.undefined_length = head.length == kUndefined;
    if (head.tag == kPixelData) {
        element.value = bytes_.subspan(element.value_start, 0);
        at_ = element.value_start;
        return Step::pixels;
    }
    if (!element.undefined_length) {
        if (head.length > bytes_.size() - element.value_start) return Step::short_of;
        element.value = bytes_.subspan(element.value_start, head.length);
        at_ = element.value_start + head.length;
        return Step::element;
    }
    auto end = element.value_start;
    std::size_t inner_end = end;
    switch (skip_sequence(bytes_, end, inner_end, inside(element, encoding_))) {
    case Skip::short_of: return Step::short_of;
    case Skip::malformed: return Step::malformed;
    case Skip::done: break;
    }
    element.value = bytes_.subspan(element.value_start, inner_end - element.value_start);
    at_ = end;
    return Step::element;
}

Encoding inside(const Element& sequence, Encoding encoding) { return {encoding.explicit_vr && sequence.vr != kUn, encoding.big_endian}; }

std::vector<Bytes> items_of(const Element& sequence, Encoding encoding, std::size_t most)
{
    encoding = inside(sequence, encoding);
    std::vector<Bytes> out;
    std::size_t at = 0;
    const auto bytes = sequence.value;
    while (out.size() < most) {
        const auto head = head_at(bytes, at, encoding);
        if (head.size == 0 || head.tag != kItem) return out;
        at += head.size;
        if (head.length != kUndefined) {
            const auto held = std::min<std::size_t>(head.length, bytes.size() - at);  // editors shorten the last item and forget its length
            out.push_back(bytes.subspan(at, held));
            at += held;
            continue;
        }
        Cursor item(bytes, encoding, at);
        Element element;
        while (item.next(element) == Step::element) {}
        const auto end = head_at(bytes, item.at(), encoding);
        out.push_back(bytes.subspan(at, item.at() - at));
        if (end.size == 0 || end.tag != kItemEnd) return out;
        at = item.at() + end.size;
    }
    return out;
}

std::optional<Encoding> encoding_of(Bytes start)
{
    if (start.size() < 8) return std::nullopt;
    // Groups ascend, and nearly every data set starts low: the byte that is zero tells the order.
    const auto little = u16(start, 0, false);
    const auto big = u16(start, 0, true);
    const bool big_endian = little > big;
    if (known(u16(start, 4, true))) return Encoding{true, big_endian};
    if ((big_endian ? big : little) > 0x0028) return std::nullopt;
    const auto length = u32(start, 4, big_endian);
    if (length != kUndefined && length > (1U << 20)) return std::nullopt;  // the first element of a data set is short
    return Encoding{false, big_endian};
}

std::string_view text_of(Bytes value)
{
    std::string_view text(reinterpret_cast<const char*>(value.data()), value.size());
    const auto blank = [](char c) { return c == ' ' || c == '\0'; };
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    return text;
}

std::string_view value_of(std::string_view values, std::size_t which)
{
    for (std::size_t i = 0; i < which; ++i) {
        const auto end = values.find('\\');
        if (end == std::string_view::npos) return {};
        values.remove_prefix(end + 1);
    }
    return values.substr(0, values.find('\\'));
}

std::optional<double> number_of(std::string_view decimal)
{
    while (!decimal.empty() && (decimal.front() == ' ' || decimal.front() == '+')) decimal.remove_prefix(1);
    while (!decimal.empty() && (decimal.back() == ' ' || decimal.back() == '\0')) decimal.remove_suffix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(decimal.data(), decimal.data() + decimal.size(), value);
    if (error != std::errc{} || end != decimal.data() + decimal.size() || !std::isfinite(value)) return std::nullopt;
    return value;
}

std::optional<int> short_of(const Element& element, bool big_endian)
{
    if (element.value.size() == 2) return u16(element.value, 0, big_endian);
    if (element.value.size() == 4 && (element.vr == 0 || element.vr == vr_of('U', 'L') || element.vr == vr_of('S', 'L'))) {
        const auto value = u32(element.value, 0, big_endian);
        if (value <= 0xFFFF) return static_cast<int>(value);
        return std::nullopt;
    }
    if (const auto number = number_of(text_of(element.value)); number && *number >= 0 && *number <= 0xFFFF) return static_cast<int>(*number);
    return std::nullopt;
}

std::optional<PatientPoint> triple_of(std::string_view values, std::size_t first)
{
    const auto x = number_of(value_of(values, first));
    const auto y = number_of(value_of(values, first + 1));
    const auto z = number_of(value_of(values, first + 2));
    if (!x || !y || !z) return std::nullopt;
    return PatientPoint{*x, *y, *z};
}

}  // namespace retromass::ingest

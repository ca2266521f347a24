#include "pipeline/ingest/pixels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/volume.h"
#include "pipeline/ingest/codecs/codecs.h"
#include "pipeline/ingest/elements.h"

namespace retromass::ingest {
namespace {

constexpr int kLeastHu = -32767;  // -32768 marks padding
constexpr int kMostHu = 32767;

struct PaddingRange {
    int low = 1;
    int high = 0;  ///< below `low`: nothing is padding
};

PaddingRange padding_of(const StoredPixels& stored)
{
    if (!stored.padding) return {};
    const int other = stored.padding_limit.value_or(*stored.padding);
    return {std::min(*stored.padding, other), std::max(*stored.padding, other)};
}

/// Slope 1, a whole intercept and nothing below the stored bits, as nearly every scanner writes: 16-bit arithmetic that the compiler
/// turns into vectors.
bool shift_only(std::span<std::int16_t> words, const StoredPixels& stored)
{
    if (stored.slope != 1 || stored.intercept != std::floor(stored.intercept) || std::abs(stored.intercept) > 65536 || stored.high_bit != stored.bits_stored - 1) return false;
    // Both signs become values from -half to half - 1: unsigned ones by moving them down, signed ones by extending their sign.
    const int half = 1 << (stored.bits_stored - 1);
    const int add = static_cast<int>(stored.intercept) + (stored.is_signed ? 0 : half);
    const int low = std::max(-32768, kLeastHu - add);
    const int high = std::min(32767, kMostHu - add);
    if (low > high) return false;
    const auto pad = padding_of(stored);
    const int moved = stored.is_signed ? 0 : half;
    const int pad_low = std::max(pad.low - moved, -32768);
    const int pad_high = std::min(pad.high - moved, 32767);
    const auto mask = static_cast<std::uint16_t>(2 * half - 1);
    const auto flip = static_cast<std::uint16_t>(stored.is_signed ? half : 0);
    const auto down = static_cast<std::uint16_t>(half);
    const auto up = static_cast<std::uint16_t>(add);
    const auto low16 = static_cast<std::int16_t>(low);
    const auto high16 = static_cast<std::int16_t>(high);
    const auto value_of_word = [=](std::int16_t word) {
        const auto bits = static_cast<std::uint16_t>((static_cast<std::uint16_t>(word) & mask) ^ flip);
        return static_cast<std::int16_t>(static_cast<std::uint16_t>(bits - down));
    };
    const auto hu_of = [=](std::int16_t value) {
        const std::int16_t raised = value < low16 ? low16 : value;
        const std::int16_t kept = raised > high16 ? high16 : raised;
        return static_cast<std::int16_t>(static_cast<std::uint16_t>(static_cast<std::uint16_t>(kept) + up));
    };
    std::int16_t* const first = words.data();
    const std::size_t count = words.size();
    if (pad.low > pad.high || pad_low > pad_high) {
        for (std::size_t i = 0; i < count; ++i) first[i] = hu_of(value_of_word(first[i]));
        return true;
    }
    const auto pad_low16 = static_cast<std::int16_t>(pad_low);
    const auto pad_high16 = static_cast<std::int16_t>(pad_high);
    for (std::size_t i = 0; i < count; ++i) {
        const std::int16_t value = value_of_word(first[i]);
        const std::int16_t hu = hu_of(value);
        const bool is_padding = (value >= pad_low16) & (value <= pad_high16);
        first[i] = is_padding ? kPaddingHu : hu;
    }
    return true;
}

void by_table(std::span<std::int16_t> words, const StoredPixels& stored)
{
    const unsigned count = 1U << stored.bits_stored;
    const unsigned mask = count - 1;
    const int down = stored.high_bit + 1 - stored.bits_stored;
    const auto pad = padding_of(stored);
    std::vector<std::int16_t> table(count);
    for (unsigned bits = 0; bits < count; ++bits) {
        const int value = stored.is_signed && bits >> (stored.bits_stored - 1) ? static_cast<int>(bits) - static_cast<int>(count) : static_cast<int>(bits);
        const double hu = std::clamp(value * stored.slope + stored.intercept, double{kLeastHu}, double{kMostHu});
        table[bits] = value >= pad.low && value <= pad.high ? kPaddingHu : static_cast<std::int16_t>(std::lround(hu));
    }
    for (auto& word : words) word = table[static_cast<std::uint16_t>(word) >> down & mask];
}

void swap_bytes(std::span<std::int16_t> words)
{
    for (auto& word : words) {
        const auto w = static_cast<std::uint16_t>(word);
        word = static_cast<std::int16_t>(static_cast<std::uint16_t>(w << 8 | w >> 8));
    }
}

/// Native pixels that lie at the start of `words` as bytes become words.
void native_words(std::span<std::int16_t> words, const StoredPixels& stored)
{
    if (stored.bits_allocated == 8) {
        const auto* bytes = reinterpret_cast<const unsigned char*>(words.data());
        for (std::size_t i = words.size(); i-- > 0;) words[i] = bytes[i];  // from the end: each byte is read before its place is written
        return;
    }
    if (stored.big_endian != (std::endian::native == std::endian::big)) swap_bytes(words);
}

Error broken(const std::string& why) { return {Code::malformed, why, "ingest"}; }

/// Reads item headers through a window, so that many small fragments do not each cost a call.
class ItemWalk {
public:
    ItemWalk(const InputFile& file, std::uint64_t offset) : file_(file), at_(offset) {}

    /// The next item; nothing at the delimiter, the end of the file, or something that is no item.
    std::optional<Fragment> next()
    {
        std::byte head[8];
        if (!peek(head)) return std::nullopt;
        if (u32(head, 0, false) != 0xE000FFFE) return std::nullopt;
        const std::uint64_t length = u32(head, 4, false);
        at_ += 8;
        if (at_ > file_.size() || length > file_.size() - at_) {
            truncated_ = true;
            return std::nullopt;
        }
        const Fragment out{at_, length};
        at_ += length;
        return out;
    }
    bool truncated() const { return truncated_; }

private:
    bool peek(std::span<std::byte, 8> head)
    {
        if (at_ < window_at_ || at_ + 8 > window_at_ + window_.size()) {
            window_.resize(4 << 10);
            window_.resize(file_.read(at_, window_));
            window_at_ = at_;
            if (window_.size() < 8) return false;
        }
        std::memcpy(head.data(), window_.data() + (at_ - window_at_), 8);
        return true;
    }
    const InputFile& file_;
    std::uint64_t at_;
    std::vector<std::byte> window_;
    std::uint64_t window_at_ = 0;
    bool truncated_ = false;
};

/// JPEG, JPEG-LS and JPEG 2000 code streams start with one of these markers.
bool starts_code_stream(const InputFile& file, const Fragment& fragment)
{
    std::byte head[2];
    if (fragment.length < 2 || file.read(fragment.offset, head) != 2) return false;
    const auto marker = u16(head, 0, true);
    return marker == 0xFFD8 || marker == 0xFF4F;
}

}  // namespace

void stored_to_hu(std::span<std::int16_t> words, const StoredPixels& stored)
{
    if (!shift_only(words, stored)) by_table(words, stored);
}

Result<FrameFragments> fragments_of(const InputFile& file, std::uint64_t offset, int frames)
{
    ItemWalk walk(file, offset);
    const auto table = walk.next();
    if (!table) return broken("the encapsulated pixel data does not start with an item");
    const auto first = table->offset + table->length;
    std::vector<Fragment> fragments;
    while (const auto item = walk.next()) fragments.push_back(*item);
    if (walk.truncated()) return Error{Code::truncated_pixels, "the file ends inside its compressed pixels", "ingest"};
    const auto count = static_cast<std::size_t>(frames);
    FrameFragments out(count);
    if (frames == 1) {
        out[0] = std::move(fragments);
        if (out[0].empty()) return Error{Code::truncated_pixels, "the encapsulated pixel data is empty", "ingest"};
        return out;
    }
    if (fragments.size() == count) {
        for (std::size_t f = 0; f < count; ++f) out[f] = {fragments[f]};
        return out;
    }
    if (fragments.size() < count) return Error{Code::truncated_pixels, std::to_string(fragments.size()) + " fragments hold fewer than " + std::to_string(frames) + " frames", "ingest"};
    std::vector<std::byte> bytes(table->length >= 4 * count ? 4 * count : 0);
    if (!bytes.empty() && file.read(table->offset, bytes) == bytes.size()) {
        std::size_t f = 0;
        for (const auto& fragment : fragments) {
            const auto start = fragment.offset - 8 - first;
            while (f + 1 < count && start >= u32(bytes, 4 * (f + 1), false)) ++f;
            out[f].push_back(fragment);
        }
    } else {
        std::size_t started = 0;
        for (const auto& fragment : fragments) {
            if (starts_code_stream(file, fragment)) ++started;
            if (started == 0 || started > count) return broken("which fragment belongs to which frame cannot be told");
            out[started - 1].push_back(fragment);
        }
    }
    if (std::any_of(out.begin(), out.end(), [](const auto& frame) { return frame.empty(); })) return broken("a frame has no fragment");
    return out;
}

std::shared_ptr<SliceDecoder::MultiFrame> SliceDecoder::multi_frame(const std::filesystem::path& file)
{
    const std::scoped_lock lock(guard_);
    auto& entry = files_[file];
    if (!entry) entry = std::make_shared<MultiFrame>();
    return entry;
}

Status SliceDecoder::fill(const SliceSource& source, int columns, int rows, std::span<std::int16_t> words)
{
    const auto& stored = source.stored;
    RETROMASS_TRY_ASSIGN(const auto file, InputFile::open(source.file));
    if (file.size() != stored.file_size) return Error{Code::io, "the file changed since it was scanned", "ingest"};
    auto cells = std::as_writable_bytes(words).first(words.size() * static_cast<std::size_t>(stored.bits_allocated / 8));
    const auto short_by = [&](std::size_t held) {
        return Error{Code::truncated_pixels, "pixel data holds " + std::to_string(held) + " bytes, expected " + std::to_string(cells.size()), "ingest"};
    };
    if (stored.deflated) {
        const auto wanted = static_cast<std::size_t>(stored.offset) + cells.size();
        std::shared_ptr<MultiFrame> kept;
        std::vector<std::byte> own;
        if (stored.frames > 1) {
            kept = multi_frame(source.file);
            std::call_once(kept->once, [&] {
                auto all = inflate_prefix(file, stored.data_set_offset, static_cast<std::size_t>(stored.offset) + cells.size() * static_cast<std::size_t>(stored.frames));
                if (all) kept->inflated = std::move(*all);
                else kept->failed = all.error();
            });
            if (kept->failed) return *kept->failed;
        } else {
            RETROMASS_TRY_ASSIGN(own, inflate_prefix(file, stored.data_set_offset, wanted));
        }
        const auto& bytes = kept ? kept->inflated : own;
        if (bytes.size() < wanted) return short_by(bytes.size() > stored.offset ? bytes.size() - static_cast<std::size_t>(stored.offset) : 0);
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(stored.offset), cells.size(), cells.begin());
        native_words(words, stored);
        return Done{};
    }
    if (!stored.encapsulated) {
        if (const auto got = file.read(stored.offset, cells); got != cells.size()) return short_by(got);
        native_words(words, stored);
        return Done{};
    }
    if (!can_decode(stored.transfer_syntax)) return Error{Code::unsupported_syntax, "transfer syntax " + stored.transfer_syntax + " has no decoder here", "ingest"};
    FrameFragments own;
    const FrameFragments* frames = &own;
    if (stored.frames > 1) {
        const auto kept = multi_frame(source.file);
        std::call_once(kept->once, [&] {
            auto found = fragments_of(file, stored.offset, stored.frames);
            if (found) kept->frames = std::move(*found);
            else kept->failed = found.error();
        });
        if (kept->failed) return *kept->failed;
        frames = &kept->frames;
    } else {
        RETROMASS_TRY_ASSIGN(own, fragments_of(file, stored.offset, 1));
    }
    const auto& fragments = (*frames)[static_cast<std::size_t>(stored.frames > 1 ? source.frame : 0)];
    std::uint64_t total = 0;
    for (const auto& fragment : fragments) total += fragment.length;
    std::vector<std::byte> bytes(static_cast<std::size_t>(total));
    std::vector<std::span<const std::byte>> parts;
    std::size_t at = 0;
    for (const auto& fragment : fragments) {
        const auto part = std::span(bytes).subspan(at, static_cast<std::size_t>(fragment.length));
        if (file.read(fragment.offset, part) != part.size()) return Error{Code::truncated_pixels, "the file ends inside its compressed pixels", "ingest"};
        parts.push_back(part);
        at += part.size();
    }
    const FrameShape shape{columns, rows, stored.bits_allocated, stored.bits_stored, stored.high_bit, stored.is_signed, 1};
    return decode_frame(stored.transfer_syntax, parts, shape, std::span(reinterpret_cast<std::uint16_t*>(words.data()), words.size()));
}

Status SliceDecoder::decode(const SliceSource& source, int columns, int rows, std::span<std::int16_t> hu)
{
    auto status = fill(source, columns, rows, hu);
    if (!status) {
        auto error = std::move(status).error();
        error.message = source.file.filename().string() + (source.stored.frames > 1 ? ", frame " + std::to_string(source.frame + 1) : std::string()) + ": " + error.message;
        return error;
    }
    stored_to_hu(hu, source.stored);
    return Done{};
}

}  // namespace retromass::ingest

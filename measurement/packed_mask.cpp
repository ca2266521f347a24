#include "measurement/packed_mask.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace retromass::measurement {
namespace {

using Bytes = std::span<const std::uint8_t>;

bool any(Bytes row)
{
    std::uint8_t all = 0;  // no early end: a plain reduction runs at the speed of memory
    for (const auto v : row) all = static_cast<std::uint8_t>(all | v);
    return all != 0;
}

/// Eight voxels to eight bits. A byte that is not zero has its top bit set by the sum; the product gathers the top bits.
std::uint64_t eight_bits(const std::uint8_t* voxels)
{
    std::uint64_t v = 0;
    for (unsigned i = 0; i < 8; ++i) v |= std::uint64_t{voxels[i]} << (8 * i);
    constexpr std::uint64_t low7 = 0x7f7f7f7f7f7f7f7f;
    const std::uint64_t nonzero = ((((v & low7) + low7) | v) & ~low7) >> 7;
    return (nonzero * 0x0102040810204080) >> 56;
}

}  // namespace

PackedMask::PackedMask(const Mask& mask)
{
    constexpr int far = std::numeric_limits<int>::max();
    const auto n = mask.size();
    low_ = {far, far, far};
    high_ = {-1, -1, -1};
    const auto row_of = [&](int r, int k) { return Bytes(mask.values()).subspan(mask.offset(0, r, k), static_cast<std::size_t>(n.columns)); };
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            const auto row = row_of(r, k);
            if (!any(row)) continue;
            low_.slice = std::min(low_.slice, k);
            high_.slice = k;
            low_.row = std::min(low_.row, r);
            high_.row = std::max(high_.row, r);
            int first = 0;
            while (first < low_.column && !row[static_cast<std::size_t>(first)]) ++first;
            low_.column = std::min(low_.column, first);
            int last = n.columns - 1;
            while (last > high_.column && !row[static_cast<std::size_t>(last)]) --last;
            high_.column = std::max(high_.column, last);
        }
    }
    if (high_.slice < 0) return;

    const auto wide = static_cast<std::size_t>(high_.column - low_.column + 1);
    words_ = (wide + 2 + 63) / 64;
    bits_.assign(words_ * static_cast<std::size_t>(high_.row - low_.row + 3) * static_cast<std::size_t>(high_.slice - low_.slice + 3), 0);
    for (int k = low_.slice; k <= high_.slice; ++k) {
        for (int r = low_.row; r <= high_.row; ++r) {
            const auto voxels = row_of(r, k).subspan(static_cast<std::size_t>(low_.column), wide);
            auto* const out = bits_.data() + (row(r, k).data() - bits_.data());
            std::uint64_t carry = 0;  // the margin shifts every word by one bit
            for (std::size_t w = 0; w < words_; ++w) {
                std::uint64_t word = 0;
                const std::size_t start = 64 * w;
                const std::size_t end = std::min(start + 64, wide);
                std::size_t i = start;
                for (; i + 8 <= end; i += 8) word |= eight_bits(voxels.data() + i) << (i - start);
                for (; i < end; ++i) word |= std::uint64_t{voxels[i] != 0} << (i - start);
                out[w] = word << 1 | carry;
                carry = word >> 63;
                voxels_ += static_cast<std::size_t>(std::popcount(word));
            }
        }
    }
}

std::size_t PackedMask::voxels_in(int slice) const
{
    std::size_t count = 0;
    for (int r = low_.row; r <= high_.row; ++r) {
        for (const auto word : row(r, slice)) count += static_cast<std::size_t>(std::popcount(word));
    }
    return count;
}

}  // namespace retromass::measurement

#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "core/grid.h"

namespace retromass::measurement {

/// A row of voxels, 64 a word, lowest bit first.
using BitRow = std::span<const std::uint64_t>;

/// Position of the first bit at or after `from` that is set (or clear); 64 x words if there is none.
inline int next_bit(BitRow bits, int from, std::uint64_t flip)
{
    auto w = static_cast<std::size_t>(from) / 64;
    if (w >= bits.size()) return static_cast<int>(64 * bits.size());
    std::uint64_t word = (bits[w] ^ flip) & (~std::uint64_t{0} << (static_cast<unsigned>(from) % 64));
    while (word == 0) {
        if (++w == bits.size()) return static_cast<int>(64 * bits.size());
        word = bits[w] ^ flip;
    }
    return static_cast<int>(64 * w) + std::countr_zero(word);
}

/// Calls `visit(first, last)` for each stretch of set bits; the row's last bit is clear.
template <class Visit>
void for_each_stretch(BitRow bits, Visit&& visit)
{
    const int end = static_cast<int>(64 * bits.size());
    for (int first = next_bit(bits, 0, 0); first < end;) {
        const int behind = next_bit(bits, first, ~std::uint64_t{0});
        visit(first, behind - 1);
        first = next_bit(bits, behind, 0);
    }
}

/// The box of a mask with an empty voxel all round, a bit a voxel: neighbours need no test of the grid's edge, and 64 voxels are
/// compared at once. Everything that measures shape reads the mask from here.
class PackedMask {
public:
    explicit PackedMask(const Mask& mask);

    bool empty() const { return voxels_ == 0; }
    std::size_t voxels() const { return voxels_; }
    Index low() const { return low_; }    ///< the box, grid indices; meaningless where the mask is empty
    Index high() const { return high_; }
    std::size_t voxels_in(int slice) const;
    /// A row of the grid: from one before the box to one behind it, as are the slices. Bit i is column `column_of(i)`.
    BitRow row(int row, int slice) const
    {
        const auto high_and_margin = static_cast<std::size_t>(high_.row - low_.row + 3);
        const auto at = static_cast<std::size_t>(slice - low_.slice + 1) * high_and_margin + static_cast<std::size_t>(row - low_.row + 1);
        return BitRow(bits_).subspan(at * words_, words_);
    }
    int column_of(int bit) const { return low_.column - 1 + bit; }
    std::size_t words() const { return words_; }

private:
    Index low_;
    Index high_;
    std::size_t voxels_ = 0;
    std::size_t words_ = 0;
    std::vector<std::uint64_t> bits_;
};

}  // namespace retromass::measurement

#pragma once

#include <cstdint>
#include <cstring>

namespace retromass::segmentation {

/// The first of `bytes` from `first` up to before `end` that is not 0; `end` where all are. Most of a mask's row is 0: it is passed over eight at a time.
inline int first_nonzero(const std::uint8_t* bytes, int first, int end)
{
    constexpr int kWord = sizeof(std::uint64_t);
    for (; first + kWord <= end; first += kWord) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes + first, kWord);
        if (word != 0) break;
    }
    while (first < end && bytes[first] == 0) ++first;
    return first;
}

/// Calls of(i) with every i below `count` whose byte is not 0, in order.
template <class Of>
void each_nonzero(const std::uint8_t* bytes, int count, Of of)
{
    for (int i = first_nonzero(bytes, 0, count); i < count; i = first_nonzero(bytes, i, count)) {
        for (; i < count && bytes[i] != 0; ++i) of(i);
    }
}

}  // namespace retromass::segmentation

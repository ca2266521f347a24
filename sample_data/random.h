#pragma once

#include <cstdint>
#include <string_view>

namespace retromass::sample_data {

/// A well-mixed 64-bit hash (the finaliser of SplitMix64): noise by position, the same for any thread count or order.
constexpr std::uint64_t mixed(std::uint64_t x)
{
    x += 0x9E3779B97F4A7C15ULL;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
}

constexpr std::uint64_t hash_of(std::string_view text, std::uint64_t seed)
{
    std::uint64_t h = mixed(seed);
    for (const char c : text) h = mixed(h ^ static_cast<unsigned char>(c));
    return h;
}

/// About normal, mean 0, standard deviation 1: the sum of four uniform 16-bit parts of a hash.
constexpr float normal_of(std::uint64_t hash)
{
    const auto part = [&](int shift) { return static_cast<float>(hash >> shift & 0xFFFF) / 65536.0F - 0.5F; };
    return (part(0) + part(16) + part(32) + part(48)) * 1.7320508F;  // the sum has variance 4/12
}

/// Uniform in 0..1.
constexpr float uniform_of(std::uint64_t hash) { return static_cast<float>(hash >> 40) / 16777216.0F; }

}  // namespace retromass::sample_data

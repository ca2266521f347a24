#include <gtest/gtest.h>

#include <chrono>

#include "tests/fuzz/header_input.h"

namespace retromass::fuzz {

TEST(HeaderReplay, OfMutatedSeedsNeitherCrashesNorHangs)
{
    const auto seeds = header_seeds();
    ASSERT_GE(seeds.size(), 16u);
    constexpr unsigned kMutations = 150;
    for (const auto& seed : seeds) {
        run_headers(seed);
        for (unsigned i = 0; i < kMutations; ++i) {
            const auto start = std::chrono::steady_clock::now();
            run_headers(mutated(seed, i));
            // Microseconds are normal; only a loop takes seconds, even on a busy machine and under sanitizers.
            ASSERT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10)) << "mutation " << i;
        }
    }
}

}  // namespace retromass::fuzz

#include <gtest/gtest.h>

#include <chrono>

#include "tests/fuzz/codec_input.h"

namespace retromass::fuzz {
namespace {

class Replay : public testing::TestWithParam<std::string> {};

}  // namespace

TEST_P(Replay, OfMutatedSeedsNeitherCrashesNorHangs)
{
    const auto seeds = codec_seeds(GetParam());
    ASSERT_GE(seeds.size(), 7u);
    // JPEG 2000 goes through a library that takes longer; the whole stays below a second or two.
    const unsigned mutations = GetParam().ends_with(".4.90") ? 100 : 300;
    for (const auto& seed : seeds) {
        run_codec(GetParam(), seed);
        for (unsigned i = 0; i < mutations; ++i) {
            const auto start = std::chrono::steady_clock::now();
            run_codec(GetParam(), mutated(seed, i));
            // Microseconds are normal; only a loop takes seconds, even on a busy machine and under sanitizers.
            ASSERT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10)) << "mutation " << i;
        }
    }
}

std::string name_of(const testing::TestParamInfo<std::string>& syntax)
{
    std::string name = "Syntax_" + syntax.param;
    for (auto& c : name) c = c == '.' ? '_' : c;
    return name;
}

INSTANTIATE_TEST_SUITE_P(Codecs, Replay, testing::ValuesIn(kFuzzedSyntaxes), name_of);

}  // namespace retromass::fuzz

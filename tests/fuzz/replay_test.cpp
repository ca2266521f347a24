#include <gtest/gtest.h>

#include <chrono>

#include "tests/fuzz/header_input.h"
#include "tests/fuzz/reader_input.h"
#include "tests/fuzz/stack_input.h"

namespace retromass::fuzz {
namespace {

class Replay : public testing::TestWithParam<std::string> {};

/// Runs every seed and its mutations. Microseconds each are normal; only a loop takes seconds, even on a busy machine and under sanitizers.
template <class Run>
void replay(const std::vector<Input>& seeds, unsigned mutations, Run run)
{
    for (const auto& seed : seeds) {
        run(seed);
        for (unsigned i = 0; i < mutations; ++i) {
            const auto start = std::chrono::steady_clock::now();
            run(mutated(seed, i));
            ASSERT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10)) << "mutation " << i;
        }
    }
}

}  // namespace

TEST_P(Replay, OfMutatedStreamsNeitherCrashesNorHangs)
{
    const auto seeds = codec_seeds(GetParam());
    ASSERT_GE(seeds.size(), 7u);
    replay(seeds, GetParam().ends_with(".4.90") ? 100 : 300, [](const Input& input) { run_codec(GetParam(), input); });
}

TEST(ReplayHeaders, OfMutatedFilesNeitherCrashesNorHangs)
{
    const auto seeds = header_seeds();
    ASSERT_GE(seeds.size(), 24u);
    replay(seeds, 150, [](const Input& input) { run_headers(input); });
}

TEST(ReplayStack, OfMutatedHeadersGivesSoundVolumesInAnyOrder)
{
    replay(stack_seeds(), 1000, [](const Input& input) { run_stack(input); });
}

class ReplayReader : public testing::TestWithParam<std::string> {};

TEST_P(ReplayReader, OfMutatedFilesNeitherCrashesNorHangs)
{
    const auto seeds = reader_seeds(GetParam());
    ASSERT_FALSE(seeds.empty());
    for (const auto& seed : seeds) ASSERT_FALSE(seed.empty());
    replay(seeds, 300, [](const Input& input) { run_reader(GetParam(), input); });
}

TEST_P(ReplayReader, ReadsEverySeed)
{
    int number = 0;
    for (const auto& seed : reader_seeds(GetParam())) EXPECT_EQ(refusal(GetParam(), seed), "") << "seed " << number, ++number;
}
INSTANTIATE_TEST_SUITE_P(Readers, ReplayReader, testing::ValuesIn(kFuzzedReaders), [](const auto& reader) { return reader.param; });

std::string name_of(const testing::TestParamInfo<std::string>& syntax)
{
    std::string name = "Syntax_" + syntax.param;
    for (auto& c : name) c = c == '.' ? '_' : c;
    return name;
}

INSTANTIATE_TEST_SUITE_P(Codecs, Replay, testing::ValuesIn(kFuzzedSyntaxes), name_of);

}  // namespace retromass::fuzz

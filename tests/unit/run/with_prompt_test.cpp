#include <gmock/gmock.h>

#include "pipeline/run/run.h"

namespace retromass::run {
namespace {

using testing::HasSubstr;

constexpr const char* kDraft = R"(# Drafted by retromass init
case: "P-1"   # {a} remark
timepoints:
  - id: "2020-01-01"
    ct: "../a"
  - id: "2020-06-01"
    ct: "../b"
lesions:
  - id: T1
    role: target
    timepoints:
      "2020-01-01": {marks: "a}b.csv", mark: "T1"}   # kept
  - id: T2
    timepoints: {}
)";

TEST(WithPrompt, ReplacesOnePromptAndLeavesEveryOtherCharacter)
{
    const auto out = with_prompt(kDraft, "T1", "2020-01-01", {1, 2, 3, 4, 5, -6.5});
    ASSERT_TRUE(out) << out.error().message;
    std::string wanted = kDraft;
    const std::string old = R"({marks: "a}b.csv", mark: "T1"})";
    wanted.replace(wanted.find(old), old.size(), "{line: [[1.00, 2.00, 3.00], [4.00, 5.00, -6.50]]}");
    EXPECT_EQ(*out, wanted);
}

TEST(WithPrompt, AddsATimePointThatHadNone)
{
    const auto later = with_prompt(kDraft, "T1", "2020-06-01", {1, 2, 3});
    ASSERT_TRUE(later) << later.error().message;
    EXPECT_THAT(*later, HasSubstr("    timepoints:\n      \"2020-06-01\": {point: [1.00, 2.00, 3.00]}\n      \"2020-01-01\": {marks"));
    const auto empty = with_prompt(kDraft, "T2", "2020-06-01", {0, 0, 0, 9, 0, 0, 1, 1, 0, 1, 4, 0});
    ASSERT_TRUE(empty) << empty.error().message;
    EXPECT_THAT(*empty, HasSubstr("timepoints: {\"2020-06-01\": {line: [[0.00, 0.00, 0.00], [9.00, 0.00, 0.00]], short_line: [[1.00, 1.00, 0.00], [1.00, 4.00, 0.00]]}}"));
}

TEST(WithPrompt, RefusesWhatItWouldHaveToGuess)
{
    const auto why = [](const Result<std::string>& result) { return result ? std::string("taken") : result.error().message; };
    EXPECT_THAT(why(with_prompt(kDraft, "T9", "2020-01-01", {1, 2, 3})), HasSubstr("no such lesion"));
    EXPECT_THAT(why(with_prompt(kDraft, "T1", "2021-01-01", {1, 2, 3})), HasSubstr("no such time point"));
    EXPECT_THAT(why(with_prompt(kDraft, "T1", "2020-01-01", {1, 2})), HasSubstr("3 numbers"));
    std::string status = kDraft;
    status.replace(status.find("mark: \"T1\""), 10, "status: absent");
    EXPECT_THAT(why(with_prompt(status, "T1", "2020-01-01", {1, 2, 3})), HasSubstr("'status'"));
    std::string block = kDraft;
    const std::string flow = R"( {marks: "a}b.csv", mark: "T1"})";
    block.replace(block.find(flow), flow.size(), "\n        point: [1, 2, 3]");
    EXPECT_THAT(why(with_prompt(block, "T1", "2020-01-01", {1, 2, 3})), HasSubstr("by hand"));
}

}  // namespace
}  // namespace retromass::run

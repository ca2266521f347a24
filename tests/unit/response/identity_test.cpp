#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/response/patient.h"

namespace retromass::response {
namespace {

using test::lesion;
using test::measured;
using test::stated;
using test::timepoint;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Assessment assessed(std::vector<Timepoint> timepoints, std::vector<Lesion> lesions = {lesion("T1")})
{
    Patient patient;
    patient.id = "P";
    patient.lesions = std::move(lesions);
    patient.timepoints = std::move(timepoints);
    auto result = assess(patient);
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
    return result.ok() ? std::move(result).value() : Assessment{};
}

std::vector<std::string> told(const Assessment& assessment)
{
    std::vector<std::string> out;
    for (const auto& note : assessment.identity) out.push_back(note.timepoint + " " + note.lesion + " " + note.what + (note.suggested ? "?" : ""));
    return out;
}

std::vector<std::string> asked(const Assessment& assessment)
{
    std::vector<std::string> out;
    for (const auto& notice : assessment.notices) {
        if (notice.code == Code::identity_suggested) out.push_back(notice.text);
    }
    return out;
}

TEST(Identity, TellsWhatAReaderStatedOfALesion)
{
    auto merged = stated("T2", LesionStatus::merged);
    merged.merged_into = "T1";
    auto split = measured("T1", "20");
    split.fragments = {Length::mm(10)};
    const auto assessment = assessed({timepoint("2024-01-01", {measured("T1", "50"), measured("T2", "40")}), timepoint("2024-03-01", {stated("T1", LesionStatus::absent), measured("T2", "40")}),
                                      timepoint("2024-05-01", {measured("T1", "12"), merged}), timepoint("2024-07-01", {split, merged, measured("X1", "15")})},
                                     {lesion("T1"), lesion("T2"), lesion("X1", Role::new_lesion)});
    EXPECT_THAT(told(assessment), ElementsAre("2024-03-01 T1 vanished", "2024-05-01 T1 reappeared", "2024-07-01 T1 split", "2024-05-01 T2 merged", "2024-07-01 X1 new"));
    EXPECT_FALSE(has(assessment.notices, Code::identity_conflict));
}

TEST(Identity, ListsWhatIsSuggestedAsANoticeAndChangesNothingByIt)
{
    const auto plain = assessed({timepoint("2024-01-01", {measured("T1", "50")}), timepoint("2024-03-01", {measured("T1", "30")})});
    auto now = measured("T1", "30");
    now.suggested = {{"split", "two parts: split?"}, {"merged", "touches T2: merged?"}};
    const auto assessment = assessed({timepoint("2024-01-01", {measured("T1", "50")}), timepoint("2024-03-01", {now})});
    EXPECT_THAT(told(assessment), ElementsAre("2024-03-01 T1 split?", "2024-03-01 T1 merged?"));
    EXPECT_THAT(assessment.identity.at(0).text, "T1: two parts: split?");
    EXPECT_THAT(asked(assessment), ElementsAre("2024-03-01, T1: two parts: split?", "2024-03-01, T1: touches T2: merged?"));
    EXPECT_EQ(assessment.recist.at(1).sum, Length::mm(30));
    EXPECT_EQ(assessment.recist.at(1).overall.category, plain.recist.at(1).overall.category);
    EXPECT_EQ(assessment.recist.at(1).overall.reason, plain.recist.at(1).overall.reason);
}

TEST(Identity, AsksWhetherALesionThatIsBackIsTheSameOne)
{
    const std::vector<Timepoint> back{timepoint("2024-01-01", {measured("T1", "50")}), timepoint("2024-03-01", {stated("T1", LesionStatus::absent)}), timepoint("2024-05-01", {measured("T1", "12")}),
                                      timepoint("2024-07-01", {measured("T1", "14")})};
    const auto asks = asked(assessed(back));
    ASSERT_EQ(asks.size(), 1u) << "once, where it is seen first";
    EXPECT_THAT(asks.at(0), HasSubstr("2024-05-01, T1: seen again after it was absent at 2024-03-01"));
    EXPECT_THAT(asks.at(0), HasSubstr("not as a new one"));
    EXPECT_THAT(asked(assessed({timepoint("2024-01-01", {measured("T1", "50")}), timepoint("2024-03-01", {stated("T1", LesionStatus::absent)}), timepoint("2024-05-01", {stated("T1", LesionStatus::absent)})})), IsEmpty());
    EXPECT_THAT(asked(assessed({timepoint("2024-01-01", {stated("T1", LesionStatus::absent)}), timepoint("2024-03-01", {measured("T1", "12")})})), IsEmpty()) << "never seen before, so it is not back";
}

TEST(Identity, ListsEachConflictAndResolvesNone)
{
    auto elsewhere = measured("T1", "50");
    elsewhere.organ = "lung";
    const auto organ = assessed({timepoint("2024-01-01", {measured("T1", "50")}), timepoint("2024-03-01", {elsewhere})});
    EXPECT_THAT(told(organ), ElementsAre("2024-03-01 T1 conflict"));
    EXPECT_TRUE(has(organ.notices, Code::identity_conflict));
    EXPECT_THAT(organ.identity.at(0).text, HasSubstr("'lung' here and 'liver' before"));

    auto nowhere = stated("T1", LesionStatus::merged);
    nowhere.merged_into = "T9";
    EXPECT_THAT(told(assessed({timepoint("2024-01-01", {measured("T1", "50")}), timepoint("2024-03-01", {nowhere})})), ElementsAre("2024-03-01 T1 merged", "2024-03-01 T1 conflict"));

    EXPECT_THAT(told(assessed({timepoint("2024-01-01", {measured("T1", "50")}), timepoint("2024-03-01", {stated("T1", LesionStatus::resected)}), timepoint("2024-05-01", {measured("T1", "20")})})),
                ElementsAre("2024-03-01 T1 resected", "2024-05-01 T1 conflict"));

    EXPECT_THAT(told(assessed({timepoint("2024-01-01", {measured("X1", "20")})}, {lesion("X1", Role::new_lesion)})), ElementsAre("2024-01-01 X1 new", "2024-01-01 X1 conflict"));
}

TEST(Identity, IsSilentWhereNothingHappened)
{
    EXPECT_THAT(told(assessed({timepoint("2024-01-01", {measured("T1", "50")}), timepoint("2024-03-01", {measured("T1", "40")})})), IsEmpty());
}

}  // namespace
}  // namespace retromass::response

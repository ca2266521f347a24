#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/pacs/dicom_json.h"
#include "pipeline/pacs/multipart.h"
#include "pipeline/pacs/status_words.h"

namespace retromass::pacs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kType = "multipart/related; type=\"application/dicom\"; boundary=B";

std::vector<std::string> bodies(const std::string& message, const std::string& type = kType)
{
    const auto parts = parts_of(type, std::as_bytes(std::span(message)));
    if (!parts) return {"refused: " + parts.error().message};
    std::vector<std::string> out;
    for (const auto& part : *parts) out.emplace_back(reinterpret_cast<const char*>(part.data()), part.size());
    return out;
}

TEST(PartsOf, AreTheBytesBetweenHeaderAndBoundary)
{
    EXPECT_THAT(bodies("--B\r\nContent-Type: application/dicom\r\n\r\none\r\n--B\r\n\r\ntwo\r\n--B--\r\n"), ElementsAre("one", "two"));
    EXPECT_THAT(bodies("preamble\r\n--B  \r\nA: b\r\n\r\n\r\n--B--"), ElementsAre(""));
    EXPECT_THAT(bodies("--B--"), IsEmpty());
    const std::string pixels("\0\r\n--\r\n--A\r\n\r\n-\xFF", 16);
    EXPECT_THAT(bodies("--B\r\n\r\n" + pixels + "\r\n--B--"), ElementsAre(pixels));
}

TEST(PartsOf, FindTheBoundaryAmongOtherParameters)
{
    const std::string message = "--B\r\n\r\none\r\n--B--";
    for (const char* type : {"multipart/related; boundary=\"B\"", "Multipart/Related;BOUNDARY=B;start=x", "multipart/related; type=\"a; boundary=C\"; boundary=B"}) EXPECT_THAT(bodies(message, type), ElementsAre("one")) << type;
    for (const char* type : {"", "multipart/related", "boundary=B", "multipart/related; boundary=", "multipart/related; boundary=\"\""}) EXPECT_THAT(bodies(message, type), ElementsAre(HasSubstr("no boundary"))) << type;
    EXPECT_THAT(bodies(message, "multipart/related; boundary=" + std::string(71, 'B')), ElementsAre(HasSubstr("no boundary")));
}

TEST(PartsOf, ACutOrBrokenMessageIsRefusedWhole)
{
    const std::string whole = "--B\r\nContent-Type: x\r\n\r\none\r\n--B\r\n\r\ntwo\r\n--B--";
    for (std::size_t length = 0; length < whole.size(); ++length) EXPECT_THAT(bodies(whole.substr(0, length)), ElementsAre(HasSubstr("refused"))) << length;
    EXPECT_THAT(bodies("--B\r\nno end of header\r\n--B--"), ElementsAre(HasSubstr("no end of its header")));
    EXPECT_THAT(bodies("--B\r\nno end\r\n--B\r\n\r\ntwo\r\n--B--"), ElementsAre(HasSubstr("no end of its header")));
    EXPECT_THAT(bodies("--BB\r\n\r\none\r\n--BB--"), ElementsAre(HasSubstr("ends early")));
}

TEST(PartsOf, AFloodOfPartsIsRefused)
{
    std::string flood;
    for (int i = 0; i < 100'002; ++i) flood += "\r\n--B\r\n\r\n";
    EXPECT_THAT(bodies(flood + "\r\n--B--"), ElementsAre(HasSubstr("hundred thousand")));
}

TEST(AttributesOfJson, HoldsTextsNumbersAndNames)
{
    const auto answers = attributes_of_json(R"([{"00100010": {"vr": "PN", "Value": [{"Alphabetic": "DOE^JANE", "Ideographic": "X"}]},
        "00080061": {"vr": "CS", "Value": ["CT", "SR"]}, "00201208": {"vr": "IS", "Value": [12]}, "00080050": {"vr": "SH"},
        "bogus": {"Value": ["x"]}, "0010002": {"Value": ["x"]}, "00100020": 7, "00081140": {"vr": "SQ", "Value": [{}]}}])");
    ASSERT_TRUE(answers.ok()) << answers.error().message;
    ASSERT_EQ(answers->size(), 1u);
    EXPECT_EQ(answers->front(), (Attributes{{tag::patient_name, "DOE^JANE"}, {tag::modalities_in_study, "CT\\SR"}, {tag::instances_in_study, "12"}, {0x0008'1140, ""}}));
}

TEST(AttributesOfJson, HostileTextIsRefusedOrPassedOver)
{
    for (const char* bad : {"", "[", "{}", "[1]", "[null]", "[{}, 3]", "nonsense", "[{\"00100010\": }]", "[{}]x"}) EXPECT_FALSE(attributes_of_json(bad).ok()) << bad;
    const std::string deep(2'000'000, '[');
    EXPECT_FALSE(attributes_of_json(deep).ok());
    EXPECT_FALSE(attributes_of_json(deep + std::string(2'000'000, ']')).ok());
    const auto empty = attributes_of_json("[]");
    ASSERT_TRUE(empty.ok());
    EXPECT_TRUE(empty->empty());
}

TEST(StowAnswer, CountsWhatWasStoredAndNamesWhatWasNot)
{
    const auto mixed = stow_answer_of_json(R"({"00081199": {"vr": "SQ", "Value": [{"00081196": {"vr": "US", "Value": [45056]}}]},
        "00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [42752]}}]}})");
    ASSERT_TRUE(mixed.ok());
    EXPECT_EQ(mixed->stored, 1u);
    EXPECT_THAT(mixed->failures, ElementsAre(0xA700));
    EXPECT_THAT(mixed->warnings, ElementsAre(0xB000));
    const auto nothing = stow_answer_of_json("{}");
    ASSERT_TRUE(nothing.ok());
    EXPECT_EQ(nothing->stored, 0u);
    EXPECT_FALSE(stow_answer_of_json("<html>").ok());
    EXPECT_EQ(stow_answer_of_json(R"({"00081199": {"Value": 3}, "00081198": {"Value": [null, {"00081197": 3}]}})")->failures.size(), 0u);
}

TEST(StatusWords, AreThoseOfTheStandard)
{
    EXPECT_EQ(status_words(0x0000), "success");
    EXPECT_EQ(status_words(0x0122), "refused: SOP class not supported (0x0122)");
    EXPECT_EQ(status_words(0xA7FF), "refused: out of resources (0xA7FF)");
    EXPECT_THAT(status_words(0xA801), HasSubstr("move destination unknown"));
    EXPECT_EQ(status_words(0xC123), "failed: the peer cannot process it (0xC123)");
    EXPECT_EQ(status_words(0x1234), "failed: unknown status (0x1234)");
}

TEST(IsStored, OnlyForSuccessAndTheWarningsOfStorage)
{
    int stored = 0;
    for (int status = 0; status <= 0xFFFF; ++status) stored += is_stored(static_cast<std::uint16_t>(status));
    EXPECT_EQ(stored, 4) << "0000, B000, B006, B007 (PS3.4 B.2.3)";
    EXPECT_FALSE(is_stored(0xFF00)) << "pending";
}

}  // namespace
}  // namespace retromass::pacs

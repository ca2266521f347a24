#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/run/run.h"
#include "tests/support/scratch.h"

namespace retromass::run {
namespace {

using testing::HasSubstr;

constexpr const char* kCase = R"(
case: RPS-001
timepoints:
  - {id: first, ct: ct/first, new_lesions: none, reader: R1}
  - {id: second, ct: ct/second, reader: R1}
treatments:
  - {kind: surgery, date: 2013-02-05, lesions: [T1], note: debulking}
  - {kind: systemic, line: 1, start: 2013-03-24, agents: [doxorubicin, ifosfamide]}
events: [{kind: last-contact, date: 2014-09-01}]
lesions:
  - id: T1
    role: target
    site: retroperitoneum
    timepoints:
      first: {line: [[-80, 18, 110], [35, 22, 110]], extent: [[0, 0, 200], [0, 0, 20]]}
      second: {status: absent, reader: R1, date: 2013-07-05}
response: {primary: recist-1.1, policies: {local_therapy: keep}}
)";

/// The case with one piece of text replaced by another, so that each test breaks one thing by name.
std::string with(const std::string& what, const std::string& instead)
{
    std::string text = kCase;
    const auto found = text.find(what);
    EXPECT_NE(found, std::string::npos) << what;
    return text.replace(found, what.size(), instead);
}

std::string refusal_of(const std::string& text)
{
    const test::Scratch scratch;
    const auto read = read_case(scratch.write("case.yaml", text));
    if (read.ok()) return "accepted";
    EXPECT_EQ(read.error().code, Code::case_file);
    return read.error().message;
}

}  // namespace

TEST(ReadCase, RefusesTrackingUidsThatAreNoUidsOrNameTwoLesions)
{
    EXPECT_THAT(refusal_of(with("role: target", "role: target\n    tracking_uid: T1-uid")), HasSubstr("'T1-uid' is no UID"));
    EXPECT_THAT(refusal_of(with("role: target", "role: target\n    tracking_uid: 1.2." + std::string(61, '3'))), HasSubstr("64 characters"));
    const std::string two = "role: target\n    tracking_uid: 1.2.3\n  - id: T2\n    tracking_uid: 1.2.3\n    role: target";
    EXPECT_THAT(refusal_of(with("role: target", two)), HasSubstr("'T1' and 'T2' have one tracking_uid"));
}

TEST(ReadCase, TakesADescriptionInKnownWordsOnly)
{
    const auto described = [](const std::string& words) { return with("extent: [[0, 0, 200], [0, 0, 20]]}", "description: {" + words + "}}"); };
    const test::Scratch scratch;
    const auto read = read_case(scratch.write("case.yaml", described("relation: [{abuts: left kidney}, {encases: aorta}], texture: fatty, hydronephrosis: left, ascites: none")));
    ASSERT_TRUE(read.ok()) << read.error().message;
    const auto& said = *read->lesions[0].timepoints.at("first").description;
    ASSERT_EQ(said.relations.size(), 2U);
    EXPECT_EQ(said.relations[1].kind, "encases");
    EXPECT_EQ(said.relations[1].structure, "aorta");
    EXPECT_EQ(said.texture + "/" + said.hydronephrosis + "/" + said.ascites, "fatty/left/none");
    EXPECT_THAT(refusal_of(described("relation: [{abut: left kidney}]")), HasSubstr("did you mean 'abuts'"));
    EXPECT_THAT(refusal_of(described("relation: {abuts: left kidney}")), HasSubstr("relation is a list"));
    EXPECT_THAT(refusal_of(described("hydronephrosis: lefft")), HasSubstr("did you mean 'left'"));
    EXPECT_THAT(refusal_of(described("ascitis: none")), HasSubstr("did you mean 'ascites'"));
    EXPECT_THAT(refusal_of(described("")), HasSubstr("says nothing"));
}

TEST(ReadCase, RefusesStatementsOnAPartBeforeTheSplit)
{
    // They would count nowhere: until the split the whole lesion does.
    const std::string split = "second: {split_into: [T1a, T1b]}\n  - {id: T1a, timepoints: {first: {status: present}, second: {status: present}}}\n  - {id: T1b}";
    EXPECT_THAT(refusal_of(with("second: {status: absent, reader: R1, date: 2013-07-05}", split)), HasSubstr("'T1a', a part of 'T1', is stated at 'first', before the split at 'second'"));
    const std::string later = "second: {split_into: [T1a, T1b]}\n  - {id: T1a, timepoints: {second: {status: present}}}\n  - {id: T1b}";
    EXPECT_EQ(refusal_of(with("second: {status: absent, reader: R1, date: 2013-07-05}", later)), "accepted");
}

TEST(ReadCase, TakesTimePointsTreatmentsPromptsAndPolicies)
{
    const test::Scratch scratch;
    const auto read = read_case(scratch.write("case.yaml", kCase));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read->case_id, "RPS-001");
    ASSERT_EQ(read->timepoints.size(), 2u);
    EXPECT_EQ(read->timepoints[0].new_lesions, response::NewLesions::none);
    EXPECT_FALSE(read->timepoints[1].new_lesions.has_value()) << "silence is not 'none'";
    ASSERT_EQ(read->treatments.size(), 2u);
    EXPECT_EQ(read->treatments[0].start, parse_date("2013-02-05"));
    EXPECT_EQ(read->treatments[1].line, 1);
    const auto& lesion = read->lesions.at(0);
    EXPECT_EQ(lesion.lesion.organ, "retroperitoneum");
    ASSERT_EQ(lesion.timepoints.at("first").prompt.lines.size(), 1u);
    EXPECT_EQ(lesion.timepoints.at("first").prompt.lines[0].b.x, 35);
    EXPECT_TRUE(lesion.timepoints.at("first").prompt.extent.has_value());
    EXPECT_EQ(lesion.timepoints.at("second").status, response::LesionStatus::absent);
    EXPECT_EQ(read->policies.at("local_therapy"), "keep");
}

TEST(ReadCase, NamesTheNearestKeyAndTheLineOfAnUnknownOne)
{
    const auto message = refusal_of(with("site:", "sight:"));
    EXPECT_THAT(message, HasSubstr("line 13"));
    EXPECT_THAT(message, HasSubstr("'sight'"));
    EXPECT_THAT(message, HasSubstr("'site'"));
}

TEST(ReadCase, RefusesAReadersStatementWithoutReaderAndDate)
{
    EXPECT_THAT(refusal_of(with("status: absent, reader: R1, date: 2013-07-05", "status: absent")), HasSubstr("reader and date"));
    EXPECT_THAT(refusal_of(with("status: absent, reader: R1, date: 2013-07-05", "status: too-small, reader: R1")), HasSubstr("reader and date"));
}

TEST(ReadCase, RefusesWhatCannotBeMeant)
{
    EXPECT_THAT(refusal_of(with("2013-02-05", "2013-02-30")), HasSubstr("not a date"));
    EXPECT_THAT(refusal_of(with("second: {", "secnd: {")), HasSubstr("did you mean 'second'"));
    EXPECT_THAT(refusal_of(with("lesions: [T1]", "lesions: [T9]")), HasSubstr("'T9'"));
    EXPECT_THAT(refusal_of(with("id: second", "id: first")), HasSubstr("stands twice"));
    EXPECT_THAT(refusal_of(with("[35, 22, 110]", "[35, 22]")), HasSubstr("point"));
    EXPECT_THAT(refusal_of(with("[35, 22, 110]", "[35, 22, .nan]")), HasSubstr("finite"));
    EXPECT_THAT(refusal_of(with("local_therapy: keep", "local_therapy: perhaps")), HasSubstr("local_therapy"));
    EXPECT_THAT(refusal_of(with("kind: surgery", "kind: surgry")), HasSubstr("'surgery'"));
    EXPECT_THAT(refusal_of(with("case: RPS-001", "")), HasSubstr("'case'"));
    EXPECT_THAT(refusal_of("case: [1, 2"), HasSubstr("line"));
    EXPECT_THAT(refusal_of("just a text"), HasSubstr("map"));
}

TEST(ReadCase, TakesMarksAndPriorsAsPromptsAndRefusesHalfOfThem)
{
    const std::string line = "line: [[-80, 18, 110], [35, 22, 110]]";
    const test::Scratch scratch;
    const auto read = read_case(scratch.write("case.yaml", with(line, "marks: sr.dcm, mark: 1.2.3")));
    ASSERT_TRUE(read.ok()) << read.error().message;
    const auto& first = read->lesions[0].timepoints.at("first");
    EXPECT_TRUE(first.has_prompt);
    EXPECT_EQ(first.marks_file + " " + first.mark, "sr.dcm 1.2.3");
    EXPECT_EQ(refusal_of(with(line, "prior: seg.dcm, label: T1")), "accepted");
    EXPECT_THAT(refusal_of(with(line, line + ", mark: T1")), HasSubstr("mark names one"));
    EXPECT_THAT(refusal_of(with(line, line + ", label: T1")), HasSubstr("label names one"));
    EXPECT_THAT(refusal_of(with(line, line + ", marks: sr.dcm")), HasSubstr("either lines or"));
    EXPECT_THAT(refusal_of(with(line, "marks: sr.dcm, mask: m.nii.gz")), HasSubstr("either a prompt or a mask"));
}

TEST(ReadCase, ChoosesCriteriaAndRefusesAnUnknownOne)
{
    const test::Scratch scratch;
    const auto read = read_case(scratch.write("case.yaml", with("primary: recist-1.1", "primary: volume, criteria: [choi, who]")));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read->primary, "volume");
    EXPECT_EQ(read->criteria, (std::vector<std::string>{"choi", "who"}));
    EXPECT_THAT(refusal_of(with("primary: recist-1.1", "primary: choy")), HasSubstr("did you mean 'choi'"));
    EXPECT_THAT(refusal_of(with("primary: recist-1.1", "criteria: [mrecist]")), HasSubstr("criterion 'mrecist' is not known"));
}

TEST(ReadCase, TakesImmunotherapyIntervalsNodulesAndSplits)
{
    const test::Scratch scratch;
    auto text = with("agents: [doxorubicin, ifosfamide]", "immunotherapy: true");
    const std::string first = "extent: [[0, 0, 200], [0, 0, 20]]}";
    text.replace(text.find(first), first.size(), "interval_mm: [110, 120.5], interval_hu: [-5, 12.5], nodule: true}");
    text.replace(text.find("{status: absent, reader: R1, date: 2013-07-05}"), 46, "{split_into: [T1a, T1b]}");
    text.replace(text.find("response:"), 9, "  - {id: T1a}\n  - {id: T1b}\nresponse:");
    const auto read = read_case(scratch.write("case.yaml", text));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_TRUE(read->treatments.at(1).immunotherapy);
    EXPECT_EQ(read->lesions.at(0).timepoints.at("first").interval_mm->high, 120.5);
    EXPECT_EQ(read->lesions.at(0).timepoints.at("first").interval_hu->low, -5);
    EXPECT_EQ(read->lesions.at(0).timepoints.at("first").interval_hu->high, 12.5);
    EXPECT_TRUE(read->lesions.at(0).timepoints.at("first").nodule);
    EXPECT_EQ(read->lesions.at(0).timepoints.at("second").split_into.size(), 2u);
    EXPECT_THAT(refusal_of(with("{status: absent, reader: R1, date: 2013-07-05}", "{split_into: [T7, T8]}")), HasSubstr("'T7', which is no other lesion"));
    EXPECT_THAT(refusal_of(with("extent: [[0, 0, 200], [0, 0, 20]]}", "interval_mm: [120, 110]}")), HasSubstr("the lower one first"));
    EXPECT_THAT(refusal_of(with("extent: [[0, 0, 200], [0, 0, 20]]}", "interval_hu: [60, 50]}")), HasSubstr("interval_hu holds two HU, the lower one first"));
    EXPECT_THAT(refusal_of(with("extent: [[0, 0, 200], [0, 0, 20]]}", "interval_hu: 50}")), HasSubstr("interval_hu is [low, high]"));
}

}  // namespace retromass::run

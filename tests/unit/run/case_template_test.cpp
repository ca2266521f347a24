#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/run/run.h"
#include "tests/support/dicom_builder.h"
#include "tests/support/scratch.h"

namespace retromass::run {
namespace {

using test::DicomBuilder;
using testing::HasSubstr;

constexpr const char* kOneBall = R"(
match: {BodyPartExamined: ABDOMEN, StudyDescription: "*mass*"}
lesions:
  - id: T1
    role: target
    site: retroperitoneum
response: {primary: recist-1.1}
)";

CaseTemplate one_template(const std::string& text)
{
    const test::Scratch scratch;
    scratch.write("one.yaml", text);
    const auto read = read_templates(scratch.path());
    EXPECT_TRUE(read.ok()) << read.error().message;
    return read.ok() && !read->empty() ? read->front() : CaseTemplate{};
}

std::string refusal_of(const std::string& text)
{
    const test::Scratch scratch;
    scratch.write("one.yaml", text);
    const auto read = read_templates(scratch.path());
    return read.ok() ? "accepted" : read.error().message;
}

bool matches(const std::string& match, const TagValues& values)
{
    const std::vector<CaseTemplate> all{one_template("match: " + match)};
    return template_for(all, values) != nullptr;
}

/// A study of 22 slices with UIDs of its own.
DicomBuilder study(const std::string& uid, const std::string& date)
{
    auto out = DicomBuilder::ct_series(22);
    out.each([&](test::BuiltImage& image, int k) { image.text(0x00080018, "UI", uid + ".9." + std::to_string(k + 1)); });
    out.with(0x00080020, "DA", date).with(0x0020000D, "UI", uid).with(0x0020000E, "UI", uid + ".1").with(0x00200052, "UI", uid + ".2");
    return out;
}

/// The case as it grows: studies come one by one, and the file is read as `run` reads it.
class GrowingCase : public testing::Test {
protected:
    ComposedCase with(const DicomBuilder& came, const std::string& folder)
    {
        folders_.push_back(came.write_to(scratch_.path() / folder));
        const auto scan = ingest::scan(folders_);
        EXPECT_TRUE(scan.ok());
        DraftParameters drafting;
        drafting.case_id = "P-7";
        drafting.folder = scratch_.path();
        const auto composed = compose_case(*scan, template_, known_, drafting);
        EXPECT_TRUE(composed.ok()) << composed.error().message;
        known_ = composed->text;
        return *composed;
    }
    CaseFile read()
    {
        const auto read = read_case(scratch_.write("case.yaml", known_));
        EXPECT_TRUE(read.ok()) << read.error().message << known_;
        return *read;
    }
    void reader_states(const std::string& what, const std::string& instead)
    {
        const auto found = known_.find(what);
        ASSERT_NE(found, std::string::npos) << known_;
        known_.replace(found, what.size(), instead);
    }
    test::Scratch scratch_;
    std::vector<std::filesystem::path> folders_;
    CaseTemplate template_ = one_template(kOneBall);
    std::string known_;
};

std::vector<std::string> ids(const CaseFile& file)
{
    std::vector<std::string> out;
    for (const auto& timepoint : file.timepoints) out.push_back(timepoint.id);
    return out;
}

}  // namespace

TEST(TemplateFor, AllTagsOfARuleHoldAndOneRuleIsEnough)
{
    EXPECT_TRUE(matches("{StudyDescription: \"CT*mass?\"}", {{"StudyDescription", {"ct abdomen, MASS2"}}}));
    EXPECT_FALSE(matches("{StudyDescription: \"CT*mass?\"}", {{"StudyDescription", {"ct abdomen, mass"}}}));
    EXPECT_FALSE(matches("{StudyDescription: mass}", {{"StudyDescription", {"a mass"}}})) << "the whole value counts";
    EXPECT_TRUE(matches("{Modality: CT}", {{"Modality", {"SR", "CT"}}})) << "one series that fits is enough";
    EXPECT_FALSE(matches("{Modality: CT, CallingAE: \"CT?\"}", {{"Modality", {"CT"}}, {"CallingAE", {"WARD"}}}));
    EXPECT_FALSE(matches("{Modality: CT, CallingAE: \"*\"}", {{"Modality", {"CT"}}})) << "a tag that is not there fits nothing";
    EXPECT_TRUE(matches("[{Modality: MR}, {CallingAE: \"*1\"}]", {{"Modality", {"CT"}}, {"CallingAE", {"CT1"}}}));
    EXPECT_TRUE(matches("{PatientID: \"**a*b*\"}", {{"PatientID", {"xaxbx"}}}));
    EXPECT_FALSE(matches("{PatientID: \"*a*b\"}", {{"PatientID", {"xaxbx"}}}));
}

TEST(TemplateFor, TheFirstByNameOfSeveralIsTaken)
{
    const test::Scratch scratch;
    for (const char* name : {"20-second.yaml", "10-first.yaml", "30-third.yml"}) scratch.write(name, "match: {Modality: CT}");
    scratch.write("notes.txt", "no template");
    const auto read = read_templates(scratch.path());
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->size(), 3u);
    EXPECT_EQ(template_for(*read, {{"Modality", {"CT"}}})->name, "10-first");
}

TEST(ReadTemplates, RefusesWhatWouldTakeEveryStudyOrStatesATimePoint)
{
    EXPECT_THAT(refusal_of("lesions: []"), HasSubstr("needs match"));
    EXPECT_THAT(refusal_of("match: {}"), HasSubstr("every study"));
    EXPECT_THAT(refusal_of("match: {Modality: CT}\ntimepoints: []"), HasSubstr("timepoints"));
    EXPECT_THAT(refusal_of("match: {Modality: CT}\ncase: P-1"), HasSubstr("case"));
    EXPECT_THAT(refusal_of("match: [{Modality: CT"), HasSubstr("line"));
    EXPECT_FALSE(read_templates("/no/such/folder").ok());
}

TEST_F(GrowingCase, ALesionNobodyPointedAtIsMissingUntilAReaderSpeaks)
{
    EXPECT_THAT(with(study("1.2.1", "20200102"), "a").missing, testing::ElementsAre("T1 at 2020-01-02"));
    EXPECT_EQ(read().case_id, "P-7");
    EXPECT_EQ(read().lesions.front().lesion.site, "retroperitoneum");
    reader_states("site: retroperitoneum", "site: retroperitoneum\n    timepoints: {\"2020-01-02\": {point: [-7, 23, -80]}}");
    EXPECT_THAT(with(study("1.2.2", "20200301"), "b").missing, testing::ElementsAre("T1 at 2020-03-01"));
    reader_states("timepoints: {2020", "timepoints: {2020-03-01: {status: absent, reader: R1, date: 2020-03-02}, 2020");
    EXPECT_THAT(with(study("1.2.2", "20200301"), "b").missing, testing::IsEmpty());
}

TEST_F(GrowingCase, StudiesTakeTheirPlaceByDateAndWhatAReaderStatedStays)
{
    template_ = one_template("match: {Modality: CT}\nlesions: [{id: T1, timepoints: {\"*\": {point: [-7, 23, -80]}}}]");
    EXPECT_THAT(with(study("1.2.2", "20200301"), "b").missing, testing::IsEmpty());
    reader_states("ct: b", "ct: b\n    new_lesions: none\n    reader: R1");
    with(study("1.2.3", "20200601"), "c");
    with(study("1.2.1", "20200102"), "a");
    const auto file = read();
    EXPECT_THAT(ids(file), testing::ElementsAre("2020-01-02", "2020-03-01", "2020-06-01"));
    EXPECT_EQ(file.timepoints[1].new_lesions, response::NewLesions::none);
    EXPECT_EQ(file.timepoints[1].series_uid, "1.2.2.1");
    EXPECT_EQ(file.lesions.front().timepoints.size(), 3u) << "a standing prompt is one for each study";
    const auto before = known_;
    with(study("1.2.3", "20200601"), "c");
    EXPECT_EQ(known_, before) << "the same studies give the same case";
}

TEST_F(GrowingCase, TwoStudiesOfOneDayStayApartInWhateverOrderTheyCome)
{
    template_ = one_template("match: {Modality: CT}\nlesions: [{id: T1, timepoints: {\"*\": {point: [-7, 23, -80]}}}]");
    with(study("1.2.2", "20200301"), "b");
    with(study("1.2.1", "20200301"), "a");
    const auto file = read();
    ASSERT_EQ(file.timepoints.size(), 2u);
    EXPECT_NE(file.timepoints[0].id, file.timepoints[1].id);
    EXPECT_EQ(file.timepoints[1].series_uid, "1.2.2.1");
    EXPECT_EQ(file.timepoints[1].id, "2020-03-01") << "a time point keeps its name";
}

TEST_F(GrowingCase, TakesTheSeriesThatItsProtocolAsksFor)
{
    // Two series of one study; the program by itself takes soft tissue.
    const auto under_protocol = one_template("match: {Modality: CT}\nprotocol: protocol.yaml\nlesions: [{id: T1, site: liver}]\n");  // it empties the folder
    auto sharp = study("1.2.1", "20200102").with(0x0020000E, "UI", "1.2.1.7").with(0x00181210, "SH", "B70f");
    sharp.each([](test::BuiltImage& image, int k) { image.text(0x00080018, "UI", "1.2.1.8." + std::to_string(k + 1)); });
    folders_.push_back(sharp.write_to(scratch_.path() / "sharp"));
    const auto soft = study("1.2.1", "20200102").with(0x00181210, "SH", "B30f");
    with(soft, "soft");
    EXPECT_EQ(read().timepoints.at(0).series_uid, "1.2.1.1");
    scratch_.write("protocol.yaml", "protocol: TRIAL-1\nversion: 1\nseries: [sharp]\n");
    template_ = under_protocol;
    known_.clear();
    folders_.pop_back();
    with(soft, "soft");
    const auto file = read();
    EXPECT_EQ(file.timepoints.at(0).series_uid, "1.2.1.7");
    ASSERT_TRUE(file.protocol);
    EXPECT_EQ(file.protocol->id, "TRIAL-1");
}

TEST_F(GrowingCase, StudiesOfTwoPatientsAreNoCase)
{
    with(study("1.2.1", "20200102").with(0x00100030, "DA", "19500101"), "a");
    const auto other = study("1.2.2", "20200301").with(0x00100030, "DA", "19600101").write_to(scratch_.path() / "b");
    const auto scan = ingest::scan({folders_.front(), other});
    ASSERT_TRUE(scan.ok());
    const auto composed = compose_case(*scan, template_, known_, {});
    ASSERT_FALSE(composed.ok());
    EXPECT_EQ(composed.error().code, Code::different_patient);
}

}  // namespace retromass::run

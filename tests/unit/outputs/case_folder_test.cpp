#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "pipeline/outputs/outputs.h"
#include "tests/support/scratch.h"
#include "tests/unit/outputs/sample_case.h"

namespace retromass {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::string text_of(const fs::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> entries_of(const fs::path& folder)
{
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
}

outputs::WriteParameters declared()
{
    outputs::WriteParameters parameters;
    parameters.command = "retromass run case.yaml";
    parameters.timestamp = "2020-09-13T12:26:40Z";
    return parameters;
}

TEST(WriteCase, WritesWhatTheDesignLists)
{
    const test::Scratch scratch;
    const auto result = test::sample_case(scratch.path() / "ct", 8, 10);
    const auto out = scratch.path() / "out";
    const auto status = outputs::write_case(out, result, declared());
    ASSERT_TRUE(status.ok()) << status.error().message;
    EXPECT_THAT(entries_of(out), testing::ElementsAre("case.json", "dicom", "events.jsonl", "images", "masks", "measurements.csv", "provenance.json", "report.html", "report.pdf", "response.csv", "spider.csv", "waterfall.csv"));
    EXPECT_THAT(entries_of(out / "masks"), testing::Contains("day-38-T1.nii.gz"));
    EXPECT_THAT(entries_of(out / "dicom"), testing::Contains("day-38-seg.dcm"));
    EXPECT_EQ(entries_of(out / "images").size(), 24U);
    EXPECT_THAT(entries_of(scratch.path()), testing::ElementsAre("ct", "out"));

    const auto written = json::parse(text_of(out / "case.json"));
    EXPECT_EQ(written["schema"], "retromass/1");
    const auto& unseen = written["timepoints"][4]["lesions"][0];
    EXPECT_EQ(unseen["status"], "not-evaluable");
    EXPECT_TRUE(unseen["long_axis_mm"].is_null());
    EXPECT_EQ(written["timepoints"][2]["lesions"][0]["review_state"], "unreviewed");
    EXPECT_TRUE(written["alternatives"].contains("local_therapy=censor"));

    const auto provenance = json::parse(text_of(out / "provenance.json"));
    EXPECT_EQ(provenance["timestamp"], declared().timestamp);
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(out)) files += entry.is_regular_file() && entry.path().filename() != "provenance.json";
    EXPECT_EQ(provenance["outputs"].size(), files);
    for (const auto& output : provenance["outputs"]) EXPECT_EQ(output["sha256"], *outputs::sha256_of_file(out / output["file"].get<std::string>()));

    std::istringstream events(text_of(out / "events.jsonl"));
    for (std::string line; std::getline(events, line);) EXPECT_FALSE(json::parse(line)["event"].get<std::string>().empty());
}

TEST(WriteCase, WritesTheSameBytesTwice)
{
    const test::Scratch scratch;
    const auto result = test::sample_case(scratch.path() / "ct", 8, 10);
    for (const char* name : {"a", "b"}) ASSERT_TRUE(outputs::write_case(scratch.path() / name, result, declared()).ok());
    for (const auto& entry : fs::recursive_directory_iterator(scratch.path() / "a")) {
        if (!entry.is_regular_file()) continue;
        EXPECT_EQ(*outputs::sha256_of_file(entry.path()), *outputs::sha256_of_file(scratch.path() / "b" / entry.path().lexically_relative(scratch.path() / "a"))) << entry.path();
    }
}

TEST(WriteCase, HasTheSurfacesThatWereAskedForInListReportAndLog)
{
    const test::Scratch scratch;
    const auto out = scratch.path() / "out";
    auto parameters = declared();
    std::vector<std::string> wanted;
    parameters.draw_surfaces = [&](const outputs::CaseResult&, const std::vector<outputs::SurfaceFile>& files) -> Status {
        for (const auto& surface : files) {
            wanted.push_back(surface.timepoint + " " + surface.lesion);
            fs::copy_file(surface.file.parent_path() / "day-38-T1-axial.png", surface.file);
        }
        return Done{};
    };
    ASSERT_TRUE(outputs::write_case(out, test::sample_case(scratch.path() / "ct", 8, 10), parameters).ok());
    EXPECT_EQ(wanted.size(), 4U);  // the fifth time point has no mask
    EXPECT_THAT(wanted, testing::Contains("day-38 T1"));
    EXPECT_THAT(entries_of(out / "images"), testing::Contains("day-38-T1-surface.png"));
    EXPECT_THAT(text_of(out / "provenance.json"), HasSubstr("images/day-38-T1-surface.png"));
    EXPECT_THAT(text_of(out / "events.jsonl"), HasSubstr("surfaces-drawn"));
    EXPECT_THAT(text_of(out / "report.html"), HasSubstr("surface of lesion T1 at day-38 in 3-D"));
    EXPECT_TRUE(outputs::audit_case(out)->faults.empty());
}

TEST(WriteCase, IsWholeWithoutSurfacesThatCannotBeDrawnAndSaysWhy)
{
    const test::Scratch scratch;
    const auto out = scratch.path() / "out";
    auto parameters = declared();
    parameters.draw_surfaces = [](const outputs::CaseResult&, const std::vector<outputs::SurfaceFile>& files) -> Status {
        std::ofstream(files[0].file) << "half a pic";
        return Error{Code::no_display, "no <screen>", "test"};
    };
    const auto notices = outputs::write_case(out, test::sample_case(scratch.path() / "ct", 8, 10), parameters);
    ASSERT_TRUE(notices.ok());
    ASSERT_EQ(notices->size(), 1U);
    EXPECT_EQ((*notices)[0].code, Code::no_display);
    EXPECT_EQ(entries_of(out / "images").size(), 24U);
    EXPECT_THAT(text_of(out / "report.html"), HasSubstr("left out: no &lt;screen&gt;."));
    EXPECT_TRUE(outputs::audit_case(out)->faults.empty());
}

TEST(WriteCase, RefusesAFolderThatExistsUnlessOverwritingACase)
{
    const test::Scratch scratch;
    const auto result = test::sample_case(scratch.path() / "ct", 8, 10);
    const auto out = scratch.path() / "out";
    auto parameters = declared();
    ASSERT_TRUE(outputs::write_case(out, result, parameters).ok());
    EXPECT_EQ(outputs::write_case(out, result, parameters).error().code, Code::output_exists);
    parameters.overwrite = true;
    std::ofstream(out / "old") << "left over";
    ASSERT_TRUE(outputs::write_case(out, result, parameters).ok());
    EXPECT_FALSE(fs::exists(out / "old"));

    auto other = result;
    other.case_id = "RPS-002";  // its report would name this patient's as the one it replaces
    EXPECT_EQ(outputs::write_case(out, other, parameters).error().code, Code::output_exists);

    fs::create_directory(scratch.path() / "thesis");
    std::ofstream(scratch.path() / "thesis" / "chapter") << "years of work";
    EXPECT_EQ(outputs::write_case(scratch.path() / "thesis", result, parameters).error().code, Code::output_exists);
    EXPECT_EQ(text_of(scratch.path() / "thesis" / "chapter"), "years of work");
}

TEST(WriteCase, ThatFailsLeavesNothingBehindAndTheOldCaseWhole)
{
    const test::Scratch scratch;
    auto result = test::sample_case(scratch.path() / "ct", 8, 10);
    const auto out = scratch.path() / "out";
    ASSERT_TRUE(outputs::write_case(out, result, declared()).ok());
    const auto before = text_of(out / "case.json");
    result.timepoints[3].ct->slices[0].file = scratch.path() / "gone.dcm";
    auto parameters = declared();
    parameters.overwrite = true;
    EXPECT_FALSE(outputs::write_case(out, result, parameters).ok());
    const auto cancelled = outputs::write_case(out, result, parameters, [](std::string_view, double fraction) { return fraction < 0.5; });
    EXPECT_EQ(cancelled.error().code, Code::cancelled);
    EXPECT_EQ(text_of(out / "case.json"), before);
    EXPECT_THAT(entries_of(scratch.path()), testing::ElementsAre("ct", "out"));
}

TEST(WriteCase, FailsWhereTheSegGivesOtherNumbersThanRecorded)
{
    const test::Scratch scratch;
    auto result = test::sample_case(scratch.path() / "ct", 8, 10);
    result.timepoints[2].lesions[0].measurements->long_axis.exact_mm += 0.5;
    const auto status = outputs::write_case(scratch.path() / "out", result, declared());
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Code::verification_failed);
    EXPECT_FALSE(fs::exists(scratch.path() / "out"));
}

TEST(Report, StandsAloneAndEscapesEveryText)
{
    const test::Scratch scratch;
    ASSERT_TRUE(outputs::write_case(scratch.path() / "out", test::sample_case(scratch.path() / "ct", 8, 10), declared()).ok());
    const auto page = text_of(scratch.path() / "out" / "report.html");
    EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
    EXPECT_THAT(page, Not(HasSubstr("<b>&\"bold")));
    EXPECT_THAT(page, Not(HasSubstr("<i>radiotherapy")));
    EXPECT_THAT(page, HasSubstr("RPS-001 &lt;b&gt;&amp;&quot;bold&quot;"));
    EXPECT_THAT(page.substr(0, page.find("<script")), Not(HasSubstr("https:")));  // libraries name their homes in comments; the policy keeps the browser from going there
    EXPECT_THAT(page, HasSubstr("content=\"default-src 'none'"));
    EXPECT_THAT(page, Not(HasSubstr("src=\"images")));
    for (const char* wanted : {"UNREVIEWED", "SYNTHETIC", "not for clinical decisions without review", "Measurement intervals are not yet known", "not evaluable", "-63.6", "local_therapy=censor", "<svg"}) {
        EXPECT_THAT(page, HasSubstr(wanted));
    }
    std::size_t images = 0, alts = 0;
    for (std::size_t at = 0; (at = page.find("<img ", at)) != std::string::npos; ++at) ++images;
    for (std::size_t at = 0; (at = page.find("alt=\"", at)) != std::string::npos; ++at) alts += page[at + 5] != '"';
    EXPECT_EQ(images, 24U);  // three planes at four time points, as key images and as tiles
    EXPECT_EQ(alts, images);
    EXPECT_THAT(page, Not(HasSubstr(declared().command)));  // the page is the same however the run was started
}

}  // namespace
}  // namespace retromass

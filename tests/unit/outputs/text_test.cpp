#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "pipeline/outputs/outputs.h"
#include "pipeline/outputs/words.h"
#include "tests/support/scratch.h"
#include "tests/unit/outputs/sample_case.h"

namespace retromass {
namespace {

using nlohmann::json;

measurement::LesionMeasurements some_measurements()
{
    measurement::LesionMeasurements m;
    m.long_axis = {220.04, Length{22000}, {1, 2, 3}, {221, 2, 3}, 7};
    m.short_axis.recorded = Length{14010};
    m.craniocaudal.recorded = Length{23000};
    m.volume_ml = 3709.1736;
    m.recorded_volume_ml = 3709.17;
    m.notices.push_back({Code::several_components, "two parts"});
    return m;
}

TEST(MeasurementsJson, HoldsRecordedValuesWithIntervalsNotYetKnown)
{
    const auto out = json::parse(outputs::measurements_json("T1", some_measurements()));
    EXPECT_EQ(out["id"], "T1");
    EXPECT_EQ(out["long_axis_mm"], json::parse(R"({"value": 220.0, "low": null, "high": null})"));
    EXPECT_EQ(out["short_axis_mm"]["value"], 140.1);
    EXPECT_EQ(out["volume_ml"]["value"], 3709.17);
    EXPECT_EQ(out["endpoints_lps_mm"]["long_axis"], json::parse("[[1,2,3],[221,2,3]]"));
    EXPECT_TRUE(out["hu"].is_null());
    EXPECT_EQ(out["notices"][0]["code"], "several-components");
}

TEST(AssessmentJson, GivesCategoryRuleAndPfs)
{
    const test::Scratch scratch;
    const auto result = test::sample_case(scratch.path() / "ct", 8, 10);
    const auto out = json::parse(outputs::assessment_json(result.assessment));
    const auto& row = out["recist"][3];
    EXPECT_EQ(row["timepoint"], "after-5-cycles");
    EXPECT_EQ(row["line"], 1);
    EXPECT_EQ(row["overall"]["category"], "PR");
    EXPECT_EQ(row["overall"]["rule"], "RECIST 1.1 4.3.1");
    EXPECT_EQ(row["confirmed"], false);
    EXPECT_TRUE(out["recist"][0]["change_from_baseline_pct"].is_null());
    EXPECT_EQ(out["lines"][0]["pfs"]["event"], false);
    EXPECT_EQ(out["growth"][0]["notices"][0]["code"], "one-pair");
}

TEST(ResponseTable, IsAsciiAndNoWiderThan120)
{
    const test::Scratch scratch;
    auto result = test::sample_case(scratch.path() / "ct", 8, 10);
    result.case_id = "Fall \xC3\xA4 " + std::string(300, 'x');
    result.timepoints[0].id = std::string(200, 'y');
    const auto table = outputs::response_table(result);
    std::istringstream lines(table);
    for (std::string line; std::getline(lines, line);) {
        EXPECT_TRUE(line.size() <= 120 || line.find(' ') == std::string::npos || line.find("xxxx") != std::string::npos || line.find("yyyy") != std::string::npos) << line;
        for (const char c : line) EXPECT_TRUE(c >= 32 && c < 127) << line;
    }
    EXPECT_THAT(table, testing::HasSubstr("PR"));
    EXPECT_THAT(table, testing::HasSubstr("UNREVIEWED"));
    EXPECT_THAT(table, testing::HasSubstr("more than 17.3 months"));
    EXPECT_THAT(table, testing::HasSubstr("one-pair: one pair"));
    EXPECT_THAT(table, testing::HasSubstr("intervals are not yet known"));
}

TEST(ResponseTable, SaysAtLeastWhereTheLesionIsCutByTheScan)
{
    outputs::CaseResult result;
    outputs::TimepointResult timepoint;
    timepoint.id = "a";
    outputs::LesionResult lesion;
    lesion.lesion = "T1";
    lesion.measurements = some_measurements();
    timepoint.lesions.push_back(lesion);
    result.timepoints.push_back(timepoint);
    EXPECT_THAT(outputs::response_table(result), testing::Not(testing::HasSubstr(">= 220.0")));
    result.timepoints[0].lesions[0].notices.push_back({Code::truncated, "cut"});
    EXPECT_THAT(outputs::response_table(result), testing::HasSubstr(">= 220.0"));
}

TEST(CsvCell, IsQuotedOnlyWhereItMust)
{
    EXPECT_EQ(outputs::csv_cell("plain"), "plain");
    EXPECT_EQ(outputs::csv_cell("a,b"), "\"a,b\"");
    EXPECT_EQ(outputs::csv_cell("say \"x\"\n"), "\"say \"\"x\"\"\n\"");
}

TEST(FileNameOf, CannotLeaveTheFolder)
{
    EXPECT_EQ(outputs::file_name_of("day-38"), "day-38");
    for (const auto& bad : std::vector<std::string>{"../../etc", "a/b", "", ".", "..", "-rf", std::string(400, 'a')}) {
        const auto name = outputs::file_name_of(bad);
        EXPECT_EQ(name.find('/'), std::string::npos);
        EXPECT_NE(name.substr(0, 1), ".");
        EXPECT_LT(name.size(), 100U);
    }
    EXPECT_NE(outputs::file_name_of("a/b"), outputs::file_name_of("a:b"));
}

TEST(Base64, IsThatOfRfc4648)
{
    EXPECT_EQ(outputs::base64(""), "");
    EXPECT_EQ(outputs::base64("f"), "Zg==");
    EXPECT_EQ(outputs::base64("fo"), "Zm8=");
    EXPECT_EQ(outputs::base64("foob"), "Zm9vYg==");
    EXPECT_EQ(outputs::base64("foobar"), "Zm9vYmFy");
}

TEST(SumText, OfNothingMeasuredIsNever0)
{
    response::RecistTimepoint row;
    row.partial_sum = Length{0};
    EXPECT_EQ(outputs::sum_text(row), "");
    row.partial_sum = Length{4210};
    EXPECT_EQ(outputs::sum_text(row), ">= 42.1");
    row.sum = Length{0};  // complete response: every target absent
    EXPECT_EQ(outputs::sum_text(row), "0.0");
}

TEST(ReviewState, IsUnreviewedWhileOneLesionIs)
{
    outputs::TimepointResult timepoint;
    timepoint.lesions.resize(2);
    timepoint.lesions[0].review_state = "accepted";
    EXPECT_EQ(outputs::review_state_of(timepoint), "unreviewed");
    timepoint.lesions[1].review_state = "edited";
    EXPECT_EQ(outputs::review_state_of(timepoint), "mixed");
    timepoint.lesions[1].review_state = "accepted";
    EXPECT_EQ(outputs::review_state_of(timepoint), "accepted");
}

}  // namespace
}  // namespace retromass

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "pipeline/outputs/outputs.h"
#include "pipeline/outputs/report.h"
#include "pipeline/outputs/words.h"

// Every criterion in the tables, the JSON and the report, from a patient that was really assessed.

namespace retromass {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

response::Observation sized(const char* mm, const char* short_mm, double volume_ml, double hu)
{
    response::Observation out;
    out.lesion = "T1";
    out.status = response::LesionStatus::measured;
    out.long_axis = Length::parse(mm);
    out.short_axis = Length::parse(short_mm);
    out.volume_ml = volume_ml;
    out.hu_mean = hu;
    out.length_mm = response::Interval{out.long_axis->as_mm() * 0.95, out.long_axis->as_mm() * 1.05};
    return out;
}

/// SD by RECIST 1.1, PR by Choi and volume; the second study in another phase at the end.
response::Patient patient()
{
    response::Patient out;
    out.id = "P <1>";
    out.lesions = {{"T1", response::Role::target, "liver", "liver", false}};
    const struct { const char* id; const char* date; response::Observation observation; const char* phase; } studies[] = {
        {"base", "2024-01-01", sized("100", "50", 100, 80), "portal-venous"},
        {"second", "2024-03-01", sized("91", "49", 34, 60), "portal-venous"},
        {"third", "2024-05-01", sized("125", "50", 40, 60), "arterial"}};
    for (const auto& study : studies) {
        response::Timepoint timepoint;
        timepoint.id = study.id;
        timepoint.date = parse_date(study.date);
        timepoint.new_lesions = response::NewLesions::none;
        timepoint.study.phase = study.phase;
        timepoint.study.kvp = 120;
        timepoint.study.image_kind = "attenuation";
        timepoint.observations = {study.observation};
        out.timepoints.push_back(timepoint);
    }
    return out;
}

response::Assessment assessed(const std::string& primary = "recist-1.1")
{
    response::Criteria criteria;
    criteria.primary = primary;
    auto result = response::assess(patient(), {}, criteria);
    RETROMASS_ASSERT(result.ok(), "the patient is complete");
    return std::move(result).value();
}

outputs::CaseResult case_of(const std::string& primary = "recist-1.1")
{
    outputs::CaseResult out;
    out.case_id = "P-1";
    out.assessment = assessed(primary);
    return out;
}

/// Rows of a CSV by column; no cell of these tests holds a line break.
std::vector<std::map<std::string, std::string>> rows_of(const std::string& csv)
{
    std::vector<std::vector<std::string>> lines;
    std::istringstream in(csv);
    for (std::string line; std::getline(in, line);) {
        std::vector<std::string> cells{""};
        bool quoted = false;
        for (std::size_t i = 0; i < line.size(); ++i) {
            if (line[i] == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') cells.back() += line[++i];
            else if (line[i] == '"') quoted = !quoted;
            else if (line[i] == ',' && !quoted) cells.emplace_back();
            else cells.back() += line[i];
        }
        lines.push_back(cells);
    }
    std::vector<std::map<std::string, std::string>> out;
    for (std::size_t l = 1; l < lines.size(); ++l) {
        EXPECT_EQ(lines[l].size(), lines[0].size()) << "row " << l;
        auto& row = out.emplace_back();
        for (std::size_t c = 0; c < lines[0].size() && c < lines[l].size(); ++c) row[lines[0][c]] = lines[l][c];
    }
    return out;
}

std::map<std::string, std::string> row_of(const std::string& csv, const std::string& criterion, const std::string& timepoint)
{
    for (const auto& row : rows_of(csv)) {
        if (row.at("criterion") == criterion && row.at("timepoint") == timepoint) return row;
    }
    return {};
}

TEST(ResponseCsv, HoldsEveryCriterionWithItsRoleValueAndReason)
{
    const auto csv = outputs::response_csv(case_of());
    EXPECT_EQ(row_of(csv, "recist-1.1", "second")["category"], "SD");
    EXPECT_EQ(row_of(csv, "recist-1.1", "second")["role"], "primary");
    const auto choi = row_of(csv, "choi", "second");
    EXPECT_EQ(choi.at("category"), "PR");
    EXPECT_EQ(choi.at("role"), "exploratory");
    EXPECT_EQ(choi.at("disagrees_with_primary"), "1");
    EXPECT_EQ(choi.at("day"), "60");
    const auto volume = row_of(csv, "volume", "second");
    EXPECT_EQ(volume.at("value"), "34.00");
    EXPECT_EQ(volume.at("unit"), "ml");
    EXPECT_EQ(volume.at("change_from_baseline_pct"), "-66.0");
    EXPECT_EQ(volume.at("sum_mm"), "") << "a volume is no sum of diameters";
    EXPECT_THAT(row_of(csv, "irecist", "").at("not_applicable"), HasSubstr("not stated as immunotherapy"));
    EXPECT_EQ(row_of(csv, "recist-1.1", "third")["compared_with_baseline"], "widened");
    EXPECT_EQ(row_of(csv, "recist-1.1", "third")["differences_from_baseline"], "phase portal-venous, then arterial (sizes widens, densities not-comparable)");
    EXPECT_NE(row_of(csv, "recist-1.1", "third")["repeats_differ"], "");
}

TEST(WaterfallCsv, GivesTheBestChangeUpToTheFirstProgression)
{
    const auto csv = outputs::waterfall_csv({assessed()});
    for (const auto& row : rows_of(csv)) {
        if (row.at("criterion") != "recist-1.1") continue;
        EXPECT_EQ(row.at("case"), "P <1>");
        EXPECT_EQ(row.at("best_change_pct"), "-9.0");
        EXPECT_EQ(row.at("best_change_timepoint"), "second");
        EXPECT_EQ(row.at("best_overall_response"), "SD");
        return;
    }
    FAIL() << "no row of RECIST 1.1";
}

TEST(SpiderCsv, StartsEachLineAtZeroOnItsBaseline)
{
    const auto csv = outputs::spider_csv({assessed()});
    EXPECT_EQ(row_of(csv, "recist-1.1", "base").at("change_from_baseline_pct"), "0.0");
    EXPECT_EQ(row_of(csv, "recist-1.1", "third").at("change_from_baseline_pct"), "+25.0");
    EXPECT_EQ(row_of(csv, "volume", "third").at("change_from_baseline_pct"), "-60.0");
    EXPECT_EQ(row_of(csv, "volume", "third").at("day"), "121");
}

TEST(AssessmentJson, HoldsCriteriaDisagreementsComparisonsAndRepeats)
{
    const auto out = json::parse(outputs::assessment_json(assessed()));
    EXPECT_EQ(out["primary"], "recist-1.1");
    bool found = false;
    for (const auto& period : out["criteria"]) {
        if (period["criterion"] != "choi") continue;
        found = true;
        EXPECT_EQ(period["role"], "exploratory");
        EXPECT_EQ(period["timepoints"][1]["decision"]["category"], "PR");
        EXPECT_TRUE(period["not_applicable"].is_null());
    }
    EXPECT_TRUE(found);
    EXPECT_EQ(out["disagreements"][0]["primary_category"], "SD");
    EXPECT_EQ(out["comparisons"][1]["size"], "widened");
    EXPECT_EQ(out["comparisons"][1]["differences"][0]["what"], "phase");
    EXPECT_TRUE(out["recist"][2]["repeats"]["differs"].is_number());
    EXPECT_EQ(out["recist"][2]["day"], 121);
    EXPECT_EQ(out["kinetics"][0]["points"], 3);
    EXPECT_TRUE(out["lines"][0]["ttp"]["event"]);
}

TEST(Report, ShowsTheOtherCriteriaAsExploratoryAndNamesWhereTheyDisagree)
{
    const auto page = outputs::html_of(outputs::report_document(case_of(), {}), {});
    ASSERT_TRUE(page.ok());
    EXPECT_THAT(*page, HasSubstr("Exploratory: other criteria"));
    EXPECT_THAT(*page, HasSubstr("second (no treatment line stated): Choi disagrees"));
    EXPECT_THAT(*page, HasSubstr("not applicable: no treatment line stated is not stated as immunotherapy"));
    EXPECT_THAT(*page, HasSubstr("phase: portal-venous, then arterial"));
    EXPECT_THAT(*page, HasSubstr("of 100 repeats"));
    EXPECT_THAT(*page, HasSubstr("RECIST 1.1 now"));
    EXPECT_THAT(*page, HasSubstr("Growth of the sum of diameters"));
}

TEST(Report, LeadsWithThePrimaryCriterion)
{
    const auto page = outputs::html_of(outputs::report_document(case_of("volume"), {}), {});
    ASSERT_TRUE(page.ok());
    EXPECT_THAT(*page, HasSubstr("volume now"));
    EXPECT_THAT(*page, HasSubstr("sum of volumes 40.00 ml"));
    EXPECT_THAT(*page, HasSubstr("primary is volume"));
    EXPECT_THAT(*page, Not(HasSubstr("RECIST 1.1 now")));
}

TEST(ResponseTable, ListsExploratoryCriteriaBelowRecist)
{
    const auto text = outputs::response_table(case_of());
    EXPECT_THAT(text, HasSubstr("Exploratory\n"));
    EXPECT_THAT(text, HasSubstr("criteria-disagree, second"));
    EXPECT_THAT(text, HasSubstr("iRECIST, no treatment line stated: not applicable"));
}

TEST(ResponseTable, SaysThatThereIsNoBestResponseWithoutABaseline)
{
    auto result = case_of();
    result.assessment.lines.emplace_back();
    result.assessment.lines.back().period = "line 7";
    result.assessment.lines.back().best_overall_response.category = response::Category::none;
    result.assessment.lines.back().best_overall_response.reason = "no valid baseline";
    result.alternatives["another rule"] = result.assessment;
    const auto text = outputs::response_table(result);
    EXPECT_THAT(text, HasSubstr("Best overall response, line 7: none. No valid baseline."));
    EXPECT_THAT(text, HasSubstr("With another rule: best overall response none"));
}

}  // namespace
}  // namespace retromass

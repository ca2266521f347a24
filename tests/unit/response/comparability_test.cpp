#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "measurement/response/comparability.h"
#include "tests/unit/response/patient.h"

namespace retromass::response {
namespace {

using test::lesion;
using test::measured;
using test::timepoint;
using testing::Contains;
using testing::HasSubstr;

StudyFacts usual()
{
    StudyFacts out;
    out.slice_thickness_mm = out.slice_spacing_mm = 2.5;
    out.kernel = "B30f";
    out.kernel_class = "soft";
    out.kvp = 120;
    out.phase = "portal-venous";
    out.contrast = "given";
    out.image_kind = "attenuation";
    out.scanned_mm = 500;
    out.lossy = false;
    return out;
}

Assessment assessed(const StudyFacts& before, const StudyFacts& now, const char* size = "50", bool cut = false)
{
    Patient patient;
    patient.id = "P";
    patient.lesions = {lesion("T1")};
    patient.timepoints = {timepoint("2024-01-01", {measured("T1", size)}), timepoint("2024-03-01", {measured("T1", size)})};
    patient.timepoints[0].study = before;
    patient.timepoints[1].study = now;
    patient.timepoints[1].observations[0].cut = cut;
    auto result = assess(patient);
    EXPECT_TRUE(result.ok());
    return result.ok() ? std::move(result).value() : Assessment{};
}

/// 50, 40 and 45 mm on usual studies: the second is the nadir.
Patient with_a_nadir()
{
    Patient out;
    out.id = "P";
    out.lesions = {lesion("T1")};
    out.timepoints = {timepoint("2024-01-01", {measured("T1", "50")}), timepoint("2024-03-01", {measured("T1", "40")}), timepoint("2024-05-01", {measured("T1", "45")})};
    for (auto& t : out.timepoints) t.study = usual();
    return out;
}

/// "size/density" of the comparison after one change of the usual study.
template <class Change>
std::string verdict(Change change)
{
    auto now = usual();
    change(now);
    const auto assessment = assessed(usual(), now);
    if (assessment.comparisons.size() != 1) return "no comparison";
    return assessment.comparisons[0].size + "/" + assessment.comparisons[0].density;
}

TEST(Comparability, OfEqualStudiesIsSilent)
{
    EXPECT_EQ(verdict([](auto&) {}), "comparable/comparable");
    EXPECT_TRUE(assessed(usual(), usual()).comparisons.at(0).differences.empty());
    EXPECT_TRUE(assessed(usual(), usual()).recist.at(1).overall.notices.empty());
}

TEST(Comparability, FollowsTheTableAtItsLimits)
{
    const auto thickness = [](double mm) { return [mm](StudyFacts& s) { s.slice_thickness_mm = mm; }; };
    EXPECT_EQ(verdict(thickness(3.0)), "comparable/comparable");
    EXPECT_EQ(verdict(thickness(4.9)), "comparable/comparable");
    EXPECT_EQ(verdict(thickness(5.0)), "widened/widened");
    EXPECT_EQ(verdict(thickness(1.25)), "widened/widened");
    EXPECT_EQ(verdict(thickness(0.625)), "widened/not-comparable");
    EXPECT_EQ(verdict([](auto& s) { s.kvp = 100; }), "comparable/widened");
    EXPECT_EQ(verdict([](auto& s) { s.kvp = 99; }), "comparable/not-comparable");
    EXPECT_EQ(verdict([](auto& s) { s.kernel = "B70f"; s.kernel_class = "sharp"; }), "widened/widened");
    EXPECT_EQ(verdict([](auto& s) { s.kernel = "B31f"; }), "comparable/comparable");
    EXPECT_EQ(verdict([](auto& s) { s.phase = "arterial"; }), "widened/not-comparable");
    EXPECT_EQ(verdict([](auto& s) { s.contrast = "none"; }), "widened/not-comparable");
    EXPECT_EQ(verdict([](auto& s) { s.image_kind = "monoenergetic"; }), "comparable/not-comparable");
    EXPECT_EQ(verdict([](auto& s) { s.image_kind = "material"; }), "not-comparable/not-comparable");
    EXPECT_EQ(verdict([](auto& s) { s.lossy = true; }), "comparable/widened");
    EXPECT_EQ(verdict([](auto& s) { s.scanned_mm = 400; }), "comparable/comparable");
}

TEST(Comparability, NamesADifferenceEvenWhereItChangesNothing)
{
    auto now = usual();
    now.kernel = "B31f";
    now.scanned_mm = 399;
    const auto comparison = assessed(usual(), now).comparisons.at(0);
    ASSERT_EQ(comparison.differences.size(), 2u);
    EXPECT_EQ(comparison.differences[0].what, "kernel");
    EXPECT_EQ(comparison.differences[0].before, "B30f (soft)");
    EXPECT_EQ(comparison.differences[1].what, "scanned length");
}

TEST(Comparability, NamesWhatOfTheBodyIsMissingBesideTheCategory)
{
    const auto row_after = [](std::optional<std::array<double, 2>> before, std::optional<std::array<double, 2>> reach, double scanned_mm = 500) {
        auto first = usual(), now = usual();
        first.reach_mm = before;
        now.reach_mm = reach;
        now.scanned_mm = scanned_mm;
        return assessed(first, now).recist.at(1);
    };
    const auto said = [](const RecistTimepoint& row) {
        std::vector<std::string> out;
        for (const auto& notice : row.overall.notices) out.push_back(std::string(entry(notice.code).name) + ": " + notice.text);
        return out;
    };
    using Reach = std::array<double, 2>;
    EXPECT_THAT(said(row_after(Reach{0, 500}, Reach{49, 451})), testing::IsEmpty());
    // As long as before, and 120 mm lower: the head end is missing, whatever the length.
    EXPECT_THAT(said(row_after(Reach{0, 500}, Reach{-120, 380})), testing::ElementsAre(testing::AllOf(testing::StartsWith("body-region-missing: "), HasSubstr("towards the head"), HasSubstr("last 120 mm"))));
    EXPECT_THAT(said(row_after(Reach{0, 500}, Reach{50, 500})), testing::ElementsAre(HasSubstr("towards the feet")));
    EXPECT_THAT(said(row_after(Reach{100, 400}, Reach{0, 500}, 100)), testing::IsEmpty());
    EXPECT_THAT(said(row_after(Reach{0, 500}, {}, 399)), testing::ElementsAre(HasSubstr("scanned length")));  // where the bones say nothing, the length does
    EXPECT_EQ(row_after(Reach{0, 500}, Reach{200, 500}).overall.category, Category::sd);
}

TEST(Comparability, OfABodyIsWithTheBaselineNotTheNadir)
{
    auto patient = with_a_nadir();
    patient.timepoints[0].study.reach_mm = patient.timepoints[2].study.reach_mm = std::array<double, 2>{0, 300};
    patient.timepoints[1].study.reach_mm = std::array<double, 2>{0, 600};
    const auto assessment = assess(patient).value();
    EXPECT_FALSE(has(assessment.recist.at(2).overall.notices, Code::body_region_missing));
    EXPECT_THAT(assessment.comparisons.at(2).differences, testing::ElementsAre(testing::Field(&StudyDifference::what, "body towards the head")));
}

TEST(Comparability, StandsBesideThePrimaryCriterionWhicheverItIs)
{
    Patient patient;
    patient.id = "P";
    patient.lesions = {lesion("T1")};
    patient.timepoints = {timepoint("2024-01-01", {measured("T1", "50")}), timepoint("2024-03-01", {measured("T1", "50")})};
    for (auto& t : patient.timepoints) {
        t.study = usual();
        t.observations[0].volume_ml = 60;
    }
    patient.timepoints[0].study.reach_mm = std::array<double, 2>{0, 500};
    patient.timepoints[1].study.reach_mm = std::array<double, 2>{0, 400};
    patient.timepoints[1].study.phase = "arterial";
    const auto assessment = assess(patient, {}, {"volume", {"who"}}).value();
    for (const auto& period : assessment.criteria) {
        const auto& notices = period.timepoints.back().decision.notices;
        EXPECT_EQ(has(notices, Code::body_region_missing), period.criterion == "volume");  // once is enough for the exploratory ones
        EXPECT_EQ(has(notices, Code::comparison_widened), period.criterion == "volume");
    }
}

/// The rows of a table of a page, as they stand there.
std::vector<std::string> table_of(const std::string& page, const std::string& header)
{
    std::ifstream in(std::filesystem::path(RETROMASS_SOURCE_FOLDER) / page);
    std::vector<std::string> out;
    std::string line;
    while (std::getline(in, line) && line != header) {}
    std::getline(in, line);
    while (std::getline(in, line) && line.starts_with('|')) out.push_back(line);
    return out;
}

TEST(Comparability, TableIsTheOneInTheDefinitions)
{
    std::vector<std::string> rules;
    for (const auto& rule : comparability_rules()) {
        std::string difference(rule.difference);
        if (const auto at = difference.find('#'); at != std::string::npos) {
            std::ostringstream limit;
            limit << rule.limit;
            difference.replace(at, 1, limit.str());
        }
        const auto words = [](std::string effect) { return effect == "not-comparable" ? "not comparable" : effect; };
        rules.push_back("| " + difference + " | " + words(rule.of_size) + " | " + words(rule.of_density) + " | " + std::string(rule.source) + " |");
    }
    EXPECT_EQ(table_of("docs/clinical.md", "| difference | on sizes | on densities | source |"), rules);
}

TEST(Comparability, ListsWhatIsNotStatedAndNeverTakesItForEqual)
{
    auto now = usual();
    now.phase.clear();
    now.kvp.reset();
    const auto comparison = assessed(usual(), now).comparisons.at(0);
    EXPECT_THAT(comparison.not_stated, Contains("phase"));
    EXPECT_THAT(comparison.not_stated, Contains("kVp"));
}

TEST(Comparability, StandsBesideTheCategoryAndNeverChangesIt)
{
    auto now = usual();
    now.image_kind = "material";
    const auto row = assessed(usual(), now).recist.at(1);
    EXPECT_EQ(row.overall.category, Category::sd);
    EXPECT_TRUE(has(row.overall.notices, Code::not_comparable));
    now = usual();
    now.phase = "arterial";
    const auto widened = assessed(usual(), now).recist.at(1);
    ASSERT_TRUE(has(widened.overall.notices, Code::comparison_widened));
    EXPECT_THAT(widened.overall.notices.back().text, HasSubstr("phase portal-venous and arterial"));
}

TEST(Comparability, RefusesACutLesionAndOneSmallerThanTwoThickSlices)
{
    EXPECT_EQ(assessed(usual(), usual(), "50", true).comparisons.at(0).size, "not-comparable");
    auto thick = usual();
    thick.slice_thickness_mm = thick.slice_spacing_mm = 8;
    auto alike = thick;
    EXPECT_EQ(assessed(thick, alike, "16").comparisons.at(0).size, "comparable");
    EXPECT_EQ(assessed(thick, alike, "15.9").comparisons.at(0).size, "not-comparable");
}

TEST(Comparability, LooksAtTheNadirAsWellAsAtTheBaseline)
{
    auto patient = with_a_nadir();
    patient.timepoints[1].study.slice_thickness_mm = 5;
    const auto assessment = assess(patient).value();
    std::vector<std::string> pairs;
    for (const auto& c : assessment.comparisons) pairs.push_back(c.from + " " + c.to + " " + c.size);
    EXPECT_THAT(pairs, testing::ElementsAre("2024-01-01 2024-03-01 widened", "2024-01-01 2024-05-01 comparable", "2024-03-01 2024-05-01 widened"));
}

}  // namespace
}  // namespace retromass::response

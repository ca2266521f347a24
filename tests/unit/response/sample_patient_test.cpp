#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/response/patient.h"

// The sample patient (Sagara 2014): lengths as published, sample dates. -63.6 % = (80 - 220) / 220; 885.5 = 7084 / 8.

namespace retromass::response {
namespace {

using test::measured;
using test::row_of;
using test::with;
using testing::HasSubstr;

Timepoint study(const std::string& id, const std::string& date, const std::string& a, const std::string& b, const std::string& c)
{
    Timepoint out = test::timepoint(date, {measured("T1", a)});
    out.id = id;
    out.observations[0].short_axis = *Length::parse(b);
    out.observations[0].craniocaudal = *Length::parse(c);
    return out;
}

Patient sample_patient()
{
    Patient patient;
    patient.id = "RPS-001";
    patient.lesions = {{"T1", Role::target, "retroperitoneum", "retroperitoneum", false}};
    patient.timepoints = {study("presentation", "2013-01-07", "230", "150", "300"), study("residual", "2013-02-05", "20", "20", "20"),
                          study("day-38", "2013-03-15", "220", "140", "230"), study("after-5-cycles", "2013-07-05", "80", "80", "130"),
                          study("after-radiotherapy", "2013-09-10", "62", "62", "100")};
    patient.treatments = {test::local("surgery", "2013-02-05", "2013-02-05", {"T1"}), test::systemic(1, "2013-03-24"),
                          test::local("radiotherapy", "2013-07-10", "2013-08-13", {"T1"})};
    patient.events = {{"last-contact", *parse_date("2014-09-01")}};
    return patient;
}

Assessment assessed(const char* local_therapy)
{
    auto result = assess(sample_patient(), with({{"local_therapy", local_therapy}}));
    EXPECT_TRUE(result.ok());
    return std::move(result).value();
}

TEST(SamplePatient, PresentationBelongsToNoPeriod)
{
    const auto assessment = assessed("keep");
    for (const auto& row : assessment.recist) EXPECT_NE(row.timepoint, "presentation");
    ASSERT_FALSE(assessment.notices.empty());
    EXPECT_THAT(assessment.notices[0].text, HasSubstr("before treatment"));
}

TEST(SamplePatient, ResidualIsTheBaselineOfTheObservationAndReadsResectedAgainstPresentation)
{
    const auto row = row_of(assessed("keep"), "residual");
    EXPECT_TRUE(row.is_baseline);
    EXPECT_EQ(row.sum, Length::mm(20));
    EXPECT_EQ(row.overall.category, Category::none);
    EXPECT_THAT(row.overall.reason, HasSubstr("resected"));
}

TEST(SamplePatient, Day38IsProgressionInTheObservationAndTheBaselineOfLineOne)
{
    const auto assessment = assessed("keep");
    EXPECT_EQ(row_of(assessment, "day-38", 0).overall.category, Category::pd);
    EXPECT_FALSE(row_of(assessment, "day-38", 0).is_baseline);
    EXPECT_TRUE(row_of(assessment, "day-38", 1).is_baseline);
    EXPECT_EQ(row_of(assessment, "day-38", 1).baseline_sum, Length::mm(220));
}

TEST(SamplePatient, AfterFiveCyclesIsAnUnconfirmedPartialResponseOfMinus63Point6Percent)
{
    const auto assessment = assessed("keep");
    const auto row = row_of(assessment, "after-5-cycles", 1);
    EXPECT_EQ(row.overall.category, Category::pr);
    ASSERT_TRUE(row.change_from_baseline_pct);
    EXPECT_EQ(fixed(*row.change_from_baseline_pct, 1), "-63.6");
    EXPECT_EQ(row.baseline_timepoint, "day-38");
    EXPECT_EQ(row.nadir_sum, Length::mm(220));
    EXPECT_EQ(row.confirmed, false);
    EXPECT_THAT(row.overall.rule, HasSubstr("4.3"));
    EXPECT_THAT(row.overall.reason, HasSubstr("-63.6 %"));
    EXPECT_EQ(assessment.lines.back().best_overall_response.category, Category::pr);
    EXPECT_EQ(assessment.lines.back().best_response_date, parse_date("2013-07-05"));
    EXPECT_EQ(assessment.lines.back().confirmed, false);
}

TEST(SamplePatient, AfterRadiotherapyFollowsThePolicyOnLocalTherapy)
{
    const auto kept = row_of(assessed("keep"), "after-radiotherapy", 1);
    EXPECT_EQ(kept.overall.category, Category::pr);
    ASSERT_TRUE(has(kept.overall.notices, Code::treated_locally));
    EXPECT_THAT(kept.overall.notices[0].text, HasSubstr("the only target"));
    const auto not_evaluable = row_of(assessed("ne"), "after-radiotherapy", 1);
    EXPECT_EQ(not_evaluable.overall.category, Category::ne);
    EXPECT_FALSE(not_evaluable.sum);
    const auto censored = assessed("censor");
    EXPECT_EQ(row_of(censored, "after-radiotherapy", 1).overall.category, Category::none);
    EXPECT_EQ(censored.lines.back().pfs_end, parse_date("2013-07-05"));
}

TEST(SamplePatient, SurvivesMoreThanSeventeenMonthsWithoutProgressionFromDay47)
{
    const auto line = assessed("keep").lines.back();
    EXPECT_EQ(line.line, 1);
    EXPECT_EQ(line.pfs_start, parse_date("2013-03-24"));
    EXPECT_EQ(line.pfs_end, parse_date("2014-09-01"));
    EXPECT_EQ(line.pfs_days, 527);  // 526 days apart, counted with both ends
    EXPECT_FALSE(line.pfs_event);
    EXPECT_THAT(line.pfs_text, HasSubstr("more than 17"));
    EXPECT_THAT(line.pfs_text, HasSubstr("censored"));
}

TEST(SamplePatient, FollowUpEndsAtTheLastImagingIfThePolicySaysSo)
{
    const auto result = assess(sample_patient(), with({{"local_therapy", "keep"}, {"follow_up_end", "last-assessment"}}));
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->lines.back().pfs_end, parse_date("2013-09-10"));
}

TEST(SamplePatient, GrewAbout885FoldDoublingEvery3Point9Days)
{
    const auto assessment = assessed("keep");
    ASSERT_EQ(assessment.growth.size(), 3u);  // none across the operation
    const auto& pair = assessment.growth[0];
    EXPECT_EQ(pair.from, "residual");
    EXPECT_EQ(pair.to, "day-38");
    EXPECT_EQ(pair.basis, "ellipsoid");
    EXPECT_NEAR(pair.fold, 885.5, 1e-9);
    ASSERT_TRUE(pair.doubling_time_days);
    EXPECT_NEAR(*pair.doubling_time_days, 3.88137358058368, 1e-9);
    EXPECT_TRUE(has(pair.notices, Code::fast_growth_pair));
    // (21 / 20)^3 = 1.158: a millimetre matters to the residual, and not to masses of 80 and 220 mm.
    EXPECT_THAT(pair.notices[0].text, HasSubstr("residual size approximate: 1 mm more of its 20 mm would be 16 % more volume"));
    EXPECT_THAT(assessment.growth[1].notices[0].text, testing::Not(HasSubstr("approximate")));
}

}  // namespace
}  // namespace retromass::response

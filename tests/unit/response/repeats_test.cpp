#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "measurement/response/recist.h"
#include "tests/unit/response/patient.h"

namespace retromass::response {
namespace {

using test::lesion;
using test::of;
using test::timepoint;
using test::with;
using testing::HasSubstr;
using testing::Not;

/// A length whose repeats lie within +-percent in 95 of 100, on the scale of ratios.
Observation uncertain(const std::string& id, double mm, double percent)
{
    auto out = test::measured(id, Length::recorded(mm).text());
    const double by = 1 + percent / 100, value = out.long_axis->as_mm();
    out.length_mm = Interval{value / by, value * by};
    return out;
}

RecistTimepoint last(const Patient& patient, const Policies& policies = {})
{
    auto result = assess(patient, policies);
    EXPECT_TRUE(result.ok());
    return result.ok() ? result->recist.back() : RecistTimepoint{};
}

TEST(Repeats, AreHalfAndHalfOnALimit)
{
    // Exactly -30 %: a repeat of both studies is as likely above as below; rounding to 0.1 mm of 70 mm gives the limit itself about 1 in 100.
    const auto row = last(of({timepoint("2024-01-01", {uncertain("T1", 100, 5)}), timepoint("2024-03-01", {uncertain("T1", 70, 5)})}));
    EXPECT_EQ(row.overall.category, Category::pr);
    EXPECT_NEAR(row.repeats.differs.value(), 0.5, 0.03);  // 4000 draws: standard deviation 0.008, three of them and the rounding
}

TEST(Repeats, FollowTheNormalDistributionOfTheLogarithm)
{
    // 95 % within +-5 % each: sd of the log 0.02489, of the ratio of two 0.0352. -34 % lies ln(0.70 / 0.66) = 0.0588 from the limit.
    const auto row = last(of({timepoint("2024-01-01", {uncertain("T1", 100, 5)}), timepoint("2024-03-01", {uncertain("T1", 66, 5)})}));
    const double z = std::log(0.70 / 0.66) / (std::sqrt(2.0) * std::log(1.05) / 1.959964);
    EXPECT_NEAR(row.repeats.differs.value(), 0.5 * std::erfc(z / std::sqrt(2.0)), 0.01);  // 0.047; two standard deviations of 4000 draws are 0.007
    const double half = std::sqrt(2.0) * std::log(1.05);
    EXPECT_NEAR(row.repeats.change_pct->low, 100 * (0.66 * std::exp(-half) - 1), 0.5);
    EXPECT_NEAR(row.repeats.change_pct->high, 100 * (0.66 * std::exp(half) - 1), 0.5);
    EXPECT_THAT(row.repeats.text, HasSubstr("PR by RECIST 1.1 (-34.0 %). Measurement interval of the change -38 to -29 %"));
    EXPECT_THAT(row.repeats.text, HasSubstr("of 100 repeats"));
    EXPECT_THAT(row.repeats.text, HasSubstr("does not count another reader, choice of lesions, new lesions or biology"));
}

TEST(Repeats, SayWhichIntervalsWereCalibratedOnOtherLesions)
{
    auto unlike = uncertain("T1", 40, 5);
    unlike.length_validated = false;
    const auto row = last(of({timepoint("2024-01-01", {uncertain("T1", 100, 5)}), timepoint("2024-03-01", {unlike})}));
    EXPECT_THAT(row.repeats.text, HasSubstr("Not validated: the intervals of T1 at 2024-03-01 were calibrated on other kinds of lesions"));
    const auto like = last(of({timepoint("2024-01-01", {uncertain("T1", 100, 5)}), timepoint("2024-03-01", {uncertain("T1", 40, 5)})}));
    EXPECT_THAT(like.repeats.text, Not(HasSubstr("Not validated")));
}

TEST(Repeats, AreRareFarFromEveryLimitAndTheSameEveryTime)
{
    const auto patient = of({timepoint("2024-01-01", {uncertain("T1", 100, 5)}), timepoint("2024-03-01", {uncertain("T1", 40, 5)})});
    EXPECT_THAT(last(patient).repeats.text, HasSubstr("in fewer than 1 of 100 repeats"));
    EXPECT_EQ(last(patient).repeats.text, last(patient).repeats.text);
}

TEST(Repeats, NeedTheIntervalOfEveryLength)
{
    const auto row = last(of({timepoint("2024-01-01", {uncertain("T1", 100, 5), uncertain("T2", 50, 5)}), timepoint("2024-03-01", {uncertain("T1", 66, 5), test::measured("T2", "40")})}, {lesion("T1"), lesion("T2")}));
    EXPECT_FALSE(row.repeats.differs);
    EXPECT_TRUE(row.repeats.share.empty());
    EXPECT_THAT(row.repeats.text, HasSubstr("no measurement interval is known of T2 at 2024-03-01"));
    EXPECT_EQ(row.overall.category, Category::sd);
}

TEST(Repeats, GetFewerWhereErrorsOfALesionGoTogether)
{
    const auto patient = of({timepoint("2024-01-01", {uncertain("T1", 100, 10)}), timepoint("2024-03-01", {uncertain("T1", 66, 10)})});
    const double apart = last(patient).repeats.differs.value();
    const double together = last(patient, with({{"interval_correlation_pct", "90"}})).repeats.differs.value();
    EXPECT_LT(together, apart / 3);
}

TEST(Repeats, WidenWhereTheStudiesWereTakenOtherwise)
{
    auto patient = of({timepoint("2024-01-01", {uncertain("T1", 100, 5)}), timepoint("2024-03-01", {uncertain("T1", 66, 5)})});
    const auto alike = last(patient).repeats;
    patient.timepoints[0].study.phase = "portal-venous";
    patient.timepoints[1].study.phase = "arterial";
    const auto unlike = last(patient).repeats;
    EXPECT_GT(*unlike.differs, *alike.differs + 0.01);
    EXPECT_THAT(unlike.text, HasSubstr("widened for 1 difference of acquisition"));
}

TEST(Repeats, KeepWhatAReaderStated)
{
    auto absent = test::stated("T1", LesionStatus::absent);
    const auto row = last(of({timepoint("2024-01-01", {uncertain("T1", 100, 5)}), timepoint("2024-03-01", {absent})}));
    EXPECT_EQ(row.overall.category, Category::cr);
    EXPECT_EQ(row.repeats.differs, 0.0);
}

TEST(Repeats, HoldAsOftenAsTheySay)
{
    // Truths spread evenly over the logarithm of the change, measured once and measured again: of the cases given 70 to 90 % the
    // category must hold in about as many. sd of one measurement 3 %; a repeat differs from it by sqrt(2) of that.
    std::mt19937_64 engine(7);
    const auto uniform = [&] { return static_cast<double>(engine() >> 11) / 9007199254740992.0; };
    const auto normal = [&] { return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(2 * 3.14159265358979 * uniform()); };
    constexpr double sd = 0.03;
    const double percent = 100 * (std::exp(1.959964 * std::sqrt(2.0) * sd) - 1);
    int cases = 0, held = 0;
    double promised = 0;
    for (int i = 0; i < 400; ++i) {
        const double truth = 100 * std::exp(std::log(0.55) + uniform() * std::log(0.85 / 0.55));  // around the limit of PR only
        const auto measured = [&](double mm) { return mm * std::exp(sd * normal()); };
        const auto patient = of({timepoint("2024-01-01", {uncertain("T1", measured(100), percent)}), timepoint("2024-03-01", {uncertain("T1", measured(truth), percent)})});
        const auto row = last(patient);
        const double holds = 1 - row.repeats.differs.value();
        if (holds < 0.7 || holds > 0.9) continue;
        const auto first = Length::recorded(measured(100)), second = Length::recorded(measured(truth));
        ++cases;
        promised += holds;
        held += (responded(second, first) ? Category::pr : Category::sd) == row.overall.category;  // no growth among these
    }
    ASSERT_GT(cases, 60);
    EXPECT_NEAR(static_cast<double>(held) / cases, promised / cases, 3 * std::sqrt(0.16 / cases));  // three standard deviations of a share of 0.8
}

}  // namespace
}  // namespace retromass::response

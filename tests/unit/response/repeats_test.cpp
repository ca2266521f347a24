#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
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
    EXPECT_THAT(row.repeats.text, HasSubstr("Counts what the given intervals count, another reader only if they do; does not count choice of lesions, new lesions or biology"));
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

TEST(Repeats, SpreadFartherThanAnIntervalThatHoldsTheTruth)
{
    // Both the measurement and its repeat err from the truth: by sqrt(2) of the interval's spread from each other. -34 % as above, the interval of the change too.
    const auto own = [](const std::string& id, double mm) {
        auto out = uncertain(id, mm, 5);
        out.length_calibrated = true;
        return out;
    };
    const auto row = last(of({timepoint("2024-01-01", {own("T1", 100)}), timepoint("2024-03-01", {own("T1", 66)})}));
    const double z = std::log(0.70 / 0.66) / (2 * std::log(1.05) / 1.959964);
    EXPECT_NEAR(row.repeats.differs.value(), 0.5 * std::erfc(z / std::sqrt(2.0)), 0.015);  // 0.119; three standard deviations of 4000 draws
    const double half = std::sqrt(2.0) * std::log(1.05);
    EXPECT_NEAR(row.repeats.change_pct->low, 100 * (0.66 * std::exp(-half) - 1), 0.5);
    EXPECT_NEAR(row.repeats.change_pct->high, 100 * (0.66 * std::exp(half) - 1), 0.5);
    EXPECT_THAT(row.repeats.text, HasSubstr("Counts segmentation, prompt, slice thickness and acquisition; does not count another reader, choice of lesions, new lesions or biology."));
}

/// A lesion whose volume lies within +-percent in 95 of 100, on the scale of ratios; its length has no interval.
Observation of_volume(double ml, double percent, bool calibrated = false)
{
    auto out = test::measured("T1", "50");
    out.volume_ml = ml;
    const double by = 1 + percent / 100;
    out.volume_interval_ml = OwnInterval{{ml / by, ml * by}, true, calibrated};
    return out;
}

CriterionTimepoint last_of(const std::string& criterion, const Patient& patient, const Policies& policies = {})
{
    auto result = assess(patient, policies, {criterion, {}});
    EXPECT_TRUE(result.ok());
    return result.ok() ? result->criteria.back().timepoints.back() : CriterionTimepoint{};
}

TEST(Repeats, OfAVolumeFollowTheNormalDistributionOfItsLogarithm)
{
    // The limit of PR is 0.343 of the baseline (a sphere at -30 % of its diameter). Exactly there: half of the repeats, but for those that round to it (0.01 ml of 34.3).
    const auto at_limit = last_of("volume", of({timepoint("2024-01-01", {of_volume(100, 20)}), timepoint("2024-03-01", {of_volume(34.3, 20)})}));
    EXPECT_EQ(at_limit.decision.category, Category::pr);
    EXPECT_NEAR(at_limit.repeats.differs.value(), 0.5, 0.035);  // 2000 draws: three standard deviations
    const auto patient = [](bool calibrated) { return of({timepoint("2024-01-01", {of_volume(100, 20, calibrated)}), timepoint("2024-03-01", {of_volume(28, 20, calibrated)})}); };
    const double sd = std::sqrt(2.0) * std::log(1.2) / 1.959964, z = std::log(0.343 / 0.28);
    const auto stated = last_of("volume", patient(false)).repeats;
    EXPECT_NEAR(stated.differs.value(), 0.5 * std::erfc(z / sd / std::sqrt(2.0)), 0.017);  // 0.061
    EXPECT_NEAR(stated.change_pct->low, 100 * (0.28 * std::exp(-1.959964 * sd) - 1), 1.0);
    EXPECT_NEAR(stated.change_pct->high, 100 * (0.28 * std::exp(1.959964 * sd) - 1), 1.5);
    EXPECT_THAT(stated.text, HasSubstr("PR by volume (-72.0 %). Measurement interval of the change -78 to -6"));
    const auto own = last_of("volume", patient(true)).repeats;  // of the truth: a repeat spreads sqrt(2) times as far
    EXPECT_NEAR(own.differs.value(), 0.5 * std::erfc(z / sd / 2), 0.021);  // 0.137
    EXPECT_NEAR(own.change_pct->low, stated.change_pct->low, 0.5);
    EXPECT_THAT(own.text, HasSubstr("Counts segmentation, prompt, slice thickness and acquisition; does not count another reader"));
}

TEST(Repeats, OfAVolumeNeedItsIntervalAndStandWhereItIsThePrimaryCriterion)
{
    auto bare = of_volume(34, 20);
    bare.volume_interval_ml.reset();
    const auto patient = of({timepoint("2024-01-01", {of_volume(100, 20)}), timepoint("2024-03-01", {bare})});
    const auto unknown = last_of("volume", patient);
    EXPECT_FALSE(unknown.repeats.differs);
    EXPECT_THAT(unknown.repeats.text, HasSubstr("no measurement interval is known of T1 at 2024-03-01"));
    const auto exploratory = assess(patient, {}, {"recist-1.1", {"volume"}}).value();
    EXPECT_TRUE(exploratory.criteria.back().timepoints.back().repeats.text.empty());
    EXPECT_EQ(repeats_now(exploratory), &exploratory.recist.back().repeats);
    const auto primary = assess(patient, {}, {"volume", {}}).value();
    EXPECT_EQ(repeats_now(primary), &primary.criteria.back().timepoints.back().repeats);
}

TEST(Repeats, OfImmuneResponseAreThoseOfItsLengths)
{
    const auto patient = of({timepoint("2024-01-01", {uncertain("T1", 100, 5)}), timepoint("2024-03-01", {uncertain("T1", 66, 5)})});
    const auto immune = last_of("irecist", patient, with({{"irecist_for", "all-lines"}})).repeats;
    EXPECT_NEAR(immune.differs.value(), last(patient).repeats.differs.value(), 0.018);  // two samples of 4000 and 2000: three standard deviations of their difference
    EXPECT_THAT(immune.text, HasSubstr("iPR by iRECIST (-34.0 %)"));
    auto small = test::stated("T1", LesionStatus::too_small);
    small.length_mm = Interval{3, 8};  // about the default of 5 mm
    const auto shrunk = of({timepoint("2024-01-01", {uncertain("T1", 7, 5)}), timepoint("2024-03-01", {small})});
    const auto of_small = last_of("irecist", shrunk, with({{"irecist_for", "all-lines"}})).repeats;
    EXPECT_GT(of_small.differs.value(), 0.1);
    EXPECT_NEAR(of_small.differs.value(), last(shrunk).repeats.differs.value(), 0.045);  // three standard deviations of the difference at one half
    EXPECT_TRUE(last_of("who", patient).repeats.text.empty());  // nobody knows how errors of two axes go together
}

/// Of cases whose category is promised to hold in 77.5 to 82.5 of 100 repeats: how many hold in one. Truths are spread evenly over the logarithm of the change, 0.2 to each
/// side of a limit; each is measured with intervals that hold the truth in 95 of 100, and measured again.
double held_of_80(double limit, double sd, const std::vector<double>& baselines_mm, unsigned seed)
{
    std::mt19937_64 engine(seed);
    const auto uniform = [&] { return static_cast<double>(engine() >> 11) / 9007199254740992.0; };
    const auto normal = [&] { return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(2 * 3.14159265358979 * uniform()); };
    const double percent = 100 * (std::exp(1.959964 * sd) - 1);
    const auto total_mm = [](const Timepoint& t) {
        double sum = 0;
        for (const auto& target : t.observations) sum += target.long_axis->as_mm();
        return sum;
    };
    const std::array<std::string, 3> ids{"T1", "T2", "T3"};
    double sum = 0, squares = 0;
    for (const double mm : baselines_mm) sum += mm, squares += mm * mm;
    const double apart = 2 * sd * std::sqrt(squares) / sum;  // of the logarithms of two measured changes
    constexpr int wanted = 400;
    int cases = 0, held = 0;
    while (cases < wanted) {
        const double change = limit * std::exp(0.4 * uniform() - 0.2);
        const auto study = [&](const std::string& date, double times) {
            std::vector<Observation> targets;
            for (std::size_t l = 0; l < baselines_mm.size(); ++l) {
                targets.push_back(uncertain(ids[l], times * baselines_mm[l] * std::exp(sd * normal()), percent));
                targets.back().length_calibrated = true;
            }
            return timepoint(date, targets);
        };
        const auto measured = [&] { return std::vector{study("2024-01-01", 1), study("2024-03-01", change)}; };
        std::vector<Lesion> lesions;
        for (std::size_t l = 0; l < baselines_mm.size(); ++l) lesions.push_back(lesion(ids[l]));
        const auto first = measured(), again = measured();
        if (const double away = std::abs(std::log(total_mm(first[1]) / total_mm(first[0]) / limit)) / apart; away < 0.6 || away > 1.1) continue;  // 80 of 100 lie at 0.84: spares the draws of the others
        const auto row = last(of(first, lesions));
        const double holds = 1 - row.repeats.differs.value();
        if (holds < 0.775 || holds > 0.825) continue;
        ++cases;
        auto bare = again;  // without intervals there is nothing to draw
        for (auto& t : bare) {
            for (auto& target : t.observations) target.length_mm = {};
        }
        held += last(of(bare, lesions)).overall.category == row.overall.category;
    }
    return static_cast<double>(held) / wanted;
}

// 400 cases know a share of 0.8 to 0.02: the band of 0.05 to each side is two and a half of that. An interval taken for that of a repeat gives 0.72.
TEST(Repeats, EightyOfAHundredHoldInEightyAtTheLimitOfPr)
{
    const double held = held_of_80(0.7, 0.03, {100}, 7);
    EXPECT_GT(held, 0.75);
    EXPECT_LT(held, 0.85);
}

TEST(Repeats, EightyOfAHundredHoldInEightyAtTheLimitOfPdAndForThreeLesions)
{
    const double held = held_of_80(1.2, 0.05, {80, 50, 40}, 8);
    EXPECT_GT(held, 0.75);
    EXPECT_LT(held, 0.85);
}

}  // namespace
}  // namespace retromass::response

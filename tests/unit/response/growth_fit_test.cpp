#include "measurement/response/growth_fit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace retromass::response {
namespace {

std::vector<SizeAtDay> sampled(GrowthModel model, double g, double d, double phi, std::vector<double> days, double scale = 1, std::vector<double> noise = {})
{
    std::vector<SizeAtDay> out;
    for (std::size_t i = 0; i < days.size(); ++i) out.push_back({days[i], scale * (relative_size(model, g, d, phi, days[i] - days[0]) + (i < noise.size() ? noise[i] : 0))});
    return out;
}

const std::vector<double> kVisits{0, 42, 84, 126, 168, 210};

TEST(GrowthFit, ReturnsTheParametersOfANoiseFreeSeriesWhateverItsUnitAndFirstDay)
{
    for (const auto& days : {kVisits, std::vector<double>{17, 59, 101, 143, 185, 227}}) {
        const auto fit = fit_growth(GrowthModel::gd, sampled(GrowthModel::gd, 0.004, 0.015, 0, days, 137));
        ASSERT_TRUE(fit);
        EXPECT_NEAR(fit->g->value, 0.004, 1e-8);  // least squares of an exact series; the descent ends below 1e-8
        EXPECT_NEAR(fit->d->value, 0.015, 1e-8);
    }
    const auto fit = fit_growth(GrowthModel::gdphi, sampled(GrowthModel::gdphi, 0.003, 0.02, 0.8, kVisits));
    ASSERT_TRUE(fit);
    EXPECT_NEAR(fit->phi->value, 0.8, 1e-6);
}

TEST(GrowthFit, OfOnePointMoreThanParametersKnowsNoInterval)
{
    const auto exact = fit_growth(GrowthModel::gd, sampled(GrowthModel::gd, 0.004, 0.015, 0, {0, 60, 120}));
    ASSERT_TRUE(exact);
    EXPECT_FALSE(exact->g->low);
    EXPECT_FALSE(exact->g->p);
    EXPECT_FALSE(fit_growth(GrowthModel::gd, sampled(GrowthModel::gd, 0.004, 0.015, 0, {0, 60}))) << "two points fix one parameter only";
    EXPECT_FALSE(best_growth_fit(sampled(GrowthModel::gx, 0.004, 0, 0, {0, 60})));
}

TEST(GrowthFit, TakesItsIntervalFromStudentsT)
{
    // One parameter, three informative points, linearised: the interval is the estimate +- t(0.975; 2) = 4.302653 standard errors.
    const double e = 1e-4;
    const std::vector<double> days{0, 50, 100, 150};
    const auto fit = fit_growth(GrowthModel::gx, sampled(GrowthModel::gx, 0.002, 0, 0, days, 1, {0, e, -e, e}));
    ASSERT_TRUE(fit && fit->g->low);
    double sum = 0;
    for (std::size_t i = 1; i < days.size(); ++i) sum += std::pow(days[i] * std::exp(fit->g->value * days[i]), 2);
    const double error = std::sqrt(fit->residual_ss / 2 / sum);
    EXPECT_NEAR((*fit->g->high - fit->g->value) / error, 4.302653, 1e-4);  // tables of t print six decimals
    EXPECT_NEAR((fit->g->value - *fit->g->low) / error, 4.302653, 1e-4);
}

TEST(GrowthFit, CoversTheTruthInNinetyFiveOfAHundredSeries)
{
    std::uint64_t state = 20240101;
    const auto uniform = [&state] {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        return (static_cast<double>(state >> 11) + 0.5) / 9007199254740992.0;
    };
    const auto normal = [&] { return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * 3.14159265358979 * uniform()); };
    int covered = 0;
    constexpr int kSeries = 400;
    for (int i = 0; i < kSeries; ++i) {
        std::vector<double> noise{0};
        for (int k = 1; k < 8; ++k) noise.push_back(0.01 * normal());
        const auto fit = fit_growth(GrowthModel::gd, sampled(GrowthModel::gd, 0.004, 0.015, 0, {0, 30, 60, 90, 120, 150, 180, 210}, 1, noise));
        ASSERT_TRUE(fit && fit->g->low);
        covered += *fit->g->low <= 0.004 && 0.004 <= *fit->g->high;
    }
    // 95 % of 400 is 380, standard deviation 4.4; four of them either way
    EXPECT_NEAR(covered, 380, 18);
}

TEST(BestGrowthFit, ChoosesTheModelThatMadeTheSeries)
{
    const std::vector<double> noise{0, 0.004, -0.003, 0.002, -0.004, 0.003};
    const auto of = [&](GrowthModel model, double g, double d, double phi) {
        const auto fit = best_growth_fit(sampled(model, g, d, phi, kVisits, 80, noise));
        return fit ? name(fit->model) : "none";
    };
    EXPECT_EQ(of(GrowthModel::gx, 0.004, 0, 0), "gx");
    EXPECT_EQ(of(GrowthModel::dx, 0, 0.006, 0), "dx");
    EXPECT_EQ(of(GrowthModel::gd, 0.004, 0.02, 0), "gd");
}

TEST(BestGrowthFit, FindsNoneInScatterAndNoneForAnUnusableSeries)
{
    EXPECT_FALSE(best_growth_fit(std::vector<SizeAtDay>{{0, 100}, {50, 104}, {100, 95}, {150, 103}, {200, 97}}));
    EXPECT_FALSE(best_growth_fit(std::vector<SizeAtDay>{{0, 0}, {50, 10}, {100, 20}}));
    EXPECT_FALSE(best_growth_fit(std::vector<SizeAtDay>{{0, 100}, {50, 90}, {50, 80}}));
    EXPECT_FALSE(best_growth_fit(std::vector<SizeAtDay>{}));
}

TEST(SmallestSize, IsWhereGrowthOvertakesRegression)
{
    const double g = 0.005, d = 0.02;
    const double day = *day_of_smallest_size(g, d);
    EXPECT_NEAR(g * std::exp(g * day), d * std::exp(-d * day), 1e-12);  // the slope is zero there
    EXPECT_LT(*smallest_size(g, d), relative_size(GrowthModel::gd, g, d, 0, day + 1));
    EXPECT_FALSE(day_of_smallest_size(0.02, 0.005));
    EXPECT_FALSE(day_of_smallest_size(0.02, 0.02));
    EXPECT_FALSE(day_of_smallest_size(0, 0.02));
}

}  // namespace
}  // namespace retromass::response

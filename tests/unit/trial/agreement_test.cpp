#include "pipeline/trial/agreement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace retromass::trial {

TEST(BlandAltman, GivesTheBiasTheLimitsAndTheirIntervals)
{
    // Differences 1, 2, 3, 4, 5: mean 3, SD sqrt(2.5), t with 4 degrees of freedom 2.776.
    const std::vector<double> differences{1, 2, 3, 4, 5};
    const auto found = bland_altman(differences);
    ASSERT_TRUE(found.has_value());
    const double sd = std::sqrt(2.5);
    EXPECT_NEAR(found->sd, sd, 1e-12);
    EXPECT_NEAR(found->bias.value, 3, 1e-12);
    EXPECT_NEAR(*found->bias.high - 3, 2.7764 * sd / std::sqrt(5.0), 1e-3);
    EXPECT_NEAR(found->upper.value, 3 + 1.96 * sd, 1e-12);
    EXPECT_NEAR(found->lower.value, 3 - 1.96 * sd, 1e-12);
    EXPECT_NEAR(*found->upper.high - found->upper.value, 2.7764 * sd * std::sqrt(1.0 / 5 + 1.96 * 1.96 / 8), 1e-3);
    EXPECT_FALSE(bland_altman(std::vector<double>{1}).has_value());
}

TEST(Kappa, IsThatOfTheTextbook)
{
    // Two readers, yes and no: 20 both yes, 5 yes/no, 10 no/yes, 15 both no. po = 0.7, pe = 0.5, kappa = 0.4.
    std::vector<std::pair<std::string, std::string>> pairs;
    const auto add = [&](int count, const char* a, const char* b) {
        for (int i = 0; i < count; ++i) pairs.emplace_back(a, b);
    };
    add(20, "yes", "yes");
    add(5, "yes", "no");
    add(10, "no", "yes");
    add(15, "no", "no");
    const auto found = cohens_kappa(pairs);
    ASSERT_TRUE(found.has_value());
    EXPECT_NEAR(found->observed, 0.7, 1e-12);
    EXPECT_NEAR(found->by_chance, 0.5, 1e-12);
    EXPECT_NEAR(found->kappa.value, 0.4, 1e-12);
    // By the formula with all sums written out: on the diagonal 0.4 (0.5 - 1.1*0.3)^2 + 0.3 (0.5 - 0.9*0.3)^2, off it 0.09 (0.1*1.1^2 + 0.2*0.9^2) with
    // p(yes,no) meeting b(yes)+a(no) = 0.6 + 0.5 and p(no,yes) b(no)+a(yes) = 0.4 + 0.5, less (0.35 - 1 + 0.7)^2; over 50 * 0.5^4.
    const double variance = (0.4 * 0.17 * 0.17 + 0.3 * 0.23 * 0.23 + 0.09 * (0.1 * 1.21 + 0.2 * 0.81) - 0.05 * 0.05) / (50 * 0.0625);
    EXPECT_NEAR(*found->kappa.high - 0.4, 1.96 * std::sqrt(variance), 1e-9);
    EXPECT_FALSE(cohens_kappa(std::vector<std::pair<std::string, std::string>>{{"SD", "SD"}, {"SD", "SD"}}).has_value()) << "one category says nothing of agreement";
}

TEST(WithinSpread, PoolsTheSquaresOfEveryLesion)
{
    // Squares within: 2 (1, 3), 2 (10, 11, 12), 0 of a single value; degrees of freedom 1 + 2.
    const std::vector<std::vector<double>> repeats{{1, 3}, {10, 11, 12}, {7}};
    const auto found = within_spread(repeats);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->lesions, 2);
    EXPECT_EQ(found->freedom, 3);
    EXPECT_NEAR(found->sd.value, std::sqrt(4.0 / 3), 1e-12);
    EXPECT_NEAR(*found->sd.low, std::sqrt(4 / 9.348), 1e-4);    // chi-square, 3 degrees of freedom: 9.348 and 0.2158
    EXPECT_NEAR(*found->sd.high, std::sqrt(4 / 0.2158), 1e-3);
    EXPECT_FALSE(within_spread(std::vector<std::vector<double>>{{7}}).has_value());
}

}  // namespace retromass::trial

#include "core/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace retromass {

TEST(Distributions, HaveTheQuantilesOfTheTables)
{
    // Student's t, two-sided 5 %, and chi-square, as printed in every table of either.
    EXPECT_NEAR(student_t_95(1), 12.706, 5e-4);
    EXPECT_NEAR(student_t_95(10), 2.228, 5e-4);
    EXPECT_NEAR(student_t_95(40), 2.021, 5e-4);
    EXPECT_NEAR(chi_square_quantile(0.95, 1), 3.841, 5e-4);
    EXPECT_NEAR(chi_square_quantile(0.975, 10), 20.483, 5e-4);
    EXPECT_NEAR(chi_square_quantile(0.025, 10), 3.247, 5e-4);
    EXPECT_NEAR(chi_square_quantile(0.025, 100), 74.222, 5e-4);
    EXPECT_NEAR(chi_square_quantile(0.975, 2), -2 * std::log(0.025), 1e-9);  // two degrees of freedom are an exponential distribution
}

}  // namespace retromass

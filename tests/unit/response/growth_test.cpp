#include "measurement/response/growth.h"

#include <gtest/gtest.h>

namespace retromass::response {

TEST(VolumeDoublingTime, OfAnEightFoldGrowthInThirtyDaysIsTen)
{
    EXPECT_NEAR(volume_doubling_time(100, 800, 30).value(), 10, 1e-12);
    EXPECT_NEAR(volume_doubling_time(200, 100, 60).value(), -60, 1e-12);  // halving
    EXPECT_NEAR(volume_doubling_time_of_diameters(1, 2, 30).value(), 10, 1e-12);
}

TEST(VolumeDoublingTime, IsUndefinedForEqualOrVanishingSizes)
{
    EXPECT_FALSE(volume_doubling_time(100, 100, 30));
    EXPECT_FALSE(volume_doubling_time(0, 100, 30));
    EXPECT_FALSE(volume_doubling_time(100, 0, 30));
    EXPECT_FALSE(volume_doubling_time(100, 200, 0));
}

TEST(TumourGrowthRate, OfTwentyPercentInDiameterInAMonthIs72Point8PercentInVolume)
{
    EXPECT_NEAR(tumour_growth_rate(100, 120, 30.4375, 30.4375).value(), 72.8, 1e-9);
    EXPECT_NEAR(specific_growth_rate(100, 200, 30).value(), 2.31049060186648, 1e-9);  // 100 ln 2 / 30
}

}  // namespace retromass::response

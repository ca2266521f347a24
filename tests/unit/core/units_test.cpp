#include "core/units.h"

#include <gtest/gtest.h>

#include "core/date.h"

namespace retromass {

TEST(Length, IsRecordedHalfAwayFromZeroToTheStatedPrecision)
{
    EXPECT_EQ(Length::recorded(49.25), Length{4930});
    EXPECT_EQ(Length::recorded(49.2499), Length{4920});
    EXPECT_EQ(Length::recorded(0.05), Length{10});
    EXPECT_EQ(Length::recorded(49.5, 1), Length{5000});
    EXPECT_EQ(Length::recorded(49.4064), Length{4940});
}

TEST(Length, ReadsDecimalsOfAtMostTwoPlacesAndNothingElse)
{
    EXPECT_EQ(Length::parse("14"), Length{1400});
    EXPECT_EQ(Length::parse("9.8"), Length{980});
    EXPECT_EQ(Length::parse("10.25"), Length{1025});
    EXPECT_EQ(Length::parse("10.250"), Length{1025});
    for (const char* bad : {"", ".", "-1", "1e3", "1,5", "10.255", "1.2.3", " 1", "nan"}) {
        EXPECT_FALSE(Length::parse(bad).has_value()) << bad;
    }
}

TEST(Length, PrintsTheShortestExactDecimal)
{
    EXPECT_EQ(Length{22000}.text(), "220");
    EXPECT_EQ(Length{8050}.text(), "80.5");
    EXPECT_EQ(Length{1005}.text(), "10.05");
    EXPECT_EQ(Length{-1450}.text(), "-14.5");
}

TEST(Fixed, RoundsHalfAwayFromZeroAndHasNoNegativeZero)
{
    EXPECT_EQ(fixed(1.25, 1), "1.3");
    EXPECT_EQ(fixed(-1.25, 1), "-1.3");
    EXPECT_EQ(fixed(-0.01, 1), "0.0");
    EXPECT_EQ(fixed(-63.63636, 1), "-63.6");
}

TEST(Date, ReadsIsoAndDicomAndRefusesImpossibleDays)
{
    ASSERT_TRUE(parse_date("2013-03-15").has_value());
    EXPECT_EQ(parse_date("20130315"), parse_date("2013-03-15"));
    EXPECT_EQ(iso(*parse_date("20130315")), "2013-03-15");
    EXPECT_EQ(days_between(*parse_date("2013-02-05"), *parse_date("2013-03-15")), 38);
    for (const char* bad : {"2013-02-30", "2013-3-15", "20131315", "", "2013/03/15"}) EXPECT_FALSE(parse_date(bad).has_value()) << bad;
}

}  // namespace retromass

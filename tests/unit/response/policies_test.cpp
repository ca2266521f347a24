#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "measurement/response/response.h"

namespace retromass::response {

using testing::HasSubstr;

TEST(Policies, StartAtTheDefaultsOfTheTable)
{
    const Policies policies;
    for (const auto& entry : policy_table()) EXPECT_EQ(policies.value(entry.name), entry.default_value);
    EXPECT_EQ(policies.number("confirmation_min_days"), 28);
}

TEST(Policies, RefuseAnUnknownNameWithTheNearestKnownOne)
{
    Policies policies;
    const auto status = policies.set("local_terapy", "keep");
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Code::policy);
    EXPECT_THAT(status.error().message, HasSubstr("local_therapy"));
}

TEST(Policies, RefuseAValueThatIsNotAllowedAndSayWhichAre)
{
    Policies policies;
    EXPECT_THAT(policies.set("local_therapy", "drop").error().message, HasSubstr("ne,keep,censor"));
    EXPECT_THAT(policies.set("pd_date", "last-scan").error().message, HasSubstr("first-scan,last-scan-of-visit"));
    EXPECT_TRUE(policies.set("pd_date", "last-scan-of-visit").ok());
    EXPECT_FALSE(policies.set("sd_min_days", "-1").ok());
    EXPECT_FALSE(policies.set("sd_min_days", "six").ok());
    EXPECT_TRUE(policies.set("sd_min_days", "56").ok());
    EXPECT_EQ(policies.number("sd_min_days"), 56);
}

}  // namespace retromass::response

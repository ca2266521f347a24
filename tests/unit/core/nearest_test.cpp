#include "core/nearest.h"

#include <gtest/gtest.h>

namespace retromass {

TEST(Nearest, IsTheWordOfTheSmallestEditDistance)
{
    EXPECT_EQ(nearest("timepoint", {"treatments", "timepoints", "lesions"}), "timepoints");
    EXPECT_EQ(nearest("", {"ab", "a"}), "a");
}

}  // namespace retromass

#include "core/codes.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace retromass {

TEST(CodeTable, HasOneRowForEachCodeInTheOrderOfTheEnum)
{
    int expected = 0;
    for (const auto& row : code_table()) EXPECT_EQ(static_cast<int>(row.code), expected++) << row.name;
    EXPECT_EQ(expected, static_cast<int>(Code::synthetic_patient) + 1);
}

TEST(CodeTable, NamesAreUniqueKebabCaseAndFoundAgain)
{
    std::set<std::string_view> seen;
    for (const auto& row : code_table()) {
        EXPECT_TRUE(seen.insert(row.name).second) << row.name;
        EXPECT_EQ(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string_view::npos) << row.name;
        EXPECT_EQ(code_named(row.name), row.code);
        EXPECT_FALSE(row.meaning.empty());
    }
    EXPECT_FALSE(code_named("no-such-code").has_value());
}

}  // namespace retromass

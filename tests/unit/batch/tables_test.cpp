#include <gmock/gmock.h>

#include "pipeline/batch/cohort.h"
#include "pipeline/batch/files.h"

namespace retromass::batch {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(CsvCell, QuotesAsRfc4180AndDisarmsFormulas)
{
    EXPECT_EQ(csv_cell("a,b"), "\"a,b\"");
    EXPECT_EQ(csv_cell("say \"so\""), "\"say \"\"so\"\"\"");
    EXPECT_EQ(csv_cell("=1+2"), "'=1+2");
    EXPECT_EQ(csv_cell("@x"), "'@x");
    EXPECT_EQ(csv_cell("-30.2"), "-30.2");  // a number is no formula
    EXPECT_EQ(csv_cell("+993.5"), "+993.5");
    EXPECT_EQ(csv_cell("-cmd"), "'-cmd");
}

TEST(CohortPage, ShowsCasesWithoutAResultFirstAndEscapes)
{
    std::vector<CaseState> states(2);
    states[0].id = "P-1";
    states[0].state = State::done;
    states[1].id = "P-2";
    states[1].state = State::failed;
    states[1].code = "io";
    states[1].reason = "<script>alert(1)</script>";
    const TextTable waterfall{"waterfall", {"case", "role", "period", "best_change_pct", "best_overall_response"}, {{"P-1", "primary", "line 1", "-63.1", "PR"}, {"P-1", "exploratory", "line 1", "-90.0", "PR"}, {"P-3", "primary", "line 1", "+993.5", "PD"}}};
    const auto page = cohort_html(states, waterfall, {}, "../results");
    EXPECT_THAT(page, HasSubstr("2 cases"));
    EXPECT_THAT(page, HasSubstr("&lt;script&gt;"));
    EXPECT_THAT(page, Not(HasSubstr("<script>")));
    EXPECT_LT(page.find("P-2"), page.find("Waterfall"));
    // Two bars of the primary criterion; -63.1 % of a plot of 200 % in 260 units is 82 units high, and what is above +100 % ends there.
    EXPECT_THAT(page, HasSubstr("Waterfall plot of 2 periods"));
    EXPECT_THAT(page, HasSubstr("height=\"82.0\""));
    EXPECT_THAT(page, HasSubstr("height=\"130.0\""));
    EXPECT_LT(page.find("P-3, line 1"), page.find("P-1, line 1"));
}

}  // namespace
}  // namespace retromass::batch

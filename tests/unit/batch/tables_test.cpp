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
    const auto page = cohort_html(states, {}, waterfall, {}, "../results");
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

TEST(CohortPage, SaysWhichProtocolsItsResultsWereMadeUnder)
{
    TextTable cases{"cases", {"case", "state", "protocol"}, {{"P-1", "done", "TRIAL-1 version 1, SHA-256 aa"}, {"P-2", "done", "TRIAL-1 version 1, SHA-256 aa"}, {"P-3", "failed", ""}}};
    const auto one = cohort_html({}, cases, {}, {}, "../results");
    EXPECT_THAT(one, HasSubstr("<p>Protocol TRIAL-1 version 1, SHA-256 aa: 2 cases</p>"));
    EXPECT_THAT(one, Not(HasSubstr("not all made under one")));
    cases.rows.push_back({"P-4", "done", "TRIAL-1 version 2, SHA-256 <bb>"});
    const auto two = cohort_html({}, cases, {}, {}, "../results");
    EXPECT_THAT(two, HasSubstr("not all made under one"));
    EXPECT_THAT(two, HasSubstr("version 2, SHA-256 &lt;bb&gt;: 1 case</p>"));
    EXPECT_THAT(cohort_html({}, {"cases", {"case", "state", "protocol"}, {{"P-1", "done", ""}}}, {}, {}, "../results"), Not(HasSubstr("rotocol")));
}

/// The text of one plot.
std::string plot_of(const std::string& page, const std::string& label)
{
    const auto at = page.find("aria-label=\"" + label);
    return at == std::string::npos ? "" : page.substr(at, page.find("</svg>", at) - at);
}

TEST(CohortPage, DrawsTheCourseOfEveryPeriodFromItsBaseline)
{
    const TextTable response{"response", {"case", "role", "period", "is_baseline", "day", "change_from_baseline_pct", "category"},
                             {{"P-1", "primary", "line 1", "1", "0", "", ""}, {"P-1", "primary", "line 1", "0", "50", "-50.0", "PR"}, {"P-1", "primary", "line 1", "0", "100", "", "NE"},
                              {"P-1", "primary", "line 1", "0", "200", "+25.0", "PD"}, {"P-1", "exploratory", "line 1", "0", "50", "-90.0", "PR"}, {"P-2", "primary", "line 1", "1", "0", "", ""},
                              {"<P-3>", "primary", "line 1", "1", "", "", ""}, {"<P-3>", "primary", "line 1", "0", "100", "-10.0", "SD"}}};
    const auto page = cohort_html({}, {}, {}, response, "../results");
    // 990 units for 200 days from 60, 320 for 200 % from 10: day 50 at 307.5, -50 % at 250, +25 % at 130; what is not evaluable is no point.
    const auto spider = plot_of(page, "Spider plot of 2 periods");  // P-2 has a baseline alone
    EXPECT_THAT(spider, HasSubstr("points=\"60.0,170.0 307.5,250.0 1050.0,130.0 \""));
    EXPECT_THAT(spider, Not(HasSubstr("<P-3>")));
    EXPECT_THAT(spider, HasSubstr("&lt;P-3&gt;, line 1: -10.0 %"));
    const auto swimmer = plot_of(page, "Swimmer plot of 2 periods");
    EXPECT_LT(swimmer.find("P-1, line 1: 200 days"), swimmer.find("&lt;P-3&gt;, line 1: 100 days"));
    EXPECT_THAT(swimmer, HasSubstr("width=\"495.0\""));  // half of 200 days
    EXPECT_THAT(swimmer, HasSubstr("<text x=\"307.5\""));  // response first seen
    EXPECT_THAT(swimmer, HasSubstr(">X</text>"));
}

TEST(CohortPage, SaysHowLargeEveryCaseIsAndInWhatUnit)
{
    const TextTable response{"response", {"case", "role", "period", "is_baseline", "sum_mm", "value", "unit", "quantity", "category"},
                             {{"P-1", "primary", "line 1", "1", "71.5", "71.5", "mm", "sum of diameters", ""}, {"P-2", "primary", "line 1", "1", "", "12.25", "ml", "sum of volumes", ""},
                              {"P-3", "primary", "line 1", "0", "", "", "mm", "sum of diameters", "NE"}}};
    const auto page = cohort_html({}, {}, {}, response, "../results");
    EXPECT_THAT(page, HasSubstr("<span title=\"sum of diameters\">71.5 mm</span>"));
    EXPECT_THAT(page, HasSubstr("<span title=\"sum of volumes\">12.25 ml</span>"));
    EXPECT_THAT(page, HasSubstr("<td class=\"number\">-</td><td>NE</td>"));  // nothing measured is not 0
}

}  // namespace
}  // namespace retromass::batch

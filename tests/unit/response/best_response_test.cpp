#include "measurement/response/best_response.h"

#include <gtest/gtest.h>

namespace retromass::response {
namespace {

const Date kStart = *parse_date("2024-01-01");

std::vector<DatedResponse> on_days(const std::vector<std::pair<long, Category>>& days)
{
    std::vector<DatedResponse> out;
    for (const auto& [day, category] : days) out.push_back({kStart + std::chrono::days{day}, category});
    return out;
}

BestResponseRules confirmed()
{
    BestResponseRules rules;
    rules.confirm = true;
    return rules;
}

TEST(BestResponse, NeedsTwentyEightDaysToConfirmAndTakesThemExactly)
{
    using enum Category;
    EXPECT_EQ(best_overall_response(kStart, on_days({{56, pr}, {84, pr}}), confirmed()).category, pr);
    EXPECT_EQ(best_overall_response(kStart, on_days({{56, pr}, {83, pr}}), confirmed()).category, sd);
}

TEST(BestResponse, IsNotConfirmedByAnAssessmentAfterLocalTreatment)
{
    using enum Category;
    auto series = on_days({{56, pr}, {100, pr}});
    series[1].may_confirm = false;
    EXPECT_FALSE(confirmation(series, 0, confirmed()));
    EXPECT_EQ(best_overall_response(kStart, series, confirmed()).category, sd);
}

TEST(BestResponse, CountsNothingAfterProgression)
{
    using enum Category;
    for (const bool confirm : {false, true}) {
        auto rules = confirmed();
        rules.confirm = confirm;
        EXPECT_EQ(best_overall_response(kStart, on_days({{56, pd}, {84, cr}, {120, cr}}), rules).category, pd);
    }
}

TEST(BestResponse, ReadsDiseaseAfterAnUnconfirmedCompleteResponseByPolicy)
{
    using enum Category;
    auto rules = confirmed();
    const auto series = on_days({{28, cr}, {56, pr}});
    EXPECT_EQ(best_overall_response(kStart, series, rules).category, pd);
    rules.cr_then_less = CrThenLess::reread_as_pr;
    EXPECT_EQ(best_overall_response(kStart, series, rules).category, pr);
}

TEST(ProgressionFreeSurvival, CountsBothEndsAndStopsBeforeANewTherapy)
{
    using enum Category;
    FollowUp follow_up{kStart, {}, {}, {}};
    const auto series = on_days({{56, sd}, {112, pd}});
    EXPECT_EQ(progression_free_survival(series, follow_up).days, 113);
    EXPECT_TRUE(progression_free_survival(series, follow_up).event);
    follow_up.new_therapy = kStart + std::chrono::days{112};
    EXPECT_EQ(progression_free_survival(series, follow_up).days, 57);
    EXPECT_FALSE(progression_free_survival(series, follow_up).event);
}

}  // namespace
}  // namespace retromass::response

#pragma once

#include <optional>
#include <span>
#include <string>

#include "measurement/response/response.h"

/// From the responses of a period to the best of them and to the times until progression (rules 8 and 14).
namespace retromass::response {

struct DatedResponse {
    Date date;
    Category category = Category::ne;
    bool may_confirm = true;             ///< no where a target was treated locally before it
    std::optional<Date> progressed_on;   ///< of a progression, where it is dated otherwise than by this scan (rule 14.3)
};

enum class CrThenLess { recist_table_3, reread_as_pr, admiralonco };

struct BestResponseRules {
    bool confirm = false;
    long sd_min_days = 42;
    long confirm_min_days = 28;
    long max_ne = 1;                     ///< NEs allowed between a response and its confirmation
    long accept_sd = 0;                  ///< SDs allowed between PR and its confirmation
    CrThenLess cr_then_less = CrThenLess::recist_table_3;
    Category without_assessment = Category::ne;
    std::string criterion = "RECIST 1.1";  ///< heads the rules' names
};
BestResponseRules best_response_rules(const Policies& policies);

struct BestResponse {
    Category category = Category::ne;
    std::optional<Date> date;            ///< first date its criteria were met
    std::optional<Date> confirmed_on;
    std::string rule;
    std::string reason;
};
/// `series` in order of date. Nothing after the first PD counts.
BestResponse best_overall_response(Date reference, std::span<const DatedResponse> series, const BestResponseRules& rules);
/// The date on which the response at `index` was confirmed; only the first assessment late enough and of a confirming class is tried.
std::optional<Date> confirmation(std::span<const DatedResponse> series, std::size_t index, const BestResponseRules& rules);

/// What ends or censors a follow-up.
struct FollowUp {
    Date start;
    std::optional<Date> death;
    std::optional<Date> new_therapy;
    std::optional<long> visit_interval_days;  ///< set = an event after two missed visits is censored before them
};
struct TimeToEvent {
    bool event = false;
    Date end;
    long days = 0;                       ///< end - start + 1
    std::string reason;                  ///< "progression", "death", "last evaluable assessment", ...
};
TimeToEvent progression_free_survival(std::span<const DatedResponse> series, const FollowUp& follow_up);
TimeToEvent time_to_progression(std::span<const DatedResponse> series, const FollowUp& follow_up);
struct ResponseDuration {
    Date start;
    TimeToEvent end;                     ///< its days count from `start`
};
/// Empty for those who did not respond.
std::optional<ResponseDuration> duration_of_response(std::span<const DatedResponse> series, const FollowUp& follow_up,
                                                     const BestResponseRules& rules);

}  // namespace retromass::response

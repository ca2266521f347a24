#pragma once

#include <optional>
#include <string>
#include <vector>

#include "measurement/response/response.h"

/// Inside the room: the time points on one axis, and the periods within which responses are judged (clinical.md 6).
namespace retromass::response {

/// The time points' days; days from a named day 0 stand as dates counted from the epoch.
struct Timeline {
    std::vector<Date> when;
    bool by_day = false;

    std::string text(Date date) const;   ///< "2013-03-15" or "day 38"
    std::optional<Date> shown(Date date) const { return by_day ? std::nullopt : std::optional<Date>(date); }
};
/// Fails with date_missing, date_order or date_shared.
Result<Timeline> timeline_of(const Patient& patient);

/// A treatment line, the observation after a surgery, or the whole series where nothing opens a period.
struct Period {
    int line = 0;
    std::string label;
    Date start;                            ///< first dose, surgery, or the baseline
    std::optional<Date> end;               ///< where the next period opens
    bool ended_by_surgery = false;
    bool is_line = false;
    std::optional<std::size_t> baseline;   ///< time point; empty = no valid baseline
    std::string without_baseline;          ///< why
    std::vector<std::size_t> follow_ups;   ///< time points after the baseline
};
/// In order of time. Fails with date_missing where an opening treatment has no date.
Result<std::vector<Period>> periods_of(const Patient& patient, const Timeline& timeline, const Policies& policies);

/// The first surgery with `from` < its day <= `to`.
const Treatment* surgery_between(const Patient& patient, Date from, Date to);

}  // namespace retromass::response

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace retromass {

/// A calendar day, without time or zone.
using Date = std::chrono::sys_days;

/// "2013-03-15" or DICOM's "20130315"; nothing for any other text or an impossible day.
std::optional<Date> parse_date(std::string_view text);
/// "2013-03-15".
std::string iso(Date date);
/// Whole days from `from` to `to`; negative backwards.
inline long days_between(Date from, Date to) { return static_cast<long>((to - from).count()); }

}  // namespace retromass

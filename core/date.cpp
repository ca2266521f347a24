#include "core/date.h"

#include <cstdio>

namespace retromass {

std::optional<Date> parse_date(std::string_view text)
{
    const bool dashed = text.size() == 10 && text[4] == '-' && text[7] == '-';
    if (!dashed && text.size() != 8) return std::nullopt;
    int parts[3] = {0, 0, 0};
    const std::size_t starts[3] = {0, dashed ? 5u : 4u, dashed ? 8u : 6u};
    const std::size_t lengths[3] = {4, 2, 2};
    for (int p = 0; p < 3; ++p) {
        for (const char c : text.substr(starts[p], lengths[p])) {
            if (c < '0' || c > '9') return std::nullopt;
            parts[p] = parts[p] * 10 + (c - '0');
        }
    }
    const std::chrono::year_month_day day{std::chrono::year{parts[0]}, std::chrono::month{unsigned(parts[1])},
                                          std::chrono::day{unsigned(parts[2])}};
    if (!day.ok()) return std::nullopt;
    return Date{day};
}

std::string iso(Date date)
{
    const std::chrono::year_month_day day{date};
    char buffer[40];
    const int length = std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02u", int(day.year()), unsigned(day.month()), unsigned(day.day()));
    return std::string(buffer, static_cast<std::size_t>(length));
}

}  // namespace retromass

#include "core/units.h"

#include <cmath>
#include <cstdio>

namespace retromass {
namespace {

// A measured length such as 49.25 arrives as 49.2499999...: values this close to a half are the half.
constexpr double kHalfGuard = 1e-9;

double round_half_away(double value)
{
    return std::copysign(std::floor(std::abs(value) + 0.5 + kHalfGuard), value);
}

}  // namespace

Length Length::recorded(double measured_mm, double precision_mm)
{
    const double steps = round_half_away(measured_mm / precision_mm);
    return {static_cast<std::int64_t>(std::llround(steps * precision_mm * 100.0))};
}

std::optional<Length> Length::parse(std::string_view decimal)
{
    std::int64_t whole = 0;
    std::int64_t fraction = 0;
    int places = -1;  // -1 until the point is seen
    bool digits = false;
    for (const char c : decimal) {
        if (c == '.' && places < 0) {
            places = 0;
        } else if (c >= '0' && c <= '9') {
            digits = true;
            if (places < 0) {
                if (whole > 1'000'000) return std::nullopt;
                whole = whole * 10 + (c - '0');
            } else {
                if (places == 2) {
                    if (c != '0') return std::nullopt;
                    continue;
                }
                fraction = fraction * 10 + (c - '0');
                ++places;
            }
        } else {
            return std::nullopt;
        }
    }
    if (!digits) return std::nullopt;
    if (places == 1) fraction *= 10;
    return Length{whole * 100 + fraction};
}

std::string Length::text() const
{
    const std::int64_t magnitude = std::abs(hundredths);
    std::string out = hundredths < 0 ? "-" : "";
    out += std::to_string(magnitude / 100);
    if (const auto rest = magnitude % 100; rest != 0) {
        out += '.';
        out += static_cast<char>('0' + rest / 10);
        if (rest % 10 != 0) out += static_cast<char>('0' + rest % 10);
    }
    return out;
}

double recorded_ml(double measured_ml) { return round_half_away(measured_ml * 100.0) / 100.0; }

std::string fixed(double value, int decimals)
{
    const double scale = std::pow(10.0, decimals);
    double rounded = std::abs(value) < 1e12 ? round_half_away(value * scale) / scale : value;
    if (rounded == 0.0) rounded = 0.0;  // no "-0.0"
    char buffer[400];
    const int length = std::snprintf(buffer, sizeof buffer, "%.*f", decimals, rounded);
    return std::string(buffer, static_cast<std::size_t>(length));
}

}  // namespace retromass

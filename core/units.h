#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace retromass {

/// A recorded length: an exact number of hundredths of a millimetre. Every sum, change and comparison of the
/// response criteria runs on these integers (docs/clinical.md 2.10); binary fractions misjudge limits
/// (response_rules 0.4).
struct Length {
    std::int64_t hundredths = 0;

    static constexpr Length mm(std::int64_t whole) { return {whole * 100}; }
    /// Rounds half away from zero to a multiple of `precision_mm` (0.1 by default, 1 for whole mm).
    static Length recorded(double measured_mm, double precision_mm = 0.1);
    /// Reads a decimal of at most two places ("14", "9.8", "10.25"); nothing else, no exponent, no sign.
    static std::optional<Length> parse(std::string_view decimal);

    double as_mm() const { return static_cast<double>(hundredths) / 100.0; }
    /// Shortest exact decimal: "220", "80.5", "10.25".
    std::string text() const;

    friend constexpr auto operator<=>(Length, Length) = default;
    friend constexpr Length operator+(Length a, Length b) { return {a.hundredths + b.hundredths}; }
    friend constexpr Length operator-(Length a, Length b) { return {a.hundredths - b.hundredths}; }
};

/// A volume recorded to 0.01 ml, rounded half away from zero (docs/clinical.md 2.10).
double recorded_ml(double measured_ml);

/// A fixed number of decimals without locale, e.g. fixed(1.25, 1) == "1.3" (half away from zero).
std::string fixed(double value, int decimals);

}  // namespace retromass

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "measurement/response/outcome.h"

/// WHO 1981: products of the two axes (rules 11.1 and 11.2).
namespace retromass::response {

/// Long axis times its perpendicular, exact: in 1e-4 mm2.
struct Product {
    std::int64_t value = 0;

    static Product of(Length a, Length b) { return {a.hundredths * b.hundredths}; }
    double as_mm2() const { return static_cast<double>(value) / 1e4; }
    friend constexpr auto operator<=>(Product, Product) = default;
    friend constexpr Product operator+(Product a, Product b) { return {a.value + b.value}; }
};

struct WhoLesion {
    std::string id;
    Product baseline;
    Product nadir;                       ///< the lesion's own smallest product so far
    std::optional<Product> current;      ///< empty = not evaluable
    bool gone = false;                   ///< no disease left in it
};
enum class WhoProgression { per_lesion, sum_over_nadir };
/// CR: all gone. PD: one lesion (or, by the other reading, the sum of products) 25 % above its nadir. PR: the sum 50 % below the
/// baseline. PD before PR. A lesion that is not evaluable leaves only PD to be said.
Outcome who_response(std::span<const WhoLesion> lesions, Product nadir_sum, WhoProgression progression);

}  // namespace retromass::response

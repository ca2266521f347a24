#include "core/statistics.h"

#include <array>
#include <cmath>
#include <cstddef>

namespace retromass {
namespace {

/// Regularised incomplete beta function by its continued fraction (Lentz).
double incomplete_beta(double a, double b, double x)
{
    if (x <= 0) return 0;
    if (x >= 1) return 1;
    if (x > (a + 1) / (a + b + 2)) return 1 - incomplete_beta(b, a, 1 - x);
    const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x)) / a;
    constexpr double tiny = 1e-300;
    double f = 1, c = 1, d = 0;
    for (int i = 0; i <= 300; ++i) {
        const int m = i / 2;
        const double term = i == 0       ? 1
                            : i % 2 == 0 ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                                         : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 + term * d;
        d = 1 / (std::abs(d) < tiny ? tiny : d);
        c = 1 + term / c;
        if (std::abs(c) < tiny) c = tiny;
        f *= c * d;
        if (std::abs(1 - c * d) < 1e-14) break;
    }
    return front * (f - 1);
}

/// Regularised lower incomplete gamma function: its series below a + 1, its continued fraction (Lentz) above.
double incomplete_gamma(double a, double x)
{
    if (x <= 0) return 0;
    const double front = std::exp(a * std::log(x) - x - std::lgamma(a));
    if (x < a + 1) {
        double term = 1 / a;
        double sum = term;
        for (int n = 1; n < 1000 && term > 1e-16 * sum; ++n) sum += term *= x / (a + n);
        return front * sum;
    }
    constexpr double tiny = 1e-300;
    double b = x + 1 - a;
    double c = 1 / tiny;
    double d = 1 / b;
    double f = d;
    for (int n = 1; n < 1000; ++n) {
        const double term = -n * (n - a);
        b += 2;
        d = term * d + b;
        d = 1 / (std::abs(d) < tiny ? tiny : d);
        c = b + term / c;
        if (std::abs(c) < tiny) c = tiny;
        f *= c * d;
        if (std::abs(1 - c * d) < 1e-15) break;
    }
    return 1 - front * f;
}

double found_t_95(int freedom)
{
    double low = 0, high = 1000;
    for (int i = 0; i < 60; ++i) {
        const double middle = (low + high) / 2;
        (student_two_sided_p(middle, freedom) > 0.05 ? low : high) = middle;
    }
    return high;
}

}  // namespace

double student_two_sided_p(double t, int freedom)
{
    if (!std::isfinite(t)) return 0;
    return incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t));
}

// Kept for the freedoms of every patient: searching it took longer than the fit.
double student_t_95(int freedom)
{
    constexpr std::size_t kKept = 33;
    static const auto kept = [] {
        std::array<double, kKept> out{};
        for (std::size_t f = 1; f < kKept; ++f) out[f] = found_t_95(static_cast<int>(f));
        return out;
    }();
    return static_cast<std::size_t>(freedom) < kKept ? kept[static_cast<std::size_t>(freedom)] : found_t_95(freedom);
}

double chi_square_quantile(double share, int freedom)
{
    double low = 0, high = 10.0 * freedom + 100;  // beyond any share below 1 - 1e-15
    for (int i = 0; i < 100; ++i) {
        const double middle = (low + high) / 2;
        (incomplete_gamma(freedom / 2.0, middle / 2) < share ? low : high) = middle;
    }
    return high;
}

}  // namespace retromass

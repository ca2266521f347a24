#include "pipeline/trial/agreement.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/statistics.h"

namespace retromass::trial {
namespace {

constexpr double kTwoSided95 = 1.96;  // as Bland and Altman define their limits

double squares_about_mean(std::span<const double> values)
{
    const double mean = mean_of(values);
    double sum = 0;
    for (const double v : values) sum += (v - mean) * (v - mean);
    return sum;
}

}  // namespace

double mean_of(std::span<const double> values)
{
    double sum = 0;
    for (const double v : values) sum += v;
    return sum / static_cast<double>(values.size());
}

std::optional<BlandAltman> bland_altman(std::span<const double> differences)
{
    if (differences.size() < 2) return std::nullopt;
    const double n = static_cast<double>(differences.size());
    BlandAltman out;
    out.pairs = differences.size();
    out.sd = std::sqrt(squares_about_mean(differences) / (n - 1));
    const double t = student_t_95(static_cast<int>(differences.size()) - 1);
    const auto around = [](double value, double half) { return Estimate{value, value - half, value + half}; };
    const double bias = mean_of(differences);
    const double half_of_limit = t * out.sd * std::sqrt(1 / n + kTwoSided95 * kTwoSided95 / (2 * (n - 1)));
    out.bias = around(bias, t * out.sd / std::sqrt(n));
    out.lower = around(bias - kTwoSided95 * out.sd, half_of_limit);
    out.upper = around(bias + kTwoSided95 * out.sd, half_of_limit);
    return out;
}

std::optional<Kappa> cohens_kappa(std::span<const std::pair<std::string, std::string>> pairs)
{
    if (pairs.empty()) return std::nullopt;
    const double n = static_cast<double>(pairs.size());
    std::map<std::string, double> a, b;
    std::map<std::pair<std::string, std::string>, double> cell;
    for (const auto& pair : pairs) {
        a[pair.first] += 1 / n;
        b[pair.second] += 1 / n;
        cell[pair] += 1 / n;
    }
    Kappa out;
    out.pairs = pairs.size();
    std::set<std::string> categories;
    for (const auto& pair : pairs) categories.insert({pair.first, pair.second});
    if (categories.size() == 1) return std::nullopt;
    for (const auto& category : categories) {
        out.observed += cell[{category, category}];
        out.by_chance += a[category] * b[category];
    }
    const double po = out.observed;
    const double pe = out.by_chance;
    out.kappa.value = (po - pe) / (1 - pe);
    double variance = -(po * pe - 2 * pe + po) * (po * pe - 2 * pe + po);
    for (const auto& i : categories) {
        const double on = (1 - pe) - (a[i] + b[i]) * (1 - po);
        variance += cell[{i, i}] * on * on;
        for (const auto& j : categories) {
            if (i == j) continue;
            const double off = b[i] + a[j];
            variance += (1 - po) * (1 - po) * cell[{i, j}] * off * off;
        }
    }
    variance /= n * std::pow(1 - pe, 4);
    const double half = kTwoSided95 * std::sqrt(std::max(variance, 0.0));
    out.kappa.low = std::max(out.kappa.value - half, -1.0);
    out.kappa.high = std::min(out.kappa.value + half, 1.0);
    return out;
}

std::optional<WithinSpread> within_spread(std::span<const std::vector<double>> repeats)
{
    WithinSpread out;
    double squares = 0;
    for (const auto& values : repeats) {
        if (values.size() < 2) continue;
        ++out.lesions;
        out.freedom += static_cast<int>(values.size()) - 1;
        squares += squares_about_mean(values);
    }
    if (out.freedom == 0) return std::nullopt;
    constexpr double kTail = 0.025;
    out.sd.value = std::sqrt(squares / out.freedom);
    out.sd.low = std::sqrt(squares / chi_square_quantile(1 - kTail, out.freedom));
    out.sd.high = std::sqrt(squares / chi_square_quantile(kTail, out.freedom));
    return out;
}

}  // namespace retromass::trial

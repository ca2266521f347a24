#include "measurement/response/growth_fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "core/statistics.h"

namespace retromass::response {
namespace {

constexpr std::size_t kMost = 3;                 ///< parameters of the largest model
constexpr double kSlowest = 1e-9;                ///< 1/day: a rate that would need millions of years to be seen
constexpr double kFastest = 2;                   ///< 1/day: e-fold in half a day
constexpr double kLeastVariance = 1e-12;         ///< far below what a recorded length can show: keeps the AIC of an exact fit finite
constexpr int kSteps = 200;
using Parameters = std::array<double, kMost>;    ///< g, d, phi, of which a model uses some
using Matrix = std::array<std::array<double, kMost>, kMost>;

std::vector<std::size_t> used_by(GrowthModel model)
{
    switch (model) {
    case GrowthModel::gx: return {0};
    case GrowthModel::dx: return {1};
    case GrowthModel::gdphi: return {0, 1, 2};
    default: return {0, 1};
    }
}

/// Size and slopes from up = exp(g t) and down = exp(-d t): exponentials are what a fit costs, so each is made once.
double size_of(GrowthModel model, double up, double down, double phi)
{
    switch (model) {
    case GrowthModel::gx: return up;
    case GrowthModel::dx: return down;
    case GrowthModel::gdphi: return (1 - phi) * up + phi * down;
    default: return down + up - 1;
    }
}

Parameters slopes(GrowthModel model, const Parameters& p, double t, double up, double down)
{
    switch (model) {
    case GrowthModel::gdphi: return {(1 - p[2]) * t * up, -p[2] * t * down, down - up};
    default: return {t * up, -t * down, 0};
    }
}

Parameters clamped(Parameters p)
{
    for (const std::size_t rate : {std::size_t{0}, std::size_t{1}}) p[rate] = std::clamp(p[rate], kSlowest, kFastest);
    p[2] = std::clamp(p[2], 1e-6, 1 - 1e-6);
    return p;
}

double residuals(GrowthModel model, const Parameters& p, std::span<const SizeAtDay> points)
{
    double sum = 0;
    for (const auto& point : points) {
        const double r = point.size - relative_size(model, p[0], p[1], p[2], point.days);
        sum += r * r;
    }
    return sum;
}

/// Inverse by elimination; empty for a singular matrix.
std::optional<Matrix> inverse(Matrix m, std::size_t n)
{
    Matrix out{};
    for (std::size_t i = 0; i < n; ++i) out[i][i] = 1;
    for (std::size_t c = 0; c < n; ++c) {
        std::size_t pivot = c;
        for (std::size_t r = c + 1; r < n; ++r) {
            if (std::abs(m[r][c]) > std::abs(m[pivot][c])) pivot = r;
        }
        if (!(std::abs(m[pivot][c]) > 1e-300) || !std::isfinite(m[pivot][c])) return std::nullopt;
        std::swap(m[c], m[pivot]);
        std::swap(out[c], out[pivot]);
        const double by = m[c][c];
        for (std::size_t k = 0; k < n; ++k) {
            m[c][k] /= by;
            out[c][k] /= by;
        }
        for (std::size_t r = 0; r < n; ++r) {
            if (r == c) continue;
            const double times = m[r][c];
            for (std::size_t k = 0; k < n; ++k) {
                m[r][k] -= times * m[c][k];
                out[r][k] -= times * out[c][k];
            }
        }
    }
    return out;
}

/// Normal matrix and gradient in the scale of each parameter, so that rates of very different size are solved alike.
void normal_equations(GrowthModel model, const Parameters& p, std::span<const SizeAtDay> points, const std::vector<std::size_t>& used, Matrix& a, Parameters& b)
{
    a = {};
    b = {};
    for (const auto& point : points) {
        const double up = std::exp(p[0] * point.days);
        const double down = std::exp(-p[1] * point.days);
        const auto slope = slopes(model, p, point.days, up, down);
        const double r = point.size - size_of(model, up, down, p[2]);
        for (std::size_t i = 0; i < used.size(); ++i) {
            const double si = slope[used[i]] * p[used[i]];
            b[i] += si * r;
            for (std::size_t j = 0; j < used.size(); ++j) a[i][j] += si * slope[used[j]] * p[used[j]];
        }
    }
}

/// Levenberg and Marquardt from one start.
Parameters descended(GrowthModel model, Parameters p, std::span<const SizeAtDay> points, const std::vector<std::size_t>& used)
{
    double now = residuals(model, p, points);
    double damping = 1e-3;
    for (int step = 0; step < kSteps && damping < 1e12; ++step) {
        Matrix a{};
        Parameters b{};
        normal_equations(model, p, points, used, a, b);
        for (std::size_t i = 0; i < used.size(); ++i) a[i][i] *= 1 + damping;
        const auto solved = inverse(a, used.size());
        if (!solved) break;
        auto tried = p;
        for (std::size_t i = 0; i < used.size(); ++i) {
            double change = 0;
            for (std::size_t j = 0; j < used.size(); ++j) change += (*solved)[i][j] * b[j];
            tried[used[i]] *= std::exp(std::clamp(change, -2.0, 2.0));  // rates and shares stay above 0
        }
        tried = clamped(tried);
        const double then = residuals(model, tried, points);
        if (then < now) {
            const bool done = now - then <= 1e-10 * now;  // far below what moves a rate within its interval
            p = tried;
            now = then;
            damping = std::max(damping / 10, 1e-12);
            if (done || now == 0) break;
        } else {
            damping *= 10;
        }
    }
    return p;
}

/// The grid of starts is only looked at; the descent begins at the two best.
Parameters fitted(GrowthModel model, std::span<const SizeAtDay> points, const std::vector<std::size_t>& used)
{
    constexpr std::array kRates{1e-4, 1e-3, 5e-3, 2e-2, 1e-1};
    constexpr std::array kShares{0.1, 0.5, 0.9};
    const std::size_t growing = used.front() == 0 ? kRates.size() : 1;
    const std::size_t regressing = model == GrowthModel::gx ? 1 : kRates.size();
    const std::size_t shares = used.size() == kMost ? kShares.size() : 1;
    std::vector<std::array<double, kRates.size()>> up(points.size());
    std::vector<std::array<double, kRates.size()>> down(points.size());
    for (std::size_t t = 0; t < points.size(); ++t) {
        for (std::size_t i = 0; i < kRates.size(); ++i) {
            up[t][i] = std::exp(kRates[i] * points[t].days);
            down[t][i] = std::exp(-kRates[i] * points[t].days);
        }
    }
    std::vector<std::pair<double, Parameters>> starts;
    for (std::size_t i = 0; i < growing; ++i) {
        for (std::size_t j = 0; j < regressing; ++j) {
            for (std::size_t k = 0; k < shares; ++k) {
                double sum = 0;
                for (std::size_t t = 0; t < points.size(); ++t) {
                    const double r = points[t].size - size_of(model, up[t][i], down[t][j], kShares[k]);
                    sum += r * r;
                }
                starts.emplace_back(sum, Parameters{kRates[i], kRates[j], kShares[k]});
            }
        }
    }
    std::stable_sort(starts.begin(), starts.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    const auto first = descended(model, starts[0].second, points, used);
    const auto second = descended(model, starts[1].second, points, used);
    return residuals(model, second, points) < residuals(model, first, points) ? second : first;
}

}  // namespace

std::string_view name(GrowthModel model)
{
    switch (model) {
    case GrowthModel::gd: return "gd";
    case GrowthModel::gx: return "gx";
    case GrowthModel::dx: return "dx";
    case GrowthModel::gdphi: return "gdphi";
    }
    return "";
}

double relative_size(GrowthModel model, double g, double d, double phi, double days)
{
    const double up = model == GrowthModel::dx ? 0 : std::exp(g * days);
    const double down = model == GrowthModel::gx ? 0 : std::exp(-d * days);
    return size_of(model, up, down, phi);
}

std::optional<double> day_of_smallest_size(double g, double d)
{
    if (!(g > 0) || !(d > g)) return std::nullopt;
    return std::log(d / g) / (g + d);
}

std::optional<double> smallest_size(double g, double d)
{
    const auto day = day_of_smallest_size(g, d);
    if (!day) return std::nullopt;
    return relative_size(GrowthModel::gd, g, d, 0, *day);
}

std::optional<GrowthFit> fit_growth(GrowthModel model, std::span<const SizeAtDay> given)
{
    const auto used = used_by(model);
    if (given.size() < used.size() + 1 || !(given.front().size > 0)) return std::nullopt;
    // The first point sets the unit: every model passes through it, and it says nothing of the parameters.
    std::vector<SizeAtDay> points;
    for (std::size_t i = 1; i < given.size(); ++i) {
        if (!(given[i].days > given[i - 1].days) || !(given[i].size >= 0)) return std::nullopt;
        points.push_back({given[i].days - given.front().days, given[i].size / given.front().size});
    }
    const auto p = fitted(model, points, used);
    GrowthFit out;
    out.model = model;
    out.points = static_cast<int>(given.size());
    out.residual_ss = residuals(model, p, points);
    const double n = static_cast<double>(points.size());
    out.aic = n * std::log(std::max(out.residual_ss / n, kLeastVariance)) + 2 * static_cast<double>(used.size());

    const int freedom = static_cast<int>(points.size()) - static_cast<int>(used.size());
    Matrix a{};
    Parameters b{};
    normal_equations(model, p, points, used, a, b);
    const auto covariance = inverse(a, used.size());
    for (std::size_t i = 0; i < used.size(); ++i) {
        Estimate estimate;
        estimate.value = p[used[i]];
        if (freedom > 0 && covariance && (*covariance)[i][i] >= 0) {
            const double error = std::sqrt(out.residual_ss / freedom * (*covariance)[i][i]) * estimate.value;
            estimate.low = estimate.value - student_t_95(freedom) * error;
            estimate.high = estimate.value + student_t_95(freedom) * error;
            estimate.p = error > 0 ? student_two_sided_p(estimate.value / error, freedom) : 0;
        }
        (used[i] == 0 ? out.g : used[i] == 1 ? out.d : out.phi) = estimate;
    }
    return out;
}

std::optional<GrowthFit> best_growth_fit(std::span<const SizeAtDay> points, double limit)
{
    constexpr std::size_t kFewest = 3;
    std::optional<GrowthFit> best;
    if (points.size() < kFewest) return best;
    for (const auto model : {GrowthModel::gd, GrowthModel::gx, GrowthModel::dx, GrowthModel::gdphi}) {
        const auto fit = fit_growth(model, points);
        if (!fit) continue;
        bool all = true;
        for (const auto* estimate : {&fit->g, &fit->d, &fit->phi}) all = all && (!*estimate || ((*estimate)->p && *(*estimate)->p < limit));
        if (all && (!best || fit->aic < best->aic)) best = fit;
    }
    return best;
}

}  // namespace retromass::response

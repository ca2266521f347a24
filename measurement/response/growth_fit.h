#pragma once

#include <optional>
#include <span>
#include <string_view>

/// Growth and regression at once, fitted to sizes over time (Stein 2008, rules 13.4 to 13.6).
namespace retromass::response {

/// f(t), relative to the first size: gd = exp(-dt) + exp(gt) - 1, gx = exp(gt), dx = exp(-dt), gdphi = (1-phi) exp(gt) + phi exp(-dt).
enum class GrowthModel { gd, gx, dx, gdphi };
std::string_view name(GrowthModel model);

double relative_size(GrowthModel model, double g, double d, double phi, double days);
/// When gd is smallest: ln(d/g) / (g+d), and how small it then is. Empty unless d > g > 0.
std::optional<double> day_of_smallest_size(double g, double d);
std::optional<double> smallest_size(double g, double d);

struct SizeAtDay {
    double days = 0;                     ///< the first point has the smallest
    double size = 0;
};
/// A rate (1/day) or share, with its 95 % interval and the p of its being 0; both empty where no point is left to judge the scatter.
struct Estimate {
    double value = 0;
    std::optional<double> low;
    std::optional<double> high;
    std::optional<double> p;
};
struct GrowthFit {
    GrowthModel model = GrowthModel::gd;
    std::optional<Estimate> g;
    std::optional<Estimate> d;
    std::optional<Estimate> phi;
    int points = 0;                      ///< the first included, though it only sets the scale
    double residual_ss = 0;
    double aic = 0;
};
/// Least squares from time 0 at the first point, whose size is the unit. Empty where there are fewer further points than parameters, two points share
/// a day, or the first size is not above 0.
std::optional<GrowthFit> fit_growth(GrowthModel model, std::span<const SizeAtDay> points);
/// Of the models whose every parameter differs from 0 with p below `limit`, the one of smallest AIC; empty where there is none,
/// which also holds for less than three points.
std::optional<GrowthFit> best_growth_fit(std::span<const SizeAtDay> points, double limit = 0.1);

}  // namespace retromass::response

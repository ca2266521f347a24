#pragma once

#include <optional>
#include <vector>

#include "measurement/response/period_context.h"
#include "measurement/response/timeline.h"

/// Growth arithmetic (rule 13). Two studies say how much, never by which law.
namespace retromass::response {

/// t ln 2 / ln(after / before); negative = halving time. Nothing where the sizes are equal, or any of the three is not positive.
std::optional<double> volume_doubling_time(double before, double after, double days);
/// The same from diameters, which count three times.
std::optional<double> volume_doubling_time_of_diameters(double before_mm, double after_mm, double days);
/// Specific growth rate, percent a day.
std::optional<double> specific_growth_rate(double before, double after, double days);
/// Tumour growth rate of Ferte 2014, percent a month, from sums of diameters.
std::optional<double> tumour_growth_rate(double before_mm, double after_mm, double days, double month_days);
/// How many times as large; empty unless both are above 0.
std::optional<double> fold(double before, double after);
/// Diameter of the sphere of this volume; empty below 0.
std::optional<double> equivalent_diameter_mm(double mm3);
/// pi / 6 of the product of three axes, mm3.
double ellipsoid_mm3(double a_mm, double b_mm, double c_mm);

/// Each lesion between consecutive time points that have a volume, and the same by the ellipsoid of its three axes. Pairs that
/// span a surgery are left out: what was taken away did not shrink.
std::vector<GrowthPair> growth_pairs(const Patient& patient, const Timeline& timeline);

/// The complete sums of a period with a baseline: growth rate from each to the next, and the fitted law where there are three or more.
SumKinetics kinetics_of(const PeriodContext& context, const std::vector<RecistTimepoint>& rows);

}  // namespace retromass::response

#include "measurement/response/growth.h"

#include <cmath>
#include <numbers>

#include "core/units.h"
#include "measurement/response/readings.h"

namespace retromass::response {
namespace {

std::optional<double> growth_exponent(double before, double after, double days)
{
    if (!(before > 0) || !(after > 0) || !(days > 0)) return std::nullopt;
    return std::log(after / before) / days;
}

std::optional<double> size_of(const Observation* observation, bool ellipsoid)
{
    if (!observation || observation->status == LesionStatus::not_evaluable || observation->status == LesionStatus::merged) return std::nullopt;
    if (!ellipsoid) return observation->volume_ml;
    if (!observation->long_axis || !observation->short_axis || !observation->craniocaudal) return std::nullopt;
    return ellipsoid_mm3(observation->long_axis->as_mm(), observation->short_axis->as_mm(), observation->craniocaudal->as_mm());
}

/// A volume goes with the cube of its diameter: below 30 mm an error of 1 mm there moves the volume, and with it the fold, by more than 10 %.
std::string approximate_size(const Observation& earlier, const std::string& timepoint)
{
    constexpr double small_mm = 30;
    if (!earlier.long_axis || earlier.long_axis->as_mm() >= small_mm) return {};
    const double percent = 100 * (std::pow(1 + 1 / earlier.long_axis->as_mm(), 3) - 1);
    return "; " + timepoint + " size approximate: 1 mm more of its " + earlier.long_axis->text() + " mm would be " + fixed(percent, 0) + " % more volume";
}

void add_pairs(const Patient& patient, const Timeline& timeline, const Lesion& lesion, bool ellipsoid, std::vector<GrowthPair>& out)
{
    std::optional<std::size_t> from;
    for (std::size_t t = 0; t < patient.timepoints.size(); ++t) {
        const auto after = size_of(observation_of(patient.timepoints[t], lesion.id), ellipsoid);
        if (!after) continue;
        const auto earlier = from;
        from = t;
        if (!earlier || surgery_between(patient, timeline.when[*earlier], timeline.when[t])) continue;
        const auto before = *size_of(observation_of(patient.timepoints[*earlier], lesion.id), ellipsoid);
        const long days = days_between(timeline.when[*earlier], timeline.when[t]);
        if (!(before > 0) || !(*after > 0) || days <= 0) continue;
        GrowthPair pair;
        pair.lesion = lesion.id;
        pair.from = patient.timepoints[*earlier].id;
        pair.to = patient.timepoints[t].id;
        pair.basis = ellipsoid ? "ellipsoid" : "volume";
        pair.days = static_cast<double>(days);
        pair.fold = *fold(before, *after);
        pair.doubling_time_days = volume_doubling_time(before, *after, pair.days);
        pair.notices.push_back({Code::fast_growth_pair, "growth of " + lesion.id + " is computed from one pair of studies, as if it were exponential: do not extrapolate" +
                                                            approximate_size(*observation_of(patient.timepoints[*earlier], lesion.id), pair.from)});
        out.push_back(std::move(pair));
    }
}

}  // namespace

std::optional<double> volume_doubling_time(double before, double after, double days)
{
    const auto exponent = growth_exponent(before, after, days);
    if (!exponent || *exponent == 0) return std::nullopt;
    return std::numbers::ln2 / *exponent;
}

std::optional<double> volume_doubling_time_of_diameters(double before_mm, double after_mm, double days)
{
    const auto time = volume_doubling_time(before_mm, after_mm, days);
    if (!time) return std::nullopt;
    return *time / 3;
}

std::optional<double> specific_growth_rate(double before, double after, double days)
{
    const auto exponent = growth_exponent(before, after, days);
    if (!exponent) return std::nullopt;
    return 100 * *exponent;
}

std::optional<double> tumour_growth_rate(double before_mm, double after_mm, double days, double month_days)
{
    const auto exponent = growth_exponent(before_mm, after_mm, days);
    if (!exponent) return std::nullopt;
    return 100 * std::expm1(3 * *exponent * month_days);
}

std::optional<double> fold(double before, double after)
{
    if (!(before > 0) || !(after > 0)) return std::nullopt;
    return after / before;
}

std::optional<double> equivalent_diameter_mm(double mm3)
{
    if (!(mm3 >= 0)) return std::nullopt;
    return std::cbrt(6 / std::numbers::pi * mm3);
}

double ellipsoid_mm3(double a_mm, double b_mm, double c_mm) { return std::numbers::pi / 6 * a_mm * b_mm * c_mm; }

std::vector<GrowthPair> growth_pairs(const Patient& patient, const Timeline& timeline)
{
    std::vector<GrowthPair> out;
    for (const auto& lesion : patient.lesions) {
        add_pairs(patient, timeline, lesion, false, out);
        add_pairs(patient, timeline, lesion, true, out);
    }
    return out;
}

}  // namespace retromass::response

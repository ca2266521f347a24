#include "measurement/response/growth.h"

#include <cmath>
#include <numbers>

#include "core/units.h"
#include "measurement/response/growth_fit.h"
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
        pair.specific_growth_rate_pct_day = *specific_growth_rate(before, *after, pair.days);
        pair.doubling_time_days = volume_doubling_time(before, *after, pair.days);
        pair.notices.push_back({Code::fast_growth_pair, "growth of " + lesion.id + " is computed from one pair of studies, as if it were exponential: do not extrapolate" +
                                                            approximate_size(*observation_of(patient.timepoints[*earlier], lesion.id), pair.from)});
        out.push_back(std::move(pair));
    }
}

std::optional<FittedRate> rate_of(const std::optional<Estimate>& estimate)
{
    if (!estimate) return std::nullopt;
    FittedRate out{estimate->value, {}};
    if (estimate->low) out.interval = Interval{*estimate->low, *estimate->high};
    return out;
}

std::string rate_text(const char* what, const std::optional<FittedRate>& rate)
{
    if (!rate) return "";
    return std::string(", ") + what + " " + fixed(rate->value, 5) + " a day (95 % interval " + fixed(rate->interval->low, 5) + " to " + fixed(rate->interval->high, 5) + ")";
}

void add_law(std::span<const SizeAtDay> points, SumKinetics& out)
{
    out.points = static_cast<int>(points.size());
    if (points.size() < 3) {
        out.text = "no law is fitted to " + std::to_string(points.size()) + (points.size() == 1 ? " sum" : " sums") + ": three are the least";
        return;
    }
    const auto fit = best_growth_fit(points);
    if (!fit) {
        out.text = "no growth law fits the " + std::to_string(points.size()) + " sums with every rate different from 0 (p < 0.1)";
        return;
    }
    out.model = name(fit->model);
    out.growth_per_day = rate_of(fit->g);
    out.regression_per_day = rate_of(fit->d);
    out.regressing_share = rate_of(fit->phi);
    if (fit->model == GrowthModel::gd) out.smallest_on_day = day_of_smallest_size(fit->g->value, fit->d->value);
    out.text = "law " + out.model + " fits " + std::to_string(points.size()) + " sums best" + rate_text("growth", out.growth_per_day) + rate_text("regression", out.regression_per_day);
    if (out.regressing_share) out.text += ", regressing share " + fixed(out.regressing_share->value, 2);
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

SumKinetics kinetics_of(const PeriodContext& context, const std::vector<RecistTimepoint>& rows)
{
    SumKinetics out;
    out.line = context.period.line;
    out.period = context.period.label;
    const double month_days = std::stod(context.policies.value("month_days"));
    std::vector<SizeAtDay> points;
    const RecistTimepoint* before = nullptr;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const auto& now = rows[row];
        if (!now.sum || (row > 0 && now.overall.category == Category::none)) continue;
        const auto t = row == 0 ? *context.period.baseline : context.period.follow_ups[row - 1];
        const double days = static_cast<double>(days_between(context.timeline.when[*context.period.baseline], context.timeline.when[t]));
        if (!points.empty() && days <= points.back().days) continue;  // two visits of one day
        if (before) {
            const double between = days - points.back().days;
            const auto rate = tumour_growth_rate(before->sum->as_mm(), now.sum->as_mm(), between, month_days);
            if (rate) out.steps.push_back({before->timepoint, now.timepoint, between, *rate});
        }
        before = &now;
        points.push_back({days, now.sum->as_mm()});
    }
    add_law(points, out);
    return out;
}

}  // namespace retromass::response

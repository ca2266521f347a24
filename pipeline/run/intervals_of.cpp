#include "pipeline/run/intervals_of.h"

#include "core/units.h"
#include "measurement/measure.h"

namespace retromass::run {

void add_intervals(outputs::LesionResult& result, const VolumeGeometry& geometry, const MaskVariants& variants)
{
    if (!result.measurements || has(result.measurements->notices, Code::truncated)) return;
    const auto made = measurement::uncertainty_of(*result.measurements, geometry, variants);
    if (!made) {
        result.notices.push_back({Code::interval_not_validated, "no interval is given: " + made.error().message});
        return;
    }
    auto& origin = result.interval_origin;
    origin.calibrated_on = made->calibrated_on;
    origin.not_validated = made->not_validated;
    for (std::size_t q = 0; q < measurement::kUncertain.size(); ++q) {
        const std::string quantity(measurement::kUncertain[q]);
        const auto& ends = made->quantities[q];
        result.intervals[quantity] = {*ends.low, *ends.high};
        origin.within_case_cv[quantity] = made->spreads[q].prompt;
    }
    if (!origin.not_validated.empty()) result.notices.push_back({Code::interval_not_validated, "interval not validated here: calibrated on " + origin.calibrated_on + ", but " + origin.not_validated});
}

void take_repeatability(outputs::LesionResult& result, const Repeatability& repeatability)
{
    if (!result.measurements || has(result.measurements->notices, Code::truncated)) return;
    const auto& m = *result.measurements;
    bool taken = false;
    for (const auto& [quantity, value] : {std::pair{"long_axis_mm", m.long_axis.recorded.as_mm()}, {"short_axis_mm", m.short_axis.recorded.as_mm()},
                                          {"craniocaudal_mm", m.craniocaudal.recorded.as_mm()}, {"volume_ml", m.recorded_volume_ml}}) {
        const auto ends = repeats_of(repeatability, quantity, value);
        if (ends) result.intervals[quantity] = *ends;
        else result.intervals.erase(quantity);  // never two sources in one lesion
        taken = taken || ends.has_value();
    }
    result.intervals.erase("hu_mean");
    result.interval_origin = {};
    result.interval_origin.of_repeats = taken;
    std::erase_if(result.notices, [](const auto& notice) { return notice.code == Code::interval_not_validated; });
    if (taken) result.interval_origin.calibrated_on = name_of(repeatability);
    else result.notices.push_back({Code::interval_not_validated, "no interval is given: " + name_of(repeatability) + " has no class of this size"});
}

void take_stated(outputs::LesionResult& result, const char* quantity, const response::Interval& interval, std::optional<double> measured, const std::string& unit)
{
    if (measured && interval.low <= *measured && *measured <= interval.high) {
        auto& stated = result.interval_origin.stated;
        stated += std::string(stated.empty() ? "" : ", ") + quantity;
        result.intervals[quantity] = interval;
        return;
    }
    const auto why = measured ? "does not hold the measured " + fixed(*measured, 1) + unit : std::string("has no mean HU to hold, for nothing is left without the outermost voxels and metal,");
    result.notices.push_back({Code::reader_disagrees, "the stated interval " + fixed(interval.low, 1) + " to " + fixed(interval.high, 1) + unit + " " + why + " and is not used"});
}

}  // namespace retromass::run

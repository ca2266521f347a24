#include <cmath>
#include <string>

#include "core/units.h"
#include "measurement/uncertainty.h"

namespace retromass::measurement {
namespace {

constexpr std::size_t kShortAxis = 1;   // in kUncertain

/// The set whose errors are the most like this lesion's.
const IntervalSet& set_for(const MaskVariants& variants)
{
    const bool clear = variants.rim_step >= kClearRim || variants.separation >= kClearContrast;
    const auto sets = interval_sets();
    for (const auto& set : sets) {
        if (set.clear == clear) return set;
    }
    return sets.back();
}

/// In what this lesion differs from every case of the set; empty = in nothing.
std::string outside(const IntervalSet& set, const MaskVariants& variants, double slice_mm)
{
    std::string out;
    const auto add = [&out](const std::string& why) { out += (out.empty() ? "" : "; ") + why; };
    if (set.prompts.find(" " + variants.prompt + " ") == std::string_view::npos) add("its prompt is of kind " + variants.prompt);
    if (variants.length_mm < set.shortest_mm || variants.length_mm > set.longest_mm) {
        add("its prompt is " + fixed(variants.length_mm, 0) + " mm, theirs are " + fixed(set.shortest_mm, 0) + " to " + fixed(set.longest_mm, 0) + " mm");
    }
    if (slice_mm > set.thickest_mm) add("its slices are " + fixed(slice_mm, 1) + " mm apart, theirs at most " + fixed(set.thickest_mm, 1) + " mm");
    if (!set.clear && variants.soft_tissue <= 0) add("it borders other tissue than theirs");
    return out;
}

}  // namespace

bool shows_short_axis(std::string_view prompt) { return prompt.starts_with("line2") || prompt.starts_with("contour"); }

Result<Uncertainty> uncertainty_of(const LesionMeasurements& measured, const VolumeGeometry& ct, const MaskVariants& variants)
{
    Uncertainty out;
    RETROMASS_TRY_ASSIGN(out.spreads, spreads_of(measured, ct, variants));
    const auto& set = set_for(variants);
    out.calibrated_on = set.name;
    out.not_validated = outside(set, variants, thickest_slab_mm(measured, ct));
    const std::array<double, kUncertain.size()> values{measured.long_axis.recorded.as_mm(), measured.short_axis.recorded.as_mm(), measured.craniocaudal.recorded.as_mm(),
                                                       measured.recorded_volume_ml, measured.hu ? measured.hu->mean : 0};
    for (std::size_t q = 0; q < values.size(); ++q) {
        const double spread = out.spreads[q].total();
        const auto& reaches = q == kShortAxis && !shows_short_axis(variants.prompt) ? set.unseen_short : set.reach[q];
        const auto at = [&](double reach) { return q == kUncertainHu ? values[q] + reach * spread : values[q] * std::exp(reach * spread); };
        out.quantities[q] = {values[q], at(reaches.below), at(reaches.above)};
    }
    return out;
}

}  // namespace retromass::measurement

#include "measurement/response/volumetric.h"

#include <array>

namespace retromass::response {
namespace {

constexpr std::array kRules{
    VolumeRule{"exact-sphere", 343, 1728, "a sphere whose diameter changes by -30 % or +20 %: -65.7 % and +72.8 %"},
    VolumeRule{"65/73", 350, 1730, "the same as printed: -65 % and +73 %"},
    VolumeRule{"66/73", 340, 1730, "the same as printed: -66 % and +73 %"},
    VolumeRule{"ellipsoid-30/20", 700, 1200, "an ellipsoid of which one axis changes: -30 % and +20 %"},
};

}  // namespace

const VolumeRule& volume_rule(std::string_view name)
{
    for (const auto& rule : kRules) {
        if (rule.name == name) return rule;
    }
    return kRules.front();
}

Outcome volume_response(const VolumeSums& sums, const VolumeRule& rule)
{
    const std::string by = " (" + std::string(rule.name) + ": " + std::string(rule.meaning) + ")";
    if (sums.baseline == 0 && sums.current == 0) return {Category::ne, "volume 12 not evaluable", "there was no volume at the baseline to compare with"};
    if (sums.current == 0) return {Category::cr, "volume 12 complete response", "no volume is left"};
    if (sums.current > sums.nadir && 1000 * sums.current >= rule.progression_permille * sums.nadir) {
        return {Category::pd, "volume 12 progressive disease", "the volume reached the limit above the nadir" + by};
    }
    if (1000 * sums.current <= rule.response_permille * sums.baseline) {
        return {Category::pr, "volume 12 partial response", "the volume reached the limit below the baseline" + by};
    }
    return {Category::sd, "volume 12 stable disease", "the volume reached neither limit" + by};
}

}  // namespace retromass::response

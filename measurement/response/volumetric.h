#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "measurement/response/outcome.h"

/// Response by volume (rules 12.1 to 12.4). There is no accepted volumetric RECIST: which rule was used is always said.
namespace retromass::response {

/// Limits as thousandths of baseline (PR) and nadir (PD).
struct VolumeRule {
    std::string_view name;               ///< value of the policy volume_rule
    std::int64_t response_permille;
    std::int64_t progression_permille;
    std::string_view meaning;
};
/// exact-sphere, 65/73, 66/73 and ellipsoid-30/20; the first for an unknown name.
const VolumeRule& volume_rule(std::string_view name);

/// Sums of the targets' volumes, recorded integers in one unit.
struct VolumeSums {
    std::int64_t baseline = 0;
    std::int64_t nadir = 0;
    std::int64_t current = 0;
};
/// CR (0), PD against the nadir, PR against the baseline, SD; no absolute growth is asked for, and from 0 any growth is infinite.
Outcome volume_response(const VolumeSums& sums, const VolumeRule& rule);

}  // namespace retromass::response

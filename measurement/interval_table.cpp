// Made by tools/calibrate_intervals.py; change that, not this.
#include "measurement/uncertainty.h"

namespace retromass::measurement {

std::span<const IntervalSet> interval_sets()
{
    static constexpr std::array<IntervalSet, 2> sets{{
        {"1264 phantoms with a clear rim", true, " box contour line line2 line2z linez ", 9, 120, 5.0,
         {{{-1.155, 0.8997}, {-1.081, 1.1}, {-1.537, 1.518}, {-0.6472, 0.8222}, {0, 1.43}}}, {-1.081, 1.1}},
        {"29 soft-tissue sarcomas in soft tissue (TCIA STS)", false, " box contour line line2 line2z ", 30, 135, 3.3,
         {{{-0.9922, 1.322}, {-1.073, 1.083}, {-1.411, 1.589}, {-1.171, 1.176}, {-5.937, 7.268}}}, {-5.319, 1.554}},
    }};
    return sets;
}

}  // namespace retromass::measurement

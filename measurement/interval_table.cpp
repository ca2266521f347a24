// Made by tools/calibrate_intervals.py; change that, not this.
#include "measurement/uncertainty.h"

namespace retromass::measurement {

std::span<const IntervalSet> interval_sets()
{
    static constexpr std::array<IntervalSet, 2> sets{{
        {"1264 phantoms with a clear rim", true, " box contour line line2 line2z linez ", 9, 120, 5.0,
         {{{-1.155, 0.8997}, {-1.081, 1.1}, {-1.537, 1.518}, {-0.6472, 0.8222}, {0, 1.43}}}, {-1.081, 1.1}},
        {"29 soft-tissue sarcomas in soft tissue (TCIA STS)", false, " box contour line line2 line2z ", 30, 135, 3.3,
         {{{-1.102, 1.245}, {-0.97, 1.452}, {-1.411, 1.808}, {-1.164, 1.2}, {-6.246, 5.767}}}, {-6.921, 1.836}},
    }};
    return sets;
}

}  // namespace retromass::measurement

// Made by tools/calibrate_intervals.py; change that, not this.
#include "measurement/uncertainty.h"

namespace retromass::measurement {

std::span<const IntervalSet> interval_sets()
{
    static constexpr std::array<IntervalSet, 2> sets{{
        {"1140 phantoms with a clear rim", true, " box contour line line2 line2z ", 9, 131, 5.0,
         {{{-1.153, 0.8503}, {-0.98, 1.02}, {-1.536, 1.584}, {-0.5751, 0.8597}, {0, 1.433}}}},
        {"29 soft-tissue sarcomas in soft tissue (TCIA STS)", false, " box contour line line2 line2z ", 30, 135, 3.3,
         {{{-1.198, 1.217}, {-3.017, 1.363}, {-1.599, 1.462}, {-1.358, 0.9942}, {-5.758, 7.26}}}},
    }};
    return sets;
}

}  // namespace retromass::measurement

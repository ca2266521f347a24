#pragma once

#include <array>
#include <span>
#include <string_view>

#include "measurement/measure.h"

namespace retromass::measurement {

/// How many spreads below and above the value 95 of 100 true values of a set of cases lay, and what these cases were.
struct IntervalSet {
    std::string_view name;           ///< as it stands beside every interval
    bool clear = false;              ///< lesions with a clear rim, or those without
    std::string_view prompts;        ///< kinds of prompt, each with a blank on both sides
    double shortest_mm = 0;          ///< of the prompt
    double longest_mm = 0;
    double thickest_mm = 0;          ///< slices
    struct Reach {
        double below = 0;
        double above = 0;
    };
    std::array<Reach, kUncertain.size()> reach;   ///< in the order of kUncertain
    Reach unseen_short;              ///< of the short axis where the prompt does not show it
};

/// Whether a kind of prompt shows where the short axis ends: a box does not, what lies turned in it is narrower.
bool shows_short_axis(std::string_view prompt);

/// Made by tools/calibrate_intervals.py.
std::span<const IntervalSet> interval_sets();

/// The widest slab of the slices the lesion reaches, a gap between them included.
double thickest_slab_mm(const LesionMeasurements& measured, const VolumeGeometry& ct);

inline constexpr double kClearRim = 2.4;          ///< mean step of the evidence at the six ends from which a rim is clear ...
inline constexpr double kClearContrast = 4.7;     ///< ... or separation of inside and outside: where the learned correction ends

}  // namespace retromass::measurement

#pragma once

#include <ostream>
#include <string>

#include "measurement/measure.h"
#include "segmentation/segment.h"

/// The rows from which tools/calibrate_intervals.py learns how wide an interval must be.
namespace retromass::tools {

inline constexpr const char* kIntervalHeader = "set,case,prompt,quantity,value,truth,spread,repeat,boundary,grid,acquisition,rim_step,separation,soft_tissue,length_mm,slice_mm";

/// One row a quantity: what was measured, what is true and how far the result says it may be off. `truth` in the order of kUncertain.
inline void write_interval_rows(std::ostream& out, const std::string& set, const std::string& name, const CtVolume& ct, const segmentation::Segmentation& made, const std::array<double, 5>& truth)
{
    const auto measured = measurement::measure(made.mask, ct.geometry, &ct.hu);
    if (!measured || !made.variants) return;
    const auto spreads = measurement::spreads_of(*measured, ct.geometry, *made.variants);
    if (!spreads) return;
    const std::array<double, 5> values{measured->long_axis.recorded.as_mm(), measured->short_axis.recorded.as_mm(), measured->craniocaudal.recorded.as_mm(), measured->recorded_volume_ml, measured->hu->mean};
    for (std::size_t q = 0; q < values.size(); ++q) {
        const auto& s = (*spreads)[q];
        out << set << ',' << name << ',' << made.variants->prompt << ',' << measurement::kUncertain[q] << ',' << values[q] << ',' << truth[q] << ',' << s.total() << ',' << s.prompt << ',' << s.boundary << ','
            << s.grid << ',' << s.acquisition << ',' << made.variants->rim_step << ',' << made.variants->separation << ',' << made.variants->soft_tissue << ',' << made.variants->length_mm << ','
            << ct.geometry.slab_mm(0) << '\n';
    }
    out.flush();
}

}  // namespace retromass::tools

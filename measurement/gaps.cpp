#include <algorithm>
#include <cmath>

#include "measurement/measure.h"

namespace retromass::measurement {
namespace {

constexpr double kEvenGap_mm = 0.01;        // or 1 % of the usual gap (docs/stages/ingest.md)
constexpr double kEvenGapRelative = 0.01;
constexpr std::size_t kGapsNamed = 5;       // a series of two block sizes has dozens

}  // namespace

std::vector<Notice> irregular_gaps(const Mask& mask, const VolumeGeometry& geometry, bool slices_are_missing)
{
    const int count = geometry.size().slices;
    std::vector<double> gaps;
    for (int k = 1; k < count; ++k) gaps.push_back(geometry.slice_position_mm(k) - geometry.slice_position_mm(k - 1));
    if (gaps.empty()) return {};
    auto sorted = gaps;
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() - 1) / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    const double usual = *middle;
    const double tolerance = std::max(kEvenGap_mm, kEvenGapRelative * usual);
    const auto touches = [&](int k) {
        const auto plane = mask.plane(k);
        return std::any_of(plane.begin(), plane.end(), [](auto v) { return v != 0; });
    };
    std::vector<Notice> out;
    for (int k = 0; k + 1 < count; ++k) {
        const double gap = gaps[static_cast<std::size_t>(k)];
        if (std::abs(gap - usual) <= tolerance || (!touches(k) && !touches(k + 1))) continue;
        const bool lost = slices_are_missing && gap > usual + tolerance;
        out.push_back({lost ? Code::missing_slices : Code::uneven_slices,
                       "the lesion reaches a gap of " + fixed(gap, 2) + " mm after slice " + std::to_string(k + 1) + ", where slices are usually " + fixed(usual, 2) + " mm apart"});
        if (out.size() == kGapsNamed) break;
    }
    return out;
}

}  // namespace retromass::measurement

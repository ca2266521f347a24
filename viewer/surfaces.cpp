#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "viewer/view.h"

namespace retromass::viewer {
namespace {

constexpr double kTurned_deg = 25;    // from the front to the patient's right
constexpr double kRaised_deg = 15;
constexpr double kFilled = 0.8;       // of a side: above and below stand band and bar
constexpr double kLongestBar = 0.4;   // of a side
constexpr std::array<double, 8> kBars_mm{1, 2, 5, 10, 20, 50, 100, 200};

double radians(double degrees) { return degrees * std::numbers::pi / 180; }
PatientPoint unit(PatientPoint p) { return 1 / norm(p) * p; }

/// What is seen of a mask along three directions at right angles.
struct Seen {
    std::array<double, 3> low{1e300, 1e300, 1e300}, high{-1e300, -1e300, -1e300};
    double side_mm() const { return std::max(high[0] - low[0], high[1] - low[1]); }
};

std::optional<Seen> seen(const Mask& mask, const VolumeGeometry& geometry, const std::array<PatientPoint, 3>& directions)
{
    const auto n = mask.size();
    Seen out;
    bool any = false;
    const auto hold = [&](double column, int row, int slice) {
        const auto p = geometry.to_patient(ContinuousIndex{column, double(row), double(slice)});
        for (std::size_t i = 0; i < 3; ++i) {
            out.low[i] = std::min(out.low[i], dot(p, directions[i]));
            out.high[i] = std::max(out.high[i], dot(p, directions[i]));
        }
    };
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            const auto* row = &mask.at(0, r, k);
            const auto* const end = row + n.columns;
            const auto* const first = std::find_if(row, end, [](auto v) { return v != 0; });
            if (first == end) continue;
            const auto* last = end - 1;
            while (*last == 0) --last;
            any = true;
            hold(static_cast<double>(first - row) - 0.5, r, k);   // to the edges of the pixels
            hold(static_cast<double>(last - row) + 0.5, r, k);
        }
    }
    if (!any) return std::nullopt;
    return out;
}

const LesionView* lesion_at(const TimepointView& timepoint, const std::string& lesion)
{
    const auto found = std::find_if(timepoint.lesions.begin(), timepoint.lesions.end(), [&](const auto& l) { return l.lesion == lesion; });
    return timepoint.ct && found != timepoint.lesions.end() && found->mask ? &*found : nullptr;
}

}  // namespace

PatientPoint surface_towards_viewer()
{
    const double turned = radians(kTurned_deg), raised = radians(kRaised_deg);
    return {-std::cos(raised) * std::sin(turned), -std::cos(raised) * std::cos(turned), std::sin(raised)};
}

std::vector<std::optional<SurfaceFrame>> surface_frames(const Scene& scene, const std::string& lesion)
{
    const auto towards = surface_towards_viewer();
    const auto right = unit(cross({0, 0, 1}, towards));
    const auto up = cross(towards, right);
    std::vector<std::optional<SurfaceFrame>> out;
    double side_mm = 0;
    for (const auto& timepoint : scene.timepoints) {
        auto& frame = out.emplace_back();
        const auto* shown = lesion_at(timepoint, lesion);
        if (!shown) continue;
        const auto held = seen(*shown->mask, timepoint.ct->geometry, {right, up, towards});
        if (!held) continue;
        const auto middle = [&](std::size_t i) { return (held->low[i] + held->high[i]) / 2; };
        frame = SurfaceFrame{middle(0) * right + middle(1) * up + middle(2) * towards, right, up, 1, kBars_mm[0]};
        side_mm = std::max(side_mm, held->side_mm());
    }
    const double mm_per_pixel = side_mm / (kFilled * kSurface_px);
    double bar_mm = kBars_mm[0];
    for (const double bar : kBars_mm) {
        if (bar <= kLongestBar * kSurface_px * mm_per_pixel) bar_mm = bar;
    }
    for (auto& frame : out) {
        if (!frame) continue;
        frame->mm_per_pixel = mm_per_pixel;
        frame->bar_mm = bar_mm;
    }
    return out;
}

}  // namespace retromass::viewer

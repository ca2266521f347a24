#include <algorithm>
#include <cmath>
#include <numbers>

#include "viewer/view.h"

namespace retromass::viewer {
namespace {

/// All lesions of a scan: they grow and shrink, and must not pull. Nothing where there is none.
std::optional<Mask> lesions_of(const TimepointView& timepoint)
{
    std::optional<Mask> out;
    for (const auto& lesion : timepoint.lesions) {
        if (!lesion.mask) continue;
        if (!out) out.emplace(lesion.mask->size());
        for (std::size_t i = 0; i < out->values().size(); ++i) (*out)[i] = (*out)[i] || (*lesion.mask)[i];
    }
    return out;
}

double radius_of(const Mask& mask, const VolumeGeometry& geometry)
{
    double volume_mm3 = 0;
    const double pixel_mm2 = geometry.column_spacing_mm() * geometry.row_spacing_mm();
    const auto n = mask.size();
    for (int k = 0; k < n.slices; ++k) {
        const auto* const slice = mask.data() + mask.offset(0, 0, k);
        volume_mm3 += pixel_mm2 * geometry.slab_mm(k) * static_cast<double>(std::count_if(slice, slice + n.plane(), [](auto v) { return v != 0; }));
    }
    return std::cbrt(0.75 * volume_mm3 / std::numbers::pi);
}

}  // namespace

Result<ScanLink> link_scans(const Scene& scene, std::size_t here, std::size_t there, int threads, const Progress& progress)
{
    const auto& now = scene.timepoints[here];
    const auto& then = scene.timepoints[there];
    ScanLink out;
    out.here = here;
    out.there = there;
    const auto left_out_now = lesions_of(now), left_out_then = lesions_of(then);
    segmentation::RegistrationParameters parameters;
    parameters.threads = threads;
    const auto made = segmentation::register_scans({*now.ct, left_out_now ? &*left_out_now : nullptr}, {*then.ct, left_out_then ? &*left_out_then : nullptr}, parameters, progress);
    if (!made && made.error().code == Code::cancelled) return made.error();
    if (!made) {
        out.doubt = made.error().message;
        return out;
    }
    const auto registration = std::make_shared<const segmentation::Registration>(*made);
    out.to_there = [registration](PatientPoint p) { return registration->to_moving(p); };
    out.to_here = [registration](PatientPoint p) { return registration->to_fixed(p); };
    for (const auto& lesion : then.lesions) {
        if (!goes_on(progress, "registering", 0.9)) return Error{Code::cancelled, "stopped while registering", "viewer"};
        if (!lesion.mask) continue;
        const auto& geometry = then.ct->geometry;
        auto doubt = segmentation::doubt_of(registration->trust_around(*lesion.mask, geometry), radius_of(*lesion.mask, geometry));
        if (!doubt.empty()) out.doubts[lesion.lesion] = std::move(doubt);
    }
    return out;
}

}  // namespace retromass::viewer

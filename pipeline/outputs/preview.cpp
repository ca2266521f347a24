#include <algorithm>
#include <cmath>
#include <map>

#include "pipeline/outputs/cairo/slice_view.h"
#include "pipeline/outputs/case_folder.h"
#include "pipeline/outputs/moving.h"

namespace retromass::outputs {
namespace {

constexpr double kMargin_mm = 40;                                  ///< round the lesions: enough to see what they touch
constexpr double kWindowCentre_hu = 40, kWindowWidth_hu = 400;     ///< the key images' window
constexpr double kFinest_mm = 0.8;                                 ///< finer pixels are not seen at the size of a pane
constexpr double kMostVoxels = 1.5e6;                              ///< of one time point
constexpr double kMostVoxelsOfAll = 5e6;                           ///< incompressible they are 6.7 MB of base64: with the viewer's 2.3 MB and the pictures a page stays below 15 MB

struct Box {
    PatientPoint low{1e300, 1e300, 1e300}, high{-1e300, -1e300, -1e300};
    void hold(PatientPoint p)
    {
        low = {std::min(low.x, p.x), std::min(low.y, p.y), std::min(low.z, p.z)};
        high = {std::max(high.x, p.x), std::max(high.y, p.y), std::max(high.z, p.z)};
    }
};

using Drawn = std::vector<const LesionResult*>;

Drawn drawn_at(const TimepointResult& timepoint)
{
    Drawn out;
    for (const auto& lesion : timepoint.lesions) {
        if (timepoint.ct && lesion.mask && lesion.measurements) out.push_back(&lesion);
    }
    return out;
}

Box box_of(const Drawn& drawn, const VolumeGeometry& geometry)
{
    Box box;
    for (const auto* lesion : drawn) {
        const auto& size = lesion->mask->size();
        for (int k = 0; k < size.slices; ++k) {
            for (int r = 0; r < size.rows; ++r) {
                for (int c = 0; c < size.columns; ++c) {
                    if (lesion->mask->at(c, r, k)) box.hold(geometry.to_patient(Index{c, r, k}));
                }
            }
        }
    }
    return box;
}

Result<std::string> nifti_bytes(const Mask& values, const VolumeGeometry& geometry, const std::filesystem::path& scratch)
{
    const auto file = scratch / "preview.nii.gz";
    RETROMASS_TRY(write_nifti(file, values, geometry));
    auto bytes = text_of_file(file);
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    return bytes;
}

Result<Preview> preview_of(const TimepointResult& timepoint, const Drawn& drawn, const LesionResult& middle, double most_voxels, const std::filesystem::path& scratch)
{
    const auto& geometry = timepoint.ct->volume.geometry;
    const auto box = box_of(drawn, geometry);
    const PatientPoint margin{kMargin_mm, kMargin_mm, kMargin_mm};
    const auto low = box.low - margin, extent = box.high + margin - low;
    const double step_mm = std::max(kFinest_mm, std::cbrt(extent.x * extent.y * extent.z / most_voxels));  // cubes: one step along every axis
    const auto count = [&](double mm) { return std::max(1, static_cast<int>(mm / step_mm)); };
    const Dimensions size{count(extent.x), count(extent.y), count(extent.z)};
    const auto pixels = static_cast<std::size_t>(size.columns) * static_cast<std::size_t>(size.rows);
    Mask grey(size), inside(size);
    for (int k = 0; k < size.slices; ++k) {
        const PicturePlane plane{low + PatientPoint{0, 0, k * step_mm}, {step_mm, 0, 0}, {0, step_mm, 0}, size.columns, size.rows, step_mm};
        const auto first = static_cast<std::size_t>(k) * pixels;
        const auto values = grey_values(timepoint.ct->volume, plane, kWindowCentre_hu, kWindowWidth_hu);
        std::copy(values.begin(), values.end(), &grey[first]);
        for (const auto* lesion : drawn) {
            const auto seen = mask_pixels(*lesion->mask, geometry, plane);
            for (std::size_t i = 0; i < pixels; ++i) inside[first + i] |= seen[i];
        }
    }
    const auto placed = VolumeGeometry::axial(size, step_mm, step_mm, step_mm, low - middle.measurements->centroid);
    Preview out{timepoint.id, middle.lesion, {}, {}};
    RETROMASS_TRY_ASSIGN(out.ct, nifti_bytes(grey, placed, scratch));
    RETROMASS_TRY_ASSIGN(out.masks, nifti_bytes(inside, placed, scratch));
    return out;
}

}  // namespace

Result<std::vector<Preview>> previews_of(const CaseResult& result, const std::filesystem::path& scratch)
{
    std::map<std::string, int> times;
    int timepoints = 0;
    for (const auto& timepoint : result.timepoints) {
        const auto drawn = drawn_at(timepoint);
        timepoints += !drawn.empty();
        for (const auto* lesion : drawn) ++times[lesion->lesion];
    }
    const auto seen_most = std::max_element(times.begin(), times.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    std::vector<Preview> out;
    for (const auto& timepoint : result.timepoints) {
        const auto drawn = drawn_at(timepoint);
        if (drawn.empty()) continue;
        const auto middle = std::find_if(drawn.begin(), drawn.end(), [&](const auto* lesion) { return lesion->lesion == seen_most->first; });
        RETROMASS_TRY_ASSIGN(auto preview, preview_of(timepoint, drawn, middle == drawn.end() ? *drawn.front() : **middle, std::min(kMostVoxels, kMostVoxelsOfAll / timepoints), scratch));
        out.push_back(std::move(preview));
    }
    return out;
}

}  // namespace retromass::outputs

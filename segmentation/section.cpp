#include "segmentation/section.h"

#include <algorithm>

#include "segmentation/distance.h"

namespace retromass::segmentation {

Mask section_of(const VolumeGeometry& g, const std::vector<PatientPoint>& contour, int slice)
{
    std::vector<ContinuousIndex> at;
    const double height = g.slice_position_mm(slice);
    for (const auto& p : contour) at.push_back(g.to_index(p + (height - dot(p, g.normal())) * g.normal()));
    Mask out({g.size().columns, g.size().rows, 1});
    for (int r = 0; r < g.size().rows; ++r) {
        for (int c = 0; c < g.size().columns; ++c) {
            bool inside = false;
            for (std::size_t i = 0, j = at.size() - 1; i < at.size(); j = i++) {
                if ((at[i].row > r) != (at[j].row > r) && c < (at[j].column - at[i].column) * (r - at[i].row) / (at[j].row - at[i].row) + at[i].column) inside = !inside;
            }
            out.at(c, r, 0) = inside;
        }
    }
    return out;
}

Mask plane_of(const Mask& mask, int slice)
{
    Mask out({mask.size().columns, mask.size().rows, 1});
    const auto plane = mask.plane(slice);
    std::copy(plane.begin(), plane.end(), out.data());
    return out;
}

std::optional<Grid<float>> section_distance(const Mask& section, const VolumeGeometry& g)
{
    if (std::none_of(section.values().begin(), section.values().end(), [](auto v) { return v != 0; })) return std::nullopt;
    auto distance = signed_distance(section, {g.column_spacing_mm(), g.row_spacing_mm(), 1});
    // 0 on the last pixel inside: half a pixel further out lies the edge.
    for (auto& d : distance.values()) d += static_cast<float>((g.column_spacing_mm() + g.row_spacing_mm()) / 4);
    return distance;
}

}  // namespace retromass::segmentation

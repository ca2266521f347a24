#include "pipeline/ingest/contours.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/units.h"

namespace retromass::ingest {
namespace {

constexpr double kSnap = 1e-6;            ///< voxels: a vertex this near to a voxel's centre lies on it; decimal strings round there
constexpr double kSamePlane = 0.02;       ///< slices: contours this near lie in one plane
constexpr double kAlongSlices = 0.5;      ///< slices a contour may wander before it is said to cross them

struct Vertex {
    double column, row;
};
struct Plane {
    double slice = 0;
    std::vector<std::vector<Vertex>> contours;
};

double snapped(double v)
{
    const double whole = std::round(v);
    return std::abs(v - whole) < kSnap ? whole : v;
}

/// Toggles a row from each crossing onwards: what lies behind an odd number of crossings is inside.
void fill_plane(const Plane& plane, Dimensions size, std::span<std::uint8_t> slice)
{
    std::vector<std::vector<double>> crossings(static_cast<std::size_t>(size.rows));
    for (const auto& contour : plane.contours) {
        for (std::size_t i = 0; i < contour.size(); ++i) {
            Vertex a = contour[i];
            Vertex b = contour[(i + 1) % contour.size()];
            if (a.row > b.row) std::swap(a, b);
            // A row that meets an edge's lower end belongs to it, one at its upper end to the next edge.
            const int first = static_cast<int>(std::max(0.0, std::ceil(a.row)));
            for (int r = first; r < b.row && r < size.rows; ++r) {
                crossings[static_cast<std::size_t>(r)].push_back(snapped(a.column + (r - a.row) / (b.row - a.row) * (b.column - a.column)));
            }
        }
    }
    for (int r = 0; r < size.rows; ++r) {
        auto& row = crossings[static_cast<std::size_t>(r)];
        std::sort(row.begin(), row.end());
        for (std::size_t i = 0; i + 1 < row.size(); i += 2) {
            const int from = static_cast<int>(std::max(0.0, std::ceil(row[i])));
            for (int c = from; c < row[i + 1] && c < size.columns; ++c) slice[static_cast<std::size_t>(r) * static_cast<std::size_t>(size.columns) + static_cast<std::size_t>(c)] = 1;
        }
    }
}

}  // namespace

std::string named(const ContouredRegion& region) { return "region " + std::to_string(region.number) + " \"" + region.name + "\": "; }

std::string slices_between_contours(const Mask& mask)
{
    std::string out;
    int last = -1;
    for (int k = 0; k < mask.size().slices; ++k) {
        const auto plane = mask.plane(k);
        if (std::none_of(plane.begin(), plane.end(), [](auto v) { return v != 0; })) continue;
        for (int between = last + 1; last >= 0 && between < k; ++between) out += (out.empty() ? "" : ", ") + std::to_string(between + 1);
        last = k;
    }
    return out.empty() ? out : "no contour on slice " + out + " between its first and last; nothing is counted there";
}

Result<Mask> filled(const ContouredRegion& region, const VolumeGeometry& grid)
{
    const auto misfit = [&](const std::string& why) { return Error{Code::mask_grid, named(region) + why, "ingest: contours"}; };
    const auto size = grid.size();
    std::vector<Plane> planes;
    for (const auto& contour : region.contours) {
        std::vector<Vertex> vertices;
        double low = 1e300, high = -1e300, sum = 0;
        for (const auto& p : contour) {
            const auto at = grid.to_index(p);
            vertices.push_back({snapped(at.column), snapped(at.row)});
            low = std::min(low, at.slice);
            high = std::max(high, at.slice);
            sum += at.slice;
        }
        if (high - low > kAlongSlices) return misfit("a contour crosses " + fixed(high - low, 1) + " slices of this CT; it was drawn in another plane");
        const double slice = sum / static_cast<double>(contour.size());
        if (slice < -0.5 || slice > size.slices - 0.5) return misfit("a contour lies outside the stack, at slice " + fixed(slice + 1, 1) + " of " + std::to_string(size.slices));
        auto plane = std::find_if(planes.begin(), planes.end(), [&](const Plane& p) { return std::abs(p.slice - slice) < kSamePlane; });
        if (plane == planes.end()) plane = planes.insert(planes.end(), Plane{slice, {}});
        plane->contours.push_back(std::move(vertices));
    }
    if (planes.empty()) return misfit("it has no closed contour");
    std::sort(planes.begin(), planes.end(), [](const Plane& a, const Plane& b) { return a.slice < b.slice; });
    std::vector<double> gaps;
    for (std::size_t i = 1; i < planes.size(); ++i) gaps.push_back(planes[i].slice - planes[i - 1].slice);
    if (!gaps.empty()) {
        std::nth_element(gaps.begin(), gaps.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 2), gaps.end());
        const double usual = gaps[gaps.size() / 2];
        constexpr double skips = 1.5;
        if (usual > skips) return misfit("its contours lie " + fixed(usual, 1) + " slices apart: the slices between them have none; draw them, or give a mask");
    }
    Mask mask(size);
    for (const auto& plane : planes) fill_plane(plane, size, mask.plane(std::clamp(static_cast<int>(std::lround(plane.slice)), 0, size.slices - 1)));
    return mask;
}

}  // namespace retromass::ingest

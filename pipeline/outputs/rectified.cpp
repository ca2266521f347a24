#include "pipeline/outputs/rectified.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace retromass::outputs {
namespace {

constexpr double kStraight_mm = 0.01;  ///< of a stack from one end to the other: no viewer can tell (docs/stages/ingest.md)

/// How far a slice's first voxel lies from that of the first slice, in pixels of the plane.
struct Drift {
    double columns, rows;
};
Drift drift_of(const VolumeGeometry& geometry, int slice)
{
    const auto moved = geometry.slice_origin(slice) - geometry.slice_origin(0);
    return {dot(moved, geometry.column_step()) / geometry.column_spacing_mm(), dot(moved, geometry.row_step()) / geometry.row_spacing_mm()};
}

bool straight(const VolumeGeometry& geometry)
{
    const auto [columns, rows] = drift_of(geometry, geometry.size().slices - 1);
    return std::hypot(columns * geometry.column_spacing_mm(), rows * geometry.row_spacing_mm()) <= kStraight_mm;
}

/// The smallest distance between slices; of an even stack its distance.
double step_of(const VolumeGeometry& geometry)
{
    if (geometry.slice_spacing_mm()) return *geometry.slice_spacing_mm();
    double step = geometry.slab_mm(0);
    for (int k = 1; k < geometry.size().slices; ++k) step = std::min(step, geometry.slice_position_mm(k) - geometry.slice_position_mm(k - 1));
    return step;
}

/// For each slice of the new grid the slice whose slab it lies in.
std::vector<int> sources_of(const VolumeGeometry& geometry, double step)
{
    const int last = geometry.size().slices - 1;
    std::vector<int> out;
    if (geometry.slice_spacing_mm()) {
        for (int k = 0; k <= last; ++k) out.push_back(k);
        return out;
    }
    const double first = geometry.slab_faces_mm(0)[0];
    const double end = geometry.slab_faces_mm(last)[1];
    int k = 0;
    for (double at = first + step / 2; at < end; at += step) {
        while (k < last && geometry.slab_faces_mm(k)[1] <= at) ++k;
        out.push_back(k);
    }
    return out;
}

}  // namespace

std::optional<Rectified> rectified(const ingest::CtSeries& ct, const std::vector<const Mask*>& masks)
{
    const auto& from = ct.volume.geometry;
    if (from.size().slices < 2 || (from.slice_spacing_mm() && straight(from))) return std::nullopt;
    const double step = step_of(from);
    const auto sources = sources_of(from, step);

    // Whole pixels from the first slice's place; the grid is wide enough for all.
    std::vector<std::array<int, 2>> moves;
    std::array<int, 2> least{0, 0}, most{0, 0};
    for (int k = 0; k < from.size().slices; ++k) {
        const auto drift = drift_of(from, k);
        moves.push_back({static_cast<int>(std::lround(drift.columns)), static_cast<int>(std::lround(drift.rows))});
        for (std::size_t i = 0; i < 2; ++i) {
            least[i] = std::min(least[i], moves.back()[i]);
            most[i] = std::max(most[i], moves.back()[i]);
        }
    }
    const Dimensions size{from.size().columns + most[0] - least[0], from.size().rows + most[1] - least[1], static_cast<int>(sources.size())};
    const auto corner = from.slice_origin(0) + (least[0] * from.column_spacing_mm()) * from.column_step() + (least[1] * from.row_spacing_mm()) * from.row_step();
    const double below = from.slice_spacing_mm() ? 0 : from.slab_faces_mm(0)[0] + step / 2 - from.slice_position_mm(0);
    std::vector<PatientPoint> origins;
    for (int k = 0; k < size.slices; ++k) origins.push_back(corner + (below + k * step) * from.normal());
    auto grid = VolumeGeometry::from_slices(size.columns, size.rows, from.column_step(), from.row_step(), from.column_spacing_mm(), from.row_spacing_mm(), std::move(origins));
    RETROMASS_ASSERT(grid.ok(), "a wider grid with the directions of a valid one is valid");

    Rectified out;
    out.ct.facts = ct.facts;
    out.ct.volume.geometry = std::move(grid).value();
    for (const int k : sources) out.ct.slices.push_back(ct.slices[static_cast<std::size_t>(k)]);
    for (const auto* mask : masks) {
        Mask moved(size);
        for (int k = 0; k < size.slices; ++k) {
            const int source = sources[static_cast<std::size_t>(k)];
            const auto& move = moves[static_cast<std::size_t>(source)];
            for (int r = 0; r < from.size().rows; ++r) {
                for (int c = 0; c < from.size().columns; ++c) {
                    if (mask->at(c, r, source)) moved.at(c + move[0] - least[0], r + move[1] - least[1], k) = 1;
                }
            }
        }
        out.masks.push_back(std::move(moved));
    }
    return out;
}

}  // namespace retromass::outputs

#include "pipeline/outputs/cairo/slice_view.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace retromass::outputs {
namespace {

/// HU at a point, trilinear between voxel centres; the nearest voxel where a neighbour is padding; padding outside.
double hu_at(const CtVolume& ct, PatientPoint point)
{
    const auto& size = ct.hu.size();
    const auto index = ct.geometry.to_index(point);
    if (index.column < -0.5 || index.row < -0.5 || index.slice < -0.5 || index.column > size.columns - 0.5 || index.row > size.rows - 0.5 || index.slice > size.slices - 0.5) return kPaddingHu;
    const double place[3] = {std::clamp(index.column, 0.0, size.columns - 1.0), std::clamp(index.row, 0.0, size.rows - 1.0), std::clamp(index.slice, 0.0, size.slices - 1.0)};
    const int top[3] = {size.columns - 1, size.rows - 1, size.slices - 1};
    int low[3];
    double part[3];
    for (int axis = 0; axis < 3; ++axis) {
        low[axis] = static_cast<int>(place[axis]);
        part[axis] = place[axis] - low[axis];
    }
    double sum = 0;
    for (int corner = 0; corner < 8; ++corner) {
        int at[3];
        double weight = 1;
        for (int axis = 0; axis < 3; ++axis) {
            const int step = corner >> axis & 1;
            at[axis] = std::min(low[axis] + step, top[axis]);
            weight *= step ? part[axis] : 1 - part[axis];
        }
        if (weight == 0) continue;
        const auto hu = ct.hu.at(at[0], at[1], at[2]);
        if (hu == kPaddingHu) return ct.hu.at(static_cast<int>(std::lround(place[0])), static_cast<int>(std::lround(place[1])), static_cast<int>(std::lround(place[2])));
        sum += weight * hu;
    }
    return sum;
}

PatientPoint along(PatientPoint direction, PatientPoint wanted) { return dot(direction, wanted) < 0 ? -1.0 * direction : direction; }

}  // namespace

std::array<double, 2> PicturePlane::seen(PatientPoint point) const
{
    const auto from = point - origin;
    return {dot(from, right) / (mm_per_pixel * mm_per_pixel), dot(from, down) / (mm_per_pixel * mm_per_pixel)};
}

std::array<PatientPoint, 2> directions_of(View view, const VolumeGeometry& geometry)
{
    const PatientPoint left{1, 0, 0}, back{0, 1, 0}, feet{0, 0, -1};
    if (view == View::coronal) return {left, feet};
    if (view == View::sagittal) return {back, feet};
    const PatientPoint steps[3] = {geometry.column_step(), geometry.row_step(), geometry.normal()};
    int best_right = 0;
    for (int i = 1; i < 3; ++i) {
        if (std::abs(dot(steps[i], left)) > std::abs(dot(steps[best_right], left))) best_right = i;
    }
    int best_down = best_right == 0 ? 1 : 0;
    for (int i = 0; i < 3; ++i) {
        if (i != best_right && std::abs(dot(steps[i], back)) > std::abs(dot(steps[best_down], back))) best_down = i;
    }
    return {along(steps[best_right], left), along(steps[best_down], back)};
}

char letter_of(PatientPoint direction)
{
    const double x = std::abs(direction.x), y = std::abs(direction.y), z = std::abs(direction.z);
    if (x >= y && x >= z) return direction.x > 0 ? 'L' : 'R';
    if (y >= z) return direction.y > 0 ? 'P' : 'A';
    return direction.z > 0 ? 'H' : 'F';
}

Field body_field(const CtVolume& ct, PatientPoint centre, const std::array<PatientPoint, 2>& directions)
{
    constexpr double kStep_mm = 1.5;
    constexpr double kReach_mm = 1200;  // a scan is not longer from any point of it
    constexpr double kBody_hu = -250;
    constexpr int kLeast = 4;           // samples in a line that make it body, not a speck
    // The plane's whole extent first: where the corners of the volume project to.
    const auto& size = ct.geometry.size();
    Field whole{kReach_mm, -kReach_mm, kReach_mm, -kReach_mm};
    for (int corner = 0; corner < 8; ++corner) {
        const auto p = ct.geometry.to_patient(Index{corner & 1 ? size.columns - 1 : 0, corner & 2 ? size.rows - 1 : 0, corner & 4 ? size.slices - 1 : 0}) - centre;
        whole.left = std::min(whole.left, dot(p, directions[0]));
        whole.right = std::max(whole.right, dot(p, directions[0]));
        whole.top = std::min(whole.top, dot(p, directions[1]));
        whole.bottom = std::max(whole.bottom, dot(p, directions[1]));
    }
    const int columns = static_cast<int>(whole.width() / kStep_mm) + 1, rows = static_cast<int>(whole.height() / kStep_mm) + 1;
    std::vector<int> in_column(static_cast<std::size_t>(columns)), in_row(static_cast<std::size_t>(rows));
    for (int y = 0; y < rows; ++y) {
        for (int x = 0; x < columns; ++x) {
            if (hu_at(ct, centre + (whole.left + kStep_mm * x) * directions[0] + (whole.top + kStep_mm * y) * directions[1]) < kBody_hu) continue;
            ++in_column[static_cast<std::size_t>(x)];
            ++in_row[static_cast<std::size_t>(y)];
        }
    }
    const auto range = [](const std::vector<int>& counts, double from, double otherwise_from, double otherwise_to) {
        std::array<double, 2> found{otherwise_to, otherwise_from};
        for (std::size_t i = 0; i < counts.size(); ++i) {
            if (counts[i] < kLeast) continue;
            found[0] = std::min(found[0], from + kStep_mm * static_cast<double>(i));
            found[1] = std::max(found[1], from + kStep_mm * static_cast<double>(i));
        }
        return found[0] < found[1] ? found : std::array<double, 2>{otherwise_from, otherwise_to};
    };
    const auto x = range(in_column, whole.left, whole.left, whole.right);
    const auto y = range(in_row, whole.top, whole.top, whole.bottom);
    return {x[0], x[1], y[0], y[1]};
}

Field mask_field(const Mask& mask, const VolumeGeometry& geometry, PatientPoint centre, const std::array<PatientPoint, 2>& directions)
{
    constexpr double kFar = std::numeric_limits<double>::max();
    Field field{kFar, -kFar, kFar, -kFar};
    const auto& size = mask.size();
    for (int k = 0; k < size.slices; ++k) {
        for (int r = 0; r < size.rows; ++r) {
            const auto* line = mask.data() + mask.offset(0, r, k);
            const auto* end = line + size.columns;
            const auto* first = std::find_if(line, end, [](auto v) { return v != 0; });
            if (first == end) continue;
            auto* last = end - 1;
            while (*last == 0) --last;
            for (const auto* column : {first, last}) {
                const auto p = geometry.to_patient(Index{static_cast<int>(column - line), r, k}) - centre;
                field.left = std::min(field.left, dot(p, directions[0]));
                field.right = std::max(field.right, dot(p, directions[0]));
                field.top = std::min(field.top, dot(p, directions[1]));
                field.bottom = std::max(field.bottom, dot(p, directions[1]));
            }
        }
    }
    return field.left > field.right ? Field{} : field;
}

std::vector<std::uint8_t> grey_values(const CtVolume& ct, const PicturePlane& plane, double window_centre, double window_width)
{
    std::vector<std::uint8_t> grey(static_cast<std::size_t>(plane.width) * static_cast<std::size_t>(plane.height));
    const double low = window_centre - window_width / 2;
    for (int y = 0; y < plane.height; ++y) {
        for (int x = 0; x < plane.width; ++x) {
            const double value = (hu_at(ct, plane.at(x, y)) - low) / window_width * 255;
            grey[static_cast<std::size_t>(y) * static_cast<std::size_t>(plane.width) + static_cast<std::size_t>(x)] = static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
        }
    }
    return grey;
}

std::vector<std::uint8_t> mask_pixels(const Mask& mask, const VolumeGeometry& geometry, const PicturePlane& plane)
{
    std::vector<std::uint8_t> inside(static_cast<std::size_t>(plane.width) * static_cast<std::size_t>(plane.height));
    for (int y = 0; y < plane.height; ++y) {
        for (int x = 0; x < plane.width; ++x) {
            const auto index = geometry.to_index(plane.at(x, y));
            const int c = static_cast<int>(std::floor(index.column + 0.5)), r = static_cast<int>(std::floor(index.row + 0.5)), k = static_cast<int>(std::floor(index.slice + 0.5));
            if (mask.size().contains(c, r, k)) inside[static_cast<std::size_t>(y) * static_cast<std::size_t>(plane.width) + static_cast<std::size_t>(x)] = mask.at(c, r, k) != 0;
        }
    }
    return inside;
}

std::vector<PixelEdge> outline_of(const std::vector<std::uint8_t>& inside, int width, int height)
{
    const auto in = [&](int x, int y) { return x >= 0 && y >= 0 && x < width && y < height && inside[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)] != 0; };
    std::vector<PixelEdge> edges;
    for (int y = 0; y <= height; ++y) {
        for (int x = 0; x < width;) {
            if (in(x, y - 1) == in(x, y)) { ++x; continue; }
            const int from = x;
            while (x < width && in(x, y - 1) != in(x, y)) ++x;
            edges.push_back({from, y, x, y});
        }
    }
    for (int x = 0; x <= width; ++x) {
        for (int y = 0; y < height;) {
            if (in(x - 1, y) == in(x, y)) { ++y; continue; }
            const int from = y;
            while (y < height && in(x - 1, y) != in(x, y)) ++y;
            edges.push_back({x, from, x, y});
        }
    }
    return edges;
}

}  // namespace retromass::outputs

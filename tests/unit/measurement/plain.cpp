#include "tests/unit/measurement/plain.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace retromass::test {
namespace {

struct Point {
    double x, y;  // mm in the slice
};
struct Segment {
    Point a, b;
};

bool inside(const Mask& mask, int c, int r, int k) { return mask.size().contains(c, r, k) && mask.at(c, r, k) != 0; }

/// Regions of a slice (8 neighbours) as masks of that slice.
std::vector<Mask> regions(const Mask& mask, int slice)
{
    const auto n = mask.size();
    Mask left({n.columns, n.rows, 1});
    std::copy(mask.plane(slice).begin(), mask.plane(slice).end(), left.plane(0).begin());
    std::vector<Mask> found;
    for (int r = 0; r < n.rows; ++r) {
        for (int c = 0; c < n.columns; ++c) {
            if (!left.at(c, r, 0)) continue;
            Mask region(left.size());
            std::vector<std::array<int, 2>> open{{c, r}};
            while (!open.empty()) {
                const auto [x, y] = open.back();
                open.pop_back();
                if (!inside(left, x, y, 0)) continue;
                left.at(x, y, 0) = 0;
                region.at(x, y, 0) = 1;
                for (int dy = -1; dy <= 1; ++dy) {
                    for (int dx = -1; dx <= 1; ++dx) open.push_back({x + dx, y + dy});
                }
            }
            found.push_back(region);
        }
    }
    return found;
}

/// Marching squares at one half through the edge midpoints; where two diagonal corners are inside they are joined.
std::vector<Segment> outline(const Mask& region, double sx, double sy)
{
    std::vector<Segment> segments;
    const auto n = region.size();
    for (int r = -1; r < n.rows; ++r) {
        for (int c = -1; c < n.columns; ++c) {
            // Corners and edge midpoints in turn round the cell; edge i lies between corner i and corner i + 1.
            const std::array<bool, 4> in{inside(region, c, r, 0), inside(region, c + 1, r, 0), inside(region, c + 1, r + 1, 0), inside(region, c, r + 1, 0)};
            const std::array<Point, 4> edge{{{(c + 0.5) * sx, r * sy}, {(c + 1) * sx, (r + 0.5) * sy}, {(c + 0.5) * sx, (r + 1) * sy}, {c * sx, (r + 0.5) * sy}}};
            const auto count = std::count(in.begin(), in.end(), true);
            if (count == 2 && in[0] == in[2]) {
                for (std::size_t i = 0; i < 4; ++i) {
                    if (!in[i]) segments.push_back({edge[(i + 3) % 4], edge[i]});  // cut off each corner outside
                }
                continue;
            }
            std::vector<Point> crossed;
            for (std::size_t i = 0; i < 4; ++i) {
                if (in[i] != in[(i + 1) % 4]) crossed.push_back(edge[i]);
            }
            if (crossed.size() == 2) segments.push_back({crossed[0], crossed[1]});
        }
    }
    return segments;
}

/// Widest outermost crossing of lines perpendicular to a-b: it lies at a corner of the outline.
double widest(const std::vector<Segment>& segments, Point a, Point b)
{
    const double length = std::hypot(b.x - a.x, b.y - a.y);
    const double ux = (b.x - a.x) / length, uy = (b.y - a.y) / length;
    const auto along = [&](Point p) { return p.x * ux + p.y * uy; };
    const auto across = [&](Point p) { return -p.x * uy + p.y * ux; };
    double best = 0;
    for (const auto& corner : segments) {
        for (const double t : {along(corner.a), along(corner.b)}) {
            double low = 1e300, high = -1e300;
            for (const auto& s : segments) {
                const double t1 = along(s.a), t2 = along(s.b);
                if (t < std::min(t1, t2) - 1e-9 || t > std::max(t1, t2) + 1e-9) continue;
                for (const double f : std::abs(t2 - t1) < 1e-9 ? std::vector<double>{0, 1} : std::vector<double>{std::clamp((t - t1) / (t2 - t1), 0.0, 1.0)}) {
                    const double v = across(s.a) + f * (across(s.b) - across(s.a));
                    low = std::min(low, v);
                    high = std::max(high, v);
                }
            }
            best = std::max(best, high - low);
        }
    }
    return best;
}

}  // namespace

PlainAxes plain_axes(const Mask& mask, const VolumeGeometry& geometry)
{
    PlainAxes best;
    const double sx = geometry.column_spacing_mm(), sy = geometry.row_spacing_mm();
    for (int k = 0; k < mask.size().slices; ++k) {
        for (const auto& region : regions(mask, k)) {
            const auto segments = outline(region, sx, sy);
            std::vector<Point> points;
            for (const auto& s : segments) points.insert(points.end(), {s.a, s.b});
            for (const auto& first : points) {
                for (const auto& second : points) {
                    const double mm = std::hypot(first.x - second.x, first.y - second.y);
                    if (mm < best.long_mm - 1e-9) continue;
                    const double partner = widest(segments, first, second);
                    const bool tie = mm < best.long_mm + 1e-9;
                    if (tie && partner < best.short_mm - 1e-9) continue;
                    // Equal in both: the most cranial slice.
                    const bool same = tie && partner < best.short_mm + 1e-9;
                    if (same && geometry.slice_origin(k).z <= geometry.slice_origin(best.slice).z) continue;
                    best = {mm, partner, k};
                }
            }
        }
    }
    return best;
}

double plain_max_3d_diameter_mm(const Mask& mask, const VolumeGeometry& geometry)
{
    std::vector<PatientPoint> vertices;
    const auto n = mask.size();
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            for (int c = 0; c < n.columns; ++c) {
                if (!mask.at(c, r, k)) continue;
                for (const int step : {-1, 1}) {
                    if (!inside(mask, c + step, r, k)) vertices.push_back(geometry.to_patient(ContinuousIndex{c + 0.5 * step, double(r), double(k)}));
                    if (!inside(mask, c, r + step, k)) vertices.push_back(geometry.to_patient(ContinuousIndex{double(c), r + 0.5 * step, double(k)}));
                    if (!inside(mask, c, r, k + step)) vertices.push_back(geometry.to_patient(ContinuousIndex{double(c), double(r), k + 0.5 * step}));
                }
            }
        }
    }
    double best = 0;
    for (const auto& a : vertices) {
        for (const auto& b : vertices) best = std::max(best, distance(a, b));
    }
    return best;
}

std::array<double, 3> plain_variances_mm2(const Mask& mask, const VolumeGeometry& geometry)
{
    std::vector<PatientPoint> centres;
    for (int k = 0; k < mask.size().slices; ++k) {
        for (int r = 0; r < mask.size().rows; ++r) {
            for (int c = 0; c < mask.size().columns; ++c) {
                if (mask.at(c, r, k)) centres.push_back(geometry.to_patient(Index{c, r, k}));
            }
        }
    }
    PatientPoint mean{};
    for (const auto& p : centres) mean = mean + (1.0 / static_cast<double>(centres.size())) * p;
    std::array<double, 3> sums{};
    for (const auto& p : centres) {
        const PatientPoint d = p - mean;
        sums[0] += d.x * d.x;
        sums[1] += d.y * d.y;
        sums[2] += d.z * d.z;
    }
    for (auto& s : sums) s /= static_cast<double>(centres.size() - 1);
    return sums;
}

double plain_smoothed_hu(const Mask& mask, const VolumeGeometry& geometry, const Grid<std::int16_t>& hu, Index at, double sigma_mm)
{
    double value = 0, weight = 0;
    const auto n = mask.size();
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            for (int c = 0; c < n.columns; ++c) {
                if (!mask.at(c, r, k) || hu.at(c, r, k) == kPaddingHu) continue;
                const double x = (c - at.column) * geometry.column_spacing_mm();
                const double y = (r - at.row) * geometry.row_spacing_mm();
                const double z = geometry.slice_position_mm(k) - geometry.slice_position_mm(at.slice);
                if (std::max({std::abs(x), std::abs(y), std::abs(z)}) > 4 * sigma_mm) continue;
                const double w = std::exp(-(x * x + y * y + z * z) / (2 * sigma_mm * sigma_mm));
                value += w * hu.at(c, r, k);
                weight += w;
            }
        }
    }
    return value / weight;
}

}  // namespace retromass::test

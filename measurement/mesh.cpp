#include "measurement/mesh.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <vector>

namespace retromass::measurement {
namespace {

// A cube of eight voxel centres; corner i lies at (i & 1, i >> 1 & 1, i >> 2 & 1). An edge is named by its two corners.
struct Triangle {
    std::array<std::array<int, 2>, 3> edges;
};

using EdgeName = std::array<int, 2>;

/// A loop of more than three edges is no plane in general: the fan of largest area is taken, the first of equals. That is the
/// mesh of the reference values (IBSI digital phantom, two lung lesions; tests/unit/measurement).
std::size_t widest_fan(const std::vector<EdgeName>& loop)
{
    const auto middle = [](EdgeName e) {
        return PatientPoint{((e[0] & 1) + (e[1] & 1)) / 2.0, ((e[0] >> 1 & 1) + (e[1] >> 1 & 1)) / 2.0, ((e[0] >> 2 & 1) + (e[1] >> 2 & 1)) / 2.0};
    };
    std::size_t best = 0;
    double largest = 0;
    for (std::size_t start = 0; start < loop.size(); ++start) {
        double area = 0;
        for (std::size_t i = 2; i < loop.size(); ++i) {
            const PatientPoint a = middle(loop[start]);
            const PatientPoint b = middle(loop[(start + i - 1) % loop.size()]);
            const PatientPoint c = middle(loop[(start + i) % loop.size()]);
            area += norm(cross(b - a, c - a));
        }
        if (area > largest + 1e-12) {
            largest = area;
            best = start;
        }
    }
    return best;
}

/// Which triangles a cube holds, for each of the 256 patterns of corners inside. Made by rule instead of from a table: on each
/// face marching squares cuts off the corners outside (diagonal ones inside are joined), the cuts join to loops, each loop is a fan of triangles.
/// The cuts run so that the inside lies on a fixed side; every triangle is oriented alike.
std::array<std::vector<Triangle>, 256> make_patterns()
{
    // Corners of the six faces, counter-clockwise seen from outside.
    constexpr int faces[6][4] = {{0, 4, 6, 2}, {1, 3, 7, 5}, {0, 1, 5, 4}, {2, 6, 7, 3}, {0, 2, 3, 1}, {4, 5, 7, 6}};
    const auto edge = [](int a, int b) { return EdgeName{std::min(a, b), std::max(a, b)}; };
    std::array<std::vector<Triangle>, 256> patterns;
    for (int pattern = 0; pattern < 256; ++pattern) {
        const auto inside = [&](int corner) { return (pattern >> corner & 1) != 0; };
        std::map<EdgeName, EdgeName> next;
        for (const auto& face : faces) {
            // Walking round the face: from the edge where the inside is left to the edge where it is entered again.
            for (int i = 0; i < 4; ++i) {
                if (!inside(face[i]) || inside(face[(i + 1) % 4])) continue;
                int j = (i + 1) % 4;
                while (!inside(face[(j + 1) % 4])) j = (j + 1) % 4;
                next[edge(face[i], face[(i + 1) % 4])] = edge(face[j], face[(j + 1) % 4]);
            }
        }
        while (!next.empty()) {
            std::vector<EdgeName> loop{next.begin()->first};
            for (;;) {
                const auto found = next.find(loop.back());
                const EdgeName following = found->second;
                next.erase(found);
                if (following == loop.front()) break;
                loop.push_back(following);
            }
            const auto start = widest_fan(loop);
            const auto corner = [&](std::size_t i) { return loop[(start + i) % loop.size()]; };
            for (std::size_t i = 2; i < loop.size(); ++i) patterns[static_cast<std::size_t>(pattern)].push_back({{corner(0), corner(i - 1), corner(i)}});
        }
    }
    return patterns;
}

/// Corners of the convex hull of points in a plane spanned by the grid's columns and rows (half-voxel whole numbers).
struct Flat {
    int column2, row2;
    friend bool operator==(const Flat&, const Flat&) = default;
    friend bool operator<(const Flat& a, const Flat& b) { return a.column2 != b.column2 ? a.column2 < b.column2 : a.row2 < b.row2; }
};
std::vector<Flat> hull_of(std::vector<Flat> points)
{
    std::sort(points.begin(), points.end());
    points.erase(std::unique(points.begin(), points.end()), points.end());
    if (points.size() < 3) return points;
    const auto turn = [](Flat a, Flat b, Flat c) {
        return static_cast<long long>(b.column2 - a.column2) * (c.row2 - a.row2) - static_cast<long long>(b.row2 - a.row2) * (c.column2 - a.column2);
    };
    std::vector<Flat> hull;
    for (int pass = 0; pass < 2; ++pass) {
        const std::size_t start = hull.size();
        for (const auto& p : points) {
            while (hull.size() >= start + 2 && turn(hull[hull.size() - 2], hull.back(), p) <= 0) hull.pop_back();
            hull.push_back(p);
        }
        hull.pop_back();
        std::reverse(points.begin(), points.end());
    }
    return hull;
}

struct Level {
    std::vector<PatientPoint> points;  ///< hull corners of one height
    PatientPoint centre;
    double radius_mm = 0;
};

/// The farthest pair lies on the hulls of its two levels, so hulls suffice; levels too near to beat the best are passed over.
double farthest_mm(const std::vector<Level>& levels)
{
    double best = 0;
    struct Bound {
        double mm;
        std::size_t a, b;
    };
    std::vector<Bound> bounds;
    for (std::size_t a = 0; a < levels.size(); ++a) {
        for (std::size_t b = a; b < levels.size(); ++b) {
            bounds.push_back({distance(levels[a].centre, levels[b].centre) + levels[a].radius_mm + levels[b].radius_mm, a, b});
        }
    }
    std::sort(bounds.begin(), bounds.end(), [](const auto& x, const auto& y) { return x.mm > y.mm; });
    for (const auto& bound : bounds) {
        if (bound.mm <= best) break;
        for (const auto& p : levels[bound.a].points) {
            if (distance(p, levels[bound.b].centre) + levels[bound.b].radius_mm <= best) continue;
            for (const auto& q : levels[bound.b].points) best = std::max(best, distance(p, q));
        }
    }
    return best;
}

}  // namespace

MeshMeasures mesh_measures(const Mask& mask, const VolumeGeometry& geometry, Index low, Index high)
{
    static const auto patterns = make_patterns();
    const auto n = mask.size();
    const auto inside = [&](int c, int r, int k) { return n.contains(c, r, k) && mask.at(c, r, k) != 0; };
    const PatientPoint centre = geometry.to_patient(Index{(low.column + high.column) / 2, (low.row + high.row) / 2, (low.slice + high.slice) / 2});
    // Positions relative to the middle of the mask: small numbers keep their digits.
    const auto at = [&](double c, double r, double k) { return geometry.to_patient(ContinuousIndex{c, r, k}) - centre; };

    MeshMeasures out;
    std::vector<std::vector<Flat>> heights(static_cast<std::size_t>(2 * (high.slice - low.slice + 2) + 1));
    for (int k = low.slice - 1; k <= high.slice; ++k) {
        for (int r = low.row - 1; r <= high.row; ++r) {
            for (int c = low.column - 1; c <= high.column; ++c) {
                int pattern = 0;
                for (int i = 0; i < 8; ++i) {
                    if (inside(c + (i & 1), r + (i >> 1 & 1), k + (i >> 2 & 1))) pattern |= 1 << i;
                }
                if (pattern == 0 || pattern == 255) continue;
                for (const auto& triangle : patterns[static_cast<std::size_t>(pattern)]) {
                    std::array<PatientPoint, 3> p;
                    for (std::size_t v = 0; v < 3; ++v) {
                        const auto [a, b] = triangle.edges[v];
                        const int c2 = 2 * c + (a & 1) + (b & 1);
                        const int r2 = 2 * r + (a >> 1 & 1) + (b >> 1 & 1);
                        const int k2 = 2 * k + (a >> 2 & 1) + (b >> 2 & 1);
                        p[v] = at(c2 / 2.0, r2 / 2.0, k2 / 2.0);
                        auto& flat = heights[static_cast<std::size_t>(k2 - 2 * (low.slice - 1))];
                        if (flat.empty() || !(flat.back() == Flat{c2, r2})) flat.push_back({c2, r2});
                    }
                    out.surface_mm2 += norm(cross(p[1] - p[0], p[2] - p[0])) / 2;
                    out.volume_mm3 += dot(p[0], cross(p[1], p[2])) / 6;
                }
            }
        }
    }
    out.volume_mm3 = std::abs(out.volume_mm3);

    std::vector<Level> levels;
    for (std::size_t h = 0; h < heights.size(); ++h) {
        if (heights[h].empty()) continue;
        Level level;
        const double slice = low.slice - 1 + static_cast<double>(h) / 2;
        for (const auto& corner : hull_of(std::move(heights[h]))) {
            level.points.push_back(at(corner.column2 / 2.0, corner.row2 / 2.0, slice));
            level.centre = level.centre + level.points.back();
        }
        level.centre = (1.0 / static_cast<double>(level.points.size())) * level.centre;
        for (const auto& p : level.points) level.radius_mm = std::max(level.radius_mm, distance(p, level.centre));
        levels.push_back(std::move(level));
    }
    out.max_diameter_mm = farthest_mm(levels);
    return out;
}

}  // namespace retromass::measurement

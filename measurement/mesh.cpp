#include "measurement/mesh.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <map>
#include <vector>

#include "measurement/hull.h"

namespace retromass::measurement {
namespace {

// A cube of eight voxel centres; corner i lies at (i & 1, i >> 1 & 1, i >> 2 & 1). An edge is named by its two corners.
struct Triangle {
    std::array<std::array<int, 2>, 3> edges;
};

using EdgeName = std::array<int, 2>;

/// The middle of an edge of the unit cube.
PatientPoint middle(EdgeName e)
{
    return {((e[0] & 1) + (e[1] & 1)) / 2.0, ((e[0] >> 1 & 1) + (e[1] >> 1 & 1)) / 2.0, ((e[0] >> 2 & 1) + (e[1] >> 2 & 1)) / 2.0};
}

/// A loop of more than three edges is no plane in general: the fan of largest area is taken, the first of equals. That is the
/// mesh of the reference values (IBSI digital phantom, two lung lesions; tests/unit/measurement).
std::size_t widest_fan(const std::vector<EdgeName>& loop)
{
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

/// The part of a cube inside the mesh, by the flux of (x, 0, 0): through the triangles, and through the face x = 1, where marching
/// squares cuts off the corners outside. The other faces lie along the flow or at x = 0.
double part_inside(int pattern, const std::vector<Triangle>& triangles)
{
    double through_triangles = 0;
    for (const auto& triangle : triangles) {
        const PatientPoint a = middle(triangle.edges[0]);
        const PatientPoint b = middle(triangle.edges[1]);
        const PatientPoint c = middle(triangle.edges[2]);
        through_triangles -= cross(b - a, c - a).x / 2 * (a.x + b.x + c.x) / 3;  // they are wound to face the inside
    }
    const std::array<bool, 4> face{(pattern >> 1 & 1) != 0, (pattern >> 3 & 1) != 0, (pattern >> 7 & 1) != 0, (pattern >> 5 & 1) != 0};
    const auto corners = std::count(face.begin(), face.end(), true);
    const bool diagonal = corners == 2 && face[0] == face[2];
    constexpr std::array<double, 5> area{0, 1.0 / 8, 1.0 / 2, 7.0 / 8, 1};
    return through_triangles + (diagonal ? 3.0 / 4 : area[static_cast<std::size_t>(corners)]);
}

struct Patterns {
    std::array<std::vector<Triangle>, 256> triangles;
    std::array<double, 256> inside{};

    Patterns() : triangles(make_patterns())
    {
        for (std::size_t i = 0; i < 256; ++i) inside[i] = part_inside(static_cast<int>(i), triangles[i]);
    }
};

/// How many cubes between one slice and the next show each pattern. Cubes that are all in or all out are passed over 64 at a time.
std::array<std::uint32_t, 256> patterns_above(const PackedMask& mask, int slice)
{
    std::array<std::uint32_t, 256> counts{};
    const std::size_t words = mask.words();
    for (int r = mask.low().row - 1; r <= mask.high().row; ++r) {
        const std::array<const std::uint64_t*, 4> rows{mask.row(r, slice).data(), mask.row(r + 1, slice).data(), mask.row(r, slice + 1).data(), mask.row(r + 1, slice + 1).data()};
        std::uint64_t some_behind = 0;   // of the four rows in the next word
        std::uint64_t every_behind = 0;
        for (std::size_t w = words; w-- > 0;) {
            const std::uint64_t some = rows[0][w] | rows[1][w] | rows[2][w] | rows[3][w];
            const std::uint64_t every = rows[0][w] & rows[1][w] & rows[2][w] & rows[3][w];
            const std::uint64_t touched = some | some >> 1 | some_behind << 63;
            const std::uint64_t filled = every & (every >> 1 | every_behind << 63);
            some_behind = some;
            every_behind = every;
            if (touched == 0) continue;
            counts[255] += filled == ~std::uint64_t{0} ? 64U : static_cast<std::uint32_t>(std::popcount(filled));
            for (std::uint64_t mixed = touched & ~filled; mixed; mixed &= mixed - 1) {
                const int bit = std::countr_zero(mixed);
                std::size_t pattern = 0;
                for (std::size_t i = 0; i < 4; ++i) {
                    const std::uint64_t next = bit < 63 ? rows[i][w] >> (bit + 1) : w + 1 < words ? rows[i][w + 1] : 0;
                    pattern |= (rows[i][w] >> bit & 1) << (2 * i) | (next & 1) << (2 * i + 1);
                }
                ++counts[pattern];
            }
        }
    }
    return counts;
}

/// Mesh vertices of one height: corners of their convex hull, in the plane across the slice normal.
struct Level {
    struct Corner {
        double u, v;  ///< mm
    };
    std::vector<Corner> corners;
    Corner centre{};
    double radius_mm = 0;
    double height_mm = 0;  ///< along the normal
};

double across2(Level::Corner a, Level::Corner b) { return (a.u - b.u) * (a.u - b.u) + (a.v - b.v) * (a.v - b.v); }

/// `place` gives the position of a vertex in mm, relative to any fixed point.
template <class Place>
Level level_of(const std::vector<Midpoint>& sorted, const VolumeGeometry& geometry, const Place& place)
{
    const PatientPoint u = geometry.column_step();
    const PatientPoint v = cross(geometry.normal(), u);
    Level level;
    for (const auto& corner : convex_hull(sorted)) {
        const PatientPoint p = place(corner);
        level.height_mm = dot(p, geometry.normal());
        level.corners.push_back({dot(p, u), dot(p, v)});
        level.centre.u += level.corners.back().u;
        level.centre.v += level.corners.back().v;
    }
    level.centre.u /= static_cast<double>(level.corners.size());
    level.centre.v /= static_cast<double>(level.corners.size());
    for (const auto& corner : level.corners) level.radius_mm = std::max(level.radius_mm, std::sqrt(across2(corner, level.centre)));
    return level;
}

/// The outermost mesh vertices of every line, ascending: middles of edges within the slice, or of those from it to the next.
std::vector<Midpoint> outermost_vertices(const PackedMask& mask, int slice, bool within)
{
    std::vector<Midpoint> points;
    const auto add = [&](int row2, int first2, int last2) {
        points.push_back({row2, first2});
        if (last2 != first2) points.push_back({row2, last2});
    };
    const auto add_differences = [&](int row2, BitRow a, BitRow b) {
        int first = -1;
        int last = -1;
        for (std::size_t w = 0; w < a.size(); ++w) {
            const std::uint64_t differ = a[w] ^ b[w];
            if (!differ) continue;
            if (first < 0) first = static_cast<int>(64 * w) + std::countr_zero(differ);
            last = static_cast<int>(64 * w) + 63 - std::countl_zero(differ);
        }
        if (first >= 0) add(row2, 2 * mask.column_of(first), 2 * mask.column_of(last));
    };
    for (int r = mask.low().row - 1; r <= mask.high().row; ++r) {
        const auto row = mask.row(r, slice);
        if (!within) {
            add_differences(2 * r, row, mask.row(r, slice + 1));
            continue;
        }
        int first = -1;
        int last = -1;
        for_each_stretch(row, [&](int begin, int end) {
            if (first < 0) first = begin;
            last = end;
        });
        if (first >= 0) add(2 * r, 2 * mask.column_of(first) - 1, 2 * mask.column_of(last) + 1);
        add_differences(2 * r + 1, row, mask.row(r + 1, slice));
    }
    return points;
}

/// The farthest pair lies on the hulls of its two levels, so hulls suffice. Every pair of levels has a bound: their distance in
/// height, and across at most the distance of the centres and both radii; those that cannot beat the best are passed over.
double farthest_mm(const std::vector<Level>& levels)
{
    const auto square = [](double x) { return x * x; };
    double best2 = 0;
    // A first guess: from any point to the farthest, and from there to the farthest again.
    Level::Corner from = levels.front().corners.front();
    double from_height_mm = levels.front().height_mm;
    for (int sweep = 0; sweep < 2; ++sweep) {
        const Level::Corner start = from;
        const double start_height_mm = from_height_mm;
        double farthest2 = 0;
        for (const auto& level : levels) {
            for (const auto& corner : level.corners) {
                const double d2 = across2(start, corner) + square(level.height_mm - start_height_mm);
                if (d2 <= farthest2) continue;
                farthest2 = d2;
                from = corner;
                from_height_mm = level.height_mm;
            }
        }
        best2 = std::max(best2, farthest2);
    }
    struct Bound {
        double mm2;
        std::size_t a, b;
    };
    std::vector<Bound> bounds;
    for (std::size_t a = 0; a < levels.size(); ++a) {
        for (std::size_t b = a; b < levels.size(); ++b) {
            const double across = std::sqrt(across2(levels[a].centre, levels[b].centre)) + levels[a].radius_mm + levels[b].radius_mm;
            const double mm2 = square(levels[a].height_mm - levels[b].height_mm) + square(across);
            if (mm2 > best2) bounds.push_back({mm2, a, b});
        }
    }
    std::sort(bounds.begin(), bounds.end(), [](const auto& x, const auto& y) { return x.mm2 > y.mm2; });
    for (const auto& bound : bounds) {
        if (bound.mm2 <= best2) break;
        const Level& b = levels[bound.b];
        const double height2 = square(levels[bound.a].height_mm - b.height_mm);
        for (const auto& p : levels[bound.a].corners) {
            if (height2 + square(std::sqrt(across2(p, b.centre)) + b.radius_mm) <= best2) continue;
            for (const auto& q : b.corners) best2 = std::max(best2, height2 + across2(p, q));
        }
    }
    return std::sqrt(best2);
}

}  // namespace

MeshMeasures mesh_measures(const PackedMask& mask, const VolumeGeometry& geometry)
{
    static const Patterns patterns;
    const Index low = mask.low();
    const Index high = mask.high();
    // Positions relative to the middle of the mask: small numbers keep their digits.
    const PatientPoint centre = geometry.to_patient(Index{(low.column + high.column) / 2, (low.row + high.row) / 2, (low.slice + high.slice) / 2});
    const auto at = [&](double c, double r, double k) { return geometry.to_patient(ContinuousIndex{c, r, k}) - centre; };
    const PatientPoint column = geometry.column_spacing_mm() * geometry.column_step();
    const PatientPoint row = geometry.row_spacing_mm() * geometry.row_step();

    MeshMeasures out;
    std::vector<Level> levels;
    PatientPoint known_step{};
    std::array<double, 256> area{};  // of each pattern, for the step from slice to slice that is known; negative: not yet
    for (int k = low.slice - 1; k <= high.slice; ++k) {
        const PatientPoint step = at(0, 0, k + 1) - at(0, 0, k);
        constexpr double same_step_mm = 1e-9;
        if (distance(step, known_step) > same_step_mm) {
            known_step = step;
            area.fill(-1);
        }
        const double cube_mm3 = std::abs(dot(cross(column, row), step));
        const auto counts = patterns_above(mask, k);
        for (std::size_t i = 1; i < 256; ++i) {
            if (counts[i] == 0) continue;
            if (area[i] < 0) {
                area[i] = 0;
                const auto place = [&](EdgeName e) {
                    const PatientPoint m = middle(e);
                    return m.x * column + m.y * row + m.z * step;
                };
                for (const auto& t : patterns.triangles[i]) area[i] += norm(cross(place(t.edges[1]) - place(t.edges[0]), place(t.edges[2]) - place(t.edges[0]))) / 2;
            }
            out.surface_mm2 += counts[i] * area[i];
            out.volume_mm3 += counts[i] * patterns.inside[i] * cube_mm3;
        }
        for (const bool within : {true, false}) {
            const auto points = outermost_vertices(mask, k, within);
            if (points.empty()) continue;
            const double slice = within ? k : k + 0.5;
            const auto place = [&](Midpoint p) { return at(p.column2 / 2.0, p.row2 / 2.0, slice); };
            levels.push_back(level_of(points, geometry, place));
        }
    }
    out.max_diameter_mm = farthest_mm(levels);
    return out;
}

}  // namespace retromass::measurement

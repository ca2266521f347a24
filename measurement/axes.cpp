#include "measurement/axes.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "core/parallel.h"

namespace retromass::measurement {
namespace {

constexpr double kSame_mm = 1e-9;  ///< two lengths this near are the same: what is left of rounding in doubles

/// A boundary point in half pixels: the middle of a pixel edge has one odd coordinate. Whole numbers compare exactly.
struct Midpoint {
    int column2 = 0;
    int row2 = 0;
    friend bool operator==(const Midpoint&, const Midpoint&) = default;
    friend bool operator<(const Midpoint& a, const Midpoint& b) { return a.row2 != b.row2 ? a.row2 < b.row2 : a.column2 < b.column2; }
};

/// One 8-connected region of a slice, in a box with one empty pixel all round.
struct Region {
    int slice = 0;
    int column0 = 0;  ///< grid column of the box's first pixel
    int row0 = 0;
    int wide = 0;
    int high = 0;
    std::vector<std::uint8_t> inside;

    bool at(int column, int row) const
    {
        const int c = column - column0;
        const int r = row - row0;
        return c >= 0 && r >= 0 && c < wide && r < high && inside[static_cast<std::size_t>(r) * static_cast<std::size_t>(wide) + static_cast<std::size_t>(c)];
    }
};

struct Scale {
    double x = 1;
    double y = 1;
    double length(Midpoint a, Midpoint b) const { return std::hypot((a.column2 - b.column2) / 2.0 * x, (a.row2 - b.row2) / 2.0 * y); }
};

std::vector<Region> regions_of(const Mask& mask, int slice)
{
    const auto n = mask.size();
    std::vector<std::uint8_t> left(mask.plane(slice).begin(), mask.plane(slice).end());
    const auto offset = [&](int c, int r) { return static_cast<std::size_t>(r) * static_cast<std::size_t>(n.columns) + static_cast<std::size_t>(c); };
    std::vector<Region> found;
    std::vector<std::pair<int, int>> pixels;
    for (int r0 = 0; r0 < n.rows; ++r0) {
        for (int c0 = 0; c0 < n.columns; ++c0) {
            if (!left[offset(c0, r0)]) continue;
            pixels.assign(1, {c0, r0});
            left[offset(c0, r0)] = 0;
            int low_c = c0, high_c = c0, low_r = r0, high_r = r0;
            for (std::size_t i = 0; i < pixels.size(); ++i) {
                const auto [c, r] = pixels[i];
                low_c = std::min(low_c, c);
                high_c = std::max(high_c, c);
                low_r = std::min(low_r, r);
                high_r = std::max(high_r, r);
                for (int dr = -1; dr <= 1; ++dr) {
                    for (int dc = -1; dc <= 1; ++dc) {
                        if (!n.contains(c + dc, r + dr, slice) || !left[offset(c + dc, r + dr)]) continue;
                        left[offset(c + dc, r + dr)] = 0;
                        pixels.emplace_back(c + dc, r + dr);
                    }
                }
            }
            Region region{slice, low_c - 1, low_r - 1, high_c - low_c + 3, high_r - low_r + 3, {}};
            region.inside.assign(static_cast<std::size_t>(region.wide) * static_cast<std::size_t>(region.high), 0);
            for (const auto& [c, r] : pixels) {
                region.inside[static_cast<std::size_t>(r - region.row0) * static_cast<std::size_t>(region.wide) + static_cast<std::size_t>(c - region.column0)] = 1;
            }
            found.push_back(std::move(region));
        }
    }
    return found;
}

std::vector<Midpoint> boundary_of(const Region& region)
{
    std::vector<Midpoint> points;
    for (int r = region.row0; r < region.row0 + region.high; ++r) {
        for (int c = region.column0; c < region.column0 + region.wide; ++c) {
            if (!region.at(c, r)) continue;
            if (!region.at(c - 1, r)) points.push_back({2 * c - 1, 2 * r});
            if (!region.at(c + 1, r)) points.push_back({2 * c + 1, 2 * r});
            if (!region.at(c, r - 1)) points.push_back({2 * c, 2 * r - 1});
            if (!region.at(c, r + 1)) points.push_back({2 * c, 2 * r + 1});
        }
    }
    return points;
}

/// Corners of the convex hull (Andrew's chain) on whole numbers: exact.
std::vector<Midpoint> hull_of(std::vector<Midpoint> points)
{
    std::sort(points.begin(), points.end());
    points.erase(std::unique(points.begin(), points.end()), points.end());
    const auto turn = [](Midpoint a, Midpoint b, Midpoint c) {
        return static_cast<long long>(b.column2 - a.column2) * (c.row2 - a.row2) - static_cast<long long>(b.row2 - a.row2) * (c.column2 - a.column2);
    };
    std::vector<Midpoint> hull;
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

struct Pair {
    Midpoint a;  ///< the lower one by row, then column
    Midpoint b;
    double mm = 0;
};

/// The longest pairs of a region, all that tie.
std::vector<Pair> longest_pairs(const Region& region, Scale scale)
{
    const auto hull = hull_of(boundary_of(region));
    std::vector<Pair> best;
    for (std::size_t i = 0; i < hull.size(); ++i) {
        for (std::size_t j = i + 1; j < hull.size(); ++j) {
            const double mm = scale.length(hull[i], hull[j]);
            if (!best.empty() && mm < best.front().mm - kSame_mm) continue;
            if (!best.empty() && mm > best.front().mm + kSame_mm) best.clear();
            best.push_back({std::min(hull[i], hull[j]), std::max(hull[i], hull[j]), mm});
        }
    }
    return best;
}

struct Edge {
    Midpoint a;
    Midpoint b;
};

/// The outline through the boundary points (marching squares at one half; diagonal neighbours are joined).
std::vector<Edge> outline_of(const Region& region)
{
    std::vector<Edge> edges;
    for (int r = region.row0; r < region.row0 + region.high - 1; ++r) {
        for (int c = region.column0; c < region.column0 + region.wide - 1; ++c) {
            const bool nw = region.at(c, r);
            const bool ne = region.at(c + 1, r);
            const bool se = region.at(c + 1, r + 1);
            const bool sw = region.at(c, r + 1);
            const Midpoint north{2 * c + 1, 2 * r};
            const Midpoint east{2 * c + 2, 2 * r + 1};
            const Midpoint south{2 * c + 1, 2 * r + 2};
            const Midpoint west{2 * c, 2 * r + 1};
            if (nw == se && ne == sw) {
                if (nw == ne) continue;
                if (nw) {
                    edges.push_back({north, east});
                    edges.push_back({west, south});
                } else {
                    edges.push_back({north, west});
                    edges.push_back({east, south});
                }
                continue;
            }
            std::vector<Midpoint> crossed;
            if (nw != ne) crossed.push_back(north);
            if (ne != se) crossed.push_back(east);
            if (se != sw) crossed.push_back(south);
            if (sw != nw) crossed.push_back(west);
            edges.push_back({crossed[0], crossed[1]});
        }
    }
    return edges;
}

struct Chord {
    double mm = 0;
    double x1 = 0, y1 = 0, x2 = 0, y2 = 0;  ///< columns and rows
};

/// Longest line exactly perpendicular to the pair, from outermost to outermost crossing of the outline. Between two corners
/// the width is a convex function, so that its largest value lies at a corner.
Chord short_chord(const Region& region, const Pair& pair, Scale scale)
{
    struct Projected {
        double t1, v1, t2, v2;
    };
    const double ux = (pair.b.column2 - pair.a.column2) / 2.0 * scale.x / pair.mm;
    const double uy = (pair.b.row2 - pair.a.row2) / 2.0 * scale.y / pair.mm;
    const auto project = [&](Midpoint p) {
        const double x = p.column2 / 2.0 * scale.x;
        const double y = p.row2 / 2.0 * scale.y;
        return std::pair{x * ux + y * uy, -x * uy + y * ux};
    };
    std::vector<Projected> edges;
    std::vector<double> stops;
    for (const auto& edge : outline_of(region)) {
        auto [t1, v1] = project(edge.a);
        auto [t2, v2] = project(edge.b);
        if (t2 < t1) {
            std::swap(t1, t2);
            std::swap(v1, v2);
        }
        edges.push_back({t1, v1, t2, v2});
        stops.push_back(t1);
        stops.push_back(t2);
    }
    std::sort(stops.begin(), stops.end());
    stops.erase(std::unique(stops.begin(), stops.end(), [](double a, double b) { return b - a < kSame_mm; }), stops.end());
    std::sort(edges.begin(), edges.end(), [](const auto& a, const auto& b) { return a.t1 < b.t1; });

    Chord best;
    double best_t = 0, best_low = 0, best_high = 0;
    best.mm = -1;
    constexpr double longest_edge_pixels = 1.5;
    const double reach = longest_edge_pixels * std::max(scale.x, scale.y);
    std::size_t first = 0;
    for (const double t : stops) {
        while (first < edges.size() && edges[first].t1 < t - reach) ++first;
        double low = 1e300;
        double high = -1e300;
        for (std::size_t i = first; i < edges.size() && edges[i].t1 <= t + kSame_mm; ++i) {
            const auto& e = edges[i];
            if (e.t2 < t - kSame_mm) continue;
            if (e.t2 - e.t1 < kSame_mm) {
                low = std::min({low, e.v1, e.v2});
                high = std::max({high, e.v1, e.v2});
                continue;
            }
            const double f = std::clamp((t - e.t1) / (e.t2 - e.t1), 0.0, 1.0);
            const double v = e.v1 + f * (e.v2 - e.v1);
            low = std::min(low, v);
            high = std::max(high, v);
        }
        if (high - low > best.mm + kSame_mm) {
            best.mm = high - low;
            best_t = t;
            best_low = low;
            best_high = high;
        }
    }
    const auto back = [&](double t, double v) { return std::pair{(t * ux - v * uy) / scale.x, (t * uy + v * ux) / scale.y}; };
    std::tie(best.x1, best.y1) = back(best_t, best_low);
    std::tie(best.x2, best.y2) = back(best_t, best_high);
    return best;
}

/// How much of the pair's line runs outside the pixels of its region, and its longest part inside.
std::pair<double, double> outside_and_chord(const Region& region, const Pair& pair)
{
    const double x1 = pair.a.column2 / 2.0, y1 = pair.a.row2 / 2.0;
    const double x2 = pair.b.column2 / 2.0, y2 = pair.b.row2 / 2.0;
    std::vector<double> cuts{0, 1};
    const auto add = [&](double from, double to) {
        if (from == to) return;
        const double low = std::min(from, to);
        const double high = std::max(from, to);
        for (double edge = std::floor(low) + 0.5; edge < high; edge += 1) {
            if (edge > low) cuts.push_back((edge - from) / (to - from));
        }
    };
    add(x1, x2);
    add(y1, y2);
    std::sort(cuts.begin(), cuts.end());
    const auto pixel = [&](double x, double y) { return region.at(static_cast<int>(std::lround(x)), static_cast<int>(std::lround(y))); };
    double outside = 0, run = 0, longest = 0;
    for (std::size_t i = 1; i < cuts.size(); ++i) {
        const double part = cuts[i] - cuts[i - 1];
        const double t = (cuts[i] + cuts[i - 1]) / 2;
        const double x = x1 + t * (x2 - x1);
        const double y = y1 + t * (y2 - y1);
        constexpr double side = 1e-6;  // a line along a pixel edge is inside if either side is
        if (pixel(x - side, y - side) || pixel(x + side, y + side) || pixel(x - side, y + side) || pixel(x + side, y - side)) {
            run += part;
            longest = std::max(longest, run);
        } else {
            outside += part;
            run = 0;
        }
    }
    return {outside, longest * pair.mm};
}

struct Candidate {
    Region region;
    Pair pair;
};

}  // namespace

PlanarAxes planar_axes(const Mask& mask, const VolumeGeometry& geometry, double precision_mm, int threads)
{
    const auto n = mask.size();
    const Scale scale{geometry.column_spacing_mm(), geometry.row_spacing_mm()};
    std::vector<std::vector<Candidate>> by_slice(static_cast<std::size_t>(n.slices));
    parallel_for(n.slices, threads, [&](int k) {
        const auto plane = mask.plane(k);
        if (std::find_if(plane.begin(), plane.end(), [](auto v) { return v != 0; }) == plane.end()) return;
        auto& best = by_slice[static_cast<std::size_t>(k)];
        for (auto& region : regions_of(mask, k)) {
            for (const auto& pair : longest_pairs(region, scale)) {
                if (!best.empty() && pair.mm < best.front().pair.mm - kSame_mm) continue;
                if (!best.empty() && pair.mm > best.front().pair.mm + kSame_mm) best.clear();
                best.push_back({region, pair});
            }
        }
    });
    double longest = 0;
    for (const auto& slice : by_slice) {
        if (!slice.empty()) longest = std::max(longest, slice.front().pair.mm);
    }

    // Ties: longer partner, then the slice nearest the head, then the lowest first endpoint (definitions 2.6).
    const Candidate* chosen = nullptr;
    Chord partner;
    const auto height = [&](const Candidate& c) { return geometry.slice_origin(c.region.slice).z; };
    for (const auto& slice : by_slice) {
        for (const auto& candidate : slice) {
            if (candidate.pair.mm < longest - kSame_mm) continue;
            const auto chord = short_chord(candidate.region, candidate.pair, scale);
            const bool better = !chosen || chord.mm > partner.mm + kSame_mm ||
                                (chord.mm > partner.mm - kSame_mm &&
                                 (height(candidate) > height(*chosen) ||
                                  (height(candidate) == height(*chosen) && candidate.pair.a < chosen->pair.a)));
            if (!better) continue;
            chosen = &candidate;
            partner = chord;
        }
    }

    PlanarAxes axes;
    const int slice = chosen->region.slice;
    const auto at = [&](double column, double row) { return geometry.to_patient(ContinuousIndex{column, row, static_cast<double>(slice)}); };
    const auto& p = chosen->pair;
    axes.long_axis = {p.mm, Length::recorded(p.mm, precision_mm), at(p.a.column2 / 2.0, p.a.row2 / 2.0), at(p.b.column2 / 2.0, p.b.row2 / 2.0), slice};
    axes.short_axis = {partner.mm, Length::recorded(partner.mm, precision_mm), at(partner.x1, partner.y1), at(partner.x2, partner.y2), slice};
    std::tie(axes.outside_fraction, axes.longest_inside_chord_mm) = outside_and_chord(chosen->region, p);
    return axes;
}

}  // namespace retromass::measurement

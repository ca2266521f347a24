#include "measurement/axes.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <tuple>

#include "core/parallel.h"
#include "measurement/hull.h"
#include "measurement/regions.h"

namespace retromass::measurement {
namespace {

constexpr double kSame_mm = 1e-9;  ///< two lengths this near are the same: what is left of rounding in doubles

struct Scale {
    double x = 1;
    double y = 1;
    double length(Midpoint a, Midpoint b) const { return std::hypot((a.column2 - b.column2) / 2.0 * x, (a.row2 - b.row2) / 2.0 * y); }
};

/// The outermost boundary points of a region on every line of half pixels, in ascending order: the hull has its corners among them.
std::vector<Midpoint> outermost_points(const Region& region)
{
    using Runs = std::span<const Run>;
    // Between two rows the boundary runs where one of them is inside and the other is not.
    const auto first_difference = [](Runs a, Runs b) {
        for (std::size_t i = 0;; ++i) {
            if (i == a.size()) return b[i].first;
            if (i == b.size()) return a[i].first;
            if (a[i].first != b[i].first) return std::min(a[i].first, b[i].first);
            if (a[i].last != b[i].last) return std::min(a[i].last, b[i].last) + 1;
        }
    };
    const auto last_difference = [](Runs a, Runs b) {
        for (std::size_t i = 1;; ++i) {
            if (i > a.size()) return b[b.size() - i].last;
            if (i > b.size()) return a[a.size() - i].last;
            const auto& x = a[a.size() - i];
            const auto& y = b[b.size() - i];
            if (x.last != y.last) return std::max(x.last, y.last);
            if (x.first != y.first) return std::max(x.first, y.first) - 1;
        }
    };
    std::vector<Midpoint> points;
    const auto add = [&](int row2, int first2, int last2) {
        points.push_back({row2, first2});
        if (last2 != first2) points.push_back({row2, last2});
    };
    const auto between = [&](int row2, Runs above, Runs below) {
        if (std::equal(above.begin(), above.end(), below.begin(), below.end(), [](const Run& a, const Run& b) { return a.first == b.first && a.last == b.last; })) return;
        add(row2, 2 * first_difference(above, below), 2 * last_difference(above, below));
    };
    Runs above;
    for (std::size_t i = 0; i < region.size();) {
        std::size_t behind = i;
        while (behind < region.size() && region[behind].row == region[i].row) ++behind;
        const Runs here = Runs(region).subspan(i, behind - i);
        between(2 * region[i].row - 1, above, here);
        add(2 * region[i].row, 2 * here.front().first - 1, 2 * here.back().last + 1);
        above = here;
        i = behind;
    }
    between(2 * region.back().row + 1, above, {});
    return points;
}

struct Pair {
    Midpoint a;  ///< the lower one by row, then column
    Midpoint b;
    double mm = 0;
};

/// The longest pairs of a region, all that tie, unless they are shorter than `least_mm`.
std::vector<Pair> longest_pairs(const Region& region, Scale scale, double least_mm)
{
    const auto hull = convex_hull(outermost_points(region));
    std::vector<Pair> best;
    constexpr double rounding = 1e-9;  // relative; far more than squaring loses
    double least2 = least_mm * least_mm * (1 - rounding);
    for (std::size_t i = 0; i < hull.size(); ++i) {
        for (std::size_t j = i + 1; j < hull.size(); ++j) {
            const double x = (hull[i].column2 - hull[j].column2) * 0.5 * scale.x;
            const double y = (hull[i].row2 - hull[j].row2) * 0.5 * scale.y;
            if (x * x + y * y < least2) continue;
            const double mm = std::hypot(x, y);
            if (!best.empty() && mm < best.front().mm - kSame_mm) continue;
            if (!best.empty() && mm > best.front().mm + kSame_mm) best.clear();
            best.push_back({std::min(hull[i], hull[j]), std::max(hull[i], hull[j]), mm});
            least2 = std::max(least2, mm * mm * (1 - rounding));
        }
    }
    return best;
}

/// The pixels of a region in a box with one empty pixel all round.
class Pixels {
public:
    explicit Pixels(const Region& region)
    {
        row0_ = region.front().row - 1;
        rows_ = region.back().row - row0_ + 2;
        column0_ = std::min_element(region.begin(), region.end(), [](const Run& a, const Run& b) { return a.first < b.first; })->first - 1;
        columns_ = std::max_element(region.begin(), region.end(), [](const Run& a, const Run& b) { return a.last < b.last; })->last - column0_ + 2;
        inside_.assign(static_cast<std::size_t>(rows_) * static_cast<std::size_t>(columns_), 0);
        for (const auto& run : region) std::fill_n(inside_.begin() + offset(run.first, run.row), run.last - run.first + 1, std::uint8_t{1});
    }
    int row0() const { return row0_; }
    int column0() const { return column0_; }
    int rows() const { return rows_; }
    int columns() const { return columns_; }
    bool at(int column, int row) const
    {
        const int c = column - column0_;
        const int r = row - row0_;
        return c >= 0 && r >= 0 && c < columns_ && r < rows_ && inside_[static_cast<std::size_t>(offset(column, row))];
    }

private:
    std::ptrdiff_t offset(int column, int row) const { return static_cast<std::ptrdiff_t>(row - row0_) * columns_ + (column - column0_); }
    int row0_, column0_, rows_, columns_;
    std::vector<std::uint8_t> inside_;
};

struct Edge {
    Midpoint a;
    Midpoint b;
};

/// The outline through the boundary points (marching squares at one half; diagonal neighbours are joined).
std::vector<Edge> outline_of(const Pixels& pixels)
{
    std::vector<Edge> edges;
    for (int r = pixels.row0(); r < pixels.row0() + pixels.rows() - 1; ++r) {
        for (int c = pixels.column0(); c < pixels.column0() + pixels.columns() - 1; ++c) {
            const bool nw = pixels.at(c, r);
            const bool ne = pixels.at(c + 1, r);
            const bool se = pixels.at(c + 1, r + 1);
            const bool sw = pixels.at(c, r + 1);
            const Midpoint north{2 * r, 2 * c + 1};
            const Midpoint east{2 * r + 1, 2 * c + 2};
            const Midpoint south{2 * r + 2, 2 * c + 1};
            const Midpoint west{2 * r + 1, 2 * c};
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
    for (const auto& edge : outline_of(Pixels(region))) {
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
    const Pixels pixels(region);
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
    const auto pixel = [&](double x, double y) { return pixels.at(static_cast<int>(std::lround(x)), static_cast<int>(std::lround(y))); };
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
    int slice = 0;
    Region region;
    Pair pair;
};

/// Neighbouring slices of a box or a cylinder repeat one outline and one pair.
bool same_outline(const Candidate& a, const Candidate& b) { return a.pair.a == b.pair.a && a.pair.b == b.pair.b && a.region == b.region; }

}  // namespace

PlanarAxes planar_axes(const PackedMask& mask, const VolumeGeometry& geometry, double precision_mm, int threads)
{
    const int first = mask.low().slice;
    const Scale scale{geometry.column_spacing_mm(), geometry.row_spacing_mm()};
    std::vector<std::vector<Candidate>> by_slice(static_cast<std::size_t>(mask.high().slice - first + 1));
    parallel_for(static_cast<int>(by_slice.size()), threads, [&](int i) {
        auto& best = by_slice[static_cast<std::size_t>(i)];
        for (auto& region : regions_of(mask, first + i)) {
            const double least_mm = best.empty() ? 0 : best.front().pair.mm - kSame_mm;
            for (const auto& pair : longest_pairs(region, scale, least_mm)) {
                if (!best.empty() && pair.mm < best.front().pair.mm - kSame_mm) continue;
                if (!best.empty() && pair.mm > best.front().pair.mm + kSame_mm) best.clear();
                best.push_back({first + i, region, pair});
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
    const auto height = [&](const Candidate& c) { return geometry.slice_origin(c.slice).z; };
    std::vector<std::pair<const Candidate*, Chord>> of_last_slice;
    for (const auto& slice : by_slice) {
        std::vector<std::pair<const Candidate*, Chord>> of_slice;
        for (const auto& candidate : slice) {
            if (candidate.pair.mm < longest - kSame_mm) continue;
            const auto known = std::find_if(of_last_slice.begin(), of_last_slice.end(), [&](const auto& last) { return same_outline(*last.first, candidate); });
            const auto chord = known == of_last_slice.end() ? short_chord(candidate.region, candidate.pair, scale) : known->second;
            of_slice.emplace_back(&candidate, chord);
            const bool better = !chosen || chord.mm > partner.mm + kSame_mm ||
                                (chord.mm > partner.mm - kSame_mm &&
                                 (height(candidate) > height(*chosen) ||
                                  (height(candidate) == height(*chosen) && candidate.pair.a < chosen->pair.a)));
            if (!better) continue;
            chosen = &candidate;
            partner = chord;
        }
        of_last_slice = std::move(of_slice);
    }

    PlanarAxes axes;
    const auto at = [&](double column, double row) { return geometry.to_patient(ContinuousIndex{column, row, static_cast<double>(chosen->slice)}); };
    const auto& p = chosen->pair;
    axes.long_axis = {p.mm, Length::recorded(p.mm, precision_mm), at(p.a.column2 / 2.0, p.a.row2 / 2.0), at(p.b.column2 / 2.0, p.b.row2 / 2.0), chosen->slice};
    axes.short_axis = {partner.mm, Length::recorded(partner.mm, precision_mm), at(partner.x1, partner.y1), at(partner.x2, partner.y2), chosen->slice};
    std::tie(axes.outside_fraction, axes.longest_inside_chord_mm) = outside_and_chord(chosen->region, p);
    return axes;
}

}  // namespace retromass::measurement

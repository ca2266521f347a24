#include "measurement/axes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <tuple>

namespace retromass::measurement {
namespace {

constexpr double kTie_mm = 1e-7;        // lengths this close are equal: rounding of coordinates of some hundred mm
constexpr double kSame = 1e-9;

/// Orthonormal coordinates in one slice of the view.
struct Frame {
    PatientPoint origin;
    PatientPoint e1;
    PatientPoint e2;
    PatientPoint per_column;
    PatientPoint per_row;

    Frame(const PlaneView& view, int slice)
    {
        origin = view.to_patient({0, 0, double(slice)});
        per_column = view.to_patient({1, 0, double(slice)}) - origin;
        per_row = view.to_patient({0, 1, double(slice)}) - origin;
        e1 = (1 / norm(per_column)) * per_column;
        const PatientPoint rest = per_row - dot(per_row, e1) * e1;
        e2 = (1 / norm(rest)) * rest;
    }
    PlanePoint at(double column, double row) const
    {
        const PatientPoint d = column * per_column + row * per_row;
        return {dot(d, e1), dot(d, e2), column, row};
    }
    PatientPoint patient(double x, double y) const { return origin + x * e1 + y * e2; }
};

/// The boundary points of a region that can be corners of its hull: the outermost edge midpoints of each row and column.
std::vector<PlanePoint> outermost(const std::vector<Run>& runs, int region, const Frame& frame, std::vector<std::array<int, 2>>& columns)
{
    std::vector<PlanePoint> out;
    constexpr int none = std::numeric_limits<int>::max();
    int row = -1;
    int first = 0;
    int last = 0;
    int lowest = none;
    int highest = -1;
    const auto close_row = [&] {
        if (row < 0) return;
        out.push_back(frame.at(first - 0.5, row));
        out.push_back(frame.at(last + 0.5, row));
    };
    for (const auto& run : runs) {
        if (run.region != region) continue;
        if (run.row != row) {
            close_row();
            row = run.row;
            first = run.first;
        }
        last = run.last;
        if (columns.size() <= static_cast<std::size_t>(run.last)) columns.resize(static_cast<std::size_t>(run.last) + 1, {none, -1});
        for (int c = run.first; c <= run.last; ++c) {
            auto& span = columns[static_cast<std::size_t>(c)];
            span = {std::min(span[0], run.row), std::max(span[1], run.row)};
        }
        lowest = std::min(lowest, run.first);
        highest = std::max(highest, run.last);
    }
    close_row();
    for (int c = lowest; c <= highest; ++c) {
        auto& span = columns[static_cast<std::size_t>(c)];
        if (span[1] < 0) continue;
        out.push_back(frame.at(c, span[0] - 0.5));
        out.push_back(frame.at(c, span[1] + 0.5));
        span = {none, -1};
    }
    return out;
}

struct Candidate {
    double length = -1;
    int slice = 0;
    int region = 0;
    PlanePoint a;
    PlanePoint b;
};

void order_ends(Candidate& c)
{
    if (std::tie(c.b.row, c.b.column) < std::tie(c.a.row, c.a.column)) std::swap(c.a, c.b);
}

struct Segment {
    PlanePoint a;
    PlanePoint b;
};

/// The marching-squares outline of one region at 0.5: diagonal neighbours belong together.
std::vector<Segment> outline(const std::vector<Run>& runs, int region, const Frame& frame)
{
    int r0 = std::numeric_limits<int>::max();
    int r1 = -1;
    int c0 = r0;
    int c1 = -1;
    for (const auto& run : runs) {
        if (run.region != region) continue;
        r0 = std::min(r0, run.row);
        r1 = std::max(r1, run.row);
        c0 = std::min(c0, run.first);
        c1 = std::max(c1, run.last);
    }
    const int columns = c1 - c0 + 3;
    const int rows = r1 - r0 + 3;
    std::vector<unsigned char> inside(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows), 0);
    for (const auto& run : runs) {
        if (run.region != region) continue;
        auto* row = inside.data() + static_cast<std::ptrdiff_t>(run.row - r0 + 1) * columns;
        std::fill(row + run.first - c0 + 1, row + run.last - c0 + 2, static_cast<unsigned char>(1));
    }
    std::vector<Segment> out;
    for (int r = 0; r + 1 < rows; ++r) {
        for (int c = 0; c + 1 < columns; ++c) {
            const auto* p = inside.data() + static_cast<std::ptrdiff_t>(r) * columns + c;
            const int code = p[0] | p[1] << 1 | p[columns + 1] << 2 | p[columns] << 3;
            if (code == 0 || code == 15) continue;
            const double x = c + c0 - 1;
            const double y = r + r0 - 1;
            const PlanePoint top = frame.at(x + 0.5, y);
            const PlanePoint right = frame.at(x + 1, y + 0.5);
            const PlanePoint bottom = frame.at(x + 0.5, y + 1);
            const PlanePoint left = frame.at(x, y + 0.5);
            switch (code) {
            case 1: case 14: out.push_back({left, top}); break;
            case 2: case 13: out.push_back({top, right}); break;
            case 4: case 11: out.push_back({right, bottom}); break;
            case 8: case 7: out.push_back({bottom, left}); break;
            case 3: case 12: out.push_back({left, right}); break;
            case 6: case 9: out.push_back({top, bottom}); break;
            case 5: out.push_back({top, right}); out.push_back({bottom, left}); break;   // the inside joins across the cell
            case 10: out.push_back({left, top}); out.push_back({right, bottom}); break;
            }
        }
    }
    return out;
}

/// The widest line perpendicular to the long axis, from its outermost to its outermost crossing of the outline. Between two
/// neighbouring corners (along the axis) the width is linear, so that the widest lies at a corner.
Axis widest_across(const std::vector<Segment>& segments, const Candidate& longest, const Frame& frame)
{
    const double ux = (longest.b.x - longest.a.x) / longest.length;
    const double uy = (longest.b.y - longest.a.y) / longest.length;
    const auto along = [&](const PlanePoint& p) { return p.x * ux + p.y * uy; };
    const auto across = [&](const PlanePoint& p) { return -p.x * uy + p.y * ux; };
    std::vector<double> at;
    at.reserve(segments.size() * 2);
    for (const auto& s : segments) {
        at.push_back(along(s.a));
        at.push_back(along(s.b));
    }
    std::sort(at.begin(), at.end());
    at.erase(std::unique(at.begin(), at.end(), [](double p, double q) { return q - p < kSame; }), at.end());
    std::vector<double> low(at.size(), std::numeric_limits<double>::max());
    std::vector<double> high(at.size(), std::numeric_limits<double>::lowest());
    for (const auto& s : segments) {
        double ta = along(s.a);
        double tb = along(s.b);
        double ya = across(s.a);
        double yb = across(s.b);
        if (ta > tb) {
            std::swap(ta, tb);
            std::swap(ya, yb);
        }
        for (auto i = static_cast<std::size_t>(std::lower_bound(at.begin(), at.end(), ta - 2 * kSame) - at.begin()); i < at.size() && at[i] <= tb + 2 * kSame; ++i) {
            if (tb - ta < 4 * kSame) {  // an edge across the axis: both ends count
                low[i] = std::min({low[i], ya, yb});
                high[i] = std::max({high[i], ya, yb});
                continue;
            }
            const double y = ya + std::clamp((at[i] - ta) / (tb - ta), 0.0, 1.0) * (yb - ya);
            low[i] = std::min(low[i], y);
            high[i] = std::max(high[i], y);
        }
    }
    Axis out;
    out.exact_mm = -1;
    for (std::size_t i = 0; i < at.size(); ++i) {
        if (high[i] - low[i] <= out.exact_mm + kTie_mm) continue;
        out.exact_mm = high[i] - low[i];
        out.a = frame.patient(at[i] * ux - low[i] * uy, at[i] * uy + low[i] * ux);
        out.b = frame.patient(at[i] * ux - high[i] * uy, at[i] * uy + high[i] * ux);
    }
    out.slice = longest.slice;
    return out;
}

/// Parts of the long axis inside the outline: crossings cut it, parity along it tells which parts are inside.
void chords_inside(const std::vector<Segment>& segments, const Candidate& longest, double& outside_fraction, double& longest_inside)
{
    const double ux = (longest.b.x - longest.a.x) / longest.length;
    const double uy = (longest.b.y - longest.a.y) / longest.length;
    std::vector<double> cuts{0, longest.length};
    const auto along = [&](const PlanePoint& p) { return (p.x - longest.a.x) * ux + (p.y - longest.a.y) * uy; };
    const auto across = [&](const PlanePoint& p) { return -(p.x - longest.a.x) * uy + (p.y - longest.a.y) * ux; };
    for (const auto& s : segments) {
        const double ya = across(s.a);
        const double yb = across(s.b);
        if ((ya > 0) == (yb > 0)) continue;
        const double t = along(s.a) + (0 - ya) / (yb - ya) * (along(s.b) - along(s.a));
        if (t > kTie_mm && t < longest.length - kTie_mm) cuts.push_back(t);
    }
    std::sort(cuts.begin(), cuts.end());
    double outside = 0;
    longest_inside = 0;
    double chord = 0;
    for (std::size_t i = 1; i < cuts.size(); ++i) {
        const double middle = (cuts[i] + cuts[i - 1]) / 2;
        int crossings = 0;  // of the half line from the middle of this part, across the axis
        for (const auto& s : segments) {
            const double ta = along(s.a) - middle;
            const double tb = along(s.b) - middle;
            if ((ta > 0) == (tb > 0)) continue;
            crossings += across(s.a) + (0 - ta) / (tb - ta) * (across(s.b) - across(s.a)) > 0;
        }
        const double part = cuts[i] - cuts[i - 1];
        if (crossings % 2 == 0 && part > kTie_mm) {
            outside += part;
            chord = 0;
        } else {
            chord += part;
            longest_inside = std::max(longest_inside, chord);
        }
    }
    outside_fraction = outside / longest.length;
}

}  // namespace

std::vector<PlanePoint> convex_hull(std::vector<PlanePoint> points)
{
    std::sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return std::tie(a.x, a.y) < std::tie(b.x, b.y); });
    points.erase(std::unique(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.x == b.x && a.y == b.y; }), points.end());
    if (points.size() < 3) return points;
    const auto turn = [](const PlanePoint& o, const PlanePoint& a, const PlanePoint& b) { return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x); };
    std::vector<PlanePoint> hull;
    for (int half = 0; half < 2; ++half) {
        const std::size_t base = hull.size();
        for (const auto& p : points) {
            while (hull.size() >= base + 2 && turn(hull[hull.size() - 2], hull.back(), p) <= 0) hull.pop_back();
            hull.push_back(p);
        }
        hull.pop_back();
        std::reverse(points.begin(), points.end());
    }
    return hull;
}

PlaneAxes plane_axes(const PlaneView& view, const Runs& runs, double precision_mm)
{
    std::vector<Candidate> best;
    std::vector<std::array<int, 2>> columns;
    double longest = -1;
    for (int k = 0; k < view.mask().size().slices; ++k) {
        const auto& slice = runs.slices[static_cast<std::size_t>(k)];
        const Frame frame(view, k);
        for (int region = 0; region < runs.regions[static_cast<std::size_t>(k)]; ++region) {
            const auto hull = convex_hull(outermost(slice, region, frame, columns));
            for (std::size_t i = 0; i < hull.size(); ++i) {
                for (std::size_t j = i + 1; j < hull.size(); ++j) {
                    const double d = std::hypot(hull[i].x - hull[j].x, hull[i].y - hull[j].y);
                    if (d < longest - kTie_mm) continue;
                    if (d > longest + kTie_mm) best.clear();
                    longest = std::max(longest, d);
                    best.push_back({d, k, region, hull[i], hull[j]});
                    order_ends(best.back());
                }
            }
        }
    }
    // Equal chords: the longer partner, then the most cranial slice, then the lowest (row, column) of the first end.
    PlaneAxes out;
    bool first = true;
    Candidate chosen;
    for (auto& candidate : best) {
        if (candidate.length < longest - kTie_mm) continue;
        const Frame frame(view, candidate.slice);
        const auto segments = outline(runs.slices[static_cast<std::size_t>(candidate.slice)], candidate.region, frame);
        const auto partner = widest_across(segments, candidate, frame);
        const double cranial = view.cranial() * candidate.slice;
        const double chosen_cranial = view.cranial() * chosen.slice;
        const bool better = first || partner.exact_mm > out.short_axis.exact_mm + kTie_mm ||
                            (partner.exact_mm > out.short_axis.exact_mm - kTie_mm &&
                             (cranial > chosen_cranial || (cranial == chosen_cranial && std::tie(candidate.a.row, candidate.a.column, candidate.b.row, candidate.b.column) <
                                                                                            std::tie(chosen.a.row, chosen.a.column, chosen.b.row, chosen.b.column))));
        if (!better) continue;
        first = false;
        chosen = candidate;
        out.short_axis = partner;
        out.long_axis.exact_mm = candidate.length;
        out.long_axis.slice = candidate.slice;
        out.long_axis.a = frame.patient(candidate.a.x, candidate.a.y);
        out.long_axis.b = frame.patient(candidate.b.x, candidate.b.y);
        chords_inside(segments, candidate, out.outside_fraction, out.longest_inside_chord_mm);
    }
    out.long_axis.recorded = Length::recorded(out.long_axis.exact_mm, precision_mm);
    out.short_axis.recorded = Length::recorded(out.short_axis.exact_mm, precision_mm);
    return out;
}

Axis craniocaudal(const PlaneView& view, const Runs& runs, PatientPoint centroid, double precision_mm)
{
    Axis out;
    double first_face = 0;
    double last_face = 0;
    bool any = false;
    for (std::size_t k = 0; k < runs.slices.size(); ++k) {
        if (runs.slices[k].empty()) continue;
        const auto faces = view.slab_faces_mm(static_cast<int>(k));
        out.exact_mm += faces[1] - faces[0];
        if (!any || faces[0] < first_face) first_face = faces[0];
        if (!any || faces[1] > last_face) last_face = faces[1];
        any = true;
    }
    const PatientPoint n = view.normal();
    const double at = dot(centroid, n);
    out.a = centroid + (first_face - at) * n;
    out.b = centroid + (last_face - at) * n;
    out.recorded = Length::recorded(out.exact_mm, precision_mm);
    return out;
}

}  // namespace retromass::measurement

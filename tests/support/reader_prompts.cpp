#include "tests/support/reader_prompts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace retromass::test {
namespace {

/// Outermost voxels of each row: no chord of the slice is longer than one between these.
std::vector<PatientPoint> row_ends(const Mask& mask, const VolumeGeometry& g, int slice)
{
    std::vector<PatientPoint> out;
    for (int r = 0; r < mask.size().rows; ++r) {
        int first = -1;
        int last = -1;
        for (int c = 0; c < mask.size().columns; ++c) {
            if (!mask.at(c, r, slice)) continue;
            if (first < 0) first = c;
            last = c;
        }
        if (first < 0) continue;
        out.push_back(g.to_patient(Index{first, r, slice}));
        if (last != first) out.push_back(g.to_patient(Index{last, r, slice}));
    }
    return out;
}

}  // namespace

PatientPoint middle_of(const Mask& mask, const VolumeGeometry& g)
{
    struct Step {
        int columns, rows, slices;
        double mm;
    };
    std::vector<Step> before;   // neighbours that a forward raster sweep has already seen
    const auto origin = g.to_patient(Index{0, 0, 0});
    for (int k = -1; k <= 0; ++k) {
        for (int r = -1; r <= 1; ++r) {
            for (int c = -1; c <= 1; ++c) {
                if (k < 0 || r < 0 || (r == 0 && c < 0)) before.push_back({c, r, k, distance(g.to_patient(Index{c, r, k}), origin)});
            }
        }
    }
    const auto n = mask.size();
    Grid<double> depth(n, 1e9);
    Index best{0, 0, 0};
    double deepest = -1;
    for (const int sign : {1, -1}) {
        for (int kk = 0; kk < n.slices; ++kk) {
            for (int rr = 0; rr < n.rows; ++rr) {
                for (int cc = 0; cc < n.columns; ++cc) {
                    const Index at = sign > 0 ? Index{cc, rr, kk} : Index{n.columns - 1 - cc, n.rows - 1 - rr, n.slices - 1 - kk};
                    auto& d = depth.at(at.column, at.row, at.slice);
                    if (!mask.at(at.column, at.row, at.slice)) {
                        d = 0;
                        continue;
                    }
                    for (const auto& s : before) {
                        const Index to{at.column + sign * s.columns, at.row + sign * s.rows, at.slice + sign * s.slices};
                        d = std::min(d, s.mm + (n.contains(to.column, to.row, to.slice) ? depth.at(to.column, to.row, to.slice) : 0));
                    }
                    if (sign < 0 && d > deepest) deepest = d, best = at;
                }
            }
        }
    }
    return g.to_patient(best);
}

ReaderPrompts prompts_of(const Mask& mask, const VolumeGeometry& g)
{
    ReaderPrompts out{};
    double longest = -1;
    int best_slice = 0;
    int lowest = -1;
    int highest = -1;
    for (int k = 0; k < mask.size().slices; ++k) {
        const auto points = row_ends(mask, g, k);
        if (points.empty()) continue;
        if (lowest < 0) lowest = k;
        highest = k;
        for (std::size_t i = 0; i < points.size(); ++i) {
            for (std::size_t j = i + 1; j < points.size(); ++j) {
                const double d = distance(points[i], points[j]);
                if (d <= longest) continue;
                longest = d;
                best_slice = k;
                out.long_axis = {points[i], points[j]};
            }
        }
    }
    const PatientPoint along = (1.0 / longest) * (out.long_axis.b - out.long_axis.a);
    const PatientPoint across = cross(g.normal(), along);
    double widest = -1;
    const auto edge = row_ends(mask, g, best_slice);
    const double tolerance = g.column_spacing_mm() / 2;
    for (const auto& p : edge) {
        for (const auto& q : edge) {
            if (std::abs(dot(p - q, along)) > tolerance || dot(q - p, across) <= widest) continue;
            widest = dot(q - p, across);
            out.short_axis = {p, q};
        }
    }
    const auto centroid = [&](int k) {
        PatientPoint sum;
        double n = 0;
        for (int r = 0; r < mask.size().rows; ++r) {
            for (int c = 0; c < mask.size().columns; ++c) {
                if (!mask.at(c, r, k)) continue;
                sum = sum + g.to_patient(Index{c, r, k});
                ++n;
            }
        }
        return (1 / n) * sum;
    };
    out.extent = {centroid(highest), centroid(lowest)};
    constexpr double inf = std::numeric_limits<double>::infinity();
    ContinuousIndex lo{inf, inf, inf};
    ContinuousIndex hi{-inf, -inf, -inf};
    for (int k = lowest; k <= highest; ++k) {
        for (int r = 0; r < mask.size().rows; ++r) {
            for (int c = 0; c < mask.size().columns; ++c) {
                if (!mask.at(c, r, k)) continue;
                lo = {std::min(lo.column, c - 0.5), std::min(lo.row, r - 0.5), std::min(lo.slice, k - 0.5)};
                hi = {std::max(hi.column, c + 0.5), std::max(hi.row, r + 0.5), std::max(hi.slice, k + 0.5)};
            }
        }
    }
    out.box = {g.to_patient(lo), g.to_patient(hi)};
    out.middle = middle_of(mask, g);
    return out;
}

MaskError largest_error(const Mask& found, const Mask& truth)
{
    std::vector<std::size_t> best;
    MaskError out{Mask(truth.size()), false};
    const auto n = truth.size();
    for (const bool lacks : {true, false}) {
        Mask open(n);
        for (std::size_t i = 0; i < truth.values().size(); ++i) open[i] = lacks ? truth[i] && !found[i] : found[i] && !truth[i];
        for (std::size_t start = 0; start < open.values().size(); ++start) {
            if (!open[start]) continue;
            std::vector<std::size_t> part{start};
            open[start] = 0;
            for (std::size_t next = 0; next < part.size(); ++next) {
                const int c = static_cast<int>(part[next] % static_cast<std::size_t>(n.columns));
                const int r = static_cast<int>(part[next] / static_cast<std::size_t>(n.columns) % static_cast<std::size_t>(n.rows));
                const int k = static_cast<int>(part[next] / n.plane());
                for (const auto& [dc, dr, dk] : {std::array{1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1}}) {
                    if (!n.contains(c + dc, r + dr, k + dk) || !open.at(c + dc, r + dr, k + dk)) continue;
                    open.at(c + dc, r + dr, k + dk) = 0;
                    part.push_back(open.offset(c + dc, r + dr, k + dk));
                }
            }
            if (part.size() > best.size()) best = std::move(part), out.missing = lacks;
        }
    }
    for (const auto i : best) out.part[i] = 1;
    return out;
}

std::vector<PatientPoint> outline_of(const Mask& mask, const VolumeGeometry& g, int slice)
{
    double row = 0;
    double column = 0;
    double pixels = 0;
    for (int r = 0; r < mask.size().rows; ++r) {
        for (int c = 0; c < mask.size().columns; ++c) {
            if (mask.at(c, r, slice)) row += r, column += c, ++pixels;
        }
    }
    const auto centre = g.to_patient(ContinuousIndex{column / pixels, row / pixels, double(slice)});
    constexpr int kDirections = 48;
    std::vector<double> farthest(kDirections, -1);
    std::vector<PatientPoint> ring(kDirections);
    for (int r = 0; r < mask.size().rows; ++r) {
        for (int c = 0; c < mask.size().columns; ++c) {
            if (!mask.at(c, r, slice)) continue;
            const auto p = g.to_patient(Index{c, r, slice});
            const double angle = std::atan2(dot(p - centre, g.row_step()), dot(p - centre, g.column_step()));
            const auto at = static_cast<std::size_t>(std::lround((angle / (2 * 3.14159265358979) + 1) * kDirections)) % kDirections;
            if (distance(p, centre) > farthest[at]) farthest[at] = distance(p, centre), ring[at] = p;
        }
    }
    std::vector<PatientPoint> out;
    for (std::size_t i = 0; i < ring.size(); ++i) {
        if (farthest[i] >= 0) out.push_back(ring[i]);
    }
    return out;
}

double dice(const Mask& a, const Mask& b)
{
    std::size_t both = 0;
    std::size_t sum = 0;
    for (std::size_t i = 0; i < a.values().size(); ++i) {
        both += a[i] && b[i];
        sum += (a[i] != 0) + (b[i] != 0);
    }
    return sum ? 2.0 * static_cast<double>(both) / static_cast<double>(sum) : 0;
}

}  // namespace retromass::test

#include "measurement/mesh.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "measurement/axes.h"

namespace retromass::measurement {
namespace {

// Corners of a cell by the bits of their number: 1 = next column, 2 = next row, 4 = next slice.
struct Edge {
    int a;
    int b;
};
constexpr std::array<Edge, 12> kEdges{{{0, 1}, {2, 3}, {4, 5}, {6, 7}, {0, 2}, {1, 3}, {4, 6}, {5, 7}, {0, 4}, {1, 5}, {2, 6}, {3, 7}}};
// Faces as corners in a ring, seen from outside counter-clockwise.
constexpr std::array<std::array<int, 4>, 6> kFaces{{{0, 4, 6, 2}, {1, 3, 7, 5}, {0, 1, 5, 4}, {2, 6, 7, 3}, {0, 2, 3, 1}, {4, 5, 7, 6}}};

using Triangle = std::array<int, 3>;  ///< cell edges

int edge_between(int a, int b)
{
    for (std::size_t e = 0; e < kEdges.size(); ++e) {
        if ((kEdges[e].a == a && kEdges[e].b == b) || (kEdges[e].a == b && kEdges[e].b == a)) return static_cast<int>(e);
    }
    return -1;
}

PatientPoint midpoint(int edge)
{
    const auto corner = [](int c) { return PatientPoint{double(c & 1), double(c >> 1 & 1), double(c >> 2 & 1)}; };
    const auto& e = kEdges[static_cast<std::size_t>(edge)];
    return 0.5 * (corner(e.a) + corner(e.b));
}

/// The triangles of one configuration. On each face the cuts between inside and outside are joined so that inside corners
/// across a diagonal stay apart (each cuts off its own corner); the neighbour across the face decides the same, so the surface
/// closes. The cuts form loops; each loop is fanned.
std::vector<Triangle> triangles_of(int configuration)
{
    const auto inside = [&](int corner) { return (configuration >> corner & 1) != 0; };
    std::array<int, 12> next;
    next.fill(-1);
    for (const auto& face : kFaces) {
        // Walking the ring counter-clockwise from outside, the surface runs from where we leave the inside to where we entered it.
        for (int i = 0; i < 4; ++i) {
            const auto at = [&](int t) { return face[static_cast<std::size_t>((i + t) & 3)]; };
            if (inside(at(0)) || !inside(at(1))) continue;  // entering the inside between corners 0 and 1
            int t = 1;
            while (inside(at(t + 1))) ++t;
            next[static_cast<std::size_t>(edge_between(at(t), at(t + 1)))] = edge_between(at(0), at(1));
        }
    }
    std::vector<Triangle> out;
    std::array<bool, 12> done{};
    for (int start = 0; start < 12; ++start) {
        if (done[static_cast<std::size_t>(start)] || next[static_cast<std::size_t>(start)] < 0) continue;
        std::vector<int> loop;
        for (int e = start; !done[static_cast<std::size_t>(e)]; e = next[static_cast<std::size_t>(e)]) {
            done[static_cast<std::size_t>(e)] = true;
            loop.push_back(e);
        }
        for (std::size_t i = 1; i + 1 < loop.size(); ++i) out.push_back({loop[0], loop[i], loop[i + 1]});
    }
    return out;
}

const std::array<std::vector<Triangle>, 256>& table()
{
    static const auto made = [] {
        std::array<std::vector<Triangle>, 256> t;
        for (int c = 0; c < 256; ++c) t[static_cast<std::size_t>(c)] = triangles_of(c);
        return t;
    }();
    return made;
}

/// Column of configurations along one row of cells, from the four rows of voxels around it (null = outside the mask's box).
void count_row(const std::uint8_t* r00, const std::uint8_t* r10, const std::uint8_t* r01, const std::uint8_t* r11, int columns, std::array<std::uint32_t, 256>& histogram)
{
    unsigned previous = 0;  // the four voxels of the column before: bits 0, 2, 4, 6
    for (int c = 0; c <= columns; ++c) {
        unsigned now = 0;
        if (c < columns) {
            now = (r00 ? r00[c] != 0U : 0U) | (r10 ? r10[c] != 0U : 0U) << 2 | (r01 ? r01[c] != 0U : 0U) << 4 | (r11 ? r11[c] != 0U : 0U) << 6;
        }
        const unsigned code = previous | now << 1;
        if (code != 0 && code != 255) ++histogram[code];
        previous = now;
    }
}

}  // namespace

MeshMeasures mesh_measures(const PlaneView& view)
{
    MeshMeasures out;
    const auto& mask = view.mask();
    const auto n = mask.size();
    const PatientPoint normal = view.normal();
    for (int k = -1; k < n.slices; ++k) {  // the layer of cells between slices k and k + 1
        std::array<std::uint32_t, 256> histogram{};
        for (int r = -1; r < n.rows; ++r) {
            const auto row = [&](int rr, int kk) -> const std::uint8_t* {
                if (rr < 0 || rr >= n.rows || kk < 0 || kk >= n.slices) return nullptr;
                return mask.data() + mask.offset(0, rr, kk);
            };
            count_row(row(r, k), row(r + 1, k), row(r, k + 1), row(r + 1, k + 1), n.columns, histogram);
        }
        // Every cell of a layer has the same shape, so one of each configuration is measured and counted.
        const auto corner = [&](PatientPoint unit) { return view.to_patient({unit.x, unit.y, k + unit.z}); };
        for (int c = 1; c < 255; ++c) {
            const double count = histogram[static_cast<std::size_t>(c)];
            if (count == 0) continue;
            for (const auto& t : table()[static_cast<std::size_t>(c)]) {
                const PatientPoint p = corner(midpoint(t[0]));
                const PatientPoint q = corner(midpoint(t[1]));
                const PatientPoint r = corner(midpoint(t[2]));
                const PatientPoint area = 0.5 * cross(q - p, r - p);
                out.area_mm2 += count * norm(area);
                // Divergence theorem with the field (height along the normal) * normal: places within the layer cancel.
                out.volume_mm3 += count * dot(area, normal) * (dot(p, normal) + dot(q, normal) + dot(r, normal)) / 3;
            }
        }
    }
    out.volume_mm3 = std::abs(out.volume_mm3);
    return out;
}

double longest_3d_mm(const PlaneView& view, const Runs& runs)
{
    // Vertices lie in the slices (midpoints between voxels of a slice) and half way between them (midpoints along the slice
    // axis). In each such layer only corners of the hull can end the longest line.
    struct Layer {
        std::vector<PatientPoint> points;
        PatientPoint centre;
        double radius = 0;
    };
    std::vector<Layer> layers;
    const auto& mask = view.mask();
    const auto n = mask.size();
    const auto add = [&](std::vector<PlanePoint> candidates, double slice) {
        if (candidates.empty()) return;
        Layer layer;
        for (const auto& p : convex_hull(std::move(candidates))) layer.points.push_back(view.to_patient({p.column, p.row, slice}));
        for (const auto& p : layer.points) layer.centre = layer.centre + (1.0 / static_cast<double>(layer.points.size())) * p;
        for (const auto& p : layer.points) layer.radius = std::max(layer.radius, distance(p, layer.centre));
        layers.push_back(std::move(layer));
    };
    const auto plain = [](double column, double row) { return PlanePoint{column, row, column, row}; };  // hulls are affine
    for (int k = 0; k < n.slices; ++k) {
        std::vector<PlanePoint> candidates;
        std::vector<std::array<int, 2>> columns(static_cast<std::size_t>(n.columns), {n.rows, -1});
        const auto& slice = runs.slices[static_cast<std::size_t>(k)];
        for (const auto& run : slice) {
            candidates.push_back(plain(run.first - 0.5, run.row));
            candidates.push_back(plain(run.last + 0.5, run.row));
            for (int c = run.first; c <= run.last; ++c) {
                auto& span = columns[static_cast<std::size_t>(c)];
                span = {std::min(span[0], run.row), std::max(span[1], run.row)};
            }
        }
        for (int c = 0; c < n.columns; ++c) {
            const auto& span = columns[static_cast<std::size_t>(c)];
            if (span[1] < 0) continue;
            candidates.push_back(plain(c, span[0] - 0.5));
            candidates.push_back(plain(c, span[1] + 0.5));
        }
        add(std::move(candidates), k);
    }
    for (int k = -1; k < n.slices; ++k) {
        std::vector<PlanePoint> candidates;
        for (int r = 0; r < n.rows; ++r) {
            const auto* below = k >= 0 ? mask.data() + mask.offset(0, r, k) : nullptr;
            const auto* above = k + 1 < n.slices ? mask.data() + mask.offset(0, r, k + 1) : nullptr;
            const auto changes = [&](int c) { return (below && below[c]) != (above && above[c]); };
            int first = 0;
            while (first < n.columns && !changes(first)) ++first;
            if (first == n.columns) continue;
            int last = n.columns - 1;
            while (!changes(last)) --last;
            candidates.push_back(plain(first, r));
            candidates.push_back(plain(last, r));
        }
        add(std::move(candidates), k + 0.5);
    }
    // Pairs of layers by the most they could give; a pair that cannot beat the best ends the search.
    struct Pair {
        double most;
        std::size_t a;
        std::size_t b;
    };
    std::vector<Pair> pairs;
    double best = 0;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        for (std::size_t j = i; j < layers.size(); ++j) {
            pairs.push_back({distance(layers[i].centre, layers[j].centre) + layers[i].radius + layers[j].radius, i, j});
        }
    }
    std::sort(pairs.begin(), pairs.end(), [](const auto& p, const auto& q) { return p.most > q.most; });
    for (const auto& pair : pairs) {
        if (pair.most <= best) break;
        const auto& a = layers[pair.a];
        const auto& b = layers[pair.b];
        for (const auto& p : a.points) {
            if (distance(p, b.centre) + b.radius <= best) continue;
            for (const auto& q : b.points) best = std::max(best, distance(p, q));
        }
    }
    return best;
}

Moments moments_of(const PlaneView& view, const Runs& runs)
{
    // Sums over runs in index space; the covariance in mm follows by the steps of the grid, slice by slice.
    Moments out;
    double count = 0;
    PatientPoint sum;
    std::array<double, 6> second{};  // xx, yy, zz, xy, xz, yz about a nearby origin
    const PatientPoint origin = view.to_patient({view.mask().size().columns / 2.0, view.mask().size().rows / 2.0, view.mask().size().slices / 2.0});
    for (std::size_t k = 0; k < runs.slices.size(); ++k) {
        const PatientPoint zero = view.to_patient({0, 0, double(k)}) - origin;
        const PatientPoint per_column = view.to_patient({1, 0, double(k)}) - origin - zero;
        const PatientPoint per_row = view.to_patient({0, 1, double(k)}) - origin - zero;
        for (const auto& run : runs.slices[k]) {
            const double m = run.last - run.first + 1;
            const double middle = (run.first + run.last) / 2.0;
            const PatientPoint p = zero + middle * per_column + run.row * per_row;
            const double spread = m * (m * m - 1) / 12;  // sum of squares of positions about the middle of the run
            count += m;
            sum = sum + m * p;
            second[0] += m * p.x * p.x + spread * per_column.x * per_column.x;
            second[1] += m * p.y * p.y + spread * per_column.y * per_column.y;
            second[2] += m * p.z * p.z + spread * per_column.z * per_column.z;
            second[3] += m * p.x * p.y + spread * per_column.x * per_column.y;
            second[4] += m * p.x * p.z + spread * per_column.x * per_column.z;
            second[5] += m * p.y * p.z + spread * per_column.y * per_column.z;
        }
    }
    out.voxels = static_cast<std::size_t>(count);
    const PatientPoint mean = (1 / count) * sum;
    out.centroid = origin + mean;
    if (count < 2) return out;
    const double d = count - 1;
    double m[3][3] = {{second[0] - count * mean.x * mean.x, second[3] - count * mean.x * mean.y, second[4] - count * mean.x * mean.z},
                      {0, second[1] - count * mean.y * mean.y, second[5] - count * mean.y * mean.z},
                      {0, 0, second[2] - count * mean.z * mean.z}};
    for (auto& row : m) {
        for (double& v : row) v /= d;
    }
    m[1][0] = m[0][1];
    m[2][0] = m[0][2];
    m[2][1] = m[1][2];
    for (int sweep = 0; sweep < 60; ++sweep) {  // Jacobi rotations
        int p = 0;
        int q = 1;
        if (std::abs(m[0][2]) > std::abs(m[p][q])) q = 2;
        if (std::abs(m[1][2]) > std::abs(m[p][q])) p = 1, q = 2;
        if (std::abs(m[p][q]) < 1e-14 * (std::abs(m[0][0]) + std::abs(m[1][1]) + std::abs(m[2][2]))) break;
        const double theta = 0.5 * std::atan2(2 * m[p][q], m[q][q] - m[p][p]);
        const double c = std::cos(theta);
        const double s = std::sin(theta);
        for (auto& row : m) {
            const double a = row[p];
            const double b = row[q];
            row[p] = c * a - s * b;
            row[q] = s * a + c * b;
        }
        for (int i = 0; i < 3; ++i) {
            const double a = m[p][i];
            const double b = m[q][i];
            m[p][i] = c * a - s * b;
            m[q][i] = s * a + c * b;
        }
    }
    for (std::size_t i = 0; i < 3; ++i) out.principal_axes_mm[i] = 4 * std::sqrt(std::max(0.0, m[i][i]));
    std::sort(out.principal_axes_mm.rbegin(), out.principal_axes_mm.rend());
    return out;
}

}  // namespace retromass::measurement

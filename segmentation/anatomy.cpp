#include "segmentation/anatomy.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "segmentation/components.h"
#include "segmentation/distance.h"

namespace retromass::segmentation {
namespace {

struct Knot {
    double hu;
    double tissue;
};
// Steep where tissues differ in every phase (gas, fat, soft tissue, bone), flat where contrast medium decides.
constexpr Knot kKnots[] = {{-1000, 0}, {-250, 0.12}, {-130, 0.35}, {-70, 0.42}, {0, 0.56}, {60, 0.66}, {150, 0.75}, {300, 0.88}, {700, 1.2}, {1500, 1.4}};

double tissue_of(double hu)
{
    if (hu <= kKnots[0].hu) return kKnots[0].tissue;
    for (std::size_t i = 1; i < std::size(kKnots); ++i) {
        if (hu < kKnots[i].hu) return kKnots[i - 1].tissue + (kKnots[i].tissue - kKnots[i - 1].tissue) * (hu - kKnots[i - 1].hu) / (kKnots[i].hu - kKnots[i - 1].hu);
    }
    return std::end(kKnots)[-1].tissue;
}

constexpr float kSolid = 0.2F;        ///< -200 HU: what hangs together above it is the patient, or the table
constexpr double kTable_mm = 6;       ///< thinner things are cut off: half of a mattress' cover, sheets, tubes
constexpr double kWall_mm = 20;       ///< beyond the straight lines round what is left, what hangs together with it may close it: the wall of a chest round its lungs
constexpr double kSkin_mm = 3;        ///< left beyond the opened body
constexpr double kPart = 0.35;        ///< of the largest part: one leg swollen by a tumour and the other; an arm beside a trunk is less
constexpr int kMostParts = 4;         ///< looked at: two legs, the table, the other leg's splint
constexpr double kPartThick_mm = 20;  ///< half of a plate and a mattress that hang together; a calf is thicker

/// All cells of a slice that cannot be reached from its edge without crossing `wall`.
void fill_slice(Mask& wall, int k)
{
    const auto& n = wall.size();
    std::vector<std::uint8_t> outside(n.plane());
    std::vector<int> open;
    const auto visit = [&](int i, int j) {
        if (i < 0 || j < 0 || i >= n.columns || j >= n.rows) return;
        auto& seen = outside[static_cast<std::size_t>(j * n.columns + i)];
        if (seen || wall.at(i, j, k)) return;
        seen = 1;
        open.push_back(j * n.columns + i);
    };
    for (int i = 0; i < n.columns; ++i) visit(i, 0), visit(i, n.rows - 1);
    for (int j = 0; j < n.rows; ++j) visit(0, j), visit(n.columns - 1, j);
    while (!open.empty()) {
        const int at = open.back();
        open.pop_back();
        const int i = at % n.columns, j = at / n.columns;
        visit(i - 1, j), visit(i + 1, j), visit(i, j - 1), visit(i, j + 1);
    }
    auto plane = wall.plane(k);
    for (std::size_t c = 0; c < plane.size(); ++c) plane[c] = !outside[c];
}

/// In each slice all that lies between any two cells of the mask.
Mask hull_of(const Mask& mask)
{
    const auto& n = mask.size();
    Mask out(n);
    struct Cell {
        int i, j;
    };
    const auto turn = [](Cell a, Cell b, Cell c) { return (b.i - a.i) * (c.j - a.j) - (b.j - a.j) * (c.i - a.i); };
    for (int k = 0; k < n.slices; ++k) {
        // Each row's ends from top to bottom; of them the chains that turn one way only (Andrew 1979).
        std::vector<Cell> left, right;
        for (int j = 0; j < n.rows; ++j) {
            int first = 0, last = n.columns - 1;
            while (first < n.columns && !mask.at(first, j, k)) ++first;
            if (first == n.columns) continue;
            while (!mask.at(last, j, k)) --last;
            const auto extend = [&](std::vector<Cell>& chain, Cell next, int way) {
                while (chain.size() > 1 && way * turn(chain[chain.size() - 2], chain.back(), next) >= 0) chain.pop_back();
                chain.push_back(next);
            };
            extend(left, {first, j}, 1);
            extend(right, {last, j}, -1);
        }
        const auto at_row = [](const std::vector<Cell>& chain, std::size_t& edge, int j) {
            while (edge + 2 < chain.size() && chain[edge + 1].j <= j) ++edge;
            if (chain.size() == 1) return double(chain[0].i);
            const auto& a = chain[edge];
            const auto& b = chain[edge + 1];
            return a.i + double(b.i - a.i) * (j - a.j) / (b.j - a.j);
        };
        if (left.empty()) continue;
        std::size_t l = 0, r = 0;
        for (int j = left.front().j; j <= left.back().j; ++j) {
            const int from = static_cast<int>(std::floor(at_row(left, l, j))), to = static_cast<int>(std::ceil(at_row(right, r, j)));
            for (int i = from; i <= to; ++i) out.at(i, j, k) = 1;
        }
    }
    return out;
}

/// The cells deeper within the mask than so much.
Mask deeper(const Mask& mask, double least_mm, double cell_mm, int threads)
{
    const auto depth = signed_distance(mask, {cell_mm, cell_mm, cell_mm}, threads, least_mm + cell_mm);
    Mask out(mask.size());
    for (std::size_t i = 0; i < out.values().size(); ++i) out[i] = depth[i] + 0.5 * cell_mm > least_mm;  // to the face of the last cell, not to its middle
    return out;
}

std::size_t cells_of(const Mask& mask) { return static_cast<std::size_t>(std::count_if(mask.values().begin(), mask.values().end(), [](auto v) { return v != 0; })); }

/// What is left of the mask where it is thin: cells deeper than `kTable_mm` of its largest part, and of others that are nearly as large and as thick: a second leg, no table.
Mask core_of(const Mask& mask, double cell_mm, int threads)
{
    auto rest = deeper(mask, kTable_mm, cell_mm, threads);
    Mask out(mask.size());
    std::size_t largest = 0;
    for (int parts = 0; parts < kMostParts; ++parts) {
        const auto part = seeded_components(rest, Mask(mask.size()));
        const auto cells = cells_of(part);
        if (cells == 0 || static_cast<double>(cells) < kPart * static_cast<double>(largest)) return out;
        const bool thick = largest == 0 || cells_of(deeper(part, kPartThick_mm - kTable_mm, cell_mm, threads)) > 0;
        largest = std::max(largest, cells);
        for (std::size_t i = 0; i < out.values().size(); ++i) {
            out[i] = out[i] || (thick && part[i]);
            rest[i] = rest[i] && !part[i];
        }
    }
    return out;
}

/// The cells of the mask no farther than so much from `core`.
Mask near(const Mask& mask, const Mask& core, double most_mm, double cell_mm, int threads)
{
    const auto away = signed_distance(core, {cell_mm, cell_mm, cell_mm}, threads, most_mm + cell_mm);
    auto out = mask;
    for (std::size_t i = 0; i < out.values().size(); ++i) out[i] = out[i] && away[i] > -most_mm;
    return out;
}

/// The largest solid things that are left when thin ones are cut off. Where thin walls near by close it in a slice, with what they enclose there it is no longer thin: so a chest keeps its lungs, and a
/// sheet or a table that touches the back is cut off all the same.
Mask body_of(const Grid<float>& tissue, double cell_mm, int threads)
{
    const auto& n = tissue.size();
    Mask solid(n);
    for (std::size_t i = 0; i < solid.values().size(); ++i) solid[i] = tissue[i] >= kSolid;
    const auto core = core_of(solid, cell_mm, threads);
    auto closed = seeded_components(near(solid, hull_of(core), kTable_mm + kWall_mm, cell_mm, threads), core);
    for (int k = 0; k < n.slices; ++k) fill_slice(closed, k);
    auto body = near(closed, core_of(closed, cell_mm, threads), kTable_mm + kSkin_mm, cell_mm, threads);
    for (int k = 0; k < n.slices; ++k) fill_slice(body, k);
    return body;
}

}  // namespace

Anatomy anatomy_of(const CtVolume& ct, const UprightGrid& grid, const Rigid& into, int threads)
{
    static const HuWindow window(tissue_of);
    Anatomy out{grid, sampled(ct, grid, into, window, threads), Grid<float>(grid.size), {}};
    for (std::size_t i = 0; i < out.tissue.values().size(); ++i) {
        out.weight[i] = out.tissue[i] == kUnseen ? 0.0F : 1.0F;
        if (out.tissue[i] == kUnseen) out.tissue[i] = 0;
    }
    out.body = body_of(out.tissue, grid.cell_mm, threads);
    for (std::size_t i = 0; i < out.tissue.values().size(); ++i) {
        if (!out.body[i]) out.tissue[i] = 0;
    }
    return out;
}

Anatomy halved(const Anatomy& in)
{
    const auto& n = in.tissue.size();
    const Dimensions size{(n.columns + 1) / 2, (n.rows + 1) / 2, (n.slices + 1) / 2};
    const double half = 0.5 * in.grid.cell_mm;
    Anatomy out{{2 * in.grid.cell_mm, in.grid.origin + PatientPoint{half, half, half}, size}, Grid<float>(size), Grid<float>(size), Mask(size)};
    for (int k = 0; k < size.slices; ++k) {
        for (int j = 0; j < size.rows; ++j) {
            for (int i = 0; i < size.columns; ++i) {
                float sum = 0, seen = 0, body = 0, all = 0;
                for (int z = 2 * k; z < std::min(2 * k + 2, n.slices); ++z) {
                    for (int y = 2 * j; y < std::min(2 * j + 2, n.rows); ++y) {
                        for (int x = 2 * i; x < std::min(2 * i + 2, n.columns); ++x) {
                            const auto at = in.tissue.offset(x, y, z);
                            sum += in.weight[at] * in.tissue[at];
                            seen += in.weight[at];
                            body += in.body[at];
                            all += 1;
                        }
                    }
                }
                const auto at = out.tissue.offset(i, j, k);
                out.tissue[at] = seen > 0 ? sum / seen : 0;
                out.weight[at] = seen / all;
                out.body[at] = 2 * body >= all;
            }
        }
    }
    return out;
}

}  // namespace retromass::segmentation

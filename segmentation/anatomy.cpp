#include "segmentation/anatomy.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "segmentation/itk/components.h"
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
constexpr double kTable_mm = 9;       ///< thinner things are cut off: half of a mattress' cover, sheets, tubes
constexpr double kSkin_mm = 3;        ///< left of it beyond the opened body

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

/// The largest solid thing that is left when thin ones are cut off, with all it encloses in its slices.
Mask body_of(const Grid<float>& tissue, double cell_mm)
{
    const auto& n = tissue.size();
    Mask solid(n);
    for (std::size_t i = 0; i < solid.values().size(); ++i) solid[i] = tissue[i] >= kSolid;
    const auto depth = signed_distance(solid, {cell_mm, cell_mm, cell_mm});
    Mask deep(n);
    for (std::size_t i = 0; i < deep.values().size(); ++i) deep[i] = depth[i] > kTable_mm;
    deep = seeded_components(deep, Mask(n));
    const auto away = signed_distance(deep, {cell_mm, cell_mm, cell_mm});
    Mask body(n);
    for (std::size_t i = 0; i < body.values().size(); ++i) body[i] = solid[i] && away[i] > -(kTable_mm + kSkin_mm);
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
    out.body = body_of(out.tissue, grid.cell_mm);
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

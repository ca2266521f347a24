#include "segmentation/pulls.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel.h"

namespace retromass::segmentation {

Pulls pulls_of(const Picture& fixed, const Picture& moved, int block, int threads)
{
    const auto n = fixed.size();
    const auto blocks = [&](int cells) { return (cells + block - 1) / block; };
    const Dimensions size{blocks(n.columns), blocks(n.rows), blocks(n.slices)};
    Pulls out{block, Grid<Pulls::Six>(size), Grid<Four>(size)};
    struct Sums {
        double covered = 0, apart = 0;
    };
    std::vector<Sums> sums(static_cast<std::size_t>(size.slices));  // added in their order
    parallel_for(size.slices, threads, [&](int layer) {
        auto& sum = sums[static_cast<std::size_t>(layer)];
        for (int k = layer * block; k < std::min(n.slices, (layer + 1) * block); ++k) {
            for (int j = 0; j < n.rows; ++j) {
                for (int i = 0; i < n.columns; ++i) {
                    const auto d = difference_at(fixed, moved, i, j, k);
                    if (d.weight <= 0) continue;
                    const float root = std::sqrt(1 + kTissueImportance * d.tissue * d.tissue + d.local * d.local);
                    sum.covered += double{d.weight};
                    sum.apart += double{d.weight * (root - 1)};
                    const float weight = d.weight / root;
                    const auto& t = d.tissue_slope;
                    const auto& l = d.local_slope;
                    auto& seen = out.seen.at(i / block, j / block, layer);
                    auto& pull = out.pull.at(i / block, j / block, layer);
                    std::size_t e = 0;
                    for (std::size_t a = 0; a < 3; ++a) {
                        for (std::size_t b = a; b < 3; ++b) seen[e++] += weight * (kTissueImportance * t[a] * t[b] + l[a] * l[b]);
                        pull[a] += weight * (kTissueImportance * d.tissue * t[a] + d.local * l[a]);
                    }
                }
            }
        }
    });
    for (const auto& sum : sums) out.covered += sum.covered, out.apart += sum.apart;
    out.apart /= std::max(out.covered, 1.0);
    return out;
}

}  // namespace retromass::segmentation

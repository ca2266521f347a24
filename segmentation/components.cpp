#include "segmentation/components.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "segmentation/nonzero.h"

namespace retromass::segmentation {
namespace {

/// Columns of one row that hang together, `end` not among them.
struct Run {
    int row;
    int slice;
    int first;
    int end;
};

enum class Side { inside, background };

/// Face-connected components by the runs of their rows: a giant mass has hundreds of voxels in each, and no voxel needs a label.
class Components {
public:
    Components(const Mask& mask, Side side)
    {
        const auto n = mask.size();
        std::vector<std::size_t> above(static_cast<std::size_t>(n.rows) + 1, 0);  // where the runs of each row of the slice before begin
        auto here = above;
        for (int k = 0; k < n.slices; ++k) {
            for (int r = 0; r < n.rows; ++r) {
                const auto row = static_cast<std::size_t>(r);
                here[row] = runs_.size();
                find(mask.data() + mask.offset(0, r, k), n.columns, side, r, k);
                if (r > 0) join(here[row - 1], here[row], here[row]);
                if (k > 0) join(above[row], above[row + 1], here[row]);
            }
            here.back() = runs_.size();
            std::swap(above, here);
        }
    }

    const std::vector<Run>& runs() const { return runs_; }

    /// The first run of the component to which run i belongs.
    std::size_t component(std::size_t i)
    {
        while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
        return i;
    }

private:
    void find(const std::uint8_t* row, int columns, Side side, int r, int k)
    {
        const auto first_inside = [&](int from) { return first_nonzero(row, from, columns); };
        const auto first_background = [&](int from) {
            const auto* const at = static_cast<const std::uint8_t*>(std::memchr(row + from, 0, static_cast<std::size_t>(columns - from)));
            return at ? static_cast<int>(at - row) : columns;
        };
        for (int c = 0; c < columns;) {
            const int first = side == Side::inside ? first_inside(c) : first_background(c);
            if (first == columns) return;
            c = side == Side::inside ? first_background(first) : first_inside(first);
            parent_.push_back(runs_.size());
            runs_.push_back({r, k, first, c});
        }
    }

    /// Joins the runs from `other` up to before `end`, those of a row beside the last one, with the runs of that, which begin at `own`.
    void join(std::size_t other, std::size_t end, std::size_t own)
    {
        while (other < end && own < runs_.size()) {
            const auto& a = runs_[other];
            const auto& b = runs_[own];
            if (a.first < b.end && b.first < a.end) {
                const auto [low, high] = std::minmax({component(other), component(own)});
                parent_[high] = low;
            }
            ++(a.end < b.end ? other : own);
        }
    }

    std::vector<Run> runs_;
    std::vector<std::size_t> parent_;   // an earlier run of the same component, or the run itself
};

std::uint8_t* begin_of(Mask& mask, const Run& run) { return mask.data() + mask.offset(run.first, run.row, run.slice); }

}  // namespace

Mask seeded_components(Mask mask, const Mask& seeds)
{
    Components components(mask, Side::inside);
    const auto& runs = components.runs();
    std::vector<std::size_t> voxels(runs.size(), 0);
    std::vector<std::uint8_t> kept(runs.size(), 0);
    bool any = false;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const auto& run = runs[i];
        const auto component = components.component(i);
        voxels[component] += static_cast<std::size_t>(run.end - run.first);
        if (kept[component] || first_nonzero(seeds.data() + seeds.offset(0, run.row, run.slice), run.first, run.end) == run.end) continue;
        kept[component] = any = true;
    }
    if (!any && !runs.empty()) kept[static_cast<std::size_t>(std::max_element(voxels.begin(), voxels.end()) - voxels.begin())] = 1;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        if (!kept[components.component(i)]) std::fill_n(begin_of(mask, runs[i]), runs[i].end - runs[i].first, std::uint8_t{0});
    }
    return mask;
}

Mask filled(Mask mask)
{
    const auto n = mask.size();
    Components components(mask, Side::background);
    const auto& runs = components.runs();
    std::vector<std::uint8_t> outside(runs.size(), 0);
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const auto& run = runs[i];
        if (run.first == 0 || run.end == n.columns || run.row == 0 || run.row == n.rows - 1 || run.slice == 0 || run.slice == n.slices - 1) outside[components.component(i)] = 1;
    }
    for (std::size_t i = 0; i < runs.size(); ++i) {
        if (!outside[components.component(i)]) std::fill_n(begin_of(mask, runs[i]), runs[i].end - runs[i].first, std::uint8_t{1});
    }
    return mask;
}

}  // namespace retromass::segmentation

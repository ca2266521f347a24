#include "measurement/regions.h"

#include <algorithm>

namespace retromass::measurement {
namespace {

/// A row's stretch of voxels inside.
struct Run {
    int first = 0;
    int last = 0;
    std::size_t part = 0;
};

class Parts {
public:
    std::size_t add()
    {
        parent_.push_back(parent_.size());
        return parent_.size() - 1;
    }
    std::size_t root(std::size_t i)
    {
        while (parent_[i] != i) {
            parent_[i] = parent_[parent_[i]];
            i = parent_[i];
        }
        return i;
    }
    void join(std::size_t a, std::size_t b)
    {
        a = root(a);
        b = root(b);
        parent_[std::max(a, b)] = std::min(a, b);
    }
    std::size_t count() const { return parent_.size(); }

private:
    std::vector<std::size_t> parent_;
};

}  // namespace

std::vector<std::size_t> part_sizes(const Mask& mask, Index low, Index high)
{
    const int rows = high.row - low.row + 1;
    Parts parts;
    std::vector<std::size_t> sizes;
    std::vector<std::vector<Run>> before(static_cast<std::size_t>(rows));
    std::vector<std::vector<Run>> now(static_cast<std::size_t>(rows));
    for (int k = low.slice; k <= high.slice; ++k) {
        for (int r = 0; r < rows; ++r) {
            auto& runs = now[static_cast<std::size_t>(r)];
            runs.clear();
            for (int c = low.column; c <= high.column; ++c) {
                if (!mask.at(c, r + low.row, k)) continue;
                const int first = c;
                while (c < high.column && mask.at(c + 1, r + low.row, k)) ++c;
                runs.push_back({first, c, parts.add()});
                sizes.push_back(static_cast<std::size_t>(c - first + 1));
            }
            const auto touch = [&](const std::vector<Run>& others) {
                for (const auto& a : runs) {
                    for (const auto& b : others) {
                        if (a.first <= b.last + 1 && b.first <= a.last + 1) parts.join(a.part, b.part);
                    }
                }
            };
            if (r > 0) touch(now[static_cast<std::size_t>(r - 1)]);
            for (int other = std::max(0, r - 1); other <= std::min(rows - 1, r + 1); ++other) touch(before[static_cast<std::size_t>(other)]);
        }
        std::swap(before, now);
    }
    std::vector<std::size_t> totals(parts.count(), 0);
    for (std::size_t i = 0; i < parts.count(); ++i) totals[parts.root(i)] += sizes[i];
    std::vector<std::size_t> out;
    for (const auto total : totals) {
        if (total) out.push_back(total);
    }
    return out;
}

}  // namespace retromass::measurement

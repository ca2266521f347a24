#include "measurement/regions.h"

#include <algorithm>

namespace retromass::measurement {
namespace {

/// Sets that grow together; each is named by its first member.
class Joined {
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

struct Named {
    int first;
    int last;
    std::size_t name;
};

/// Joins the runs of two rows that touch, corners included. Both are ascending, so one walk suffices.
void join_touching(Joined& sets, const std::vector<Named>& a, const std::vector<Named>& b)
{
    for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
        if (a[i].first <= b[j].last + 1 && b[j].first <= a[i].last + 1) sets.join(a[i].name, b[j].name);
        (a[i].last < b[j].last ? i : j) += 1;
    }
}

std::vector<Named> named_runs(Joined& sets, BitRow bits)
{
    std::vector<Named> runs;
    for_each_stretch(bits, [&](int first, int last) { runs.push_back({first, last, sets.add()}); });
    return runs;
}

}  // namespace

std::vector<std::size_t> part_sizes(const PackedMask& mask)
{
    if (mask.empty()) return {};
    const auto rows = static_cast<std::size_t>(mask.high().row - mask.low().row + 1);
    Joined parts;
    std::vector<std::size_t> sizes;
    std::vector<std::vector<Named>> before(rows);
    std::vector<std::vector<Named>> now(rows);
    for (int k = mask.low().slice; k <= mask.high().slice; ++k) {
        for (std::size_t r = 0; r < rows; ++r) {
            now[r] = named_runs(parts, mask.row(mask.low().row + static_cast<int>(r), k));
            for (const auto& run : now[r]) sizes.push_back(static_cast<std::size_t>(run.last - run.first + 1));
            if (r > 0) join_touching(parts, now[r], now[r - 1]);
            for (std::size_t other = r > 0 ? r - 1 : 0; other <= std::min(rows - 1, r + 1); ++other) join_touching(parts, now[r], before[other]);
        }
        std::swap(before, now);
    }
    std::vector<std::size_t> totals(parts.count(), 0);
    for (std::size_t i = 0; i < parts.count(); ++i) totals[parts.root(i)] += sizes[i];
    std::erase(totals, std::size_t{0});
    return totals;
}

std::vector<Region> regions_of(const PackedMask& mask, int slice)
{
    Joined sets;
    std::vector<Run> runs;
    std::vector<Named> above;
    for (int r = mask.low().row; r <= mask.high().row; ++r) {
        auto here = named_runs(sets, mask.row(r, slice));
        for (const auto& run : here) runs.push_back({r, mask.column_of(run.first), mask.column_of(run.last)});
        join_touching(sets, here, above);
        above = std::move(here);
    }
    std::vector<Region> regions;
    std::vector<std::size_t> place(runs.size());
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const std::size_t root = sets.root(i);  // the smallest name, so it was placed before
        if (root == i) {
            place[i] = regions.size();
            regions.emplace_back();
        }
        regions[place[root]].push_back(runs[i]);
    }
    return regions;
}

}  // namespace retromass::measurement

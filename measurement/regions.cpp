#include "measurement/regions.h"

#include <algorithm>
#include <numeric>

namespace retromass::measurement {
namespace {

class Sets {
public:
    int add()
    {
        parent_.push_back(static_cast<int>(parent_.size()));
        return parent_.back();
    }
    int root(int a)
    {
        while (parent_[static_cast<std::size_t>(a)] != a) {
            auto& p = parent_[static_cast<std::size_t>(a)];
            p = parent_[static_cast<std::size_t>(p)];
            a = p;
        }
        return a;
    }
    void join(int a, int b)
    {
        a = root(a);
        b = root(b);
        parent_[static_cast<std::size_t>(std::max(a, b))] = std::min(a, b);
    }
    std::size_t size() const { return parent_.size(); }

private:
    std::vector<int> parent_;
};

struct Row {
    std::size_t begin = 0;
    std::size_t end = 0;
};

/// Calls join(a, b) for each pair of runs of two rows that touch, diagonals included.
template <class Join>
void touching(const std::vector<Run>& a, Row ra, const std::vector<Run>& b, Row rb, Join join)
{
    std::size_t j = rb.begin;
    for (std::size_t i = ra.begin; i < ra.end; ++i) {
        while (j < rb.end && b[j].last + 1 < a[i].first) ++j;
        for (std::size_t t = j; t < rb.end && b[t].first <= a[i].last + 1; ++t) join(i, t);
    }
}

}  // namespace

Runs runs_of(const Mask& mask)
{
    const auto n = mask.size();
    Runs out;
    out.slices.resize(static_cast<std::size_t>(n.slices));
    out.regions.assign(static_cast<std::size_t>(n.slices), 0);
    Sets volume;
    std::vector<Row> previous_rows;
    for (int k = 0; k < n.slices; ++k) {
        auto& runs = out.slices[static_cast<std::size_t>(k)];
        std::vector<Row> rows(static_cast<std::size_t>(n.rows));
        Sets plane;
        const auto values = mask.plane(k);
        for (int r = 0; r < n.rows; ++r) {
            const auto* row = values.data() + static_cast<std::ptrdiff_t>(r) * n.columns;
            auto& span = rows[static_cast<std::size_t>(r)];
            span.begin = runs.size();
            for (int c = 0; c < n.columns;) {
                if (!row[c]) {
                    ++c;
                    continue;
                }
                const int first = c;
                while (c < n.columns && row[c]) ++c;
                runs.push_back({r, first, c - 1, plane.add(), volume.add()});
            }
            span.end = runs.size();
            if (r > 0) {
                touching(runs, span, runs, rows[static_cast<std::size_t>(r) - 1], [&](std::size_t i, std::size_t t) {
                    plane.join(runs[i].region, runs[t].region);
                    volume.join(runs[i].component, runs[t].component);
                });
            }
            if (k > 0) {
                const auto& below = out.slices[static_cast<std::size_t>(k) - 1];
                for (int dr = -1; dr <= 1; ++dr) {
                    if (r + dr < 0 || r + dr >= n.rows) continue;
                    touching(runs, span, below, previous_rows[static_cast<std::size_t>(r + dr)], [&](std::size_t i, std::size_t t) { volume.join(runs[i].component, below[t].component); });
                }
            }
        }
        std::vector<int> number(plane.size(), -1);
        for (auto& run : runs) {
            auto& id = number[static_cast<std::size_t>(plane.root(run.region))];
            if (id < 0) id = out.regions[static_cast<std::size_t>(k)]++;
            run.region = id;
        }
        previous_rows = std::move(rows);
    }
    std::vector<int> number(volume.size(), -1);
    for (auto& runs : out.slices) {
        for (auto& run : runs) {
            auto& id = number[static_cast<std::size_t>(volume.root(run.component))];
            if (id < 0) {
                id = static_cast<int>(out.components.size());
                out.components.push_back(0);
            }
            run.component = id;
            out.components[static_cast<std::size_t>(id)] += static_cast<std::size_t>(run.last - run.first + 1);
        }
    }
    return out;
}

}  // namespace retromass::measurement

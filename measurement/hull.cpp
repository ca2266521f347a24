#include "measurement/hull.h"

#include <algorithm>

namespace retromass::measurement {

std::vector<Midpoint> convex_hull(const std::vector<Midpoint>& sorted)
{
    if (sorted.size() < 3) return sorted;
    const auto turn = [](Midpoint a, Midpoint b, Midpoint c) {
        return static_cast<long long>(b.column2 - a.column2) * (c.row2 - a.row2) - static_cast<long long>(b.row2 - a.row2) * (c.column2 - a.column2);
    };
    std::vector<Midpoint> hull;
    const auto walk = [&](auto begin, auto end) {
        const std::size_t start = hull.size();
        for (auto p = begin; p != end; ++p) {
            while (hull.size() >= start + 2 && turn(hull[hull.size() - 2], hull.back(), *p) <= 0) hull.pop_back();
            hull.push_back(*p);
        }
        hull.pop_back();  // the next walk begins with it
    };
    walk(sorted.begin(), sorted.end());
    walk(sorted.rbegin(), sorted.rend());
    return hull;
}

}  // namespace retromass::measurement

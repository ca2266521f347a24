#include "pipeline/outputs/outline.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>

namespace retromass::outputs {
namespace {

using Corner = std::array<int, 2>;
enum Direction { east, south, west, north };  // each is a right turn from the one before: rows grow downwards
constexpr int kAcross[] = {1, 0, -1, 0};
constexpr int kDown[] = {0, 1, 0, -1};

/// The edges between inside and outside, each walked with the inside on its right.
class Edges {
public:
    Edges(std::span<const std::uint8_t> inside, int columns, int rows) : columns_(columns), leaving_(static_cast<std::size_t>(columns + 1) * static_cast<std::size_t>(rows + 1))
    {
        const auto in = [&](int c, int r) { return c >= 0 && r >= 0 && c < columns && r < rows && inside[static_cast<std::size_t>(r) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(c)] != 0; };
        for (int r = 0; r < rows; ++r) {
            for (int c = 0; c < columns; ++c) {
                if (!in(c, r)) continue;
                if (!in(c, r - 1)) at({c, r}) |= 1U << east;
                if (!in(c + 1, r)) at({c + 1, r}) |= 1U << south;
                if (!in(c, r + 1)) at({c + 1, r + 1}) |= 1U << west;
                if (!in(c - 1, r)) at({c, r + 1}) |= 1U << north;
            }
        }
    }
    unsigned& at(Corner p) { return leaving_[static_cast<std::size_t>(p[1]) * static_cast<std::size_t>(columns_ + 1) + static_cast<std::size_t>(p[0])]; }

    /// Walks and uses up the loop of an edge. No loop passes twice through the first of its corners by rows.
    Loop walk(const Corner start, int direction)
    {
        Loop loop;
        auto here = start;
        bool turns = true;
        do {
            if (turns) loop.corners.push_back(here);
            at(here) &= ~(1U << direction);
            here = {here[0] + kAcross[direction], here[1] + kDown[direction]};
            const unsigned ways = at(here);
            const int left = (direction + 3) % 4;
            const int next = ways >> left & 1 ? left : ways >> direction & 1 ? direction : (direction + 1) % 4;  // left: on to the pixel that touches by its corner
            turns = next != direction;
            direction = next;
        } while (!(here == start));
        return loop;
    }

private:
    int columns_;
    std::vector<unsigned> leaving_;
};

/// Even-odd, for a point that lies on no edge.
bool contains(const Loop& loop, double x, double y)
{
    bool in = false;
    for (std::size_t i = 0, j = loop.corners.size() - 1; i < loop.corners.size(); j = i++) {
        const auto& a = loop.corners[i];
        const auto& b = loop.corners[j];
        if ((a[1] > y) != (b[1] > y) && x < a[0] + (y - a[1]) * (b[0] - a[0]) / static_cast<double>(b[1] - a[1])) in = !in;
    }
    return in;
}

}  // namespace

long doubled_area(const Loop& loop)
{
    long sum = 0;
    for (std::size_t i = 0, j = loop.corners.size() - 1; i < loop.corners.size(); j = i++) {
        sum += static_cast<long>(loop.corners[j][0]) * loop.corners[i][1] - static_cast<long>(loop.corners[i][0]) * loop.corners[j][1];
    }
    return sum;
}

std::vector<Loop> outlines_of(std::span<const std::uint8_t> inside, int columns, int rows)
{
    Edges edges(inside, columns, rows);
    std::vector<Loop> loops;
    for (int r = 0; r <= rows; ++r) {
        for (int c = 0; c <= columns; ++c) {
            while (edges.at({c, r}) != 0) {
                int first = 0;
                while (!(edges.at({c, r}) >> first & 1)) ++first;
                loops.push_back(edges.walk({c, r}, first));
                loops.back().hole = doubled_area(loops.back()) < 0;
            }
        }
    }
    return loops;
}

std::vector<Loop> keyholes_of(const std::vector<Loop>& loops)
{
    std::vector<Loop> outer;
    for (const auto& loop : loops) {
        if (!loop.hole) outer.push_back(loop);
    }
    const auto bare = outer;
    for (const auto& hole : loops) {
        if (!hole.hole) continue;
        // Found by rows, a hole is first met at its upper left corner: the pixel above it belongs to the region round it, whose loop is the
        // smallest that holds the pixel.
        const double x = hole.corners.front()[0] + 0.5;
        const double y = hole.corners.front()[1] - 0.5;
        std::size_t round = bare.size();
        for (std::size_t i = 0; i < bare.size(); ++i) {
            if (contains(bare[i], x, y) && (round == bare.size() || doubled_area(bare[i]) < doubled_area(bare[round]))) round = i;
        }
        if (round == bare.size()) continue;
        auto& corners = outer[round].corners;
        const auto start = hole.corners.front();
        const auto distance = [&](const Corner& p) { return std::abs(p[0] - start[0]) + std::abs(p[1] - start[1]); };
        const auto nearest = std::min_element(corners.begin(), corners.end(), [&](const Corner& a, const Corner& b) { return distance(a) < distance(b); });
        auto channel = hole.corners;
        channel.push_back(start);
        channel.push_back(*nearest);
        corners.insert(nearest + 1, channel.begin(), channel.end());
    }
    return outer;
}

}  // namespace retromass::outputs

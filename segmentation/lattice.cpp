#include "segmentation/lattice.h"

#include <algorithm>
#include <vector>

#include "core/parallel.h"

namespace retromass::segmentation {
namespace {

constexpr int kMostRounds = 25;          ///< of conjugate gradients
constexpr double kClose = 0.02;          ///< of the residual they start with: the next step mends the rest

void add(Four& to, float times, const Four& v)
{
    for (std::size_t c = 0; c < 4; ++c) to[c] += times * v[c];
}

/// Visits each second difference of the knots that lies wholly within: places and their weights.
template <class Visit>
void each_curvature(Dimensions n, Visit visit)
{
    const std::array<std::ptrdiff_t, 3> stride{1, n.columns, static_cast<std::ptrdiff_t>(n.plane())};
    const std::array<int, 3> count{n.columns, n.rows, n.slices};
    for (int k = 0; k < n.slices; ++k) {
        for (int j = 0; j < n.rows; ++j) {
            for (int i = 0; i < n.columns; ++i) {
                const std::array<int, 3> at{i, j, k};
                const auto middle = (static_cast<std::ptrdiff_t>(k) * n.rows + j) * n.columns + i;
                for (std::size_t a = 0; a < 3; ++a) {
                    if (at[a] > 0 && at[a] + 1 < count[a]) visit(std::array<std::ptrdiff_t, 4>{middle - stride[a], middle, middle + stride[a], middle}, std::array<float, 4>{1, -1, 1, -1}, 1.0F);
                    for (std::size_t b = a + 1; b < 3; ++b) {
                        if (at[a] + 1 < count[a] && at[b] + 1 < count[b]) {
                            visit(std::array<std::ptrdiff_t, 4>{middle, middle + stride[a], middle + stride[b], middle + stride[a] + stride[b]}, std::array<float, 4>{1, -1, -1, 1}, 2.0F);
                        }
                    }
                }
            }
        }
    }
}

double curved(const Grid<Four>& knots)
{
    double sum = 0;
    each_curvature(knots.size(), [&](const auto& at, const auto& weight, float times) {
        Four v{};
        for (std::size_t p = 0; p < 4; ++p) add(v, weight[p], knots[static_cast<std::size_t>(at[p])]);
        for (std::size_t c = 0; c < 3; ++c) sum += double{times} * v[c] * v[c];
    });
    return sum;
}

/// Half the slope of `curved`, `much` times, added.
void add_curvature(const Grid<Four>& knots, float much, Grid<Four>& out)
{
    each_curvature(knots.size(), [&](const auto& at, const auto& weight, float times) {
        Four v{};
        for (std::size_t p = 0; p < 4; ++p) add(v, weight[p], knots[static_cast<std::size_t>(at[p])]);
        for (std::size_t p = 0; p < 4; ++p) add(out[static_cast<std::size_t>(at[p])], much * times * weight[p], v);
    });
}

double product(const Grid<Four>& a, const Grid<Four>& b)
{
    double sum = 0;
    for (std::size_t i = 0; i < a.values().size(); ++i) {
        for (std::size_t c = 0; c < 3; ++c) sum += double{a[i][c]} * b[i][c];
    }
    return sum;
}

/// How much the four knots about a place say of it, by the place's phase between two of them.
class Weights {
public:
    /// For blocks of so many cells between knots `spacing` cells apart.
    Weights(int spacing, int block) : phases_(spacing / block)
    {
        for (int i = 0; i < phases_; ++i) {
            const double t = (block * i + 0.5 * (block - 1)) / spacing, s = 1 - t;
            const std::array<double, 4> w{s * s * s / 6, (3 * t * t * t - 6 * t * t + 4) / 6, (3 * s * s * s - 6 * s * s + 4) / 6, t * t * t / 6};
            auto& phase = weights_.emplace_back();
            for (std::size_t c = 0; c < 4; ++c) phase[c] = static_cast<float>(w[c]);
        }
    }
    Weights squared() const
    {
        auto out = *this;
        for (auto& phase : out.weights_) {
            for (auto& w : phase) w *= w;
        }
        return out;
    }
    int first_knot(int at) const { return at / phases_; }
    const std::array<float, 4>& operator[](int at) const { return weights_[static_cast<std::size_t>(at % phases_)]; }

private:
    int phases_;
    std::vector<std::array<float, 4>> weights_;
};

/// What the knots say at each place; added to `out`.
void spread(const Grid<Four>& knots, const Weights& weights, int threads, Grid<Four>& out)
{
    const auto m = knots.size(), n = out.size();
    parallel_for(n.slices, threads, [&](int k) {
        std::vector<Four> plane(m.plane()), row(static_cast<std::size_t>(m.columns));
        for (int z = 0; z < 4; ++z) {
            const auto* const from = knots.data() + knots.offset(0, 0, weights.first_knot(k) + z);
            for (std::size_t p = 0; p < plane.size(); ++p) add(plane[p], weights[k][static_cast<std::size_t>(z)], from[p]);
        }
        for (int j = 0; j < n.rows; ++j) {
            std::fill(row.begin(), row.end(), Four{});
            for (int y = 0; y < 4; ++y) {
                const auto* const from = plane.data() + static_cast<std::size_t>((weights.first_knot(j) + y) * m.columns);
                for (std::size_t p = 0; p < row.size(); ++p) add(row[p], weights[j][static_cast<std::size_t>(y)], from[p]);
            }
            auto* const to = out.data() + out.offset(0, j, k);
            for (int i = 0; i < n.columns; ++i) {
                const auto& w = weights[i];
                const auto* const from = row.data() + weights.first_knot(i);
                for (std::size_t x = 0; x < 4; ++x) add(to[i], w[x], from[x]);
            }
        }
    });
}

/// The other way round: to each knot what the places say of it.
Grid<Four> gathered(const Grid<Four>& places, const Weights& weights, Dimensions knots)
{
    const auto n = places.size();
    Grid<Four> out(knots);
    std::vector<Four> plane(knots.plane()), row(static_cast<std::size_t>(knots.columns));
    for (int k = 0; k < n.slices; ++k) {
        std::fill(plane.begin(), plane.end(), Four{});
        for (int j = 0; j < n.rows; ++j) {
            std::fill(row.begin(), row.end(), Four{});
            const auto* const from = places.data() + places.offset(0, j, k);
            for (int i = 0; i < n.columns; ++i) {
                const auto& w = weights[i];
                auto* const to = row.data() + weights.first_knot(i);
                for (std::size_t x = 0; x < 4; ++x) add(to[x], w[x], from[i]);
            }
            for (int y = 0; y < 4; ++y) {
                auto* const to = plane.data() + static_cast<std::size_t>((weights.first_knot(j) + y) * knots.columns);
                for (std::size_t p = 0; p < row.size(); ++p) add(to[p], weights[j][static_cast<std::size_t>(y)], row[p]);
            }
        }
        for (int z = 0; z < 4; ++z) {
            auto* const to = out.data() + out.offset(0, 0, weights.first_knot(k) + z);
            for (std::size_t p = 0; p < plane.size(); ++p) add(to[p], weights[k][static_cast<std::size_t>(z)], plane[p]);
        }
    }
    return out;
}

int knots_along(int cells, int spacing) { return (cells - 1) / spacing + 4; }

}  // namespace

Lattice::Lattice(Field beneath, int spacing, Hold hold)
    : beneath_(std::move(beneath)), spacing_(spacing), hold_(hold), knots_({knots_along(beneath_.size().columns, spacing), knots_along(beneath_.size().rows, spacing), knots_along(beneath_.size().slices, spacing)})
{
}

Field Lattice::field(int threads, Field memory) const
{
    memory = beneath_;
    spread(knots_, {spacing_, 1}, threads, memory);
    return memory;
}

bool Lattice::take_back_if_worse(const Pulls& pulls)
{
    const double cost = 2 * pulls.apart + (hold_.curving * curved(knots_) + hold_.straying * product(knots_, knots_)) / std::max(pulls.covered, 1.0);
    if (before_ && (pulls.covered < kStillCovered * before_->covered || cost > before_->cost)) {
        knots_ = before_->knots;
        return false;
    }
    before_ = Before{knots_, pulls.covered, cost};
    return true;
}

bool Lattice::improve(const Pulls& pulls)
{
    if (!take_back_if_worse(pulls)) return false;
    const auto n = pulls.seen.size();
    const Weights weights(spacing_, pulls.block);
    const auto m = knots_.size();
    const auto times = static_cast<float>(hold_.curving), own = static_cast<float>(hold_.straying);
    // (B' S B + times C + own) step = B' pull - (times C + own) knots, with B the splines, S what is seen and C the curving; by conjugate gradients.
    auto left = gathered(pulls.pull, weights, m);
    add_curvature(knots_, -times, left);
    for (std::size_t i = 0; i < left.values().size(); ++i) add(left[i], -own, knots_[i]);
    Grid<Four> alone(n);
    for (std::size_t at = 0; at < alone.values().size(); ++at) alone[at] = {pulls.seen[at][0], pulls.seen[at][3], pulls.seen[at][5], 0};
    auto below = gathered(alone, weights.squared(), m);
    constexpr float of_its_own = 3 * 6 + 3 * 8;   // 1 + 4 + 1 along each axis, and twice the four differences of two axes
    for (auto& v : below.values()) {
        for (std::size_t c = 0; c < 3; ++c) v[c] += times * of_its_own + own;
    }
    Knots step(m), conditioned(m);
    const auto condition = [&] {
        for (std::size_t i = 0; i < left.values().size(); ++i) {
            for (std::size_t c = 0; c < 3; ++c) conditioned[i][c] = left[i][c] / below[i][c];
        }
    };
    condition();
    auto direction = conditioned;
    double size = product(left, conditioned);
    if (size <= 0) return false;
    const double enough = kClose * kClose * size;
    for (int round = 0; round < kMostRounds && size > enough; ++round) {
        Grid<Four> moves(n);
        spread(direction, weights, 1, moves);
        for (std::size_t at = 0; at < moves.values().size(); ++at) {
            const auto& s = pulls.seen[at];
            const auto v = moves[at];
            moves[at] = {s[0] * v[0] + s[1] * v[1] + s[2] * v[2], s[1] * v[0] + s[3] * v[1] + s[4] * v[2], s[2] * v[0] + s[4] * v[1] + s[5] * v[2], 0};
        }
        auto image = gathered(moves, weights, m);
        add_curvature(direction, times, image);
        for (std::size_t i = 0; i < left.values().size(); ++i) add(image[i], own, direction[i]);
        const double along = product(direction, image);
        if (along <= 0) break;
        const auto by = static_cast<float>(size / along);
        for (std::size_t i = 0; i < step.values().size(); ++i) {
            add(step[i], by, direction[i]);
            add(left[i], -by, image[i]);
        }
        condition();
        const double next = product(left, conditioned);
        const auto keep = static_cast<float>(next / size);
        size = next;
        for (std::size_t i = 0; i < direction.values().size(); ++i) {
            for (std::size_t c = 0; c < 4; ++c) direction[i][c] = conditioned[i][c] + keep * direction[i][c];
        }
    }
    for (std::size_t i = 0; i < knots_.values().size(); ++i) add(knots_[i], 1, step[i]);
    return true;
}

}  // namespace retromass::segmentation

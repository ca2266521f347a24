#include "segmentation/deform.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/parallel.h"
#include "segmentation/bend.h"
#include "segmentation/lattice.h"

namespace retromass::segmentation {
namespace {

constexpr double kLocalSigma = 2.5;       ///< cells
constexpr float kLeastSpread = 0.03F;     ///< of tissue, about 15 HU of soft tissue: noise must not be blown up
constexpr float kSmall = 1e-4F;
constexpr std::array<double, 2> kStiffness{1, 0.3};  ///< of the bend, from the coarsest level on
constexpr int kBlock = 3;                ///< cells: what is found hardly differs from what single cells give, for half of the time
struct Level {
    int spacing;           ///< of the knots, cells: whole blocks
    Lattice::Hold hold;
};
constexpr std::array<Level, 3> kLevels{{{36, {0.15, 0.015}}, {18, {3, 0.3}}, {9, {6, 1.5}}}};   ///< of the lattices, from the widest on

std::vector<float> kernel_of(double sigma)
{
    const int radius = std::max(1, static_cast<int>(std::ceil(2.5 * sigma)));
    std::vector<float> out;
    float sum = 0;
    for (int t = -radius; t <= radius; ++t) out.push_back(static_cast<float>(std::exp(-0.5 * t * t / (sigma * sigma))));
    for (const float k : out) sum += k;
    for (float& k : out) k /= sum;
    return out;
}

/// `count` numbers at `out` from rows of as many, the edge rows repeated.
void blend_rows(float* out, const std::vector<const float*>& rows, const std::vector<float>& kernel, std::size_t count)
{
    for (std::size_t c = 0; c < count; ++c) out[c] = kernel[0] * rows[0][c];
    for (std::size_t t = 1; t < kernel.size(); ++t) {
        const float k = kernel[t];
        const float* const row = rows[t];
        for (std::size_t c = 0; c < count; ++c) out[c] += k * row[c];
    }
}

/// Gaussian along the three axes; the edge's values go on beyond it.
void smooth(Picture& picture, double sigma, int threads)
{
    const auto kernel = kernel_of(sigma);
    const int radius = static_cast<int>(kernel.size()) / 2;
    const auto n = picture.size();
    const auto row_count = 4 * static_cast<std::size_t>(n.columns);
    auto other = Picture(n);
    parallel_for(n.slices, threads, [&](int k) {
        std::vector<Four> line(static_cast<std::size_t>(n.columns + 2 * radius));
        auto across = Grid<Four>(Dimensions{n.columns, n.rows, 1});
        std::vector<const float*> rows(kernel.size());
        for (int j = 0; j < n.rows; ++j) {
            const auto* const from = picture.data() + picture.offset(0, j, k);
            for (int i = 0; i < n.columns + 2 * radius; ++i) line[static_cast<std::size_t>(i)] = from[std::clamp(i - radius, 0, n.columns - 1)];
            for (std::size_t t = 0; t < kernel.size(); ++t) rows[t] = line[t].data();
            blend_rows(across.at(0, j, 0).data(), rows, kernel, row_count);
        }
        for (int j = 0; j < n.rows; ++j) {
            for (int t = -radius; t <= radius; ++t) rows[static_cast<std::size_t>(t + radius)] = across.at(0, std::clamp(j + t, 0, n.rows - 1), 0).data();
            blend_rows(other.at(0, j, k).data(), rows, kernel, row_count);
        }
    });
    parallel_for(n.slices, threads, [&](int k) {
        std::vector<const float*> rows(kernel.size());
        for (int j = 0; j < n.rows; ++j) {
            for (int t = -radius; t <= radius; ++t) rows[static_cast<std::size_t>(t + radius)] = other.at(0, j, std::clamp(k + t, 0, n.slices - 1)).data();
            blend_rows(picture.at(0, j, k).data(), rows, kernel, row_count);
        }
    });
}

Four mixed(const Four& a, const Four& b, float part)
{
    Four out;
    for (std::size_t c = 0; c < 4; ++c) out[c] = a[c] + (b[c] - a[c]) * part;
    return out;
}

Four clamped_at(const Picture& picture, float i, float j, float k)
{
    const auto& n = picture.size();
    const auto cell = [](float at, int count, float& rest) {
        const float inside = std::clamp(at, 0.0F, static_cast<float>(count - 1));
        const int whole = std::min(static_cast<int>(inside), std::max(0, count - 2));
        rest = inside - static_cast<float>(whole);
        return whole;
    };
    float x, y, z;
    const int a = cell(i, n.columns, x), b = cell(j, n.rows, y), c = cell(k, n.slices, z);
    // Along an axis of one cell, as a few slices have on coarse levels, there is no next one.
    const std::size_t next = n.columns > 1 ? 1 : 0, row = n.rows > 1 ? static_cast<std::size_t>(n.columns) : 0, slice = n.slices > 1 ? n.plane() : 0;
    const auto* const v = picture.data() + picture.offset(a, b, c);
    const auto on_plane = [&](const Four* p) { return mixed(mixed(p[0], p[next], x), mixed(p[row], p[row + next], x), y); };
    return mixed(on_plane(v), on_plane(v + slice), z);
}

Picture picture_of(const Anatomy& anatomy, int threads)
{
    auto out = Picture(anatomy.tissue.size());
    for (std::size_t i = 0; i < out.values().size(); ++i) {
        const float t = anatomy.tissue[i], w = anatomy.weight[i];
        out[i] = {w * t, w * t * t, w, 0};
    }
    smooth(out, kLocalSigma, threads);
    for (std::size_t i = 0; i < out.values().size(); ++i) {
        const float w = std::max(out[i][2], kSmall);
        const float mean = out[i][0] / w;
        const float spread = std::sqrt(std::max(0.0F, out[i][1] / w - mean * mean) + kLeastSpread * kLeastSpread);
        out[i] = {anatomy.tissue[i], (anatomy.tissue[i] - mean) / spread, anatomy.weight[i], 0};
    }
    return out;
}

void warp(const Picture& moving, const Field& field, Picture& out, int threads)
{
    const auto& n = moving.size();
    parallel_for(n.slices, threads, [&](int k) {
        for (int j = 0; j < n.rows; ++j) {
            const auto row = moving.offset(0, j, k);
            for (int i = 0; i < n.columns; ++i) {
                const auto& u = field[row + static_cast<std::size_t>(i)];
                const float x = static_cast<float>(i) + u[0], y = static_cast<float>(j) + u[1], z = static_cast<float>(k) + u[2];
                auto& cell = out[row + static_cast<std::size_t>(i)];
                cell = clamped_at(moving, x, y, z);
                constexpr float slack = 0.5F;  // the edge cells stand for themselves
                if (z < -slack || z > static_cast<float>(n.slices - 1) + slack) cell[kWeight] = 0;
            }
        }
    });
}

/// Two pictures, and memory that steps share.
struct Pair {
    Picture still;
    Picture moving;
    Field field;      ///< as the shape that was settled last has it
    Picture warped;

    Pair(const Anatomy& fixed, const Anatomy& other, int threads) : still(picture_of(fixed, threads)), moving(picture_of(other, threads)), warped(still.size()) {}
};

/// Steps of `improve` towards what makes the pictures alike, until nothing is left to improve; the last one is judged, too. False where it was stopped.
template <class Shape, class Improve, class Goes>
bool settled(Shape& shape, Pair& pair, int most, int threads, Improve improve, Goes goes)
{
    bool on = true;
    for (int i = 0; i <= most; ++i) {
        on = goes(i);
        pair.field = shape.field(threads, std::move(pair.field));
        if (!on) break;
        warp(pair.moving, pair.field, pair.warped, threads);
        const auto pulls = pulls_of(pair.still, pair.warped, kBlock, threads);
        if (i < most ? improve(pulls) : shape.take_back_if_worse(pulls)) continue;
        pair.field = shape.field(threads, std::move(pair.field));
        break;
    }
    return on;
}

}  // namespace

Field deformation(const Anatomy& fixed, const Anatomy& moving, const DeformParameters& parameters)
{
    const int threads = parameters.threads;
    const auto steps = [](const auto& counts) { return std::accumulate(counts.begin(), counts.end(), 0.0); };
    const double all = steps(parameters.bends) + steps(parameters.lattices);
    double done = 0;
    const auto goes = [&](int step) { return goes_on(parameters.progress, "registering", (done + step) / all); };
    const auto fixed_half = halved(fixed), moving_half = halved(moving);
    Bend bend({1, 1, 1});
    for (std::size_t l = 0; l < parameters.bends.size(); ++l) {
        Pair pair = l == 0 ? Pair(halved(fixed_half), halved(moving_half), threads) : Pair(fixed_half, moving_half, threads);
        bend = bend.on(pair.still.size(), 2);
        if (!settled(bend, pair, parameters.bends[l], threads, [&](const Pulls& pulls) { return bend.improve(pulls, kStiffness[l]); }, goes)) return bend.field(threads);
        done += parameters.bends[l];
    }
    Pair pair(fixed, moving, threads);
    pair.field = bend.on(pair.still.size(), 2).field(threads);
    for (std::size_t l = 0; l < kLevels.size(); ++l) {
        const int most = parameters.lattices[l];
        Lattice lattice(pair.field, kLevels[l].spacing, kLevels[l].hold);
        if (!settled(lattice, pair, most, threads, [&](const Pulls& pulls) { return lattice.improve(pulls); }, goes)) break;
        done += most;
    }
    return std::move(pair.field);
}

Four displacement_at(const Field& field, double i, double j, double k) { return clamped_at(field, static_cast<float>(i), static_cast<float>(j), static_cast<float>(k)); }

}  // namespace retromass::segmentation

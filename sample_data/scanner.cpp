#include "sample_data/scanner.h"

#include <algorithm>
#include <cmath>

#include "sample_data/random.h"

namespace retromass::sample_data {
namespace {

constexpr float kNeighbour = 0.12F;  // of the next slice's noise in this one: their correlation is 0.23
constexpr float kSlow = 0.75F;       // part of the slow waves that the ramp filter takes out

/// (1 2 1)/4 along rows and columns with the given reach; edges repeat.
void smooth_plane(std::vector<float>& plane, std::vector<float>& scratch, int columns, int rows, int reach)
{
    scratch.resize(plane.size());
    for (int r = 0; r < rows; ++r) {
        const float* in = plane.data() + static_cast<std::ptrdiff_t>(r) * columns;
        float* out = scratch.data() + static_cast<std::ptrdiff_t>(r) * columns;
        for (int c = 0; c < std::min(reach, columns); ++c) out[c] = 0.25F * (in[std::max(0, c - reach)] + in[std::min(columns - 1, c + reach)]) + 0.5F * in[c];
        for (int c = reach; c < columns - reach; ++c) out[c] = 0.25F * (in[c - reach] + in[c + reach]) + 0.5F * in[c];
        for (int c = std::max(reach, columns - reach); c < columns; ++c) out[c] = 0.25F * (in[c - reach] + in[std::min(columns - 1, c + reach)]) + 0.5F * in[c];
    }
    for (int r = 0; r < rows; ++r) {
        const float* above = scratch.data() + static_cast<std::ptrdiff_t>(std::max(0, r - reach)) * columns;
        const float* at = scratch.data() + static_cast<std::ptrdiff_t>(r) * columns;
        const float* below = scratch.data() + static_cast<std::ptrdiff_t>(std::min(rows - 1, r + reach)) * columns;
        float* out = plane.data() + static_cast<std::ptrdiff_t>(r) * columns;
        for (int c = 0; c < columns; ++c) out[c] = 0.25F * (above[c] + below[c]) + 0.5F * at[c];
    }
}

void filter(std::vector<float>& plane, int columns, int rows)
{
    std::vector<float> scratch;
    smooth_plane(plane, scratch, columns, rows, 1);
    smooth_plane(plane, scratch, columns, rows, 1);
    auto slow = plane;
    smooth_plane(slow, scratch, columns, rows, 2);
    smooth_plane(slow, scratch, columns, rows, 3);
    for (std::size_t i = 0; i < plane.size(); ++i) plane[i] -= kSlow * slow[i];
}

/// What the filter leaves of white noise's standard deviation: the root of the sum of its squared weights.
float kept()
{
    constexpr int side = 41;
    std::vector<float> impulse(static_cast<std::size_t>(side) * side, 0.0F);
    impulse[impulse.size() / 2] = 1;
    filter(impulse, side, side);
    double sum = 0;
    for (const float w : impulse) sum += static_cast<double>(w) * static_cast<double>(w);
    return static_cast<float>(std::sqrt(sum));
}

}  // namespace

void blur(std::vector<float>& plane, int columns, int rows)
{
    std::vector<float> scratch;
    smooth_plane(plane, scratch, columns, rows, 1);
}

std::vector<float> noise(std::uint64_t seed, int slice, int columns, int rows)
{
    static const float scale = 1 / (kept() * std::sqrt(1 + 2 * kNeighbour * kNeighbour));
    std::vector<float> out(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows), 0.0F);
    for (int near = -1; near <= 1; ++near) {
        const auto level = mixed(seed ^ mixed(static_cast<std::uint64_t>(static_cast<std::int64_t>(slice + near))));
        const float part = scale * (near == 0 ? 1.0F : kNeighbour) * 2.4494897F / 65536.0F;  // the sum of two uniforms has variance 2/12
        for (std::size_t i = 0; i + 1 < out.size(); i += 2) {
            const auto h = mixed(level + i);
            out[i] += part * (static_cast<float>((h & 0xFFFF) + (h >> 16 & 0xFFFF)) - 65535.0F);
            out[i + 1] += part * (static_cast<float>((h >> 32 & 0xFFFF) + (h >> 48)) - 65535.0F);
        }
    }
    filter(out, columns, rows);
    return out;
}

}  // namespace retromass::sample_data

#include "segmentation/deform.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel.h"

namespace retromass::segmentation {
namespace {

// Channels of a picture.
constexpr std::size_t kTissue = 0;
constexpr std::size_t kLocal = 1;   ///< tissue less its local mean, over its local spread
constexpr std::size_t kWeight = 2;

constexpr double kLocalSigma = 2.5;       ///< cells
constexpr float kLeastSpread = 0.03F;     ///< of tissue, about 15 HU of soft tissue: noise must not be blown up
constexpr float kTissueImportance = 6;    ///< of a squared difference of tissue beside one of the local picture
constexpr float kLargest = 1;             ///< steps reach 1 / (2 sqrt of it) cells
constexpr float kSmall = 1e-4F;

using Picture = Grid<Four>;

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

Four between(const Four* v, const Dimensions& n, float x, float y, float z)
{
    const auto row = static_cast<std::size_t>(n.columns);
    const auto on_plane = [&](const Four* p) { return mixed(mixed(p[0], p[1], x), mixed(p[row], p[row + 1], x), y); };
    return mixed(on_plane(v), on_plane(v + n.plane()), z);
}

Four clamped_at(const Picture& picture, float i, float j, float k)
{
    const auto& n = picture.size();
    const auto cell = [](float at, int count, float& rest) {
        const float inside = std::clamp(at, 0.0F, static_cast<float>(count - 1));
        const int whole = std::min(static_cast<int>(inside), count - 2);
        rest = inside - static_cast<float>(whole);
        return whole;
    };
    float x, y, z;
    const int a = cell(i, n.columns, x), b = cell(j, n.rows, y), c = cell(k, n.slices, z);
    return between(picture.data() + picture.offset(a, b, c), n, x, y, z);
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

/// The step each cell would take by itself (Thirion's force with the mean of both gradients).
void forces(const Picture& fixed, const Picture& warped, Field& out, int threads)
{
    const auto& n = fixed.size();
    const auto strides = std::array<std::size_t, 3>{1, static_cast<std::size_t>(n.columns), n.plane()};
    parallel_for(n.slices, threads, [&](int k) {
        for (int j = 0; j < n.rows; ++j) {
            for (int i = 0; i < n.columns; ++i) {
                const auto at = fixed.offset(i, j, k);
                auto& step = out[at];
                step = {};
                const auto& f = fixed[at];
                const auto& m = warped[at];
                float weight = f[kWeight] * m[kWeight];
                if (weight <= 0) continue;
                const std::array<int, 3> place{i, j, k}, count{n.columns, n.rows, n.slices};
                Four slope_tissue{}, slope_local{};
                float squares = 0;
                for (std::size_t a = 0; a < 3; ++a) {
                    if (place[a] == 0 || place[a] == count[a] - 1) continue;
                    const auto before = at - strides[a], after = at + strides[a];
                    if (fixed[before][kWeight] * fixed[after][kWeight] * warped[before][kWeight] * warped[after][kWeight] <= 0) continue;
                    slope_tissue[a] = 0.25F * (fixed[after][kTissue] - fixed[before][kTissue] + warped[after][kTissue] - warped[before][kTissue]);
                    slope_local[a] = 0.25F * (fixed[after][kLocal] - fixed[before][kLocal] + warped[after][kLocal] - warped[before][kLocal]);
                    squares += kTissueImportance * slope_tissue[a] * slope_tissue[a] + slope_local[a] * slope_local[a];
                }
                const float tissue = f[kTissue] - m[kTissue], local = f[kLocal] - m[kLocal];
                const float below = squares + kLargest * (kTissueImportance * tissue * tissue + local * local);
                if (below < kSmall) continue;
                weight /= below;
                for (std::size_t a = 0; a < 3; ++a) step[a] = weight * (kTissueImportance * tissue * slope_tissue[a] + local * slope_local[a]);
            }
        }
    });
}

/// First the step, then the field.
void compose(Field& field, const Field& step, Field& spare, int threads)
{
    const auto& n = field.size();
    parallel_for(n.slices, threads, [&](int k) {
        for (int j = 0; j < n.rows; ++j) {
            for (int i = 0; i < n.columns; ++i) {
                const auto at = field.offset(i, j, k);
                const auto& s = step[at];
                auto u = clamped_at(field, static_cast<float>(i) + s[0], static_cast<float>(j) + s[1], static_cast<float>(k) + s[2]);
                for (std::size_t a = 0; a < 3; ++a) u[a] += s[a];
                spare[at] = u;
            }
        }
    });
    std::swap(field, spare);
}

Field finer(const Field& coarse, Dimensions size)
{
    auto out = Field(size);
    for (int k = 0; k < size.slices; ++k) {
        for (int j = 0; j < size.rows; ++j) {
            for (int i = 0; i < size.columns; ++i) {
                const auto at = [](int fine) { return 0.5F * static_cast<float>(fine) - 0.25F; };
                auto u = clamped_at(coarse, at(i), at(j), at(k));
                for (auto& v : u) v *= 2;
                out.at(i, j, k) = u;
            }
        }
    }
    return out;
}

}  // namespace

Field deformation(const Anatomy& fixed, const Anatomy& moving, const DeformParameters& parameters)
{
    std::array<Anatomy, 3> fixed_levels{{}}, moving_levels{{}};
    fixed_levels[2] = fixed, moving_levels[2] = moving;
    for (int level = 1; level >= 0; --level) {
        const auto l = static_cast<std::size_t>(level);
        fixed_levels[l] = halved(fixed_levels[l + 1]);
        moving_levels[l] = halved(moving_levels[l + 1]);
    }
    Field field;
    for (std::size_t l = 0; l < 3; ++l) {
        const auto size = fixed_levels[l].tissue.size();
        field = l == 0 ? Field(size, Four{}) : finer(field, size);
        const auto still = picture_of(fixed_levels[l], parameters.threads);
        const auto moved = picture_of(moving_levels[l], parameters.threads);
        auto warped = Picture(size);
        auto step = Field(size);
        auto spare = Field(size);
        for (int i = 0; i < parameters.iterations[l]; ++i) {
            if (!goes_on(parameters.progress, "registering", (static_cast<double>(l) + static_cast<double>(i) / parameters.iterations[l]) / 3)) return field;
            warp(moved, field, warped, parameters.threads);
            forces(still, warped, step, parameters.threads);
            smooth(step, parameters.step_smoothing, parameters.threads);
            compose(field, step, spare, parameters.threads);
            smooth(field, parameters.field_smoothing, parameters.threads);
        }
    }
    return field;
}

Four displacement_at(const Field& field, double i, double j, double k) { return clamped_at(field, static_cast<float>(i), static_cast<float>(j), static_cast<float>(k)); }

}  // namespace retromass::segmentation

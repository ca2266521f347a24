#include "segmentation/filters.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/parallel.h"
#include "segmentation/nonzero.h"

namespace retromass::segmentation {
namespace {

std::vector<float> kernel_of(double sigma_cells)
{
    const int radius = std::max(1, static_cast<int>(std::ceil(3 * sigma_cells)));
    std::vector<float> kernel;
    for (int t = -radius; t <= radius; ++t) kernel.push_back(static_cast<float>(std::exp(-0.5 * t * t / (sigma_cells * sigma_cells))));
    return kernel;
}

// Lines convolved side by side: the sums of one line never mix with another's, so that vectors change no bit.
constexpr std::size_t kLanes = 8;
using Four = float __attribute__((vector_size(16)));

/// Lines of values: line i begins at `base + i * next`, its values lie `stride` apart.
struct Lines {
    std::size_t base;
    std::size_t count;
    std::size_t next;
    int length;
    std::size_t stride;
};

/// Which places are wanted in any of some lines side by side; says whether there are any.
bool note_wanted(const Mask& wanted, const Lines& lines, std::size_t first, std::size_t count, std::vector<std::uint8_t>& any)
{
    const auto length = static_cast<std::size_t>(lines.length);
    std::fill(any.begin(), any.end(), std::uint8_t{0});
    auto* const out = any.data();
    if (lines.next == 1 && count == kLanes) {
        for (std::size_t t = 0; t < length; ++t) {
            std::uint64_t word = 0;
            static_assert(sizeof word == kLanes);
            std::memcpy(&word, wanted.data() + lines.base + first + t * lines.stride, sizeof word);
            out[t] = word != 0;
        }
    } else {
        for (std::size_t lane = 0; lane < count; ++lane) {
            const auto* const line = wanted.data() + lines.base + (first + lane) * lines.next;
            if (lines.stride == 1) {
                for (std::size_t t = 0; t < length; ++t) out[t] |= line[t];
            } else {
                for (std::size_t t = 0; t < length; ++t) out[t] |= line[t * lines.stride];
            }
        }
    }
    return first_nonzero(out, 0, lines.length) < lines.length;
}

/// Convolves lines; what lies beyond their ends counts nothing. With `wanted`, values where it is 0 may be left as they are.
void along(Grid<float>& values, const Lines& lines, const std::vector<float>& kernel, const Mask* wanted = nullptr)
{
    const int length = lines.length;
    const int radius = static_cast<int>(kernel.size()) / 2;
    std::vector<float> in(static_cast<std::size_t>(length) * kLanes);
    std::vector<std::uint8_t> any(static_cast<std::size_t>(length), 1);
    for (std::size_t first = 0; first < lines.count; first += kLanes) {
        const auto count = std::min(kLanes, lines.count - first);
        const auto at = [&](std::size_t lane, int t) { return lines.base + (first + lane) * lines.next + static_cast<std::size_t>(t) * lines.stride; };
        if (wanted && !note_wanted(*wanted, lines, first, count, any)) continue;
        for (int t = 0, read = 0; t < length; ++t) {
            if (!any[static_cast<std::size_t>(t)]) continue;
            Four low{};
            Four high{};
            float weight = 0;
            const int from = std::max(0, t - radius);
            const int to = std::min(length - 1, t + radius);
            for (int q = std::max(read, from); q <= to; ++q) {  // before any of them is written: what is written lies before what is read
                for (std::size_t lane = 0; lane < count; ++lane) in[static_cast<std::size_t>(q) * kLanes + lane] = values[at(lane, q)];
            }
            read = to + 1;
            for (int q = from; q <= to; ++q) {
                const float w = kernel[static_cast<std::size_t>(q - t + radius)];
                Four a;
                Four b;
                std::memcpy(&a, &in[static_cast<std::size_t>(q) * kLanes], sizeof a);
                std::memcpy(&b, &in[static_cast<std::size_t>(q) * kLanes + 4], sizeof b);
                low += w * a;
                high += w * b;
                weight += w;
            }
            for (std::size_t lane = 0; lane < count; ++lane) values[at(lane, t)] = (lane < 4 ? low[lane] : high[lane - 4]) / weight;
        }
    }
}

/// The kernel along an axis; empty where the Gaussian is too narrow to change anything on this grid.
std::vector<float> kernel_along(double sigma_cells)
{
    constexpr double least_cells = 0.3;
    return sigma_cells > least_cells ? kernel_of(sigma_cells) : std::vector<float>();
}

/// The three passes, along columns, rows and slices.
void three_passes(Grid<float>& values, const std::array<const std::vector<float>*, 3>& kernels, const std::array<const Mask*, 3>& wanted, int threads)
{
    const auto n = values.size();
    const auto columns = static_cast<std::size_t>(n.columns);
    const auto rows = static_cast<std::size_t>(n.rows);
    if (!kernels[0]->empty()) parallel_for(n.slices, threads, [&](int k) { along(values, {values.offset(0, 0, k), rows, columns, n.columns, 1}, *kernels[0], wanted[0]); });
    if (!kernels[1]->empty()) parallel_for(n.slices, threads, [&](int k) { along(values, {values.offset(0, 0, k), columns, 1, n.rows, columns}, *kernels[1], wanted[1]); });
    if (!kernels[2]->empty()) parallel_for(n.rows, threads, [&](int r) { along(values, {values.offset(0, r, 0), columns, 1, n.slices, n.plane()}, *kernels[2], wanted[2]); });
}

/// What lies within `radius` voxels of the mask along one axis: rows or slices.
void spread(const Mask& mask, int axis, int radius, int threads, Mask& out)
{
    const auto n = mask.size();
    const bool slices = axis == 2;
    const int length = slices ? n.slices : n.rows;
    const std::size_t stride = slices ? n.plane() : static_cast<std::size_t>(n.columns);
    if (radius > 254) {
        std::fill(out.values().begin(), out.values().end(), std::uint8_t{1});
        return;
    }
    parallel_for(slices ? n.rows : n.slices, threads, [&](int sheet) {  // a row of lines that begin next to each other
        const std::size_t base = slices ? mask.offset(0, sheet, 0) : mask.offset(0, 0, sheet);
        const auto lines = static_cast<std::size_t>(n.columns);
        const auto most = static_cast<std::uint8_t>(radius);  // in bytes, sixteen lines go side by side
        std::vector<std::uint8_t> since_line(lines, static_cast<std::uint8_t>(most + 1));
        auto* const since = since_line.data();
        const auto step = [&](const std::uint8_t* from, std::size_t i) { return since[i] = from[i] ? 0 : static_cast<std::uint8_t>(std::min(since[i], most) + 1); };
        for (int t = 0; t < length; ++t) {
            const std::size_t at = base + static_cast<std::size_t>(t) * stride;
            const auto* const from = mask.data() + at;
            auto* const to = out.data() + at;
            for (std::size_t i = 0; i < lines; ++i) to[i] = static_cast<std::uint8_t>(step(from, i) <= most);
        }
        std::fill_n(since, lines, static_cast<std::uint8_t>(most + 1));
        for (int t = length - 1; t >= 0; --t) {
            const std::size_t at = base + static_cast<std::size_t>(t) * stride;
            const auto* const from = mask.data() + at;
            auto* const to = out.data() + at;
            for (std::size_t i = 0; i < lines; ++i) to[i] |= static_cast<std::uint8_t>(step(from, i) <= most);
        }
    });
}

}  // namespace

Grid<float> gaussian(const Grid<float>& in, std::array<double, 3> spacing_mm, double sigma_mm, int threads)
{
    std::array<std::vector<float>, 3> kernels;
    for (std::size_t a = 0; a < 3; ++a) kernels[a] = kernel_along(sigma_mm / spacing_mm[a]);
    Grid<float> out = in;
    three_passes(out, {&kernels[0], &kernels[1], &kernels[2]}, {}, threads);
    return out;
}

GaussianWhere::GaussianWhere(Dimensions size, std::array<double, 3> spacing_mm, double sigma_mm, int threads) : across_(size), along_(size), threads_(threads)
{
    for (std::size_t a = 0; a < 3; ++a) kernels_[a] = kernel_along(sigma_mm / spacing_mm[a]);
}

void GaussianWhere::apply(std::initializer_list<Grid<float>*> values, const Mask& wanted)
{
    want(wanted);
    for (auto* const of : values) passes(*of, wanted);
}

void GaussianWhere::apply(Grid<float>& values, const Mask& wanted, const std::function<void(int, int, int, int, float*)>& read)
{
    want(wanted);
    const auto n = values.size();
    const int radius = static_cast<int>(kernels_[0].size()) / 2;
    parallel_for(n.slices, threads_, [&](int k) {
        for (int r = 0; r < n.rows; ++r) {
            const auto* const row = along_.data() + along_.offset(0, r, k);
            int done = 0;  // columns that have been read, or need not be
            for (int c = first_nonzero(row, 0, n.columns); c < n.columns; c = first_nonzero(row, c, n.columns)) {
                const int first = std::max(done, c - radius);
                while (c < n.columns && row[c]) ++c;
                done = std::min(c + radius, n.columns);
                if (first < done) read(r, k, first, done - 1, values.data() + values.offset(first, r, k));
            }
        }
    });
    passes(values, wanted);
}

void GaussianWhere::want(const Mask& wanted)
{
    spread(wanted, 2, static_cast<int>(kernels_[2].size()) / 2, threads_, across_);  // a pass has to give what the one after it reads
    spread(across_, 1, static_cast<int>(kernels_[1].size()) / 2, threads_, along_);
}

void GaussianWhere::passes(Grid<float>& values, const Mask& wanted) const
{
    three_passes(values, {&kernels_[0], &kernels_[1], &kernels_[2]}, {&along_, &across_, &wanted}, threads_);
}

std::array<int, 3> GaussianWhere::reach(std::array<double, 3> spacing_mm, double sigma_mm)
{
    std::array<int, 3> out{};
    for (std::size_t a = 0; a < 3; ++a) out[a] = static_cast<int>(kernel_along(sigma_mm / spacing_mm[a]).size()) / 2;
    return out;
}

Geodesic geodesic(const Grid<float>& smooth_hu, const Mask& seeds, std::array<double, 3> spacing_mm, int threads)
{
    constexpr float kMmPerHu = 1.5F;
    constexpr int kPasses = 2;  // forward and backward, twice
    const auto n = smooth_hu.size();
    Geodesic out{Grid<float>(n, std::numeric_limits<float>::max() / 4), Grid<float>(n, std::numeric_limits<float>::max() / 4)};
    for (std::size_t i = 0; i < seeds.values().size(); ++i) {
        if (seeds[i]) out.cost[i] = out.length[i] = 0;
    }
    struct Step {
        int dc, dr, dk;
        float mm;
        std::ptrdiff_t offset;
    };
    std::vector<Step> before;  // the 13 neighbours a forward raster sweep has already seen
    for (int dk = -1; dk <= 0; ++dk) {
        for (int dr = -1; dr <= 1; ++dr) {
            for (int dc = -1; dc <= 1; ++dc) {
                if (dk == 0 && (dr > 0 || (dr == 0 && dc >= 0))) continue;
                const double mm = std::sqrt(dc * dc * spacing_mm[0] * spacing_mm[0] + dr * dr * spacing_mm[1] * spacing_mm[1] + dk * dk * spacing_mm[2] * spacing_mm[2]);
                before.push_back({dc, dr, dk, static_cast<float>(mm),
                                  dc + static_cast<std::ptrdiff_t>(dr) * n.columns + static_cast<std::ptrdiff_t>(dk) * static_cast<std::ptrdiff_t>(n.plane())});
            }
        }
    }
    const auto sweep = [&](Grid<float>& least, int sign, auto&& reached) {
        for (int kk = 0; kk < n.slices; ++kk) {
            const int k = sign > 0 ? kk : n.slices - 1 - kk;
            for (int rr = 0; rr < n.rows; ++rr) {
                const int r = sign > 0 ? rr : n.rows - 1 - rr;
                const bool inner_row = k > 0 && k + 1 < n.slices && r > 0 && r + 1 < n.rows;
                for (int cc = 0; cc < n.columns; ++cc) {
                    const int c = sign > 0 ? cc : n.columns - 1 - cc;
                    const bool inner = inner_row && c > 0 && c + 1 < n.columns;   // all neighbours are there
                    const auto i = static_cast<std::ptrdiff_t>(smooth_hu.offset(c, r, k));
                    const auto here = static_cast<std::size_t>(i);
                    float best = least[here];
                    for (const auto& s : before) {
                        if (!inner && !n.contains(c + sign * s.dc, r + sign * s.dr, k + sign * s.dk)) continue;
                        best = std::min(best, reached(here, static_cast<std::size_t>(i + sign * s.offset), s.mm));
                    }
                    least[here] = best;
                }
            }
        }
    };
    const auto sweeps = [&](Grid<float>& least, auto&& reached) {
        for (int pass = 0; pass < kPasses; ++pass) {
            sweep(least, 1, reached);
            sweep(least, -1, reached);
        }
    };
    parallel_for(2, threads, [&](int which) {  // neither asks for the other
        if (which == 0) sweeps(out.cost, [&](std::size_t here, std::size_t from, float mm) { return out.cost[from] + mm + kMmPerHu * std::abs(smooth_hu[here] - smooth_hu[from]); });
        else sweeps(out.length, [&](std::size_t, std::size_t from, float mm) { return out.length[from] + mm; });
    });
    return out;
}

Grid<float> random_walker(const Grid<float>& smooth_hu, const Grid<float>& prior, const Mask& active, std::array<double, 3> spacing_mm, double confidence, int threads)
{
    constexpr double kContrast_hu = 12;   // HU step over which a link weakens
    constexpr double kLeastLink = 1e-3;
    constexpr int kIterations = 40;
    constexpr double kResidual = 1e-6;
    const auto n = smooth_hu.size();
    const double least = std::min({spacing_mm[0], spacing_mm[1], spacing_mm[2]});
    const std::size_t strides[3] = {1, static_cast<std::size_t>(n.columns), n.plane()};
    const int limits[3] = {n.columns, n.rows, n.slices};
    std::array<Grid<float>, 3> links{Grid<float>(n), Grid<float>(n), Grid<float>(n)};  // to the next cell along each axis
    Grid<float> diagonal(n, static_cast<float>(confidence));
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            for (int c = 0; c < n.columns; ++c) {
                const auto i = smooth_hu.offset(c, r, k);
                if (!active[i]) continue;
                const int at[3] = {c, r, k};
                for (std::size_t a = 0; a < 3; ++a) {
                    if (at[a] + 1 >= limits[a] || !active[i + strides[a]]) continue;
                    const double step = smooth_hu[i] - smooth_hu[i + strides[a]];
                    const double geometric = least / spacing_mm[a];
                    const auto w = static_cast<float>(geometric * geometric * (std::exp(-step * step / (2 * kContrast_hu * kContrast_hu)) + kLeastLink));
                    links[a][i] = w;
                    diagonal[i] += w;
                    diagonal[i + strides[a]] += w;
                }
            }
        }
    }
    // Partial sums by slice, added in order: the same for any number of threads.
    std::vector<double> sums(static_cast<std::size_t>(n.slices), 0);
    const auto each_slice = [&](auto&& of_slice) {
        parallel_for(n.slices, threads, [&](int k) { sums[static_cast<std::size_t>(k)] = of_slice(k, n.plane() * static_cast<std::size_t>(k), n.plane() * static_cast<std::size_t>(k + 1)); });
        double total = 0;
        for (const double s : sums) total += s;
        return total;
    };
    const auto inner = [](const Grid<float>& a, const Grid<float>& b, std::size_t begin, std::size_t end) {
        double s = 0;
        for (std::size_t i = begin; i < end; ++i) s += static_cast<double>(a[i]) * b[i];
        return s;
    };
    const auto multiply = [&](const Grid<float>& x, Grid<float>& y, int k) {
        for (int r = 0; r < n.rows; ++r) {
            for (int c = 0; c < n.columns; ++c) {
                const auto i = x.offset(c, r, k);
                if (!active[i]) continue;
                float s = diagonal[i] * x[i];
                const int at[3] = {c, r, k};
                for (std::size_t a = 0; a < 3; ++a) {
                    if (at[a] + 1 < limits[a]) s -= links[a][i] * x[i + strides[a]];
                    if (at[a] > 0) s -= links[a][i - strides[a]] * x[i - strides[a]];
                }
                y[i] = s;
            }
        }
    };
    Grid<float> p(n);
    Grid<float> residual(n);
    Grid<float> direction(n);
    Grid<float> scaled(n);
    Grid<float> product(n);
    for (std::size_t i = 0; i < p.values().size(); ++i) p[i] = active[i] ? prior[i] : 0;
    double rz = each_slice([&](int k, std::size_t begin, std::size_t end) {
        multiply(p, product, k);
        for (std::size_t i = begin; i < end; ++i) {
            if (!active[i]) continue;
            residual[i] = static_cast<float>(confidence) * prior[i] - product[i];
            scaled[i] = residual[i] / diagonal[i];
            direction[i] = scaled[i];
        }
        return inner(residual, scaled, begin, end);
    });
    const double start = rz;
    for (int it = 0; it < kIterations && rz > kResidual * kResidual * start && rz > 0; ++it) {
        const double curvature = each_slice([&](int k, std::size_t begin, std::size_t end) {
            multiply(direction, product, k);
            return inner(direction, product, begin, end);
        });
        const auto alpha = static_cast<float>(rz / curvature);
        const double next = each_slice([&](int, std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) {
                p[i] += alpha * direction[i];
                residual[i] -= alpha * product[i];
                scaled[i] = residual[i] / diagonal[i];
            }
            return inner(residual, scaled, begin, end);
        });
        const auto beta = static_cast<float>(next / rz);
        each_slice([&](int, std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) direction[i] = scaled[i] + beta * direction[i];
            return 0.0;
        });
        rz = next;
    }
    return p;
}

}  // namespace retromass::segmentation

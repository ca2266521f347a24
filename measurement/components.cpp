#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <list>
#include <span>

#include "core/parallel.h"
#include "measurement/density.h"

// The smoothing runs over every voxel of a giant mass, so wide registers pay. Each value is summed in the same order in every variant, and
// this file is built without fusing products into sums (CMakeLists.txt): every machine computes the same bits.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define RETROMASS_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define RETROMASS_WIDE
#endif

namespace retromass::measurement {
namespace {

constexpr double kReach_sigma = 4;     ///< the Gaussian is cut where it has fallen to 3e-4
constexpr double kRounding_hu = 1e-3;  ///< a smoothed value this near below a limit has reached it: what single precision may lose

/// What a weighted sum takes: a row of values and its factor.
struct Term {
    const float* values;
    float factor;
};

/// sums[i] = sum over the terms, in their order, of factor x values[i]; rows may be read up to kBlock values behind `count`.
constexpr std::size_t kBlock = 64;
RETROMASS_WIDE void weighted_sum(float* sums, std::span<const Term> terms, std::size_t count)
{
    using Lanes = float __attribute__((vector_size(kBlock * sizeof(float) / 4)));
    constexpr std::size_t lanes = kBlock / 4;
    for (std::size_t i = 0; i < count; i += kBlock) {
        Lanes a{}, b{}, c{}, d{};
        for (const auto& term : terms) {
            Lanes v;
            std::memcpy(&v, term.values + i, sizeof v);
            a += v * term.factor;
            std::memcpy(&v, term.values + i + lanes, sizeof v);
            b += v * term.factor;
            std::memcpy(&v, term.values + i + 2 * lanes, sizeof v);
            c += v * term.factor;
            std::memcpy(&v, term.values + i + 3 * lanes, sizeof v);
            d += v * term.factor;
        }
        std::memcpy(sums + i, &a, sizeof a);
        std::memcpy(sums + i + lanes, &b, sizeof b);
        std::memcpy(sums + i + 2 * lanes, &c, sizeof c);
        std::memcpy(sums + i + 3 * lanes, &d, sizeof d);
    }
}

/// Two weighted sums of the same rows at once, each with factors of its own: what is read once serves both.
struct TwinTerm {
    const float* values;
    std::array<float, 2> factors;
};
RETROMASS_WIDE void twin_weighted_sums(float* first, float* second, std::span<const TwinTerm> terms, std::size_t count)
{
    using Lanes = float __attribute__((vector_size(kBlock * sizeof(float) / 4)));
    constexpr std::size_t lanes = kBlock / 4;
    for (std::size_t i = 0; i < count; i += 2 * lanes) {
        Lanes a{}, b{}, c{}, d{};
        for (const auto& term : terms) {
            Lanes v;
            std::memcpy(&v, term.values + i, sizeof v);
            a += v * term.factors[0];
            c += v * term.factors[1];
            std::memcpy(&v, term.values + i + lanes, sizeof v);
            b += v * term.factors[0];
            d += v * term.factors[1];
        }
        std::memcpy(first + i, &a, sizeof a);
        std::memcpy(first + i + lanes, &b, sizeof b);
        std::memcpy(second + i, &c, sizeof c);
        std::memcpy(second + i + lanes, &d, sizeof d);
    }
}

/// Splits HU into value and weight; padding has neither.
RETROMASS_WIDE void split(const std::int16_t* hu, float* value, float* weight, std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i) {
        const bool measured = hu[i] != kPaddingHu;
        value[i] = measured ? static_cast<float>(hu[i]) : 0.F;
        weight[i] = measured ? 1.F : 0.F;
    }
}

/// Taps of a Gaussian at distances 0, spacing, 2 spacing, ... up to its reach.
std::vector<float> taps_of(double sigma_mm, double spacing_mm)
{
    std::vector<float> taps;
    for (int i = 0; i == 0 || (sigma_mm > 0 && i * spacing_mm <= kReach_sigma * sigma_mm); ++i) {
        const double d = i == 0 ? 0 : i * spacing_mm / sigma_mm;
        taps.push_back(static_cast<float>(std::exp(-d * d / 2)));
    }
    return taps;
}

using Row = std::vector<float>;

/// Columns of the box, from `first` to `last`; empty where last < first.
struct Extent {
    int first = std::numeric_limits<int>::max();
    int last = -1;

    bool empty() const { return last < first; }
    std::size_t count() const { return static_cast<std::size_t>(last - first + 1); }
    void include(Extent other)
    {
        first = std::min(first, other.first);
        last = std::max(last, other.last);
    }
};

Extent extent_of(BitRow bits)
{
    Extent extent;
    for_each_stretch(bits, [&](int from, int to) { extent.include({from - 1, to - 1}); });
    return extent;
}

/// Rows of the box with room for whole blocks behind each.
class Plane {
public:
    Plane(int columns, int rows) : stride_(static_cast<std::size_t>(columns) + 2 * kBlock), values_(stride_ * static_cast<std::size_t>(rows), 0.F) {}
    float* row(int r) { return values_.data() + stride_ * static_cast<std::size_t>(r); }
    const float* row(int r) const { return values_.data() + stride_ * static_cast<std::size_t>(r); }
    void clear_row(int r) { std::fill_n(row(r), stride_, 0.F); }

private:
    std::size_t stride_;
    Row values_;
};

/// What is smoothed: the HU of the voxels inside the mask, and their number (1 or 0). Their ratio is the mean inside the mask alone.
enum Field : std::size_t { kValue, kWeight, kFields };

/// One slice, smoothed within its plane.
using SmoothedSlice = std::vector<Plane>;  // by field

/// Smooths slices within their plane, one after the other.
class PlaneSmoother {
public:
    PlaneSmoother(int columns, int rows, const std::vector<float>& across, const std::vector<float>& down)
        : columns_(columns), rows_(rows), across_(across), down_(down), across_planes_(kFields, Plane(columns, rows)),
          raw_(kFields, Row(static_cast<std::size_t>(columns) + 2 * across.size() + 2 * kBlock))
    {
    }

    /// Fills `out` at the wanted columns of each row; what lies beside them is left as it was.
    void smooth(SmoothedSlice& out, const PackedMask& mask, const Grid<std::int16_t>& hu, int slice, const std::vector<Extent>& wanted)
    {
        std::vector<bool> any(static_cast<std::size_t>(rows_));
        for (int r = 0; r < rows_; ++r) {
            const auto inside = extent_of(mask.row(mask.low().row + r, slice));
            any[static_cast<std::size_t>(r)] = !inside.empty();
            if (!inside.empty()) smooth_across(mask, hu, slice, r, inside);
        }
        const int reach = static_cast<int>(down_.size()) - 1;
        std::vector<Term> terms;
        for (const auto field : {kValue, kWeight}) {  // one after the other: the rows of one kernel stay in the nearest cache
            for (int r = 0; r < rows_; ++r) {
                const Extent columns = wanted[static_cast<std::size_t>(r)];
                if (columns.empty()) continue;
                terms.clear();
                for (int other = std::max(0, r - reach); other <= std::min(rows_ - 1, r + reach); ++other) {
                    if (any[static_cast<std::size_t>(other)]) terms.push_back({across_planes_[field].row(other) + columns.first, down_[static_cast<std::size_t>(std::abs(other - r))]});
                }
                weighted_sum(out[field].row(r) + columns.first, terms, columns.count());
            }
        }
    }

private:
    void smooth_across(const PackedMask& mask, const Grid<std::int16_t>& hu, int slice, int r, Extent inside)
    {
        const int reach = static_cast<int>(across_.size()) - 1;
        const int grid_row = mask.low().row + r;
        for (auto& row : raw_) std::fill(row.begin(), row.end(), 0.F);
        for_each_stretch(mask.row(grid_row, slice), [&](int from, int to) {
            const auto* const source = hu.data() + hu.offset(mask.column_of(from), grid_row, slice);
            const auto at = static_cast<std::size_t>(reach + from - 1);
            split(source, raw_[kValue].data() + at, raw_[kWeight].data() + at, static_cast<std::size_t>(to - from + 1));
        });
        const Extent reached{std::max(0, inside.first - reach), std::min(columns_ - 1, inside.last + reach)};
        for (const auto field : {kValue, kWeight}) {
            std::vector<Term> terms;
            for (int d = -reach; d <= reach; ++d) terms.push_back({raw_[field].data() + reach + reached.first + d, across_[static_cast<std::size_t>(std::abs(d))]});
            across_planes_[field].clear_row(r);
            weighted_sum(across_planes_[field].row(r) + reached.first, terms, reached.count());
        }
    }

    int columns_;
    int rows_;
    const std::vector<float>& across_;
    const std::vector<float>& down_;
    std::vector<Plane> across_planes_;  ///< by field
    std::vector<Row> raw_;
};

/// Voxels of a stretch that were measured, and those of them that reach each limit. Compared without dividing: weights are positive there.
struct Reached {
    std::uint32_t measured = 0;
    std::array<std::uint32_t, 4> limit{};
};

RETROMASS_WIDE Reached count_reached(const float* value, const float* weight, const std::int16_t* hu, const std::array<float, 4>& limits_hu, std::size_t count)
{
    std::uint32_t measured = 0, a = 0, b = 0, c = 0, d = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t is = hu[i] != kPaddingHu ? 1 : 0;
        measured += is;
        a += value[i] >= limits_hu[0] * weight[i] ? is : 0;
        b += value[i] >= limits_hu[1] * weight[i] ? is : 0;
        c += value[i] >= limits_hu[2] * weight[i] ? is : 0;
        d += value[i] >= limits_hu[3] * weight[i] ? is : 0;
    }
    return {measured, {a, b, c, d}};
}

/// Voxels by class: gas, fat, low attenuation, solid, dense, padding.
using Counts = std::array<std::size_t, 6>;

void add_stretch(Counts& counts, const Reached& reached, std::size_t voxels)
{
    std::uint32_t lower = reached.measured;
    for (std::size_t i = 0; i < reached.limit.size(); ++i) {
        counts[i] += lower - reached.limit[i];
        lower = reached.limit[i];
    }
    counts[4] += lower;
    counts[5] += voxels - reached.measured;
}

}  // namespace

Components components_of(const PackedMask& mask, const VolumeGeometry& geometry, const Grid<std::int16_t>& hu, const MeasureParameters& parameters)
{
    const Index low = mask.low();
    const Index high = mask.high();
    const int slices = high.slice - low.slice + 1;
    const int rows = high.row - low.row + 1;
    const int columns = high.column - low.column + 1;
    const double sigma_mm = parameters.component_smoothing_mm;
    const auto across = taps_of(sigma_mm, geometry.column_spacing_mm());
    const auto down = taps_of(sigma_mm, geometry.row_spacing_mm());
    // Slices may lie at any distance: each has its own taps.
    const auto tap = [&](int k, int other) {
        const double gap_mm = geometry.slice_position_mm(other) - geometry.slice_position_mm(k);
        if (k == other) return 1.0;
        return std::abs(gap_mm) <= kReach_sigma * sigma_mm ? std::exp(-gap_mm * gap_mm / (2 * sigma_mm * sigma_mm)) : 0.0;
    };
    const auto reach_of = [&](int k) {
        Extent reach{k, k};
        while (reach.first > low.slice && tap(k, reach.first - 1) > 0) --reach.first;
        while (reach.last < high.slice && tap(k, reach.last + 1) > 0) ++reach.last;
        return reach;
    };
    std::vector<std::vector<Extent>> inside(static_cast<std::size_t>(slices));
    for (int k = low.slice; k <= high.slice; ++k) {
        for (int r = low.row; r <= high.row; ++r) inside[static_cast<std::size_t>(k - low.slice)].push_back(extent_of(mask.row(r, k)));
    }
    const auto inside_at = [&](int k, int r) { return inside[static_cast<std::size_t>(k - low.slice)][static_cast<std::size_t>(r)]; };
    // A slice is smoothed where any slice in its reach has voxels.
    const auto wanted_of = [&](int k) {
        std::vector<Extent> wanted(static_cast<std::size_t>(rows));
        const auto reach = reach_of(k);
        for (int other = reach.first; other <= reach.last; ++other) {
            for (int r = 0; r < rows; ++r) wanted[static_cast<std::size_t>(r)].include(inside_at(other, r));
        }
        return wanted;
    };
    std::array<float, 4> limits_hu{};
    const std::array<double, 4> upper{parameters.gas_upper_hu, parameters.fat_upper_hu, parameters.low_attenuation_upper_hu, parameters.dense_lower_hu};
    for (std::size_t i = 0; i < limits_hu.size(); ++i) limits_hu[i] = static_cast<float>(upper[i] - kRounding_hu);

    std::vector<Counts> counts(static_cast<std::size_t>(slices));
    // Each worker takes a block of slices and keeps the few smoothed ones that its slice needs.
    const int workers = std::clamp(parameters.threads > 0 ? parameters.threads : hardware_threads(), 1, slices);
    parallel_for(workers, workers, [&](int worker) {
        struct Held {
            int slice;
            SmoothedSlice smoothed;
        };
        std::list<Held> near;
        PlaneSmoother smoother(columns, rows, across, down);
        std::array<std::array<Row, kFields>, 2> sums;
        for (auto& fields : sums) {
            for (auto& row : fields) row.resize(static_cast<std::size_t>(columns) + kBlock);
        }
        const int end = low.slice + slices * (worker + 1) / workers;
        for (int k = low.slice + slices * worker / workers; k < end; k += 2) {
            // Two slices at a time; the last of a block may stand alone.
            const bool twin = k + 1 < end;
            auto reach = reach_of(k);
            if (twin) reach.include(reach_of(k + 1));
            struct Taken {
                const SmoothedSlice* slice;
                std::array<float, 2> factors;
            };
            std::vector<Taken> taken;
            for (int other = reach.first; other <= reach.last; ++other) {
                auto held = std::find_if(near.begin(), near.end(), [&](const auto& h) { return h.slice == other; });
                if (held == near.end()) {
                    held = std::find_if(near.begin(), near.end(), [&](const auto& h) { return h.slice < reach.first; });
                    if (held == near.end()) held = near.insert(near.end(), {other, SmoothedSlice(kFields, Plane(columns, rows))});
                    held->slice = other;
                    smoother.smooth(held->smoothed, mask, hu, other, wanted_of(other));
                }
                taken.push_back({&held->smoothed, {static_cast<float>(tap(k, other)), twin ? static_cast<float>(tap(k + 1, other)) : 0.F}});
            }
            std::vector<TwinTerm> terms;
            for (int r = 0; r < rows; ++r) {
                Extent own = inside_at(k, r);
                if (twin) own.include(inside_at(k + 1, r));
                if (own.empty()) continue;
                for (const auto field : {kValue, kWeight}) {
                    terms.clear();
                    for (const auto& [slice, factors] : taken) terms.push_back({(*slice)[field].row(r) + own.first, factors});
                    twin_weighted_sums(sums[0][field].data(), sums[1][field].data(), terms, own.count());
                }
                for (int t = 0; t <= (twin ? 1 : 0); ++t) {
                    const auto& sum = sums[static_cast<std::size_t>(t)];
                    for_each_stretch(mask.row(low.row + r, k + t), [&](int from, int to) {
                        const auto at = static_cast<std::size_t>(from - 1 - own.first);
                        const auto voxels = static_cast<std::size_t>(to - from + 1);
                        const auto* const source = hu.data() + hu.offset(mask.column_of(from), low.row + r, k + t);
                        add_stretch(counts[static_cast<std::size_t>(k + t - low.slice)], count_reached(sum[kValue].data() + at, sum[kWeight].data() + at, source, limits_hu, voxels), voxels);
                    });
                }
            }
        }
    });

    Components out;
    for (int k = 0; k < slices; ++k) {
        const double voxel_ml = geometry.column_spacing_mm() * geometry.row_spacing_mm() * geometry.slab_mm(low.slice + k) / 1000;
        const auto& count = counts[static_cast<std::size_t>(k)];
        const std::array<double*, 6> parts{&out.gas_ml, &out.fat_ml, &out.low_attenuation_ml, &out.solid_ml, &out.dense_ml, &out.unclassified_ml};
        for (std::size_t i = 0; i < parts.size(); ++i) *parts[i] += static_cast<double>(count[i]) * voxel_ml;
    }
    return out;
}

}  // namespace retromass::measurement

#include "measurement/density.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace retromass::measurement {
namespace {

/// Counts by HU: everything that is reported follows from them, exactly.
class Histogram {
public:
    void add(std::int16_t hu) { ++counts_[static_cast<std::size_t>(hu + 32768)]; }

    std::optional<HuStatistics> statistics() const
    {
        HuStatistics out;
        double sum = 0;
        bool first = true;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            if (!counts_[i]) continue;
            const double v = value(i);
            if (first) out.minimum = v;
            first = false;
            out.maximum = v;
            out.voxels += counts_[i];
            sum += v * static_cast<double>(counts_[i]);
        }
        if (out.voxels == 0) return std::nullopt;
        const auto n = static_cast<double>(out.voxels);
        out.mean = sum / n;
        double squares = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            if (counts_[i]) squares += static_cast<double>(counts_[i]) * (value(i) - out.mean) * (value(i) - out.mean);
        }
        out.sd = std::sqrt(squares / n);
        out.p10 = percentile(0.10, out.voxels);
        out.median = percentile(0.50, out.voxels);
        out.p90 = percentile(0.90, out.voxels);
        return out;
    }

private:
    static double value(std::size_t i) { return static_cast<double>(i) - 32768; }
    /// The value at rank (n - 1) p, linear between neighbours.
    double percentile(double p, std::size_t n) const
    {
        const double rank = p * static_cast<double>(n - 1);
        const auto lower = static_cast<std::size_t>(rank);
        const double t = rank - static_cast<double>(lower);
        const double a = at(lower);
        return t > 0 ? a + t * (at(lower + 1) - a) : a;
    }
    double at(std::size_t rank) const
    {
        std::size_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            seen += counts_[i];
            if (seen > rank) return value(i);
        }
        return 0;
    }
    std::vector<std::uint32_t> counts_ = std::vector<std::uint32_t>(65536, 0);
};

template <class Visit>
void each_voxel(const PlaneView& view, Visit visit)
{
    const auto n = view.mask().size();
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            const auto* row = view.mask().data() + view.mask().offset(0, r, k);
            for (int c = 0; c < n.columns; ++c) {
                if (row[c]) visit(c, r, k);
            }
        }
    }
}

std::int16_t hu_at(const PlaneView& view, const Grid<std::int16_t>& hu, int c, int r, int k)
{
    const auto i = view.ct_index(c, r, k);
    return hu.at(i.column, i.row, i.slice);
}

/// One pass of a normalised Gaussian along an axis: sums and weights alike.
void smooth(std::vector<float>& values, const Dimensions& n, std::size_t axis, double sigma_voxels)
{
    if (sigma_voxels < 0.1) return;
    const int radius = std::max(1, static_cast<int>(std::ceil(3 * sigma_voxels)));
    std::vector<float> kernel;
    for (int t = 0; t <= radius; ++t) kernel.push_back(static_cast<float>(std::exp(-0.5 * t * t / (sigma_voxels * sigma_voxels))));
    const std::size_t strides[3] = {1, static_cast<std::size_t>(n.columns), n.plane()};
    const int lengths[3] = {n.columns, n.rows, n.slices};
    const int length = lengths[axis];
    const std::size_t stride = strides[axis];
    std::vector<float> line(static_cast<std::size_t>(length));
    for (std::size_t base = 0; base < values.size(); ++base) {
        if (base / stride % static_cast<std::size_t>(length) != 0) continue;
        for (int t = 0; t < length; ++t) line[static_cast<std::size_t>(t)] = values[base + static_cast<std::size_t>(t) * stride];
        for (int t = 0; t < length; ++t) {
            float sum = kernel[0] * line[static_cast<std::size_t>(t)];
            for (int d = 1; d <= radius; ++d) {
                if (t - d >= 0) sum += kernel[static_cast<std::size_t>(d)] * line[static_cast<std::size_t>(t - d)];
                if (t + d < length) sum += kernel[static_cast<std::size_t>(d)] * line[static_cast<std::size_t>(t + d)];
            }
            values[base + static_cast<std::size_t>(t) * stride] = sum;
        }
    }
}

}  // namespace

std::optional<HuStatistics> hu_of(const PlaneView& view, const Grid<std::int16_t>& hu)
{
    Histogram histogram;
    each_voxel(view, [&](int c, int r, int k) {
        const auto v = hu_at(view, hu, c, r, k);
        if (v != kPaddingHu) histogram.add(v);
    });
    return histogram.statistics();
}

std::optional<HuStatistics> hu_core_of(const PlaneView& view, const Grid<std::int16_t>& hu, double metal_lower_hu)
{
    Histogram histogram;
    const auto& mask = view.mask();
    const auto n = mask.size();
    const auto in = [&](int c, int r, int k) { return n.contains(c, r, k) && mask.at(c, r, k) != 0; };
    each_voxel(view, [&](int c, int r, int k) {
        if (!in(c - 1, r, k) || !in(c + 1, r, k) || !in(c, r - 1, k) || !in(c, r + 1, k) || !in(c, r, k - 1) || !in(c, r, k + 1)) return;
        const auto v = hu_at(view, hu, c, r, k);
        if (v != kPaddingHu && v < metal_lower_hu) histogram.add(v);
    });
    return histogram.statistics();
}

Components components_of(const PlaneView& view, const VolumeGeometry& geometry, const Grid<std::int16_t>& hu, const MeasureParameters& parameters)
{
    const auto n = view.mask().size();
    std::vector<float> sums(n.voxels(), 0);
    std::vector<float> weights(n.voxels(), 0);
    each_voxel(view, [&](int c, int r, int k) {
        const auto v = hu_at(view, hu, c, r, k);
        if (v == kPaddingHu) return;
        const auto i = view.mask().offset(c, r, k);
        sums[i] = v;
        weights[i] = 1;
    });
    const double steps[3] = {distance(view.to_patient({1, 0, 0}), view.to_patient({0, 0, 0})), distance(view.to_patient({0, 1, 0}), view.to_patient({0, 0, 0})),
                             distance(view.to_patient({0, 0, 1}), view.to_patient({0, 0, 0}))};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        smooth(sums, n, axis, parameters.component_smoothing_mm / steps[axis]);
        smooth(weights, n, axis, parameters.component_smoothing_mm / steps[axis]);
    }
    Components out;
    each_voxel(view, [&](int c, int r, int k) {
        const auto ct = view.ct_index(c, r, k);
        const double ml = geometry.column_spacing_mm() * geometry.row_spacing_mm() * geometry.slab_mm(ct.slice) / 1000;
        const auto i = view.mask().offset(c, r, k);
        if (hu.at(ct.column, ct.row, ct.slice) == kPaddingHu) {
            out.unclassified_ml += ml;
            return;
        }
        const double v = sums[i] / weights[i];
        double& part = v < parameters.gas_upper_hu             ? out.gas_ml
                       : v < parameters.fat_upper_hu             ? out.fat_ml
                       : v < parameters.low_attenuation_upper_hu ? out.low_attenuation_ml
                       : v < parameters.dense_lower_hu           ? out.solid_ml
                                                                 : out.dense_ml;
        part += ml;
    });
    return out;
}

}  // namespace retromass::measurement

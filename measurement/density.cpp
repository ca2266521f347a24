#include "measurement/density.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/parallel.h"

namespace retromass::measurement {
namespace {

constexpr double kReach_sigma = 4;  ///< the Gaussian is cut where it has fallen to 3e-4

double percentile(const std::vector<std::int16_t>& sorted, double fraction)
{
    const double place = fraction * static_cast<double>(sorted.size() - 1);
    const auto lower = static_cast<std::size_t>(place);
    const std::size_t upper = std::min(lower + 1, sorted.size() - 1);
    return sorted[lower] + (place - static_cast<double>(lower)) * (sorted[upper] - sorted[lower]);
}

/// A box of the volume with value and weight of each voxel.
struct Box {
    Dimensions size;
    std::vector<float> value;
    std::vector<float> weight;
};

/// Smooths along one axis at the given positions (mm), uneven ones included; value and weight alike.
void smooth_along(Box& box, int axis, const std::vector<double>& positions_mm, double sigma_mm, int threads)
{
    const int count = static_cast<int>(positions_mm.size());
    std::vector<std::vector<std::pair<int, float>>> taps(positions_mm.size());
    for (int i = 0; i < count; ++i) {
        for (int j = 0; j < count; ++j) {
            const double gap = positions_mm[static_cast<std::size_t>(j)] - positions_mm[static_cast<std::size_t>(i)];
            if (std::abs(gap) > kReach_sigma * sigma_mm) continue;
            taps[static_cast<std::size_t>(i)].emplace_back(j, static_cast<float>(std::exp(-gap * gap / (2 * sigma_mm * sigma_mm))));
        }
    }
    const auto n = box.size;
    const std::array<std::size_t, 3> steps{1, static_cast<std::size_t>(n.columns), n.plane()};
    const std::size_t step = steps[static_cast<std::size_t>(axis)];
    const int outer = axis == 2 ? n.rows : n.slices;
    const int middle = axis == 0 ? n.rows : n.columns;
    parallel_for(outer, threads, [&](int o) {
        std::vector<float> value(positions_mm.size());
        std::vector<float> weight(positions_mm.size());
        for (int m = 0; m < middle; ++m) {
            const std::size_t start = static_cast<std::size_t>(o) * (axis == 2 ? steps[1] : steps[2]) + static_cast<std::size_t>(m) * (axis == 0 ? steps[1] : steps[0]);
            for (std::size_t i = 0; i < value.size(); ++i) {
                value[i] = box.value[start + i * step];
                weight[i] = box.weight[start + i * step];
            }
            for (std::size_t i = 0; i < value.size(); ++i) {
                float v = 0;
                float w = 0;
                for (const auto& [j, tap] : taps[i]) {
                    v += tap * value[static_cast<std::size_t>(j)];
                    w += tap * weight[static_cast<std::size_t>(j)];
                }
                box.value[start + i * step] = v;
                box.weight[start + i * step] = w;
            }
        }
    });
}

}  // namespace

std::optional<HuStatistics> hu_statistics(const Mask& mask, const Grid<std::int16_t>& hu)
{
    std::vector<std::int16_t> values;
    long long sum = 0;
    for (std::size_t i = 0; i < mask.values().size(); ++i) {
        if (!mask[i] || hu[i] == kPaddingHu) continue;
        values.push_back(hu[i]);
        sum += hu[i];
    }
    if (values.empty()) return std::nullopt;
    std::sort(values.begin(), values.end());
    HuStatistics out;
    const auto count = static_cast<double>(values.size());
    out.voxels = values.size();
    out.mean = static_cast<double>(sum) / count;
    double squares = 0;
    for (const auto v : values) squares += (v - out.mean) * (v - out.mean);
    out.sd = std::sqrt(squares / count);
    out.median = percentile(values, 0.5);
    out.p10 = percentile(values, 0.1);
    out.p90 = percentile(values, 0.9);
    out.minimum = values.front();
    out.maximum = values.back();
    return out;
}

Mask core_of(const Mask& mask, const Grid<std::int16_t>& hu, double metal_lower_hu)
{
    const auto n = mask.size();
    const auto inside = [&](int c, int r, int k) { return n.contains(c, r, k) && mask.at(c, r, k) != 0; };
    Mask core(n);
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            for (int c = 0; c < n.columns; ++c) {
                if (!mask.at(c, r, k) || hu.at(c, r, k) >= metal_lower_hu) continue;
                core.at(c, r, k) = inside(c - 1, r, k) && inside(c + 1, r, k) && inside(c, r - 1, k) && inside(c, r + 1, k) && inside(c, r, k - 1) && inside(c, r, k + 1);
            }
        }
    }
    return core;
}

Components components_of(const Mask& mask, const VolumeGeometry& geometry, const Grid<std::int16_t>& hu, Index low, Index high,
                         const MeasureParameters& parameters)
{
    Box box;
    box.size = {high.column - low.column + 1, high.row - low.row + 1, high.slice - low.slice + 1};
    box.value.assign(box.size.voxels(), 0);
    box.weight.assign(box.size.voxels(), 0);
    std::size_t i = 0;
    for (int k = low.slice; k <= high.slice; ++k) {
        for (int r = low.row; r <= high.row; ++r) {
            for (int c = low.column; c <= high.column; ++c, ++i) {
                if (!mask.at(c, r, k) || hu.at(c, r, k) == kPaddingHu) continue;
                box.value[i] = hu.at(c, r, k);
                box.weight[i] = 1;
            }
        }
    }
    if (parameters.component_smoothing_mm > 0) {
        const auto spaced = [](int count, double spacing_mm) {
            std::vector<double> positions;
            for (int p = 0; p < count; ++p) positions.push_back(p * spacing_mm);
            return positions;
        };
        std::vector<double> heights;
        for (int k = low.slice; k <= high.slice; ++k) heights.push_back(geometry.slice_position_mm(k));
        smooth_along(box, 0, spaced(box.size.columns, geometry.column_spacing_mm()), parameters.component_smoothing_mm, parameters.threads);
        smooth_along(box, 1, spaced(box.size.rows, geometry.row_spacing_mm()), parameters.component_smoothing_mm, parameters.threads);
        smooth_along(box, 2, heights, parameters.component_smoothing_mm, parameters.threads);
    }

    Components out;
    i = 0;
    for (int k = low.slice; k <= high.slice; ++k) {
        const double voxel_ml = geometry.column_spacing_mm() * geometry.row_spacing_mm() * geometry.slab_mm(k) / 1000;
        std::array<std::size_t, 6> counts{};
        for (int r = low.row; r <= high.row; ++r) {
            for (int c = low.column; c <= high.column; ++c, ++i) {
                if (!mask.at(c, r, k)) continue;
                if (hu.at(c, r, k) == kPaddingHu) {
                    ++counts[5];
                    continue;
                }
                const double value = box.value[i] / box.weight[i];
                ++counts[value < parameters.gas_upper_hu ? 0 : value < parameters.fat_upper_hu ? 1 : value < parameters.low_attenuation_upper_hu ? 2 : value < parameters.dense_lower_hu ? 3 : 4];
            }
        }
        out.gas_ml += static_cast<double>(counts[0]) * voxel_ml;
        out.fat_ml += static_cast<double>(counts[1]) * voxel_ml;
        out.low_attenuation_ml += static_cast<double>(counts[2]) * voxel_ml;
        out.solid_ml += static_cast<double>(counts[3]) * voxel_ml;
        out.dense_ml += static_cast<double>(counts[4]) * voxel_ml;
        out.unclassified_ml += static_cast<double>(counts[5]) * voxel_ml;
    }
    return out;
}

}  // namespace retromass::measurement

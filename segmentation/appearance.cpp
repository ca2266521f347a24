#include "segmentation/appearance.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel.h"
#include "segmentation/filters.h"

namespace retromass::segmentation {
namespace {

constexpr double kBin_hu = 4;
constexpr double kLow_hu = -200;
constexpr double kHigh_hu = 400;
constexpr int kBins = 151;
constexpr double kParzen_bins = 1.2;
constexpr double kFloor = 0.002;
constexpr double kForeground_r = 0.45;
constexpr double kBackgroundFrom_r = 1.25;
constexpr double kBackgroundTo_r = 2.0;
constexpr double kEndsOfBulk = 0.5;      // weight of what lies under the ends of the lines: few cells, but the only ones in a living rim
constexpr double kSoftLow_hu = -120;    // where bone, air or metal under a line would wreck the seed
constexpr double kSoftHigh_hu = 150;
constexpr double kEvidenceLimit = 3;

int bin_of(double hu) { return std::clamp(static_cast<int>((hu - kLow_hu) / kBin_hu), 0, kBins - 1); }

std::vector<double> smoothed(const std::vector<double>& counts)
{
    std::vector<double> out(counts.size(), 0);
    double total = 0;
    for (int b = 0; b < kBins; ++b) {
        for (int t = -5; t <= 5; ++t) {
            const int q = b + t;
            if (q < 0 || q >= kBins) continue;
            out[static_cast<std::size_t>(b)] += counts[static_cast<std::size_t>(q)] * std::exp(-0.5 * t * t / (kParzen_bins * kParzen_bins));
        }
        total += out[static_cast<std::size_t>(b)];
    }
    for (auto& v : out) v = (total > 0 ? v / total : 0) + kFloor;
    return out;
}

}  // namespace

Appearance appearance_of(const Grid<float>& fine, const Grid<float>& smooth, const Grid<float>& r, const Mask& core, const Mask& ends, std::array<double, 3> spacing_mm, double sigma_mm, int threads)
{
    Appearance out;
    const std::size_t n = r.values().size();
    std::vector<double> seed(kBins, 0);
    std::vector<double> soft(kBins, 0);
    std::vector<double> inside(kBins, 0);
    std::vector<double> around(kBins, 0);
    std::vector<double> at_ends(kBins, 0);
    double in_ends = 0;
    double bulk = 0;
    double in_core = 0;
    double in_soft = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const auto b = static_cast<std::size_t>(bin_of(smooth[i]));
        if (core[i]) {
            const auto s = static_cast<std::size_t>(bin_of(fine[i]));
            ++seed[s];
            ++in_core;
            if (fine[i] >= kSoftLow_hu && fine[i] <= kSoftHigh_hu) {
                ++soft[s];
                ++in_soft;
            }
        }
        if (ends[i] && fine[i] >= kSoftLow_hu && fine[i] <= kSoftHigh_hu) ++at_ends[b], ++in_ends;
        if (core[i] || r[i] < kForeground_r) ++inside[b], ++bulk;
        else if (r[i] > kBackgroundFrom_r && r[i] < kBackgroundTo_r) ++around[b];
    }
    const auto histogram = smoothed(in_soft >= 0.2 * in_core ? soft : seed);
    out.seed_hu = kLow_hu + kBin_hu * (static_cast<double>(std::max_element(histogram.begin(), histogram.end()) - histogram.begin()) + 0.5);
    double sum = 0;
    double squares = 0;
    double count = 0;
    for (std::size_t i = 0; i < n; ++i) {
        if (!core[i] || std::abs(fine[i] - out.seed_hu) > 60) continue;
        sum += fine[i];
        squares += static_cast<double>(fine[i]) * fine[i];
        ++count;
    }
    out.seed_sd = count > 1 ? std::max(4.0, std::sqrt(std::max(0.0, squares / count - (sum / count) * (sum / count)))) : 4;

    for (std::size_t b = 0; in_ends > 0 && b < kBins; ++b) inside[b] += kEndsOfBulk * bulk / in_ends * at_ends[b];
    const auto pf = smoothed(inside);
    const auto pb = smoothed(around);
    Grid<float> ratio(r.size());
    const auto plane = r.size().plane();
    parallel_for(r.size().slices, threads, [&](int k) {
        for (std::size_t i = plane * static_cast<std::size_t>(k), end = i + plane; i < end; ++i) {
            const double h = std::clamp((smooth[i] - kLow_hu) / kBin_hu - 0.5, 0.0, kBins - 1.001);  // between bin centres
            const auto b = static_cast<std::size_t>(h);
            const double t = h - static_cast<double>(b);
            const double f = (1 - t) * pf[b] + t * pf[b + 1];
            const double g = (1 - t) * pb[b] + t * pb[b + 1];
            ratio[i] = static_cast<float>(std::log(f / g));
        }
    });
    out.evidence = gaussian(ratio, spacing_mm, sigma_mm, threads);
    double in_sum = 0;
    double in_n = 0;
    double out_sum = 0;
    double out_n = 0;
    for (std::size_t i = 0; i < n; ++i) {
        auto& e = out.evidence[i];
        e = std::clamp(e, static_cast<float>(-kEvidenceLimit), static_cast<float>(kEvidenceLimit));
        if (r[i] < 0.7) in_sum += e, ++in_n;
        else if (r[i] > 1.2 && r[i] < 1.6) out_sum += e, ++out_n;
    }
    if (in_n > 0 && out_n > 0) out.separation = in_sum / in_n - out_sum / out_n;
    return out;
}

}  // namespace retromass::segmentation

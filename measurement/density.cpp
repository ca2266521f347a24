#include "measurement/density.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace retromass::measurement {
namespace {

/// How often each HU occurs, padding left out.
class HuCounts {
public:
    HuCounts() : counts_(2 * kBins, 0) {}

    void add(std::span<const std::int16_t> values)
    {
        // Two tables in turn: neighbours are often equal, and one count would wait for the other.
        std::size_t i = 0;
        for (; i + 2 <= values.size(); i += 2) {
            ++counts_[bin(values[i])];
            ++counts_[kBins + bin(values[i + 1])];
        }
        if (i < values.size()) ++counts_[bin(values[i])];
    }
    void add(const HuCounts& other)
    {
        for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    }
    /// Of all values below `upper_hu`; empty where there is none.
    std::optional<HuStatistics> statistics(double upper_hu) const
    {
        std::vector<std::pair<int, std::size_t>> bins;  // HU and number, ascending
        HuStatistics out;
        long long sum = 0;
        for (int hu = kPaddingHu + 1; hu <= std::numeric_limits<std::int16_t>::max() && hu < upper_hu; ++hu) {
            const std::size_t here = counts_[bin(static_cast<std::int16_t>(hu))] + counts_[kBins + bin(static_cast<std::int16_t>(hu))];
            if (here == 0) continue;
            bins.emplace_back(hu, here);
            out.voxels += here;
            sum += hu * static_cast<long long>(here);
        }
        if (bins.empty()) return std::nullopt;
        const auto count = static_cast<double>(out.voxels);
        out.mean = static_cast<double>(sum) / count;
        double squares = 0;
        for (const auto& [hu, here] : bins) squares += static_cast<double>(here) * (hu - out.mean) * (hu - out.mean);
        out.sd = std::sqrt(squares / count);
        const auto nth = [&](std::size_t place) {
            for (const auto& [hu, here] : bins) {
                if (place < here) return hu;
                place -= here;
            }
            return bins.back().first;
        };
        const auto percentile = [&](double fraction) {
            const double place = fraction * (count - 1);
            const auto lower = static_cast<std::size_t>(place);
            const int a = nth(lower);
            return a + (place - static_cast<double>(lower)) * (nth(std::min(lower + 1, out.voxels - 1)) - a);
        };
        out.median = percentile(0.5);
        out.p10 = percentile(0.1);
        out.p90 = percentile(0.9);
        out.minimum = bins.front().first;
        out.maximum = bins.back().first;
        return out;
    }

private:
    static constexpr std::size_t kBins = 65536;
    static std::size_t bin(std::int16_t hu) { return static_cast<std::uint16_t>(hu); }
    std::vector<std::uint32_t> counts_;
};

/// The voxels of a row whose six neighbours are all inside.
void core_row(const PackedMask& mask, int row, int slice, std::vector<std::uint64_t>& core)
{
    const auto here = mask.row(row, slice);
    const auto above = mask.row(row - 1, slice);
    const auto below = mask.row(row + 1, slice);
    const auto before = mask.row(row, slice - 1);
    const auto after = mask.row(row, slice + 1);
    core.resize(here.size());
    for (std::size_t w = 0; w < here.size(); ++w) {
        const std::uint64_t left = here[w] << 1 | (w > 0 ? here[w - 1] >> 63 : 0);
        const std::uint64_t right = here[w] >> 1 | (w + 1 < here.size() ? here[w + 1] << 63 : 0);
        core[w] = here[w] & left & right & above[w] & below[w] & before[w] & after[w];
    }
}

}  // namespace

Density density_of(const PackedMask& mask, const Grid<std::int16_t>& hu, double metal_lower_hu)
{
    HuCounts core;
    HuCounts shell;
    std::vector<std::uint64_t> bits;
    for (int k = mask.low().slice; k <= mask.high().slice; ++k) {
        for (int r = mask.low().row; r <= mask.high().row; ++r) {
            const auto add_to = [&](HuCounts& counts, BitRow row) {
                for_each_stretch(row, [&](int from, int to) { counts.add(hu.values().subspan(hu.offset(mask.column_of(from), r, k), static_cast<std::size_t>(to - from + 1))); });
            };
            core_row(mask, r, k, bits);
            add_to(core, bits);
            const auto all = mask.row(r, k);
            for (std::size_t w = 0; w < bits.size(); ++w) bits[w] ^= all[w];
            add_to(shell, bits);
        }
    }
    Density out;
    out.core = core.statistics(metal_lower_hu);
    core.add(shell);
    out.all = core.statistics(std::numeric_limits<double>::infinity());
    return out;
}

}  // namespace retromass::measurement

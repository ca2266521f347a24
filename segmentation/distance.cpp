#include "segmentation/distance.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/parallel.h"

namespace retromass::segmentation {
namespace {

constexpr float kFar_mm2 = kNoSurface_mm * kNoSurface_mm;

/// Squared distances along the columns of one row: two passes, each knows the nearest surface voxel it has seen.
void first_axis(float* row, int columns, double spacing_mm)
{
    const auto pass = [&](int from, int to, int step) {
        int seen = -1;
        for (int c = from; c != to; c += step) {
            if (row[c] == 0) seen = c;
            if (seen < 0) continue;
            const double mm = (c - seen) * spacing_mm;
            row[c] = std::min(row[c], static_cast<float>(mm * mm));
        }
    };
    pass(0, columns, 1);
    pass(columns - 1, -1, -1);
}

/// The lower envelope of the parabolas that stand on one line of squared distances. Within, lengths are in voxels of this axis.
class Envelope {
public:
    Envelope(int length, double spacing_mm, float most_mm2) : unit_mm2_(spacing_mm * spacing_mm), most_mm2_(most_mm2), height_(static_cast<std::size_t>(length)), at_(height_.size()), begins_(height_.size()), half_(height_.size())
    {
        for (std::size_t d = 1; d < half_.size(); ++d) half_[d] = 0.5 / static_cast<double>(d);
    }

    void lower(float* first, std::size_t stride)
    {
        const int length = static_cast<int>(height_.size());
        int count = 0;
        for (int i = 0; i < length; ++i) {
            const float h = first[static_cast<std::size_t>(i) * stride];
            if (h > most_mm2_ || h >= kFar_mm2) continue;  // nothing is near
            const double height = h / unit_mm2_ + static_cast<double>(i) * i;
            double from = kBefore;
            while (count > 0) {
                const auto last = at_[count - 1];
                from = (height - height_[last]) * half_[i - last];  // where the two parabolas cross
                if (from > begins_[count - 1]) break;
                --count;
                from = kBefore;
            }
            height_[i] = height;
            at_[count] = i;
            begins_[count++] = from;
        }
        if (count == 0) return;
        for (int k = 0, i = 0; k < count; ++k) {
            const double base = height_[at_[k]] - static_cast<double>(at_[k]) * at_[k];
            const double end = k + 1 < count ? begins_[k + 1] : length;
            for (; i < length && i <= end; ++i) {
                const double away = i - at_[k];
                first[static_cast<std::size_t>(i) * stride] = static_cast<float>((away * away + base) * unit_mm2_);
            }
        }
    }

private:
    static constexpr double kBefore = -1e30;
    double unit_mm2_;
    float most_mm2_;
    std::vector<double> height_;  // with the square of its own place, as the crossings need it
    std::vector<int> at_;
    std::vector<double> begins_;
    std::vector<double> half_;    // 0.5 / distance
};

/// The smallest of the 27 voxels around each; what lies beyond the grid is left out.
Mask eroded(const Mask& mask, int threads)
{
    const auto n = mask.size();
    const auto columns = static_cast<std::size_t>(n.columns);
    Mask flat(n);
    parallel_for(n.slices, threads, [&](int k) {
        std::vector<std::uint8_t> least(columns);
        for (int r = 0; r < n.rows; ++r) {
            const auto* const here = mask.data() + mask.offset(0, r, k);
            const auto* const above = r > 0 ? here - columns : here;
            const auto* const below = r + 1 < n.rows ? here + columns : here;
            for (std::size_t c = 0; c < columns; ++c) least[c] = std::min({above[c], here[c], below[c]});
            auto* const to = flat.data() + flat.offset(0, r, k);
            for (std::size_t c = 0; c < columns; ++c) to[c] = std::min({least[c > 0 ? c - 1 : 0], least[c], least[c + 1 < columns ? c + 1 : c]});
        }
    });
    Mask out(n);
    parallel_for(n.slices, threads, [&](int k) {
        const auto* const here = flat.data() + flat.offset(0, 0, k);
        const auto* const above = k > 0 ? here - n.plane() : here;
        const auto* const below = k + 1 < n.slices ? here + n.plane() : here;
        auto* const to = out.data() + out.offset(0, 0, k);
        for (std::size_t i = 0; i < n.plane(); ++i) to[i] = std::min({above[i], here[i], below[i]});
    });
    return out;
}

}  // namespace

Grid<float> signed_distance(const Mask& mask, std::array<double, 3> spacing_mm, int threads, double most_mm)
{
    const auto n = mask.size();
    // What is farther along fewer axes is no nearer along more; a hair more than asked for, since squares are rounded.
    const auto most_mm2 = static_cast<float>(std::min(1.0001 * most_mm * most_mm, static_cast<double>(kFar_mm2)));
    const auto inner = eroded(mask, threads);
    Grid<float> out(n, kFar_mm2);
    parallel_for(n.slices, threads, [&](int k) {
        Envelope envelope(n.rows, spacing_mm[1], most_mm2);
        for (int r = 0; r < n.rows; ++r) {
            auto* const row = out.data() + out.offset(0, r, k);
            const auto* const inside = mask.data() + mask.offset(0, r, k);
            const auto* const deep = inner.data() + inner.offset(0, r, k);
            for (int c = 0; c < n.columns; ++c) {
                if (inside[c] && !deep[c]) row[c] = 0;
            }
            first_axis(row, n.columns, spacing_mm[0]);
        }
        for (int c = 0; c < n.columns; ++c) envelope.lower(out.data() + out.offset(c, 0, k), static_cast<std::size_t>(n.columns));
    });
    parallel_for(n.rows, threads, [&](int r) {
        Envelope envelope(n.slices, spacing_mm[2], most_mm2);
        for (int c = 0; c < n.columns; ++c) envelope.lower(out.data() + out.offset(c, r, 0), n.plane());
        for (int k = 0; k < n.slices; ++k) {
            auto* const row = out.data() + out.offset(0, r, k);
            const auto* const inside = mask.data() + mask.offset(0, r, k);
            for (int c = 0; c < n.columns; ++c) row[c] = inside[c] ? std::sqrt(row[c]) : -std::sqrt(row[c]);
        }
    });
    return out;
}

}  // namespace retromass::segmentation

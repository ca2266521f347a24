#include "segmentation/distance.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/parallel.h"

namespace retromass::segmentation {
namespace {

constexpr float kFar_mm2 = kNoSurface_mm * kNoSurface_mm;

/// Squared distances along the columns of one row, in which everything is far, from the surface voxels in it: each fills half way to the next, and no
/// farther than `most_voxels`.
void first_axis(float* row, int columns, const std::vector<int>& surface, double spacing_mm, int most_voxels)
{
    const auto squared = [&](int away) {
        const double mm = away * spacing_mm;
        return static_cast<float>(mm * mm);
    };
    for (std::size_t i = 0; i < surface.size(); ++i) {
        const int here = surface[i];
        const int low = std::max(i > 0 ? (surface[i - 1] + here) / 2 + 1 : 0, here - most_voxels);
        const int high = std::min(i + 1 < surface.size() ? (here + surface[i + 1]) / 2 : columns - 1, here + most_voxels);
        for (int c = low; c <= high; ++c) row[c] = squared(c - here);
    }
}

/// The columns of a row that lie on the surface: inside, but not deep inside. Most of a row is neither; it is passed over eight voxels at a time.
void find_surface(const std::uint8_t* inside, const std::uint8_t* deep, int columns, std::vector<int>& surface)
{
    surface.clear();
    const auto look = [&](int from, int to) {
        for (int c = from; c < to; ++c) {
            if (inside[c] && !deep[c]) surface.push_back(c);
        }
    };
    constexpr int kWord = sizeof(std::uint64_t);
    int c = 0;
    for (; c + kWord <= columns; c += kWord) {
        std::uint64_t a = 0;
        std::uint64_t b = 0;
        std::memcpy(&a, inside + c, kWord);
        std::memcpy(&b, deep + c, kWord);
        if (a != b) look(c, c + kWord);
    }
    look(c, columns);
}

/// The lower envelope of the parabolas that stand on one line of squared distances. Within, lengths are in voxels of this axis.
class Envelope {
public:
    Envelope(int length, double spacing_mm) : unit_mm2_(spacing_mm * spacing_mm), height_(static_cast<std::size_t>(length)), at_(height_.size()), begins_(height_.size()), half_(height_.size())
    {
        for (std::size_t d = 1; d < half_.size(); ++d) half_[d] = 0.5 / static_cast<double>(d);
    }

    /// Of the line that begins at `first`; where `near` is 0, no parabola stands.
    void lower(float* first, const std::uint8_t* near, std::size_t stride)
    {
        const int length = static_cast<int>(height_.size());
        int count = 0;
        for (int i = 0; i < length; ++i) {
            const auto place = static_cast<std::size_t>(i) * stride;
            if (!near[place]) continue;
            const double height = first[place] / unit_mm2_ + static_cast<double>(i) * i;
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
    std::vector<double> height_;  // with the square of its own place, as the crossings need it
    std::vector<int> at_;
    std::vector<double> begins_;
    std::vector<double> half_;    // 0.5 / distance
};

/// The smallest of the 27 voxels around each of a row; what lies beyond the grid is left out.
class Eroded {
public:
    explicit Eroded(const Mask& mask) : mask_(mask), least_(static_cast<std::size_t>(mask.size().columns)), row_(least_.size()) {}

    const std::uint8_t* row(int r, int k)
    {
        const auto n = mask_.size();
        const auto columns = least_.size();
        auto* const least = least_.data();  // local, for a byte that is written may be part of anything else, the vectors too
        auto* const row = row_.data();
        std::copy_n(mask_.data() + mask_.offset(0, r, k), columns, least);
        for (int kk = std::max(k - 1, 0); kk <= std::min(k + 1, n.slices - 1); ++kk) {
            for (int rr = std::max(r - 1, 0); rr <= std::min(r + 1, n.rows - 1); ++rr) {
                const auto* const other = mask_.data() + mask_.offset(0, rr, kk);
                for (std::size_t c = 0; c < columns; ++c) least[c] = std::min(least[c], other[c]);
            }
        }
        row[0] = std::min(least[0], least[std::min<std::size_t>(1, columns - 1)]);
        row[columns - 1] = std::min(least[columns - 1], least[columns - std::min<std::size_t>(2, columns)]);
        for (std::size_t c = 1; c + 1 < columns; ++c) row[c] = std::min({least[c - 1], least[c], least[c + 1]});
        return row_.data();
    }

private:
    const Mask& mask_;
    std::vector<std::uint8_t> least_;
    std::vector<std::uint8_t> row_;
};

}  // namespace

Grid<float> signed_distance(const Mask& mask, std::array<double, 3> spacing_mm, int threads, double most_mm)
{
    const auto n = mask.size();
    // What is farther along fewer axes is no nearer along more; a hair more than asked for, since squares are rounded.
    const auto most_mm2 = static_cast<float>(std::min(1.0001 * most_mm * most_mm, 0.9999 * kFar_mm2));
    const int most_voxels = 1 + static_cast<int>(std::min(std::sqrt(static_cast<double>(most_mm2)) / spacing_mm[0], static_cast<double>(n.columns)));
    const auto columns = static_cast<std::size_t>(n.columns);
    Grid<float> out(n, kFar_mm2);
    // Lines across rows and slices touch a line of the cache with each value: which of them are near is noted in bytes, of which it holds many.
    const auto note = [&](const float* values, std::uint8_t* near) {
        const float most = most_mm2;  // local, for a byte that is written may be part of anything else
        for (std::size_t c = 0, end = columns; c < end; ++c) near[c] = values[c] <= most;
    };
    parallel_for(n.slices, threads, [&](int k) {
        Envelope envelope(n.rows, spacing_mm[1]);
        Eroded eroded(mask);
        std::vector<int> surface;
        std::vector<std::uint8_t> near(n.plane());
        for (int r = 0; r < n.rows; ++r) {
            auto* const row = out.data() + out.offset(0, r, k);
            find_surface(mask.data() + mask.offset(0, r, k), eroded.row(r, k), n.columns, surface);
            first_axis(row, n.columns, surface, spacing_mm[0], most_voxels);
            note(row, near.data() + static_cast<std::size_t>(r) * columns);
        }
        for (std::size_t c = 0; c < columns; ++c) envelope.lower(out.data() + out.offset(0, 0, k) + c, near.data() + c, columns);
    });
    parallel_for(n.rows, threads, [&](int r) {
        Envelope envelope(n.slices, spacing_mm[2]);
        std::vector<float> section(columns * static_cast<std::size_t>(n.slices));  // copied together: a line through the slices touches a page of memory for each
        std::vector<std::uint8_t> near(section.size());
        for (int k = 0; k < n.slices; ++k) {
            auto* const row = section.data() + static_cast<std::size_t>(k) * columns;
            std::copy_n(out.data() + out.offset(0, r, k), columns, row);
            note(row, near.data() + static_cast<std::size_t>(k) * columns);
        }
        for (std::size_t c = 0; c < columns; ++c) envelope.lower(section.data() + c, near.data() + c, columns);
        for (int k = 0; k < n.slices; ++k) {
            const auto* const from = section.data() + static_cast<std::size_t>(k) * columns;
            auto* const to = out.data() + out.offset(0, r, k);
            const auto* const inside = mask.data() + mask.offset(0, r, k);
            for (std::size_t c = 0; c < columns; ++c) to[c] = inside[c] ? std::sqrt(from[c]) : -std::sqrt(from[c]);
        }
    });
    return out;
}

}  // namespace retromass::segmentation

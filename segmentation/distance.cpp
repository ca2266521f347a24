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
    /// Of lines whose first value has the place `offset`: numbers are rounded at their places, so that a part of a line is what it is in the whole.
    Envelope(int offset, int length, double spacing_mm) : offset_(offset), unit_mm2_(spacing_mm * spacing_mm), height_(static_cast<std::size_t>(length)), at_(height_.size()), begins_(height_.size()), half_(height_.size())
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
            const double height = first[place] / unit_mm2_ + square_of(i);
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
            const double base = height_[at_[k]] - square_of(at_[k]);
            const double end = k + 1 < count ? begins_[k + 1] - offset_ : length;
            for (; i < length && i <= end; ++i) {
                const double away = i - at_[k];
                first[static_cast<std::size_t>(i) * stride] = static_cast<float>((away * away + base) * unit_mm2_);
            }
        }
    }

private:
    double square_of(int i) const { return static_cast<double>(offset_ + i) * (offset_ + i); }

    static constexpr double kBefore = -1e30;
    int offset_;
    double unit_mm2_;
    std::vector<double> height_;  // with the square of its own place, as the crossings need it
    std::vector<int> at_;
    std::vector<double> begins_;
    std::vector<double> half_;    // 0.5 / distance
};

/// A box of a mask, counted from its corner.
struct Part {
    Part(const Mask& whole, const MaskBox& box) : mask(whole), low(box.low), size(box.size()) {}
    const std::uint8_t* row(int r, int k) const { return mask.data() + mask.offset(low.column, low.row + r, low.slice + k); }

    const Mask& mask;
    Index low;
    Dimensions size;
};

/// The smallest of the 27 voxels around each of a row; what lies beyond the part is left out.
class Eroded {
public:
    explicit Eroded(const Part& mask) : mask_(mask), least_(static_cast<std::size_t>(mask.size.columns)), row_(least_.size()) {}

    const std::uint8_t* row(int r, int k)
    {
        const auto n = mask_.size;
        const auto columns = least_.size();
        auto* const least = least_.data();  // local, for a byte that is written may be part of anything else, the vectors too
        auto* const row = row_.data();
        std::copy_n(mask_.row(r, k), columns, least);
        for (int kk = std::max(k - 1, 0); kk <= std::min(k + 1, n.slices - 1); ++kk) {
            for (int rr = std::max(r - 1, 0); rr <= std::min(r + 1, n.rows - 1); ++rr) {
                const auto* const other = mask_.row(rr, kk);
                for (std::size_t c = 0; c < columns; ++c) least[c] = std::min(least[c], other[c]);
            }
        }
        row[0] = std::min(least[0], least[std::min<std::size_t>(1, columns - 1)]);
        row[columns - 1] = std::min(least[columns - 1], least[columns - std::min<std::size_t>(2, columns)]);
        for (std::size_t c = 1; c + 1 < columns; ++c) row[c] = std::min({least[c - 1], least[c], least[c + 1]});
        return row_.data();
    }

private:
    Part mask_;
    std::vector<std::uint8_t> least_;
    std::vector<std::uint8_t> row_;
};

/// The two halves of the transform of one mask: squared distances within its slices, then signed ones through them.
class Transform {
public:
    Transform(const Part& mask, std::array<double, 3> spacing_mm, double most_mm)
        // What is farther along fewer axes is no nearer along more; a hair more than asked for, since squares are rounded.
        : mask_(mask), spacing_mm_(spacing_mm), most_mm2_(static_cast<float>(std::min(1.0001 * most_mm * most_mm, 0.9999 * kFar_mm2)))
    {
    }

    /// How many voxels away along an axis a surface can still be near enough.
    int reach(std::size_t axis) const
    {
        const auto n = mask_.size;
        const std::array<int, 3> most{n.columns, n.rows, n.slices};
        return 1 + static_cast<int>(std::min(std::sqrt(static_cast<double>(most_mm2_)) / spacing_mm_[axis], static_cast<double>(most[axis])));
    }

    /// Squared distances to the surface in slice k.
    void within_slice(int k, float* plane) const
    {
        const auto n = mask_.size;
        const auto columns = static_cast<std::size_t>(n.columns);
        Envelope envelope(0, n.rows, spacing_mm_[1]);
        Eroded eroded(mask_);
        std::vector<int> surface;
        std::vector<std::uint8_t> near(n.plane());
        std::fill_n(plane, n.plane(), kFar_mm2);
        for (int r = 0; r < n.rows; ++r) {
            auto* const row = plane + static_cast<std::size_t>(r) * columns;
            find_surface(mask_.row(r, k), eroded.row(r, k), n.columns, surface);
            first_axis(row, n.columns, surface, spacing_mm_[0], reach(0));
            note(row, near.data() + static_cast<std::size_t>(r) * columns);
        }
        for (std::size_t c = 0; c < columns; ++c) envelope.lower(plane + c, near.data() + c, columns);
    }

    /// Calls take(k, distances) with row r of the slices from `first` to `last`; squared(k) is that row within slice k, which counts from `from` to `to`.
    template <class Squared, class Take>
    void through_slices(int r, int from, int to, int first, int last, Squared squared, Take take) const
    {
        const auto columns = static_cast<std::size_t>(mask_.size.columns);
        Envelope envelope(from, to - from + 1, spacing_mm_[2]);
        std::vector<float> section(columns * static_cast<std::size_t>(to - from + 1));  // copied together: a line through the slices touches a page of memory for each
        std::vector<std::uint8_t> near(section.size());
        for (int k = from; k <= to; ++k) {
            const auto at = static_cast<std::size_t>(k - from) * columns;
            std::copy_n(squared(k), columns, section.data() + at);
            note(section.data() + at, near.data() + at);
        }
        for (std::size_t c = 0; c < columns; ++c) envelope.lower(section.data() + c, near.data() + c, columns);
        for (int k = first; k <= last; ++k) {
            auto* const row = section.data() + static_cast<std::size_t>(k - from) * columns;
            const auto* const inside = mask_.row(r, k);
            for (std::size_t c = 0; c < columns; ++c) row[c] = inside[c] ? std::sqrt(row[c]) : -std::sqrt(row[c]);
            take(k, row);
        }
    }

private:
    /// Lines across rows and slices touch a line of the cache with each value: which of them are near is noted in bytes, of which it holds many.
    void note(const float* values, std::uint8_t* near) const
    {
        const float most = most_mm2_;  // local, for a byte that is written may be part of anything else
        for (std::size_t c = 0, end = static_cast<std::size_t>(mask_.size.columns); c < end; ++c) near[c] = values[c] <= most;
    }

    Part mask_;
    std::array<double, 3> spacing_mm_;
    float most_mm2_;
};

}  // namespace

Grid<float> signed_distance(const Mask& mask, std::array<double, 3> spacing_mm, int threads, double most_mm)
{
    const auto n = mask.size();
    const Transform transform({mask, {{0, 0, 0}, {n.columns - 1, n.rows - 1, n.slices - 1}}}, spacing_mm, most_mm);
    Grid<float> out(n);
    parallel_for(n.slices, threads, [&](int k) { transform.within_slice(k, out.data() + out.offset(0, 0, k)); });
    parallel_for(n.rows, threads, [&](int r) {
        const auto row = [&](int k) { return out.data() + out.offset(0, r, k); };
        transform.through_slices(r, 0, n.slices - 1, 0, n.slices - 1, row, [&](int k, const float* mm) { std::copy_n(mm, n.columns, row(k)); });
    });
    return out;
}

void near_distance(const Mask& mask, const MaskBox& box, std::array<double, 3> spacing_mm, double most_mm, int threads, const std::function<void(int row, int slice, const float* mm)>& take)
{
    constexpr int kLeastStep = 16;
    const auto n = box.size();
    const Transform transform({mask, box}, spacing_mm, most_mm);
    const int reach = transform.reach(2);
    const int step = std::max(kLeastStep, 2 * reach);  // slices at a time; those around them are kept from one step to the next
    const int kept = std::min(step + 2 * reach, n.slices);
    Grid<float> squares({n.columns, n.rows, kept});
    for (int first = 0, known = 0; first < n.slices; first += step) {
        const int last = std::min(first + step, n.slices) - 1;
        const int from = std::max(first - reach, 0);
        const int to = std::min(last + reach, n.slices - 1);
        parallel_for(to + 1 - known, threads, [&](int i) { transform.within_slice(known + i, squares.data() + squares.offset(0, 0, (known + i) % kept)); });
        known = to + 1;
        parallel_for(n.rows, threads, [&](int r) {
            transform.through_slices(r, from, to, first, last, [&](int k) { return squares.data() + squares.offset(0, r, k % kept); }, [&](int k, const float* mm) { take(r, k, mm); });
        });
    }
}

}  // namespace retromass::segmentation

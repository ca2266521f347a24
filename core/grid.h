#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <utility>
#include <vector>

namespace retromass {

/// Number of columns, rows and slices.
struct Dimensions {
    int columns = 0;
    int rows = 0;
    int slices = 0;

    std::size_t plane() const { return static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows); }
    std::size_t voxels() const { return plane() * static_cast<std::size_t>(slices); }
    bool contains(int column, int row, int slice) const
    {
        return column >= 0 && row >= 0 && slice >= 0 && column < columns && row < rows && slice < slices;
    }
    friend bool operator==(const Dimensions&, const Dimensions&) = default;
};

/// A voxel by its column, row and slice, counted from 0.
struct Index {
    int column = 0;
    int row = 0;
    int slice = 0;
    friend bool operator==(const Index&, const Index&) = default;
};

/// Memory whose values are written before they are read: a volume of 157 MB is not first filled with zeros.
template <class T>
struct UnfilledAllocator : std::allocator<T> {
    template <class U>
    struct rebind {
        using other = UnfilledAllocator<U>;
    };
    using std::allocator<T>::allocator;
    template <class U>
    void construct(U* at)
    {
        ::new (static_cast<void*>(at)) U;
    }
    template <class U, class... Arguments>
    void construct(U* at, Arguments&&... arguments)
    {
        ::new (static_cast<void*>(at)) U(std::forward<Arguments>(arguments)...);
    }
};

/// Values on the voxels of a volume; the column runs fastest, then the row, then the slice.
template <class T>
class Grid {
public:
    Grid() = default;
    explicit Grid(Dimensions size, T value = T{}) : size_(size), values_(size.voxels(), value) {}

    /// Every value is to be written before it is read.
    static Grid unfilled(Dimensions size)
    {
        Grid out;
        out.size_ = size;
        out.values_.resize(size.voxels());
        return out;
    }

    const Dimensions& size() const { return size_; }
    std::size_t offset(int column, int row, int slice) const
    {
        return (static_cast<std::size_t>(slice) * static_cast<std::size_t>(size_.rows) + static_cast<std::size_t>(row)) *
                   static_cast<std::size_t>(size_.columns) +
               static_cast<std::size_t>(column);
    }
    T& at(int column, int row, int slice) { return values_[offset(column, row, slice)]; }
    const T& at(int column, int row, int slice) const { return values_[offset(column, row, slice)]; }
    T& operator[](std::size_t i) { return values_[i]; }
    const T& operator[](std::size_t i) const { return values_[i]; }
    T* data() { return values_.data(); }
    const T* data() const { return values_.data(); }
    std::span<T> values() { return values_; }
    std::span<const T> values() const { return values_; }
    std::span<T> plane(int slice) { return std::span<T>(values_).subspan(offset(0, 0, slice), size_.plane()); }
    std::span<const T> plane(int slice) const
    {
        return std::span<const T>(values_).subspan(offset(0, 0, slice), size_.plane());
    }

private:
    Dimensions size_;
    std::vector<T, UnfilledAllocator<T>> values_;
};

/// 1 inside the lesion, 0 outside.
using Mask = Grid<std::uint8_t>;

}  // namespace retromass

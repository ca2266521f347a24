#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>
#include <type_traits>
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

/// Memory that comes as zeros from the system: of a volume of which a box is written, the rest is never touched and costs nothing. Values that are
/// made without an argument are left as they come.
template <class T>
struct ZeroedAllocator {
    using value_type = T;
    static_assert(std::is_trivially_default_constructible_v<T> && std::is_trivially_copyable_v<T>);  // so that zeros are what T{} is

    ZeroedAllocator() = default;
    template <class U>
    ZeroedAllocator(const ZeroedAllocator<U>&)
    {
    }
    T* allocate(std::size_t n)
    {
        auto* const memory = std::calloc(n, sizeof(T));  // looks for an overflow itself
        if (!memory) throw std::bad_alloc();
        return static_cast<T*>(memory);
    }
    void deallocate(T* memory, std::size_t) { std::free(memory); }
    template <class U>
    void construct(U*)
    {
    }
    template <class U, class... Arguments>
    void construct(U* at, Arguments&&... arguments)
    {
        ::new (static_cast<void*>(at)) U(std::forward<Arguments>(arguments)...);
    }
    friend bool operator==(const ZeroedAllocator&, const ZeroedAllocator&) { return true; }
};

/// Values on the voxels of a volume; the column runs fastest, then the row, then the slice.
template <class T>
class Grid {
public:
    Grid() = default;
    /// All zero; what is never written is never in memory.
    explicit Grid(Dimensions size) : size_(size), values_(size.voxels()) {}
    Grid(Dimensions size, T value) : size_(size), values_(size.voxels(), value) {}

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
    std::vector<T, ZeroedAllocator<T>> values_;
};

/// 1 inside the lesion, 0 outside.
using Mask = Grid<std::uint8_t>;

}  // namespace retromass

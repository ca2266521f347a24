#include "measurement/plane_view.h"

#include <algorithm>
#include <cmath>

namespace retromass::measurement {
namespace {

constexpr double kAxial_deg = 30;  // definitions.md 2.5

}  // namespace

PlaneView::PlaneView(const Mask& mask, const VolumeGeometry& g) : geometry_(&g)
{
    const auto n = mask.size();
    std::array<int, 3> high{-1, -1, -1};
    low_ = {n.columns, n.rows, n.slices};
    for (int k = 0; k < n.slices; ++k) {
        const auto plane = mask.plane(k);
        for (int r = 0; r < n.rows; ++r) {
            const auto* row = plane.data() + static_cast<std::ptrdiff_t>(r) * n.columns;
            const auto* end = row + n.columns;
            const auto* first = std::find_if(row, end, [](auto v) { return v != 0; });
            if (first == end) continue;
            int last = n.columns - 1;
            while (!row[last]) --last;
            low_ = {std::min(low_[0], static_cast<int>(first - row)), std::min(low_[1], r), std::min(low_[2], k)};
            high = {std::max(high[0], last), std::max(high[1], r), std::max(high[2], k)};
        }
    }
    normal_ = g.normal();
    acquired_axial_ = g.angle_to_axial_deg() <= kAxial_deg;
    if (!acquired_axial_) {
        // Of the two other grid planes the one whose normal is nearest to the patient's long axis. The slice step of a sheared
        // grid is not the slice normal, so the plane is spanned by what the grid really steps along.
        const PatientPoint slice_step = g.size().slices > 1 ? g.slice_origin(g.size().slices - 1) - g.slice_origin(0) : g.normal();
        const PatientPoint across_rows = cross(g.column_step(), slice_step);
        const PatientPoint across_columns = cross(g.row_step(), slice_step);
        const double tilt_rows = std::abs(across_rows.z) / norm(across_rows);
        const double tilt_columns = std::abs(across_columns.z) / norm(across_columns);
        if (tilt_rows >= tilt_columns) {
            axis_ = {0, 2, 1};
            normal_ = (1 / norm(across_rows)) * across_rows;
            if (dot(normal_, g.row_step()) < 0) normal_ = -1.0 * normal_;
        } else {
            axis_ = {1, 2, 0};
            normal_ = (1 / norm(across_columns)) * across_columns;
            if (dot(normal_, g.column_step()) < 0) normal_ = -1.0 * normal_;
        }
    }
    const std::array<int, 3> extent{high[0] - low_[0] + 1, high[1] - low_[1] + 1, high[2] - low_[2] + 1};
    const auto at = [&](std::size_t a) { return extent[static_cast<std::size_t>(axis_[a])]; };
    mask_ = Mask(Dimensions{at(0), at(1), at(2)});
    for (int k = 0; k < mask_.size().slices; ++k) {
        for (int r = 0; r < mask_.size().rows; ++r) {
            if (acquired_axial_) {
                const auto* from = mask.data() + mask.offset(low_[0], low_[1] + r, low_[2] + k);
                std::copy(from, from + mask_.size().columns, mask_.data() + mask_.offset(0, r, k));
                continue;
            }
            for (int c = 0; c < mask_.size().columns; ++c) {
                const auto i = ct_index(c, r, k);
                mask_.at(c, r, k) = mask.at(i.column, i.row, i.slice);
            }
        }
    }
}

Index PlaneView::ct_index(int column, int row, int slice) const
{
    std::array<int, 3> ct = low_;
    ct[static_cast<std::size_t>(axis_[0])] += column;
    ct[static_cast<std::size_t>(axis_[1])] += row;
    ct[static_cast<std::size_t>(axis_[2])] += slice;
    return {ct[0], ct[1], ct[2]};
}

PatientPoint PlaneView::to_patient(ContinuousIndex i) const
{
    std::array<double, 3> ct{double(low_[0]), double(low_[1]), double(low_[2])};
    ct[static_cast<std::size_t>(axis_[0])] += i.column;
    ct[static_cast<std::size_t>(axis_[1])] += i.row;
    ct[static_cast<std::size_t>(axis_[2])] += i.slice;
    return geometry_->to_patient(ContinuousIndex{ct[0], ct[1], ct[2]});
}

std::array<double, 2> PlaneView::slab_faces_mm(int slice) const
{
    if (acquired_axial_) return geometry_->slab_faces_mm(low_[2] + slice);
    const double lower = dot(to_patient({0, 0, slice - 0.5}), normal_);
    const double upper = dot(to_patient({0, 0, slice + 0.5}), normal_);
    return {std::min(lower, upper), std::max(lower, upper)};
}

double PlaneView::cranial() const { return to_patient({0, 0, 1}).z >= to_patient({0, 0, 0}).z ? 1 : -1; }

}  // namespace retromass::measurement

#include "sample_data/canvas.h"

namespace retromass::sample_data {

Canvas::Canvas(const VolumeGeometry& g, int slice)
    : hu(g.size().plane(), -1000.0F), outside_mass_mm(g.size().plane(), 1e6F), origin_(g.slice_origin(slice)), u_(g.column_spacing_mm() * g.column_step()),
      v_(g.row_spacing_mm() * g.row_step()), normal_(g.normal()), third_((g.slab_mm(slice) / 3) * g.normal()), slab_mm_(g.slab_mm(slice)),
      pixel_mm_(0.5 * (g.column_spacing_mm() + g.row_spacing_mm())), reach_mm_(0.5 * pixel_mm_ + slab_mm_ / 3), columns_(g.size().columns), rows_(g.size().rows)
{
}

Canvas::Window Canvas::window(PatientPoint low, PatientPoint high) const
{
    const PatientPoint half = 0.5 * (high - low) + PatientPoint{reach_mm_, reach_mm_, reach_mm_};
    const PatientPoint offset = 0.5 * (low + high) - origin_;
    const auto spread = [&](PatientPoint d) { return std::abs(d.x) * half.x + std::abs(d.y) * half.y + std::abs(d.z) * half.z; };
    if (std::abs(dot(offset, normal_)) > spread(normal_) + slab_mm_) return {1, 0, 1, 0};
    const auto range = [&](PatientPoint step, int count, int& first, int& last) {
        const double square = dot(step, step);
        const double middle = dot(offset, step) / square;
        const double width = spread(step) / square;
        first = std::max(0, static_cast<int>(std::floor(middle - width)));
        last = std::min(count - 1, static_cast<int>(std::ceil(middle + width)));
    };
    Window w{};
    range(u_, columns_, w.first_column, w.last_column);
    range(v_, rows_, w.first_row, w.last_row);
    return w;
}

double plane_width(PatientPoint p)
{
    return 0.95 + 0.55 * std::sin(p.x / 15 + 1.3 * std::sin(p.y / 21) + p.z / 17);
}

void Canvas::paint(const Solid& solid)
{
    const auto w = window(solid.low, solid.high);
    if (w.empty()) return;
    const double step = std::sqrt(dot(u_, u_));
    for (int r = w.first_row; r <= w.last_row; ++r) {
        for (int c = w.first_column; c <= w.last_column; ++c) {
            const auto p = at(c, r);
            const double depth = solid.depth(p);
            if (depth < -reach_mm_) {
                c += static_cast<int>(std::max(0.0, -0.6 * depth - reach_mm_) / step);  // nothing of it is nearer than that
                continue;
            }
            double covered = coverage(p, depth, solid.depth);
            const auto i = static_cast<std::size_t>(r) * static_cast<std::size_t>(columns_) + static_cast<std::size_t>(c);
            if (const double outside = outside_mass_mm[i]; outside < 2 * solid.gap_mm + 1) covered = std::min(covered, part(outside - solid.gap_mm * plane_width(p)));
            if (covered <= 0) continue;
            hu[i] += static_cast<float>(covered * (solid.hu(p, depth) - static_cast<double>(hu[i])));
        }
    }
}

}  // namespace retromass::sample_data

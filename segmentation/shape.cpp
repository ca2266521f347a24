#include "segmentation/shape.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/parallel.h"

namespace retromass::segmentation {
namespace {

// Medians of the sarcomas the method was made with; organ-specific, so parameters (docs/stages/segmentation.md).
constexpr double kWidthOfLength = 0.76;
constexpr double kDepthOfLength = 1.24;
constexpr double kClickRadius_mm = 20;

double point_to_segment(PatientPoint p, PatientPoint a, PatientPoint b)
{
    const PatientPoint ab = b - a;
    const double length = dot(ab, ab);
    const double t = length > 0 ? std::clamp(dot(p - a, ab) / length, 0.0, 1.0) : 0;
    return distance(p, a + t * ab);
}

/// Signed distance to a closed contour in the plane across `n`, positive inside (even-odd rule).
double signed_distance(const std::vector<PatientPoint>& contour, PatientPoint p, PatientPoint u, PatientPoint v)
{
    const double x = dot(p, u);
    const double y = dot(p, v);
    double least = std::numeric_limits<double>::max();
    bool inside = false;
    for (std::size_t i = 0, j = contour.size() - 1; i < contour.size(); j = i++) {
        const double xi = dot(contour[i], u);
        const double yi = dot(contour[i], v);
        const double xj = dot(contour[j], u);
        const double yj = dot(contour[j], v);
        if ((yi > y) != (yj > y) && x < (xj - xi) * (y - yi) / (yj - yi) + xi) inside = !inside;
        const double dx = xj - xi;
        const double dy = yj - yi;
        const double length = dx * dx + dy * dy;
        const double t = length > 0 ? std::clamp(((x - xi) * dx + (y - yi) * dy) / length, 0.0, 1.0) : 0;
        least = std::min(least, std::hypot(x - xi - t * dx, y - yi - t * dy));
    }
    return inside ? least : -least;
}

double slab_of(const VolumeGeometry& g, PatientPoint p)
{
    return g.slab_mm(std::clamp(static_cast<int>(std::lround(g.to_index(p).slice)), 0, g.size().slices - 1));
}

void set_extent(Shape& shape, const Prompt& prompt, const VolumeGeometry& g)
{
    if (!prompt.extent) return;
    const double a = dot((*prompt.extent)[0], shape.n);
    const double b = dot((*prompt.extent)[1], shape.n);
    const double middle = (a + b) / 2;
    shape.centre = shape.centre + (middle - dot(shape.centre, shape.n)) * shape.n;
    shape.half_n_mm = std::abs(a - b) / 2 + slab_of(g, (*prompt.extent)[0]) / 2;
    shape.free_n = false;
}

Shape of_lines(const Prompt& prompt, const VolumeGeometry& g)
{
    Shape s;
    const auto& line = prompt.lines.front();
    s.n = g.normal();
    const PatientPoint along = line.b - line.a;
    const PatientPoint flat = along - dot(along, s.n) * s.n;
    s.u = (1 / norm(flat)) * flat;
    s.v = cross(s.n, s.u);
    s.half_u_mm = norm(flat) / 2;
    s.centre = 0.5 * (line.a + line.b);
    s.half_v_mm = kWidthOfLength * s.half_u_mm;
    s.half_n_mm = kDepthOfLength * s.half_u_mm;
    s.free_v = true;
    s.free_n = true;
    const auto inner = [](const LineSegment& l) {  // the central 60 %
        const PatientPoint d = l.b - l.a;
        return LineSegment{l.a + 0.2 * d, l.a + 0.8 * d};
    };
    const auto add_ends = [&](const LineSegment& l) {  // the next 12 % towards each end
        const PatientPoint d = l.b - l.a;
        s.ends.push_back({l.a + 0.08 * d, l.a + 0.2 * d});
        s.ends.push_back({l.a + 0.8 * d, l.a + 0.92 * d});
    };
    s.strokes.push_back(inner(line));
    add_ends(line);
    if (prompt.lines.size() > 1) {
        const auto& across = prompt.lines[1];
        s.half_v_mm = std::max(std::abs(dot(across.b - across.a, s.v)) / 2, g.column_spacing_mm());
        s.free_v = false;
        const PatientPoint middle = 0.5 * (across.a + across.b);
        s.centre = s.centre + dot(middle - s.centre, s.v) * s.v;
        s.strokes.push_back(inner(across));
        add_ends(across);
    }
    s.stroke_radius_mm = std::max(0.12 * s.half_u_mm, 2.0);
    set_extent(s, prompt, g);
    return s;
}

Shape of_contours(const Prompt& prompt, const VolumeGeometry& g)
{
    Shape s;
    s.kind = Shape::Kind::contour;
    s.n = g.normal();
    double longest = 0;
    for (const auto& contour : prompt.contours) {  // the longest one makes the shape, the others correct the mask (corrections.h)
        for (const auto& p : contour) {
            for (const auto& q : contour) {
                if (distance(p, q) <= longest) continue;
                longest = distance(p, q);
                s.u = (1 / longest) * (q - p);
                s.contour = contour;
            }
        }
    }
    s.v = cross(s.n, s.u);
    for (const auto& p : s.contour) s.centre = s.centre + (1.0 / static_cast<double>(s.contour.size())) * p;
    s.half_u_mm = longest / 2;
    s.half_v_mm = s.half_u_mm;
    s.half_n_mm = kDepthOfLength * s.half_u_mm;
    s.free_n = true;
    s.core_r = 0.55;
    set_extent(s, prompt, g);
    return s;
}

Shape of_box(const Prompt& prompt, const VolumeGeometry& g)
{
    Shape s;
    s.u = g.column_step();
    s.v = g.row_step();
    s.n = g.normal();
    const auto& [a, b] = *prompt.box;
    s.centre = 0.5 * (a + b);
    s.half_u_mm = std::max(std::abs(dot(b - a, s.u)) / 2, g.column_spacing_mm());
    s.half_v_mm = std::max(std::abs(dot(b - a, s.v)) / 2, g.row_spacing_mm());
    s.half_n_mm = std::max(std::abs(dot(b - a, s.n)) / 2, slab_of(g, s.centre) / 2);
    s.core_r = 0.35;
    return s;
}

Shape of_points(const Prompt& prompt, const VolumeGeometry& g)
{
    Shape s;
    s.u = g.column_step();
    s.v = g.row_step();
    s.n = g.normal();
    for (const auto& p : prompt.points) s.centre = s.centre + (1.0 / static_cast<double>(prompt.points.size())) * p;
    double spread = 0;
    for (const auto& p : prompt.points) {
        spread = std::max(spread, distance(p, s.centre));
        s.strokes.push_back({p, p});
    }
    s.half_u_mm = s.half_v_mm = s.half_n_mm = std::max(kClickRadius_mm, 1.3 * spread);
    s.stroke_radius_mm = 3;
    s.free_scale = s.free_v = s.free_n = true;
    set_extent(s, prompt, g);
    return s;
}

Shape of_prior(const Prompt& prompt, const VolumeGeometry& g)
{
    Shape s;
    s.kind = Shape::Kind::prior;
    s.u = g.column_step();
    s.v = g.row_step();
    s.n = g.normal();
    const auto n = g.size();
    ContinuousIndex low{1e9, 1e9, 1e9};
    ContinuousIndex high{-1e9, -1e9, -1e9};
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            for (int c = 0; c < n.columns; ++c) {
                if (!prompt.prior->at(c, r, k)) continue;
                low = {std::min(low.column, double(c)), std::min(low.row, double(r)), std::min(low.slice, double(k))};
                high = {std::max(high.column, double(c)), std::max(high.row, double(r)), std::max(high.slice, double(k))};
            }
        }
    }
    s.centre = g.to_patient(ContinuousIndex{(low.column + high.column) / 2, (low.row + high.row) / 2, (low.slice + high.slice) / 2});
    s.half_u_mm = (high.column - low.column + 1) / 2 * g.column_spacing_mm();
    s.half_v_mm = (high.row - low.row + 1) / 2 * g.row_spacing_mm();
    s.half_n_mm = (dot(g.to_patient(high) - g.to_patient(low), s.n) + slab_of(g, s.centre)) / 2;
    s.core_r = 0.5;
    return s;
}

}  // namespace

Shape shape_of(const Prompt& prompt, const VolumeGeometry& geometry)
{
    if (prompt.prior) return of_prior(prompt, geometry);
    if (!prompt.contours.empty()) return of_contours(prompt, geometry);
    if (!prompt.lines.empty()) return of_lines(prompt, geometry);
    if (prompt.box) return of_box(prompt, geometry);
    return of_points(prompt, geometry);
}

double inside_contour_mm(const Shape& shape, PatientPoint point) { return signed_distance(shape.contour, point, shape.u, shape.v); }

Grid<float> shape_coordinate(const Shape& shape, const VolumeGeometry& geometry, const WorkingGrid& grid, int threads)
{
    Grid<float> r(grid.size);
    double contour_radius = 1e-3;  // largest inscribed radius of the contour
    if (shape.kind == Shape::Kind::contour) {
        const double z = dot(shape.contour[0], shape.n);
        for (int j = 0; j < grid.size.rows; ++j) {
            for (int i = 0; i < grid.size.columns; ++i) {
                auto p = geometry.to_patient(grid.ct_index(i, j, 0));
                p = p + (z - dot(p, shape.n)) * shape.n;
                contour_radius = std::max(contour_radius, signed_distance(shape.contour, p, shape.u, shape.v));
            }
        }
    }
    double prior_radius = 1e-3;
    if (shape.prior_distance) {
        for (const float d : shape.prior_distance->values()) prior_radius = std::max(prior_radius, static_cast<double>(d));
    }
    parallel_for(grid.size.slices, threads, [&](int k) {
        for (int j = 0; j < grid.size.rows; ++j) {
            for (int i = 0; i < grid.size.columns; ++i) {
                const auto p = geometry.to_patient(grid.ct_index(i, j, k));
                const PatientPoint d = p - shape.centre;
                double value = 0;
                switch (shape.kind) {
                case Shape::Kind::ellipsoid: {
                    const double a = dot(d, shape.u) / shape.half_u_mm;
                    const double b = dot(d, shape.v) / shape.half_v_mm;
                    const double c = dot(d, shape.n) / shape.half_n_mm;
                    value = std::sqrt(a * a + b * b + c * c);
                    break;
                }
                case Shape::Kind::contour: {
                    const double a = std::max(1 - signed_distance(shape.contour, p, shape.u, shape.v) / contour_radius, 0.0);
                    const double c = dot(d, shape.n) / shape.half_n_mm;
                    value = std::sqrt(a * a + c * c);
                    break;
                }
                case Shape::Kind::prior: value = std::max(1 - static_cast<double>(shape.prior_distance->at(i, j, k)) / prior_radius, 0.0); break;
                }
                r.at(i, j, k) = static_cast<float>(value);
            }
        }
    });
    return r;
}

Mask core_cells(const Shape& shape, const Grid<float>& r, const VolumeGeometry& geometry, const WorkingGrid& grid)
{
    Mask core(grid.size);
    bool any = false;
    const double depth = 0.6 * grid.spacing_mm[2] + 0.05 * shape.half_u_mm;
    for (int k = 0; k < grid.size.slices; ++k) {
        for (int j = 0; j < grid.size.rows; ++j) {
            for (int i = 0; i < grid.size.columns; ++i) {
                const auto at = core.offset(i, j, k);
                bool in = r[at] < shape.core_r;
                if (!shape.strokes.empty()) {
                    const auto p = geometry.to_patient(grid.ct_index(i, j, k));
                    for (const auto& stroke : shape.strokes) {
                        const double dz = dot(p - stroke.a, shape.n);
                        const PatientPoint flat = p - dz * shape.n;
                        in = in || (std::abs(dz) <= depth && point_to_segment(flat, stroke.a, stroke.b) <= shape.stroke_radius_mm);
                    }
                }
                core[at] = in;
                any = any || in;
            }
        }
    }
    if (!any) {  // a lesion smaller than a cell: the cell nearest to the centre
        const auto best = std::min_element(r.values().begin(), r.values().end());
        core[static_cast<std::size_t>(best - r.values().begin())] = 1;
    }
    return core;
}

Mask end_cells(const Shape& shape, const VolumeGeometry& geometry, const WorkingGrid& grid)
{
    Mask cells(grid.size);
    const double depth = 0.6 * grid.spacing_mm[2] + 0.05 * shape.half_u_mm;
    for (int k = 0; k < grid.size.slices && !shape.ends.empty(); ++k) {
        for (int j = 0; j < grid.size.rows; ++j) {
            for (int i = 0; i < grid.size.columns; ++i) {
                const auto p = geometry.to_patient(grid.ct_index(i, j, k));
                for (const auto& end : shape.ends) {
                    const double dz = dot(p - end.a, shape.n);
                    if (std::abs(dz) <= depth && point_to_segment(p - dz * shape.n, end.a, end.b) <= shape.stroke_radius_mm) cells.at(i, j, k) = 1;
                }
            }
        }
    }
    return cells;
}

std::array<ContinuousIndex, 2> reach_of(const Shape& shape, const VolumeGeometry& geometry, double reach)
{
    ContinuousIndex low{1e9, 1e9, 1e9};
    ContinuousIndex high{-1e9, -1e9, -1e9};
    for (int corner = 0; corner < 8; ++corner) {
        const auto side = [&](int bit) { return corner >> bit & 1 ? reach : -reach; };
        const auto i = geometry.to_index(shape.centre + (side(0) * shape.half_u_mm) * shape.u + (side(1) * shape.half_v_mm) * shape.v + (side(2) * shape.half_n_mm) * shape.n);
        low = {std::min(low.column, i.column), std::min(low.row, i.row), std::min(low.slice, i.slice)};
        high = {std::max(high.column, i.column), std::max(high.row, i.row), std::max(high.slice, i.slice)};
    }
    return {low, high};
}

}  // namespace retromass::segmentation

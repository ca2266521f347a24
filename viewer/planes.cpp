#include <algorithm>
#include <cmath>
#include <numbers>

#include "viewer/view.h"

namespace retromass::viewer {
namespace {

constexpr double kCross_mm = 3;   // half a cross at a point
constexpr double kEnd_mm = 15;    // half the mark of a top or bottom slice

/// The box of the stack in its own directions, relative to the first voxel: where tilt lets slices drift, it holds them all.
struct StackBox {
    double column_low_mm = 0, column_high_mm = 0;
    double row_low_mm = 0, row_high_mm = 0;
    double face_low_mm = 0, face_high_mm = 0;  ///< along the normal, absolute
};

StackBox box_of(const VolumeGeometry& geometry)
{
    const auto n = geometry.size();
    StackBox box;
    for (int k = 0; k < n.slices; ++k) {
        const PatientPoint drift = geometry.slice_origin(k) - geometry.slice_origin(0);
        const double column = dot(drift, geometry.column_step());
        const double row = dot(drift, geometry.row_step());
        box.column_low_mm = std::min(box.column_low_mm, column);
        box.column_high_mm = std::max(box.column_high_mm, column);
        box.row_low_mm = std::min(box.row_low_mm, row);
        box.row_high_mm = std::max(box.row_high_mm, row);
    }
    box.column_high_mm += (n.columns - 1) * geometry.column_spacing_mm();
    box.row_high_mm += (n.rows - 1) * geometry.row_spacing_mm();
    box.face_low_mm = geometry.slab_faces_mm(0)[0];
    box.face_high_mm = geometry.slab_faces_mm(n.slices - 1)[1];
    return box;
}

int pixels(double length_mm, double pixel_mm) { return std::max(1, static_cast<int>(std::ceil(length_mm / pixel_mm - 1e-6))); }

/// HU between two slices; a voxel that was not measured is not blended.
std::int16_t between(std::int16_t lower, std::int16_t upper, double fraction)
{
    constexpr double kOnTheSlice = 1e-9;  // of 65535 HU: far from half a HU, so the nearest one is the slice's own
    if (fraction < kOnTheSlice) return lower;
    if (lower == kPaddingHu || upper == kPaddingHu) return fraction < 0.5 ? lower : upper;
    return static_cast<std::int16_t>(std::lround((1 - fraction) * lower + fraction * upper));
}

/// The nearest voxels to positions that grow by one step a pixel. Most steps are whole: none or one voxel, but for the last bits. Then rounding once is rounding
/// each, as long as no position comes near the middle between two voxels.
class NearestVoxels {
public:
    NearestVoxels(double first, double step, int pixels) : first_(first), step_(step), nearest_(std::lround(first)), whole_step_(std::lround(step))
    {
        constexpr double kDrift = 1e-6, kMargin = 1e-3;  // voxels
        const double from_middle = 0.5 - std::abs(first - static_cast<double>(nearest_));
        whole_ = std::abs(step - static_cast<double>(whole_step_)) * pixels < kDrift && from_middle > kMargin;
    }
    int at(int x) const { return static_cast<int>(whole_ ? nearest_ + x * whole_step_ : std::lround(first_ + x * step_)); }

private:
    double first_;
    double step_;
    long nearest_;
    long whole_step_;
    bool whole_;
};

/// The voxels under one row of a plane. The row lies within one slice position, so that its index grows by one step a pixel.
class RowOfVoxels {
public:
    RowOfVoxels(const VolumeGeometry& geometry, const PlaneFrame& frame, int y)
        : RowOfVoxels(geometry.to_index(frame.to_patient(0, y)), geometry.to_index(frame.to_patient(1, y)), frame.width) {}
    double slice() const { return slice_; }
    int column(int x) const { return columns_.at(x); }
    int row(int x) const { return rows_.at(x); }

private:
    RowOfVoxels(ContinuousIndex first, ContinuousIndex second, int pixels)
        : columns_(first.column, second.column - first.column, pixels), rows_(first.row, second.row - first.row, pixels), slice_(first.slice) {}
    NearestVoxels columns_;
    NearestVoxels rows_;
    double slice_;
};

char letter_of(PatientPoint direction)
{
    const double x = std::abs(direction.x);
    const double y = std::abs(direction.y);
    const double z = std::abs(direction.z);
    if (x >= y && x >= z) return direction.x > 0 ? 'L' : 'R';
    if (y >= z) return direction.y > 0 ? 'P' : 'A';
    return direction.z > 0 ? 'H' : 'F';
}

}  // namespace

PatientPoint PlaneFrame::to_patient(double x, double y) const
{
    return origin + (x * pixel_x_mm) * right + (y * pixel_y_mm) * down;
}

std::array<double, 2> PlaneFrame::to_plane(PatientPoint point) const
{
    const PatientPoint offset = point - origin;
    return {dot(offset, right) / pixel_x_mm, dot(offset, down) / pixel_y_mm};
}

double PlaneFrame::distance_mm(PatientPoint point) const { return std::abs(dot(point - origin, cross(right, down))); }

PlaneFrame plane_frame(const VolumeGeometry& geometry, Plane plane, PatientPoint cursor)
{
    const auto n = geometry.size();
    PlaneFrame frame;
    frame.plane = plane;
    if (plane == Plane::axial) {
        const int slice = std::clamp(static_cast<int>(std::lround(geometry.to_index(cursor).slice)), 0, n.slices - 1);
        frame.origin = geometry.slice_origin(slice);
        frame.right = geometry.column_step();
        frame.down = geometry.row_step();
        frame.pixel_x_mm = geometry.column_spacing_mm();
        frame.pixel_y_mm = geometry.row_spacing_mm();
        frame.width = n.columns;
        frame.height = n.rows;
        return frame;
    }

    const StackBox box = box_of(geometry);
    const PatientPoint first = geometry.slice_origin(0);
    const double first_mm = geometry.slice_position_mm(0);
    const bool head_along_normal = geometry.normal().z >= 0;
    const PatientPoint head = head_along_normal ? geometry.normal() : -1.0 * geometry.normal();
    const bool coronal = plane == Plane::coronal;
    const PatientPoint across = coronal ? geometry.row_step() : geometry.column_step();
    const double low_mm = coronal ? box.column_low_mm : box.row_low_mm;
    const double high_mm = coronal ? box.column_high_mm : box.row_high_mm;
    const double mean_slab_mm = (box.face_high_mm - box.face_low_mm) / n.slices;

    frame.right = coronal ? geometry.column_step() : geometry.row_step();
    frame.down = -1.0 * head;
    frame.pixel_x_mm = coronal ? geometry.column_spacing_mm() : geometry.row_spacing_mm();
    frame.pixel_y_mm = std::min(frame.pixel_x_mm, mean_slab_mm);
    frame.width = pixels(high_mm - low_mm + frame.pixel_x_mm, frame.pixel_x_mm);
    frame.height = pixels(box.face_high_mm - box.face_low_mm, frame.pixel_y_mm);
    const double top_mm = head_along_normal ? box.face_high_mm - frame.pixel_y_mm / 2 : box.face_low_mm + frame.pixel_y_mm / 2;
    frame.origin = first + dot(cursor - first, across) * across + low_mm * frame.right + (top_mm - first_mm) * geometry.normal();
    return frame;
}

std::vector<std::int16_t> sampled(const CtVolume& ct, const PlaneFrame& frame)
{
    const auto& geometry = ct.geometry;
    const auto n = geometry.size();
    std::vector<std::int16_t> out(static_cast<std::size_t>(frame.width) * static_cast<std::size_t>(frame.height), kPaddingHu);
    std::size_t pixel = 0;
    for (int y = 0; y < frame.height; ++y) {
        const RowOfVoxels voxels(geometry, frame, y);
        const bool outside = voxels.slice() < -0.5 || voxels.slice() > n.slices - 0.5;
        const double slice = std::clamp(voxels.slice(), 0.0, n.slices - 1.0);
        const auto lower = static_cast<int>(std::floor(slice));
        const int upper = std::min(lower + 1, n.slices - 1);
        for (int x = 0; x < frame.width; ++x, ++pixel) {
            const int column = voxels.column(x);
            const int row = voxels.row(x);
            if (outside || !n.contains(column, row, lower)) continue;
            out[pixel] = between(ct.hu.at(column, row, lower), ct.hu.at(column, row, upper), slice - lower);
        }
    }
    return out;
}

std::vector<PlaneLine> outline(const Mask& mask, const VolumeGeometry& geometry, const PlaneFrame& frame)
{
    const auto n = geometry.size();
    // One pixel of margin all round, so that the edge of the picture is an edge of the mask.
    const int wide = frame.width + 2;
    const int high = frame.height + 2;
    std::vector<std::uint8_t> inside(static_cast<std::size_t>(wide) * static_cast<std::size_t>(high), 0);
    const auto at = [&](int x, int y) -> std::uint8_t& {
        return inside[static_cast<std::size_t>(y + 1) * static_cast<std::size_t>(wide) + static_cast<std::size_t>(x + 1)];
    };
    int left = frame.width, right = -1, top = frame.height, bottom = -1;  // of what is inside
    for (int y = 0; y < frame.height; ++y) {
        const RowOfVoxels voxels(geometry, frame, y);
        const auto slice = static_cast<int>(std::lround(voxels.slice()));
        for (int x = 0; x < frame.width; ++x) {
            const int column = voxels.column(x);
            const int row = voxels.row(x);
            if (!n.contains(column, row, slice) || mask.at(column, row, slice) == 0) continue;
            at(x, y) = 1;
            left = std::min(left, x);
            right = std::max(right, x);
            top = std::min(top, y);
            bottom = y;
        }
    }

    std::vector<PlaneLine> lines;
    for (int y = top - 1; y <= bottom; ++y) {  // edges between rows y and y + 1
        for (int x = left; x <= right; ++x) {
            if (at(x, y) == at(x, y + 1)) continue;
            const int start = x;
            while (x < frame.width && at(x, y) == at(start, y) && at(x, y + 1) == at(start, y + 1)) ++x;
            lines.push_back({start - 0.5, y + 0.5, x - 0.5, y + 0.5});
            --x;
        }
    }
    for (int x = left - 1; x <= right; ++x) {  // edges between columns x and x + 1
        for (int y = top; y <= bottom; ++y) {
            if (at(x, y) == at(x + 1, y)) continue;
            const int start = y;
            while (y < frame.height && at(x, y) == at(x, start) && at(x + 1, y) == at(x + 1, start)) ++y;
            lines.push_back({x + 0.5, start - 0.5, x + 0.5, y - 0.5});
            --y;
        }
    }
    return lines;
}

std::vector<Caliper> calipers(const measurement::LesionMeasurements& measured, const VolumeGeometry& geometry,
                              const PlaneFrame& frame)
{
    const auto placed = [&](CaliperKind kind, const measurement::Axis& axis, const char* what, double reach_mm) {
        const auto a = frame.to_plane(axis.a);
        const auto b = frame.to_plane(axis.b);
        Caliper caliper{kind, {a[0], a[1], b[0], b[1]}, true, std::string(what) + " " + axis.recorded.text() + " mm"};
        caliper.in_plane = frame.distance_mm(axis.a) <= reach_mm && frame.distance_mm(axis.b) <= reach_mm;
        if (!caliper.in_plane) caliper.text += " (projected)";
        return caliper;
    };
    std::vector<Caliper> out;
    if (frame.plane == Plane::axial) {
        const int slice =
            std::clamp(static_cast<int>(std::lround(geometry.to_index(frame.origin).slice)), 0, geometry.size().slices - 1);
        const double reach_mm = 0.01 * geometry.slab_mm(slice);  // the slice itself, never its neighbour
        for (auto& caliper : {placed(CaliperKind::long_axis, measured.long_axis, "long axis", reach_mm),
                              placed(CaliperKind::short_axis, measured.short_axis, "short axis", reach_mm)}) {
            if (caliper.in_plane) out.push_back(caliper);
        }
        return out;
    }
    const double reach_mm = 0.5 * (frame.plane == Plane::coronal ? geometry.row_spacing_mm() : geometry.column_spacing_mm());
    out.push_back(placed(CaliperKind::craniocaudal, measured.craniocaudal, "craniocaudal", reach_mm));
    return out;
}

std::vector<PlaneLine> prompt_lines(const segmentation::Prompt& prompt, const VolumeGeometry& geometry, const PlaneFrame& frame)
{
    std::vector<PlaneLine> out;
    const auto line = [&](PatientPoint from, PatientPoint to) {
        const auto a = frame.to_plane(from);
        const auto b = frame.to_plane(to);
        out.push_back({a[0], a[1], b[0], b[1]});
    };
    const bool axial = frame.plane == Plane::axial;
    const int slice = std::clamp(static_cast<int>(std::lround(geometry.to_index(frame.origin).slice)), 0, geometry.size().slices - 1);
    const double half_mm = 0.5 * (axial ? geometry.slab_mm(slice) : frame.plane == Plane::coronal ? geometry.row_spacing_mm() : geometry.column_spacing_mm());
    const auto here = [&](PatientPoint p) { return frame.distance_mm(p) <= half_mm + 1e-6; };
    const auto cross_at = [&](PatientPoint p) {
        if (!here(p)) return;
        const PatientPoint x = kCross_mm * frame.right;
        const PatientPoint y = kCross_mm * frame.down;
        line(p - x, p + x);
        line(p - y, p + y);
    };
    for (const auto& l : prompt.lines) {
        if (here(l.a) && here(l.b)) line(l.a, l.b);
    }
    for (const auto& p : prompt.points) cross_at(p);
    for (const auto& p : prompt.exclude) {
        if (!here(p)) continue;
        const PatientPoint d = (kCross_mm * 0.7) * (frame.right + frame.down);
        const PatientPoint e = (kCross_mm * 0.7) * (frame.right - frame.down);
        line(p - d, p + d);
        line(p - e, p + e);
    }
    for (const auto& contour : prompt.contours) {
        for (std::size_t i = 0; i < contour.size(); ++i) {
            const auto& next = contour[(i + 1) % contour.size()];
            if (here(contour[i]) && here(next)) line(contour[i], next);
        }
    }
    if (prompt.extent) {
        for (const auto& p : *prompt.extent) {
            if (axial) cross_at(p);
            else line(p - kEnd_mm * frame.right, p + kEnd_mm * frame.right);  // the slice, seen from its side
        }
    }
    if (prompt.box) {
        const auto& [a, b] = *prompt.box;
        const PatientPoint low{std::min(a.x, b.x), std::min(a.y, b.y), std::min(a.z, b.z)};
        const PatientPoint high{std::max(a.x, b.x), std::max(a.y, b.y), std::max(a.z, b.z)};
        const PatientPoint normal = cross(frame.right, frame.down);
        const double at = dot(frame.origin, normal);
        const double one = dot(low, normal);
        const double other = dot(high, normal);
        if (at < std::min(one, other) - half_mm || at > std::max(one, other) + half_mm) return out;
        const auto p = frame.to_plane(low);
        const auto q = frame.to_plane(high);
        out.push_back({p[0], p[1], q[0], p[1]});
        out.push_back({q[0], p[1], q[0], q[1]});
        out.push_back({q[0], q[1], p[0], q[1]});
        out.push_back({p[0], q[1], p[0], p[1]});
    }
    return out;
}

std::vector<PlaneLine> edit_lines(const std::vector<segmentation::Edit>& edits, const VolumeGeometry& geometry, const PlaneFrame& frame)
{
    using Kind = segmentation::Edit::Kind;
    constexpr int kSides = 24;
    std::vector<PlaneLine> out;
    segmentation::Prompt contours;
    for (const auto& edit : edits) {
        if (edit.kind == Kind::add_contour || edit.kind == Kind::remove_contour) contours.contours.push_back(edit.points);
        if (edit.kind != Kind::add_sphere && edit.kind != Kind::remove_sphere) continue;
        const double off_mm = frame.distance_mm(edit.points[0]);
        if (off_mm >= edit.mm) continue;
        const double radius_mm = std::sqrt(edit.mm * edit.mm - off_mm * off_mm);
        const auto at = frame.to_plane(edit.points[0]);
        const auto on_circle = [&](int i) {
            const double angle = 2 * std::numbers::pi * i / kSides;
            return std::array{at[0] + radius_mm / frame.pixel_x_mm * std::cos(angle), at[1] + radius_mm / frame.pixel_y_mm * std::sin(angle)};
        };
        for (int i = 0; i < kSides; ++i) {
            const auto a = on_circle(i);
            const auto b = on_circle(i + 1);
            out.push_back({a[0], a[1], b[0], b[1]});
        }
    }
    const auto drawn = prompt_lines(contours, geometry, frame);
    out.insert(out.end(), drawn.begin(), drawn.end());
    return out;
}

EdgeLetters edge_letters(const PlaneFrame& frame)
{
    return {letter_of(-1.0 * frame.right), letter_of(frame.right), letter_of(-1.0 * frame.down), letter_of(frame.down)};
}

}  // namespace retromass::viewer

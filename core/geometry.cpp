#include "core/geometry.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace retromass {
namespace {

constexpr double kOrthonormalTolerance = 1e-3;  // scanners write six decimals; legacy noise reaches 1e-4 (docs/stages/ingest.md)
constexpr double kSpacingAbsolute_mm = 0.01;    // rounding of DS strings
constexpr double kSpacingRelative = 0.01;

double degrees(double radians) { return radians * 180.0 / std::numbers::pi; }

PatientPoint unit(PatientPoint a) { return (1.0 / norm(a)) * a; }

}  // namespace

double dot(PatientPoint a, PatientPoint b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
PatientPoint cross(PatientPoint a, PatientPoint b)
{
    return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
double norm(PatientPoint a) { return std::sqrt(dot(a, a)); }
double distance(PatientPoint a, PatientPoint b) { return norm(a - b); }

Result<VolumeGeometry> VolumeGeometry::from_slices(int columns, int rows, PatientPoint column_step, PatientPoint row_step,
                                                   double column_spacing_mm, double row_spacing_mm,
                                                   std::vector<PatientPoint> slice_origins)
{
    const auto refuse = [](std::string why) { return Error{Code::no_geometry, std::move(why), "core: geometry"}; };
    if (columns < 1 || rows < 1 || slice_origins.empty()) return refuse("the volume has no voxels");
    if (!(column_spacing_mm > 0) || !(row_spacing_mm > 0) || !std::isfinite(column_spacing_mm * row_spacing_mm)) {
        return refuse("pixel spacing is not positive");
    }
    if (!(std::abs(norm(column_step) - 1) < kOrthonormalTolerance) || !(std::abs(norm(row_step) - 1) < kOrthonormalTolerance) ||
        !(std::abs(dot(column_step, row_step)) < kOrthonormalTolerance)) {
        return refuse("image orientation is not two perpendicular unit vectors");
    }
    VolumeGeometry g;
    g.size_ = {columns, rows, static_cast<int>(slice_origins.size())};
    g.column_step_ = unit(column_step);
    g.row_step_ = unit(row_step - dot(row_step, g.column_step_) * g.column_step_);
    g.normal_ = cross(g.column_step_, g.row_step_);
    g.column_spacing_mm_ = column_spacing_mm;
    g.row_spacing_mm_ = row_spacing_mm;
    g.origins_ = std::move(slice_origins);
    for (const auto& origin : g.origins_) {
        const double position = dot(origin, g.normal_);
        if (!std::isfinite(norm(origin))) return refuse("an image position is not a number");
        if (!g.positions_.empty() && !(position > g.positions_.back())) {
            return refuse("slices are not sorted along the normal, or two share a position");
        }
        g.positions_.push_back(position);
    }
    if (g.size_.slices > 1) {
        const PatientPoint mean = (1.0 / (g.size_.slices - 1)) * (g.origins_.back() - g.origins_.front());
        const double tolerance = std::max(kSpacingAbsolute_mm, kSpacingRelative * norm(mean));
        for (std::size_t k = 1; k < g.origins_.size(); ++k) {
            if (norm(g.origins_[k] - g.origins_[k - 1] - mean) > tolerance) g.uniform_ = false;
        }
    } else {
        g.uniform_ = false;  // one slice has no spacing
    }
    return g;
}

VolumeGeometry VolumeGeometry::axial(Dimensions size, double column_spacing_mm, double row_spacing_mm,
                                     double slice_spacing_mm, PatientPoint origin)
{
    std::vector<PatientPoint> origins;
    for (int k = 0; k < size.slices; ++k) origins.push_back(origin + PatientPoint{0, 0, k * slice_spacing_mm});
    auto made = from_slices(size.columns, size.rows, {1, 0, 0}, {0, 1, 0}, column_spacing_mm, row_spacing_mm, origins);
    RETROMASS_ASSERT(made.ok(), "an axial grid of positive size and spacing is valid");
    if (size.slices == 1) made.value().uniform_ = false;
    return std::move(made).value();
}

std::array<double, 2> VolumeGeometry::slab_faces_mm(int slice) const
{
    const auto k = static_cast<std::size_t>(slice);
    const double s = positions_[k];
    if (positions_.size() == 1) return {s - 0.5, s + 0.5};  // no neighbour says how thick: 1 mm, and uniform() is false
    const double below = k > 0 ? (s - positions_[k - 1]) / 2 : (positions_[k + 1] - s) / 2;
    const double above = k + 1 < positions_.size() ? (positions_[k + 1] - s) / 2 : (s - positions_[k - 1]) / 2;
    return {s - below, s + above};
}

double VolumeGeometry::slab_mm(int slice) const
{
    const auto faces = slab_faces_mm(slice);
    return faces[1] - faces[0];
}

std::optional<double> VolumeGeometry::slice_spacing_mm() const
{
    if (!uniform_) return std::nullopt;
    return (positions_.back() - positions_.front()) / (size_.slices - 1);
}

double VolumeGeometry::tilt_deg() const
{
    if (size_.slices < 2) return 0;
    const PatientPoint along = origins_.back() - origins_.front();
    const double drift = norm(along - dot(along, normal_) * normal_);
    return degrees(std::atan2(drift, std::abs(dot(along, normal_))));
}

double VolumeGeometry::angle_to_axial_deg() const { return degrees(std::acos(std::min(1.0, std::abs(normal_.z)))); }

std::optional<std::array<double, 16>> VolumeGeometry::affine_lps() const
{
    if (!uniform_) return std::nullopt;
    const PatientPoint c = column_spacing_mm_ * column_step_;
    const PatientPoint r = row_spacing_mm_ * row_step_;
    const PatientPoint s = (1.0 / (size_.slices - 1)) * (origins_.back() - origins_.front());
    const PatientPoint o = origins_.front();
    return std::array<double, 16>{c.x, r.x, s.x, o.x, c.y, r.y, s.y, o.y, c.z, r.z, s.z, o.z, 0, 0, 0, 1};
}

std::optional<double> VolumeGeometry::voxel_volume_mm3() const
{
    if (!uniform_) return std::nullopt;
    return column_spacing_mm_ * row_spacing_mm_ * *slice_spacing_mm();
}

PatientPoint VolumeGeometry::to_patient(ContinuousIndex index) const
{
    PatientPoint origin = origins_.front();
    if (origins_.size() > 1) {
        const double last = static_cast<double>(origins_.size()) - 2;
        const double lower = std::clamp(std::floor(index.slice), 0.0, last);
        const auto k = static_cast<std::size_t>(lower);
        origin = origins_[k] + (index.slice - lower) * (origins_[k + 1] - origins_[k]);
    } else {
        origin = origin + index.slice * normal_;
    }
    return origin + (index.column * column_spacing_mm_) * column_step_ + (index.row * row_spacing_mm_) * row_step_;
}

ContinuousIndex VolumeGeometry::to_index(PatientPoint point) const
{
    const double s = dot(point, normal_);
    double slice = s - positions_.front();
    if (positions_.size() > 1) {
        const auto above = std::upper_bound(positions_.begin() + 1, positions_.end() - 1, s);
        const auto k = static_cast<std::size_t>(above - positions_.begin()) - 1;
        slice = static_cast<double>(k) + (s - positions_[k]) / (positions_[k + 1] - positions_[k]);
    }
    const PatientPoint in_plane = point - to_patient(ContinuousIndex{0, 0, slice});
    return {dot(in_plane, column_step_) / column_spacing_mm_, dot(in_plane, row_step_) / row_spacing_mm_, slice};
}

bool VolumeGeometry::contains(PatientPoint point) const
{
    const auto i = to_index(point);
    constexpr double edge = 0.5 + 1e-6;
    return i.column >= -edge && i.row >= -edge && i.slice >= -edge && i.column <= size_.columns - 1 + edge &&
           i.row <= size_.rows - 1 + edge && i.slice <= size_.slices - 1 + edge;
}

bool same_grid(const VolumeGeometry& a, const VolumeGeometry& b)
{
    if (a.size() != b.size()) return false;
    const auto n = a.size();
    for (const int k : {0, n.slices / 2, n.slices - 1}) {
        for (const int c : {0, n.columns - 1}) {
            for (const int r : {0, n.rows - 1}) {
                const auto there = b.to_index(a.to_patient(Index{c, r, k}));
                if (std::abs(there.column - c) > 0.5 || std::abs(there.row - r) > 0.5 || std::abs(there.slice - k) > 0.5) return false;
            }
        }
    }
    return true;
}

}  // namespace retromass

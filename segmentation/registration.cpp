#include "segmentation/registration.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "core/units.h"
#include "segmentation/deform.h"
#include "segmentation/distance.h"
#include "segmentation/rigid.h"

namespace retromass::segmentation {
namespace {

constexpr double kSearchCell_mm = 8;
constexpr double kMostCells = 2e6;         ///< of the patient: he is registered on coarser cells where he is large, in the same time
constexpr double kMargin_mm = 12;           ///< about the patient, for the skin to move in
constexpr double kLeastCorrelation = 0.5;   ///< below it nothing fits anywhere
constexpr double kShell_mm = 30;            ///< about a lesion: what holds it
constexpr double kDoubled = 0.26;           ///< of its radius: as far a lesion that doubled reaches; it looks like nothing that was there

/// What of an anatomy's grid holds the patient.
Anatomy cropped(const Anatomy& a)
{
    const auto& n = a.body.size();
    Index low{n.columns, n.rows, n.slices}, high{-1, -1, -1};
    for (int k = 0; k < n.slices; ++k) {
        for (int j = 0; j < n.rows; ++j) {
            for (int i = 0; i < n.columns; ++i) {
                if (!a.body.at(i, j, k)) continue;
                low = {std::min(low.column, i), std::min(low.row, j), std::min(low.slice, k)};
                high = {std::max(high.column, i), std::max(high.row, j), std::max(high.slice, k)};
            }
        }
    }
    if (high.slice < 0) return a;
    const int margin = static_cast<int>(std::ceil(kMargin_mm / a.grid.cell_mm));
    low = {std::max(0, low.column - margin), std::max(0, low.row - margin), low.slice};
    high = {std::min(n.columns - 1, high.column + margin), std::min(n.rows - 1, high.row + margin), high.slice};
    const Dimensions size{high.column - low.column + 1, high.row - low.row + 1, high.slice - low.slice + 1};
    Anatomy out{{a.grid.cell_mm, a.grid.centre(low.column, low.row, low.slice), size}, Grid<float>(size), Grid<float>(size), Mask(size)};
    for (int k = 0; k < size.slices; ++k) {
        for (int j = 0; j < size.rows; ++j) {
            const auto from = a.body.offset(low.column, low.row + j, low.slice + k);
            const auto to = out.body.offset(0, j, k);
            std::copy_n(a.tissue.data() + from, size.columns, out.tissue.data() + to);
            std::copy_n(a.weight.data() + from, size.columns, out.weight.data() + to);
            std::copy_n(a.body.data() + from, size.columns, out.body.data() + to);
        }
    }
    return out;
}

/// Cells whose middle lies in the mask.
Mask cells_of(const Mask& mask, const VolumeGeometry& geometry, const UprightGrid& grid, const Rigid& into)
{
    Mask out(grid.size);
    for (int k = 0; k < grid.size.slices; ++k) {
        for (int j = 0; j < grid.size.rows; ++j) {
            for (int i = 0; i < grid.size.columns; ++i) out.at(i, j, k) = holds(mask, geometry, into(grid.centre(i, j, k)));
        }
    }
    return out;
}

void leave_out(Anatomy& anatomy, const RegisteredScan& scan, const Rigid& into)
{
    if (!scan.left_out) return;
    const auto cells = cells_of(*scan.left_out, scan.ct.geometry, anatomy.grid, into);
    for (std::size_t i = 0; i < cells.values().size(); ++i) {
        if (cells[i]) anatomy.weight[i] = 0;
    }
}

double percentile(std::vector<double>& values, double part)
{
    if (values.empty()) return 0;
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

Error cancelled() { return Error{Code::cancelled, "stopped while registering", "segmentation"}; }

}  // namespace

struct Registration::Content {
    RigidFit rigid;
    Anatomy fixed;
    Anatomy moving;       ///< after the rigid motion, on the same grid
    Field there;
    Field back;           ///< of the registration made the other way round
    UprightGrid back_grid;

    PatientPoint displaced(PatientPoint p) const { return displaced(there, fixed.grid, p); }
    PatientPoint displaced_back(PatientPoint p) const { return displaced(back, back_grid, p); }

private:
    static PatientPoint displaced(const Field& field, const UprightGrid& grid, PatientPoint p)
    {
        const auto at = (1 / grid.cell_mm) * (p - grid.origin);
        const auto u = displacement_at(field, at.x, at.y, at.z);
        return p + grid.cell_mm * PatientPoint{u[0], u[1], u[2]};
    }
};

PatientPoint Registration::to_moving(PatientPoint fixed) const { return content_->rigid.motion(content_->displaced(fixed)); }

PatientPoint Registration::to_fixed(PatientPoint moving) const
{
    constexpr int most_steps = 60;
    constexpr double close_mm = 0.01;
    const auto wanted = content_->rigid.motion.inverse()(moving);
    auto p = wanted;
    for (int i = 0; i < most_steps; ++i) {
        const auto off = wanted - content_->displaced(p);
        p = p + off;
        if (norm(off) < close_mm) break;
    }
    return p;
}

RegistrationTrust Registration::trust_around(const Mask& moving_mask, const VolumeGeometry& geometry) const
{
    const auto& c = *content_;
    const auto& grid = c.fixed.grid;
    const auto& n = grid.size;
    // The lesion as the fixed scan's grid would show it.
    Mask lesion(n);
    for (int k = 0; k < n.slices; ++k) {
        for (int j = 0; j < n.rows; ++j) {
            for (int i = 0; i < n.columns; ++i) lesion.at(i, j, k) = holds(moving_mask, geometry, to_moving(grid.centre(i, j, k)));
        }
    }
    RegistrationTrust out;
    if (std::none_of(lesion.values().begin(), lesion.values().end(), [](auto v) { return v != 0; })) return out;
    const auto inside_mm = signed_distance(lesion, {grid.cell_mm, grid.cell_mm, grid.cell_mm});
    const double cells = static_cast<double>(std::count(lesion.values().begin(), lesion.values().end(), 1));
    const double rim_mm = kDoubled * std::cbrt(0.75 * cells / std::numbers::pi) * grid.cell_mm;
    double around = 0, seen = 0;
    double count = 0, sum_f = 0, sum_m = 0, ff = 0, mm = 0, fm = 0;
    std::vector<double> off, jacobians;
    for (int k = 0; k < n.slices; ++k) {
        for (int j = 0; j < n.rows; ++j) {
            for (int i = 0; i < n.columns; ++i) {
                const auto at = lesion.offset(i, j, k);
                if (inside_mm[at] < -(kShell_mm + rim_mm) || !c.fixed.body[at]) continue;
                const bool near = inside_mm[at] >= -kShell_mm;
                around += near;
                const auto& u = c.there[at];
                const double x = i + u[0], y = j + u[1], z = k + u[2];
                const int a = static_cast<int>(std::lround(x)), b = static_cast<int>(std::lround(y)), d = static_cast<int>(std::lround(z));
                if (!n.contains(a, b, d) || !c.moving.body.at(a, b, d)) continue;
                seen += near;
                if (lesion[at] || c.moving.weight.at(a, b, d) <= 0 || c.fixed.weight[at] <= 0) continue;
                if (inside_mm[at] < -rim_mm) {
                    const double f = c.fixed.tissue[at], m = c.moving.tissue.at(a, b, d);
                    count += 1, sum_f += f, sum_m += m, ff += f * f, mm += m * m, fm += f * m;
                }
                if (!near) continue;
                const auto p = grid.centre(i, j, k);
                off.push_back(distance(p, c.displaced_back(c.displaced(p))));
                if (i + 1 >= n.columns || j + 1 >= n.rows || k + 1 >= n.slices) continue;
                std::array<PatientPoint, 3> column;
                const std::array<Four, 3> next{c.there.at(i + 1, j, k), c.there.at(i, j + 1, k), c.there.at(i, j, k + 1)};
                for (std::size_t axis = 0; axis < 3; ++axis) column[axis] = {next[axis][0] - u[0] + (axis == 0), next[axis][1] - u[1] + (axis == 1), next[axis][2] - u[2] + (axis == 2)};
                jacobians.push_back(dot(column[0], cross(column[1], column[2])));
            }
        }
    }
    // What lies beyond the fixed scan has no cell there: the lesion itself is asked for, too.
    constexpr std::size_t every = 37;  // a lesion of a few hundred voxels still has a dozen
    double all = 0, within = 0;
    std::size_t voxel = 0;
    for (int k = 0; k < moving_mask.size().slices; ++k) {
        for (int r = 0; r < moving_mask.size().rows; ++r) {
            for (int column = 0; column < moving_mask.size().columns; ++column) {
                if (!moving_mask.at(column, r, k) || voxel++ % every != 0) continue;
                const auto at = (1 / grid.cell_mm) * (to_fixed(geometry.to_patient(Index{column, r, k})) - grid.origin);
                const int i = static_cast<int>(std::lround(at.x)), j = static_cast<int>(std::lround(at.y)), d = static_cast<int>(std::lround(at.z));
                all += 1;
                within += n.contains(i, j, d);
            }
        }
    }
    out.covered = around > 0 ? std::min(seen / around, within / all) : 0;
    if (count < 2 || jacobians.empty()) return out;  // nothing to judge by: nothing is alike
    const double vf = ff - sum_f * sum_f / count, vm = mm - sum_m * sum_m / count;
    out.similarity = vf > 0 && vm > 0 ? (fm - sum_f * sum_m / count) / std::sqrt(vf * vm) : 0;
    out.round_trip_mm = percentile(off, 0.95);
    out.least_jacobian = percentile(jacobians, 0.01);
    return out;
}

Result<Registration> register_scans(const RegisteredScan& fixed, const RegisteredScan& moving, const RegistrationParameters& parameters, const Progress& progress)
{
    const int threads = parameters.threads;
    auto content = std::make_shared<Registration::Content>();
    if (!goes_on(progress, "registering", 0)) return cancelled();
    const auto search = anatomy_of(fixed.ct, upright_grid(fixed.ct.geometry, kSearchCell_mm), {}, threads);
    content->rigid = rigid_fit(search, anatomy_of(moving.ct, upright_grid(moving.ct.geometry, kSearchCell_mm), {}, threads), threads);
    if (content->rigid.correlation < kLeastCorrelation) {
        return Error{Code::not_evaluable, "the scans show too little of one body region in common (correlation " + retromass::fixed(content->rigid.correlation, 2) + ")", "segmentation"};
    }
    if (!goes_on(progress, "registering", 0.3)) return cancelled();
    const double patient_mm3 = std::pow(kSearchCell_mm, 3) * static_cast<double>(std::count(search.body.values().begin(), search.body.values().end(), 1));
    const double cell_mm = std::max(parameters.cell_mm, std::cbrt(patient_mm3 / kMostCells));
    content->fixed = cropped(anatomy_of(fixed.ct, upright_grid(fixed.ct.geometry, cell_mm), {}, threads));
    content->moving = anatomy_of(moving.ct, content->fixed.grid, content->rigid.motion, threads);
    leave_out(content->fixed, fixed, {});
    leave_out(content->moving, moving, content->rigid.motion);
    DeformParameters deform;
    deform.threads = threads;
    bool stopped = false;
    const auto between = [&](double from, double to) -> Progress {
        return [&, from, to](std::string_view stage, double fraction) {
            stopped = stopped || !goes_on(progress, stage, from + (to - from) * fraction);
            return !stopped;
        };
    };
    deform.progress = between(0.3, 0.8);
    content->there = deformation(content->fixed, content->moving, deform);
    if (stopped) return cancelled();
    deform.progress = between(0.8, 1);
    const auto from = halved(content->moving), to = halved(content->fixed);  // enough to see whether both agree
    content->back = deformation(from, to, deform);
    content->back_grid = from.grid;
    if (stopped) return cancelled();
    return Registration(std::move(content));
}

}  // namespace retromass::segmentation

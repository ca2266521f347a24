#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>

#include "core/parallel.h"
#include "sample_data/phantom.h"
#include "sample_data/random.h"
#include "sample_data/scan.h"

namespace retromass::sample_data {
namespace {

constexpr double pi = std::numbers::pi;
constexpr double kNecrotic_hu = 15;
constexpr int kSubsamples = 4;  // per axis, for partial volume

struct Named {
    std::string_view name;
    Shape shape;
};
constexpr std::array<Named, 9> kShapes{{{"ball", Shape::ball}, {"box", Shape::box}, {"ellipsoid", Shape::ellipsoid}, {"shell", Shape::shell}, {"dumbbell", Shape::dumbbell},
                                        {"crescent", Shape::crescent}, {"reuleaux", Shape::reuleaux}, {"two-components", Shape::two_components}, {"rim-necrosis", Shape::rim_necrosis}}};

/// A body centred on the origin: where it is, what lies inside it, and its exact sizes.
struct Body {
    std::function<bool(PatientPoint)> inside;
    std::function<bool(PatientPoint)> necrotic;
    Truth truth;
};

double ball_volume(double r) { return 4.0 / 3 * pi * r * r * r; }
double cap_volume(double r, double h) { return pi * h * h * (3 * r - h) / 3; }

/// Longest chord of a closed boundary and the widest outermost crossing perpendicular to it (definitions 2.2, 2.3), by dense points.
std::array<double, 2> sampled_axes(const std::vector<PatientPoint>& boundary)
{
    double longest = 0;
    double widest = 0;
    for (std::size_t i = 0; i < boundary.size(); ++i) {
        for (std::size_t j = i + 1; j < boundary.size(); ++j) longest = std::max(longest, distance(boundary[i], boundary[j]));
    }
    constexpr double tie_mm = 1e-4;  // of equal chords the one with the longer partner
    for (std::size_t i = 0; i < boundary.size(); ++i) {
        for (std::size_t j = i + 1; j < boundary.size(); ++j) {
            if (distance(boundary[i], boundary[j]) < longest - tie_mm) continue;
            const PatientPoint along = (1 / distance(boundary[i], boundary[j])) * (boundary[j] - boundary[i]);
            const PatientPoint across{-along.y, along.x, 0};
            constexpr int lines = 1000;
            std::vector<double> low(lines, 1e9);
            std::vector<double> high(lines, -1e9);
            for (std::size_t p = 0; p < boundary.size(); ++p) {
                const auto& a = boundary[p];
                const auto& b = boundary[(p + 1) % boundary.size()];
                const double sa = (dot(a - boundary[i], along) / longest) * (lines - 1);
                const double sb = (dot(b - boundary[i], along) / longest) * (lines - 1);
                for (int l = std::max(0, static_cast<int>(std::ceil(std::min(sa, sb)))); l <= std::min(lines - 1, static_cast<int>(std::floor(std::max(sa, sb)))); ++l) {
                    const double t = sb == sa ? 0 : (l - sa) / (sb - sa);
                    const double y = dot(a, across) + t * (dot(b, across) - dot(a, across));
                    low[static_cast<std::size_t>(l)] = std::min(low[static_cast<std::size_t>(l)], y);
                    high[static_cast<std::size_t>(l)] = std::max(high[static_cast<std::size_t>(l)], y);
                }
            }
            for (std::size_t l = 0; l < low.size(); ++l) widest = std::max(widest, high[l] - low[l]);
        }
    }
    return {longest, widest};
}

void add_arc(std::vector<PatientPoint>& out, PatientPoint centre, double radius, double from, double to, int points)
{
    for (int i = 0; i < points; ++i) {
        const double a = from + (to - from) * i / points;
        out.push_back({centre.x + radius * std::cos(a), centre.y + radius * std::sin(a), 0});
    }
}

Body ellipsoid_of(double x, double y, double z)
{
    Body b;
    const double a = x / 2;
    const double c = y / 2;
    const double d = z / 2;
    b.inside = [=](PatientPoint p) { return p.x * p.x / (a * a) + p.y * p.y / (c * c) + p.z * p.z / (d * d) < 1; };
    b.truth = {4.0 / 3 * pi * a * c * d / 1000, std::max(x, y), std::min(x, y), z, std::max({x, y, z}), std::nullopt, "closed form"};
    return b;
}

Body shape_body(const ShapeSpecification& s)
{
    const double x = s.size_mm[0];
    const double y = s.size_mm[1];
    const double z = s.size_mm[2];
    Body b;
    switch (s.shape) {
    case Shape::ball:
        b = ellipsoid_of(x, x, x);
        b.truth.surface_area_mm2 = pi * x * x;
        break;
    case Shape::ellipsoid: b = ellipsoid_of(x, y, z); break;
    case Shape::rim_necrosis: {
        b = ellipsoid_of(x, y, z);
        const double part = std::cbrt(s.necrotic_fraction);
        const auto inner = ellipsoid_of(x * part, y * part, z * part).inside;
        const double shift_mm = s.necrotic_offset * (1 - part) * y / 2;
        b.necrotic = [=](PatientPoint p) { return inner({p.x, p.y - shift_mm, p.z}); };
        break;
    }
    case Shape::shell: {  // hollow: the inner 60 % of the radius is not lesion
        b = ellipsoid_of(x, x, x);
        const double hole = 0.3 * x;
        const auto outer = b.inside;
        b.inside = [=](PatientPoint p) { return outer(p) && norm(p) > hole; };
        b.truth.volume_ml -= ball_volume(hole) / 1000;
        break;
    }
    case Shape::box: {
        b.inside = [=](PatientPoint p) { return std::abs(p.x) < x / 2 && std::abs(p.y) < y / 2 && std::abs(p.z) < z / 2; };
        // The long axis is the diagonal; the widest perpendicular crossing ends at a corner: short * sqrt(1 + (short / long)^2).
        const double m = std::min(x, y);
        const double n = std::max(x, y);
        b.truth = {x * y * z / 1000, std::hypot(x, y), m * std::hypot(1.0, m / n), z, std::hypot(x, y, z), 2 * (x * y + y * z + z * x), "closed form"};
        break;
    }
    case Shape::dumbbell: {  // two balls of diameter y, x long in all, joined by a neck of 0.4 of their radius
        const double r = y / 2;
        const double centre = x / 2 - r;
        const double q = 0.4 * r;
        b.inside = [=](PatientPoint p) {
            const double side = std::abs(p.x) - centre;
            return side * side + p.y * p.y + p.z * p.z < r * r || (std::abs(p.x) < centre && p.y * p.y + p.z * p.z < q * q);
        };
        const double reach = std::sqrt(r * r - q * q);
        // The neck adds a cylinder between the planes where it leaves the balls, less the caps of the balls beyond them.
        const double neck = pi * q * q * 2 * (centre - reach) - 2 * cap_volume(r, r - reach);
        b.truth = {(2 * ball_volume(r) + neck) / 1000, x, y, y, x, std::nullopt, "closed form"};
        break;
    }
    case Shape::crescent: {  // a ball of diameter x less an equal ball shifted by 0.7 of its radius along y
        const double r = x / 2;
        const double shift = 0.7 * r;
        b.inside = [=](PatientPoint p) { return norm(p) < r && norm(p - PatientPoint{0, shift, 0}) > r; };
        const double lens = pi * (4 * r + shift) * (2 * r - shift) * (2 * r - shift) / 12;
        const double tip = std::acos(0.35);  // both circles meet at y = shift / 2
        std::vector<PatientPoint> boundary;
        add_arc(boundary, {0, 0, 0}, r, pi / 2 + tip, 5 * pi / 2 - tip, 900);
        add_arc(boundary, {0, shift, 0}, r, 2 * pi - (pi / 2 - tip), pi + (pi / 2 - tip), 500);
        const auto axes = sampled_axes(boundary);
        b.truth = {(ball_volume(r) - lens) / 1000, axes[0], axes[1], 2 * r, axes[0], std::nullopt, "volume closed form, axes from the sampled outline"};
        break;
    }
    case Shape::reuleaux: {  // a prism over the curve of constant width x
        const double h = x / std::sqrt(3.0);
        const std::array<PatientPoint, 3> corners{{{h, 0, 0}, {-h / 2, x / 2, 0}, {-h / 2, -x / 2, 0}}};
        b.inside = [=](PatientPoint p) {
            const PatientPoint flat{p.x, p.y, 0};
            return std::abs(p.z) < z / 2 && distance(flat, corners[0]) < x && distance(flat, corners[1]) < x && distance(flat, corners[2]) < x;
        };
        b.truth = {(pi - std::sqrt(3.0)) / 2 * x * x * z / 1000, x, x, z, std::hypot(x, z), std::nullopt, "closed form"};
        break;
    }
    case Shape::two_components: {  // two balls of diameter y, x long in all, apart
        const double r = y / 2;
        const double centre = x / 2 - r;
        b.inside = [=](PatientPoint p) {
            const double side = std::abs(p.x) - centre;
            return side * side + p.y * p.y + p.z * p.z < r * r;
        };
        b.truth = {2 * ball_volume(r) / 1000, y, y, y, x, std::nullopt, "closed form"};
        break;
    }
    }
    return b;
}

}  // namespace

std::optional<Shape> shape_named(std::string_view name)
{
    for (const auto& row : kShapes) {
        if (row.name == name) return row.shape;
    }
    return std::nullopt;
}

Result<ShapePhantom> make_shape(const ShapeSpecification& s)
{
    const auto refuse = [](std::string why) { return Error{Code::usage, std::move(why), "sample_data: make_shape"}; };
    if (s.size_mm.size() != 3 || !(s.size_mm[0] > 0) || !(s.size_mm[1] > 0) || !(s.size_mm[2] > 0)) return refuse("a shape needs three positive extents");
    if (!(s.necrotic_fraction >= 0 && s.necrotic_fraction <= 1 && s.necrotic_offset >= 0 && s.necrotic_offset <= 1)) return refuse("the necrotic part and its offset lie between 0 and 1");
    const bool two_balls = s.shape == Shape::dumbbell || s.shape == Shape::two_components;
    if (two_balls && s.size_mm[0] <= 2 * s.size_mm[1]) return refuse("dumbbell and two-components need a length of more than two diameters");
    const auto body = shape_body(s);
    ShapePhantom out;
    RETROMASS_TRY_ASSIGN(out.ct.geometry, scan_geometry(s, s.grid, {}));
    const auto frame = measuring_frame(out.ct.geometry);
    out.ct.hu = Grid<std::int16_t>(s.grid);
    out.mask = Mask(s.grid);
    out.truth = body.truth;
    const auto& g = out.ct.geometry;
    parallel_for(s.grid.slices, 0, [&](int k) {
        for (int r = 0; r < s.grid.rows; ++r) {
            for (int c = 0; c < s.grid.columns; ++c) {
                const auto i = out.mask.offset(c, r, k);
                out.mask[i] = body.inside(frame.local(g.to_patient(Index{c, r, k})));
                double hu = 0;
                for (int t = 0; t < kSubsamples * kSubsamples * kSubsamples; ++t) {
                    const auto part = [&](int index) { return (index + 0.5) / kSubsamples - 0.5; };
                    const auto p = frame.local(g.to_patient(ContinuousIndex{c + part(t % kSubsamples), r + part(t / kSubsamples % kSubsamples), k + part(t / (kSubsamples * kSubsamples))}));
                    hu += !body.inside(p) ? s.surrounding_hu : body.necrotic && body.necrotic(p) ? kNecrotic_hu : s.lesion_hu;
                }
                hu /= kSubsamples * kSubsamples * kSubsamples;
                hu += s.noise_hu * normal_of(mixed(s.seed ^ mixed(i)));
                out.ct.hu[i] = static_cast<std::int16_t>(std::clamp(std::lround(hu), -1024L, 3071L));
            }
        }
    });
    return out;
}

}  // namespace retromass::sample_data

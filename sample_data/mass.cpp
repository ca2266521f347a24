#include "sample_data/mass.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace retromass::sample_data {
namespace {

std::vector<Lobe> lobes_of(std::vector<Lobe> lobes, double height)
{
    for (auto& lobe : lobes) {
        lobe.direction = (1 / norm(lobe.direction)) * lobe.direction;
        lobe.height *= height;
    }
    return lobes;
}

}  // namespace

// Lobes and dents wide enough that no radiologist would call them spikes.
std::vector<Lobe> irregular_lobes(double height)
{
    return lobes_of({{{0.80, 0.45, 0.35}, 1.0, 5},
                     {{-0.75, 0.55, -0.30}, 0.9, 6},
                     {{-0.55, -0.75, 0.25}, 1.0, 5},
                     {{0.60, -0.70, -0.35}, 0.8, 7},
                     {{0.05, 0.35, -0.90}, 0.6, 6},
                     {{0.10, -0.95, 0.20}, -0.8, 8},
                     {{0.95, -0.10, 0.05}, -0.5, 9}},
                    height);
}

// Four equal lobes in the plane, so that the axes across each other are alike.
std::vector<Lobe> even_lobes(double height)
{
    return lobes_of({{{1, 1, 0}, 1.0, 5},
                     {{-1, 1, 0}, 1.0, 5},
                     {{-1, -1, 0}, 1.0, 5},
                     {{1, -1, 0}, 1.0, 5},
                     {{0.3, 0.1, 0.95}, 0.6, 6},
                     {{-0.4, 0.2, -0.90}, 0.5, 6},
                     {{0.1, -0.5, -0.85}, -0.4, 8}},
                    height);
}

LobulatedMass::LobulatedMass(PatientPoint centre, std::array<double, 3> half_mm, double turn_deg, std::vector<Lobe> lobes)
    : centre_(centre), half_mm_(half_mm), cosine_(std::cos(turn_deg * std::numbers::pi / 180)), sine_(std::sin(turn_deg * std::numbers::pi / 180)), lobes_(std::move(lobes))
{
    double height = 0;
    for (const auto& lobe : lobes_) height += std::max(0.0, lobe.height);
    reach_ = (1 + height) * *std::max_element(half_mm_.begin(), half_mm_.end());
}

double LobulatedMass::surface(PatientPoint direction) const
{
    double radius = 1;
    for (const auto& lobe : lobes_) radius += lobe.height * std::exp(lobe.sharpness * (dot(direction, lobe.direction) - 1));
    return radius;
}

PatientPoint LobulatedMass::scaled(PatientPoint p) const
{
    const PatientPoint d = p - centre_;
    return {(cosine_ * d.x + sine_ * d.y) / half_mm_[0], (-sine_ * d.x + cosine_ * d.y) / half_mm_[1], d.z / half_mm_[2]};
}

PatientPoint LobulatedMass::unscaled(PatientPoint q) const
{
    const double x = q.x * half_mm_[0];
    const double y = q.y * half_mm_[1];
    return centre_ + PatientPoint{cosine_ * x - sine_ * y, sine_ * x + cosine_ * y, q.z * half_mm_[2]};
}

double LobulatedMass::depth_mm(PatientPoint p) const
{
    const PatientPoint q = scaled(p);
    const double radius = norm(q);
    if (radius < 1e-9) return half_mm_[1];
    const double edge = surface((1 / radius) * q);
    // The radial gap in the scaled frame times the local mm per unit along the gradient of the unperturbed body.
    const double gradient = std::sqrt(q.x * q.x / (half_mm_[0] * half_mm_[0]) + q.y * q.y / (half_mm_[1] * half_mm_[1]) + q.z * q.z / (half_mm_[2] * half_mm_[2])) / radius;
    return (edge - radius) / gradient;
}

PatientPoint LobulatedMass::outward(PatientPoint p) const
{
    constexpr double h = 0.5;
    const PatientPoint g{depth_mm({p.x - h, p.y, p.z}) - depth_mm({p.x + h, p.y, p.z}), depth_mm({p.x, p.y - h, p.z}) - depth_mm({p.x, p.y + h, p.z}),
                         depth_mm({p.x, p.y, p.z - h}) - depth_mm({p.x, p.y, p.z + h})};
    const double length = norm(g);
    return length > 1e-9 ? (1 / length) * g : PatientPoint{0, -1, 0};
}

PatientPoint LobulatedMass::middle_of(PatientPoint n, double offset_mm) const
{
    // The centres of an ellipsoid's parallel sections lie on the line along M n, M its second moments.
    const PatientPoint local{cosine_ * n.x + sine_ * n.y, -sine_ * n.x + cosine_ * n.y, n.z};
    const PatientPoint m{local.x * half_mm_[0] * half_mm_[0], local.y * half_mm_[1] * half_mm_[1], local.z * half_mm_[2] * half_mm_[2]};
    const PatientPoint along{cosine_ * m.x - sine_ * m.y, sine_ * m.x + cosine_ * m.y, m.z};
    return centre_ + (offset_mm / dot(along, n)) * along;
}

}  // namespace retromass::sample_data

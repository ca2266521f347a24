#include "sample_data/solids.h"

#include <numbers>

namespace retromass::sample_data {

Colour plain(double hu)
{
    return [hu](PatientPoint, double) { return hu; };
}

Colour bone(double shell_mm, double cancellous_hu)
{
    return [=](PatientPoint, double depth) { return depth < shell_mm ? 720.0 : cancellous_hu; };
}

Solid ellipsoid(PatientPoint c, PatientPoint r, Colour hu, double turn_deg, double lean_deg)
{
    const double t = turn_deg * std::numbers::pi / 180;
    const double l = lean_deg * std::numbers::pi / 180;
    const PatientPoint x{std::cos(t), std::sin(t), 0};
    const PatientPoint y{-std::sin(t) * std::cos(l), std::cos(t) * std::cos(l), std::sin(l)};
    const PatientPoint z = cross(x, y);
    const auto reach = [&](double a, double b, double d) { return std::sqrt(a * a * r.x * r.x + b * b * r.y * r.y + d * d * r.z * r.z); };
    const PatientPoint half{reach(x.x, y.x, z.x), reach(x.y, y.y, z.y), reach(x.z, y.z, z.z)};
    Solid s;
    s.low = c - half;
    s.high = c + half;
    s.depth = [=](PatientPoint p) {
        const auto d = p - c;
        const PatientPoint q{dot(d, x) / r.x, dot(d, y) / r.y, dot(d, z) / r.z};
        const double square = dot(q, q);
        const double slope = std::sqrt(q.x * q.x / (r.x * r.x) + q.y * q.y / (r.y * r.y) + q.z * q.z / (r.z * r.z));
        if (slope < 1e-9) return std::min({r.x, r.y, r.z});
        const double q_norm = std::sqrt(square);
        return (1 - q_norm) * q_norm / slope;
    };
    s.hu = std::move(hu);
    return s;
}

Solid piece(const Node& a, const Node& b, Colour hu)
{
    const double r = std::max(a.radius, b.radius);
    const PatientPoint half{r, r, r};
    Solid s;
    s.low = PatientPoint{std::min(a.p.x, b.p.x), std::min(a.p.y, b.p.y), std::min(a.p.z, b.p.z)} - half;
    s.high = PatientPoint{std::max(a.p.x, b.p.x), std::max(a.p.y, b.p.y), std::max(a.p.z, b.p.z)} + half;
    const auto along = b.p - a.p;
    const double square = std::max(1e-9, dot(along, along));
    s.depth = [=](PatientPoint p) {
        const auto d = p - a.p;
        const double t = std::clamp(dot(d, along) / square, 0.0, 1.0);
        return a.radius + t * (b.radius - a.radius) - norm(d - t * along);
    };
    s.hu = std::move(hu);
    return s;
}

void add_tube(std::vector<Solid>& out, const std::vector<Node>& nodes, const Colour& hu, double gap_mm)
{
    for (std::size_t i = 0; i + 1 < nodes.size(); ++i) {
        out.push_back(piece(nodes[i], nodes[i + 1], hu));
        out.back().gap_mm = gap_mm;
    }
}

std::vector<Node> smooth(const std::vector<Node>& n, double step_mm)
{
    std::vector<Node> out;
    for (std::size_t i = 0; i + 1 < n.size(); ++i) {
        const auto& a = n[i > 0 ? i - 1 : 0];
        const auto& b = n[i];
        const auto& c = n[i + 1];
        const auto& d = n[std::min(i + 2, n.size() - 1)];
        const int steps = std::max(1, static_cast<int>(distance(b.p, c.p) / step_mm));
        for (int s = 0; s < steps; ++s) {
            const double t = static_cast<double>(s) / steps;
            const auto p = b.p + (0.5 * t) * ((c.p - a.p) + t * ((2.0 * a.p - 5.0 * b.p + 4.0 * c.p - d.p) + t * (3.0 * (b.p - c.p) + d.p - a.p)));
            out.push_back({p, b.radius + t * (c.radius - b.radius)});
        }
    }
    if (!n.empty()) out.push_back(n.back());
    return out;
}

}  // namespace retromass::sample_data

#include <array>
#include <cmath>
#include <numbers>

#include "sample_data/body.h"
#include "sample_data/random.h"
#include "sample_data/solids.h"
#include "sample_data/texture.h"
#include "sample_data/yield.h"

namespace retromass::sample_data {
namespace {

constexpr double kGas_hu = -920;
constexpr double kWall_mm = 2.2;
constexpr double kLink_mm = 12;

/// A tube of bowel: first all of its wall, then all it holds, so that no partition is drawn inside.
void add_hollow(std::vector<Solid>& out, const std::vector<Node>& nodes, double wall_mm, const Colour& wall, const std::function<Colour(const Node&)>& content, double gap_mm)
{
    add_tube(out, nodes, wall, gap_mm);
    for (std::size_t i = 0; i + 1 < nodes.size(); ++i) {
        Node a = nodes[i];
        Node b = nodes[i + 1];
        a.radius = std::max(0.8, a.radius - wall_mm);
        b.radius = std::max(0.8, b.radius - wall_mm);
        out.push_back(piece(a, b, content(nodes[i])));
        out.back().gap_mm = gap_mm + wall_mm;
    }
}

/// Fluid of this density, with gas above the level where there is any: it rises to the front of a lying patient.
Colour filled(double fluid_hu, double gas_above_y)
{
    return [=](PatientPoint p, double) { return p.y < gas_above_y ? kGas_hu : fluid_hu; };
}

Colour stool(double gas_above_y)
{
    return [=](PatientPoint p, double) {
        if (p.y < gas_above_y) return kGas_hu;
        const double v = value_noise({p.x / 4.5, p.y / 4.5, p.z / 5}, 3) + 0.5 * value_noise({p.x / 2, p.y / 2, p.z / 2.5}, 4);
        return v > 0.4 ? -420.0 : 30 - 60 * v;
    };
}

/// The place of a length of small bowel: nodes on a string that keep clear of wall, mass, solids and of one another.
class Packing {
public:
    Packing(const Body& body, const Wall& wall, const LobulatedMass* mass, std::vector<Node> obstacles, std::uint64_t seed) : body_(body), behind_(mass ? std::clamp(18 - 0.1 * mass->reach(), 0.0, 14.0) : 0.0), wall_(wall), mass_(mass), obstacles_(std::move(obstacles)), seed_(seed) {}

    std::vector<Node> packed(int count)
    {
        std::vector<Node> nodes;
        PatientPoint p = body_.at(60, -20, 285);
        for (int i = 0; i < count; ++i) {
            const double t = static_cast<double>(i) / count;
            // Jejunum upper left, ileum lower right: rows that sink from side to side.
            const double sweep = std::sin(2 * std::numbers::pi * (i / 31.0 + 0.15 * random(i, 0)));
            const auto goal = body_.at(28 - 30 * t + (98 - 28 * t) * sweep, -34 + 42 * std::sin(i * 0.9 + random(i, 1)), 290 - 185 * t + 12 * random(i, 2));
            const auto d = goal - p;
            p = p + (std::min(1.0, 1.3 * kLink_mm / std::max(1e-6, norm(d)))) * d;
            nodes.push_back({p, radius(i)});
        }
        for (int pass = 0; pass < 160; ++pass) relax(nodes, pass);
        for (auto& n : nodes) {
            for (int pass = 0; pass < 30; ++pass) stay_inside(n);  // crowding never pushes a loop through the wall
        }
        return nodes;
    }

private:
    double random(int i, int which) const { return 2.0 * uniform_of(mixed(seed_ ^ mixed(static_cast<std::uint64_t>(i) * 31 + static_cast<std::uint64_t>(which)))) - 1; }
    double radius(int i) const
    {
        const double slow = std::sin(i * 0.23 + 3 * random(i / 14, 3));
        return body_.size() * (12 + 3 * slow + 0.8 * random(i, 4));
    }

    void relax(std::vector<Node>& n, int pass) const
    {
        for (std::size_t i = 0; i + 1 < n.size(); ++i) {
            const auto d = n[i + 1].p - n[i].p;
            const double length = norm(d);
            if (length < 1e-6) continue;
            const PatientPoint half = (0.5 * (length - kLink_mm) / length) * d;
            n[i].p = n[i].p + half;
            n[i + 1].p = n[i + 1].p - half;
        }
        for (std::size_t i = 0; i < n.size(); ++i) {
            for (std::size_t j = i + 3; j < n.size(); ++j) {
                const auto d = n[j].p - n[i].p;
                const double least = n[i].radius + n[j].radius + 0.5;
                const double square = dot(d, d);
                if (square >= least * least || square < 1e-6) continue;
                const double length = std::sqrt(square);
                const PatientPoint half = (0.25 * (least - length) / length) * d;
                n[i].p = n[i].p - half;
                n[j].p = n[j].p + half;
            }
            for (const auto& o : obstacles_) {
                const auto d = n[i].p - o.p;
                const double least = n[i].radius + o.radius;
                const double square = dot(d, d);
                if (square >= least * least || square < 1e-6) continue;
                const double length = std::sqrt(square);
                n[i].p = n[i].p + (0.6 * (least - length) / length) * d;
            }
            hold(n[i], pass);
        }
    }

    void stay_inside(Node& n) const
    {
        const double room = wall_.depth(n.p) - wall_.muscle_mm(n.p) - 4 - n.radius;
        if (room >= 0) return;
        const auto in = body_.at(20, -15, n.p.z / body_.height) - n.p;
        n.p = n.p + (std::min(4.0, -room) / std::max(1.0, norm(in))) * in;
    }

    void hold(Node& n, int pass) const
    {
        const double sunk = pass < 60 ? 2 : 0.5;
        n.p = yielded(mass_, n.p, n.radius + behind_, sunk);
        stay_inside(n);
        // Not behind the great vessels and the psoas, nor below the peritoneum's floor.
        const double x = std::abs(n.p.x) / body_.width;
        const double z = n.p.z / body_.height;
        const double back = (z < 150 ? 40 + (150 - z) * 0.25 : x < 70 ? 36.0 : 60.0) * body_.depth - n.radius;
        if (n.p.y > back) n.p.y -= std::min(4.0, n.p.y - back);
        const double floor = (88 + 0.05 * x) * body_.height;
        if (n.p.z < floor + n.radius) n.p.z += std::min(4.0, floor + n.radius - n.p.z);
        const double ceiling = (x < 20 ? 300 : 318) * body_.height;
        if (n.p.z > ceiling) n.p.z -= std::min(4.0, n.p.z - ceiling);
    }

    const Body& body_;
    double behind_;  ///< fat behind the peritoneum that stays between a mass and the loops; a large mass uses it up, mm
    const Wall& wall_;
    const LobulatedMass* mass_;
    std::vector<Node> obstacles_;
    std::uint64_t seed_;
};

/// A path that gives way to the mass and stays inside the wall.
std::vector<Node> laid(const std::vector<Node>& nodes, const Wall& wall, const LobulatedMass* mass, const Body& body, double step_mm)
{
    auto fine = smooth(nodes, step_mm);
    const double behind = mass ? std::clamp(18 - 0.1 * mass->reach(), 0.0, 14.0) : 0.0;  // as for the loops
    for (int pass = 0; pass < 60; ++pass) {
        for (auto& n : fine) {
            n.p = yielded(mass, n.p, n.radius + behind, 2);
            // Not on the great vessels: a mass there carries the duodenum to the left.
            if (n.p.z > 185 * body.height && std::abs(n.p.x) < 55 * body.width && n.p.y + n.radius > 40 * body.depth) n.p = n.p + PatientPoint{5, -3, 0};
            const double room = wall.depth(n.p) - wall.muscle_mm(n.p) - 3 - n.radius;
            if (room < 0) {
                const auto in = body.at(20, -15, n.p.z / body.height) - n.p;
                n.p = n.p + (std::min(8.0, -room) / std::max(1.0, norm(in))) * in;
                // A mass behind the peritoneum leaves no room at the flank: what is caught there slides to the front.
                if (mass && mass->depth_mm(n.p) > -n.radius) n.p = n.p + PatientPoint{0.3 * n.radius, -0.45 * n.radius, 0};
            }
        }
        const auto before = fine;
        for (std::size_t i = 1; pass < 59 && i + 1 < fine.size(); ++i) fine[i].p = 0.6 * before[i].p + 0.2 * (before[i - 1].p + before[i + 1].p);
    }
    return fine;
}

void add_colon(std::vector<Solid>& out, std::vector<Node>& obstacles, const Body& body, const Wall& wall, const Tissue& tissue, const LobulatedMass* mass, std::uint64_t study)
{
    const double s = body.size();
    const auto n = [&](double x, double y, double z, double r) { return Node{body.at(x, y, z), r * s}; };
    const double sag = 26 * body.varied(30);
    auto path = laid({n(-98, -22, 146, 25), n(-108, -2, 180, 26), n(-114, 18, 230, 24), n(-112, 8, 275, 23), n(-92, -40, 284, 21), n(-52, -84, 262 - sag, 20), n(5, -90, 248 - sag, 20), n(60, -82, 275, 20),
                      n(104, -34, 322, 19), n(124, 20, 338, 19), n(128, 40, 300, 16), n(130, 46, 240, 15), n(122, 30, 185, 15), n(100, 2, 148, 14), n(62, -26, 128, 14), n(34, 0, 122, 13), n(12, 48, 126, 13),
                      n(2, 76, 104, 15), n(0, 72, 68, 18), n(0, 52, 34, 13), n(0, 56, 6, 8)},
                     wall, mass, body, 6);
    for (const auto& node : path) obstacles.push_back({node.p, node.radius + 1});
    for (std::size_t i = 0; i < path.size(); ++i) path[i].radius *= 0.9 + 0.12 * std::sin(static_cast<double>(i) * 1.15);  // haustra
    const auto gas = [&](const Node& node) {
        const double part = 1.3 * uniform_of(mixed(study ^ static_cast<std::uint64_t>(std::lround(node.p.z / 45 + node.p.x / 60)))) - 0.8;
        return node.p.y + node.radius * std::min(0.35, part);
    };
    const std::size_t from = path.size() * 2 / 3;
    add_hollow(out, std::vector<Node>(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(from) + 1), kWall_mm, plain(tissue.bowel_wall), [&](const Node& node) { return stool(gas(node)); }, 3);
    add_hollow(out, std::vector<Node>(path.begin() + static_cast<std::ptrdiff_t>(from), path.end()), kWall_mm + 0.6, plain(tissue.bowel_wall), [&](const Node& node) { return stool(gas(node) - 0.4 * node.radius); }, 1.4);
}

void add_stomach(std::vector<Solid>& out, std::vector<Node>& obstacles, const Body& body, const Wall& wall, const Tissue& tissue, const LobulatedMass* mass)
{
    const double s = body.size();
    const auto n = [&](double x, double y, double z, double r) { return Node{body.at(x, y, z), r * s}; };
    const auto stomach = laid({n(70, 24, 398, 26), n(80, 4, 382, 32), n(82, -30, 352, 28), n(58, -60, 325, 23), n(16, -68, 312, 19), n(-16, -56, 312, 13)}, wall, nullptr, body, 7);
    add_hollow(out, stomach, 4, plain(tissue.bowel_wall + 6), [&](const Node&) { return filled(22, -28 * body.depth); }, 1.5);
    for (const auto& node : stomach) obstacles.push_back(node);
    // The duodenum turns round the head of the pancreas and crosses before the great vessels.
    auto loop = laid({n(-16, -56, 312, 11), n(-42, -42, 312, 12), n(-52, -16, 292, 13), n(-50, 2, 262, 13), n(-30, 14, 240, 12), n(0, 26, 236, 11), n(28, 24, 252, 11), n(48, -8, 280, 11), n(60, -20, 285, 11)}, wall, mass, body, 6);
    for (const auto& node : loop) obstacles.push_back(node);
    add_hollow(out, loop, kWall_mm, plain(tissue.bowel_wall), [&](const Node& node) { return filled(28, node.p.y - 0.7 * node.radius); }, 2.5);
}

/// Superior mesenteric artery and vein with branches to the loops: what makes a mesentery look like one.
void add_mesentery(std::vector<Solid>& out, const Body& body, const Tissue& tissue, const LobulatedMass* mass, const std::vector<Node>& loops)
{
    const double s = body.size();
    const auto trunk = [&](double shift, double radius) {
        std::vector<Node> nodes{{body.at(10 + shift, 40, 322), radius}, {body.at(8 + shift, 22, 302), radius}, {body.at(5 + shift, 8, 275), radius * 0.95}, {body.at(-2 + shift, -4, 240), radius * 0.8}, {body.at(-18 + shift, -6, 200), radius * 0.6}, {body.at(-40 + shift, -4, 168), radius * 0.45}};
        auto fine = smooth(nodes, 8);
        for (auto& n : fine) n.p = yielded(mass, n.p, n.radius + 3, 0);
        return fine;
    };
    const auto artery = trunk(4, 3.6 * s);
    auto vein = trunk(-9, 5 * s);
    vein.front().p = body.at(-14, -10, 312);
    add_tube(out, vein, plain(tissue.portal - 6), 0.8);
    add_tube(out, artery, plain(tissue.aorta), 0.8);
    for (std::size_t i = 2; i < loops.size(); i += 4) {
        const auto& loop = loops[i];
        for (const bool arterial : {true, false}) {
            const std::vector<Node>* from = arterial ? &artery : &vein;
            std::size_t best = 0;
            for (std::size_t k = 1; k < from->size(); ++k) {
                // Branches run outwards and down, not back up.
                if (distance((*from)[k].p, loop.p) + std::max(0.0, loop.p.z - (*from)[k].p.z) < distance((*from)[best].p, loop.p) + std::max(0.0, loop.p.z - (*from)[best].p.z)) best = k;
            }
            const auto& root = (*from)[best];
            const PatientPoint aside{arterial ? 1.8 : -1.8, 1.5, arterial ? 2.0 : -2.0};
            const auto d = loop.p - root.p;
            if (norm(d) < loop.radius + 4) continue;
            const auto end = loop.p - ((loop.radius - 0.5) / norm(d)) * d;
            const double thick = arterial ? 1.3 : 1.9;
            auto branch = smooth({{root.p, thick * s}, {root.p + 0.35 * d + aside + PatientPoint{0, -3, -6}, 0.85 * thick * s}, {root.p + 0.7 * d + aside + PatientPoint{0, -2, -3}, 0.7 * thick * s}, {end, 0.45 * thick * s}}, 9);
            for (auto& n : branch) n.p = yielded(mass, n.p, n.radius + 2, 0);
            add_tube(out, branch, plain(arterial ? 0.75 * tissue.aorta : 0.85 * tissue.portal), 0.8);
        }
    }
}

}  // namespace

void add_bowel(std::vector<Solid>& out, const Body& body, const Wall& wall, const Tissue& tissue, const LobulatedMass* mass, std::uint64_t study)
{
    std::vector<Node> obstacles;
    std::vector<Solid> colon;
    std::vector<Solid> stomach;
    add_colon(colon, obstacles, body, wall, tissue, mass, study);
    add_stomach(stomach, obstacles, body, wall, tissue, mass);
    for (const auto& [x, y, z, r] : {std::array{0.0, 8.0, 78.0, 27.0}, std::array{0.0, -30.0, 48.0, 40.0}, std::array{-100.0, 10.0, 320.0, 48.0}, std::array{-60.0, -45.0, 325.0, 34.0}}) obstacles.push_back({body.at(x, y, z), r * body.size()});
    const double taken = mass ? std::pow(mass->reach() / 190, 3) : 0;
    const auto loops = Packing(body, wall, mass, obstacles, study).packed(static_cast<int>(350 - 120 * std::min(1.0, taken)));
    add_mesentery(out, body, tissue, mass, loops);
    out.insert(out.end(), colon.begin(), colon.end());
    // Stretches of about a dozen nodes are collapsed, hold fluid, fluid with gas, or the contrast that was drunk.
    constexpr std::size_t stretch = 12;
    for (std::size_t first = 0; first + 1 < loops.size(); first += stretch) {
        std::vector<Node> part(loops.begin() + static_cast<std::ptrdiff_t>(first), loops.begin() + static_cast<std::ptrdiff_t>(std::min(loops.size(), first + stretch + 1)));
        const auto draw = mixed(study + first * 7919);
        const double kind = uniform_of(draw);
        const double fluid = 14 + 24 * uniform_of(mixed(draw));
        const double gap = 1.2 + 2.4 * uniform_of(mixed(draw + 1));
        const auto content = [&](const Node& n) {
            if (kind < 0.2) return plain(tissue.bowel_wall - 14);
            if (kind < 0.36) return filled(fluid, -1e3);
            if (kind < 0.58) return filled(fluid, n.p.y - 0.25 * n.radius);
            return filled(235, n.p.y - 0.75 * n.radius);
        };
        if (kind < 0.2) {
            for (auto& n : part) n.radius *= 0.78;
        }
        add_hollow(out, smooth(part, 4), kWall_mm, plain(tissue.bowel_wall), content, gap);
    }
    out.insert(out.end(), stomach.begin(), stomach.end());
}

}  // namespace retromass::sample_data

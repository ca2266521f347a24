#include <cmath>

#include "sample_data/body.h"
#include "sample_data/solids.h"
#include "sample_data/yield.h"

namespace retromass::sample_data {
namespace {

constexpr double kArterial_mm = -2.5;  // an artery stays round, with its sheath of fat
constexpr double kSunkCava_mm = 2;  // a vein under a mass is flattened more than it moves

std::vector<Node> beside(const LobulatedMass* mass, const std::vector<Node>& nodes, double sunk)
{
    auto fine = smooth(nodes, 6);
    for (auto& n : fine) n.p = yielded(mass, n.p, n.radius, std::min(sunk, 0.8 * n.radius), true);
    // What the mass pushed at one height bends its neighbours.
    for (int pass = 0; pass < 8; ++pass) {
        const auto before = fine;
        for (std::size_t i = 1; i + 1 < fine.size(); ++i) fine[i].p = 0.5 * before[i].p + 0.25 * (before[i - 1].p + before[i + 1].p);
    }
    for (auto& n : fine) n.p = yielded(mass, n.p, n.radius, std::min(sunk, 0.8 * n.radius), true);
    return fine;
}

}  // namespace

void add_vessels(std::vector<Solid>& out, const Body& body, const Tissue& tissue, const LobulatedMass* mass)
{
    const double s = body.size();
    const auto at = [&](double x, double y, double z) { return body.at(x, y, z); };
    const Colour artery = [hu = tissue.aorta](PatientPoint p, double depth) { return depth < 1.2 && std::sin(p.x * 0.9) * std::sin(p.z * 0.35) > 0.75 ? 480.0 : hu; };  // a little calcium
    // The vena cava first: arteries cross in front of it.
    const Colour vein = [=](PatientPoint p, double) { return p.z < 285 * body.height ? tissue.cava_below_kidneys : tissue.cava; };
    add_tube(out, beside(mass, {{at(-16, 54, 188), 8.5 * s}, {at(-18, 52, 230), 10.5 * s}, {at(-18, 48, 285), 11.5 * s}, {at(-20, 42, 340), 12 * s}, {at(-20, 38, 400), 12.5 * s}, {at(-14, 22, 436), 13 * s}}, kSunkCava_mm), vein, 0);
    for (const double side : {1.0, -1.0}) {
        add_tube(out, beside(mass, {{at(-15, 55, 190), 8 * s}, {at(side * 24, 56, 160), 7.5 * s}, {at(side * 46, 34, 120), 7 * s}, {at(side * 58, -14, 78), 6.5 * s}, {at(side * 58, -48, 30), 6.5 * s}, {at(side * 58, -54, 0), 6.5 * s}}, -1), plain(tissue.cava_below_kidneys - 10), 1.5);
        add_tube(out, beside(mass, {{at(8, 48, 198), 6.5 * s}, {at(side * 22, 45, 168), 6 * s}, {at(side * 44, 25, 126), 5.5 * s}, {at(side * 64, -20, 80), 5 * s}, {at(side * 66, -52, 32), 5 * s}, {at(side * 66, -58, 0), 5 * s}}, kArterial_mm), artery, 1.5);
        add_tube(out, smooth({{at(side * 40, 30, 132), 4 * s}, {at(side * 48, 50, 100), 3.5 * s}, {at(side * 46, 52, 70), 2.5 * s}}, 6), artery, 0.4);
    }
    add_tube(out, beside(mass, {{at(9, 50, 196), 8.5 * s}, {at(12, 50, 230), 9 * s}, {at(12, 53, 290), 10 * s}, {at(10, 58, 350), 11 * s}, {at(8, 60, 410), 12 * s}, {at(10, 62, 470), 12 * s}}, kArterial_mm), artery, 1.5);
    // Coeliac trunk to liver and spleen; splenic and portal vein.
    add_tube(out, smooth({{at(10, 48, 338), 3.5 * s}, {at(8, 24, 336), 3 * s}, {at(-22, 2, 342), 2.5 * s}, {at(-50, -8, 352), 2 * s}}, 5), plain(tissue.aorta), 1);
    add_tube(out, smooth({{at(8, 24, 336), 2.6 * s}, {at(40, 12, 344), 2.4 * s}, {at(90, 32, 356), 2 * s}}, 5), plain(tissue.aorta), 1);
    add_tube(out, smooth({{at(92, 30, 352), 3.6 * s}, {at(45, 4, 330), 4 * s}, {at(-8, -10, 312), 5 * s}, {at(-24, -6, 335), 6.5 * s}, {at(-32, -8, 350), 6.5 * s}}, 5), plain(tissue.portal), 1);
}

}  // namespace retromass::sample_data

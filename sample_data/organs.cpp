#include <cmath>
#include <numbers>

#include "sample_data/body.h"
#include "sample_data/random.h"
#include "sample_data/solids.h"
#include "sample_data/texture.h"
#include "sample_data/yield.h"

namespace retromass::sample_data {
namespace {

/// Height of the diaphragm, which bounds the liver from above and the lungs from below.
double diaphragm(const Body& body, PatientPoint p)
{
    const double x = p.x / body.width;
    const double y = p.y / body.depth;
    const double side = std::abs(x) - 70;
    const double across = side > 0 ? side * side / 8200 : side * side / 16000;
    const double top = x < 0 ? 434 : 422;
    const double from = y > 0 ? (y + 12) * (y + 12) / 12500 : (y + 12) * (y + 12) / 21000;
    return (top - 108 * (across + from)) * body.height;
}

void add_liver(std::vector<Solid>& out, const Body& body, const Wall& wall, const Tissue& tissue)
{
    const double s = body.size() * (1 + 0.06 * body.varied(10));
    const double tip = 12 * body.varied(11);
    const std::vector<Solid> lobes{ellipsoid(body.at(-84, 4, 382), {90 * s, 88 * s, 68 * s}, {}), ellipsoid(body.at(-114, 22, 330 - tip), {40 * s, 54 * s, (62 + tip) * s}, {}, 12),
                                   ellipsoid(body.at(-2, -50, 384), {88 * s, 40 * s, 36 * s}, {}, 8), ellipsoid(body.at(-40, -48, 345), {48 * s, 42 * s, 36 * s}, {})};
    Solid liver;
    liver.low = body.at(-170, -120, 235);
    liver.high = body.at(100, 120, 440);
    liver.depth = [=](PatientPoint p) {
        double depth = -1e3;
        for (const auto& lobe : lobes) depth = std::max(depth, lobe.depth(p));
        if (depth < -6) return depth;
        // The porta and the fissure of the round ligament are notches of fat.
        const auto d = p - body.at(-22, -12, 345);
        const double porta = std::sqrt(d.x * d.x / 676 + d.y * d.y / 196 + d.z * d.z / 400);
        depth = std::min(depth, (porta - 1) * 14);
        const double fissure = std::max({std::abs(p.x + 14 * body.width + 0.15 * p.y) - 1.8, p.z / body.height - 358, p.y / body.depth + 38});
        depth = std::min(depth, fissure);
        depth = std::min(depth, (diaphragm(body, p) - 3 - p.z) * 0.75);
        return depth > -3 ? std::min(depth, wall.depth(p) - wall.muscle_mm(p) - 3) : depth;
    };
    liver.hu = plain(tissue.liver);
    liver.gap_mm = 3;
    out.push_back(std::move(liver));
    // Three hepatic veins to the vena cava, the portal vein with its branches. They show only inside the liver by their size.
    const auto cava = body.at(-20, 40, 415);
    for (const auto& end : {body.at(-135, 10, 372), body.at(-78, -62, 368), body.at(30, -62, 388), body.at(-112, 50, 350), body.at(-60, -30, 352)}) {
        const auto middle = 0.45 * (cava + end) + 0.1 * body.at(-60, -40, 440);
        add_tube(out, smooth({{cava, 5.5}, {middle, 3.8}, {end, 1.3}}, 5), plain(tissue.cava + 6), 1.2);
    }
    const auto porta = body.at(-30, -8, 350);
    for (const auto& [x, y, z] : {std::array{-130.0, 30.0, 390.0}, std::array{-120.0, -45.0, 400.0}, std::array{-122.0, 25.0, 325.0}, std::array{-95.0, -55.0, 345.0}, std::array{-20.0, -70.0, 375.0}, std::array{50.0, -52.0, 392.0}}) {
        const auto end = body.at(x, y, z);
        const auto hub = x < -60 ? body.at(-68, 2, 362) : body.at(-16, -48, 366);
        add_tube(out, smooth({{porta, 6}, {hub, 4.8}, {0.5 * (hub + end) + PatientPoint{0, 0, 8}, 3}, {end, 1.2}}, 5), plain(tissue.portal), 1.2);
    }
    // The gall bladder hangs at the undersurface.
    out.push_back(ellipsoid(body.at(-56, -58, 318 + 8 * body.varied(12)), {14, 15, 29}, [](PatientPoint, double depth) { return depth < 1.6 ? 50.0 : 7.0; }, 20, 20));
}

void add_kidneys(std::vector<Solid>& out, const Body& body, const Wall& wall, const Tissue& tissue, const LobulatedMass* mass)
{
    const double s = body.size() * (1 + 0.08 * body.varied(20));
    for (const double side : {1.0, -1.0}) {
        auto c = body.at(side > 0 ? 74 : -79, 60, (side > 0 ? 300 : 286) + 12 * body.varied(21));
        const PatientPoint r{28 * s, 25 * s, 54 * s};
        // The kidney keeps its shape: the whole organ moves away from the mass, upwards and back, until little of it is lost.
        for (int i = 0; mass && side < 0 && i < 40; ++i) {
            double worst = 0;
            PatientPoint away{0, 0, 0};
            for (const double z : {-0.95, -0.5, 0.0, 0.5, 0.95}) {
                for (int a = 0; a < 8; ++a) {
                    const double rim = std::sqrt(1 - z * z);
                    const auto p = c + PatientPoint{rim * r.x * std::cos(a * std::numbers::pi / 4), rim * r.y * std::sin(a * std::numbers::pi / 4), z * r.z};
                    const double depth = mass->depth_mm(p) + 2;
                    if (depth > worst) {
                        worst = depth;
                        away = mass->outward(p) + PatientPoint{0, 0.3, 0.8};
                    }
                }
            }
            if (worst < 4) break;
            c = c + (std::min(worst, 4.0) / norm(away)) * away;
            const double room = wall.depth(c) - wall.muscle_mm(c) - 20 * s;
            if (room < 0) c = c + (-room) * PatientPoint{0.6, -0.8, 0};
            c.z = std::min(c.z, 352 * body.height);
            c.x = std::min(c.x, -56 * body.width);
        }
        const double turn = side * -28;
        const auto whole = ellipsoid(c, r, {}, turn, -8);
        const double t = turn * std::numbers::pi / 180;
        const PatientPoint hilum{-side * std::cos(t), -side * std::sin(t), 0};  // towards the middle and the front
        const auto sinus = ellipsoid(c + (0.55 * r.x) * hilum, {14 * s, 9 * s, 27 * s}, {}, turn);
        Solid kidney = whole;
        kidney.gap_mm = 3;
        kidney.depth = [whole, notch = ellipsoid(c + (1.02 * r.x) * hilum, {9 * s, 7 * s, 19 * s}, {}, turn)](PatientPoint p) { return std::min(whole.depth(p), -notch.depth(p)); };
        kidney.hu = [=](PatientPoint p, double depth) {
            if (sinus.depth(p) > 0) {
                const auto d = p - (c + (0.5 * r.x) * hilum);
                return std::hypot(d.y, 0.5 * d.z, d.x * 0.7) < 5 * s ? 6.0 : -70.0;
            }
            if (depth < 6.5 * s) return tissue.cortex;
            const auto d = p - c;  // pyramids between columns of cortex
            return std::sin(d.z * 0.28 / s) * std::sin(3.2 * std::atan2(d.y, d.x) + 1) > -0.45 ? tissue.medulla : tissue.cortex;
        };
        out.push_back(std::move(kidney));
        // Renal vein and artery to the great vessels.
        const auto gate = c + (0.9 * r.x) * hilum;
        const auto cava = body.at(-14, 50, 300);
        const auto aorta = body.at(12, 56, 303);
        add_tube(out, smooth({{gate, 4.5}, {0.5 * (gate + (side > 0 ? body.at(10, 38, 302) : cava)), 4.5}, {side > 0 ? body.at(6, 40, 300) : cava, 5}, {cava, 5}}, 5), plain(tissue.cava), 0.8);
        add_tube(out, {{gate + PatientPoint{0, 5, 3}, 2.4}, {0.5 * (gate + aorta) + PatientPoint{0, 5, 0}, 2.6}, {aorta, 3}}, plain(tissue.aorta), 0.8);
        // The ureter, and the adrenal gland above.
        add_tube(out, smooth({{gate, 2.2}, {yielded(mass, body.at(side * 38, 54, 240), 2.5, 0), 2}, {yielded(mass, body.at(side * 38, 50, 180), 2.5, 0), 2}, {body.at(side * 30, 40, 110), 2}, {body.at(side * 22, 8, 55), 2}}, 8), plain(12), 0.8);
        const auto gland = body.at(side * 30, 52, 345);
        for (const double leg : {-9.0, 9.0}) add_tube(out, {{gland + PatientPoint{0, -8, 0}, 2.6}, {gland + PatientPoint{side * leg + 3 * side, 9, -10}, 2}}, plain(tissue.pancreas - 20), 1.5);
    }
}

}  // namespace

void add_lungs(std::vector<Solid>& out, const Body& body, const Wall& wall)
{
    Solid lungs;
    lungs.low = body.at(-170, -120, 300);
    lungs.high = body.at(170, 130, 470);
    lungs.depth = [=](PatientPoint p) {
        const double above = (p.z - diaphragm(body, p)) * 0.75;
        if (above < -6) return above;
        const double x = p.x / body.width;
        const double y = p.y / body.depth;
        // The mediastinum: heart in front, gullet and aorta before the spine.
        const double between = std::abs(x - (y < 30 ? 14 : 4)) - (y < 30 ? 50 : 28);
        return std::min({above, wall.depth(p) - 18, between});
    };
    lungs.hu = [](PatientPoint p, double depth) {
        const double vessel = std::sin(p.x / 6.1 + 2 * std::sin(p.y / 9)) * std::sin(p.y / 5.3 + p.z / 13) * std::sin(p.z / 8 + p.x / 11);
        return depth > 5 && vessel > 0.8 ? -120.0 : -850 + 40 * std::sin(p.y / 40);
    };
    lungs.gap_mm = 0;
    out.push_back(std::move(lungs));
    out.push_back(ellipsoid(body.at(16, -38, 462), {56, 46, 38}, plain(120), 20));
    add_tube(out, smooth({{body.at(8, 52, 470), 8}, {body.at(12, 40, 425), 8}, {body.at(30, 10, 402), 9}}, 6), plain(50), 1.5);  // gullet
}

void add_organs(std::vector<Solid>& out, const Body& body, const Wall& wall, const Tissue& tissue, const LobulatedMass* mass)
{
    const double s = body.size();
    add_liver(out, body, wall, tissue);
    const double spleen_size = s * (1 + 0.18 * body.varied(13));
    Solid spleen = ellipsoid(body.at(112, 44, 378), {34 * spleen_size, 50 * spleen_size, 50 * spleen_size}, plain(tissue.spleen), -20, 22);
    spleen.depth = [whole = spleen.depth, hollow = ellipsoid(body.at(82, 14, 372), {30 * s, 40 * s, 46 * s}, {}), wall, body](PatientPoint p) {
        const double depth = std::min(whole(p), -hollow.depth(p));
        return depth > -3 ? std::min({depth, wall.depth(p) - wall.muscle_mm(p) - 3, (diaphragm(body, p) - 3 - p.z) * 0.75}) : depth;
    };
    out.push_back(std::move(spleen));
    add_kidneys(out, body, wall, tissue, mass);
    // Pancreas from the duodenal loop to the spleen, lobulated by fat.
    const auto node = [&](double x, double y, double z, double r) { return Node{yielded(mass, body.at(x, y, z), r * s, 2), r * s}; };
    add_tube(out, smooth({node(-34, -4, 285, 11), node(-26, -14, 302, 13), node(0, -22, 318, 8.5), node(34, -8, 328, 9), node(70, 16, 340, 9), node(92, 24, 350, 8)}, 5),
             [hu = tissue.pancreas](PatientPoint p, double depth) { return hu - (depth < 4 ? 110 * std::max(0.0, value_noise({p.x / 4, p.y / 4, p.z / 5}, 5) - 0.1) : 0); }, 1.5);
    // Pelvic organs.
    out.push_back(ellipsoid(body.at(4 * body.varied(14), 8, 78), {26 * s, 20 * s, 27 * s}, [hu = tissue.uterus](PatientPoint, double depth) { return depth > 14 ? hu - 35 : hu; }, 0, -25));
    for (const double side : {1.0, -1.0}) out.push_back(ellipsoid(body.at(side * 40, 14, 84), {9 * s, 7 * s, 9 * s}, plain(40)));
    const double filled = s * (1 + 0.25 * body.varied(15));
    out.push_back(ellipsoid(body.at(0, -30, 48), {40 * filled, 28 * filled, 28 * filled}, [](PatientPoint, double depth) { return depth < 3 ? 42.0 : 6.0; }, 0, 8));
    out.push_back(ellipsoid(body.at(0, 12, 36), {14 * s, 8 * s, 22 * s}, plain(tissue.muscle)));
}

}  // namespace retromass::sample_data

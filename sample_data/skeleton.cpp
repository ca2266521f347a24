#include <array>
#include <cmath>
#include <numbers>

#include "sample_data/body.h"
#include "sample_data/solids.h"

namespace retromass::sample_data {
namespace {

struct Vertebra {
    double z, y, half_height;  ///< of the body's middle
};
// L5 to T8: lordosis below, kyphosis above.
constexpr std::array<Vertebra, 10> kVertebrae{{{168, 84, 13}, {203, 80, 13}, {237, 79, 13}, {271, 81, 13}, {303, 84, 12.5}, {333, 87, 12}, {361, 89, 11}, {388, 91, 11}, {414, 92, 10.5}, {440, 93, 10.5}}};

constexpr double kDisc_hu = 85;
constexpr double kSac_hu = 28;

/// Body, arch and processes as one solid round the vertebra's middle.
Solid vertebra(const Body& body, const Vertebra& v, bool lumbar)
{
    const auto centre = body.at(0, v.y, v.z);
    const double s = body.size();
    const double half = v.half_height * body.height;
    Solid out;
    out.low = centre - PatientPoint{46 * s, 24 * s, half + 14 * s};
    out.high = centre + PatientPoint{46 * s, 68 * s, half + 6 * s};
    const double rx = (lumbar ? 24 : 19) * s;
    const double ry = (lumbar ? 17 : 15) * s;
    const auto body_depth = [=](PatientPoint d) {
        const double waist = 1 - 0.07 * std::max(0.0, 1 - std::abs(d.z) / half);
        const double hollow = d.y > 0 ? 2.5 * s * std::exp(-d.x * d.x / (80 * s * s)) : 0;  // towards the canal
        const double q = std::sqrt(d.x * d.x / (rx * rx) + d.y * d.y / (ry * ry)) / waist;
        return std::min((1 - q) * 0.8 * std::min(rx, ry) - hollow * std::max(0.0, q - 0.5), half - std::abs(d.z));
    };
    const auto capsule = [](PatientPoint d, PatientPoint a, PatientPoint b, double r) {
        const auto along = b - a;
        const double t = std::clamp(dot(d - a, along) / dot(along, along), 0.0, 1.0);
        return r - norm(d - a - t * along);
    };
    out.depth = [=](PatientPoint p) {
        const PatientPoint d = p - centre;
        const PatientPoint m{std::abs(d.x), d.y, d.z};
        double depth = body_depth(d);
        depth = std::max(depth, capsule(m, {12 * s, 12 * s, 5 * s}, {14 * s, 26 * s, 4 * s}, 5 * s));                        // pedicle
        depth = std::max(depth, capsule(m, {15 * s, 28 * s, 2 * s}, {4 * s, 40 * s, -4 * s}, 4 * s));                        // lamina
        depth = std::max(depth, capsule(m, {15 * s, 29 * s, 9 * s}, {17 * s, 31 * s, -13 * s}, 5.5 * s));                    // articular processes
        depth = std::max(depth, capsule(m, {15 * s, 26 * s, 4 * s}, {(lumbar ? 40 : 30) * s, (lumbar ? 27 : 34) * s, 5 * s}, 4 * s));  // transverse process
        depth = std::max(depth, capsule(m, {0, 42 * s, -2 * s}, {0, (lumbar ? 49 : 43) * s, (lumbar ? -6 : -13) * s}, 3.4 * s));       // spinous process
        return depth;
    };
    out.hu = [=](PatientPoint p, double depth) {
        const auto d = p - centre;
        if (half - std::abs(d.z) < 1.8 && d.y < ry) return 480.0;  // endplate
        return depth < 1.8 ? 620.0 : d.y < ry ? 190.0 : 330.0;
    };
    out.gap_mm = 0.7;
    return out;
}

/// The iliac wing: a curved plate from the sacroiliac joint to the anterior spine, thin in its middle, blunt at its ends; thicker
/// by `inner_mm` towards the pelvis and `outer_mm` towards the hip for the muscles that lie on it.
Solid iliac_plate(const Body& body, double side, double inner_mm, double outer_mm, double shrink_mm)
{
    const double s = body.size();
    Solid wing;
    wing.low = body.at(side > 0 ? 15 : -175, -56, 60);
    wing.high = body.at(side > 0 ? 175 : -15, 100, 192);
    wing.depth = [=](PatientPoint p) {
        const double x = side * p.x / body.width;
        const double y = p.y / body.depth;
        const double z = p.z / body.height;
        const double up = std::clamp((z - 78) / 108, 0.0, 1.0);
        // From behind (34, 84) to the anterior spine (118, -32); below, both ends close in on the acetabulum.
        const double behind = 22 + std::min(1.0, up / 0.55) * 62 - std::max(0.0, up - 0.7) * 90;
        const double before = -12 - 28 * std::sin(up * std::numbers::pi * 0.75);
        const double t = std::clamp((behind - y) / (behind - before), 0.0, 1.0);
        const double middle = 87 - 53 * (1 - t) * (1 - t) * std::min(1.0, up * 2.2) + (6 + 33 * up) * t * (2 - t);
        const double slope = std::hypot(1.0, (1 - t) * (106 * std::min(1.0, up * 2.2) + 66 * up) / (behind - before));
        const double blunt = std::min({1.0, std::min(behind - y, y - before) / 9 + 0.25});
        const double half = (3.6 + 4.5 * std::abs(2 * t - 1) + (1 - up) * 5) * std::max(0.1, blunt) * slope;
        const double crest = 187 - 22 * (2 * t - 0.9) * (2 * t - 0.9);
        const double beside = std::min(x - (middle - half - inner_mm * slope), middle + half + outer_mm * slope - x) / slope;
        return std::min({beside, behind - y - shrink_mm, y - before - shrink_mm, z - 66.0, crest - shrink_mm - z}) * s;
    };
    return wing;
}

void add_pelvis(std::vector<Solid>& out, const Body& body, double side)
{
    const auto at = [&](double x, double y, double z) { return body.at(side * x, y, z); };
    const double s = body.size();
    Solid plate = iliac_plate(body, side, 0, 0, 0);
    plate.hu = bone(2, 230);
    plate.gap_mm = 0.7;
    out.push_back(std::move(plate));
    // Acetabulum round the femoral head, with the rami to the symphysis and the ischium.
    const auto head = at(90, 6, 56);
    Solid cup;
    cup.low = head - PatientPoint{38 * s, 38 * s, 38 * s};
    cup.high = head + PatientPoint{38 * s, 38 * s, 38 * s};
    cup.depth = [=](PatientPoint p) {
        const auto d = p - head;
        const double r = norm(d);
        const double open = side * d.x * 0.8 - d.z * 0.75 - 0.1 * d.y;  // it faces outwards and down
        return std::min({r - 26 * s, 36 * s - r, 10 * s - open * 0.9});
    };
    cup.hu = bone(2.2, 240);
    out.push_back(std::move(cup));
    add_tube(out, {{at(70, -8, 58), 9 * s}, {at(42, -42, 44), 7 * s}, {at(14, -56, 32), 9 * s}}, bone(2, 230), 0.7);
    add_tube(out, {{at(14, -55, 22), 8 * s}, {at(40, -20, 2), 6 * s}, {at(62, 30, 4), 12 * s}, {at(72, 34, 40), 13 * s}}, bone(2, 230), 0.7);
    out.push_back(ellipsoid(head, {23.5 * s, 23.5 * s, 23.5 * s}, bone(1.6, 330)));
    add_tube(out, {{head, 15 * s}, {at(118, 14, 42), 15 * s}, {at(134, 22, 22), 18 * s}, {at(134, 20, -20), 17 * s}}, bone(3.5, 180), 0.7);
    out.push_back(ellipsoid(head, {20 * s, 20 * s, 20 * s}, plain(330)));
}

void add_sacrum(std::vector<Solid>& out, const Body& body)
{
    const double s = body.size();
    Solid sacrum;
    sacrum.low = body.at(-60, 66, 28);
    sacrum.high = body.at(60, 150, 152);
    const auto middle_y = [](double z) { return 92 + 33 * std::sin(std::numbers::pi * std::clamp((150 - z) / 150, 0.0, 1.0)); };
    sacrum.depth = [=](PatientPoint p) {
        const double z = p.z / body.height;
        const double down = std::clamp((150 - z) / 118, 0.0, 1.0);
        const double x = std::abs(p.x) / body.width;
        const double y = p.y / body.depth - middle_y(z) + 0.004 * x * x * (1 - down);  // concave in front, its wings reach forwards
        const double rx = 52 * (1 - down) + 9;
        const double ry = 20 * (1 - down) + 5.5;
        const double q = std::sqrt(x * x / (rx * rx) + y * y / (ry * ry));
        return std::min({(1 - q) * ry, z - 30.0, 151.0 - z}) * s;
    };
    sacrum.hu = [=](PatientPoint p, double depth) {
        const double z = p.z / body.height;
        const double x = std::abs(p.x) / body.width;
        const double y = p.y / body.depth - middle_y(z);
        if (z > 62 && std::hypot(x, (y - 9) * 1.4) < 9) return kSac_hu;
        const double foramen = z - 26 * std::floor(z / 26) - 13;
        if (z > 70 && std::hypot((x - 21), y + 2, foramen) < 5.5) return -60.0;
        return depth < 1.8 ? 560.0 : 190.0;
    };
    sacrum.gap_mm = 0.7;
    out.push_back(std::move(sacrum));
}

}  // namespace

void add_skeleton(std::vector<Solid>& out, const Body& body)
{
    const double s = body.size();
    for (std::size_t i = 0; i < kVertebrae.size(); ++i) {
        const auto& v = kVertebrae[i];
        const bool lumbar = i < 5;
        const double below = i == 0 ? 150 : kVertebrae[i - 1].z + kVertebrae[i - 1].half_height;
        const double bottom = v.z - v.half_height;
        const double disc_y = i == 0 ? 88 : 0.5 * (v.y + kVertebrae[i - 1].y);
        // The disc under this vertebra bulges a little.
        Solid disc = ellipsoid(body.at(0, disc_y, 0.5 * (below + bottom)), {(lumbar ? 25 : 20) * s, (lumbar ? 18 : 15.5) * s, 40 * s}, plain(kDisc_hu));
        disc.low.z = body.height * (below - 1);
        disc.high.z = body.height * (bottom + 1);
        disc.depth = [inner = disc.depth, low = disc.low.z, high = disc.high.z](PatientPoint p) { return std::min({inner(p), p.z - low, high - p.z}); };
        disc.gap_mm = 0.7;
        out.push_back(std::move(disc));
    }
    add_sacrum(out, body);
    for (std::size_t i = 0; i < kVertebrae.size(); ++i) out.push_back(vertebra(body, kVertebrae[i], i < 5));
    std::vector<Node> canal;
    std::vector<Node> sac;
    for (double z = 140; z <= 455; z += 8) {
        std::size_t i = 0;
        while (i + 2 < kVertebrae.size() && z > kVertebrae[i + 1].z) ++i;
        const double t = std::clamp((z - kVertebrae[i].z) / (kVertebrae[i + 1].z - kVertebrae[i].z), -0.6, 1.6);
        const double y = kVertebrae[i].y + t * (kVertebrae[i + 1].y - kVertebrae[i].y) + 27;
        canal.push_back({body.at(0, y, z), 9.5 * s});
        sac.push_back({body.at(0, y - 0.5, z), 7.5 * s});
    }
    add_tube(out, canal, plain(-70), 0.7);
    add_tube(out, sac, plain(kSac_hu), 0.7);
    for (const double side : {1.0, -1.0}) add_pelvis(out, body, side);
    out.push_back(ellipsoid(body.at(0, -57, 26), {5 * s, 9 * s, 19 * s}, plain(140)));  // the symphysis
}

void add_muscles(std::vector<Solid>& out, const Body& body, const Tissue& tissue)
{
    const double s = body.size();
    // Muscle holds a little fat between its bundles.
    const auto muscle = [hu = tissue.muscle](double dx, double scale) {
        return [=](PatientPoint p, double depth) { return depth > 3 && std::sin(p.x * scale + dx) * std::sin(p.y * scale * 1.2) > 0.93 ? hu - 55 : hu; };
    };
    for (const double side : {1.0, -1.0}) {
        const auto at = [&](double x, double y, double z) { return body.at(side * x, y, z); };
        // Gluteal muscles outside the iliac wing, the iliacus inside it.
        for (const auto& [inner, outer] : {std::array{0.0, 24.0}, std::array{11.0, 0.0}}) {
            out.push_back(iliac_plate(body, side, inner, outer, 4));
            out.back().hu = muscle(side + outer, 0.5);
        }
        // Erector spinae beside the spinous processes, quadratus lumborum between the last rib and the iliac crest.
        for (const auto& [x, y, rx, ry] : {std::array{21.0, 123.0, 14.0, 14.0}, std::array{34.0, 120.0, 17.0, 17.0}, std::array{52.0, 114.0, 19.0, 17.0}}) {
            std::vector<Node> nodes;
            for (double z = 90; z <= 470; z += 20) {
                const double thin = z > 320 ? 1 - (z - 320) / 380 : z < 160 ? 0.55 + 0.45 * (z - 90) / 70 : 1;
                const double back = z < 190 ? (190 - z) * 0.16 : 0;
                nodes.push_back({at(x, y + back - (1 - thin) * 4, z), 0.5 * (rx + ry) * thin * s});
            }
            add_tube(out, nodes, muscle(x, 0.55), 2.4);
        }
        for (const double x : {60.0, 72.0, 82.0}) add_tube(out, {{at(x, 99 - 0.22 * (x - 60), 178), 9 * s}, {at(x - 6, 98 - 0.2 * (x - 60), 320), 6.5 * s}}, muscle(x, 0.5), 2.4);
        // Psoas swells downwards, joins the iliacus and leaves over the front of the hip.
        add_tube(out, smooth({{at(26, 88, 322), 5 * s}, {at(34, 85, 285), 10 * s}, {at(40, 83, 240), 14.5 * s}, {at(48, 76, 195), 17.5 * s}, {at(60, 54, 150), 18 * s}, {at(76, 12, 110), 18 * s}, {at(86, -26, 70), 19 * s}, {at(92, -34, 20), 17 * s}}, 9), muscle(side, 0.45), 2.4);
        add_tube(out, smooth({{at(84, 44, 172), 9 * s}, {at(82, 30, 140), 13 * s}, {at(84, 2, 105), 15 * s}}, 8), muscle(side, 0.5), 2.4);
        add_tube(out, {{at(100, 14, 104), 16 * s}, {at(120, 22, 72), 19 * s}, {at(136, 24, 40), 14 * s}}, muscle(4, 0.5), 2.4);  // to the trochanter
        add_tube(out, smooth({{at(34, 66, 66), 4 * s}, {at(26, 58, 46), 4 * s}, {at(12, 56, 30), 4 * s}}, 6), plain(tissue.muscle), 2.4);  // levator
        // Obturator internus, pectineus and the thigh in front of the hip.
        add_tube(out, smooth({{at(64, 30, 66), 9 * s}, {at(58, 22, 40), 10 * s}, {at(52, 18, 14), 9 * s}}, 8), plain(tissue.muscle), 2.4);
        add_tube(out, {{at(60, -44, 28), 14 * s}, {at(72, -44, 0), 18 * s}}, muscle(2, 0.4), 2.4);
        add_tube(out, {{at(120, -42, 62), 13 * s}, {at(122, -46, 0), 18 * s}}, muscle(1, 0.4), 2.4);
        add_tube(out, {{at(146, -8, 80), 14 * s}, {at(150, -6, 0), 15 * s}}, muscle(3, 0.4), 2.4);
        add_tube(out, {{at(88, 60, 30), 16 * s}, {at(92, 56, -10), 24 * s}}, muscle(3, 0.4), 2.4);
        add_tube(out, {{at(18, 82, 320), 5 * s}, {at(14, 76, 365), 6 * s}}, plain(tissue.muscle), 2.4);  // crus of the diaphragm
    }
}

}  // namespace retromass::sample_data

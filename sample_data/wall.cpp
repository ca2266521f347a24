#include <array>
#include <cmath>

#include "sample_data/body.h"

namespace retromass::sample_data {
namespace {

struct Level {
    double z, half_width, front, back;
};
// The outer surface of the trunk's muscles from the symphysis to the liver's dome, mm.
constexpr std::array<Level, 9> kLevels{{{0, 168, 92, 128},
                                        {60, 169, 96, 142},
                                        {100, 168, 102, 145},
                                        {150, 166, 106, 143},
                                        {190, 165, 107, 140},
                                        {250, 165, 107, 140},
                                        {320, 161, 107, 141},
                                        {380, 153, 105, 140},
                                        {450, 145, 100, 137}}};
constexpr double kSquare = 0.3;    // 0 = an ellipse, 1 = a rectangle
constexpr double kSkin_mm = 1.8;
constexpr double kSkin_hu = 5;

struct Rib {
    double z, drop, ends;  ///< height at the spine, how far it falls towards the front, where it ends (0 back .. 1 front)
};
constexpr std::array<Rib, 6> kRibs{{{462, 118, 0.80}, {436, 110, 0.86}, {409, 98, 0.90}, {382, 86, 0.84}, {355, 72, 0.62}, {328, 44, 0.34}}};

double ramp(double x) { return std::clamp(x, 0.0, 1.0); }

}  // namespace

Wall::Outline Wall::outline(double z) const
{
    const double level = std::clamp(z / body_.height, kLevels.front().z, kLevels.back().z);
    std::size_t i = 0;
    while (i + 2 < kLevels.size() && level > kLevels[i + 1].z) ++i;
    const auto& a = kLevels[i];
    const auto& b = kLevels[i + 1];
    const double t = (level - a.z) / (b.z - a.z);
    const double ease = t * t * (3 - 2 * t);
    const double belly = 1 + (body_.girth - 1) * ramp((level - 60) / 60) * ramp((430 - level) / 60);
    return {(a.half_width + ease * (b.half_width - a.half_width)) * body_.width * belly, (a.front + ease * (b.front - a.front)) * body_.depth * belly,
            (a.back + ease * (b.back - a.back)) * body_.depth};
}

Wall::Place Wall::place(PatientPoint p, const Outline& o) const
{
    const double furrow = p.y > 0 ? 5 / (1 + p.x * p.x / 250) : 0;  // over the spinous processes
    const double b = p.y > 0 ? o.back - furrow : o.front;
    const double x = p.x / o.half_width;
    const double y = p.y / b;
    const double level = x * x + y * y - kSquare * x * x * y * y;
    const double gx = 2 * x * (1 - kSquare * y * y) / o.half_width;
    const double gy = 2 * y * (1 - kSquare * x * x) / b;
    const double slope = std::sqrt(gx * gx + gy * gy);
    const double root = std::sqrt(std::max(level, 0.0));
    return {slope > 1e-6 ? (1 - root) * 2 * root / slope : b, x, y};
}

double Wall::fat_at(const Place& at, double z) const
{
    const double low = ramp((170 - z / body_.height) / 90);
    const double behind = std::max(0.0, at.y);
    return body_.fat * (15 + 7 * std::abs(at.x) + 8 * behind + low * (14 * behind + 8 * std::abs(at.x)));
}

double Wall::muscle_at(const Place& at, PatientPoint p, double z) const
{
    const double x = std::abs(p.x) / body_.width;
    const double level = z / body_.height;
    // In front the two recti with the linea alba between them, beside them the thin semilunar line, then the three flat muscles.
    const double rectus = x < 64 ? (x < 3 ? 3 : 4 + 8 * std::sqrt(std::max(0.0, 1 - std::pow((x - 33) / 33, 2)))) : 3.5;
    const double flat = 3.5 + 17 * ramp((x - 68) / 30);
    double front = std::max(rectus, x > 68 ? flat : 0.0);
    const double behind = 9;
    double mm = front + (behind - front) * ramp((at.y + 0.15) / 0.6);
    if (level > 330) mm += (13 - mm) * ramp((level - 330) / 40) * ramp((x - 50) / 20);  // intercostal and serratus
    // Gluteal muscles cover the pelvis from behind.
    if (level < 185) mm += 42 * ramp((185 - level) / 70) * ramp((at.y - 0.05) / 0.5) * ramp((x - 8) / 25) + 12 * ramp((150 - level) / 60) * std::abs(at.x);
    return mm;
}

double Wall::depth(PatientPoint p) const { return place(p, outline(p.z)).depth; }
double Wall::muscle_mm(PatientPoint p) const { return muscle_at(place(p, outline(p.z)), p, p.z); }
double Wall::fat_mm(PatientPoint p) const { return fat_at(place(p, outline(p.z)), p.z); }

double Wall::widest_mm() const
{
    double widest = 0;
    for (const auto& l : kLevels) {
        const double z = l.z * body_.height;
        widest = std::max(widest, 2 * (outline(z).half_width + fat_at({0, 1, 0}, z)));
    }
    return widest;
}

double Wall::deepest_mm() const
{
    double deepest = 0;
    for (const auto& l : kLevels) {
        const double z = l.z * body_.height;
        deepest = std::max(deepest, outline(z).front + outline(z).back + fat_at({0, 0, 1}, z) + fat_at({0, 0, -1}, z));
    }
    return deepest;
}

double Wall::rib_hu(const Place& at, PatientPoint p, double z, double below) const
{
    if (below < 1 || below > 17 || std::abs(p.x) < 38) return kAir_hu;
    const double forward = (1 - at.y) / 2;
    const double level = z / body_.height;
    for (const auto& rib : kRibs) {
        if (forward > rib.ends) continue;
        const double middle = rib.z - rib.drop * std::sqrt(forward) * (1 + 0.25 * forward);
        const double a = (below - 8) / 4.2;
        const double b = (level - middle) / 7.5;
        const double q = std::sqrt(a * a + b * b);
        if (q >= 1) continue;
        if (forward > 0.72) return 110 + 60 * q;  // cartilage
        return q > 0.62 ? 640 : 260;
    }
    return kAir_hu;
}

void Wall::paint(Canvas& canvas, const Tissue& tissue) const
{
    const auto mix = [](double& hu, double part, double to) { hu += part * (to - hu); };
    for (int r = 0; r < canvas.rows(); ++r) {
        for (int c = 0; c < canvas.columns(); ++c) {
            const auto p = canvas.at(c, r);
            const auto o = outline(p.z);
            const auto at = place(p, o);
            const auto i = static_cast<std::size_t>(r) * static_cast<std::size_t>(canvas.columns()) + static_cast<std::size_t>(c);
            double hu = kAir_hu;
            if (at.depth < -90 * body_.fat) {
                // far outside: table or air
            } else {
                const double fat = fat_at(at, p.z);
                const double skin = at.depth + fat;  // below the skin
                if (skin > -1) {
                    mix(hu, canvas.part(skin), kSkin_hu);
                    mix(hu, canvas.part(skin - kSkin_mm), kFat_hu);
                    if (std::abs(at.depth + 0.45 * fat) < 1.2) mix(hu, 0.35 * (1 - std::abs(at.depth + 0.45 * fat) / 1.2), -30);  // superficial fascia
                    const double below = at.depth;
                    if (below > -1) {
                        const double muscle = muscle_at(at, p, p.z);
                        const double level = p.z / body_.height;
                        mix(hu, canvas.part(below) * canvas.part(muscle - below), tissue.muscle);
                        if (below < muscle && muscle > 15) {
                            // fat between the layers of the flat muscles; in the buttock, septa
                            const double layer = muscle / 3;
                            const double to_line = std::abs(below - layer * std::round(below / layer));
                            const double strength = level < 190 ? 0.25 : 0.6;
                            if (below > 0.5 * layer && below < muscle - 0.4 * layer) mix(hu, strength * ramp(1 - to_line / 0.9), -60);
                        }
                        if (level > 270) {
                            if (const double rib = rib_hu(at, p, p.z, below); rib > kAir_hu) hu = rib;
                        }
                    }
                }
            }
            // The table: a carbon shell with foam, a mattress on it that yields to the back.
            const double top = 146 * body_.depth + 24 * body_.fat + 3 + p.x * p.x / 2600;
            if (hu < -700 && std::abs(p.x) < 205 && p.y > top - 9 && p.y < top + 24) {
                const double y = p.y - top;
                hu = std::max(hu, y < 0 ? -930.0 : y < 2 || y > 22 ? -170.0 : -940.0);
            }
            canvas.hu[i] = static_cast<float>(hu);
        }
    }
}

}  // namespace retromass::sample_data

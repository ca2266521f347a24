#include "sample_data/texture.h"

#include <algorithm>
#include <cmath>

#include "sample_data/random.h"

namespace retromass::sample_data {
double value_noise(PatientPoint p, std::uint64_t seed)
{
    const double fx = std::floor(p.x);
    const double fy = std::floor(p.y);
    const double fz = std::floor(p.z);
    const auto whole = [](double v) { return static_cast<std::uint64_t>(static_cast<std::int64_t>(v)); };
    const auto corner = [&](unsigned i, unsigned j, unsigned k) {
        return 2.0 * uniform_of(mixed(seed ^ mixed((whole(fx) + i) ^ mixed((whole(fy) + j) ^ mixed(whole(fz) + k))))) - 1;
    };
    const auto ease = [](double t) { return t * t * (3 - 2 * t); };
    const double x = ease(p.x - fx);
    const double y = ease(p.y - fy);
    const double z = ease(p.z - fz);
    double sum = 0;
    for (unsigned k = 0; k < 2; ++k) {
        for (unsigned j = 0; j < 2; ++j) {
            for (unsigned i = 0; i < 2; ++i) sum += (i ? x : 1 - x) * (j ? y : 1 - y) * (k ? z : 1 - z) * corner(i, j, k);
        }
    }
    return sum;
}

double mass_hu(const LobulatedMass& mass, PatientPoint p, double depth_mm, const Tissue& tissue, double necrosis, std::uint64_t seed)
{
    constexpr double rim_mm = 6;  // living tissue at the edge
    constexpr double dead_hu = 17;
    constexpr double fatty_hu = -55;
    const PatientPoint q = mass.scaled(p);
    double hu = tissue.mass + 5 * value_noise(7.0 * q, seed + 1);
    if (depth_mm < rim_mm) return hu;
    const double inner = std::min(1.0, (depth_mm - rim_mm) / 4);  // fades in over 4 mm
    const auto blend = [&](double amount, double to) { hu += std::clamp(amount, 0.0, 1.0) * inner * (to - hu); };
    blend(6 * (value_noise(2.6 * q, seed + 2) + 0.4 * value_noise(6.0 * q, seed + 3) - necrosis), dead_hu);
    blend(8 * (value_noise(3.4 * q, seed + 4) - 0.62), fatty_hu);
    if (value_noise(2.2 * q, seed + 5) > 0.25) blend(8 * (value_noise(11.0 * q, seed + 6) - 0.55), tissue.clusters);
    return hu;
}

}  // namespace retromass::sample_data

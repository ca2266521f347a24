#include "sample_data/body.h"

#include "sample_data/random.h"

namespace retromass::sample_data {

const Tissue& tissue_in(Phase phase)
{
    //                             aorta  cava below, cava, portal, liver, spleen, cortex, medulla, pancreas, muscle, wall, uterus, mass, clusters
    static const Tissue unenhanced{44, 42, 43, 43, 58, 48, 32, 30, 42, 54, 40, 45, 42, 46};
    static const Tissue arterial{310, 55, 95, 110, 74, 125, 205, 85, 112, 58, 84, 90, 66, 150};
    static const Tissue portal_venous{162, 132, 148, 172, 112, 122, 188, 168, 98, 60, 66, 95, 80, 215};
    switch (phase) {
    case Phase::unenhanced: return unenhanced;
    case Phase::arterial: return arterial;
    case Phase::portal_venous: break;
    }
    return portal_venous;
}

double Body::varied(int organ) const { return seed == 1 ? 0 : 2.0 * uniform_of(mixed(seed * 977 + static_cast<std::uint64_t>(organ))) - 1; }

Body body_of(std::uint64_t seed)
{
    Body b;
    b.seed = seed;
    // Within about two standard deviations of adults: broad is not always deep, and fat goes its own way.
    b.width = 0.97 + 0.07 * b.varied(1);
    b.depth = 0.97 + 0.08 * b.varied(2);
    b.height = 0.99 + 0.07 * b.varied(3);
    b.fat = 1.15 + 0.65 * b.varied(4);
    if (seed == 1) b.width = b.depth = b.height = b.fat = 1;
    return b;
}

}  // namespace retromass::sample_data

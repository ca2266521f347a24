#pragma once

#include <cmath>

#include "sample_data/mass.h"

namespace retromass::sample_data {

/// Where something of this radius at p comes to lie when the mass takes its place, sunk into it by no more than `sunk_mm`.
inline PatientPoint yielded(const LobulatedMass* mass, PatientPoint p, double radius, double sunk_mm, bool level = false)
{
    if (!mass) return p;
    for (int i = 0; i < 12; ++i) {
        if (distance(p, mass->centre()) > mass->reach() + radius) return p;
        const double depth = mass->depth_mm(p) + radius - sunk_mm;
        if (depth <= 0.2) return p;
        auto away = mass->outward(p);
        if (level) {  // what hangs between fixed points gives way sideways only
            away.z = 0;
            if (norm(away) < 0.2) return p;
            away = (1 / norm(away)) * away;
        }
        p = p + std::min(depth, 12.0) * away;
    }
    return p;
}

}  // namespace retromass::sample_data

#pragma once

#include <string>
#include <vector>

#include "pipeline/ingest/header.h"

namespace retromass::ingest {

/// Images at positions that collide, told apart.
struct Phases {
    std::string by;                            ///< what tells them apart, in words
    std::vector<Images> stacks;                ///< each sorted along the normal, no two images at one position
};

/// Splits images (sorted along the normal) whose positions collide by the first key that gives stacks without collision; by blocks of
/// Instance Number only where these give complete stacks at the same positions. Empty where nothing tells them apart.
std::optional<Phases> told_apart(const Images& sorted);

}  // namespace retromass::ingest

#pragma once

#include <vector>

#include "core/result.h"
#include "pipeline/outputs/outputs.h"

namespace retromass::cli {

/// Draws surfaces for a report (outputs::DrawSurfaces) in a process of its own: on a virtual display of its own, else on the one there is, by Mesa's plain software path
/// (docs/decisions/0009-surfaces-on-request.md). A graphics library that ends its process costs a picture, not a case.
Status draw_surfaces(const outputs::CaseResult& result, const std::vector<outputs::SurfaceFile>& wanted);

}  // namespace retromass::cli

#pragma once

#include "core/mask_variants.h"
#include "segmentation/scene.h"

namespace retromass::segmentation {

/// What a segmentation has settled and its variants share.
struct Settled {
    const Scene& scene;
    const Prompt& prompt;
    const EnergyConstants& constants;
    const Grid<float>& added;     ///< logits beside those of the energy: the learned correction
    const Grid<float>& logits;    ///< the result; the mask is >= 0 ...
    const Grid<float>& corrected; ///< ... with what the reader's marks inside and outside change
    float threshold = 0;          ///< logit of the probability at which the mask begins
    double likeness = 0;
    double settled_surface = 0;   ///< how much of the usual surface and volume the result was given
};

/// How prompts vary between hands, mm (standard deviation of a coordinate in the slice): docs/stages/interval.md.
inline constexpr double kPromptJitter_mm = 1.5;

/// Segments again from `count` prompts drawn as other hands would have, on the working grid. Everything the pixels say is shared;
/// only the shape moves. The same for any number of threads.
MaskVariants variants_of(const Settled& settled, const VolumeGeometry& ct, int count, int threads);

/// The i-th prompt another hand would have drawn.
Prompt redrawn(const Prompt& prompt, const VolumeGeometry& ct, int i);

}  // namespace retromass::segmentation

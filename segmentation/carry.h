#pragma once

#include "segmentation/registration.h"
#include "segmentation/segment.h"

namespace retromass::segmentation {

/// A lesion as an earlier scan shows it.
struct EarlierLesion {
    const CtVolume& ct;
    const Mask& mask;     ///< on that CT's grid
};

/// A lesion found again where nobody pointed at it.
struct Carried {
    Segmentation segmentation;
    Prompt prompt;              ///< made from what was found: long axis, short axis, top and bottom
    RegistrationTrust trust;
    std::string text;           ///< the figures the trust rests on
};

/// Finds an earlier lesion on the fixed scan of a registration whose moving scan shows it. The old outline says where to look and the
/// old pixels what it looks like; neither says how large it is now, so that nothing pulls towards "no change". Fails with
/// prompt_missing, saying why, wherever more than one answer fits or the registration cannot be trusted (docs/stages/registration.md).
Result<Carried> carry(const Registration& registration, const EarlierLesion& before, const CtVolume& now, const std::string& frame_of_reference_uid, const SegmentParameters& parameters,
                      const Progress& progress = {});

}  // namespace retromass::segmentation

#pragma once

#include <cstdint>
#include <optional>

#include "measurement/response/outcome.h"

/// Choi 2007 and its modification (rules 10.1 to 10.6): size and attenuation together.
namespace retromass::response {

/// A mean attenuation as recorded, in hundredths of a Hounsfield unit: limits that are met exactly stay exact.
struct Density {
    std::int64_t hundredths = 0;

    static Density recorded(double hu);  ///< rounded half away from zero
    std::string text() const;            ///< "61.88 HU"
};

enum class ChoiLimits { inclusive, strict };

struct ChoiFacts {
    Length baseline;                     ///< sum of diameters
    Length growth_reference;             ///< what +10 % is counted from: baseline or nadir
    Length current;
    std::optional<Density> baseline_hu;  ///< empty = not known or not comparable: size alone is judged
    std::optional<Density> current_hu;
    bool all_gone = false;
    bool new_lesion = false;
    bool non_target_progression = false;
    bool nodule = false;                 ///< a new or growing nodule inside the tumour
};

struct ChoiOutcome {
    Outcome outcome;
    bool density_judged = false;
    bool at_limit = false;               ///< exactly -10 %, +10 % or -15 %: the sources differ on whether that counts
    bool responds_while_growing = false;
};
/// New lesion, nodule or other progression; CR; PR by size or density; PD by size; SD. Without a baseline above 0 HU density
/// says nothing. NE where there never was a size; from 0 any growth is infinite.
ChoiOutcome choi(const ChoiFacts& facts, ChoiLimits limits = ChoiLimits::inclusive);
/// PR needs both size and density. NE where the size alone would be PR, and where the size grew by 10 % while the density fell by
/// 15 %: the source settles neither.
ChoiOutcome modified_choi(const ChoiFacts& facts, ChoiLimits limits = ChoiLimits::inclusive);

}  // namespace retromass::response

#pragma once

#include <string>
#include <vector>

#include "core/codes.h"

namespace retromass {

/// Usable, but the reader must know. Carried in the value it belongs to and shown on every output made from it.
struct Notice {
    Code code;
    std::string text;  ///< one sentence with the figures; no patient data

    friend bool operator==(const Notice&, const Notice&) = default;
};

inline bool has(const std::vector<Notice>& notices, Code code)
{
    for (const auto& notice : notices) {
        if (notice.code == code) return true;
    }
    return false;
}

}  // namespace retromass

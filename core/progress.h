#pragma once

#include <functional>
#include <string_view>

namespace retromass {

/// Told how far a long task is (stage in the user's words, fraction 0..1); answers false to ask it to stop. Empty = silent.
/// May be called from any thread, one at a time.
using Progress = std::function<bool(std::string_view stage, double fraction)>;

inline bool goes_on(const Progress& progress, std::string_view stage, double fraction)
{
    return !progress || progress(stage, fraction);
}

}  // namespace retromass

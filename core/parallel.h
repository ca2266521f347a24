#pragma once

#include <functional>

namespace retromass {

/// Calls body(i) for i in [0, count) on up to `threads` threads (0 = all cores). Each index runs once; the order is free,
/// so body(i) must write only what belongs to i. That keeps every result independent of the thread count.
void parallel_for(int count, int threads, const std::function<void(int)>& body);

/// Number of threads `0` stands for.
int hardware_threads();

}  // namespace retromass

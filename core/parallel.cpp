#include "core/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace retromass {

int hardware_threads() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

void parallel_for(int count, int threads, const std::function<void(int)>& body)
{
    const int workers = std::min(count, threads > 0 ? threads : hardware_threads());
    if (workers <= 1) {
        for (int i = 0; i < count; ++i) body(i);
        return;
    }
    std::atomic<int> next{0};
    const auto work = [&] {
        for (int i = next++; i < count; i = next++) body(i);
    };
    std::vector<std::jthread> others;
    for (int t = 1; t < workers; ++t) others.emplace_back(work);
    work();
}

}  // namespace retromass

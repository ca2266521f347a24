#pragma once

#include <algorithm>
#include <ctime>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

namespace retromass::bench {

/// Processor time of this process, all its threads together: a busy machine changes it far less than the clock on the wall.
inline double seconds_of(const std::function<void()>& body)
{
    const auto now = [] {
        timespec t{};
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
    };
    const double start = now();
    body();
    return now() - start;
}

/// What the work itself costs: whatever else runs on the same cores can only add to it.
inline double least(const std::vector<double>& values)
{
    return *std::min_element(values.begin(), values.end());
}

/// One question, answered in processor time: the least of `repeats` runs, ours and the peer's in turn, so that a busy machine slows
/// both alike. Prints one row (docs/interfaces.md); an empty peer means there is none.
struct Question {
    std::string text;
    double limit_s = 0;  ///< a promise; 0 = none
    int repeats = 5;
    std::function<void()> ours;
    std::string peer;
    std::function<void()> peers;
};

inline void answer(const Question& question)
{
    std::vector<double> ours;
    std::vector<double> peers;
    question.ours();  // once for the caches of file and memory
    if (question.peers) question.peers();
    for (int i = 0; i < question.repeats; ++i) {
        ours.push_back(seconds_of(question.ours));
        if (question.peers) peers.push_back(seconds_of(question.peers));
    }
    std::cout << "{\"question\": \"" << question.text << "\", \"ours_s\": " << least(ours) << ", \"peer\": ";
    if (question.peers) {
        std::cout << '"' << question.peer << "\", \"peer_s\": " << least(peers);
    } else {
        std::cout << "null, \"peer_s\": null";
    }
    std::cout << ", \"limit_s\": ";
    if (question.limit_s > 0) {
        std::cout << question.limit_s;
    } else {
        std::cout << "null";
    }
    std::cout << "}" << std::endl;
}

}  // namespace retromass::bench

#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "bench/timing.h"

/// Whole programs against each other: what a user pays, start-up and memory included.
namespace retromass::bench {

struct Cost {
    double cpu_s = 0;      ///< user and system, all threads
    double peak_mib = 0;
};

/// Runs a program to its end, its output thrown away; nothing if it is not there or fails.
inline std::optional<Cost> cost_of(const std::vector<std::string>& command)
{
    std::vector<char*> arguments;
    for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    std::cout.flush();
    const pid_t child = fork();
    if (child == 0) {
        const int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, 1);
        dup2(nowhere, 2);
        execvp(arguments[0], arguments.data());
        _exit(127);
    }
    int status = 0;
    rusage used{};
    if (child < 0 || wait4(child, &status, 0, &used) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
    const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec); };
    return Cost{seconds(used.ru_utime) + seconds(used.ru_stime), static_cast<double>(used.ru_maxrss) / 1024};
}

/// A program beside ours. Ours must cost at most `ratio` times as much; 0 = no promise.
struct Peer {
    std::string name;
    std::vector<std::string> command;
    double ratio = 0;
};

/// One row a peer. All programs run in turn, so that a busy machine slows all alike; the least of `repeats` rounds, after one for the
/// caches unless that would cost more than it is worth.
inline void answer(const std::string& question, const std::vector<std::string>& ours, const std::vector<Peer>& peers, int repeats, bool warm_up = true)
{
    std::vector<double> our_cpu;
    std::vector<std::vector<double>> their_cpu(peers.size());
    double our_peak = 0;
    std::vector<double> their_peak(peers.size());
    std::vector<bool> able(peers.size(), true);
    for (int round = warm_up ? 0 : 1; round <= repeats; ++round) {  // 0 fills the caches
        const auto cost = cost_of(ours);
        if (!cost) {
            std::cerr << "bench: our own program failed: " << question << '\n';
            std::exit(1);
        }
        our_peak = cost->peak_mib;
        if (round > 0) our_cpu.push_back(cost->cpu_s);
        for (std::size_t i = 0; i < peers.size(); ++i) {
            if (!able[i]) continue;
            const auto theirs = cost_of(peers[i].command);
            able[i] = theirs.has_value();
            if (!theirs) continue;
            their_peak[i] = theirs->peak_mib;
            if (round > 0) their_cpu[i].push_back(theirs->cpu_s);
        }
    }
    std::cout << question << ": " << our_peak << " MiB at most";
    for (std::size_t i = 0; i < peers.size(); ++i) {
        std::cout << ", " << peers[i].name << ' ';
        if (able[i]) std::cout << their_peak[i] << " MiB";
        else std::cout << "fails or is not installed";
    }
    std::cout << '\n';
    for (std::size_t i = 0; i < peers.size(); ++i) {
        if (!able[i]) continue;
        const double theirs = least(their_cpu[i]);
        std::cout << "{\"question\": \"" << question << "\", \"ours_s\": " << least(our_cpu) << ", \"peer\": \"" << peers[i].name
                  << "\", \"peer_s\": " << theirs << ", \"limit_s\": ";
        if (peers[i].ratio > 0) std::cout << theirs * peers[i].ratio;
        else std::cout << "null";
        std::cout << "}" << std::endl;
    }
}

}  // namespace retromass::bench

// fuzz_seeds FOLDER: writes the seeds of every target below FOLDER, for the fuzzers to start from.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/fuzz/codec_input.h"

int main(int count, char** arguments)
{
    if (count != 2) {
        std::cerr << "usage: fuzz_seeds FOLDER\n";
        return 2;
    }
    for (const auto& syntax : retromass::fuzz::kFuzzedSyntaxes) {
        const auto folder = std::filesystem::path(arguments[1]) / syntax;
        std::filesystem::create_directories(folder);
        int number = 0;
        for (const auto& seed : retromass::fuzz::codec_seeds(syntax)) {
            std::ofstream(folder / std::to_string(number++), std::ios::binary).write(reinterpret_cast<const char*>(seed.data()), static_cast<std::streamsize>(seed.size()));
        }
    }
    return 0;
}

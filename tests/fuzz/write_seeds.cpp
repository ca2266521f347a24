// fuzz_seeds FOLDER: writes the seeds of every target below FOLDER, for the fuzzers to start from.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/fuzz/ingest_input.h"

namespace {

void write(const std::filesystem::path& folder, const std::vector<retromass::fuzz::Input>& seeds)
{
    std::filesystem::create_directories(folder);
    int number = 0;
    for (const auto& seed : seeds) {
        std::ofstream(folder / std::to_string(number++), std::ios::binary).write(reinterpret_cast<const char*>(seed.data()), static_cast<std::streamsize>(seed.size()));
    }
}

}  // namespace

int main(int count, char** arguments)
{
    if (count != 2) {
        std::cerr << "usage: fuzz_seeds FOLDER\n";
        return 2;
    }
    const std::filesystem::path root = arguments[1];
    for (const auto& syntax : retromass::fuzz::kFuzzedSyntaxes) write(root / syntax, retromass::fuzz::codec_seeds(syntax));
    write(root / "file", retromass::fuzz::file_seeds());
    write(root / "stack", retromass::fuzz::stack_seeds());
    return 0;
}

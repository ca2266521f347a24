// fuzz_seeds FOLDER: writes the seeds of every target below FOLDER, for the fuzzers to start from.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/fuzz/header_input.h"
#include "tests/fuzz/reader_input.h"
#include "tests/fuzz/stack_input.h"

int main(int count, char** arguments)
{
    if (count != 2) {
        std::cerr << "usage: fuzz_seeds FOLDER\n";
        return 2;
    }
    const auto write = [&](const std::string& target, const std::vector<retromass::fuzz::Input>& seeds) {
        const auto folder = std::filesystem::path(arguments[1]) / target;
        std::filesystem::create_directories(folder);
        int number = 0;
        for (const auto& seed : seeds) {
            std::ofstream(folder / std::to_string(number++), std::ios::binary).write(reinterpret_cast<const char*>(seed.data()), static_cast<std::streamsize>(seed.size()));
        }
    };
    for (const auto& syntax : retromass::fuzz::kFuzzedSyntaxes) write(syntax, retromass::fuzz::codec_seeds(syntax));
    for (const auto& reader : retromass::fuzz::kFuzzedReaders) write("reader_" + reader, retromass::fuzz::reader_seeds(reader));
    write("headers", retromass::fuzz::header_seeds());
    write("stack", retromass::fuzz::stack_seeds());
    return 0;
}

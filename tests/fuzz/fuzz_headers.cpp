// A libFuzzer target: header reader, grouping, stacks, loader.
#include "tests/fuzz/header_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    retromass::fuzz::run_headers({data, size});
    return 0;
}

// A libFuzzer target: headers to volumes.
#include "tests/fuzz/stack_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    retromass::fuzz::run_stack({data, size});
    return 0;
}

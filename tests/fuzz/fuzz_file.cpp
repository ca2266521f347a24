// A libFuzzer target: a file, from its first byte to the decoded pixels.
#include "tests/fuzz/ingest_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    retromass::fuzz::run_file({data, size});
    return 0;
}

// A libFuzzer target for each reader of what is not a CT.
#include "tests/fuzz/reader_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    retromass::fuzz::run_reader(RETROMASS_FUZZED_READER, {data, size});
    return 0;
}

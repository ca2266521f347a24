// A libFuzzer target; the build names the transfer syntax.
#include "tests/fuzz/codec_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    retromass::fuzz::run_codec(RETROMASS_FUZZED_SYNTAX, {data, size});
    return 0;
}

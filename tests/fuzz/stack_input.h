#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tests/fuzz/codec_input.h"

/// What a fuzzer feeds to the logic that makes volumes of headers, past the reader of files.
namespace retromass::fuzz {

/// Takes each kHeaderBytes of the input for one image's header and groups them into volumes. Aborts if a volume is not what it must be
/// (slices in strictly rising positions, each image once), if an image is lost, or if the order of the files changes the result.
void run_stack(std::span<const std::uint8_t> input);
inline constexpr std::size_t kHeaderBytes = 12;
std::vector<Input> stack_seeds();

}  // namespace retromass::fuzz

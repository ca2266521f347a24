#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tests/fuzz/codec_input.h"

/// What a fuzzer feeds to the header reader and to the logic that makes volumes of headers.
namespace retromass::fuzz {

/// Takes the bytes for a file: reads its headers and decodes its images; answers how many could be decoded.
int run_file(std::span<const std::uint8_t> file);
/// Small files of every encoding and of the structures that have hurt readers, made here.
std::vector<Input> file_seeds();

/// Takes each kHeaderBytes of the input for one image's header and groups them into volumes. Aborts if a volume is not what it must be
/// (slices in strictly rising positions, each image once), if an image is lost, or if the order of the files changes the result.
void run_stack(std::span<const std::uint8_t> input);
inline constexpr std::size_t kHeaderBytes = 12;
std::vector<Input> stack_seeds();

}  // namespace retromass::fuzz

#pragma once

#include <string>
#include <vector>

#include "tests/fuzz/codec_input.h"

/// What a fuzzer feeds to the header reader and the logic that makes volumes of headers: up to eight files, one after the other.
namespace retromass::fuzz {

/// Joins files into one input: each with its length in four bytes before it.
Input header_input(const std::vector<std::string>& files);

/// Reads the headers of the files of the input, groups them into volumes and decodes what may be loaded. Aborts if a volume breaks what
/// it promises: sorted slices, one image each, pixels for every slice.
void run_headers(std::span<const std::uint8_t> input);

/// Small sound inputs: series in every way of writing, phases, an enhanced image, a DICOMDIR, compressed images.
std::vector<Input> header_seeds();
/// Those of compressed images, whole and in fragments.
std::vector<Input> compressed_seeds();

}  // namespace retromass::fuzz

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// What a fuzzer feeds to the decoders: five bytes of header and the stream, so that a mutation can make the two disagree.
namespace retromass::fuzz {

using Input = std::vector<std::uint8_t>;

/// columns, rows, bits stored, flags (1 = signed, 2 = eight bits allocated, 4 = high bit 15), size of the first fragment / 4.
Input codec_input(const std::string& syntax, int columns, int rows, int bits_stored, std::span<const std::byte> stream);

/// Decodes the input as a frame of the syntax. Aborts if two runs over differently filled memory disagree: a decoder that reports success
/// has written every cell, from its input alone.
void run_codec(const std::string& syntax, std::span<const std::uint8_t> input);

/// Small sound inputs of a syntax, made here.
std::vector<Input> codec_seeds(const std::string& syntax);

/// A mutation of an input as fuzzers make them: flipped bits, replaced, removed, doubled and swapped bytes.
Input mutated(Input input, unsigned seed);

/// The syntaxes with a decoder, one fuzz target each.
inline const std::vector<std::string> kFuzzedSyntaxes = {
    "1.2.840.10008.1.2.5",    "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.55",
    "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90",
};

}  // namespace retromass::fuzz

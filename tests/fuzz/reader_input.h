#pragma once

#include "tests/fuzz/codec_input.h"

/// What a fuzzer feeds to the readers of what is not a CT: case files, protocols, tables, masks (NIfTI, NRRD, SEG, RT Structure Set) and marks (SR, GSPS, tables of lines).
namespace retromass::fuzz {

/// The reader is chosen by name: case, protocol, table, labels, marks. Aborts if the same bytes read twice give two answers, or if what was read breaks
/// what its reader promises.
void run_reader(const std::string& reader, std::span<const std::uint8_t> input);

/// Small sound inputs of a reader, made here.
std::vector<Input> reader_seeds(const std::string& reader);

inline const std::vector<std::string> kFuzzedReaders = {"case", "protocol", "table", "labels", "marks"};

}  // namespace retromass::fuzz

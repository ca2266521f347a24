#pragma once

#include "tests/fuzz/codec_input.h"

/// What a fuzzer feeds to the readers of what is not a CT: case files, protocols, settings, tables, masks (NIfTI, NRRD, SEG, RT Structure Set), marks (SR, GSPS, tables of lines),
/// and a batch's manifest and decisions.
namespace retromass::fuzz {

/// The reader is chosen by name: one of kFuzzedReaders. Aborts if the same bytes read twice give two answers, or if what was read breaks
/// what its reader promises.
void run_reader(const std::string& reader, std::span<const std::uint8_t> input);

/// Why the reader refuses the input; empty where it reads it.
std::string refusal(const std::string& reader, std::span<const std::uint8_t> input);

/// Small sound inputs of a reader, made here: each is read, for one that is refused leads no mutation past the refusal.
std::vector<Input> reader_seeds(const std::string& reader);

inline const std::vector<std::string> kFuzzedReaders = {"case", "protocol", "settings", "table", "labels", "marks", "manifest", "decisions"};

}  // namespace retromass::fuzz

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/ingest/header.h"
#include "pipeline/ingest/pixels.h"

/// Whether a series holds Hounsfield units: what its headers state, and what its values show.
namespace retromass::ingest {

/// Why the images of one kind cannot be HU; what is merely doubtful goes to `notices`. Decodes a few images where no rescale is stated.
std::optional<std::string> not_hounsfield(const Images& images, const ScanParameters& parameters, SliceDecoder& decoder, std::vector<Notice>& notices);

/// Pixels of one slice on a coarse grid, the same for every slice of a volume: enough to see tissue and air.
std::vector<std::int16_t> sampled(std::span<const std::int16_t> plane, int columns, int rows);
/// Why these values are no HU of a body; empty where nothing speaks against it.
std::string implausible(std::span<const std::int16_t> hu);
/// What a reader must know of the values of a volume: no HU of a body, or a slice that does not belong where it lies. One sample a slice.
std::vector<Notice> doubts(const std::vector<std::vector<std::int16_t>>& samples, const std::vector<SliceSource>& slices);

}  // namespace retromass::ingest

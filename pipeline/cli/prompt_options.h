#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/geometry.h"
#include "core/result.h"
#include "pipeline/ingest/ingest.h"
#include "segmentation/segment.h"

namespace retromass::cli {

/// The prompt as given on a command line; positions in LPS mm, or voxel indices (column,row,slice) with --voxels.
struct PromptOptions {
    std::vector<std::string> points;
    std::vector<std::string> lines;
    std::string box;
    std::string extent;
    std::vector<std::string> contours;
    std::string mask;
    std::string label;
    std::string marks;
    std::string mark;
    std::vector<std::string> exclude;
    std::string frame_of_reference;
    bool voxels = false;
};

void add_prompt_options(CLI::App& command, const std::shared_ptr<PromptOptions>& options);

/// The lines of the mark that --marks and --mark name, placed by the images of the scan; empty without --marks.
Result<std::optional<ingest::PlacedLines>> marked_lines(const PromptOptions& options, const ingest::Scan& scan);

/// The prompt in patient space. Reads contour and mask files; a prior mask is laid on the grid of the series.
Result<segmentation::Prompt> prompt_of(const PromptOptions& options, const ingest::SeriesCandidate& series, const std::optional<ingest::PlacedLines>& marked);

}  // namespace retromass::cli

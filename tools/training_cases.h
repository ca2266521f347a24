#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "pipeline/ingest/ingest.h"
#include "segmentation/segment.h"
#include "segmentation/working_grid.h"

/// Cases and prompts that programs learn from: a folder a case with ct/ and gtv.nii.gz, and what tools/write_prompts.py wrote.
namespace retromass::tools {

struct Case {
    std::string name;
    CtVolume ct;
    Mask expert;
};

[[noreturn]] inline void stop(const std::string& why)
{
    std::cerr << why << '\n';
    std::exit(1);
}

template <class T>
T taken(Result<T> result)
{
    if (!result.ok()) stop(result.error().message);
    return std::move(*result);
}

inline std::vector<Case> cases_below(const std::filesystem::path& folder)
{
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (std::filesystem::exists(entry.path() / "gtv.nii.gz")) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    std::vector<Case> out;
    for (const auto& path : found) {
        auto series = taken(ingest::load(taken(ingest::one_series(taken(ingest::scan({path / "ct"}))))));
        const auto labels = taken(ingest::on_grid(taken(ingest::read_labels(path / "gtv.nii.gz")), series.volume.geometry));
        Mask expert(labels.size());
        for (std::size_t i = 0; i < labels.values().size(); ++i) expert[i] = labels[i] != 0;
        out.push_back({path.filename().string(), std::move(series.volume), std::move(expert)});
    }
    return out;
}

inline segmentation::Prompt prompt_in(const std::filesystem::path& file)
{
    std::ifstream in(file);
    if (!in) stop("no " + file.string());
    segmentation::Prompt prompt;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string what;
        words >> what;
        std::vector<PatientPoint> points;
        for (PatientPoint p; words >> p.x >> p.y >> p.z;) points.push_back(p);
        if (what == "point") prompt.points.push_back(points.at(0));
        else if (what == "line") prompt.lines.push_back({points.at(0), points.at(1)});
        else if (what == "extent") prompt.extent = {points.at(0), points.at(1)};
        else if (what == "box") prompt.box = {points.at(0), points.at(1)};
        else if (what == "contour") prompt.contours.push_back(points);
        else stop(file.string() + ": " + what);
    }
    return prompt;
}

inline std::string median_and_mean(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    double sum = 0;
    for (const double v : values) sum += v;
    const std::size_t n = values.size();
    char text[32];
    std::snprintf(text, sizeof text, "%.3f / %.3f", (values[(n - 1) / 2] + values[n / 2]) / 2, sum / static_cast<double>(n));
    return text;
}

/// Voxels of the expert's mask in one cell.
inline int inside_of(const Mask& expert, const segmentation::WorkingGrid& grid, Index cell)
{
    int inside = 0;
    for (int z = 0; z < grid.block[2]; ++z) {
        for (int y = 0; y < grid.block[1]; ++y) {
            for (int x = 0; x < grid.block[0]; ++x) {
                const Index at{grid.first.column + cell.column * grid.block[0] + x, grid.first.row + cell.row * grid.block[1] + y, grid.first.slice + cell.slice * grid.block[2] + z};
                inside += expert.size().contains(at.column, at.row, at.slice) && expert.at(at.column, at.row, at.slice);
            }
        }
    }
    return inside;
}

}  // namespace retromass::tools

#include "segmentation/drawn.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel.h"
#include "segmentation/linear.h"

namespace retromass::segmentation {
namespace {

constexpr double kLineReach_mm = 8;          // sigma, from the end of a line
constexpr double kContourReach = 0.35;       // sigma, from the slice of a contour, of the half depth
constexpr double kContourSlope_per_mm = 1;   // of the logit across a drawn contour, which a hand places within 1.5 mm
constexpr float kSure = 4;                   // logits beyond this are alike: how sure a cell is does not say by how much its surface is off

float bell(double away, double sigma) { return static_cast<float>(std::exp(-0.5 * away * away / (sigma * sigma))); }

/// Linear between the cells round a point, which may lie beyond the outermost.
float value_at(const Grid<float>& values, const VolumeGeometry& geometry, const WorkingGrid& grid, PatientPoint p)
{
    const auto [x, y, z] = grid.cell(geometry.to_index(p));
    return linear_at(values, x, y, z, kSure);
}

void hold_to_ends(Grid<float>& logits, const Prompt& prompt, const VolumeGeometry& geometry, const WorkingGrid& grid, float end, double weight, int threads)
{
    struct End {
        PatientPoint at;
        float lacking;
    };
    std::vector<End> ends;
    for (const auto& line : prompt.lines) {
        for (const auto& p : {line.a, line.b}) ends.push_back({p, end - value_at(logits, geometry, grid, p)});
    }
    parallel_for(grid.size.slices, threads, [&](int k) {
        for (int j = 0; j < grid.size.rows; ++j) {
            for (int i = 0; i < grid.size.columns; ++i) {
                const auto p = geometry.to_patient(grid.ct_index(i, j, k));
                float sum = 0;
                float all = 0;
                float most = 0;
                for (const auto& e : ends) {  // between two ends the mean of what they ask for, as much as the nearer one is heard
                    const float heard = bell(distance(p, e.at), kLineReach_mm);
                    sum += heard * e.lacking;
                    all += heard;
                    most = std::max(most, heard);
                }
                if (all > 0) logits.at(i, j, k) += static_cast<float>(weight) * most * sum / all;
            }
        }
    });
}

void hold_to_contour(Grid<float>& logits, const Shape& shape, const VolumeGeometry& geometry, const WorkingGrid& grid, float end, double weight, int threads)
{
    const auto slice = (geometry.to_index(shape.contour.front()).slice - grid.first.slice + 0.5) / grid.block[2] - 0.5;
    const int drawn = std::clamp(static_cast<int>(std::lround(slice)), 0, grid.size.slices - 1);
    Grid<float> lacking({grid.size.columns, grid.size.rows, 1});
    parallel_for(grid.size.rows, threads, [&](int j) {
        for (int i = 0; i < grid.size.columns; ++i) {
            const double inside_mm = inside_contour_mm(shape, geometry.to_patient(grid.ct_index(i, j, drawn)));
            const float wanted = std::clamp(static_cast<float>(kContourSlope_per_mm * inside_mm), -kSure, kSure) + end;
            lacking.at(i, j, 0) = wanted - std::clamp(logits.at(i, j, drawn), -kSure, kSure);
        }
    });
    parallel_for(grid.size.slices, threads, [&](int k) {
        const float heard = static_cast<float>(weight) * bell((k - drawn) * grid.spacing_mm[2], kContourReach * shape.half_n_mm);
        const auto to = logits.plane(k);
        for (std::size_t i = 0; i < to.size(); ++i) to[i] += heard * lacking[i];
    });
}

}  // namespace

void hold_to_drawing(Grid<float>& logits, const Prompt& prompt, const Shape& shape, const VolumeGeometry& geometry, const WorkingGrid& grid, float end, double weight, int threads)
{
    if (weight <= 0) return;
    if (shape.kind == Shape::Kind::contour) {
        if (prompt.contours.size() == 1) hold_to_contour(logits, shape, geometry, grid, end, weight, threads);  // several are followed on the mask (corrections.h)
    } else if (!shape.strokes.empty()) hold_to_ends(logits, prompt, geometry, grid, end, weight, threads);
}

}  // namespace retromass::segmentation

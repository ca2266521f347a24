// Learns the three weights of what belongs to a point (segmentation/click.h) and judges them on cases left out.
//
//   train_click CASES PROMPTS
//
// CASES and PROMPTS as for train_fusion; the points are those of seed 0, in the middle and anywhere. Prints the weights of all cases
// and Dice on the working grid, every case judged by weights that have not seen it.

#include <array>
#include <cmath>
#include <random>

#include "core/parallel.h"
#include "segmentation/click.h"
#include "segmentation/scene.h"
#include "tools/training_cases.h"

using namespace retromass;
using namespace retromass::segmentation;
using namespace retromass::tools;

namespace {

constexpr int kCellsAPoint = 2000;
constexpr double kRidge = 10;      // on the weights of the two signs: nothing against 2000 cells a point
const std::vector<std::string> kKinds{"click", "random-click"};

using Weights = std::array<double, 3>;   // of 1, log distance and root of the HU climbed
struct Cell {
    std::array<double, 3> signs;
    double inside;
};
struct Point {
    ClickField field;
    std::vector<float> inside;   ///< part of each cell that is lesion
    double lesion_cells = 0;     ///< the whole lesion, in cells
    std::vector<Cell> drawn;
};

Point point_of(const Case& c, const Prompt& prompt, std::uint32_t seed)
{
    const ClickConstants constants;
    Point out;
    out.field = click_field(c.ct, bare_scene(c.ct, prompt, 1, Pixels::unseen).shape, constants, 1, 1);
    const auto& grid = out.field.grid;
    const double voxels = grid.block[0] * grid.block[1] * grid.block[2];
    for (int k = 0; k < grid.size.slices; ++k) {
        for (int j = 0; j < grid.size.rows; ++j) {
            for (int i = 0; i < grid.size.columns; ++i) out.inside.push_back(static_cast<float>(inside_of(c.expert, grid, {i, j, k}) / voxels));
        }
    }
    for (const auto v : c.expert.values()) out.lesion_cells += (v != 0) / voxels;
    std::mt19937 random(seed);
    while (out.drawn.size() < kCellsAPoint) {
        const auto i = static_cast<std::size_t>(random() % out.inside.size());
        if (out.field.away_mm[i] > 100) continue;
        out.drawn.push_back({{1, std::log(out.field.away_mm[i] + constants.near_mm), std::sqrt(out.field.climbed_hu[i])}, out.inside[i]});
    }
    return out;
}

/// Logistic regression by Newton's method; halved steps keep it from running away.
Weights fitted(const std::vector<std::vector<Point>>& cases, std::size_t left_out)
{
    const auto loss = [&](const Weights& w) {
        double sum = kRidge / 2 * (w[1] * w[1] + w[2] * w[2]);
        for (std::size_t c = 0; c < cases.size(); ++c) {
            if (c == left_out) continue;
            for (const auto& point : cases[c]) {
                for (const auto& cell : point.drawn) {
                    const double z = w[0] + w[1] * cell.signs[1] + w[2] * cell.signs[2];
                    sum += (z > 0 ? z + std::log1p(std::exp(-z)) : std::log1p(std::exp(z))) - cell.inside * z;
                }
            }
        }
        return sum;
    };
    Weights w{0, 0, 0};
    for (int step = 0; step < 20; ++step) {
        double h[3][4] = {{1e-9, 0, 0, 0}, {0, kRidge, 0, -kRidge * w[1]}, {0, 0, kRidge, -kRidge * w[2]}};  // Hessian and descent
        for (std::size_t c = 0; c < cases.size(); ++c) {
            if (c == left_out) continue;
            for (const auto& point : cases[c]) {
                for (const auto& cell : point.drawn) {
                    const auto& x = cell.signs;
                    const double p = 1 / (1 + std::exp(-(w[0] + w[1] * x[1] + w[2] * x[2])));
                    for (std::size_t a = 0; a < 3; ++a) {
                        for (std::size_t b = 0; b < 3; ++b) h[a][b] += p * (1 - p) * x[a] * x[b];
                        h[a][3] += (cell.inside - p) * x[a];
                    }
                }
            }
        }
        for (std::size_t a = 0; a < 3; ++a) {   // Gauss-Jordan; the Hessian is positive definite
            for (std::size_t b = 0; b < 3; ++b) {
                if (b == a) continue;
                const double factor = h[b][a] / h[a][a];
                for (std::size_t q = 0; q < 4; ++q) h[b][q] -= factor * h[a][q];
            }
        }
        const double before = loss(w);
        for (double length = 1; length > 1e-3; length /= 2) {
            const Weights other{w[0] + length * h[0][3] / h[0][0], w[1] + length * h[1][3] / h[1][1], w[2] + length * h[2][3] / h[2][2]};
            if (loss(other) >= before) continue;
            w = other;
            break;
        }
    }
    return w;
}

ClickConstants constants_of(const Weights& w)
{
    ClickConstants out;
    out.level = w[0];
    out.distance_weight = -w[1];
    out.climb_weight = -w[2];
    return out;
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc != 3) stop("usage: train_click CASES PROMPTS");
    const std::filesystem::path prompts = argv[2];
    const auto cases = cases_below(argv[1]);
    std::vector<std::vector<Point>> points(cases.size());
    parallel_for(static_cast<int>(cases.size()), 2, [&](int c) {
        const auto& of = cases[static_cast<std::size_t>(c)];
        for (const auto& kind : kKinds) points[static_cast<std::size_t>(c)].push_back(point_of(of, prompt_in(prompts / "0" / (of.name + "_" + kind + ".txt")), static_cast<std::uint32_t>(c)));
    });
    const auto all = fitted(points, cases.size());
    std::printf("level %.2f distance_weight %.2f climb_weight %.2f\n", all[0], -all[1], -all[2]);
    std::vector<std::vector<double>> dice(kKinds.size());
    for (std::size_t c = 0; c < cases.size(); ++c) {
        const auto constants = constants_of(fitted(points, c));
        for (std::size_t k = 0; k < kKinds.size(); ++k) {
            const auto& point = points[c][k];
            const auto mask = reached(point.field, constants, 1, 2);
            double both = 0;
            double cells = 0;
            for (std::size_t i = 0; i < point.inside.size(); ++i) {
                if (mask[i]) both += point.inside[i], ++cells;
            }
            dice[k].push_back(2 * both / (cells + point.lesion_cells));
        }
        std::printf("%s %.3f %.3f\n", cases[c].name.c_str(), dice[0].back(), dice[1].back());
    }
    for (std::size_t k = 0; k < kKinds.size(); ++k) std::printf("LEFT OUT %s: %s\n", kKinds[k].c_str(), median_and_mean(dice[k]).c_str());
    return 0;
}

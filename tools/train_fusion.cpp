// Learns the trees of method `fusion` and judges them on cases left out of the training.
//
//   train_fusion CASES PROMPTS [--folds N] [--table FILE] [--intervals FILE]
//
// CASES holds a folder a case with ct/ and gtv.nii.gz; PROMPTS is what tools/write_prompts.py wrote: PROMPTS/SEED/CASE_KIND.txt.
// Trained on the prompts of seeds 1 and 2, judged on those of seed 0. --folds leaves every N-th case out in turn (N = number of
// cases: leave one out) and prints Dice by case, and median / mean of it and of the volume error; and --intervals before it notes what tools/calibrate_intervals.py needs of each; --table writes
// the trees of all cases as source.

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <sstream>

#include "core/parallel.h"
#include "pipeline/ingest/ingest.h"
#include "segmentation/segment_with.h"
#include "tools/gradient_boosting.h"
#include "tools/interval_rows.h"
#include "tools/training_cases.h"

using namespace retromass;
using namespace retromass::segmentation;
using namespace retromass::tools;

namespace {

constexpr int kRowsAPrompt = 1500;
const std::vector<std::string> kKinds{"line", "line2", "line2z", "box", "contour"};
const std::vector<std::string> kTrainingSeeds{"1", "2"};

/// Cells of one prompt, drawn at random from those the trees would be asked about.
Rows rows_of(const Case& c, const Prompt& prompt, int owner, std::uint32_t seed)
{
    const EnergyConstants constants;
    auto scene = bare_scene(c.ct, prompt, 1);
    look(scene, c.ct, constants, 1);
    const auto logits = first_logits(scene.r, scene.appearance, scene.path, scene.shape.half_u_mm, scene.rim_step, constants);
    const FeatureReader reader(scene, logits, c.ct.geometry, 1);
    const auto& grid = scene.grid;
    std::vector<Index> doubtful;
    for (int k = 0; k < grid.size.slices; ++k) {
        for (int j = 0; j < grid.size.rows; ++j) {
            for (int i = 0; i < grid.size.columns; ++i) {
                if (scene.r.at(i, j, k) < kGrow_r && std::abs(logits.at(i, j, k)) <= kDoubt) doubtful.push_back({i, j, k});
            }
        }
    }
    if (doubtful.empty()) return {};
    std::mt19937 random(seed);
    Rows out;
    for (int n = 0; n < kRowsAPrompt; ++n) {
        const auto [i, j, k] = doubtful[random() % doubtful.size()];
        const int inside = inside_of(c.expert, grid, {i, j, k});
        out.x.push_back(reader.at(i, j, k));
        out.y.push_back(static_cast<float>(inside) / static_cast<float>(grid.block[0] * grid.block[1] * grid.block[2]));
        out.start.push_back(logits.at(i, j, k));
        out.owner.push_back(owner);
    }
    return out;
}

double dice(const Mask& a, const Mask& b)
{
    double both = 0;
    double sum = 0;
    for (std::size_t i = 0; i < a.values().size(); ++i) {
        both += a[i] && b[i];
        sum += (a[i] != 0) + (b[i] != 0);
    }
    return sum > 0 ? 2 * both / sum : 0;
}

double voxels(const Mask& mask)
{
    double sum = 0;
    for (const auto v : mask.values()) sum += v != 0;
    return sum;
}

/// Every fold's trees judge the cases they have not seen.
void judge(const std::vector<Case>& cases, const std::filesystem::path& prompts, Boosting& boosting, int folds, std::ostream& intervals)
{
    intervals << kIntervalHeader << '\n';
    std::map<std::string, std::vector<double>> fusion;
    std::map<std::string, std::vector<double>> ellipsoid;
    std::map<std::string, std::vector<double>> volume_error;   // absolute, %
    for (int fold = 0; fold < folds; ++fold) {
        const auto nodes = boosting.fitted([&](int owner) { return owner % folds != fold; });
        const Trees trees{nodes, boosting.nodes_a_tree()};
        for (std::size_t c = 0; c < cases.size(); ++c) {
            if (static_cast<int>(c) % folds != fold) continue;
            std::cout << cases[c].name;
            const auto expert = taken(measurement::measure(cases[c].expert, cases[c].ct.geometry, &cases[c].ct.hu));
            const std::array<double, 5> truth{expert.long_axis.exact_mm, expert.short_axis.exact_mm, expert.craniocaudal.exact_mm, expert.volume_ml, expert.hu->mean};
            for (const auto& kind : kKinds) {
                const auto prompt = prompt_in(prompts / "0" / (cases[c].name + "_" + kind + ".txt"));
                const auto made = segment_with(trees, cases[c].ct, "", prompt, {.variants = kVariants});
                if (made) write_interval_rows(intervals, "sarcomas", cases[c].name, cases[c].ct, *made, truth);
                const auto bare = segment(cases[c].ct, "", prompt, {.method = Method::ellipsoid});
                fusion[kind].push_back(made ? dice(made->mask, cases[c].expert) : 0);
                volume_error[kind].push_back(made ? 100 * std::abs(voxels(made->mask) / voxels(cases[c].expert) - 1) : 100);
                ellipsoid[kind].push_back(bare ? dice(bare->mask, cases[c].expert) : 0);
                std::printf(" %s %.3f (%.3f)", kind.c_str(), fusion[kind].back(), ellipsoid[kind].back());
                std::fflush(stdout);
            }
            std::cout << std::endl;
        }
    }
    for (const auto& kind : kKinds) {
        std::size_t wins = 0;
        for (std::size_t i = 0; i < fusion[kind].size(); ++i) wins += fusion[kind][i] > ellipsoid[kind][i];
        std::cout << "LEFT OUT " << kind << ": fusion " << median_and_mean(fusion[kind]) << ", ellipsoid " << median_and_mean(ellipsoid[kind]) << ", better in " << wins << " of " << fusion[kind].size() << ", volume off by % " << median_and_mean(volume_error[kind]) << '\n';
    }
}

void write_table(const std::filesystem::path& file, const std::vector<TreeNode>& nodes, std::size_t nodes_a_tree)
{
    std::ofstream out(file);
    out << "// Made by tools/train_fusion.cpp; change that, not this.\n"
           "// Learned from 29 cases of TCIA Soft-tissue-Sarcoma (Vallieres et al. 2015, IBSI validation set, CC BY 3.0).\n"
           "#include <array>\n\n#include \"segmentation/fusion.h\"\n\nnamespace retromass::segmentation {\nnamespace {\n\n"
        << "constexpr std::size_t kNodesATree = " << nodes_a_tree << ";\nconstexpr std::array<TreeNode, " << nodes.size() / nodes_a_tree << " * kNodesATree> kNodes{{";
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        char number[32];
        std::snprintf(number, sizeof number, "%.9g", static_cast<double>(nodes[i].limit));
        const bool whole = std::string(number).find_first_of(".e") == std::string::npos;
        out << (i % nodes_a_tree == 0 ? "\n    " : "") << '{' << int(nodes[i].feature) << ',' << int(nodes[i].left) << ',' << int(nodes[i].right) << ',' << number << (whole ? ".0F}," : "F},");
    }
    out << "\n}};\n\n}  // namespace\n\nconst Trees& sarcoma_trees()\n{\n    static const Trees trees{kNodes, kNodesATree};\n    return trees;\n}\n\n}  // namespace retromass::segmentation\n";
}

}  // namespace

int main(int argc, char** argv)
{
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() < 4) stop("usage: train_fusion CASES PROMPTS [--folds N] [--table FILE]");
    const std::filesystem::path prompts = words[1];
    const auto cases = cases_below(words[0]);
    Rows rows;
    std::vector<Rows> parts(cases.size());
    parallel_for(static_cast<int>(cases.size()), 2, [&](int c) {
        auto& part = parts[static_cast<std::size_t>(c)];
        for (const auto& kind : kKinds) {
            for (const auto& seed : kTrainingSeeds) {
                const auto& of = cases[static_cast<std::size_t>(c)];
                const auto more = rows_of(of, prompt_in(prompts / seed / (of.name + "_" + kind + ".txt")), c, static_cast<std::uint32_t>(c) * 31 + static_cast<std::uint32_t>(seed[0]));
                part.x.insert(part.x.end(), more.x.begin(), more.x.end());
                part.y.insert(part.y.end(), more.y.begin(), more.y.end());
                part.start.insert(part.start.end(), more.start.begin(), more.start.end());
                part.owner.insert(part.owner.end(), more.owner.begin(), more.owner.end());
            }
        }
    });
    for (const auto& part : parts) {
        rows.x.insert(rows.x.end(), part.x.begin(), part.x.end());
        rows.y.insert(rows.y.end(), part.y.begin(), part.y.end());
        rows.start.insert(rows.start.end(), part.start.begin(), part.start.end());
        rows.owner.insert(rows.owner.end(), part.owner.begin(), part.owner.end());
    }
    BoostingOptions options;
    options.decreasing = {Feature::r, Feature::depth_mm, Feature::climbed_mm, Feature::climbed};
    options.left_out = {Feature::seed_sd, Feature::seed_hu, Feature::separation};  // the same in a whole case: 29 values teach nothing
    Boosting boosting(rows, options);
    std::ofstream intervals;
    for (std::size_t i = 2; i + 1 < words.size(); i += 2) {
        if (words[i] == "--folds") judge(cases, prompts, boosting, std::stoi(words[i + 1]), intervals);
        else if (words[i] == "--intervals") intervals.open(words[i + 1]);
        else if (words[i] == "--table") write_table(words[i + 1], boosting.fitted([](int) { return true; }), boosting.nodes_a_tree());
        else stop("unknown option " + words[i]);
    }
    return 0;
}

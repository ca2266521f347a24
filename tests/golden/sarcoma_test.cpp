#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <numeric>
#include <vector>

#include "pipeline/ingest/ingest.h"
#include "segmentation/segment.h"
#include "tests/support/reader_prompts.h"
#include "tests/support/real_data.h"

namespace retromass {
namespace {

struct Figures {
    double median = 0;
    double mean = 0;
};

Figures figures_of(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    const auto n = values.size();
    return {n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2, std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(n)};
}

struct Outcome {
    std::string kind;
    std::vector<double> fusion;
    std::vector<double> ellipsoid;
};

segmentation::Prompt prompt_of(const std::string& kind, const test::ReaderPrompts& reader)
{
    segmentation::Prompt prompt;
    if (kind == "point") {
        prompt.points = {reader.middle};
        return prompt;
    }
    if (kind == "box") {
        prompt.box = reader.box;
        return prompt;
    }
    prompt.lines.push_back(reader.long_axis);
    if (kind != "line") prompt.lines.push_back(reader.short_axis);
    if (kind == "line2z") prompt.extent = reader.extent;
    return prompt;
}

}  // namespace

/// The floors are what is asked of prompts with jitter on any case. The trees of the default method have seen these cases, so to fall
/// to a floor is a step back; what it does on cases left out stands in docs/stages/segmentation.md. An ellipsoid that looks at no
/// pixel must be beaten in at least 60 %.
TEST(Sarcomas, SegmentedFromAReadersMarksReachTheFloorAndBeatTheBareEllipsoid)
{
    RETROMASS_NEEDS_DATA("sts");
    std::vector<std::filesystem::path> cases;
    for (const auto& entry : std::filesystem::directory_iterator(test::data_folder() / "sts")) {
        if (std::filesystem::exists(entry.path() / "gtv.nii.gz")) cases.push_back(entry.path());
    }
    std::sort(cases.begin(), cases.end());
    ASSERT_FALSE(cases.empty());
    std::vector<Outcome> outcomes{{"line", {}, {}}, {"line2", {}, {}}, {"line2z", {}, {}}, {"box", {}, {}}, {"point", {}, {}}};
    for (const auto& folder : cases) {
        SCOPED_TRACE(folder.filename().string());
        const auto scan = ingest::scan({folder / "ct"});
        ASSERT_TRUE(scan.ok()) << scan.error().message;
        const auto series = ingest::one_series(*scan);
        ASSERT_TRUE(series.ok()) << series.error().message;
        const auto ct = ingest::load(*series);
        ASSERT_TRUE(ct.ok()) << ct.error().message;
        const auto labels = ingest::read_labels(folder / "gtv.nii.gz");
        ASSERT_TRUE(labels.ok()) << labels.error().message;
        const auto laid = ingest::on_grid(*labels, ct->volume.geometry);
        ASSERT_TRUE(laid.ok()) << laid.error().message;
        Mask expert(laid->size());
        for (std::size_t i = 0; i < laid->values().size(); ++i) expert[i] = (*laid)[i] != 0;
        const auto reader = test::prompts_of(expert, ct->volume.geometry);
        for (auto& outcome : outcomes) {
            for (const auto method : {segmentation::Method::fusion, segmentation::Method::ellipsoid}) {
                segmentation::SegmentParameters parameters;
                parameters.method = method;
                const auto made = segmentation::segment(ct->volume, ct->facts.frame_of_reference_uid, prompt_of(outcome.kind, reader), parameters);
                ASSERT_TRUE(made.ok()) << outcome.kind << ": " << made.error().message;
                (method == segmentation::Method::fusion ? outcome.fusion : outcome.ellipsoid).push_back(test::dice(made->mask, expert));
            }
        }
    }
    const std::vector<Figures> floors{{0.77, 0.755}, {0.79, 0.76}, {0.83, 0.79}, {0.81, 0.78}, {0.70, 0.66}};
    for (std::size_t k = 0; k < outcomes.size(); ++k) {
        const auto& o = outcomes[k];
        const auto fusion = figures_of(o.fusion);
        const auto ellipsoid = figures_of(o.ellipsoid);
        std::size_t wins = 0;
        for (std::size_t i = 0; i < o.fusion.size(); ++i) wins += o.fusion[i] > o.ellipsoid[i];
        std::cout << o.kind << ": Dice median " << fusion.median << " mean " << fusion.mean << ", ellipsoid " << ellipsoid.median << " / " << ellipsoid.mean
                  << ", better in " << wins << " of " << o.fusion.size() << '\n';
        EXPECT_GE(fusion.median, floors[k].median) << o.kind;
        EXPECT_GE(fusion.mean, floors[k].mean) << o.kind;
        EXPECT_GE(static_cast<double>(wins), 0.6 * static_cast<double>(o.fusion.size())) << o.kind;
    }
}

}  // namespace retromass

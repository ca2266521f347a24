#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
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
    std::vector<bool> asks = {};   ///< for one more prompt
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

std::vector<std::filesystem::path> folders()
{
    std::vector<std::filesystem::path> out;
    for (const auto& entry : std::filesystem::directory_iterator(test::data_folder() / "sts")) {
        if (std::filesystem::exists(entry.path() / "gtv.nii.gz")) out.push_back(entry.path());
    }
    std::sort(out.begin(), out.end());
    return out;
}

/// A scan and the expert's mask on its grid.
struct Sarcoma {
    ingest::CtSeries ct;
    Mask expert;
};
Result<Sarcoma> case_in(const std::filesystem::path& folder)
{
    Sarcoma out;
    RETROMASS_TRY_ASSIGN(const auto scan, ingest::scan({folder / "ct"}));
    RETROMASS_TRY_ASSIGN(const auto series, ingest::one_series(scan, std::string()));
    RETROMASS_TRY_ASSIGN(out.ct, ingest::load(series));
    RETROMASS_TRY_ASSIGN(const auto labels, ingest::read_labels(folder / "gtv.nii.gz"));
    RETROMASS_TRY_ASSIGN(const auto laid, ingest::on_grid(labels, out.ct.volume.geometry));
    out.expert = Mask(laid.size());
    for (std::size_t i = 0; i < laid.values().size(); ++i) out.expert[i] = laid[i] != 0;
    return out;
}

/// The slice on which most voxels are wrong, of those whose outline holds what the expert drew.
int worst_slice(const Mask& found, const Mask& expert)
{
    int worst = -1;
    std::size_t most = 0;
    for (int k = 0; k < expert.size().slices; ++k) {
        const auto a = found.plane(k);
        const auto b = expert.plane(k);
        std::size_t wrong = 0;
        bool shown = false;
        for (std::size_t i = 0; i < a.size(); ++i) {
            wrong += (a[i] != 0) != (b[i] != 0);
            shown = shown || b[i];
        }
        if (shown && wrong > most) most = wrong, worst = k;
    }
    return worst;
}

}  // namespace

/// The floors are what is asked of prompts with jitter on any case; of all marks and of a box more, which masks without the usual surface and
/// volume (surface.h) do not reach. The trees of the default method have seen these cases, so to fall to a floor is a step back; what it does on cases left out stands in docs/stages/segmentation.md. An ellipsoid that looks at no
/// pixel must be beaten in at least 60 %.
TEST(Sarcomas, SegmentedFromAReadersMarksReachTheFloorAndBeatTheBareEllipsoid)
{
    RETROMASS_NEEDS_DATA("sts");
    const auto cases = folders();
    ASSERT_FALSE(cases.empty());
    std::vector<Outcome> outcomes{{"line", {}, {}}, {"line2", {}, {}}, {"line2z", {}, {}}, {"box", {}, {}}, {"point", {}, {}}};
    for (const auto& folder : cases) {
        SCOPED_TRACE(folder.filename().string());
        const auto loaded = case_in(folder);
        ASSERT_TRUE(loaded.ok()) << loaded.error().message;
        const auto& [ct, expert] = *loaded;
        const auto reader = test::prompts_of(expert, ct.volume.geometry);
        for (auto& outcome : outcomes) {
            for (const auto method : {segmentation::Method::fusion, segmentation::Method::ellipsoid}) {
                segmentation::SegmentParameters parameters;
                parameters.method = method;
                const auto made = segmentation::segment(ct.volume, ct.facts.frame_of_reference_uid, prompt_of(outcome.kind, reader), parameters);
                ASSERT_TRUE(made.ok()) << outcome.kind << ": " << made.error().message;
                (method == segmentation::Method::fusion ? outcome.fusion : outcome.ellipsoid).push_back(test::dice(made->mask, expert));
                if (method == segmentation::Method::fusion) outcome.asks.push_back(std::any_of(made->notices.begin(), made->notices.end(), [](const Notice& n) { return n.code == Code::low_confidence; }));
            }
        }
    }
    const std::vector<Figures> floors{{0.80, 0.775}, {0.81, 0.785}, {0.855, 0.83}, {0.84, 0.82}, {0.70, 0.66}};
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
    // A flag that is never raised fails the first, one that always is the second. A point always asks. Masks near 0.7 change sides with a voxel, and the
    // bad ones are a dozen: hence a third and a fifth to spare, not the last one.
    int bad = 0;
    int bad_asking = 0;
    int others = 0;
    int others_asking = 0;
    for (const auto& o : outcomes) {
        for (std::size_t i = 0; i < o.fusion.size() && o.kind != "point"; ++i) {
            (o.fusion[i] < 0.7 ? bad : others) += 1;
            if (o.asks[i]) (o.fusion[i] < 0.7 ? bad_asking : others_asking) += 1;
        }
    }
    std::cout << "asks for one more prompt: " << bad_asking << " of " << bad << " with Dice below 0.7, " << others_asking << " of " << others << " others\n";
    EXPECT_GE(3 * bad_asking, 2 * bad);
    EXPECT_LE(5 * others_asking, others);
}

/// Tumour and nodes of a chest, for which nothing was learned or chosen: most masks are bad there, and those must say so.
TEST(Lung, MasksThatAreBadAskForOneMorePrompt)
{
    RETROMASS_NEEDS_DATA("lung_4d113");
    const auto folder = test::data_folder() / "lung_4d113";
    const auto scan = ingest::scan({folder / "CT"});
    ASSERT_TRUE(scan.ok());
    const auto series = ingest::one_series(*scan, std::string());
    ASSERT_TRUE(series.ok()) << series.error().message;
    const auto loaded = ingest::load(*series);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    const auto& ct = loaded->volume;
    const auto& uid = loaded->facts.frame_of_reference_uid;
    const auto drawn = ingest::read_labels(folder / "RTSTRUCT" / "1-1.dcm", &ct.geometry, uid);
    ASSERT_TRUE(drawn.ok()) << drawn.error().message;
    const auto laid = ingest::on_grid(*drawn, ct.geometry);
    ASSERT_TRUE(laid.ok()) << laid.error().message;
    int bad = 0;
    int asking = 0;
    for (const auto& label : drawn->present) {
        Mask expert(laid->size());
        for (std::size_t i = 0; i < expert.values().size(); ++i) expert[i] = (*laid)[i] == label.value;
        if (std::count(expert.values().begin(), expert.values().end(), 1) > 100'000) continue;  // lungs, heart, cord: no lesion
        const auto reader = test::prompts_of(expert, ct.geometry);
        for (const auto* kind : {"line", "line2", "line2z", "box"}) {
            const auto made = segmentation::segment(ct, uid, prompt_of(kind, reader));
            ASSERT_TRUE(made.ok()) << label.name << ", " << kind << ": " << made.error().message;
            if (test::dice(made->mask, expert) >= 0.7) continue;
            ++bad;
            asking += std::any_of(made->notices.begin(), made->notices.end(), [](const Notice& n) { return n.code == Code::low_confidence; });
        }
    }
    std::cout << "lung and nodes: " << asking << " of " << bad << " masks with Dice below 0.7 ask\n";
    EXPECT_GT(bad, 8) << "the masks are better than they were: choose another case";
    EXPECT_GE(10 * asking, 9 * bad);  // one in ten may lie beside the limit
}

/// Every fifth case: three marks, each in the middle of what is then most wrong; and a second contour on the worst slice.
TEST(Sarcomas, CorrectionsNeverLowerDice)
{
    RETROMASS_NEEDS_DATA("sts");
    const auto cases = folders();
    std::vector<double> gained;
    std::vector<double> gained_by_contour;
    for (std::size_t i = 0; i < cases.size(); i += 5) {
        SCOPED_TRACE(cases[i].filename().string());
        const auto loaded = case_in(cases[i]);
        ASSERT_TRUE(loaded.ok()) << loaded.error().message;
        const auto& volume = loaded->ct.volume;
        const auto& g = volume.geometry;
        const auto reader = test::prompts_of(loaded->expert, g);
        auto prompt = prompt_of("line", reader);
        auto made = segmentation::segment(volume, "", prompt);
        ASSERT_TRUE(made.ok()) << made.error().message;
        double before = test::dice(made->mask, loaded->expert);
        std::cout << cases[i].filename().string() << ": Dice " << before;
        const double first = before;
        for (int step = 0; step < 3; ++step) {
            const auto error = test::largest_error(made->mask, loaded->expert);
            (error.missing ? prompt.points : prompt.exclude).push_back(test::middle_of(error.part, g));
            auto next = segmentation::segment(volume, "", prompt);
            if (!next) break;  // the middle of the error lies on the reader's own line
            made = std::move(next);
            const double now = test::dice(made->mask, loaded->expert);
            std::cout << (error.missing ? " + " : " - ") << now;
            EXPECT_GE(now, before) << "step " << step;
            before = now;
        }
        gained.push_back(before - first);
        segmentation::Prompt contours;
        const int best = static_cast<int>(std::lround(g.to_index(reader.long_axis.a).slice));
        contours.contours = {test::outline_of(loaded->expert, g, best)};
        const auto one = segmentation::segment(volume, "", contours);
        ASSERT_TRUE(one.ok()) << one.error().message;
        contours.contours.push_back(test::outline_of(loaded->expert, g, worst_slice(one->mask, loaded->expert)));
        const auto two = segmentation::segment(volume, "", contours);
        ASSERT_TRUE(two.ok()) << two.error().message;
        gained_by_contour.push_back(test::dice(two->mask, loaded->expert) - test::dice(one->mask, loaded->expert));
        std::cout << ", contour " << test::dice(one->mask, loaded->expert) << ", two " << test::dice(two->mask, loaded->expert) << '\n';
        EXPECT_GE(gained_by_contour.back(), 0);
    }
    EXPECT_GT(figures_of(gained).mean, 0.005);              // a mark that moves a voxel alone gains a ten-thousandth
    EXPECT_GT(figures_of(gained_by_contour).mean, 0.005);
}

}  // namespace retromass

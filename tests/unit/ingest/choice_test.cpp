#include "tests/unit/ingest/built_series.h"

namespace retromass::ingest {
namespace {

using test::BuiltImage;
using test::DicomBuilder;
using testing::HasSubstr;
using enum Code;

}  // namespace

namespace {

DicomBuilder named(const char* uid, int slices = kSlices)
{
    auto out = DicomBuilder::ct_series(slices).with(0x0020000E, "UI", uid);
    out.each([&](BuiltImage& image, int k) { image.text(0x00080018, "UI", std::string(uid) + "." + std::to_string(k)); });
    return out;
}

DicomBuilder spaced(DicomBuilder series, double mm)
{
    series.each([&](BuiltImage& image, int k) { image.text(0x00200032, "DS", test::position(-10, 20, -100 + mm * k)); });
    return series;
}

std::string first_of(const DicomBuilder& series, const ChoiceParameters& parameters = {}, std::string* decided_by = nullptr)
{
    const auto found = scanned(series);
    const auto studies = rank(found, parameters);
    EXPECT_EQ(studies.size(), 1u);
    if (decided_by) *decided_by = studies[0].ranked[0].decided_by;
    return found.series[studies[0].ranked[0].series].facts.series_instance_uid;
}

}  // namespace

TEST(SeriesChoice, FollowsItsStatedRuleStepByStep)
{
    std::string why;
    EXPECT_EQ(first_of(named("1.1").and_also(named("1.2", 10)), {}, &why), "1.1") << "eligible before not";
    EXPECT_THAT(why, HasSubstr("eligible"));
    EXPECT_EQ(first_of(spaced(named("1.1"), 1).and_also(spaced(named("1.2"), 3)), {}, &why), "1.2") << "nearest 2.5 mm";
    EXPECT_THAT(why, HasSubstr("3.00 mm against 1.00 mm"));
    EXPECT_EQ(first_of(spaced(named("1.1"), 0.7).and_also(spaced(named("1.2"), 5)), {}, &why), "1.2") << "within 1 to 5 mm";
    EXPECT_EQ(first_of(named("1.1").with(0x00181210, "SH", "B70f").and_also(named("1.2")), {}, &why), "1.2");
    EXPECT_THAT(why, HasSubstr("soft-tissue kernel"));
    EXPECT_EQ(first_of(named("1.1").with(0x0008103E, "LO", "arterial").and_also(named("1.2").with(0x0008103E, "LO", "portal venous")), {}, &why), "1.2");
    EXPECT_THAT(why, HasSubstr("phase"));
    EXPECT_EQ(first_of(named("1.1").and_also(named("1.2", kSlices + 4)), {}, &why), "1.2");
    EXPECT_THAT(why, HasSubstr("more slices"));
    EXPECT_EQ(first_of(named("1.2").and_also(named("1.1")), {}, &why), "1.1");
    EXPECT_THAT(why, HasSubstr("Series Instance UID"));
}

TEST(SeriesChoice, PrefersWhatCoversTheLesionAndLooksLikeBaseline)
{
    ChoiceParameters parameters;
    parameters.lesion = {{-8, 22, -100 + 2.0 * (kSlices + 2)}};
    EXPECT_EQ(first_of(spaced(named("1.1"), 2.5).and_also(named("1.2", kSlices + 6)), parameters), "1.1") << "both cover: spacing decides";
    EXPECT_EQ(first_of(named("1.1").and_also(named("1.2", kSlices + 6).with(0x00181210, "SH", "B70f")), parameters), "1.2") << "only one covers, whatever its kernel";
    ChoiceParameters like_baseline;
    like_baseline.baseline.emplace();
    like_baseline.baseline->kernel = "B70f";
    like_baseline.baseline->slice_thickness_mm = 2;
    EXPECT_EQ(first_of(named("1.1").and_also(named("1.2").with(0x00181210, "SH", "B60s")), like_baseline), "1.2");
}

TEST(SeriesChoice, FollowsATrialsRuleBeforeItsOwnInTheOrderOfItsWords)
{
    // By the program's own ranking the series of 2.5 mm would be measured, whatever its phase.
    const auto thick = spaced(named("1.1"), 2.5).with(0x00180050, "DS", "5").with(0x0008103E, "LO", "arterial");
    const auto thin = spaced(named("1.2"), 1).with(0x00180050, "DS", "1").with(0x0008103E, "LO", "arterial");
    const auto venous = spaced(named("1.3"), 2).with(0x00180050, "DS", "2").with(0x0008103E, "LO", "portal venous").with(0x00181210, "SH", "B70f");
    const auto all = DicomBuilder(thick).and_also(thin).and_also(venous);
    const auto by = [&](std::vector<std::string> rule, std::string* why = nullptr) {
        ChoiceParameters parameters;
        parameters.rule = std::move(rule);
        return first_of(all, parameters, why);
    };
    EXPECT_EQ(by({}), "1.1");
    std::string why;
    EXPECT_EQ(by({"thinnest"}, &why), "1.2");
    EXPECT_EQ(why, "protocol: thinnest: 1.00 mm against 2.00 mm");
    EXPECT_EQ(by({"portal-venous", "soft", "thinnest"}, &why), "1.3");
    EXPECT_EQ(why.substr(0, 24), "protocol: portal-venous:");
    EXPECT_EQ(by({"soft", "portal-venous", "thinnest"}), "1.2") << "the only portal-venous series has a sharp kernel";
    EXPECT_EQ(by({"delayed", "thinnest"}), "1.2") << "a word that no series fits decides nothing";
    ChoiceParameters prompted;
    prompted.prompt_series_uids = {"1.1"};
    prompted.rule = {"portal-venous"};
    EXPECT_EQ(first_of(all, prompted), "1.3") << "the rule, not the series somebody drew on";
    prompted.rule.clear();
    EXPECT_EQ(first_of(all, prompted), "1.1");
}

TEST(SeriesChoice, IsExplainedInANoticeAndOverriddenByName)
{
    const auto found = scanned(spaced(named("1.1"), 1).and_also(spaced(named("1.2"), 3)));
    const auto chosen = one_series(found);
    ASSERT_TRUE(chosen.ok());
    EXPECT_EQ(chosen->facts.series_instance_uid, "1.2");
    ASSERT_TRUE(has(chosen->notices, series_chosen));
    EXPECT_EQ(one_series(found, "1.1")->facts.series_instance_uid, "1.1");
    EXPECT_EQ(one_series(found, "1.3").error().code, no_series);
    auto other_study = named("1.4").with(0x0020000D, "UI", "1.2.3.77");
    EXPECT_EQ(one_series(scanned(named("1.1").and_also(other_study))).error().code, several_series) << "two studies are two time points";
}

TEST(SeriesChoice, KnowsTheVendorsKernels)
{
    for (const char* soft : {"B30f", "B40f\\3", "Br38d", "I31f\\2", "STANDARD", "SOFT", "B", "UB", "FC08", "FC17"}) EXPECT_EQ(kernel_class(soft), KernelClass::soft) << soft;
    for (const char* sharp : {"B60f", "B70s", "Bl57d", "BONE", "LUNG", "BONEPLUS", "YA", "FC51", "FC30"}) EXPECT_EQ(kernel_class(sharp), KernelClass::sharp) << sharp;
    for (const char* unknown : {"", "IMR", "X", "FC", "123"}) EXPECT_EQ(kernel_class(unknown), KernelClass::unknown) << unknown;
}

}  // namespace retromass::ingest

#include "tests/unit/ingest/built_series.h"

/// Several stacks in one series: which tags tell them apart, and what the passes of one acquisition make together (docs/stages/ingest.md).
namespace retromass::ingest {
namespace {

using test::BuiltImage;
using test::DicomBuilder;
using enum Code;

constexpr std::uint32_t kImagePosition = 0x00200032;
constexpr std::uint32_t kAcquisitionNumber = 0x00200012;

/// `slices` images from z on, `step_mm` apart, of UIDs and pixels of their own.
DicomBuilder pass(int number, int slices, double first_z_mm, double step_mm)
{
    auto out = ct(slices).with(kAcquisitionNumber, "IS", std::to_string(number));
    return out.each([&](BuiltImage& image, int k) {
        image.text(0x00080018, "UI", "1.2.3.4." + std::to_string(1000 * number + k)).text(kImagePosition, "DS", test::position(-10, 20, first_z_mm + step_mm * k));
        image.pixels(std::vector<std::uint16_t>(DicomBuilder::words(k).size(), static_cast<std::uint16_t>(1000 * number + k)));
    });
}

struct SplitKey {
    const char* name;
    std::uint32_t tag;
    const char* vr;
    const char* values[2];
};

class SplitBy : public testing::TestWithParam<SplitKey> {};

TEST_P(SplitBy, ThisTagAloneTellsTwoStacksApartWhereTheyCollide)
{
    const auto& key = GetParam();
    auto both = pass(1, kSlices, -100, 2).with(key.tag, key.vr, key.values[0]);
    both.and_also(pass(2, kSlices, -100, 2).with(key.tag, key.vr, key.values[1]));
    // Instance Numbers interleave the two, so that no block of them helps.
    both.each([&](BuiltImage& image, int i) {
        image.text(0x00200013, "IS", std::to_string(2 * (i % kSlices) + i / kSlices));
        if (key.tag != kAcquisitionNumber) image.text(kAcquisitionNumber, "IS", "1");
    });
    const auto found = scanned(both);
    ASSERT_EQ(found.series.size(), 2u);
    for (const auto& volume : found.series) {
        EXPECT_FALSE(volume.refused);
        EXPECT_TRUE(has(volume.notices, several_phases));
        ASSERT_EQ(volume.slices.size(), std::size_t{kSlices});
        // Not mixed: all images of one volume are of one of the two.
        const auto first = volume.slices.front().sop_instance_uid.substr(0, 9);
        for (const auto& slice : volume.slices) EXPECT_EQ(slice.sop_instance_uid.substr(0, 9), first);
    }
    auto untold = both;
    untold.each([&](BuiltImage& image, int) { image.without(key.tag); });
    EXPECT_EQ(refusal(scanned(untold)), conflicting_duplicate) << "without it nothing tells them apart";
}

INSTANTIATE_TEST_SUITE_P(Tags, SplitBy,
                         testing::Values(SplitKey{"AcquisitionNumber", kAcquisitionNumber, "IS", {"1", "2"}}, SplitKey{"TemporalPosition", 0x00200100, "IS", {"1", "2"}},
                                         SplitKey{"AcquisitionTime", 0x00080032, "TM", {"101500", "101530"}},
                                         SplitKey{"TriggerTime", 0x00181060, "DS", {"0", "350"}}, SplitKey{"CardiacPhase", 0x00209241, "FL", {"\x33\x33\x05\x42", "\x33\x33\x85\x42"}},
                                         SplitKey{"ImageType", 0x00080008, "CS", {"ORIGINAL\\PRIMARY\\AXIAL\\PHASE1", "ORIGINAL\\PRIMARY\\AXIAL\\PHASE2"}}, SplitKey{"Kernel", 0x00181210, "SH", {"B30f", "B70f"}},
                                         SplitKey{"Thickness", 0x00180050, "DS", {"2", "4"}}),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(Passes, ThatInterleaveAreOneVolumeWhateverTheirAcquisitionNumbers)
{
    const auto found = scanned(pass(1, 12, -100, 2).and_also(pass(2, 12, -99, 2)));
    ASSERT_EQ(found.series.size(), 1u);
    EXPECT_FALSE(found.series[0].refused);
    EXPECT_EQ(found.series[0].geometry.size().slices, 24);
    EXPECT_NEAR(*found.series[0].geometry.slice_spacing_mm(), 1, 1e-9);
    EXPECT_FALSE(has(found.series[0].notices, several_phases));
}

TEST(Passes, ThatFollowEachOtherAreOneVolume)
{
    const auto found = scanned(pass(1, 12, -100, 2).and_also(pass(2, 12, -76, 2)));
    ASSERT_EQ(found.series.size(), 1u);
    EXPECT_FALSE(found.series[0].refused);
    EXPECT_EQ(found.series[0].geometry.size().slices, 24);
}

TEST(Passes, ThatOverlapAreTwoVolumes)
{
    const auto found = scanned(pass(1, 12, -100, 2).and_also(pass(2, 12, -84, 2)));  // four positions twice
    ASSERT_EQ(found.series.size(), 2u);
    for (const auto& volume : found.series) {
        EXPECT_FALSE(volume.refused);
        EXPECT_EQ(volume.geometry.size().slices, 12);
        EXPECT_NEAR(*volume.geometry.slice_spacing_mm(), 2, 1e-9);
        EXPECT_TRUE(has(volume.notices, several_phases));
    }
}

TEST(Passes, ThatOverlapBetweenEachOthersSlicesAreNeverTakenForAnEvenVolume)
{
    const auto found = scanned(pass(1, 12, -100, 2).and_also(pass(2, 12, -83, 2)));  // 1 mm apart where both are, 2 mm elsewhere
    for (const auto& volume : found.series) {
        EXPECT_FALSE(volume.eligible);
        EXPECT_TRUE(volume.refused || has(volume.notices, uneven_slices));
        EXPECT_FALSE(volume.geometry.affine_lps());
    }
}

/// The groups of all frames, moved into each frame, as some scanners write them.
BuiltImage per_frame(BuiltImage image)
{
    auto& shared = image.elements.at(0x52009229).items.at(0).elements;
    for (auto& frame : image.elements.at(0x52009230).items) frame.elements.insert(shared.begin(), shared.end());
    shared.clear();
    return image;
}

BuiltImage& in_group(BuiltImage& frame, std::uint32_t group) { return frame.elements.at(group).items.at(0); }

Scan scanned_file(const BuiltImage& image)
{
    DicomBuilder file;
    file.images = {image};
    return scanned(file);
}

constexpr std::uint32_t kFrames = 0x52009230;
constexpr std::uint32_t kPlaneOrientation = 0x00209116;
constexpr std::uint32_t kPixelMeasures = 0x00289110;

std::vector<int> in_order(int count)
{
    std::vector<int> out;
    for (int k = 0; k < count; ++k) out.push_back(k);
    return out;
}

TEST(PerFrameGroups, OfOrientationSpacingAndRescaleGiveTheClassicSeries)
{
    DicomBuilder file;
    file.images = {per_frame(DicomBuilder::enhanced(ct(), in_order(kSlices)))};
    expect_the_built_values(loaded(file));
}

TEST(PerFrameGroups, OfTwoOrientationsAreTwoVolumes)
{
    auto image = per_frame(DicomBuilder::enhanced(ct(), in_order(kSlices)));
    auto& frames = image.elements.at(kFrames).items;
    for (int k = kSlices / 2; k < kSlices; ++k) {  // coronal frames, 2 mm apart along y
        auto& frame = frames[static_cast<std::size_t>(k)];
        in_group(frame, kPlaneOrientation).text(0x00200037, "DS", "1\\0\\0\\0\\0\\-1");
        in_group(frame, 0x00209113).text(kImagePosition, "DS", test::position(-10, 2 * k, 50));
    }
    const auto found = scanned_file(image);
    ASSERT_EQ(found.series.size(), 2u);
    for (const auto& volume : found.series) {
        EXPECT_FALSE(volume.refused);
        EXPECT_EQ(volume.geometry.size().slices, kSlices / 2);
        EXPECT_TRUE(has(volume.notices, mixed_orientation));
    }
    EXPECT_NEAR(std::abs(found.series[0].geometry.normal().z) + std::abs(found.series[1].geometry.normal().z), 1, 1e-9) << "one axial, one coronal";
}

TEST(PerFrameGroups, OfTwoPixelSpacingsAreRefused)
{
    auto image = per_frame(DicomBuilder::enhanced(ct(), in_order(kSlices)));
    in_group(image.elements.at(kFrames).items[5], kPixelMeasures).text(0x00280030, "DS", "0.8\\0.5");
    EXPECT_EQ(refusal(scanned_file(image)), mixed_spacing);
}

TEST(PerFrameGroups, OfSlopeAndInterceptHoldForTheirFrameAlone)
{
    auto image = per_frame(DicomBuilder::enhanced(ct(), in_order(kSlices)));
    in_group(image.elements.at(kFrames).items[7], 0x00289145).text(0x00281052, "DS", "-2024").text(0x00281053, "DS", "2");
    DicomBuilder file;
    file.images = {image};
    const auto read = loaded(file);
    EXPECT_EQ(read.volume.hu.at(3, 4, 7), 2 * DicomBuilder::stored_value(3, 4, 7) - 2024);
    EXPECT_EQ(read.volume.hu.at(3, 4, 8), DicomBuilder::stored_value(3, 4, 8) - 1024);
}

/// The series twice, with other pixels the second time, as frames of one image; `say` adds to each frame what tells the two apart.
BuiltImage twice(const std::function<void(BuiltImage& frame, bool second)>& say)
{
    auto both = ct();
    both.and_also(ct().each([](BuiltImage& image, int k) { image.pixels(std::vector<std::uint16_t>(120, static_cast<std::uint16_t>(500 + k))); }));
    auto image = DicomBuilder::enhanced(both, in_order(2 * kSlices));
    auto& frames = image.elements.at(kFrames).items;
    for (std::size_t f = 0; f < frames.size(); ++f) say(frames[f], f >= std::size_t{kSlices});
    return image;
}

TEST(PerFrameGroups, OfStacksAreAVolumeEachAndNothingTellsThemApartWithout)
{
    const auto found = scanned_file(twice([](BuiltImage& frame, bool second) { in_group(frame, 0x00209111).text(0x00209056, "SH", second ? "2" : "1"); }));
    ASSERT_EQ(found.series.size(), 2u);
    for (const auto& volume : found.series) EXPECT_EQ(volume.geometry.size().slices, kSlices);
    EXPECT_EQ(refusal(scanned_file(twice([](BuiltImage&, bool) {}))), conflicting_duplicate);
}

TEST(PerFrameGroups, OfCardiacPhasesAreAVolumeEach)
{
    const auto found = scanned_file(twice([](BuiltImage& frame, bool second) {
        BuiltImage phase;
        phase.elements[0x00209241] = {"FL", second ? std::string{0, 0, ' ', '\x42'} : std::string{0, 0, 0, '\x42'}, {}};  // 40 and 32 % of R-R
        frame.sequence(0x00189118, {phase});
    }));
    ASSERT_EQ(found.series.size(), 2u);
    for (const auto& volume : found.series) EXPECT_EQ(volume.geometry.size().slices, kSlices);
}

}  // namespace
}  // namespace retromass::ingest

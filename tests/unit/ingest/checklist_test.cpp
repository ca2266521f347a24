// The defects of CT series that come without data of their own: each test breaks one thing and says what must come of it.
#include <fstream>
#include <random>

#include "tests/unit/ingest/built_series.h"

namespace retromass::ingest {
namespace {

namespace fs = std::filesystem;
using test::BuiltImage;
using test::DicomBuilder;
using test::Writing;
using testing::HasSubstr;
using enum Code;

void expect_three_phases(const Scan& found)
{
    ASSERT_EQ(found.series.size(), 3u);
    for (const auto& volume : found.series) {
        EXPECT_FALSE(volume.refused);
        EXPECT_EQ(volume.geometry.size().slices, kSlices);
        EXPECT_TRUE(has(volume.notices, several_phases));
    }
}

}  // namespace

TEST(Checklist, EveryWayOfWritingTheSameSeriesGivesTheSameVolume)
{
    for (const auto writing : {Writing::explicit_little, Writing::implicit_little, Writing::explicit_big, Writing::deflated, Writing::no_preamble, Writing::no_meta, Writing::undefined_lengths}) {
        SCOPED_TRACE(static_cast<int>(writing));
        auto series = ct();
        // A private sequence that repeats Image Position, as Philips writes it, and one of unknown VR inside another.
        BuiltImage inner;
        inner.text(0x00200032, "DS", "1\\2\\3");
        BuiltImage outer;
        outer.sequence(0x20050011, {inner, inner});
        series.each([&](BuiltImage& image, int) { image.sequence(0x00091001, {outer, outer}); });
        expect_the_built_values(loaded(series, writing));
    }
}

TEST(Checklist, OrderNumbersThicknessAndTheGantryTagDecideNothing)
{
    auto series = ct();
    std::shuffle(series.images.begin(), series.images.end(), std::mt19937(7));
    series.with(0x00180050, "DS", "7").with(0x00180088, "DS", "-5").with(0x00181120, "DS", "12").with(0x00185100, "CS", "FFP");
    series.each([](BuiltImage& image, int k) { image.text(0x00200013, "IS", std::to_string(1000 - k)).text(0x00200012, "IS", std::to_string(k)); });
    const auto read = loaded(series);
    expect_the_built_values(read);
    EXPECT_FALSE(has(read.notices, gantry_tilt));
}

TEST(Checklist, ResultsAreTheSameForAnyNumberOfThreadsAndAnyNames)
{
    const test::Scratch scratch;
    const auto folder = ct().write_to(scratch.path() / "a");
    const auto shuffled = scratch.path() / "b";
    fs::create_directories(shuffled);
    for (const auto& entry : fs::directory_iterator(folder)) fs::copy_file(entry.path(), shuffled / (std::to_string(std::hash<std::string>{}(entry.path().filename().string())) + ".bin"));
    std::vector<CtSeries> all;
    for (const auto& where : {folder, shuffled}) {
        for (const int threads : {1, 2, 5}) {
            ScanParameters parameters;
            parameters.threads = threads;
            const auto found = scan({where}, parameters);
            ASSERT_TRUE(found.ok());
            auto read = load(found->series.at(0), threads);
            ASSERT_TRUE(read.ok());
            all.push_back(std::move(*read));
        }
    }
    for (const auto& one : all) {
        EXPECT_EQ(one.volume.geometry, all.front().volume.geometry);
        EXPECT_TRUE(std::equal(one.volume.hu.values().begin(), one.volume.hu.values().end(), all.front().volume.hu.values().begin()));
        EXPECT_EQ(one.notices, all.front().notices);
    }
}

// Localizers and turned images (checklist 1, 15, 16)

TEST(Checklist, ALoneImageAcrossTheStackIsALocalizerAndATiltedOneIsSetAside)
{
    auto series = ct();
    auto across = ct(1).images[0];
    across.text(0x00080018, "UI", "1.2.3.4.901").text(0x00200037, "DS", "0\\1\\0\\0\\0\\-1");
    auto oblique = across;
    oblique.text(0x00080018, "UI", "1.2.3.4.902").text(0x00200037, "DS", "1\\0\\0\\0\\0.8\\0.6");
    series.images.insert(series.images.begin(), {across, oblique});
    const auto found = scanned(series);
    EXPECT_EQ(refusal(found), std::nullopt);
    EXPECT_EQ(found.series[0].geometry.size().slices, kSlices);
    EXPECT_EQ(excluded(found, localizer), 1);
    EXPECT_EQ(excluded(found, mixed_orientation), 1);
}

TEST(Checklist, StacksOfTwoOrientationsInOneSeriesAreTwoVolumes)
{
    auto coronal = ct(5).with(0x00200037, "DS", "1\\0\\0\\0\\0\\-1");
    coronal.each([](BuiltImage& image, int k) { image.text(0x00080018, "UI", "1.2.3.5." + std::to_string(k)).text(0x00200032, "DS", test::position(-10, 20 + 3 * k, -100)); });
    const auto found = scanned(ct().and_also(coronal));
    ASSERT_EQ(found.series.size(), 2u);
    EXPECT_EQ(found.series[0].geometry.size().slices, kSlices) << "the larger one first";
    EXPECT_TRUE(has(found.series[0].notices, mixed_orientation));
    EXPECT_TRUE(has(found.series[1].notices, not_axial));
    EXPECT_FALSE(found.series[1].eligible);
    EXPECT_NEAR(*found.series[1].geometry.slice_spacing_mm(), 3, 1e-9);
}

TEST(Checklist, AStackWhoseNormalPointsToTheFeetIsSortedAlongIt)
{
    const auto read = loaded(ct().with(0x00200037, "DS", "1\\0\\0\\0\\-1\\0"));
    EXPECT_NEAR(*read.volume.geometry.slice_spacing_mm(), 2, 1e-9);
    EXPECT_EQ(read.volume.hu.at(0, 0, 0), DicomBuilder::stored_value(0, 0, kSlices - 1) - 1024);
}

TEST(Checklist, DirectionsOfWrongLengthAreMadeUnitAndSkewOnesRefused)
{
    expect_the_built_values(loaded(ct().with(0x00200037, "DS", "1.02\\0\\0\\0\\0.98\\0")));
    EXPECT_EQ(refusal(scanned(ct().with(0x00200037, "DS", "1\\0\\0\\0.1\\0.99\\0"))), no_geometry);
}

// Screenshots, other objects (2, 31)

TEST(Checklist, ScreensAreSetAsideWithoutHarm)
{
    auto series = ct();
    auto screen = ct(1).images[0].without(0x00200032).text(0x00080018, "UI", "1.2.3.4.900").text(0x00080008, "CS", "DERIVED\\SECONDARY\\SCREEN SAVE");
    auto dose = screen;
    dose.text(0x00080018, "UI", "1.2.3.4.901").text(0x00080008, "CS", "DERIVED\\SECONDARY").us(0x00280100, 8).us(0x00280101, 8).us(0x00280102, 7);
    auto colour = screen;
    colour.text(0x00080018, "UI", "1.2.3.4.902").text(0x00080008, "CS", "DERIVED\\SECONDARY").us(0x00280002, 3);
    auto scout = ct(1).images[0];
    scout.text(0x00080018, "UI", "1.2.3.4.903").text(0x00080008, "CS", "ORIGINAL\\PRIMARY\\LOCALIZER");  // by its type alone: it lies in the stack
    series.images.insert(series.images.end(), {screen, dose, colour, scout});
    const auto found = scanned(series);
    EXPECT_EQ(refusal(found), std::nullopt);
    EXPECT_EQ(excluded(found, localizer), 1);
    EXPECT_EQ(excluded(found, screenshot), 3);
}

// Phases and duplicates (4 to 10)

TEST(Checklist, PhasesAreToldApartByWhicheverTagDoesAndOnlyWherePositionsCollide)
{
    const std::vector<std::pair<std::uint32_t, const char*>> tags{{0x00200012, "IS"}, {0x00200100, "IS"}, {0x00080032, "TM"}, {0x00181060, "DS"}};
    for (const auto& [tag, vr] : tags) {
        SCOPED_TRACE(tag);
        auto series = ct();
        for (int phase = 1; phase < 3; ++phase) {
            auto other = ct().with(tag, vr, std::to_string(100000 + phase));
            other.each([&](BuiltImage& image, int k) {
                image.text(0x00080018, "UI", "1.2.3.4." + std::to_string(1000 * phase + k)).pixels(std::vector<std::uint16_t>(DicomBuilder::words(k).size(), static_cast<std::uint16_t>(1000 + phase)));
            });
            series.and_also(other);
        }
        const auto found = scanned(series);
        expect_three_phases(found);
    }
    EXPECT_EQ(scanned(ct().each([](BuiltImage& image, int k) { image.text(0x00200012, "IS", std::to_string(k)).text(0x00080032, "TM", std::to_string(100000 + k)); })).series.size(), 1u);
}

TEST(Checklist, BlocksOfInstanceNumberTellStacksApartWhereNothingElseDoes)
{
    auto series = ct();
    for (int phase = 1; phase < 3; ++phase) {
        series.and_also(ct().each([&](BuiltImage& image, int k) {
            image.text(0x00080018, "UI", "1.2.3.4." + std::to_string(1000 * phase + k)).text(0x00200013, "IS", std::to_string(1 + phase * kSlices + k));
            image.pixels(std::vector<std::uint16_t>(120, static_cast<std::uint16_t>(1000 + phase)));
        }));
    }
    const auto found = scanned(series);
    expect_three_phases(found);
    EXPECT_EQ(refusal(scanned(series.without(0x00200013))), conflicting_duplicate);
}

TEST(Checklist, OnePlaceOverTimeIsNoVolume)
{
    auto series = ct(6).with(0x00200032, "DS", test::position(-10, 20, -100));
    series.each([](BuiltImage& image, int k) { image.text(0x00200012, "IS", std::to_string(k)); });
    EXPECT_EQ(refusal(scanned(series)), bolus_monitoring);
}

TEST(Checklist, TheSamePixelsAtTheSamePlaceAreUsedOnceWhateverTheirUid)
{
    for (const char* uid : {"1.2.3.4.6", "1.2.3.4.900"}) {
        auto series = ct();
        series.images.push_back(series.images[5]);
        series.images.back().text(0x00080018, "UI", uid).text(0x00200013, "IS", "99");
        const auto found = scanned(series);
        EXPECT_EQ(refusal(found), std::nullopt);
        EXPECT_EQ(found.series[0].geometry.size().slices, kSlices);
        EXPECT_TRUE(has(found.series[0].notices, duplicate_file));
        EXPECT_EQ(excluded(found, duplicate_file), 1);
    }
}

TEST(Checklist, OneImageTooManyAtOnePositionIsAConflict)
{
    auto series = ct();
    auto other = series.images[5];
    other.text(0x00080018, "UI", "1.2.3.4.900").text(0x00200012, "IS", "9").pixels(std::vector<std::uint16_t>(120, 7));
    series.images.push_back(other);
    EXPECT_EQ(refusal(scanned(series)), conflicting_duplicate);
}

TEST(Checklist, OneUidOnTwoImagesIsAConflictWhereverTheyLie)
{
    EXPECT_EQ(refusal(scanned(ct().slice(7, [](BuiltImage& image) { image.text(0x00080018, "UI", "1.2.3.4.1"); }))), conflicting_duplicate);
}

TEST(Checklist, TheSamePixelsRescaledOtherwiseAreNoDuplicate)
{
    auto series = ct();
    auto other = series.images[5];
    other.text(0x00080018, "UI", "1.2.3.4.900").text(0x00281052, "DS", "-1000");
    series.images.push_back(other);
    EXPECT_EQ(refusal(scanned(series)), conflicting_duplicate);
}

// Gaps (11, 12, 13, 30, 39)

TEST(Checklist, LostSlicesAreRefusedHoweverManyAndWhereverTheyAre)
{
    EXPECT_EQ(refusal(scanned(ct().without_slice(1))), missing_slices);
    EXPECT_EQ(refusal(scanned(ct().without_slice(10).without_slice(10).without_slice(10))), missing_slices);
    auto alternate = ct();
    for (int k = 12; k >= 4; k -= 2) alternate.without_slice(k);
    EXPECT_EQ(refusal(scanned(alternate)), missing_slices) << "five equal gaps of twice the distance, thickness unchanged";
    auto most = ct();
    for (int k = 21; k >= 3; k -= 2) most.without_slice(k);
    EXPECT_EQ(refusal(scanned(most)), missing_slices) << "most gaps are of twice the distance that two others have";
    // Together with an uneven distance elsewhere they are still lost.
    EXPECT_EQ(refusal(scanned(ct().without_slice(10).slice(3, [](BuiltImage& image) { image.text(0x00200032, "DS", test::position(-10, 20, -94.5)); }))), missing_slices);
}

TEST(Checklist, ASpacingThatChangesWithTheThicknessIsMeantSo)
{
    auto series = ct(12);
    auto thick = ct(12).with(0x00180050, "DS", "4");
    thick.each([](BuiltImage& image, int k) { image.text(0x00080018, "UI", "1.2.3.5." + std::to_string(k)).text(0x00200032, "DS", test::position(-10, 20, -75 + 4 * k)); });
    const auto found = scanned(series.and_also(thick));
    EXPECT_EQ(refusal(found), std::nullopt);
    EXPECT_TRUE(has(found.series[0].notices, uneven_slices));
    EXPECT_FALSE(found.series[0].eligible);
    EXPECT_FALSE(found.series[0].geometry.slice_spacing_mm());
    ScanParameters accepting;
    accepting.accepted = {uneven_slices};
    EXPECT_TRUE(scanned(series, accepting).series[0].eligible) << "accepted, it may be chosen by itself";
}

TEST(Checklist, SlicesThinnerThanTheirDistanceSaySo)
{
    auto every_second = ct();
    for (int k = kSlices - 1; k >= 1; --k) {
        if (k % 2 == 1) every_second.without_slice(k);
    }
    const auto found = scanned(every_second);
    EXPECT_EQ(refusal(found), std::nullopt) << "nothing but the thickness tells it from a protocol with gaps";
    EXPECT_TRUE(has(found.series[0].notices, slices_apart));
    EXPECT_FALSE(has(scanned(ct()).series[0].notices, slices_apart));
    EXPECT_FALSE(has(scanned(ct().with(0x00180050, "DS", "5")).series[0].notices, slices_apart)) << "overlapping slices are common";
}

TEST(Checklist, RoundedPositionsAreEven)
{
    // 4 um, the rounding of positions kept to a hundredth of a millimetre.
    const auto found = scanned(ct().each([](BuiltImage& image, int k) { image.text(0x00200032, "DS", test::position(-10, 20, -100 + 2 * k + (k % 2 ? 0.004 : -0.004))); }));
    EXPECT_EQ(refusal(found), std::nullopt);
    EXPECT_TRUE(found.series[0].notices.empty());
    EXPECT_NEAR(found.series[0].geometry.slice_spacing_mm().value_or(0), 2, 0.001);  // 8 um over 46 mm
}

TEST(Checklist, SlicesThatShiftSidewaysAreNotOneGridAndSaySo)
{
    const auto found = scanned(ct().slice(9, [](BuiltImage& image) { image.text(0x00200032, "DS", test::position(-13, 20, -82)); }));
    EXPECT_EQ(refusal(found), std::nullopt);
    EXPECT_TRUE(has(found.series[0].notices, uneven_slices));
    EXPECT_FALSE(found.series[0].geometry.affine_lps());
}

TEST(Checklist, ATruncatedImageLeavesItsSeriesAndTheSeriesSaysSo)
{
    const auto cut = [](BuiltImage& image) { image.elements[0x7FE00010].bytes.resize(100); };
    auto inside = scanned(ct().slice(9, cut));
    EXPECT_EQ(refusal(inside), missing_slices);
    EXPECT_EQ(excluded(inside, truncated_pixels), 1);
    auto end = scanned(ct().slice(kSlices - 1, cut));
    EXPECT_EQ(refusal(end), std::nullopt);
    EXPECT_EQ(end.series[0].geometry.size().slices, kSlices - 1);
    EXPECT_TRUE(has(end.series[0].notices, truncated_pixels));
}

TEST(Checklist, OneSliceIsNoVolumeAndTwoSayTheyAreFew)
{
    EXPECT_EQ(refusal(scanned(ct(1))), single_slice);
    const auto two = scanned(ct(2));
    EXPECT_EQ(refusal(two), std::nullopt);
    EXPECT_TRUE(has(two.series[0].notices, few_slices));
    EXPECT_FALSE(two.series[0].eligible);
}

// Geometry that is missing or contradictory (19, 20, 35, 40)

TEST(Checklist, WithoutPixelSpacingNothingIsMeasured)
{
    EXPECT_EQ(refusal(scanned(ct().without(0x00280030).with(0x00181164, "DS", "0.5\\0.5"))), no_geometry);
    EXPECT_EQ(refusal(scanned(ct().with(0x00280030, "DS", "0\\0"))), no_geometry);
    EXPECT_EQ(refusal(scanned(ct().without(0x00200037))), no_geometry);
    EXPECT_EQ(refusal(scanned(ct().without(0x00200032))), no_geometry);
}

TEST(Checklist, TwoFramesOfReferenceAreTwoVolumesAndNoneIsANotice)
{
    auto other = ct().with(0x00200052, "UI", "1.2.3.33");
    other.each([](BuiltImage& image, int k) { image.text(0x00080018, "UI", "1.2.3.5." + std::to_string(k)); });
    const auto found = scanned(ct().and_also(other));
    ASSERT_EQ(found.series.size(), 2u);
    for (const auto& volume : found.series) EXPECT_TRUE(has(volume.notices, two_frames_of_reference));
    const auto none = scanned(ct().without(0x00200052));
    EXPECT_EQ(refusal(none), std::nullopt);
    EXPECT_TRUE(has(none.series[0].notices, no_frame_of_reference));
}

TEST(Checklist, TwoPatientsInOneSeriesAreRefusedWhicheverTagDiffers)
{
    const auto stated = ct().with(0x00100020, "LO", "ID-1").with(0x00100030, "DA", "19400101").with(0x00100040, "CS", "F").with(0x00100021, "LO", "HERE");
    for (const auto& [tag, value] : std::vector<std::pair<std::uint32_t, const char*>>{{0x00100020, "ID-2"}, {0x00100030, "19500101"}, {0x00100040, "M"}, {0x00100021, "ELSEWHERE"}}) {
        EXPECT_EQ(refusal(scanned(DicomBuilder(stated).slice(3, [&, tag = tag, value = value](BuiltImage& image) { image.text(tag, "LO", value); }))), two_patients);
        // What one image does not state contradicts nothing, and what the others state holds for it, first or last.
        for (const int k : {0, 3, kSlices - 1}) {
            const auto silent = scanned(DicomBuilder(stated).slice(k, [&, tag = tag](BuiltImage& image) { image.text(tag, "LO", ""); }));
            EXPECT_EQ(refusal(silent), std::nullopt);
            EXPECT_TRUE(has(silent.series[0].notices, patient_not_compared));
            EXPECT_EQ(silent.series[0].facts.patient, scanned(stated).series[0].facts.patient);
            EXPECT_EQ(silent.series[0].geometry.size().slices, kSlices);
        }
    }
    EXPECT_FALSE(has(scanned(stated).series[0].notices, patient_not_compared));
}

TEST(Checklist, NoNameLeavesTheHeader)
{
    const auto found = scanned(ct().with(0x00100010, "PN", "SECRET^NAME").with(0x00100020, "LO", "SECRET-ID"));
    const auto& f = found.series.at(0).facts;
    for (const auto& text : {f.study_description, f.series_description, f.body_part, f.kernel}) EXPECT_THAT(text, testing::Not(HasSubstr("SECRET")));
    EXPECT_NE(f.patient.id, 0u);
}

TEST(Checklist, EmptyDatesAreANotice)
{
    const auto found = scanned(ct().with(0x00080020, "DA", "").with(0x00100020, "LO", ""));
    EXPECT_EQ(refusal(found), std::nullopt);
    EXPECT_TRUE(has(found.series[0].notices, anonymised_dates));
}

// Stored values (21 to 24)

TEST(Checklist, EachSliceHasItsOwnRescale)
{
    auto series = ct();
    series.each([](BuiltImage& image, int k) { image.text(0x00281053, "DS", k % 2 ? "0.5" : "2").text(0x00281052, "DS", std::to_string(-1000 - k)); });
    const auto read = loaded(series);
    for (int k = 0; k < kSlices; ++k) {
        for (const int c : {0, 7}) {
            EXPECT_EQ(read.volume.hu.at(c, 3, k), std::lround(DicomBuilder::stored_value(c, 3, k) * (k % 2 ? 0.5 : 2) - 1000 - k));
        }
    }
}

TEST(Checklist, MissingRescaleIsRefusedUnlessValuesAreSignedOrItIsAccepted)
{
    const auto bare = ct().without(0x00281052).without(0x00281053);
    EXPECT_EQ(refusal(scanned(bare)), not_hu);
    ScanParameters accepting;
    accepting.accepted = {not_hu};
    const auto accepted = loaded(bare, Writing::explicit_little, accepting);
    EXPECT_EQ(accepted.volume.hu.at(2, 3, 4), DicomBuilder::stored_value(2, 3, 4));
    EXPECT_TRUE(has(accepted.notices, not_hu));
    // Signed values are HU where they look like it; stored 1000 to 1143 they are what an intercept of -1024 was lost from.
    auto with_sign = bare;
    with_sign.each([](BuiltImage& image, int) { image.us(0x00280103, 1); });
    EXPECT_EQ(refusal(scanned(with_sign)), not_hu);
    EXPECT_THAT(scanned(with_sign).series[0].refused->message, HasSubstr("as dense as bone"));
    auto tissue = with_sign;
    tissue.each([](BuiltImage& image, int k) {
        auto words = DicomBuilder::words(k);
        for (auto& w : words) w = static_cast<std::uint16_t>(w - 1024);
        image.pixels(words);
    });
    const auto as_hu = loaded(tissue);
    EXPECT_TRUE(has(as_hu.notices, not_hu));
    EXPECT_EQ(as_hu.volume.hu.at(2, 3, 4), DicomBuilder::stored_value(2, 3, 4) - 1024);
    // Part of it stated: the rest was lost, and an image without is not HU although its values are signed.
    auto partly = ct();
    partly.each([](BuiltImage& image, int) { image.us(0x00280103, 1); });
    for (const auto tag : {0x00281052u, 0x00281053u}) {
        EXPECT_EQ(refusal(scanned(DicomBuilder(partly).without(tag))), not_hu) << tag;
        EXPECT_EQ(refusal(scanned(DicomBuilder(partly).slice(9, [&](BuiltImage& image) { image.without(tag); }))), not_hu) << tag;
    }
    EXPECT_EQ(refusal(scanned(DicomBuilder(partly).slice(9, [](BuiltImage& image) { image.without(0x00281052).without(0x00281053); }))), not_hu);
    const auto no_slope = loaded(DicomBuilder(partly).without(0x00281053), Writing::explicit_little, accepting);
    EXPECT_EQ(no_slope.volume.hu.at(2, 3, 4), DicomBuilder::stored_value(2, 3, 4) - 1024) << "what is stated is used";
    for (const char* unit : {"MGML", "Z_EFF", "ED", "HU_MOD"}) EXPECT_EQ(refusal(scanned(ct().with(0x00281054, "LO", unit))), not_hu) << unit;
    EXPECT_EQ(refusal(scanned(ct().with(0x00281053, "DS", "0"))), not_hu);
}

TEST(Checklist, PaddingIsComparedInItsStoredSenseAndAsARange)
{
    // -2000 written as SS or as US 63536, in signed pixels: the same bits.
    for (const int is_signed : {1, 0}) {
        auto series = ct();
        series.each([&](BuiltImage& image, int) {
            auto words = DicomBuilder::words(0);
            words[0] = 63536;
            words[1] = 63540;
            image.pixels(words).us(0x00280103, is_signed).us(0x00280120, 63536);
        });
        const auto read = loaded(series);
        EXPECT_EQ(read.volume.hu.at(0, 0, 3), kPaddingHu);
        EXPECT_NE(read.volume.hu.at(1, 0, 3), kPaddingHu);
        EXPECT_NE(read.volume.hu.at(2, 0, 3), kPaddingHu);
        for (const auto& [one, other] : {std::pair{63536, 63545}, std::pair{63545, 63536}}) {
            auto range = series;
            range.each([&, one = one, other = other](BuiltImage& image, int) { image.us(0x00280120, one).us(0x00280121, other); });
            const auto both = loaded(range);
            EXPECT_EQ(both.volume.hu.at(0, 0, 3), kPaddingHu);
            EXPECT_EQ(both.volume.hu.at(1, 0, 3), kPaddingHu);
            EXPECT_NE(both.volume.hu.at(2, 0, 3), kPaddingHu);
        }
    }
}

TEST(Checklist, EveryLayoutOfStoredBitsGivesTheirValue)
{
    // Against plain arithmetic on each word, for layouts with and without bits below and above, at the ends of their range.
    struct Layout {
        int stored, high, is_signed;
        double slope, intercept;
    };
    for (const auto& l : {Layout{12, 11, 0, 1, -1024}, Layout{12, 11, 1, 1, 0}, Layout{16, 15, 0, 1, -1024}, Layout{16, 15, 1, 1, -1024}, Layout{16, 15, 1, 1, 30000}, Layout{12, 15, 0, 1, -1000},
                          Layout{12, 13, 1, 1, -7}, Layout{10, 11, 0, 0.25, -100.5}, Layout{16, 15, 0, 1, -40000}, Layout{1, 0, 0, 1000, -1000}, Layout{15, 14, 1, 1.5, 3}}) {
        SCOPED_TRACE(std::to_string(l.stored) + " bits, high bit " + std::to_string(l.high) + (l.is_signed ? ", signed" : ""));
        auto series = ct(2);
        std::mt19937 random(3);
        std::vector<std::uint16_t> words(120);
        for (auto& w : words) w = static_cast<std::uint16_t>(random());
        words[0] = 0, words[1] = 0xFFFF, words[2] = 0x8000, words[3] = 0x7FFF, words[4] = 0x0800, words[5] = 0x07FF;
        series.each([&](BuiltImage& image, int) {
            image.us(0x00280101, l.stored).us(0x00280102, l.high).us(0x00280103, l.is_signed).text(0x00281053, "DS", std::to_string(l.slope)).text(0x00281052, "DS", std::to_string(l.intercept));
        });
        series.each([&](BuiltImage& image, int k) { image.pixels(k ? words : DicomBuilder::words(0)); });
        const auto read = loaded(series);
        for (std::size_t i = 0; i < words.size(); ++i) {
            const int bits = words[i] >> (l.high + 1 - l.stored) & ((1 << l.stored) - 1);
            const int value = l.is_signed && bits >> (l.stored - 1) ? bits - (1 << l.stored) : bits;
            const auto hu = std::clamp(std::lround(std::clamp(value * l.slope + l.intercept, -1e6, 1e6)), -32767L, 32767L);
            ASSERT_EQ(read.volume.hu[120 + i], hu) << "word " << words[i];
        }
    }
}

TEST(Checklist, EightBitPixelsWithGeometryAreRead)
{
    auto series = ct();
    series.each([](BuiltImage& image, int k) {
        std::string bytes;
        for (const auto w : DicomBuilder::words(k)) bytes += static_cast<char>(w % 251);
        image.us(0x00280100, 8).us(0x00280101, 8).us(0x00280102, 7);
        image.elements[0x7FE00010] = {"OB", bytes, {}};
    });
    EXPECT_EQ(loaded(series).volume.hu.at(5, 6, 7), DicomBuilder::stored_value(5, 6, 7) % 251 - 1024);
}

// What is refused by name (24, 26, 28, 36, 37)

TEST(Checklist, WhatCannotBeDecodedIsRefusedByName)
{
    EXPECT_EQ(refusal(scanned(ct().each([](BuiltImage& image, int) { image.us(0x00280100, 12).us(0x00280101, 12).us(0x00280102, 11); }))), unsupported_syntax);
    const auto philips = scanned(ct().with(0x07A10010, "LO", "ELSCINT1").with(0x07A11011, "CS", "PMSCT_RLE1").without(0x7FE00010));
    EXPECT_EQ(refusal(philips), private_compression);
    EXPECT_THAT(philips.series[0].refused->message, HasSubstr("PMSCT_RLE1"));
    EXPECT_EQ(excluded(philips, private_compression), kSlices);
    const auto encapsulated = [](const char* syntax) {
        const test::Scratch scratch;
        for (int k = 0; k < 3; ++k) {
            auto bytes = test::file_of(ct().images[static_cast<std::size_t>(k)].without(0x7FE00010), Writing::explicit_little, syntax);
            bytes += std::string("\xE0\x7F\x10\x00OB\0\0\xFF\xFF\xFF\xFF", 12) + std::string("\xFE\xFF\x00\xE0\0\0\0\0", 8) + std::string("\xFE\xFF\xDD\xE0\0\0\0\0", 8);
            std::ofstream(scratch.path() / std::to_string(k), std::ios::binary) << bytes;
        }
        return *scan({scratch.path()});
    };
    const auto htj2k = encapsulated("1.2.840.10008.1.2.4.201");
    EXPECT_EQ(refusal(htj2k), unsupported_syntax);
    EXPECT_THAT(htj2k.series[0].refused->message, HasSubstr("1.2.840.10008.1.2.4.201"));
    const auto own = encapsulated("1.3.46.670589.33.1.4.1");
    EXPECT_EQ(refusal(own), private_compression);
    EXPECT_THAT(own.series[0].refused->message, HasSubstr("1.3.46.670589.33.1.4.1"));
}

TEST(Checklist, SizesAreCheckedBeforeAnythingIsAllocated)
{
    EXPECT_EQ(refusal(scanned(ct().each([](BuiltImage& image, int) { image.us(0x00280010, 65535).us(0x00280011, 65535); }))), oversized);
    ScanParameters small;
    small.largest_volume_bytes = 1000;
    EXPECT_EQ(refusal(scanned(ct(), small)), oversized);
    const auto deep = [] {
        BuiltImage image;
        for (int i = 0; i < 500; ++i) {
            BuiltImage outer;
            outer.sequence(0x00091001, {image});
            image = std::move(outer);
        }
        return image;
    }();
    const test::Scratch scratch;
    auto first = ct(1).images[0];
    first.elements.insert(deep.elements.begin(), deep.elements.end());
    std::ofstream(scratch.path() / "deep", std::ios::binary) << test::file_of(first, Writing::undefined_lengths);
    EXPECT_EQ(excluded(*scan({scratch.path()}), malformed), 1);
}

TEST(Checklist, ADeflatedBombCostsNoMoreThanItsHeaderMay)
{
    // 256 MiB of one private element before Pixel Data in 260 kB: the header is longer than any CT's, so it ends at the bound.
    auto image = ct(1).images[0];
    image.elements[0x00291010] = {"OB", std::string(256U << 20, '\0'), {}};
    const test::Scratch scratch;
    std::ofstream(scratch.path() / "bomb", std::ios::binary) << test::file_of(image, Writing::deflated);
    ASSERT_LT(fs::file_size(scratch.path() / "bomb"), 1U << 20);
    EXPECT_EQ(excluded(*scan({scratch.path()}), malformed), 1);
}

TEST(Checklist, LossIsANotice)
{
    EXPECT_TRUE(has(scanned(ct().with(0x00282110, "CS", "01")).series.at(0).notices, lossy));
}

TEST(Checklist, APaletteIsNoHounsfieldScale)
{
    EXPECT_EQ(excluded(scanned(ct().with(0x00280004, "CS", "PALETTE COLOR")), screenshot), kSlices);
    EXPECT_EQ(refusal(scanned(ct().with(0x00280004, "CS", "MONOCHROME1"))), std::nullopt);
}

// Kinds of images (22, and definitions 6.6)

TEST(Checklist, MapsAreRefusedAndMonoenergeticImagesAreNeverChosenByThemselves)
{
    for (const char* type : {"DERIVED\\PRIMARY\\PERFUSION\\RCBF", "DERIVED\\SECONDARY\\AXIAL\\IODINE", "DERIVED\\PRIMARY\\AXIAL\\VNC", "DERIVED\\SECONDARY\\VUE", "DERIVED\\PRIMARY\\VOLUME\\MATERIAL_SPECIFIC",
                             "DERIVED\\SECONDARY\\MIP", "DERIVED\\SECONDARY\\AXIAL\\MINIP", "DERIVED\\SECONDARY\\PROJECTION IMAGE"}) {
        EXPECT_EQ(refusal(scanned(ct().with(0x00080008, "CS", type))), material_map) << type;
    }
    for (const char* text : {"VNC", "Abd VNC 1.0", "Virtual Non Contrast", "Iodine no Water [mg/ml]", "Lung MIP 10mm", "axial_MinIP", "CBF", "TTP 5.0", "Iodine", "DE Iodine 1.5"}) EXPECT_EQ(refusal(scanned(ct().with(0x0008103E, "LO", text))), material_map) << text;
    for (const char* text : {"Mono 40 keV", "MonoE_70keV"}) {
        const auto mono = scanned(ct().with(0x0008103E, "LO", text));
        EXPECT_EQ(refusal(mono), std::nullopt);
        EXPECT_TRUE(has(mono.series[0].notices, material_map));
        EXPECT_FALSE(mono.series[0].eligible);
    }
    for (const char* text : {"Abdomen portal venous 120 kV", "iodine contrast", "MONOPHASIC LIVER", "Mippenheim"}) EXPECT_TRUE(scanned(ct().with(0x0008103E, "LO", text)).series.at(0).eligible) << text;
}

TEST(Checklist, DescriptionsBecomeUtf8)
{
    EXPECT_EQ(scanned(ct().with(0x00080005, "CS", "ISO_IR 100").with(0x0008103E, "LO", "Abd\xF4men")).series.at(0).facts.series_description, "Abd\xC3\xB4men");
    EXPECT_EQ(scanned(ct().with(0x00080005, "CS", "ISO_IR 192").with(0x0008103E, "LO", "\xE8\x85\xB9\xE9\x83\xA8")).series.at(0).facts.series_description, "\xE8\x85\xB9\xE9\x83\xA8");
}

}  // namespace retromass::ingest

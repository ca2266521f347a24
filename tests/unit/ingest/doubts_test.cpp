// Series whose geometry is whole and whose numbers would be wrong all the same: what is refused, and what no output is without.
#include <fstream>
#include <random>

#include "tests/unit/ingest/built_series.h"

namespace retromass::ingest {
namespace {

using test::BuiltImage;
using test::DicomBuilder;
using testing::HasSubstr;
using enum Code;

constexpr std::uint32_t kSlope = 0x00281053;
constexpr std::uint32_t kIntercept = 0x00281052;
constexpr std::uint32_t kRepresentation = 0x00280103;
constexpr int kSide = 40;

/// A body of muscle (50 HU) with bone (700 HU) in air, noise of 10 HU, that moves a little from slice to slice; HU of one pixel.
int body_hu(int c, int r, int k)
{
    std::mt19937 random(static_cast<unsigned>((k * kSide + r) * kSide + c));
    const int noise = static_cast<int>(random() % 35) - 17;  // uniform, SD 10
    const auto inside = [&](double x, double y, double radius) { return (c - x) * (c - x) + (r - y) * (r - y) < radius * radius; };
    if (inside(20, 26 - 0.1 * k, 3)) return 700 + noise;
    return (inside(18 + 0.1 * k, 20, 14) ? 50 : -980) + noise;
}

std::vector<std::uint16_t> words_of(const std::function<int(int c, int r)>& value)
{
    std::vector<std::uint16_t> out;
    for (int r = 0; r < kSide; ++r) {
        for (int c = 0; c < kSide; ++c) out.push_back(static_cast<std::uint16_t>(value(c, r)));
    }
    return out;
}

/// The body as stored values `scale` x (HU + `offset`).
DicomBuilder body(int offset = 1024, double scale = 1)
{
    return ct().each([&](BuiltImage& image, int k) {
        image.us(0x00280010, kSide).us(0x00280011, kSide).pixels(words_of([&](int c, int r) { return static_cast<int>(std::lround(scale * (body_hu(c, r, k) + offset))); }));
    });
}

std::string text_of(const std::vector<Notice>& notices, Code code)
{
    std::string out;
    for (const auto& n : notices) {
        if (n.code == code) out += n.text + ";";
    }
    return out;
}

std::string doubt(const DicomBuilder& series, Code code = not_hu) { return text_of(loaded(series).notices, code); }

}  // namespace

TEST(DoubtfulValues, AreNoneWhereABodyIsInItsHu)
{
    const auto read = loaded(body());
    EXPECT_EQ(read.volume.hu.at(18, 20, 3), body_hu(18, 20, 3));
    EXPECT_TRUE(read.notices.empty());
}

TEST(DoubtfulValues, AreThoseOfARescaleThatWasStatedWrong)
{
    EXPECT_THAT(doubt(body().with(kIntercept, "DS", "0")), HasSubstr("as dense as bone")) << "an offset of 1024 that was not taken away";
    EXPECT_THAT(doubt(body(0).each([](BuiltImage& image, int) { image.us(kRepresentation, 1); })), HasSubstr("below air")) << "taken away twice";
    EXPECT_THAT(doubt(body().with(kSlope, "DS", "0.5")), HasSubstr("soft tissue"));
    EXPECT_FALSE(doubt(body().with(kSlope, "DS", "2.5")).empty());
}

TEST(DoubtfulValues, WithoutAnyRescaleAreHuOnlyWhereTheyLookLikeIt)
{
    const auto bare = [](DicomBuilder series) { return series.without(kSlope).without(kIntercept).each([](BuiltImage& image, int) { image.us(kRepresentation, 1); }); };
    const auto hu = loaded(bare(body(0)));
    EXPECT_EQ(hu.volume.hu.at(18, 20, 3), body_hu(18, 20, 3));
    EXPECT_THAT(text_of(hu.notices, not_hu), HasSubstr("look like it"));
    EXPECT_EQ(refusal(scanned(bare(body(1024)))), not_hu);
    EXPECT_EQ(refusal(scanned(bare(body(0, 2)))), not_hu) << "air at -1960 HU";
    // Accepted, it says both that it was accepted and that it looks wrong.
    ScanParameters accepting;
    accepting.accepted = {not_hu};
    const auto accepted = loaded(bare(body(1024)), test::Writing::explicit_little, accepting);
    EXPECT_THAT(text_of(accepted.notices, not_hu), HasSubstr("accepted"));
    EXPECT_THAT(text_of(accepted.notices, not_hu), HasSubstr("do not look like HU"));
}

TEST(DoubtfulValues, OfBitsAboveThoseStoredAreSeen)
{
    const auto overlaid = [](int stored) {
        return body().each([&](BuiltImage& image, int k) {
            image.us(0x00280101, stored).us(0x00280102, stored - 1).pixels(words_of([&](int c, int r) { return ((body_hu(c, r, k) + 1024) & 0xFFF) | 0xA000; }));
        });
    };
    EXPECT_TRUE(doubt(overlaid(12)).empty()) << "an overlay in the unused bits is masked";
    EXPECT_FALSE(doubt(overlaid(16)).empty()) << "the header says that they are values";
    const auto unextended = [](int stored) {
        return body().with(kIntercept, "DS", "0").each([&](BuiltImage& image, int k) {
            image.us(0x00280101, stored).us(0x00280102, stored - 1).us(kRepresentation, 1).pixels(words_of([&](int c, int r) { return body_hu(c, r, k) & 0xFFF; }));
        });
    };
    EXPECT_TRUE(doubt(unextended(12)).empty());
    EXPECT_FALSE(doubt(unextended(16)).empty()) << "air at 3116 HU";
}

TEST(Rescale, ThatNoCtCanHaveIsRefused)
{
    for (const char* slope : {"-1", "0", "1E-5", "0.001", "1,0"}) EXPECT_EQ(refusal(scanned(ct().with(kSlope, "DS", slope))), not_hu) << slope;
    EXPECT_EQ(refusal(scanned(ct().with(kIntercept, "DS", "1E9"))), not_hu);
    BuiltImage table;
    table.us(0x00283002, 1).us(0x00283006, 1);
    EXPECT_EQ(refusal(scanned(ct().each([&](BuiltImage& image, int) { image.sequence(0x00283000, {table}); }))), not_hu) << "a Modality LUT is no slope";
    EXPECT_EQ(refusal(scanned(ct().each([&](BuiltImage& image, int) { image.sequence(0x00283000, {}); }))), std::nullopt) << "an empty sequence says nothing";
}

TEST(Rescale, OfUnspecifiedUnitIsTakenForHuOnlyWhereItLooksLikeIt)
{
    EXPECT_THAT(doubt(body().with(0x00281054, "LO", "US")), HasSubstr("unspecified"));
    EXPECT_EQ(refusal(scanned(body().with(0x00281054, "LO", "US").with(kIntercept, "DS", "0"))), not_hu);
}

TEST(Rescale, OfEightBitsThatHoldAWindowOnlySaysSo)
{
    const auto eight = [](const char* slope) {
        return ct().with(kSlope, "DS", slope).each([](BuiltImage& image, int k) {
            std::string bytes;
            for (const auto w : DicomBuilder::words(k)) bytes += static_cast<char>(w - 900);
            image.us(0x00280100, 8).us(0x00280101, 8).us(0x00280102, 7).text(kIntercept, "DS", "-150");
            image.elements[0x7FE00010] = {"OB", bytes, {}};
        });
    };
    EXPECT_THAT(text_of(scanned(eight("1")).series.at(0).notices, not_hu), HasSubstr("256 HU"));
    EXPECT_TRUE(scanned(eight("8")).series.at(0).notices.empty()) << "steps of 8 HU over the whole range";
}

TEST(Rescale, OfOneSliceThatShiftsItsValuesIsNamed)
{
    EXPECT_THAT(doubt(body().slice(9, [](BuiltImage& image) { image.text(kIntercept, "DS", "-1000"); })), HasSubstr("slice 10 "));
    // A rescale of its own that gives the same HU shifts nothing.
    const auto fits = body().slice(9, [](BuiltImage& image) { image.text(kIntercept, "DS", "-2024").pixels(words_of([](int c, int r) { return body_hu(c, r, 9) + 2024; })); });
    EXPECT_TRUE(doubt(fits).empty());
}

TEST(Padding, ThatStandsForTissueSaysSo)
{
    const auto padded = [](int value) { return body().each([&](BuiltImage& image, int) { image.us(0x00280120, value); }); };
    EXPECT_THAT(text_of(scanned(padded(1024)).series.at(0).notices, not_hu), HasSubstr("0 HU"));
    EXPECT_TRUE(scanned(padded(0)).series.at(0).notices.empty());
    EXPECT_THAT(text_of(scanned(padded(0).each([](BuiltImage& image, int) { image.us(0x00280121, 1000); })).series.at(0).notices, not_hu), HasSubstr("-1024 to -24 HU"));
}

TEST(SliceOutOfPlace, IsOneThatWasExchangedTurnedOrBlank)
{
    const auto reported = [](const std::function<int(int c, int r)>& value) {
        return doubt(body().slice(9, [&](BuiltImage& image) { image.pixels(words_of(value)); }), slice_out_of_place);
    };
    EXPECT_THAT(reported([](int c, int r) { return body_hu(kSide - 1 - c, kSide - 1 - r, 9) + 1024; }), HasSubstr("slice 10 is unlike")) << "turned by 180 degrees";
    EXPECT_THAT(reported([](int, int) { return 24; }), HasSubstr("slice 10 is unlike")) << "blank";
    EXPECT_THAT(reported([](int c, int r) { return body_hu(c, std::max(0, r - 4), 9) + 1024; }), HasSubstr("slice 10 is unlike")) << "moved by 4 pixels";
    EXPECT_THAT(reported([](int c, int r) { return body_hu(c, r, 8) + 1024; }), HasSubstr("slice 10 shows the same as the slice before"));
}

TEST(SliceOutOfPlace, IsToldByASliceLocationThatContradictsThePosition)
{
    const auto located = [] {
        return ct().each([](BuiltImage& image, int k) { image.text(0x00201041, "DS", std::to_string(50 - 2 * k)); });  // counted the other way round, as some do
    };
    EXPECT_TRUE(scanned(located()).series.at(0).notices.empty());
    auto exchanged = located();
    std::swap(exchanged.images[5].elements[0x00200032], exchanged.images[6].elements[0x00200032]);
    const auto found = scanned(exchanged);
    EXPECT_THAT(text_of(found.series.at(0).notices, slice_out_of_place), HasSubstr("between slices 6 and 7"));
    // One that contradicts everywhere means something else.
    EXPECT_TRUE(scanned(ct().each([](BuiltImage& image, int k) { image.text(0x00201041, "DS", std::to_string(k % 3)); })).series.at(0).notices.empty());
}

TEST(RenderedImages, AreToldByTheTechniqueAlone)
{
    for (const char* technique : {"MAX_IP", "MIN_IP", "VOLUME_RENDER", "SURFACE_RENDER"}) EXPECT_EQ(refusal(scanned(ct().with(0x00089207, "CS", technique))), material_map) << technique;
    for (const char* technique : {"MPR", "NONE"}) EXPECT_EQ(refusal(scanned(ct().with(0x00089207, "CS", technique))), std::nullopt) << technique;
    EXPECT_EQ(excluded(scanned(ct().with(0x00089206, "CS", "DISTORTED")), no_geometry), kSlices);
    EXPECT_EQ(excluded(scanned(ct().with(0x00089207, "CS", "CURVED_MPR")), no_geometry), kSlices);
    // In an enhanced image it stands with each frame's type, or with the type all share.
    std::vector<int> order;
    for (int k = 0; k < kSlices; ++k) order.push_back(k);
    for (const bool shared : {true, false}) {
        auto image = DicomBuilder::enhanced(ct(), order);
        BuiltImage type;
        type.text(0x00089007, "CS", "DERIVED\\PRIMARY\\VOLUME\\NONE").text(0x00089206, "CS", "VOLUME").text(0x00089207, "CS", "MAX_IP");
        auto& groups = image.elements.at(shared ? 0x52009229 : 0x52009230).items;
        for (auto& group : groups) group.sequence(0x00189329, {type});
        DicomBuilder file;
        file.images = {image};
        EXPECT_EQ(refusal(scanned(file)), material_map);
    }
}

// Images that do not belong with the others (checklist 9, 20)

TEST(OddImages, OfAnotherSizeOrSpacingAreSetAsideAndTheHoleTheyLeaveIsTheirs)
{
    const auto larger = [](BuiltImage& image) { image.text(0x00280030, "DS", "0.8\\0.5"); };
    const auto smaller = [](BuiltImage& image) { image.us(0x00280010, 5); image.elements[0x7FE00010].bytes.resize(120); };
    const std::vector<std::pair<Code, std::function<void(BuiltImage&)>>> odd{{mixed_spacing, larger}, {mixed_size, smaller}};
    for (const auto& [code, change] : odd) {
        const auto inside = scanned(ct().slice(9, change));
        EXPECT_EQ(refusal(inside), code);
        EXPECT_THAT(inside.series[0].refused->message, HasSubstr("after slice 9"));
        EXPECT_EQ(excluded(inside, code), 1);
        auto extra = ct(1).images[0];
        extra.text(0x00080018, "UI", "1.2.3.4.900").text(0x00200032, "DS", test::position(-10, 20, -81));
        change(extra);
        auto more = ct();
        more.images.push_back(extra);
        const auto kept = scanned(more);
        EXPECT_EQ(refusal(kept), std::nullopt);
        EXPECT_EQ(kept.series[0].geometry.size().slices, kSlices);
        EXPECT_TRUE(has(kept.series[0].notices, code));
        EXPECT_EQ(excluded(kept, code), 1);
        auto half = ct();
        half.each([&, change = change](BuiltImage& image, int k) { if (k >= kSlices / 2) change(image); });
        EXPECT_EQ(refusal(scanned(half)), code);
        EXPECT_EQ(excluded(scanned(half), code), 0) << "none is more right than the other";
    }
    EXPECT_EQ(refusal(scanned(ct(2).slice(1, larger))), mixed_spacing) << "of two neither is the odd one";
}

TEST(OneUid, OnTwoImagesOfASeriesIsAConflictInWhateverFrameOfReferenceTheyAre)
{
    auto series = ct();
    auto other = ct().with(0x00200052, "UI", "1.2.3.33");
    other.each([](BuiltImage& image, int k) { image.text(0x00080018, "UI", "1.2.3.5." + std::to_string(k)); });
    other.slice(4, [](BuiltImage& image) { image.text(0x00080018, "UI", "1.2.3.4.5").pixels(std::vector<std::uint16_t>(120, 1100)); });
    EXPECT_EQ(refusal(scanned(series.and_also(other))), conflicting_duplicate);
}

TEST(OneUid, InTwoSeriesIsANotice)
{
    auto other = ct().with(0x0020000E, "UI", "1.2.3.22");
    other.each([](BuiltImage& image, int k) { if (k != 4) image.text(0x00080018, "UI", "1.2.3.5." + std::to_string(k)); });
    const auto found = scanned(ct().and_also(other));
    ASSERT_EQ(found.series.size(), 2u);
    for (const auto& series : found.series) EXPECT_TRUE(has(series.notices, conflicting_duplicate));
}

}  // namespace retromass::ingest

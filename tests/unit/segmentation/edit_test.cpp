#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "segmentation/segment.h"

namespace retromass::segmentation {
namespace {

using testing::HasSubstr;
constexpr double pi = std::numbers::pi;

VolumeGeometry upright() { return VolumeGeometry::axial({80, 70, 40}, 1, 0.8, 2); }

/// Slices that drift by half a millimetre along the rows' direction from one to the next, as under a tilted gantry.
VolumeGeometry leaning()
{
    std::vector<PatientPoint> origins;
    for (int k = 0; k < 40; ++k) origins.push_back({0, 0.5 * k, 2.0 * k});
    return VolumeGeometry::from_slices(80, 70, {1, 0, 0}, {0, 1, 0}, 1, 0.8, origins).value();
}

PatientPoint centre_of(const VolumeGeometry& g, int slice) { return g.to_patient(ContinuousIndex{39.5, 34.5, double(slice)}); }

std::string text(PatientPoint p) { return std::to_string(p.x) + " " + std::to_string(p.y) + " " + std::to_string(p.z); }

EditLog log_of(const std::string& lines)
{
    const auto log = read_edits("retromass-edits 1\n" + lines);
    EXPECT_TRUE(log.ok()) << log.error().message;
    return log.ok() ? *log : EditLog{};
}

Mask replayed(const Mask& mask, const VolumeGeometry& g, const std::string& lines)
{
    const auto done = edited(mask, g, log_of(lines));
    EXPECT_TRUE(done.ok()) << done.error().message;
    return done.ok() ? done->mask : Mask(mask.size());
}

std::size_t voxels(const Mask& mask, int slice = -1)
{
    const auto values = slice < 0 ? mask.values() : mask.plane(slice);
    return static_cast<std::size_t>(std::count_if(values.begin(), values.end(), [](auto v) { return v != 0; }));
}

bool same(const Mask& a, const Mask& b) { return std::equal(a.values().begin(), a.values().end(), b.values().begin(), b.values().end()); }

template <class Inside>
Mask mask_where(const VolumeGeometry& g, Inside inside)
{
    Mask out(g.size());
    for (int k = 0; k < g.size().slices; ++k) {
        for (int r = 0; r < g.size().rows; ++r) {
            for (int c = 0; c < g.size().columns; ++c) out.at(c, r, k) = inside(g.to_patient(Index{c, r, k}));
        }
    }
    return out;
}

std::string disc(const VolumeGeometry& g, int slice, double radius_mm)
{
    std::string out = "add-contour";
    for (int i = 0; i < 180; ++i) out.append(" ").append(text(centre_of(g, slice) + PatientPoint{radius_mm * std::cos(i * pi / 90), radius_mm * std::sin(i * pi / 90), 0}));
    out += '\n';
    return out;
}

std::string code_of(const Mask& mask, const VolumeGeometry& g, const std::string& lines)
{
    const auto done = edited(mask, g, log_of(lines));
    return done.ok() ? "done" : std::string(name(done.error().code));
}

}  // namespace

TEST(Edit, ASphereHoldsTheVoxelsWhoseCentresItHolds)
{
    for (const auto& g : {upright(), leaning()}) {
        const auto middle = centre_of(g, 20) + PatientPoint{0.3, 0.2, 0.7};
        const auto expected = mask_where(g, [&](PatientPoint p) { return distance(p, middle) <= 9.1; });
        EXPECT_NEAR(static_cast<double>(voxels(expected)) * 1.6, 4.0 / 3 * pi * 9.1 * 9.1 * 9.1, 60);  // mm^3; a voxel is 1.6, 2 % of the ball
        EXPECT_TRUE(same(replayed(Mask(g.size()), g, "add-sphere " + text(middle) + " 9.1\n"), expected));
        const auto rest = replayed(Mask(g.size(), 1), g, "remove-sphere " + text(middle) + " 9.1\n");
        EXPECT_EQ(voxels(rest), g.size().voxels() - voxels(expected));
    }
}

TEST(Edit, AContourIsItsAreaOnItsSliceAlone)
{
    const auto g = upright();
    const auto drawn = replayed(Mask(g.size()), g, disc(g, 20, 15));
    EXPECT_EQ(voxels(drawn), voxels(drawn, 20));
    EXPECT_NEAR(static_cast<double>(voxels(drawn)) * 0.8, pi * 15 * 15, 0.01 * pi * 15 * 15);  // the lattice error of a disc of 880 pixels is below 1 %
    auto hole = disc(g, 20, 7);
    hole.replace(0, 3, "remove");
    const auto ring = replayed(drawn, g, hole);
    EXPECT_NEAR(static_cast<double>(voxels(ring)) * 0.8, pi * (15 * 15 - 7 * 7), 0.015 * pi * 15 * 15);
}

TEST(Edit, BetweenTwoContoursLiesTheConeTheyAreCutFrom)
{
    // The cone stands upright in the patient, however the stack leans.
    const auto ring = [](double radius, double z) {
        std::string out = "add-contour";
        for (int i = 0; i < 180; ++i) out.append(" ").append(text(PatientPoint{39.5 + radius * std::cos(i * pi / 90), 33 + radius * std::sin(i * pi / 90), z}));
        out += '\n';
        return out;
    };
    for (const auto& g : {upright(), leaning()}) {
        const auto cone = replayed(Mask(g.size()), g, ring(8, 20) + ring(17, 60) + "fill-between 39.5 33 20 39.5 33 60\n");
        EXPECT_EQ(voxels(cone, 9) + voxels(cone, 31), 0U);
        for (int k = 10; k <= 30; ++k) {
            const double radius = 8 + 9 * (k - 10) / 20.0;
            EXPECT_NEAR(std::sqrt(static_cast<double>(voxels(cone, k)) * 0.8 / pi), radius, 0.6) << k;  // distances count from pixel centres: up to half a pixel either way
            const auto holds = [&](double y) {
                const auto i = g.to_index({39.5, y, 2.0 * k});
                return cone.at(int(std::lround(i.column)), int(std::lround(i.row)), k) != 0;
            };
            EXPECT_TRUE(holds(33 - radius + 1.5) && holds(33 + radius - 1.5)) << k;
            EXPECT_FALSE(holds(33 - radius - 1.5) || holds(33 + radius + 1.5)) << k;
        }
    }
}

TEST(Edit, BetweenTwoEqualSlicesLiesTheSameAndWhatWasThereIsReplaced)
{
    const auto g = upright();
    const auto tube = replayed(Mask(g.size()), g, disc(g, 10, 12) + disc(g, 20, 12) + disc(g, 15, 25) + "fill-between " + text(centre_of(g, 20)) + " " + text(centre_of(g, 10)) + "\n");
    for (int k = 11; k < 20; ++k) EXPECT_TRUE(std::equal(tube.plane(k).begin(), tube.plane(k).end(), tube.plane(10).begin())) << k;
}

TEST(Edit, SmoothingTakesBumpsAndKeepsTheVolume)
{
    const auto g = upright();
    const auto middle = centre_of(g, 20);
    for (const double radius : {6.0, 20.0}) {
        const auto ball = mask_where(g, [&](PatientPoint p) { return distance(p, middle) <= radius; });
        auto rough = ball;
        std::size_t i = 0;
        for (int k = 1; k < 39; ++k) {
            for (int r = 1; r < 69; ++r) {
                for (int c = 1; c < 79; ++c) {
                    const double away = distance(g.to_patient(Index{c, r, k}), middle) - radius;
                    if (std::abs(away) < 2 && (++i * 2654435761U >> 16) % 3 == 0) rough.at(c, r, k) ^= 1;
                }
            }
        }
        const auto smooth = replayed(rough, g, "smooth 2.5\n");
        // Cut at one half, a Gaussian of 2.5 mm would take the ball of 6 mm a millimetre all round: 40 % of its volume.
        EXPECT_NEAR(static_cast<double>(voxels(smooth)) / static_cast<double>(voxels(rough)), 1, 0.01);
        const auto differs = [&](const Mask& m) {
            std::size_t n = 0;
            for (std::size_t v = 0; v < m.values().size(); ++v) n += m[v] != ball[v];
            return n;
        };
        EXPECT_LT(differs(smooth), differs(rough) / 2) << radius;
    }
}

TEST(Edit, KeepsThePartThatHoldsThePointWithWhatTouchesItByACorner)
{
    const auto g = upright();
    Mask mask(g.size());
    mask.at(10, 10, 10) = mask.at(11, 11, 11) = 1;   // one part: they share a corner
    mask.at(20, 20, 20) = 1;
    const auto kept = replayed(mask, g, "keep-component " + text(g.to_patient(Index{11, 11, 11})) + "\n");
    EXPECT_EQ(voxels(kept), 2U);
    EXPECT_EQ(kept.at(20, 20, 20), 0);
    EXPECT_EQ(code_of(mask, g, "keep-component " + text(g.to_patient(Index{30, 30, 30})) + "\n"), "prompt-contradictory");
}

TEST(Edit, UndoTakesBackTheLastEditThatStands)
{
    const auto g = upright();
    const std::string a = "add-sphere " + text(centre_of(g, 20)) + " 10\n";
    const std::string b = "smooth 2\n";
    const std::string c = "remove-sphere " + text(centre_of(g, 22)) + " 5\n";
    const Mask none(g.size());
    EXPECT_TRUE(same(replayed(none, g, a + b + "undo\n"), replayed(none, g, a)));
    EXPECT_TRUE(same(replayed(none, g, a + b + c + "undo\nundo\n" + c), replayed(none, g, a + c)));
    EXPECT_FALSE(same(replayed(none, g, a + c), replayed(none, g, a)));
    EXPECT_EQ(code_of(none, g, a + "undo\nundo\n"), "prompt-contradictory");
    const auto done = edited(none, g, log_of(a + b + "undo\n" + c));
    ASSERT_TRUE(done.ok());
    ASSERT_EQ(done->effects.size(), 3U);
    EXPECT_EQ(done->effects[0].added, voxels(replayed(none, g, a)));
    EXPECT_TRUE(done->effects[1].undone);
    EXPECT_EQ(done->effects[0].added - done->effects[2].removed, voxels(done->mask));
}

TEST(Edit, ALogWrittenAndReadAgainReplaysToTheSameMask)
{
    const auto g = leaning();
    EditLog log;
    log.edits = {{Edit::Kind::add_sphere, {centre_of(g, 20) + PatientPoint{0.1 + 0.2, 1.0 / 3, -1e-17}}, 11.0 / 3},
                 {Edit::Kind::add_contour, {centre_of(g, 24), centre_of(g, 24) + PatientPoint{std::sqrt(150.0), 0, 0}, centre_of(g, 24) + PatientPoint{0, 10.0 / 7, 0}}, 0},
                 {Edit::Kind::smooth, {}, 1.7}};
    log.start = fingerprint(Mask(g.size()));
    const auto again = read_edits(text_of(log));
    ASSERT_TRUE(again.ok()) << again.error().message;
    ASSERT_EQ(again->edits.size(), log.edits.size());
    EXPECT_EQ(again->start, log.start);
    for (std::size_t i = 0; i < log.edits.size(); ++i) {
        EXPECT_EQ(again->edits[i].points, log.edits[i].points);  // every bit
        EXPECT_EQ(again->edits[i].mm, log.edits[i].mm);
    }
    EXPECT_EQ(fingerprint(edited(Mask(g.size()), g, log)->mask), fingerprint(edited(Mask(g.size()), g, *again)->mask));
}

TEST(Edit, IsRefusedOnAnotherMaskThanItWasDrawnOn)
{
    const auto g = upright();
    Mask mask(g.size());
    mask.at(3, 4, 5) = 1;
    const auto mine = fingerprint(mask);
    EXPECT_EQ(code_of(mask, g, "on " + mine + "\nadd-sphere " + text(centre_of(g, 20)) + " 5\n"), "done");
    mask.at(4, 4, 5) = 1;
    EXPECT_NE(fingerprint(mask), mine);
    EXPECT_EQ(code_of(mask, g, "on " + mine + "\nadd-sphere " + text(centre_of(g, 20)) + " 5\n"), "verification-failed");
}

TEST(Edit, RefusesWhatCannotBeDoneByItsCode)
{
    const auto g = upright();
    const Mask none(g.size());
    const auto ball = replayed(none, g, "add-sphere " + text(centre_of(g, 20)) + " 8\n");
    EXPECT_EQ(code_of(none, g, "add-sphere 500 0 0 8\n"), "prompt-outside");
    EXPECT_EQ(code_of(ball, g, "remove-sphere " + text(centre_of(g, 20)) + " 9\n"), "empty-mask");
    EXPECT_EQ(code_of(ball, g, "fill-between " + text(centre_of(g, 20)) + " " + text(centre_of(g, 30)) + "\n"), "prompt-contradictory");
    EXPECT_EQ(code_of(ball, g, "fill-between " + text(centre_of(g, 20)) + " " + text(centre_of(g, 21)) + "\n"), "prompt-contradictory");
    EXPECT_EQ(code_of(ball, g, "add-contour " + text(centre_of(g, 20)) + " " + text(centre_of(g, 20)) + " " + text(centre_of(g, 22)) + "\n"), "prompt-contradictory");
    const auto why = [](const std::string& log) {
        const auto read = read_edits(log);
        return read.ok() ? std::string("read") : std::string(name(read.error().code)) + ": " + read.error().message;
    };
    EXPECT_THAT(why(""), HasSubstr("malformed"));
    EXPECT_THAT(why("add-sphere 1 2 3 4\n"), HasSubstr("line 1"));
    EXPECT_THAT(why("retromass-edits 2\n"), HasSubstr("malformed"));
    EXPECT_THAT(why("retromass-edits 1\n\n# of a reader\nadd-ball 1 2 3 4\n"), testing::AllOf(HasSubstr("line 4"), HasSubstr("add-sphere")));
    for (const char* bad : {"add-sphere 1 2 3", "add-sphere 1 2 3 0", "add-sphere 1 2 3 -4", "add-sphere 1 2 x 4", "add-sphere 1 2 3 nan", "add-contour 1 2 3 4 5 6", "smooth", "undo 1", "keep-component 1 2", "on a b"}) {
        EXPECT_THAT(why("retromass-edits 1\n" + std::string(bad) + "\n"), HasSubstr("line 2")) << bad;
    }
}

}  // namespace retromass::segmentation

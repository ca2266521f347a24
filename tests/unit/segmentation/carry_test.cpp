#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "segmentation/segment.h"
#include "segmentation/upright.h"
#include "tests/unit/segmentation/torso.h"

namespace retromass::segmentation {
namespace {

using test::torso_mask;
using test::torso_scan;
using test::TorsoLesion;
using testing::HasSubstr;

VolumeGeometry grid() { return VolumeGeometry::axial({156, 110, 80}, 2.4, 2.4, 3, {-184.5, -130, 2}); }

PatientPoint moved(PatientPoint p)
{
    const PatientPoint middle{0, 0, 120};
    const Rigid rigid{rotation({0.03, -0.02, 0.05}), middle, middle + PatientPoint{6, -5, 4}};
    return rigid(p) + PatientPoint{3 * std::sin(p.y / 70), 3 * std::sin(p.x / 70), 4 * std::sin((p.x + p.y) / 70)};
}

TorsoLesion sized(double volume_factor)
{
    const double f = std::cbrt(volume_factor);
    return {{64, -14, 105}, {30 * f, 24 * f, 27 * f}};
}

double volume(const Mask& mask)
{
    double out = 0;
    for (const auto v : mask.values()) out += v != 0;
    return out;
}

Result<Carried> carried(const TorsoLesion& then, const TorsoLesion& lesion_now, const std::function<void(CtVolume&)>& change = {})
{
    const auto g = grid();
    const auto before = torso_scan(g, then, [](PatientPoint p) { return p; }, 12, 1);
    const auto mask = torso_mask(g, then, [](PatientPoint p) { return p; });
    auto now = torso_scan(g, lesion_now, moved, 12, 2);
    if (change) change(now);
    RETROMASS_TRY_ASSIGN(const auto registration, register_scans({now}, {before, &mask}));
    return carry(registration, {before, mask}, now, "1.2.3", {});
}

double dice(const Mask& a, const Mask& b)
{
    double both = 0;
    for (std::size_t i = 0; i < a.values().size(); ++i) both += a[i] && b[i];
    return 2 * both / (volume(a) + volume(b));
}

TEST(Carry, FindsTheLesionAtItsNewSizeWithoutPullToTheOldOne)
{
    // -60 % to +100 % of the volume. The truth is the ellipsoid on the new grid; 10 % is what a segmentation from a reader's own line may be off.
    for (const double factor : {0.4, 1.0, 2.0}) {
        const auto found = carried(sized(1), sized(factor));
        ASSERT_TRUE(found.ok()) << factor << ": " << found.error().message;
        const auto truth = torso_mask(grid(), sized(factor), moved);
        EXPECT_NEAR(volume(found->segmentation.mask) / volume(truth), 1, 0.10) << factor << ": " << found->text;
        EXPECT_GT(dice(found->segmentation.mask, truth), 0.9) << factor;  // the old outline, copied, has 0.57 at 0.4 and 0.67 at 2
        EXPECT_THAT(found->text, HasSubstr("similarity"));
    }
}

TEST(Carry, DoubtsARegistrationThatFoldsTheSurroundings)
{
    RegistrationTrust trust{.covered = 1, .similarity = 0.9, .round_trip_mm = 1, .least_jacobian = 0.4};
    EXPECT_EQ(doubt_of(trust, 20), "");
    for (const double folded : {0.0, -0.2}) {
        trust.least_jacobian = folded;
        EXPECT_NE(doubt_of(trust, 20).find("folds"), std::string::npos) << folded;
    }
}

TEST(Carry, AsksForAPromptWhereTheMassOutgrewEverythingAroundIt)
{
    const TorsoLesion residual{{64, -14, 105}, {10, 10, 10}};
    const auto found = carried(residual, {{50, -20, 105}, {80, 60, 85}});
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().code, Code::prompt_missing);
    EXPECT_THAT(found.error().message, HasSubstr("give a prompt"));
}

TEST(Carry, AsksForAPromptWhereTheLesionLooksLikeWhatItTouches)
{
    // At the liver, as dense as the liver: what looks like it has no end there, on neither scan.
    const TorsoLesion then{{-40, -25, 140}, {28, 24, 30}, 108}, now_{{-40, -25, 140}, {22, 19, 24}, 108};
    const auto found = carried(then, now_);
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().code, Code::prompt_missing);
    EXPECT_THAT(found.error().message, HasSubstr("looked for on the earlier scan"));
}

TEST(Carry, AsksForAPromptWhereTheLesionIsGone)
{
    const auto found = carried(sized(0.5), {});
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().code, Code::prompt_missing);
}

TEST(Carry, AsksForAPromptWhereTheScanEndsAtTheLesion)
{
    const auto found = carried(sized(1), sized(1), [](CtVolume& now) {
        auto shorter = VolumeGeometry::axial({156, 110, 45}, 2.4, 2.4, 3, {-184.5, -130, 107});  // from the lesion's middle on
        CtVolume part{shorter, Grid<std::int16_t>(shorter.size())};
        for (int k = 0; k < 45; ++k) std::copy(now.hu.plane(k + 35).begin(), now.hu.plane(k + 35).end(), part.hu.plane(k).begin());
        now = std::move(part);
    });
    ASSERT_FALSE(found.ok());
    EXPECT_THAT(found.error().message, HasSubstr("give a prompt"));
}

}  // namespace
}  // namespace retromass::segmentation

#include "measurement/uncertainty.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace retromass::measurement {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr int kSide = 64;

Mask ball(double radius)
{
    Mask out({kSide, kSide, kSide});
    for (int k = 0; k < kSide; ++k) {
        for (int r = 0; r < kSide; ++r) {
            for (int c = 0; c < kSide; ++c) out.at(c, r, k) = std::hypot(c - 31.5, r - 31.5, k - 31.5) < radius;
        }
    }
    return out;
}

/// A ball of 40 mm, which other hands draw `apart` mm smaller or larger in radius, and whose boundary is as wide.
struct Case {
    VolumeGeometry geometry;
    LesionMeasurements measured;
    MaskVariants variants;
    explicit Case(double apart, double slice_mm = 1)
    {
        geometry = VolumeGeometry::axial({kSide, kSide, kSide}, 1, 1, slice_mm);
        variants.geometry = geometry;
        variants.hu = Grid<std::int16_t>(geometry.size(), -100);
        variants.base = ball(20);
        for (std::size_t i = 0; i < variants.base.values().size(); ++i) {
            if (variants.base[i]) variants.hu[i] = 50;
        }
        variants.grown = ball(20 + apart);
        variants.shrunk = ball(20 - apart);
        variants.repeats = {variants.grown, variants.shrunk, variants.grown, variants.shrunk};
        variants.prompt = "line2z";
        variants.rim_step = 4;
        variants.separation = 5;
        variants.length_mm = 40;
        measured = measure(variants.base, geometry, &variants.hu).value();
    }
    Uncertainty uncertainty() const { return uncertainty_of(measured, geometry, variants).value(); }
};

double width(const Quantity& q) { return *q.high - *q.low; }

}  // namespace

TEST(Spreads, AreThoseOfTheVariants)
{
    const auto spreads = spreads_of(Case(2).measured, Case(2).geometry, Case(2).variants).value();
    // Radii of 18 and 22 about 20: logarithms -0.105 and 0.095, 0.1003 in the mean square; thrice that for the volume. A ball of whole
    // voxels has its diameter within half a voxel (0.0125 each way).
    EXPECT_NEAR(spreads[0].prompt, 0.1003, 0.025);
    EXPECT_NEAR(spreads[2].prompt, 0.1003, 0.025);
    EXPECT_NEAR(spreads[3].prompt, 0.301, 0.015);
    EXPECT_NEAR(spreads[3].boundary, 1.5 * std::log(22.0 / 18), 0.015);
    EXPECT_NEAR(spreads[0].grid, 0.41 / 40, 0.001);
}

TEST(Spreads, OfThickSlicesAreWiderInHeightAlone)
{
    const auto fine = spreads_of(Case(1).measured, Case(1).geometry, Case(1).variants).value();
    Case thick(1, 4);
    const auto coarse = spreads_of(thick.measured, thick.geometry, thick.variants).value();
    EXPECT_NEAR(coarse[2].grid, fine[2].grid, 1e-9);      // 4 mm of 160 mm are 1 mm of 40 mm
    thick.measured.craniocaudal = Case(1).measured.craniocaudal;
    const auto flat = spreads_of(thick.measured, thick.geometry, thick.variants).value();
    EXPECT_NEAR(flat[2].grid, 4 * fine[2].grid, 1e-9);    // 4 mm of 40 mm
    EXPECT_NEAR(flat[0].grid, fine[0].grid, 1e-9);
}

TEST(Uncertainty, IsWiderWhereOtherHandsDrawOtherLesions)
{
    const auto sure = Case(0.5).uncertainty();
    const auto unsure = Case(3).uncertainty();
    for (std::size_t q = 0; q < 4; ++q) {
        // The values are the same, so a width taken from the value is too. Half a millimetre is a fortieth of the radius, three are six times that.
        EXPECT_GT(width(unsure.quantities[q]), 2.5 * width(sure.quantities[q])) << kUncertain[q];
        EXPECT_LE(*sure.quantities[q].low, sure.quantities[q].value);
        EXPECT_GE(*sure.quantities[q].high, sure.quantities[q].value);
        EXPECT_GT(*unsure.quantities[q].low, 0);
    }
}

TEST(Uncertainty, NamesTheSetItWasCalibratedOnAndWhatIsUnlikeIt)
{
    Case lesion(1);
    EXPECT_THAT(lesion.uncertainty().calibrated_on, HasSubstr("phantoms"));
    EXPECT_THAT(lesion.uncertainty().not_validated, IsEmpty());
    lesion.variants.length_mm = 300;
    EXPECT_THAT(lesion.uncertainty().not_validated, HasSubstr("its prompt is 300 mm"));
    lesion.variants.length_mm = 40;
    lesion.variants.prompt = "prior";
    EXPECT_THAT(lesion.uncertainty().not_validated, HasSubstr("kind prior"));
    lesion.variants.prompt = "box";
    lesion.variants.rim_step = lesion.variants.separation = 1;
    EXPECT_THAT(lesion.uncertainty().calibrated_on, HasSubstr("sarcomas"));
    EXPECT_THAT(lesion.uncertainty().not_validated, HasSubstr("other tissue"));
    Case thick(1, 8);
    EXPECT_THAT(thick.uncertainty().not_validated, HasSubstr("slices are 8.0 mm apart"));
}

TEST(Uncertainty, OfAShortAxisIsWiderWhereThePromptDoesNotShowIt)
{
    Case lesion(1);
    lesion.variants.rim_step = lesion.variants.separation = 1;
    lesion.variants.soft_tissue = 1;
    const auto of = [&](const char* prompt) {
        lesion.variants.prompt = prompt;
        return lesion.uncertainty();
    };
    const auto seen = of("line2");
    for (const char* prompt : {"line2z", "contour"}) EXPECT_EQ(width(of(prompt).quantities[1]), width(seen.quantities[1])) << prompt;
    for (const char* prompt : {"line", "box"}) {
        const auto unseen = of(prompt);
        EXPECT_THAT(unseen.not_validated, IsEmpty());
        EXPECT_GT(width(unseen.quantities[1]), 1.5 * width(seen.quantities[1])) << prompt;
        for (const std::size_t other : {0U, 2U, 3U, 4U}) EXPECT_EQ(width(unseen.quantities[other]), width(seen.quantities[other])) << prompt;
    }
    // With a clear rim the image shows where it ends.
    lesion.variants.rim_step = 4;
    EXPECT_EQ(width(of("line").quantities[1]), width(of("line2").quantities[1]));
}

TEST(Uncertainty, IsNotGivenWhereOtherHandsFindNoLesion)
{
    Case lesion(1);
    lesion.variants.repeats.assign(4, Mask(lesion.variants.base.size()));
    EXPECT_FALSE(uncertainty_of(lesion.measured, lesion.geometry, lesion.variants).ok());
}

}  // namespace retromass::measurement

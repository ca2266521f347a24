#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "pipeline/ingest/ingest.h"
#include "segmentation/registration.h"
#include "segmentation/upright.h"
#include "tests/support/real_data.h"
#include "tests/unit/segmentation/torso.h"

namespace retromass::segmentation {
namespace {

using test::torso_scan;
using test::TorsoLesion;

constexpr PatientPoint kMiddle{0, 0, 120};

VolumeGeometry usual_grid() { return VolumeGeometry::axial({124, 90, 60}, 3, 3, 4, {-184.5, -130, 2}); }

/// Another position on the couch and other breathing: 3 degrees, 9 mm and a smooth bend of up to 8 mm.
PatientPoint moved(PatientPoint p)
{
    const Rigid rigid{rotation({0.03, -0.02, 0.05}), kMiddle, kMiddle + PatientPoint{6, -5, 4}};
    const auto d = p - kMiddle;
    constexpr double wave_mm = 70;
    return rigid(p) + 8 * PatientPoint{0.6 * std::sin(d.y / wave_mm + 0.3) * std::cos(d.z / wave_mm), 0.6 * std::sin(d.x / wave_mm - 0.5) * std::cos(d.y / wave_mm), 0.7 * std::sin((d.x + d.y) / wave_mm)};
}

PatientPoint unmoved(PatientPoint p) { return p; }

Result<ingest::CtSeries> real_chest()
{
    RETROMASS_TRY_ASSIGN(const auto scan, ingest::scan({test::data_folder() / "lung_4d113/CT"}));
    return ingest::load(scan.series.at(0));
}

double percentile(std::vector<double> values, double part)
{
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

struct Errors {
    double median = 0;
    double p95 = 0;
    double by_identity = 0;   ///< medians of what fakes would be off
    double by_shift = 0;
};

/// Errors at landmarks every 12 mm within the patient, 20 mm from the ends of the scan.
template <class InPatient>
Errors errors_of(const Registration& registration, const VolumeGeometry& g, InPatient in_patient)
{
    std::vector<double> off, identity, shift;
    std::vector<PatientPoint> places;
    PatientPoint mean;
    const auto n = g.size();
    const PatientPoint low = g.to_patient(Index{0, 0, 0}), high = g.to_patient(Index{n.columns - 1, n.rows - 1, n.slices - 1});
    for (double z = low.z + 20; z < high.z - 20; z += 12) {
        for (double y = low.y; y < high.y; y += 12) {
            for (double x = low.x; x < high.x; x += 12) {
                const PatientPoint p{x, y, z};
                if (!in_patient(p)) continue;
                places.push_back(p);
                mean = mean + (moved(p) - p);
            }
        }
    }
    mean = (1 / static_cast<double>(places.size())) * mean;
    for (const auto& p : places) {
        off.push_back(distance(registration.to_moving(p), moved(p)));
        identity.push_back(distance(p, moved(p)));
        shift.push_back(distance(p + mean, moved(p)));
    }
    return {percentile(off, 0.5), percentile(off, 0.95), percentile(identity, 0.5), percentile(shift, 0.5)};
}

/// Among spine, organs and bowel: nothing shows how the even rings of fat and muscle around them moved up or down.
bool among_organs(PatientPoint p)
{
    const auto q = moved(p);
    return std::hypot(q.x / 100, (q.y - 10) / 75) < 1;
}

TEST(Registration, FindsAKnownMotionAndBendToHalfACell)
{
    const auto g = usual_grid();
    const auto before = torso_scan(g, {}, unmoved, 12, 1);
    const auto now = torso_scan(g, {}, moved, 12, 2);
    const auto registration = register_scans({now}, {before});
    ASSERT_TRUE(registration.ok()) << registration.error().message;
    const auto errors = errors_of(*registration, g, among_organs);
    EXPECT_LT(errors.median, 1.5);  // half a cell of the 3 mm that are registered
    EXPECT_LT(errors.p95, 6);       // within an organ nothing shows how it moved: two cells
    EXPECT_GT(errors.by_identity, 10);  // what a fake that does nothing
    EXPECT_GT(errors.by_shift, 4);      // ... or lays middle on middle would be off
    for (const PatientPoint p : {PatientPoint{0, 60, 120}, {-80, 0, 190}, {60, 40, 80}}) EXPECT_LT(distance(registration->to_fixed(registration->to_moving(p)), p), 0.02);  // twice where the search for the inverse stops
}

TEST(Registration, IsTheSameForAnyNumberOfThreads)
{
    const auto g = usual_grid();
    const auto before = torso_scan(g, {}, unmoved, 12, 1);
    const auto now = torso_scan(g, {}, moved, 12, 2);
    const auto one = register_scans({now}, {before}, {.cell_mm = 6, .threads = 1});
    const auto three = register_scans({now}, {before}, {.cell_mm = 6, .threads = 3});
    ASSERT_TRUE(one.ok() && three.ok());
    for (double z = 10; z < 230; z += 31) EXPECT_EQ(one->to_moving({z / 2, 20, z}), three->to_moving({z / 2, 20, z}));
}

TEST(Registration, BearsAnotherPhaseAnotherRangeAndAMassThatShrankEightfold)
{
    const auto g = usual_grid();
    const TorsoLesion large{{62, -10, 110}, {44, 40, 44}}, small{{62, -10, 110}, {22, 20, 22}};
    const auto before = torso_scan(g, large, unmoved, 12, 1);
    const auto mask = test::torso_mask(g, large, unmoved);
    const auto shorter = VolumeGeometry::axial({110, 80, 34}, 3.3, 3.3, 5, {-180, -128, 40});
    auto now = torso_scan(shorter, small, moved, 20, 2);
    for (auto& hu : now.hu.values()) {
        if (hu > 0 && hu < 220) hu = static_cast<std::int16_t>(hu * 0.6 + 10);  // less contrast medium in everything
    }
    const auto registration = register_scans({now}, {before, &mask});
    ASSERT_TRUE(registration.ok()) << registration.error().message;
    const auto errors = errors_of(*registration, shorter, [](PatientPoint p) { return among_organs(p) && test::in_ellipsoid(moved(p), {62, -10, 110}, {48, 44, 48}) > 1; });
    EXPECT_LT(errors.median, 3);  // a cell: the noise is higher and less contrast is left
    const auto trust = registration->trust_around(mask, g);
    EXPECT_GT(trust.similarity, 0.7);
    EXPECT_LT(trust.round_trip_mm, 8);
    EXPECT_GT(trust.least_jacobian, 0);
}

TEST(Registration, IsJudgedByWhatLiesAboutAMassAsLargeAsTheTrunkToo)
{
    // A ball of its volume has a radius of 12 cm: as far as it would reach had it doubled is more than 30 mm, so what it is judged by lies beyond.
    const auto tall = VolumeGeometry::axial({124, 90, 100}, 3, 3, 4, {-184.5, -130, 2});
    const auto before = torso_scan(tall, {}, unmoved, 12, 1), now = torso_scan(tall, {}, unmoved, 12, 2);
    const auto mask = test::torso_mask(tall, {{0, 0, 200}, {150, 95, 130}}, unmoved);
    const auto registration = register_scans({now, &mask}, {before, &mask});
    ASSERT_TRUE(registration.ok()) << registration.error().message;
    const auto trust = registration->trust_around(mask, tall);
    EXPECT_GT(trust.similarity, 0.6);     // what a lesion needs to be carried; the two scans differ by their noise alone
    EXPECT_GT(trust.covered, 0.9);
    EXPECT_LT(trust.round_trip_mm, 12);
    EXPECT_GT(trust.round_trip_mm, 0);    // none at all would be one that nothing was asked of
}

TEST(Registration, OfAFewSlicesIsMadeOrRefused)  // its coarse levels have one; the address sanitizer saw reads beyond it
{
    for (const int slices : {1, 2, 3, 5}) {
        const auto thin = VolumeGeometry::axial({124, 90, slices}, 3, 3, 3, {-184.5, -130, 120});
        const auto before = torso_scan(thin, {}, unmoved, 12, 1), now = torso_scan(thin, {}, unmoved, 12, 2);
        const auto registration = register_scans({now}, {before});
        EXPECT_EQ(registration.ok(), slices == 5) << slices;   // fewer are one slice of the 8 mm cells that the rigid motion is looked for on
        if (!registration) continue;
        const PatientPoint p{40, 20, 121};
        EXPECT_LT(distance(registration->to_moving(p), p), 3);   // nothing moved: within a cell
    }
}

TEST(Registration, TrustsNoScanOfAnotherPlace)
{
    RETROMASS_NEEDS_DATA("lung_4d113/CT");
    const auto chest = real_chest();
    ASSERT_TRUE(chest.ok());
    const auto g = usual_grid();
    const TorsoLesion lesion{{62, -10, 110}, {25, 25, 25}};
    const auto torso = torso_scan(g, lesion, unmoved, 12, 1);
    const auto mask = test::torso_mask(g, lesion, unmoved);
    const auto registration = register_scans({chest->volume}, {torso, &mask});
    if (!registration.ok()) return;
    EXPECT_LT(registration->trust_around(mask, g).similarity, 0.6);  // what a lesion needs to be carried
}

TEST(Registration, OfARealChestFindsAKnownMotionAndBend)
{
    RETROMASS_NEEDS_DATA("lung_4d113/CT");
    const auto chest = real_chest();
    ASSERT_TRUE(chest.ok());
    const auto& g = chest->volume.geometry;
    const auto n = g.size();
    const auto middle = g.to_patient(ContinuousIndex{n.columns / 2.0, n.rows / 2.0, n.slices / 2.0});
    const auto from = [&](PatientPoint p) { return moved(p - middle + kMiddle) - kMiddle + middle; };
    const auto coarse = VolumeGeometry::axial({160, 160, n.slices}, g.column_spacing_mm() * n.columns / 160, g.row_spacing_mm() * n.rows / 160, *g.slice_spacing_mm(), g.to_patient(Index{1, 1, 0}));
    const auto laid = [&](auto place) {
        CtVolume out{coarse, Grid<std::int16_t>(coarse.size(), -1000)};
        parallel_for(n.slices, 0, [&](int k) {
            for (int r = 0; r < 160; ++r) {
                for (int c = 0; c < 160; ++c) {
                    const auto at = g.to_index(place(coarse.to_patient(Index{c, r, k})));
                    const int x = static_cast<int>(std::floor(at.column)), y = static_cast<int>(std::floor(at.row)), z = static_cast<int>(std::floor(at.slice));
                    if (!n.contains(x, y, z) || !n.contains(x + 1, y + 1, z + 1)) continue;
                    double sum = 0;
                    for (int corner = 0; corner < 8; ++corner) {
                        const auto part = [&](double f, int i, int bit) { return corner >> bit & 1 ? f - i : 1 - (f - i); };
                        sum += part(at.column, x, 0) * part(at.row, y, 1) * part(at.slice, z, 2) * chest->volume.hu.at(x + (corner & 1), y + (corner >> 1 & 1), z + (corner >> 2 & 1));
                    }
                    out.hu.at(c, r, k) = static_cast<std::int16_t>(std::lround(sum));
                }
            }
        });
        return out;
    };
    const auto before = laid([](PatientPoint p) { return p; });
    const auto now = laid(from);
    const auto registration = register_scans({now}, {before});
    ASSERT_TRUE(registration.ok()) << registration.error().message;
    std::vector<double> off, identity;
    for (double z = 40; z < (n.slices - 1) * *g.slice_spacing_mm() - 40; z += 12) {
        for (double y = -100; y <= 60; y += 12) {
            for (double x = -120; x <= 120; x += 12) {  // the middle of the chest
                const PatientPoint p{middle.x + x, middle.y + y, g.slice_origin(0).z + z};
                off.push_back(distance(registration->to_moving(p), from(p)));
                identity.push_back(distance(p, from(p)));
            }
        }
    }
    EXPECT_LT(percentile(off, 0.5), 1.5);  // half a cell
    EXPECT_LT(percentile(off, 0.95), 6);   // two cells
    EXPECT_GT(percentile(identity, 0.5), 10);
}

}  // namespace
}  // namespace retromass::segmentation

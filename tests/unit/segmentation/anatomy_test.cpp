#include <gtest/gtest.h>

#include <cmath>

#include "segmentation/anatomy.h"

namespace retromass::segmentation {
namespace {

/// Slices of 3 mm on pixels of 2 mm, the same HU in all of them.
template <class Hu>
CtVolume scan(Dimensions n, PatientPoint origin, Hu hu_at)
{
    CtVolume out{VolumeGeometry::axial(n, 2, 2, 3, origin), Grid<std::int16_t>(n)};
    for (int k = 0; k < n.slices; ++k) {
        for (int j = 0; j < n.rows; ++j) {
            for (int i = 0; i < n.columns; ++i) out.hu.at(i, j, k) = static_cast<std::int16_t>(hu_at(out.geometry.to_patient(Index{i, j, k})));
        }
    }
    return out;
}

/// Whether the body holds a place, LPS mm, half way up.
bool in_body(const Anatomy& anatomy, double x, double y)
{
    const auto at = (1 / anatomy.grid.cell_mm) * (PatientPoint{x, y, 30} - anatomy.grid.origin);
    return anatomy.body.at(static_cast<int>(std::lround(at.x)), static_cast<int>(std::lround(at.y)), static_cast<int>(std::lround(at.z))) != 0;
}

TEST(Anatomy, KeepsTheThinWallOfAChestWithItsLungsAndLeavesTheTable)
{
    // An ellipse of 150 x 100 mm half axes, lungs within a wall of 24 mm that is 9 mm thin at the left side, a mediastinum 80 mm wide; a table plate of 4 mm touches the back.
    const auto ct = scan({180, 140, 20}, {-180, -130, 0}, [](PatientPoint p) {
        const bool patient = std::hypot(p.x / 150, p.y / 100) < 1, within = std::hypot(p.x / 126, p.y / 76) < 1 || (p.x > 0 && std::abs(p.y) < 25 && std::hypot(p.x / 141, p.y / 91) < 1);
        const bool table = p.y >= 100 && p.y < 104;
        return within && std::abs(p.x) > 40 ? -850 : patient ? 40 : table ? 100 : -1000;
    });
    const auto found = anatomy_of(ct, upright_grid(ct.geometry, 3), {}, 1);
    for (const double side : {-1.0, 1.0}) {
        EXPECT_TRUE(in_body(found, side * 145, 0));    // the wall
        EXPECT_TRUE(in_body(found, side * 100, 0));    // the lung
        EXPECT_TRUE(in_body(found, side * 110, 50));
        EXPECT_FALSE(in_body(found, side * 160, 0));
        EXPECT_FALSE(in_body(found, side * 60, 102));   // the plate, where the back has left it
        EXPECT_FALSE(in_body(found, side * 90, 102));
    }
    EXPECT_TRUE(in_body(found, 0, 0));
}

TEST(Anatomy, KeepsBothLegsAndNoTable)
{
    // Legs of 90 and 60 mm radius, 20 mm apart, above a plate 30 mm thick that touches neither; an arm of 35 mm beside them.
    const auto ct = scan({240, 140, 20}, {-240, -110, 0}, [](PatientPoint p) {
        const bool patient = std::hypot(p.x + 100, p.y) < 90 || std::hypot(p.x - 70, p.y - 20) < 60, arm = std::hypot(p.x - 185, p.y) < 35, table = p.y >= 110 && p.y < 140;
        return patient || arm ? 40 : table ? 100 : -1000;
    });
    const auto found = anatomy_of(ct, upright_grid(ct.geometry, 3), {}, 1);
    EXPECT_TRUE(in_body(found, -100, 0));
    EXPECT_TRUE(in_body(found, 70, 20));
    EXPECT_FALSE(in_body(found, 185, 0));
    for (const double x : {-200.0, -100.0, 0.0, 70.0, 200.0}) EXPECT_FALSE(in_body(found, x, 125)) << x;
}

}  // namespace
}  // namespace retromass::segmentation

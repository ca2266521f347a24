#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "tests/unit/segmentation/torso.h"
#include "viewer/view.h"

// Two scans of a trunk whose motion is known.

namespace retromass::viewer {
namespace {

using test::torso_mask;
using test::torso_scan;
using test::TorsoLesion;

const VolumeGeometry kBody = VolumeGeometry::axial({124, 90, 60}, 3, 3, 4, {-184.5, -130, 2});
const TorsoLesion kMass{{62, -10, 110}, {30, 28, 30}};
const PatientPoint kShift{14, -9, 12};   // of the couch

PatientPoint as_it_was(PatientPoint p) { return p; }
/// What a voxel of the later scan shows, and so where a place of it lies in the earlier one.
PatientPoint shifted(PatientPoint p) { return p + kShift; }

TimepointView scanned(const std::string& id, const std::function<PatientPoint(PatientPoint)>& from, std::uint64_t seed)
{
    TimepointView out;
    out.id = id;
    out.ct = std::make_shared<CtVolume>(torso_scan(kBody, kMass, from, 12, seed));
    LesionView lesion;
    lesion.lesion = "T1";
    lesion.mask = std::make_shared<Mask>(torso_mask(kBody, kMass, from));
    out.lesions.push_back(std::move(lesion));
    return out;
}

TEST(LinkScans, FollowsTheAnatomyFromOneScanToTheOther)
{
    Scene scene;
    scene.timepoints = {scanned("before", as_it_was, 1), scanned("after", shifted, 2)};
    auto link = link_scans(scene, 1, 0, 0);
    ASSERT_TRUE(link.ok()) << link.error().message;
    EXPECT_EQ(link->doubt, "");
    EXPECT_TRUE(link->doubts.empty()) << link->doubts.begin()->second;
    scene.links.push_back(*link);
    auto view = at_row(scene, first_view(scene).value(), {{}, 1, 0});
    view.beside = 0;
    for (const PatientPoint place : {PatientPoint{-62, 42, 130}, {62, 42, 140}, {8, 34, 120}, {-20, -10, 150}}) {  // kidneys, aorta, bowel
        const auto now = centred(scene, view, place);
        const auto then = beside(scene, now);
        EXPECT_LT(distance(then.cursor, shifted(now.cursor)), 3);    // the voxels are 3 x 3 x 4 mm
        EXPECT_GT(distance(now.cursor, shifted(now.cursor)), 20);    // what the position on the couch would be off
        EXPECT_LT(distance(linked(scene, now).back(then.cursor), now.cursor), 0.02);
    }
}

TEST(LinkScans, OfWhatShowsNothingInCommonIsADoubt)
{
    Scene scene;
    scene.timepoints = {scanned("before", as_it_was, 1), scanned("after", shifted, 2)};
    auto empty = std::make_shared<CtVolume>(CtVolume{kBody, Grid<std::int16_t>(kBody.size())});
    for (auto& hu : empty->hu.values()) hu = -1000;
    scene.timepoints[1].ct = empty;
    const auto link = link_scans(scene, 1, 0, 0);
    ASSERT_TRUE(link.ok());
    EXPECT_THAT(link->doubt, testing::HasSubstr("in common"));
    EXPECT_FALSE(link->to_there);
}

TEST(LinkScans, StopsWhenAsked)
{
    Scene scene;
    scene.timepoints = {scanned("before", as_it_was, 1), scanned("after", shifted, 2)};
    int asked = 0;
    const auto link = link_scans(scene, 1, 0, 0, [&](std::string_view, double) { return ++asked < 20; });
    ASSERT_FALSE(link.ok());
    EXPECT_EQ(link.error().code, Code::cancelled);
    EXPECT_EQ(asked, 20);
}

}  // namespace
}  // namespace retromass::viewer

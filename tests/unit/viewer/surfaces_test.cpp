#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "viewer/view.h"

// What of a lesion's surfaces can be said before anything is drawn: from where, how large, around which point.

namespace retromass::viewer {
namespace {

const VolumeGeometry kGeometry = VolumeGeometry::axial({60, 60, 30}, 1, 1, 2, {-10, 5, 100});

TimepointView ball(const std::string& id, double diameter_mm, PatientPoint centre)
{
    auto mask = std::make_shared<Mask>(kGeometry.size());
    for (int k = 0; k < 30; ++k) {
        for (int r = 0; r < 60; ++r) {
            for (int c = 0; c < 60; ++c) mask->at(c, r, k) = norm(kGeometry.to_patient(Index{c, r, k}) - centre) < diameter_mm / 2;
        }
    }
    TimepointView out;
    out.id = id;
    out.ct = std::make_shared<CtVolume>(CtVolume{kGeometry, Grid<std::int16_t>(kGeometry.size())});
    out.lesions = {LesionView{.lesion = "T2"}, LesionView{.lesion = "T1", .mask = std::move(mask)}};
    return out;
}

Scene scene_of(std::vector<TimepointView> timepoints)
{
    Scene scene;
    scene.timepoints = std::move(timepoints);
    return scene;
}

TEST(SurfaceFrames, HaveOneScaleAtWhichTheLargestFillsFourFifths)
{
    const auto frames = surface_frames(scene_of({ball("before", 40, {20, 35, 130}), ball("after", 20, {20, 35, 130})}), "T1");
    ASSERT_TRUE(frames[0] && frames[1]);
    EXPECT_EQ(frames[0]->mm_per_pixel, frames[1]->mm_per_pixel);
    EXPECT_NEAR(frames[0]->mm_per_pixel * 0.8 * kSurface_px, 40, 2);  // a voxel of 2 mm
}

TEST(SurfaceFrames, LookAtTheMiddleOfEachMaskFromTheRightFrontWithTheHeadUp)
{
    const PatientPoint here{20, 35, 130}, there{26, 30, 124};
    const auto frames = surface_frames(scene_of({ball("before", 30, here), ball("after", 20, there)}), "T1");
    ASSERT_TRUE(frames[0] && frames[1]);
    EXPECT_LT(distance(frames[0]->centre, here), 1);  // half a voxel
    EXPECT_LT(distance(frames[1]->centre, there), 1);
    const auto& frame = *frames[0];
    const auto towards = surface_towards_viewer();
    EXPECT_LT(towards.x, 0);  // the patient's right
    EXPECT_LT(towards.y, -0.8);  // the front
    EXPECT_GT(towards.z, 0);
    EXPECT_GT(frame.right.x, 0.8);  // the patient's left is on the right
    EXPECT_GT(frame.up.z, 0.8);
    for (const auto& [a, b] : {std::pair{frame.right, frame.up}, {frame.up, towards}, {towards, frame.right}}) EXPECT_NEAR(dot(a, b), 0, 1e-12);
    for (const auto& direction : {frame.right, frame.up, towards}) EXPECT_NEAR(norm(direction), 1, 1e-12);
}

TEST(SurfaceFrames, HaveTheLongestBarThatIsNotLongerThanTwoFifths)
{
    const auto bar = [](double diameter_mm) { return surface_frames(scene_of({ball("t", diameter_mm, {20, 35, 130})}), "T1")[0]->bar_mm; };
    EXPECT_EQ(bar(50), 20);  // a side is 62 mm
    EXPECT_EQ(bar(36), 10);  // 45 mm
    EXPECT_EQ(bar(16), 5);   // 20 mm
}

TEST(SurfaceFrames, AreNoneWhereTheLesionHasNoMaskOrTheTimePointNoCt)
{
    auto scene = scene_of({ball("before", 30, {20, 35, 130}), ball("after", 20, {20, 35, 130})});
    scene.timepoints[1].ct.reset();
    EXPECT_TRUE(surface_frames(scene, "T1")[0]);
    EXPECT_FALSE(surface_frames(scene, "T1")[1]);
    EXPECT_THAT(surface_frames(scene, "T2"), testing::Each(std::nullopt));
    EXPECT_THAT(surface_frames(scene, "T3"), testing::Each(std::nullopt));
}

}  // namespace
}  // namespace retromass::viewer

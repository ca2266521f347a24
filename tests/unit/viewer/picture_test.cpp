// What the window really draws, read back from the picture. Needs a display (CMakeLists.txt gives it a virtual one).

#include <gtest/gtest.h>
#include <vtkImageData.h>
#include <vtkNew.h>
#include <vtkPNGReader.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "viewer/view.h"

namespace retromass::viewer {
namespace {

constexpr PictureSize kSize{800, 600};
// The panes as panes.cpp lays them out: a band below (4.5 %), captions above (9 %), four panes between.
constexpr double kFoot = 0.045 * kSize.height;
constexpr double kHead = 0.91 * kSize.height;
constexpr double kMiddle = (kFoot + kHead) / 2;

struct Rgb {
    int red, green, blue;
};
constexpr Rgb kOutline{255, 200, 0};

/// Pixels counted from the lower left corner.
class Picture {
public:
    explicit Picture(const std::filesystem::path& file)
    {
        reader_->SetFileName(file.c_str());
        reader_->Update();
        image_ = reader_->GetOutput();
    }
    int width() const { return image_->GetDimensions()[0]; }
    int height() const { return image_->GetDimensions()[1]; }
    Rgb at(int x, int y) const
    {
        const auto* p = static_cast<const unsigned char*>(image_->GetScalarPointer(x, y, 0));
        return {p[0], p[1], p[2]};
    }
    struct Spot {
        int pixels = 0;
        double x = 0;  ///< mean
        double y = 0;
    };
    /// Pixels of a box that fulfil the condition.
    Spot spot(double x0, double y0, double x1, double y1, const std::function<bool(Rgb)>& wanted) const
    {
        Spot found;
        for (int y = static_cast<int>(y0); y < static_cast<int>(y1); ++y) {
            for (int x = static_cast<int>(x0); x < static_cast<int>(x1); ++x) {
                if (!wanted(at(x, y))) continue;
                ++found.pixels;
                found.x += x;
                found.y += y;
            }
        }
        if (found.pixels) {
            found.x /= found.pixels;
            found.y /= found.pixels;
        }
        return found;
    }
    /// The outline in the pane of the acquired slice (upper left).
    Spot axial_outline() const
    {
        return spot(0, kMiddle, kSize.width / 2.0, kHead, [](Rgb p) {
            return std::abs(p.red - kOutline.red) < 3 && std::abs(p.green - kOutline.green) < 3 && p.blue < 3;
        });
    }

private:
    vtkNew<vtkPNGReader> reader_;
    vtkImageData* image_ = nullptr;
};

/// A 60 x 40 x 60 mm box of 60 HU in a block of fat of 200 x 200 x 120 mm; `shift_mm` to the patient's left.
Scene box_scene(double shift_mm)
{
    const auto geometry = VolumeGeometry::axial({100, 100, 24}, 2, 2, 5);
    auto ct = std::make_shared<CtVolume>(CtVolume{geometry, Grid<std::int16_t>(geometry.size(), -100)});
    auto mask = std::make_shared<Mask>(geometry.size());
    const int first = 30 + static_cast<int>(shift_mm / 2);
    for (int k = 6; k < 18; ++k) {
        for (int r = 40; r < 60; ++r) {
            for (int c = first; c < first + 30; ++c) {
                mask->at(c, r, k) = 1;
                ct->hu.at(c, r, k) = 60;
            }
        }
    }
    LesionView lesion;
    lesion.lesion = "T1";
    lesion.mask = mask;
    TimepointView timepoint;
    timepoint.id = "t0";
    timepoint.ct = ct;
    timepoint.lesions = {lesion};
    Scene scene;
    scene.case_id = "BOX";
    scene.timepoints = {timepoint};
    return scene;
}

Scene without_mask(Scene scene)
{
    scene.timepoints[0].lesions[0].mask.reset();
    return scene;
}

class RenderScene : public testing::Test {
protected:
    Picture drawn(const Scene& scene, const View& view)
    {
        const auto file = folder_ / "picture.png";
        const auto status = render_scene(scene, view, file, kSize);
        EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message);
        return Picture(file);
    }
    Picture drawn(const Scene& scene) { return drawn(scene, first_view(scene).value()); }

    void SetUp() override { std::filesystem::create_directories(folder_); }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    std::filesystem::path folder_ =
        std::filesystem::temp_directory_path() /
        ("retromass-picture-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
};

TEST_F(RenderScene, HasTheSizeAskedFor)
{
    const auto picture = drawn(box_scene(0));
    EXPECT_EQ(picture.width(), kSize.width);
    EXPECT_EQ(picture.height(), kSize.height);
}

TEST_F(RenderScene, DrawsTheOutlineWhereTheMaskIsAndNoneWithoutMask)
{
    const auto with = drawn(box_scene(0)).axial_outline();
    EXPECT_EQ(drawn(without_mask(box_scene(0))).axial_outline().pixels, 0);
    // 2 (60 + 40) mm at pane height / 200 mm; a line of 1.5 pixels covers 1 to 2, and corners may be shared or doubled.
    const double pixels_per_mm = (kHead - kMiddle) / 200;
    const double length = 2 * (60 + 40) * pixels_per_mm;
    EXPECT_GT(with.pixels, 0.9 * length);
    EXPECT_LT(with.pixels, 2.2 * length);
}

TEST_F(RenderScene, DrawsAMaskThatLies20MmFartherLeft20MmFartherRightInThePicture)
{
    const auto here = drawn(box_scene(0)).axial_outline();
    auto scene = box_scene(20);
    const auto there = drawn(scene).axial_outline();
    // The patient's left is on the right. One pixel of the screen is the precision.
    EXPECT_NEAR(there.x - here.x, 20 * (kHead - kMiddle) / 200, 1.0);
    EXPECT_NEAR(there.y, here.y, 1.0);
}

TEST_F(RenderScene, DrawsTheCtInTheChosenWindow)
{
    const auto scene = box_scene(0);
    const auto view = first_view(scene).value();
    const auto pane_centre = [&](const View& shown) {
        return drawn(scene, shown).at(kSize.width / 4, static_cast<int>((kMiddle + kHead) / 2)).red;
    };
    // The centre of the pane is inside the box of 60 HU. One grey level is the precision of the picture.
    EXPECT_NEAR(pane_centre(with_preset(view, '1')), grey(60, {40, 400}), 1);
    EXPECT_NEAR(pane_centre(with_preset(view, '4')), grey(60, {400, 1800}), 1);
}

TEST_F(RenderScene, DrawsTheSurfaceOfTheMaskAndNothingWithoutMask)
{
    const auto lit = [](const Picture& picture) {
        // Below the pane's text; the surface is warm (red above blue), the background is not.
        return picture
            .spot(kSize.width / 2.0 + 2, kMiddle + 2, kSize.width, kHead - 30, [](Rgb p) { return p.red > p.blue + 30; })
            .pixels;
    };
    EXPECT_GT(lit(drawn(box_scene(0))), 5000);  // a tenth of the pane; the box fills more
    EXPECT_EQ(lit(drawn(without_mask(box_scene(0)))), 0);
}

TEST_F(RenderScene, HasTheBandWithTextInEveryPicture)
{
    const auto picture = drawn(without_mask(box_scene(0)));
    const auto white = picture.spot(0, 0, kSize.width, kFoot, [](Rgb p) { return p.red > 200 && p.green > 200 && p.blue > 200; });
    const auto red = picture.spot(0, 0, kSize.width, kFoot, [](Rgb p) { return p.red > 100 && p.green < 60; });
    EXPECT_GT(white.pixels, 500);  // 30 letters of some 20 pixels
    EXPECT_GT(red.pixels, 10000);
    EXPECT_NEAR(white.x, kSize.width / 2.0, 20);
}

TEST_F(RenderScene, IsTheSamePictureEachTime)
{
    const auto a = drawn(box_scene(0));
    const auto b = drawn(box_scene(0));
    int different = 0;
    for (int y = 0; y < a.height(); ++y) {
        for (int x = 0; x < a.width(); ++x) {
            const Rgb p = a.at(x, y);
            const Rgb q = b.at(x, y);
            different += p.red != q.red || p.green != q.green || p.blue != q.blue;
        }
    }
    EXPECT_EQ(different, 0);
}

TEST_F(RenderScene, FailsWhereThePictureCannotBeWritten)
{
    const auto scene = box_scene(0);
    const auto status = render_scene(scene, first_view(scene).value(), folder_ / "no" / "such" / "folder.png", kSize);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Code::io);
}

TEST_F(RenderScene, FailsWithoutADisplayInsteadOfEndingTheProgram)
{
    const std::string display = std::getenv("DISPLAY") ? std::getenv("DISPLAY") : "";
    setenv("DISPLAY", ":9999", 1);
    const auto scene = box_scene(0);
    const auto status = render_scene(scene, first_view(scene).value(), folder_ / "a.png", kSize);
    const auto window = show(scene, {});
    setenv("DISPLAY", display.c_str(), 1);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Code::no_display);
    ASSERT_FALSE(window.ok());
    EXPECT_EQ(window.error().code, Code::no_display);
}

}  // namespace
}  // namespace retromass::viewer

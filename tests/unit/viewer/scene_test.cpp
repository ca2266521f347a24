#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "viewer/view.h"

namespace retromass::viewer {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

const VolumeGeometry kGrid = VolumeGeometry::axial({10, 10, 10}, 1, 1, 5);

TimepointView timepoint(const std::string& id, PatientPoint lesion_at)
{
    TimepointView made;
    made.id = id;
    made.ct = std::make_shared<CtVolume>(CtVolume{kGrid, Grid<std::int16_t>(kGrid.size())});
    LesionView lesion;
    lesion.lesion = "T1";
    lesion.mask = std::make_shared<Mask>(kGrid.size());
    lesion.measurements.emplace();
    lesion.measurements->long_axis = {4, Length::parse("4.2").value(), lesion_at - PatientPoint{2, 0, 0},
                                      lesion_at + PatientPoint{2, 0, 0}, 0};
    made.lesions.push_back(lesion);
    return made;
}

Scene two_timepoints_and_one_without_images()
{
    Scene scene;
    scene.case_id = "RPS-001";
    scene.timepoints = {timepoint("before", {4, 4, 10}), TimepointView{}, timepoint("after", {6, 3, 25})};
    scene.timepoints[1].id = "elsewhere";
    return scene;
}

TEST(FirstView, LooksAtTheMiddleOfTheLongAxis)
{
    const auto view = first_view(two_timepoints_and_one_without_images());
    ASSERT_TRUE(view.ok());
    EXPECT_EQ(view->cursor, (PatientPoint{4, 4, 10}));
    EXPECT_EQ(view->window, (Window{40, 400}));
}

TEST(FirstView, FailsWithoutAnyCt)
{
    Scene scene;
    scene.timepoints.emplace_back();
    const auto view = first_view(scene);
    ASSERT_FALSE(view.ok());
    EXPECT_EQ(view.error().code, Code::no_series);
}

TEST(FirstView, RefusesAMaskOnAnotherGrid)
{
    auto scene = two_timepoints_and_one_without_images();
    scene.timepoints[2].lesions[0].mask = std::make_shared<Mask>(Dimensions{9, 10, 10});
    const auto view = first_view(scene);
    ASSERT_FALSE(view.ok());
    EXPECT_EQ(view.error().code, Code::mask_grid);
    EXPECT_THAT(view.error().message, HasSubstr("T1 at after"));
}

TEST(FirstView, LooksAtTheMaskWhereNothingIsMeasured)
{
    auto scene = two_timepoints_and_one_without_images();
    auto mask = std::make_shared<Mask>(kGrid.size());
    mask->at(2, 3, 4) = 1;
    mask->at(4, 3, 6) = 1;
    scene.timepoints[0].lesions[0].mask = mask;
    scene.timepoints[0].lesions[0].measurements.reset();
    EXPECT_EQ(first_view(scene)->cursor, (PatientPoint{3, 3, 25}));  // voxel (3, 3, 5)
}

TEST(OtherTimepoint, PassesOverTheOneWithoutImagesAndStopsAtTheEnds)
{
    const auto scene = two_timepoints_and_one_without_images();
    const auto first = first_view(scene).value();
    const auto next = other_timepoint(scene, first, 1);
    EXPECT_EQ(next.timepoint, 2u);
    EXPECT_EQ(next.cursor, (PatientPoint{6, 3, 25}));
    EXPECT_EQ(other_timepoint(scene, next, 1).timepoint, 2u);
    EXPECT_EQ(other_timepoint(scene, next, -5).timepoint, 0u);
}

TEST(OtherTimepoint, KeepsTheLesionAndTheWindow)
{
    auto scene = two_timepoints_and_one_without_images();
    scene.timepoints[2].lesions.insert(scene.timepoints[2].lesions.begin(), LesionView{.lesion = "T0"});
    const auto first = with_preset(first_view(scene).value(), '3');
    const auto next = other_timepoint(scene, first, 1);
    EXPECT_EQ(lesion_of(scene, next)->lesion, "T1");
    EXPECT_EQ(next.window, (Window{-600, 1500}));
}

TEST(Moved, GoesVoxelByVoxelAndStopsAtTheEdgeOfTheVolume)
{
    const auto scene = two_timepoints_and_one_without_images();
    const auto view = first_view(scene).value();
    EXPECT_EQ(moved(scene, view, Plane::axial, 1).cursor, (PatientPoint{4, 4, 15}));
    EXPECT_EQ(moved(scene, view, Plane::coronal, -1).cursor, (PatientPoint{4, 3, 10}));
    EXPECT_EQ(moved(scene, view, Plane::sagittal, 2).cursor, (PatientPoint{6, 4, 10}));
    EXPECT_EQ(moved(scene, view, Plane::axial, 100).cursor, (PatientPoint{4, 4, 45}));
    EXPECT_EQ(moved(scene, view, Plane::axial, -100).cursor, (PatientPoint{4, 4, 0}));
}

TEST(Centred, StaysInsideTheVolume)
{
    const auto scene = two_timepoints_and_one_without_images();
    const auto view = centred(scene, first_view(scene).value(), {100, -100, 20});
    EXPECT_EQ(view.cursor, (PatientPoint{9, 0, 20}));
}

TEST(Window, IsChosenByKeyAndUnknownKeysChangeNothing)
{
    const View view{.window = {1, 2}};
    EXPECT_EQ(with_preset(view, '4').window, (Window{400, 1800}));
    EXPECT_EQ(with_preset(view, 'x').window, (Window{1, 2}));
}

TEST(Window, NeverGetsNarrowerThanOneHu)
{
    EXPECT_EQ(dragged_window(View{}, -10000, 0).window.width_hu, 1);
    EXPECT_EQ(dragged_window(View{}, 10, 5).window, (Window{35, 420}));
}

TEST(Band, SaysUnreviewedUntilSomebodyReviewed)
{
    auto scene = two_timepoints_and_one_without_images();
    const auto view = first_view(scene).value();
    EXPECT_EQ(band(scene, view), "UNREVIEWED - RESEARCH USE ONLY");
    scene.timepoints[0].lesions[0].review_state = "accepted";
    scene.timepoints[0].lesions[0].reader = "R1";
    scene.synthetic = true;
    EXPECT_EQ(band(scene, view), "ACCEPTED BY R1 - RESEARCH USE ONLY - SYNTHETIC");
}

TEST(Pressed, DoesWhatTheTableOfKeysSays)
{
    const auto scene = two_timepoints_and_one_without_images();
    const auto view = first_view(scene).value();
    const auto after = [&](const char* key) { return pressed(scene, view, key); };
    EXPECT_EQ(after("Right").view.timepoint, 2u);
    EXPECT_EQ(after("Left").view.timepoint, 0u);
    EXPECT_EQ(after("Up").view.cursor.z, 15);
    EXPECT_EQ(after("Down").view.cursor.z, 5);
    EXPECT_EQ(after("plus").view.zoom, 1.25);
    EXPECT_EQ(after("minus").view.zoom, 1);  // 1 shows the whole plane already
    EXPECT_EQ(after("3").view.window, (Window{-600, 1500}));
    EXPECT_EQ(after("a").decision, Decision::accept);
    EXPECT_EQ(after("x").decision, Decision::reject);
    EXPECT_TRUE(after("q").close);
}

TEST(Pressed, DecidesAndClosesOnNoOtherKey)
{
    const auto scene = two_timepoints_and_one_without_images();
    const auto view = first_view(scene).value();
    for (const char* key : {"", "A", "X", "Q", "Return", "Escape", "space", "Delete", "1", "Right", "y"}) {
        const auto asked = pressed(scene, view, key);
        EXPECT_FALSE(asked.decision.has_value()) << key;
        EXPECT_FALSE(asked.close) << key;
    }
}

TEST(Reviewed, ChangesOneLesionAtOneTimePointAlone)
{
    const auto scene = two_timepoints_and_one_without_images();
    const auto after = reviewed(scene, first_view(scene).value(), Decision::reject, "R2");
    EXPECT_EQ(after.timepoints[0].lesions[0].review_state, "rejected");
    EXPECT_EQ(after.timepoints[0].lesions[0].reader, "R2");
    EXPECT_EQ(after.timepoints[2].lesions[0].review_state, "unreviewed");
}

TEST(Beside, IsTheBaselineLinkedByTheLesionsCentre)
{
    const auto scene = two_timepoints_and_one_without_images();
    auto view = other_timepoint(scene, first_view(scene).value(), 1);  // at (6, 3, 25)
    view = pressed(scene, view, "s").view;
    ASSERT_EQ(view.beside, 0u);
    auto third = scene;  // the baseline of a later line of treatment
    third.timepoints.push_back(timepoint("later", {5, 5, 15}));
    third.timepoints.back().baseline = "after";
    EXPECT_EQ(pressed(third, other_timepoint(third, first_view(third).value(), 2), "s").view.beside, 2u);
    EXPECT_EQ(beside(scene, view).cursor, (PatientPoint{4, 4, 10}));
    EXPECT_EQ(beside(scene, view).timepoint, 0u);
    view = centred(scene, view, {7, 3, 20});  // 1 mm to the left and a slice down: so there
    EXPECT_EQ(beside(scene, view).cursor, (PatientPoint{5, 4, 5}));
    EXPECT_THAT(link_caption(scene, view), HasSubstr("linked by the lesion's centre"));
    EXPECT_FALSE(pressed(scene, view, "s").view.beside.has_value());
}

TEST(Beside, IsLinkedByPositionWhereTheLesionHasNoPlaceAndSaysSo)
{
    auto scene = two_timepoints_and_one_without_images();
    scene.timepoints[0].lesions[0].measurements.reset();
    scene.timepoints[0].lesions[0].mask.reset();
    auto view = other_timepoint(scene, first_view(scene).value(), 1);
    view.beside = 0;
    EXPECT_EQ(beside(scene, view).cursor, view.cursor);
    EXPECT_THAT(link_caption(scene, view), HasSubstr("by position"));
}

/// `before` and `after` with a link made from the later one: half a millimetre a millimetre along x, two slices on along z.
Scene with_a_link()
{
    auto scene = two_timepoints_and_one_without_images();
    ScanLink link;
    link.here = 2;
    link.there = 0;
    link.to_there = [](PatientPoint p) { return PatientPoint{p.x / 2, p.y, p.z + 10}; };
    link.to_here = [](PatientPoint p) { return PatientPoint{p.x * 2, p.y, p.z - 10}; };
    scene.links.push_back(link);
    return scene;
}

TEST(Beside, FollowsTheRegistrationBothWays)
{
    const auto scene = with_a_link();
    auto later = other_timepoint(scene, first_view(scene).value(), 1);  // at (6, 3, 25)
    later.beside = 0;
    EXPECT_EQ(beside(scene, later).cursor, (PatientPoint{3, 3, 35}));  // not the lesion's centre there, (4, 4, 10)
    EXPECT_EQ(linked(scene, later).back({3, 3, 35}), later.cursor);
    EXPECT_EQ(link_caption(scene, later), "before, linked through the registration");

    auto earlier = first_view(scene).value();  // at (4, 4, 10)
    earlier.beside = 2;
    EXPECT_EQ(beside(scene, earlier).cursor, (PatientPoint{8, 4, 0}));
    EXPECT_EQ(linked(scene, earlier).back({8, 4, 0}), earlier.cursor);
}

TEST(Beside, IsNotLinkedThroughARegistrationThatIsInDoubtAroundTheLesionAndSaysWhy)
{
    auto scene = with_a_link();
    auto view = other_timepoint(scene, first_view(scene).value(), 1);
    view.beside = 0;
    scene.links[0].doubts["T2"] = "its surroundings are not alike";  // another lesion's
    EXPECT_THAT(link_caption(scene, view), HasSubstr("through the registration"));
    EXPECT_THAT(captions(scene, view), Not(Contains(HasSubstr("not alike"))));
    scene.links[0].doubts["T1"] = "its surroundings are not alike";
    EXPECT_EQ(beside(scene, view).cursor, (PatientPoint{4, 4, 10}));
    EXPECT_THAT(link_caption(scene, view), HasSubstr("linked by the lesion's centre"));
    EXPECT_THAT(captions(scene, view), Contains(HasSubstr("not through the registration: its surroundings are not alike")));

    scene.links[0] = {};
    scene.links[0].here = 2;
    scene.links[0].doubt = "the scans show too little in common";
    EXPECT_EQ(beside(scene, view).cursor, (PatientPoint{4, 4, 10}));
    EXPECT_THAT(captions(scene, view), Contains(HasSubstr("too little in common")));
}

TEST(Beside, IsLinkedByTheLesionsCentreWhereTheReaderAsksForIt)
{
    const auto scene = with_a_link();
    auto view = other_timepoint(scene, first_view(scene).value(), 1);
    view.beside = 0;
    view = pressed(scene, view, "j").view;
    EXPECT_EQ(beside(scene, view).cursor, (PatientPoint{4, 4, 10}));
    EXPECT_EQ(link_caption(scene, view), "before, linked by the lesion's centre (j: through the registration)");
    view = pressed(scene, view, "j").view;
    EXPECT_EQ(beside(scene, view).cursor, (PatientPoint{3, 3, 35}));
}

TEST(Beside, SaysThatAPlaceLiesBeyondTheOtherScan)
{
    const auto scene = with_a_link();
    auto view = other_timepoint(scene, first_view(scene).value(), 1);
    view.beside = 0;
    const auto top = centred(scene, view, {6, 3, 45});  // 55 there, 10 mm above the last slice, whose face is at 47.5
    EXPECT_EQ(beside(scene, top).cursor, (PatientPoint{3, 3, 45}));
    EXPECT_EQ(link_caption(scene, top), "before, linked through the registration; beyond this scan");
    EXPECT_EQ(link_caption(scene, centred(scene, view, {6, 3, 38})), "before, linked through the registration");
}

// What the edge of the scan cuts was measured as far as it goes (definitions 2.9).
TEST(Table, SaysWhatIsALowerBound)
{
    auto scene = two_timepoints_and_one_without_images();
    auto& lesion = scene.timepoints[2].lesions[0];
    const auto rows_with = [&](const std::string& words) {
        int count = 0;
        for (const auto& row : table(scene, first_view(scene).value())) count += row.text.find(words) != std::string::npos;
        return count;
    };
    EXPECT_EQ(rows_with(">= "), 0);
    lesion.measurements->notices.push_back({Code::truncated, "cut by the first slice"});
    EXPECT_EQ(rows_with(">= "), 2) << "axes and volume of that lesion";
    auto view = first_view(scene).value();
    while (view.timepoint != 2) view = other_timepoint(scene, view, 1);
    EXPECT_THAT(captions(scene, view), Contains(HasSubstr(">= 4.2 x ")));
}

TEST(Table, HasARowForEachTimePointAndLesionWithFiguresAndResponse)
{
    auto scene = two_timepoints_and_one_without_images();
    scene.criterion = "RECIST 1.1";
    scene.timepoints[2].response = "PR -40.0 %";
    scene.timepoints[2].lesions[0].review_state = "accepted";
    scene.timepoints[2].lesions[0].reader = "R1";
    const auto view = first_view(scene).value();
    std::vector<std::string> texts;
    for (const auto& row : table(scene, view)) {
        texts.push_back(row.text);
        EXPECT_EQ(row.looked_at, row.timepoint == 0) << row.text;
    }
    EXPECT_THAT(texts, Contains("  RECIST 1.1: PR -40.0 %"));
    EXPECT_THAT(texts, Contains(HasSubstr("4.2 x ")));
    EXPECT_THAT(texts, Contains(HasSubstr("accepted R1")));
    EXPECT_THAT(texts, Contains("elsewhere  no images"));
    EXPECT_EQ(at_row(scene, view, {{}, 1, {}}).timepoint, 0u);  // there is nothing to look at
    EXPECT_EQ(at_row(scene, view, {{}, 2, 0}).cursor, (PatientPoint{6, 3, 25}));
}

TEST(Panned, MovesThePictureAndNotTheCursorUntilAnotherLesionIsShown)
{
    const auto scene = two_timepoints_and_one_without_images();
    const auto view = panned(first_view(scene).value(), {2, 0, 1});
    EXPECT_EQ(view.cursor, first_view(scene)->cursor);
    EXPECT_EQ(view.pan, (PatientPoint{2, 0, 1}));
    EXPECT_EQ(pressed(scene, view, "0").view.pan, PatientPoint{});
    EXPECT_EQ(other_timepoint(scene, view, 1).pan, PatientPoint{});
}

TEST(Outline, FadesToHalfAndToNothing)
{
    const auto scene = two_timepoints_and_one_without_images();
    auto view = first_view(scene).value();
    for (const double opacity : {0.5, 0.0, 1.0}) {
        view = pressed(scene, view, "o").view;
        EXPECT_EQ(view.outline_opacity, opacity);
    }
}

TEST(Captions, ShowTheRecordedValuesAndEveryNotice)
{
    auto scene = two_timepoints_and_one_without_images();
    scene.timepoints[0].lesions[0].notices.push_back({Code::truncated, "cut by the first slice"});
    const auto lines = captions(scene, first_view(scene).value());
    EXPECT_THAT(lines, Contains(HasSubstr("4.2 x ")));
    EXPECT_THAT(lines, Contains("truncated: cut by the first slice"));
}

TEST(Captions, OfALesionWithoutMeasurementGiveTheReasonAndNoNumber)
{
    auto scene = two_timepoints_and_one_without_images();
    scene.timepoints[0].lesions[0].measurements.reset();
    scene.timepoints[0].lesions[0].reason = "registration lost";
    const auto lines = captions(scene, first_view(scene).value());
    EXPECT_THAT(lines, Contains("T1   not evaluable: registration lost"));
    for (const auto& line : lines) EXPECT_THAT(line, testing::Not(HasSubstr(" mm")));
}

}  // namespace
}  // namespace retromass::viewer

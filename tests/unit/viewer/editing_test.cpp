// What a reader changes on a mask in the window, without a window.
#include <algorithm>

#include "tests/unit/viewer/a_session.h"

namespace retromass::viewer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A session on a lesion that has a mask, with a ball already added to it.
class AnEditingSession : public ASession {
protected:
    void SetUp() override
    {
        auto scene = two_timepoints();
        auto& lesion = scene.timepoints[0].lesions[0];
        lesion.mask = std::make_shared<Mask>(kGrid.size());
        lesion.edits.edits = {{Kind::add_sphere, {{10, 10, 50}}, 3}};
        session_ = std::make_unique<Session>(scene, first_view(scene).value(), desk_.callbacks());
    }
    /// The names of the steps that were last asked for.
    std::string asked() const
    {
        std::string out;
        for (const auto& edit : desk_.asked.back().edits.value().edits) out += "+-OXFS.u"[static_cast<std::size_t>(edit.kind)];
        return out;
    }
    void click(PatientPoint at, Plane plane = Plane::axial) { drag(plane, at, at); }

    using Kind = segmentation::Edit::Kind;
};

TEST_F(AnEditingSession, PaintsBallsHalfARadiusApart)
{
    session().key("d");
    drag(Plane::axial, {40, 50, 50}, {50, 50, 50});
    wait();
    ASSERT_EQ(desk_.asked.size(), 1u);
    const auto& edits = desk_.asked[0].edits.value().edits;
    ASSERT_EQ(edits.size(), 6u);  // the one that was there, then 40 42.5 45 47.5 50: 5 mm is the radius it begins with
    for (std::size_t i = 1; i < 6; ++i) {
        EXPECT_EQ(edits[i].kind, Kind::add_sphere);
        EXPECT_EQ(edits[i].points[0], (PatientPoint{40 + 2.5 * (i - 1.0), 50, 50}));
        EXPECT_EQ(edits[i].mm, 5);
    }
    session().key("Return");
    ASSERT_EQ(desk_.taken.size(), 1u);
    EXPECT_EQ(desk_.taken[0].edits.value().edits.size(), 6u);
    EXPECT_EQ(lesion(0).edits.edits.size(), 6u);
    EXPECT_EQ(lesion(0).review_state, "edited");
}

TEST_F(AnEditingSession, UndoesAndDoesAgainStrokeByStroke)
{
    session().key("r");
    drag(Plane::coronal, {40, 50, 50}, {45, 50, 50});  // three balls are one stroke
    session().key("bracketright");
    click({60, 50, 50});
    wait();
    EXPECT_EQ(asked(), "+----");
    EXPECT_EQ(desk_.asked.back().edits->edits.back().mm, 6.25);  // a quarter more
    session().key("u");
    wait();
    EXPECT_EQ(asked(), "+---");
    session().key("y");
    wait();
    EXPECT_EQ(asked(), "+----");
    session().key("u");
    session().key("u");
    wait();
    EXPECT_FALSE(session().scene().proposed);  // all is as it began
    session().key("y");
    session().key("d");
    click({20, 20, 50});
    wait();
    EXPECT_EQ(asked(), "+---+");
    session().key("y");  // what was taken back is gone once something else was drawn
    EXPECT_THAT(session().scene().message, HasSubstr("nothing"));
}

TEST_F(AnEditingSession, TakesAWrittenStepBackByAFurtherOneAndCutsNoLog)
{
    session().key("u");
    wait();
    EXPECT_EQ(asked(), "+u");
    session().key("u");
    EXPECT_THAT(session().scene().message, HasSubstr("nothing"));  // no step stands
    session().key("y");
    wait();
    EXPECT_FALSE(session().scene().proposed);
    session().key("u");
    wait();
    session().key("Return");
    ASSERT_EQ(desk_.taken.size(), 1u);
    EXPECT_EQ(desk_.taken[0].edits->edits.back().kind, Kind::undo);
}

TEST_F(AnEditingSession, ChangesContoursFillsSmoothsAndKeeps)
{
    session().key("k");
    session().press(Plane::axial, {40, 40, 50});
    for (const PatientPoint p : {PatientPoint{60, 40, 50}, {60, 60, 50}, {40, 60, 50}}) session().drag(p);
    session().release();
    session().key("i");
    drag(Plane::sagittal, {40, 50, 50}, {40, 60, 50});
    EXPECT_THAT(session().scene().message, HasSubstr("acquired slice"));
    session().key("f");
    click({40, 50, 60}, Plane::coronal);
    session().key("Return");
    EXPECT_TRUE(desk_.taken.empty());  // one slice is none
    click({40, 50, 30}, Plane::coronal);
    session().key("m");
    session().key("v");
    click({50, 50, 50});
    wait();
    EXPECT_EQ(asked(), "+XFS.");
    const auto& edits = desk_.asked.back().edits->edits;
    EXPECT_EQ(edits[1].points.size(), 4u);
    EXPECT_THAT(edits[2].points, ElementsAre(PatientPoint{40, 50, 60}, PatientPoint{40, 50, 30}));
    EXPECT_EQ(edits[3].mm, 1.5);
}

TEST_F(AnEditingSession, DoesNotMixPromptAndEdits)
{
    session().key("d");
    click({40, 50, 50});
    session().key("l");
    EXPECT_THAT(session().scene().message, HasSubstr("Return"));
    click({45, 50, 50});
    wait();
    EXPECT_EQ(asked(), "+++");
    session().key("Escape");
    session().key("l");
    drag(Plane::axial, {20, 50, 50}, {60, 50, 50});
    wait();
    EXPECT_FALSE(desk_.asked.back().edits.has_value());
    session().key("Return");
    EXPECT_TRUE(lesion(0).edits.edits.empty());  // a new prompt makes a mask that nobody has changed
}

TEST_F(AnEditingSession, ShowsAStrokeUntilTheMaskHoldsIt)
{
    session().key("d");
    session().press(Plane::axial, {40, 50, 50});
    EXPECT_EQ(lesion(0).strokes.size(), 1u);
    session().release();
    EXPECT_EQ(lesion(0).strokes.size(), 1u);
    wait();
    EXPECT_TRUE(lesion(0).strokes.empty());
}

TEST_F(AnEditingSession, StaysInsideTheVolume)
{
    session().key("d");
    drag(Plane::axial, {95, 50, 50}, {130, 50, 50});  // it ends at 99.5 mm
    wait();
    EXPECT_EQ(asked(), "++");
}

TEST_F(ASession, HasNoMaskToEditBeforeThereIsOne)
{
    session().key("d");
    EXPECT_THAT(session().scene().message, HasSubstr("prompt"));
    session().press(Plane::axial, {40, 50, 50});
    EXPECT_EQ(session().view().cursor, (PatientPoint{40, 50, 50}));  // the button still moves the cursor
    session().release();
    EXPECT_FALSE(session().working());
}

TEST(EditLines, AreTheCircleThatThePlaneCutsOutOfABall)
{
    const std::vector<segmentation::Edit> ball{{segmentation::Edit::Kind::add_sphere, {{50, 40, 50}}, 5}};
    const auto reach = [&](Plane plane, PatientPoint cursor) {
        double mm = 0;
        const auto frame = plane_frame(kGrid, plane, cursor);
        for (const auto& line : edit_lines(ball, kGrid, frame)) mm = std::max(mm, distance(frame.to_patient(line.x1, line.y1), {50, 40, 50}));
        return mm;
    };
    EXPECT_NEAR(reach(Plane::axial, {0, 0, 50}), 5, 1e-9);
    EXPECT_NEAR(reach(Plane::sagittal, {53, 0, 50}), 5, 1e-9);  // seen 3 mm from its centre: 4 mm wide, 5 mm from the centre
    EXPECT_EQ(reach(Plane::axial, {0, 0, 55}), 0);              // it only touches this slice
}

}  // namespace
}  // namespace retromass::viewer

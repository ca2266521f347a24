// What keys and mouse do, without a window.
#include <algorithm>
#include <thread>

#include "tests/unit/viewer/a_session.h"

namespace retromass::viewer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(ASession, ShowsMaskFiguresAndResponseOfALineThatIsDrawnAndTakesThemOnReturn)
{
    session().key("l");
    drag(Plane::axial, {20, 50, 50}, {60, 50, 50});
    wait();
    ASSERT_EQ(desk_.asked.size(), 1u);
    EXPECT_EQ(desk_.asked[0].prompt.lines[0].a, (PatientPoint{20, 50, 50}));
    EXPECT_EQ(desk_.asked[0].prompt.lines[0].b, (PatientPoint{60, 50, 50}));
    EXPECT_TRUE(session().scene().proposed);
    EXPECT_TRUE(lesion(0).measurements.has_value());
    EXPECT_EQ(session().scene().timepoints[1].response, "PR -40.0 %");
    EXPECT_EQ(session().scene().timepoints[1].lesions[0].review_state, "unreviewed");
    EXPECT_TRUE(desk_.taken.empty());

    session().key("Return");
    ASSERT_EQ(desk_.taken.size(), 1u);
    EXPECT_EQ(desk_.taken[0].prompt.lines[0].b, (PatientPoint{60, 50, 50}));
    EXPECT_FALSE(session().scene().proposed);
    EXPECT_EQ(lesion(0).review_state, "edited");
    EXPECT_EQ(lesion(0).reader, "R1");
    EXPECT_EQ(lesion(0, 1).review_state, "unreviewed");
    EXPECT_EQ(session().scene().timepoints[1].response, "PR -40.0 %");
    EXPECT_EQ(session().scene().message, "written");
    EXPECT_EQ(session().decisions(), 1);
}

TEST_F(ASession, LeavesTheCaseAsItWasOnEscape)
{
    session().key("l");
    drag(Plane::axial, {20, 50, 50}, {60, 50, 50});
    wait();
    session().key("Escape");
    EXPECT_FALSE(lesion(0).measurements.has_value());
    EXPECT_TRUE(lesion(0).prompt.lines.empty());
    EXPECT_EQ(session().scene().timepoints[1].response, "SD -5.0 %");
    session().key("Return");
    EXPECT_TRUE(desk_.taken.empty());
}

TEST_F(ASession, IsNeverHeldUpByAMaskAndShowsOnlyTheLastOneAskedFor)
{
    desk_.held = true;  // the first mask takes its time
    session().key("l");
    drag(Plane::axial, {20, 50, 50}, {60, 50, 50});
    drag(Plane::axial, {40, 40, 50}, {40, 60, 50});
    EXPECT_TRUE(session().working());
    session().wheel(Plane::axial, 1);
    EXPECT_EQ(session().view().cursor.z, 55);  // volume centre: slice 10 of 20
    session().key("Return");
    EXPECT_TRUE(desk_.taken.empty());  // nothing to take yet
    desk_.held = false;
    wait();
    ASSERT_EQ(desk_.asked.size(), 1u);  // the first was stopped
    EXPECT_EQ(desk_.asked[0].prompt.lines.size(), 2u);
    session().key("Return");
    EXPECT_EQ(desk_.taken[0].prompt.lines.size(), 2u);
}

TEST_F(ASession, SaysWhyThereIsNoMaskAndTakesNothing)
{
    desk_.refuses = "90 % of the prompt lies in air";
    session().key("p");
    drag(Plane::coronal, {20, 50, 50}, {20, 50, 50});
    wait();
    EXPECT_EQ(session().scene().message, "90 % of the prompt lies in air");
    session().key("Return");
    EXPECT_TRUE(desk_.taken.empty());
}

TEST_F(ASession, OfNobodyChangesNothing)
{
    reader_.clear();
    session().key("l");
    drag(Plane::axial, {20, 50, 50}, {60, 50, 50});
    wait();
    EXPECT_TRUE(lesion(0).measurements.has_value());  // may be looked at
    session().key("Return");
    EXPECT_TRUE(desk_.taken.empty());
    EXPECT_THAT(session().scene().message, HasSubstr("--reader"));
}

TEST_F(ASession, TakesTheLastStrokeBack)
{
    session().key("l");
    drag(Plane::axial, {20, 50, 50}, {60, 50, 50});
    drag(Plane::axial, {40, 40, 50}, {40, 60, 50});
    wait();
    session().key("BackSpace");
    wait();
    EXPECT_EQ(desk_.asked.back().prompt.lines.size(), 1u);
    session().key("BackSpace");
    wait();
    EXPECT_TRUE(lesion(0).prompt.lines.empty());
    EXPECT_FALSE(session().scene().proposed);
}

TEST_F(ASession, AddsTopAndBottomToTheLineThatIsThere)
{
    auto scene = two_timepoints();
    scene.timepoints[0].lesions[0].prompt.lines = {{{20, 50, 50}, {60, 50, 50}}};
    session_ = std::make_unique<Session>(scene, first_view(scene).value(), desk_.callbacks());
    session().key("e");
    drag(Plane::coronal, {40, 50, 80}, {40, 50, 80});
    EXPECT_FALSE(session().working());  // one end is none
    drag(Plane::coronal, {41, 50, 20}, {41, 50, 20});
    wait();
    ASSERT_EQ(desk_.asked.size(), 1u);
    EXPECT_EQ(desk_.asked[0].prompt.lines.size(), 1u);
    EXPECT_THAT(desk_.asked[0].prompt.extent.value(), ElementsAre(PatientPoint{40, 50, 80}, PatientPoint{41, 50, 20}));
}

TEST_F(ASession, DrawsABoxInTwoPlanes)
{
    session().key("b");
    drag(Plane::axial, {20, 30, 50}, {60, 70, 50});
    EXPECT_FALSE(session().working());  // it has no depth yet
    drag(Plane::sagittal, {40, 35, 80}, {40, 60, 20});
    wait();
    ASSERT_EQ(desk_.asked.size(), 1u);
    EXPECT_THAT(desk_.asked[0].prompt.box.value(), ElementsAre(PatientPoint{20, 30, 80}, PatientPoint{60, 70, 20}));
}

TEST_F(ASession, DrawsOneContourASlice)
{
    session().key("c");
    const auto round = [&](double z, double half) {
        session().press(Plane::axial, {50 - half, 50 - half, z});
        for (const PatientPoint p : {PatientPoint{50 + half, 50 - half, z}, {50 + half, 50 + half, z}, {50 - half, 50 + half, z}}) session().drag(p);
        session().release();
    };
    round(50, 10);
    round(60, 8);
    round(50, 12);
    wait();
    const auto& contours = desk_.asked.back().prompt.contours;
    ASSERT_EQ(contours.size(), 2u);
    EXPECT_EQ(contours[0].front().z, 60);
    EXPECT_EQ(contours[1].front().x, 38);
}

TEST_F(ASession, DrawsLinesOnTheAcquiredSliceAlone)
{
    session().key("l");
    drag(Plane::coronal, {20, 50, 50}, {60, 50, 50});
    EXPECT_FALSE(session().working());
    EXPECT_THAT(session().scene().message, HasSubstr("acquired slice"));
}

TEST_F(ASession, NeitherLosesNorMixesUpADrawingOnTheWayToAnotherTimePoint)
{
    session().key("l");
    drag(Plane::axial, {20, 50, 50}, {60, 50, 50});
    wait();
    session().key("Right");
    EXPECT_EQ(session().view().timepoint, 0u);
    EXPECT_THAT(session().scene().message, HasSubstr("Return"));
    session().key("a");
    EXPECT_EQ(lesion(0).review_state, "unreviewed");
    session().key("Escape");
    session().key("Right");
    EXPECT_EQ(session().view().timepoint, 1u);
}

TEST_F(ASession, RoundsWhatIsDrawnToWhatAFileHolds)
{
    session().key("l");
    drag(Plane::axial, {20.00049, 50.12351, 50}, {60.9999999, 50, 50});
    wait();
    EXPECT_EQ(desk_.asked[0].prompt.lines[0].a, (PatientPoint{20.0, 50.124, 50}));
    EXPECT_EQ(desk_.asked[0].prompt.lines[0].b, (PatientPoint{61, 50, 50}));
}

TEST_F(ASession, SignsOnceAndAsksWhyBeforeItSignsAgain)
{
    auto callbacks = desk_.callbacks();
    std::vector<std::string> reasons;
    callbacks.sign = [&](std::size_t timepoint, const std::string& reason) -> Result<std::string> {
        EXPECT_EQ(timepoint, 0u);
        reasons.push_back(reason);
        return std::string("R1, radiologist, now");
    };
    session_ = std::make_unique<Session>(two_timepoints(), first_view(two_timepoints()).value(), callbacks);
    session().key("g", 'g');
    EXPECT_EQ(session().scene().timepoints[0].signature, "R1, radiologist, now");
    EXPECT_THAT(reasons, ElementsAre(""));

    session().key("g", 'g');
    EXPECT_EQ(reasons.size(), 1u);  // not before there is a reason
    for (const char c : std::string("qx")) session().key(std::string(1, c), c);  // letters now, not keys
    session().key("BackSpace");
    session().key("Return");
    EXPECT_THAT(reasons, ElementsAre("", "q"));
    EXPECT_FALSE(session().closed());
    session().key("g", 'g');
    session().key("Escape");
    session().key("Return");
    EXPECT_EQ(reasons.size(), 2u);
}

TEST_F(ASession, AsksWhyBeforeItChangesWhatWasSigned)
{
    auto scene = two_timepoints();
    scene.timepoints[0].signature = "R1, radiologist, then";
    session_ = std::make_unique<Session>(scene, first_view(scene).value(), desk_.callbacks());
    session().key("l");
    drag(Plane::axial, {20, 50, 50}, {60, 50, 50});
    wait();
    session().key("Return");
    session().key("Return");
    EXPECT_TRUE(desk_.taken.empty());  // no reason is none
    for (const char c : std::string("too short")) session().key(std::string(1, c), c);
    EXPECT_EQ(session().view().timepoint, 0u);
    session().key("Return");
    ASSERT_EQ(desk_.taken.size(), 1u);
    EXPECT_EQ(desk_.taken[0].reason, "too short");
    session().key("a");
    EXPECT_TRUE(desk_.reasons.empty());
    session().key("w", 'w');
    session().key("Return");
    session().key("Right");
    session().key("a");  // nobody signed this one
    EXPECT_THAT(desk_.reasons, ElementsAre("w", ""));
}

class ABlindedSession : public ASession {
protected:
    void SetUp() override
    {
        auto scene = two_timepoints();
        scene.blinded = true;
        scene.timepoints.push_back(scene.timepoints[1]);
        scene.timepoints[2].id = "later";
        auto callbacks = desk_.callbacks();
        callbacks.sign = [](std::size_t, const std::string&) -> Result<std::string> { return std::string("R1, radiologist, now"); };
        auto view = first_view(scene).value();
        view.timepoint = 2;
        session_ = std::make_unique<Session>(scene, view, callbacks);
    }
};

TEST_F(ABlindedSession, ShowsTheNextTimePointOnceTheOneBeforeIsSigned)
{
    EXPECT_EQ(session().view().timepoint, 0u);
    EXPECT_EQ(session().scene().timepoints.size(), 1u);
    EXPECT_THAT(captions(session().scene(), session().view())[0], testing::Not(HasSubstr(" of ")));  // nor how many there are
    EXPECT_THAT(band(session().scene(), session().view()), HasSubstr("BLINDED"));
    for (const char* key : {"Right", "s", "Right"}) session().key(key);
    EXPECT_EQ(session().view().timepoint, 0u);
    session().key("g", 'g');
    EXPECT_EQ(session().scene().timepoints.size(), 2u);
    EXPECT_EQ(session().view().timepoint, 1u);
    EXPECT_THAT(session().scene().message, HasSubstr("before signed by R1"));
    session().key("Left");
    session().key("Right");
    session().key("Right");
    EXPECT_EQ(session().scene().timepoints[session().view().timepoint].id, "after");
    session().key("g", 'g');
    EXPECT_EQ(session().scene().timepoints[session().view().timepoint].id, "later");
}

TEST_F(ABlindedSession, KeepsWhatAChangeMadeOfTimePointsThatAreNotSeenYet)
{
    session().key("l");
    drag(Plane::axial, {20, 50, 50}, {60, 50, 50});
    wait();
    session().key("Return");
    session().key("g", 'g');
    EXPECT_EQ(session().scene().timepoints[1].response, "PR -40.0 %");
}

TEST_F(ASession, SaysWhyNothingCanBeChanged)
{
    auto scene = two_timepoints();
    scene.read_only = "read only: the case is open at R2@host";
    Callbacks none;
    session_ = std::make_unique<Session>(scene, first_view(scene).value(), none);
    for (const char* key : {"a", "x", "g"}) {
        session().key(key);
        EXPECT_THAT(session().scene().message, HasSubstr("R2@host")) << key;
    }
    EXPECT_EQ(session().decisions(), 0);
    EXPECT_EQ(lesion(0).review_state, "unreviewed");
}

TEST_F(ASession, GoesWhereTheTableIsClicked)
{
    const auto rows = table(session().scene(), session().view());
    const auto row = std::find_if(rows.begin(), rows.end(), [](const auto& r) { return r.timepoint == 1 && r.lesion == 1u; });
    ASSERT_NE(row, rows.end());
    session().go(*row);
    EXPECT_EQ(session().view().timepoint, 1u);
    EXPECT_EQ(session().view().lesion, 1u);
}

TEST_F(ASession, EndsWhileAMaskIsBeingMade)
{
    desk_.held = true;
    session().key("l");
    drag(Plane::axial, {20, 50, 50}, {60, 50, 50});
    std::thread later([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        desk_.held = false;
    });
    session_.reset();
    later.join();
    EXPECT_TRUE(desk_.asked.empty());
}

/// With links that come when they are let go.
class Linking : public ASession {
protected:
    void open()
    {
        auto callbacks = desk_.callbacks();
        callbacks.link = [this](std::size_t here, std::size_t there, const Progress& progress) -> Result<ScanLink> {
            asked_for.push_back({here, there});
            while (held_back && goes_on(progress, "registering", 0.5)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            if (!goes_on(progress, "registering", 0.9)) return Error{Code::cancelled, "stopped", "test"};
            if (!fails.empty()) return Error{Code::not_evaluable, fails, "test"};
            ScanLink out;
            out.here = here;
            out.there = there;
            out.to_there = [](PatientPoint p) { return p + PatientPoint{0, 0, 20}; };
            out.to_here = [](PatientPoint p) { return p - PatientPoint{0, 0, 20}; };
            return out;
        };
        session_ = std::make_unique<Session>(two_timepoints(), first_view(two_timepoints()).value(), callbacks);
        session().key("Right");
    }
    void let_go()
    {
        held_back = false;
        while (session().linking()) {
            session().tick();
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
    std::string caption() { return link_caption(session().scene(), session().view()); }

    std::atomic<bool> held_back = true;
    std::string fails;
    std::vector<std::array<std::size_t, 2>> asked_for;
};

TEST_F(Linking, ComesWhileTheReaderGoesOn)
{
    open();
    EXPECT_FALSE(session().linking());  // nobody asked yet
    session().key("s");
    EXPECT_THAT(caption(), HasSubstr("(registering)"));
    session().wheel(Plane::axial, 1);
    session().key("l");
    drag(Plane::axial, {20, 50, 50}, {60, 50, 50});  // a mask is made meanwhile
    wait();
    EXPECT_EQ(desk_.asked.size(), 1U);
    EXPECT_THAT(caption(), HasSubstr("(registering)"));
    EXPECT_EQ(beside(session().scene(), session().view()).cursor, session().view().cursor);
    let_go();
    EXPECT_EQ(caption(), "before, linked through the registration");
    EXPECT_NEAR(beside(session().scene(), session().view()).cursor.z, session().view().cursor.z + 20, 1e-9);
    EXPECT_EQ(session().scene().timepoints[1].lesions[0].prompt.lines.size(), 1U);  // the drawing is still there
}

TEST_F(ASession, DrawsNothingInTheTimePointBesideAndSaysSo)
{
    session().key("Right");
    session().key("s");
    session().key("l");
    session().press_beside();
    EXPECT_THAT(session().scene().message, HasSubstr("draw on the right"));
    EXPECT_FALSE(session().working());
    EXPECT_TRUE(lesion(1).prompt.lines.empty());
    drag(Plane::axial, {20, 50, 50}, {60, 50, 50});  // and goes on as usual
    wait();
    EXPECT_EQ(desk_.asked.size(), 1U);
}

TEST_F(Linking, IsMadeOnceForTwoTimePoints)
{
    open();
    session().key("s");
    let_go();
    for (const char* key : {"s", "s", "Escape", "Left", "Right", "Up"}) session().key(key);
    EXPECT_FALSE(session().linking());
    EXPECT_EQ(asked_for, (std::vector<std::array<std::size_t, 2>>{{1, 0}}));  // the earlier scan on the later one
}

TEST_F(Linking, LaysTheEarlierScanOnTheLaterOneWhicheverIsLookedAt)
{
    open();
    session().key("Left");
    session().key("s");
    EXPECT_EQ(session().view().timepoint, 0U);
    let_go();
    EXPECT_EQ(asked_for, (std::vector<std::array<std::size_t, 2>>{{1, 0}}));
    EXPECT_NEAR(beside(session().scene(), session().view()).cursor.z, session().view().cursor.z - 20, 1e-9);
}

TEST_F(Linking, ThatRunsOutOfMemoryClosesNoWindow)
{
    auto callbacks = desk_.callbacks();
    callbacks.link = [](std::size_t, std::size_t, const Progress&) -> Result<ScanLink> { throw std::bad_alloc(); };
    session_ = std::make_unique<Session>(two_timepoints(), first_view(two_timepoints()).value(), callbacks);
    session().key("s");
    let_go();
    EXPECT_THAT(captions(session().scene(), session().view()), testing::Contains(HasSubstr("memory")));
}

TEST_F(Linking, ThatFailsIsSaidAndNotTriedAgain)
{
    fails = "no memory was left";
    open();
    session().key("s");
    let_go();
    EXPECT_THAT(captions(session().scene(), session().view()), testing::Contains(HasSubstr("no memory was left")));
    session().key("Up");
    EXPECT_FALSE(session().linking());
    EXPECT_EQ(asked_for.size(), 1U);
}

TEST_F(Linking, IsStoppedWhenTheWindowIsClosed)
{
    open();
    session().key("s");
    EXPECT_TRUE(session().linking());
    session_.reset();  // would wait for ever, were it not told to stop
    EXPECT_EQ(asked_for.size(), 1U);
}

TEST(PromptLines, StandOnTheirSliceAlone)
{
    segmentation::Prompt prompt;
    prompt.lines = {{{20, 50, 50}, {60, 50, 50}}};
    prompt.points = {{30, 40, 50}};
    const auto on = [&](Plane plane, PatientPoint cursor) { return prompt_lines(prompt, kGrid, plane_frame(kGrid, plane, cursor)); };
    const auto here = on(Plane::axial, {0, 0, 50});
    ASSERT_EQ(here.size(), 3u);  // the line and the two strokes of a cross
    EXPECT_EQ(here[0], (PlaneLine{20, 50, 60, 50}));
    EXPECT_TRUE(on(Plane::axial, {0, 0, 55}).empty());
    EXPECT_EQ(on(Plane::coronal, {0, 40, 50}).size(), 2u);  // the point's cross
    EXPECT_EQ(on(Plane::coronal, {0, 50, 50}).size(), 1u);  // the line lies in this plane
}

}  // namespace
}  // namespace retromass::viewer

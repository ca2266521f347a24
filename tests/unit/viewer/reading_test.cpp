#include "tests/unit/viewer/a_session.h"

// A window that is open while all but one time point are still being read.

namespace retromass::viewer {
namespace {

using testing::HasSubstr;

Scene one_of_two(std::size_t here)
{
    auto scene = two_timepoints();
    for (std::size_t t = 0; t < scene.timepoints.size(); ++t) {
        scene.timepoints[t].response.clear();
        if (t == here) continue;
        scene.timepoints[t].ct.reset();
        scene.timepoints[t].lesions.clear();
        scene.timepoints[t].being_read = true;
    }
    scene.read_only = scene.message = "still being read";
    return scene;
}

class WhileReading : public ASession {
protected:
    void open(const Scene& part)
    {
        session_ = std::make_unique<Session>(part, first_view(part).value(), Callbacks{}, [this]() { return std::exchange(came_, std::nullopt); });
    }
    void come(Result<Whole> rest)
    {
        came_ = std::move(rest);
        EXPECT_TRUE(session().tick());
    }
    std::optional<Result<Whole>> came_;
};

TEST_F(WhileReading, TheTimePointThatIsThereCanBeTurnedAndNoOtherIsShown)
{
    open(one_of_two(0));
    EXPECT_FALSE(session().tick());
    EXPECT_TRUE(session().reading());
    EXPECT_EQ(session().scene().message, "still being read");
    const auto before = session().view().cursor;
    session().wheel(Plane::axial, 1);
    EXPECT_NE(session().view().cursor, before);
    for (const char* key : {"Right", "s"}) session().key(key);
    session().go({"", 1, 0, false});
    EXPECT_EQ(session().view().timepoint, 0U);
    EXPECT_FALSE(session().view().beside);
}

TEST_F(WhileReading, NothingIsDecidedOrDrawn)
{
    open(one_of_two(0));
    for (const char* key : {"a", "x", "g", "l", "b"}) {
        session().key(key);
        EXPECT_EQ(session().scene().message, "still being read") << key;
    }
    EXPECT_FALSE(session().drawing());
    EXPECT_EQ(session().decisions(), 0);
}

TEST_F(WhileReading, TheRestComesInAndThePlaceStays)
{
    open(one_of_two(1));
    EXPECT_EQ(session().view().timepoint, 1U);
    session().key("Tab");
    session().wheel(Plane::axial, 3);
    const auto place = session().view();
    come(Whole{two_timepoints(), desk_.callbacks(), {}});
    EXPECT_FALSE(session().reading());
    EXPECT_EQ(session().view().cursor, place.cursor);
    EXPECT_EQ(session().view().lesion, place.lesion);
    EXPECT_EQ(session().scene().timepoints[1].response, "SD -5.0 %");
    EXPECT_EQ(session().scene().message, "");
    session().key("a");
    EXPECT_EQ(session().decisions(), 1);
    session().key("Left");
    EXPECT_EQ(session().view().timepoint, 0U);
}

TEST_F(WhileReading, TheTimePointThatStoodBesideComesBack)
{
    open(one_of_two(1));
    come(Whole{two_timepoints(), desk_.callbacks(), 0});
    EXPECT_EQ(session().view().beside, 0U);
}

TEST_F(WhileReading, ARestThatCannotBeReadIsSaidAndNothingCanBeDecided)
{
    open(one_of_two(0));
    come(Error{Code::io, "slice 7 is missing", "ingest"});
    ASSERT_TRUE(session().failed());
    EXPECT_EQ(session().failed()->code, Code::io);
    for (const char* key : {"Right", "a", "l"}) session().key(key);
    EXPECT_THAT(session().scene().message, HasSubstr("slice 7 is missing"));
    EXPECT_EQ(session().view().timepoint, 0U);
    EXPECT_EQ(session().decisions(), 0);
}

TEST_F(WhileReading, AMaskOnAnotherGridIsNotTakenOver)
{
    open(one_of_two(0));
    auto rest = two_timepoints();
    rest.timepoints[1].lesions[0].mask = std::make_shared<Mask>(Dimensions{2, 2, 2});
    come(Whole{rest, desk_.callbacks(), {}});
    ASSERT_TRUE(session().failed());
    EXPECT_EQ(session().failed()->code, Code::mask_grid);
}

TEST_F(WhileReading, ABlindedReaderSeesNoTimePointAfterTheOneToBeRead)
{
    auto part = one_of_two(0);
    auto rest = two_timepoints();
    part.blinded = rest.blinded = true;
    open(part);
    EXPECT_EQ(session().scene().timepoints.size(), 1U);
    come(Whole{rest, desk_.callbacks(), {}});
    EXPECT_EQ(session().scene().timepoints.size(), 1U);
    session().key("Right");
    EXPECT_EQ(session().view().timepoint, 0U);
}

TEST(Table, SaysOfATimePointThatItIsBeingRead)
{
    const auto rows = table(one_of_two(0), first_view(one_of_two(0)).value());
    EXPECT_EQ(rows.back().text, "after  being read");
}

}  // namespace
}  // namespace retromass::viewer

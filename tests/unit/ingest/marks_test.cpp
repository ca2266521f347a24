#include <gmock/gmock.h>

#include "pipeline/ingest/ingest.h"
#include "tests/support/scratch.h"

namespace retromass {
namespace {

using testing::HasSubstr;

const std::string kHeader = "sop_instance_uid,x1,y1,x2,y2,lesion\n";

Result<ingest::Marks> table(const test::Scratch& scratch, const std::string& rows) { return ingest::read_marks(scratch.write("lines.csv", rows)); }

TEST(LinesTable, MakesTwoCrossingLinesLongAndShortAxisWhicheverComesFirst)
{
    const test::Scratch scratch;
    const auto marks = table(scratch, kHeader + "1.2.3,50,40,50,60,T1\n1.2.3,30,50,80,50,T1\n");
    ASSERT_TRUE(marks.ok()) << marks.error().message;
    ASSERT_EQ(marks->all.size(), 1U);
    const auto& mark = marks->all[0];
    EXPECT_EQ(mark.name, "T1");
    ASSERT_TRUE(mark.long_axis && mark.short_axis);
    EXPECT_EQ(mark.long_axis->on_image[1].column, 80);
    EXPECT_EQ(mark.short_axis->on_image[1].row, 60);
}

TEST(LinesTable, TakesLinesApartThatDoNotCrossOrLieOnOtherImages)
{
    const test::Scratch scratch;
    const auto marks = table(scratch, "sop_instance_uid,x1,y1,x2,y2\n1.2.3,10,10,20,10\n1.2.3,10,30,20,30\n1.2.4,15,5,15,15\n");
    ASSERT_TRUE(marks.ok()) << marks.error().message;
    ASSERT_EQ(marks->all.size(), 3U);
    for (const auto& mark : marks->all) EXPECT_TRUE(mark.long_axis && !mark.short_axis) << mark.name;
}

TEST(LinesTable, MayBeginWithTheMarkOfUtf8ThatSpreadsheetsWrite)
{
    const test::Scratch scratch;
    const auto marks = table(scratch, "\xEF\xBB\xBF" + kHeader + "1.2.3,30,50,80,50,T1\n");
    ASSERT_TRUE(marks.ok()) << marks.error().message;
    EXPECT_TRUE(marks->all.at(0).long_axis);
}

TEST(LinesTable, ListsWhatIsAmbiguousAndGivesNoPrompt)
{
    const test::Scratch scratch;
    const struct { const char* rows; const char* why; } cases[] = {
        {"1.2.3,0,0,10,0,T1\n1.2.3,0,0,10,3,T1\n", "perpendicular"},                          // 17 degrees
        {"1.2.3,0,5,10,5,T1\n1.2.3,5,0,5,10,T1\n1.2.3,2,0,2,10,T1\n", "crosses"},             // one line crosses two
        {"1.2.3,0,0,10,0,T1\n1.2.3,0,9,10,9,T1\n", "do not cross"},
        {"1.2.3,0,0,10,0,T1\n1.2.4,0,0,10,0,T1\n", "2 images"},
    };
    for (const auto& c : cases) {
        const auto marks = table(scratch, kHeader + c.rows);
        ASSERT_TRUE(marks.ok()) << marks.error().message;
        bool said = false;
        for (const auto& mark : marks->all) {
            EXPECT_FALSE(mark.long_axis || mark.short_axis) << c.rows;
            said = said || mark.no_lines.find(c.why) != std::string::npos;
        }
        EXPECT_TRUE(said) << c.rows;
    }
}

TEST(LinesTable, RefusesWhatIsNoNumberOrNoColumnAndNamesTheLine)
{
    const test::Scratch scratch;
    EXPECT_THAT(table(scratch, kHeader + "1.2.3,0,0,ten,0,T1\n").error().message, HasSubstr("line 2: x2 'ten'"));
    EXPECT_THAT(table(scratch, kHeader + "1.2.3,0,0,10,0\n").error().message, HasSubstr("line 2: expected 6 cells"));
    EXPECT_THAT(table(scratch, "sop_instance_uid,x1,y1,x2\n").error().message, HasSubstr("no column y2"));
    EXPECT_THAT(table(scratch, "sop_instance_uid,x1,y1,x2,y2,z\n").error().message, HasSubstr("unknown column z"));
}

ingest::Scan scan_of_one(const VolumeGeometry& geometry)
{
    ingest::SeriesCandidate series;
    series.geometry = geometry;
    series.facts.series_instance_uid = "1.9";
    series.facts.frame_of_reference_uid = "1.8";
    for (int k = 0; k < geometry.size().slices; ++k) series.slices.push_back({{}, "", "1.2." + std::to_string(k), 0, {}});
    return {{series}, {}};
}

TEST(PlacedLines, CountPixelsFromTheOuterCornerOfTheFirst)
{
    const test::Scratch scratch;
    const auto scan = scan_of_one(VolumeGeometry::axial({100, 80, 5}, 0.5, 2, 3, {10, 20, -30}));
    const auto marks = table(scratch, "sop_instance_uid,x1,y1,x2,y2\n1.2.3,0.5,0.5,10.5,4.5\n");
    const auto lines = ingest::placed(marks->all[0], scan);
    ASSERT_TRUE(lines.ok()) << lines.error().message;
    EXPECT_EQ(lines->lines[0][0], (PatientPoint{10, 20, -21}));  // the centre of the first pixel is the slice's position
    EXPECT_EQ(lines->lines[0][1], (PatientPoint{15, 28, -21}));
    EXPECT_EQ(lines->series_instance_uid, "1.9");
    EXPECT_EQ(lines->frame_of_reference_uid, "1.8");
}

TEST(PlacedLines, RefuseAnImageThatIsNotThere)
{
    const test::Scratch scratch;
    const auto scan = scan_of_one(VolumeGeometry::axial({100, 80, 5}, 0.5, 2, 3));
    const auto marks = table(scratch, "sop_instance_uid,x1,y1,x2,y2\n1.2.77,0.5,0.5,10.5,4.5\n");
    EXPECT_EQ(ingest::placed(marks->all[0], scan).error().code, Code::prompt_frame_of_reference);
}

TEST(PlacedLines, RefuseAnImageOfManyFramesWhereNoneIsNamed)
{
    // Without a frame number a reference means all of them (PS3.3 Table 10-3): no slice to draw on.
    const test::Scratch scratch;
    auto scan = scan_of_one(VolumeGeometry::axial({100, 80, 5}, 0.5, 2, 3, {10, 20, -30}));
    for (int k = 0; k < 5; ++k) scan.series[0].slices[static_cast<std::size_t>(k)].sop_instance_uid = "1.2.0", scan.series[0].slices[static_cast<std::size_t>(k)].frame = k;
    const auto silent = table(scratch, "sop_instance_uid,x1,y1,x2,y2\n1.2.0,0.5,0.5,10.5,4.5\n");
    const auto refused = ingest::placed(silent->all[0], scan);
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, HasSubstr("5 frames"));
    const auto named = table(scratch, "sop_instance_uid,x1,y1,x2,y2,frame\n1.2.0,0.5,0.5,10.5,4.5,4\n");
    const auto lines = ingest::placed(named->all[0], scan);
    ASSERT_TRUE(lines.ok());
    EXPECT_EQ(lines->lines[0][0].z, -21);
}

TEST(MarkNamed, NeedsANameWhereSeveralFit)
{
    const test::Scratch scratch;
    const auto marks = table(scratch, kHeader + "1.2.3,0,0,10,0,T1\n1.2.3,0,9,10,9,T2\n");
    EXPECT_EQ(ingest::mark_named(*marks, "T2")->name, "T2");
    EXPECT_THAT(ingest::mark_named(*marks, "").error().message, HasSubstr("2 marks fit"));
    EXPECT_THAT(ingest::mark_named(*marks, "T3").error().message, HasSubstr("T1, T2"));
}

}  // namespace
}  // namespace retromass

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <fstream>

#include "pipeline/run/run.h"

namespace retromass::run {
namespace {

using testing::HasSubstr;

class ReadTable : public testing::Test {
protected:
    void SetUp() override
    {
        folder_ = std::filesystem::temp_directory_path() /
                  ("retromass-table-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + std::to_string(::getpid()));
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path written(const std::string& name, const std::string& text) const
    {
        std::ofstream(folder_ / name, std::ios::binary) << text;
        return folder_ / name;
    }
    Result<std::vector<response::Patient>> read(const std::string& csv) const { return read_table({written("t.csv", csv), {}, {}}); }
    std::string message(const std::string& csv) const
    {
        const auto result = read(csv);
        return result ? "read without error" : result.error().message;
    }

    std::filesystem::path folder_;
};

TEST_F(ReadTable, GroupsRowsByCaseTimePointAndLesionInOrderOfDate)
{
    const auto patients = read(
        "case,timepoint,date,lesion,role,nodal,long_axis_mm,short_axis_mm,new_lesions\n"
        "A,late,2024-03-01,T1,target,0,70,,none\n"
        "A,base,2024-01-01,T1,target,0,100.5,,\n"
        "A,base,2024-01-01,N1,target,1,22,15,\n"
        "B,base,2024-01-01,T1,target,0,30,,\n");
    ASSERT_TRUE(patients.ok()) << patients.error().message;
    ASSERT_EQ(patients->size(), 2u);
    const auto& a = patients->front();
    ASSERT_EQ(a.timepoints.size(), 2u);
    EXPECT_EQ(a.timepoints[0].id, "base");
    EXPECT_EQ(a.timepoints[0].observations[0].long_axis, Length{10050});
    EXPECT_EQ(a.timepoints[0].observations[0].status, response::LesionStatus::measured);
    EXPECT_FALSE(a.timepoints[0].new_lesions);
    EXPECT_EQ(a.timepoints[1].new_lesions, response::NewLesions::none);
    EXPECT_TRUE(a.lesions[1].nodal);
}

TEST_F(ReadTable, ReadsQuotedCellsLineBreaksAndAByteOrderMark)
{
    const auto patients = read("\xEF\xBB\xBF" "case,timepoint,date,lesion,role,site,long_axis_mm\r\nA,base,2024-01-01,T1,target,\"liver, \"\"dome\"\"\nleft\",30\r\n");
    ASSERT_TRUE(patients.ok()) << patients.error().message;
    EXPECT_EQ(patients->at(0).lesions[0].site, "liver, \"dome\"\nleft");
}

TEST_F(ReadTable, TakesSilenceAsNotEvaluableAndNeverAsZero)
{
    const auto patients = read("case,timepoint,date,lesion,role,long_axis_mm\nA,base,2024-01-01,T1,target,\n");
    ASSERT_TRUE(patients.ok());
    EXPECT_EQ(patients->at(0).timepoints[0].observations[0].status, response::LesionStatus::not_evaluable);
}

TEST_F(ReadTable, AddsTheFragmentsOfASplitLesion)
{
    const std::string header = "case,timepoint,date,lesion,role,fragment,long_axis_mm\n";
    const auto patients = read(header + "A,base,2024-01-01,T1,target,1,15\nA,base,2024-01-01,T1,target,2,12\n");
    ASSERT_TRUE(patients.ok()) << patients.error().message;
    EXPECT_EQ(patients->at(0).timepoints[0].observations[0].fragments, std::vector<Length>{Length::mm(12)});
    EXPECT_THAT(message(header + "A,base,2024-01-01,T1,target,,15\nA,base,2024-01-01,T1,target,,12\n"), HasSubstr("line 3"));
}

TEST_F(ReadTable, NamesTheLineAndColumnOfWhatItCannotRead)
{
    const std::string header = "case,timepoint,date,lesion,role,long_axis_mm\n";
    const auto bad_length = message(header + "A,base,2024-01-01,T1,target,30\nA,late,2024-03-01,T1,target,ABOUT 30\n");
    EXPECT_THAT(bad_length, HasSubstr("line 3"));
    EXPECT_THAT(bad_length, HasSubstr("long_axis_mm"));
    EXPECT_THAT(message(header + "A,base,01/02/2024,T1,target,30\n"), HasSubstr("column date"));
    EXPECT_THAT(message(header + "A,base,2024-01-01,T1,goal,30\n"), HasSubstr("target, non-target, new"));
    EXPECT_THAT(message(header + "A,base,2024-01-01,T1,target\n"), HasSubstr("5 cells"));
    EXPECT_THAT(message(header + "A,base,2024-01-01,T1,target,\"30\n"), HasSubstr("not closed"));
    EXPECT_THAT(message("case,timepoint,lesoin\n"), HasSubstr("did you mean 'lesion'"));
    EXPECT_THAT(message("case;timepoint;lesion\n"), HasSubstr("commas"));
    EXPECT_THAT(message(""), HasSubstr("empty"));
}

TEST_F(ReadTable, RefusesRowsOfATimePointThatContradictEachOther)
{
    const std::string header = "case,timepoint,date,lesion,role,long_axis_mm,new_lesions\n";
    EXPECT_THAT(message(header + "A,base,2024-01-01,T1,target,30,none\nA,base,2024-01-02,T2,target,30,none\n"), HasSubstr("column date"));
    EXPECT_THAT(message(header + "A,base,2024-01-01,T1,target,30,none\nA,base,2024-01-01,T2,target,30,unequivocal\n"), HasSubstr("column new_lesions"));
    EXPECT_THAT(message(header + "A,base,2024-01-01,T1,target,30,\nA,late,2024-02-01,T1,non-target,30,\n"), HasSubstr("column role"));
}

TEST_F(ReadTable, ReadsTheSameFromJson)
{
    const auto json = written("t.json", R"([{"case":"A","timepoint":"base","date":"2024-01-01","lesion":"T1","role":"target","nodal":0,"long_axis_mm":9.8,"volume_ml":null}])");
    const auto patients = read_table({json, {}, {}});
    ASSERT_TRUE(patients.ok()) << patients.error().message;
    EXPECT_EQ(patients->at(0).timepoints[0].observations[0].long_axis, Length{980});
    EXPECT_FALSE(read_table({written("u.json", "{"), {}, {}}).ok());
    EXPECT_FALSE(read_table({written("v.json", "[1]"), {}, {}}).ok());
}

TEST_F(ReadTable, AddsTreatmentsAndEventsToTheirCase)
{
    const auto table = written("t.csv", "case,timepoint,date,lesion,role,long_axis_mm\nA,base,2024-01-01,T1,target,30\n");
    const auto treatments = written("tr.csv", "case,kind,line,start,end,lesions\nA,systemic,1,2024-01-05,,\nA,radiotherapy,,2024-02-01,2024-02-20,T1\n");
    const auto events = written("e.csv", "case,kind,date\nA,death,2024-09-01\n");
    const auto patients = read_table({table, treatments, events});
    ASSERT_TRUE(patients.ok()) << patients.error().message;
    EXPECT_EQ(patients->at(0).treatments.at(0).line, 1);
    EXPECT_EQ(patients->at(0).treatments.at(1).lesions, std::vector<std::string>{"T1"});
    EXPECT_EQ(patients->at(0).events.at(0).date, parse_date("2024-09-01"));
    const auto wrong = read_table({table, written("w.csv", "case,kind,line,start\nB,systemic,1,2024-01-05\n"), {}});
    ASSERT_FALSE(wrong.ok());
    EXPECT_THAT(wrong.error().message, HasSubstr("w.csv line 2"));
}

TEST_F(ReadTable, KeepsTheWordsOfATrialTableWhereALengthIsExpected)
{
    const auto patients = read("case,timepoint,day,lesion,role,nodal,long_axis_mm,short_axis_mm\nA,a,0,T1,target,0,30,\nA,b,40,T1,target,0,TOO SMALL TO MEASURE,\nA,c,80,T1,target,0,Not evaluable,\nA,a,0,N1,target,1,30,16\nA,b,40,N1,target,1,20,TOO SMALL TO MEASURE\n");
    ASSERT_TRUE(patients.ok()) << patients.error().message;
    const auto& points = patients->at(0).timepoints;
    EXPECT_EQ(points[1].observations[0].status, response::LesionStatus::too_small);
    EXPECT_FALSE(points[1].observations[0].long_axis);
    EXPECT_EQ(points[2].observations[0].status, response::LesionStatus::not_evaluable);
    EXPECT_THAT(points[2].observations[0].reason, HasSubstr("Not evaluable"));
    EXPECT_EQ(points[1].observations[1].status, response::LesionStatus::too_small);
    EXPECT_EQ(points[1].observations[1].long_axis, Length::mm(20));
}

TEST_F(ReadTable, ReadsWhatBearsOnComparingStudiesOncePerTimePoint)
{
    const std::string header = "case,timepoint,date,lesion,role,long_axis_mm,phase,kvp,slice_mm,image_kind,lossy,intratumoral_nodule\n";
    const auto patients = read(header + "A,a,2024-01-01,T1,target,30,portal-venous,120,2.5,attenuation,0,1\nA,a,2024-01-01,T2,target,30,,,,,,\n");
    ASSERT_TRUE(patients.ok()) << patients.error().message;
    const auto& point = patients->at(0).timepoints.at(0);
    EXPECT_EQ(point.study.phase, "portal-venous");
    EXPECT_EQ(point.study.kvp, 120);
    EXPECT_EQ(point.study.slice_thickness_mm, 2.5);
    EXPECT_EQ(point.study.lossy, false);
    EXPECT_TRUE(point.observations[0].nodule);
    EXPECT_FALSE(point.observations[1].nodule);
    EXPECT_THAT(message(header + "A,a,2024-01-01,T1,target,30,portal-venous,,,,,\nA,a,2024-01-01,T2,target,30,arterial,,,,,\n"), HasSubstr("column phase"));
}

TEST_F(ReadTable, TakesIntervalsThatHoldTheirLengthAndNoOthers)
{
    const std::string header = "case,timepoint,date,lesion,role,long_axis_mm,length_low_mm,length_high_mm\n";
    const auto patients = read(header + "A,a,2024-01-01,T1,target,30,28.5,31.6\n");
    ASSERT_TRUE(patients.ok()) << patients.error().message;
    EXPECT_EQ(patients->at(0).timepoints[0].observations[0].length_mm->high, 31.6);
    for (const char* wrong : {"28.5,", ",31", "30.1,31", "28,29.9", "0,31", "nan,31"}) EXPECT_THAT(message(header + "A,a,2024-01-01,T1,target,30," + wrong + "\n"), HasSubstr("line 2")) << wrong;
}

TEST_F(ReadTable, TakesIntervalsOfTheOtherAxisAndOfTheDensityThatHoldThem)
{
    const std::string header = "case,timepoint,date,lesion,role,nodal,long_axis_mm,short_axis_mm,hu_mean,other_axis_low_mm,other_axis_high_mm,hu_low,hu_high\n";
    const auto patients = read(header + "A,a,2024-01-01,T1,target,0,30,20,-4,19,21.5,-9,3\nA,a,2024-01-01,N1,target,1,30,20,,28,33,,\n");
    ASSERT_TRUE(patients.ok()) << patients.error().message;
    const auto& lesion = patients->at(0).timepoints[0].observations[0];
    EXPECT_EQ(lesion.other_axis_mm->ends.high, 21.5);
    EXPECT_EQ(lesion.hu_interval->ends.low, -9);
    EXPECT_FALSE(lesion.hu_interval->calibrated);
    EXPECT_EQ(patients->at(0).timepoints[0].observations[1].other_axis_mm->ends.low, 28);  // of a node the long axis
    for (const char* wrong : {"19,,-9,3", "0,21,-9,3", "20.1,21,-9,3", "19,21,-3,3", "19,21,,3"}) {
        EXPECT_THAT(message(header + "A,a,2024-01-01,T1,target,0,30,20,-4," + wrong + "\n"), HasSubstr("line 2")) << wrong;
    }
}

TEST_F(ReadTable, ListsALesionThatChangedOrganOrTypeAsAConflict)
{
    const auto patients = read("case,timepoint,date,lesion,role,organ,nodal,long_axis_mm,short_axis_mm\nA,a,2024-01-01,T1,target,liver,0,30,20\nA,b,2024-03-01,T1,target,lung,1,30,20\n");
    ASSERT_TRUE(patients.ok()) << patients.error().message;
    const auto& later = patients->at(0).timepoints[1].observations[0];
    EXPECT_FALSE(patients->at(0).lesions[0].nodal);
    EXPECT_EQ(later.status, response::LesionStatus::not_evaluable);
    EXPECT_THAT(later.conflict, HasSubstr("stated a node here and no node before"));
    EXPECT_EQ(later.organ, "lung");
    const auto assessment = response::assess(patients->at(0));
    ASSERT_TRUE(assessment.ok());
    EXPECT_TRUE(has(assessment->notices, Code::identity_conflict));
    EXPECT_EQ(assessment->recist.at(1).overall.category, response::Category::ne);
}

TEST_F(ReadTable, ReadsWhichTreatmentIsAnImmunotherapy)
{
    const auto table = written("t.csv", "case,timepoint,date,lesion,role,long_axis_mm\nA,base,2024-01-01,T1,target,30\n");
    const auto patients = read_table({table, written("tr.csv", "case,kind,line,start,immunotherapy\nA,systemic,1,2024-01-05,1\nA,systemic,2,2024-05-05,\n"), {}});
    ASSERT_TRUE(patients.ok()) << patients.error().message;
    EXPECT_TRUE(patients->at(0).treatments[0].immunotherapy);
    EXPECT_FALSE(patients->at(0).treatments[1].immunotherapy);
}

TEST_F(ReadTable, SaysWhichFileIsMissing)
{
    const auto result = read_table({folder_ / "none.csv", {}, {}});
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, Code::io);
}

}  // namespace
}  // namespace retromass::run

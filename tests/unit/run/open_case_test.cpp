// A case that a reader works on says what a run of the changed case file says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "pipeline/run/run.h"
#include "sample_data/phantom.h"
#include "tests/support/scratch.h"

namespace retromass::run {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kCase = R"(# two balls, 40 and 20 mm
case: BALLS
timepoints:
  - {id: before, ct: ct/before, new_lesions: none}
  - {id: after, ct: ct/after, new_lesions: none}
lesions:
  - id: T1
    role: target
    organ: retroperitoneum
    nodal: false
    timepoints:
      before: {line: [[-20, 0, 0], [20, 0, 0]]}
      after: {line: [[-10, 0, 0], [10, 0, 0]], nodule: true}
)";

std::string text_of(const std::filesystem::path& file)
{
    std::ifstream in(file);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

class OpenedCase : public testing::Test {
protected:
    void SetUp() override
    {
        for (const auto& [id, mm, date] : {std::tuple{"before", 40.0, "2020-01-02"}, {"after", 20.0, "2020-03-02"}}) {
            sample_data::ShapeSpecification ball;
            ball.size_mm = {mm, mm, mm};
            ball.grid = {72, 72, 40};
            ball.slice_spacing_mm = 2;
            ASSERT_TRUE(sample_data::write_dicom(scratch_.path() / "ct" / id, sample_data::make_shape(ball).value().ct, {.date = *parse_date(date), .uid_seed = id, .frame_of_reference_seed = id}).ok());
        }
        std::ofstream(case_file()) << kCase;
        parameters_.variants = 0;
        parameters_.timestamp = "2020-04-01T00:00:00Z";
    }
    std::filesystem::path case_file() const { return scratch_.path() / "case.yaml"; }
    outputs::CaseResult run_of_the_file(const char* folder)
    {
        auto result = run_case(read_case(case_file()).value(), scratch_.path() / folder, parameters_);
        EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
        return std::move(*result);
    }
    OpenCase opened(const OpenCase::WrittenCase& written = {}, const std::set<std::string>& changed = {})
    {
        auto open = OpenCase::open(read_case(case_file()).value(), written, changed, parameters_);
        EXPECT_TRUE(open.ok()) << (open.ok() ? "" : open.error().message);
        return std::move(*open);
    }

    test::Scratch scratch_;
    RunParameters parameters_;
};

/// A line of a third of the ball: what is drawn in the second test is not what the case file says.
LesionAtTimepoint drawn(double half_mm)
{
    LesionAtTimepoint said;
    said.prompt.lines = {{{-half_mm, 0.125, 0}, {half_mm, 0.125, 0}}};
    said.has_prompt = true;
    said.reader = "R2";
    return said;
}

TEST_F(OpenedCase, SaysWhatTheRunSays)
{
    const auto ran = run_of_the_file("result");
    OpenCase::WrittenCase written;
    for (const char* id : {"before", "after"}) written[{id, "T1"}].mask = scratch_.path() / "result" / "masks" / (std::string(id) + "-T1.nii.gz");
    for (const auto& masks : {written, OpenCase::WrittenCase{}}) {  // read, and segmented afresh
        const auto open = opened(masks);
        for (std::size_t t = 0; t < 2; ++t) {
            const auto lesion = open.lesions()[t][0].result;
            ASSERT_TRUE(lesion.measurements.has_value()) << lesion.reason;
            EXPECT_EQ(lesion.measurements->long_axis.recorded, ran.timepoints[t].lesions[0].measurements->long_axis.recorded);
            EXPECT_EQ(lesion.measurements->voxels, ran.timepoints[t].lesions[0].measurements->voxels);
            EXPECT_EQ(lesion.reader_long_axis, ran.timepoints[t].lesions[0].reader_long_axis);
        }
        const auto assessed = open.assessed(open.lesions());
        ASSERT_TRUE(assessed.ok());
        ASSERT_EQ(assessed->recist.size(), ran.assessment.recist.size());
        EXPECT_EQ(assessed->recist.back().overall.category, ran.assessment.recist.back().overall.category);
        EXPECT_EQ(assessed->recist.back().change_from_baseline_pct, ran.assessment.recist.back().change_from_baseline_pct);
    }
}

TEST_F(OpenedCase, AChangeThatWasTriedIsWhatTheChangedFileRunsTo)
{
    auto open = opened();
    const auto before = open.assessed(open.lesions()).value().recist.back();
    const auto said = drawn(15);
    const auto tried = open.tried({1, 0}, said);
    ASSERT_TRUE(tried.ok()) << tried.error().message;
    ASSERT_TRUE(tried->result.measurements.has_value());
    EXPECT_EQ(open.assessed(open.lesions()).value().recist.back().change_from_baseline_pct, before.change_from_baseline_pct);  // a try changes nothing
    const auto foreseen = open.assessed(open.lesions_with({1, 0}, *tried)).value().recist.back();

    const auto kept = change_case(case_file(), "after", "T1", said);
    ASSERT_TRUE(kept.ok()) << kept.error().message;
    EXPECT_EQ(text_of(*kept), kCase);  // the old version, byte for byte
    const auto ran = run_of_the_file("changed");
    const auto& now = ran.timepoints[1].lesions[0];
    EXPECT_EQ(tried->result.measurements->voxels, now.measurements->voxels);
    EXPECT_EQ(tried->result.measurements->long_axis.recorded, now.measurements->long_axis.recorded);
    EXPECT_EQ(foreseen.overall.category, ran.assessment.recist.back().overall.category);
    EXPECT_EQ(foreseen.change_from_baseline_pct, ran.assessment.recist.back().change_from_baseline_pct);

    open.take({1, 0}, said, *tried);
    EXPECT_EQ(open.assessed(open.lesions()).value().recist.back().change_from_baseline_pct, foreseen.change_from_baseline_pct);
}

TEST_F(OpenedCase, OneTimePointReadFirstIsToldWholeAndChangesNothingOfWhatIsRead)
{
    run_of_the_file("result");
    OpenCase::WrittenCase written;
    for (const char* id : {"before", "after"}) written[{id, "T1"}].mask = scratch_.path() / "result" / "masks" / (std::string(id) + "-T1.nii.gz");
    const auto in_order = opened(written);
    std::vector<OpenCase::Early> told;
    const OpenCase::ReadFirst last_first{1, [&](OpenCase::Early early) { told.push_back(std::move(early)); }};
    const auto file = read_case(case_file()).value();
    const auto open = OpenCase::open(file, written, {}, parameters_, {}, last_first);
    ASSERT_TRUE(open.ok()) << open.error().message;
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].date, parse_date("2020-03-02"));
    EXPECT_EQ(told[0].ct->volume.hu.values().size(), in_order.ct(1)->volume.hu.values().size());
    ASSERT_EQ(told[0].lesions.size(), 1U);
    EXPECT_EQ(told[0].lesions[0].result.measurements->voxels, in_order.lesions()[1][0].result.measurements->voxels);
    for (std::size_t t = 0; t < 2; ++t) {
        EXPECT_EQ(open->ct(t)->facts.series_instance_uid, in_order.ct(t)->facts.series_instance_uid);
        EXPECT_EQ(open->lesions()[t][0].result.measurements->voxels, in_order.lesions()[t][0].result.measurements->voxels);
    }
    // A changed time point may take a carried mask from any other: then nobody is shown one alone.
    ASSERT_TRUE(OpenCase::open(file, written, {"before"}, parameters_, {}, last_first).ok());
    EXPECT_EQ(told.size(), 1U);
}

TEST_F(OpenedCase, AnEditThatWasTriedIsWhatTheChangedFileRunsTo)
{
    const segmentation::Edit ball{segmentation::Edit::Kind::add_sphere, {{10, 0, 0}}, 6};
    const segmentation::Edit undo;
    auto open = opened();
    const auto untouched = open.lesions()[1][0].result.measurements->voxels;
    segmentation::EditLog log{{}, {ball}};
    const auto tried = open.edited({1, 0}, log);
    ASSERT_TRUE(tried.ok()) << tried.error().message;
    EXPECT_NEAR(tried->result.measurements->long_axis.recorded.as_mm(), 10 + 10 + 6, 2);  // from the ball's far edge to the edge of what was added, a voxel at either end
    log.start = segmentation::fingerprint(*tried->unedited);
    LesionAtTimepoint said = open.file().lesions[0].timepoints.at("after");
    said.reader = "R2";
    const auto kept = change_case(case_file(), "after", "T1", said, log);
    ASSERT_TRUE(kept.ok()) << kept.error().message;
    EXPECT_EQ(text_of(*kept), kCase);
    const auto ran = run_of_the_file("edited");
    const auto& now = ran.timepoints[1].lesions[0];
    ASSERT_TRUE(now.measurements.has_value()) << now.reason;
    EXPECT_EQ(now.measurements->voxels, tried->result.measurements->voxels);
    EXPECT_EQ(now.measurements->long_axis.recorded, tried->result.measurements->long_axis.recorded);
    EXPECT_EQ(now.reviewer, "R2");
    EXPECT_TRUE(read_case(case_file())->lesions[0].timepoints.at("after").nodule);

    // Opened again on what was run, where nobody remembers the mask without edits.
    OpenCase::WrittenCase written;
    for (const char* id : {"before", "after"}) written[{id, "T1"}].mask = scratch_.path() / "edited" / "masks" / (std::string(id) + "-T1.nii.gz");
    auto again = opened(written);
    EXPECT_EQ(again.lesions()[1][0].result.measurements->voxels, now.measurements->voxels);  // replayed once, not twice
    log.edits.push_back(undo);
    const auto undone = again.edited({1, 0}, log);
    ASSERT_TRUE(undone.ok()) << undone.error().message;
    EXPECT_EQ(undone->result.measurements->voxels, untouched);
    ASSERT_TRUE(change_case(case_file(), "after", "T1", said, log).ok());
    EXPECT_TRUE(std::filesystem::exists(scratch_.path() / "case.0001.edits"));  // every version of the log is kept
    EXPECT_EQ(read_case(case_file())->lesions[0].timepoints.at("after").edits_file, "case.0002.edits");
    EXPECT_EQ(run_of_the_file("undone").timepoints[1].lesions[0].measurements->voxels, untouched);

    // A new prompt makes a mask that nobody has changed.
    ASSERT_TRUE(change_case(case_file(), "after", "T1", drawn(12)).ok());
    EXPECT_EQ(read_case(case_file())->lesions[0].timepoints.at("after").edits_file, "");
}

TEST_F(OpenedCase, AMaskIsMeasuredAsItIs)
{
    const auto open = opened();
    // 10 x 8 voxels of 1 mm on slices 18 to 20, 2 mm apart: sqrt(10^2 + 7^2) between pixel edges, 3 slabs of 2 mm.
    auto mask = std::make_shared<Mask>(open.ct(1)->volume.geometry.size());
    for (int k = 18; k <= 20; ++k) {
        for (int r = 30; r < 38; ++r) {
            for (int c = 30; c < 40; ++c) mask->at(c, r, k) = 1;
        }
    }
    const auto tried = open.tried({1, 0}, {}, mask);
    ASSERT_TRUE(tried.ok());
    EXPECT_EQ(tried->result.measurements->long_axis.recorded.text(), "12.2");
    EXPECT_EQ(tried->result.measurements->craniocaudal.recorded.text(), "6");
}

TEST_F(OpenedCase, ACarriedLesionWaitsForARunWhereWhatItCameFromChanges)
{
    const auto with_prompt = run_of_the_file("result");
    auto unsaid = std::string(kCase);
    unsaid.erase(unsaid.find("      after: {line"));
    std::ofstream(case_file()) << unsaid;
    OpenCase::WrittenCase written;
    written[{"before", "T1"}].mask = scratch_.path() / "result" / "masks" / "before-T1.nii.gz";
    written[{"after", "T1"}] = {scratch_.path() / "result" / "masks" / "after-T1.nii.gz", "before", ""};
    auto open = opened(written);
    const auto& carried = open.lesions()[1][0].result;
    ASSERT_TRUE(carried.measurements.has_value()) << carried.reason;
    EXPECT_EQ(carried.measurements->voxels, with_prompt.timepoints[1].lesions[0].measurements->voxels);
    EXPECT_TRUE(has(carried.notices, Code::low_confidence));

    const auto tried = open.tried({0, 0}, drawn(18)).value();
    const auto waiting = open.lesions_with({0, 0}, tried)[1][0];
    EXPECT_EQ(waiting.result.status, response::LesionStatus::not_evaluable);
    EXPECT_FALSE(waiting.result.measurements.has_value());
    EXPECT_EQ(waiting.mask, nullptr);
    EXPECT_THAT(waiting.result.reason, HasSubstr("the next run"));
    EXPECT_EQ(open.assessed(open.lesions_with({0, 0}, tried)).value().recist.back().overall.category, response::Category::ne);
    EXPECT_TRUE(open.lesions()[1][0].result.measurements.has_value());  // a try changes nothing
    open.take({0, 0}, drawn(18), tried);
    EXPECT_FALSE(open.lesions()[1][0].result.measurements.has_value());

    EXPECT_FALSE(opened(written, {"before"}).lesions()[1][0].result.measurements.has_value());  // so after it was opened again
}

TEST_F(OpenedCase, LesionsInOnePlaceAreNotEvaluable)
{
    auto two = std::string(kCase);
    two += "  - id: T2\n    role: target\n    organ: liver\n    nodal: false\n    timepoints: {before: {line: [[-18, 0, 0], [18, 0, 0]]}}\n";
    std::ofstream(case_file()) << two;
    const auto open = opened();
    for (const std::size_t l : {0u, 1u}) {
        const auto lesion = open.lesions()[0][l];
        EXPECT_EQ(lesion.result.status, response::LesionStatus::not_evaluable);
        EXPECT_FALSE(lesion.result.measurements.has_value());
        EXPECT_THAT(lesion.result.reason, HasSubstr("lies in the same place"));
    }
}

TEST_F(OpenedCase, AChangeKeepsTheRestOfTheCaseFile)
{
    ASSERT_TRUE(change_case(case_file(), "after", "T1", drawn(12)).ok());
    const auto file = read_case(case_file()).value();
    EXPECT_TRUE(file.lesions[0].timepoints.at("after").nodule);
    EXPECT_EQ(file.lesions[0].timepoints.at("after").reader, "R2");
    EXPECT_EQ(file.lesions[0].timepoints.at("after").prompt.lines[0].a, (PatientPoint{-12, 0.125, 0}));
    EXPECT_EQ(file.lesions[0].timepoints.at("before").prompt.lines[0].b, (PatientPoint{20, 0, 0}));
    EXPECT_EQ(file.timepoints[0].new_lesions, response::NewLesions::none);
}

TEST_F(OpenedCase, EveryVersionOfTheCaseFileIsKept)
{
    const auto first = change_case(case_file(), "after", "T1", drawn(12)).value();
    const auto between = text_of(case_file());
    const auto second = change_case(case_file(), "after", "T1", drawn(13)).value();
    EXPECT_EQ(first.filename(), "case.0001.yaml");
    EXPECT_EQ(second.filename(), "case.0002.yaml");
    EXPECT_EQ(text_of(first), kCase);
    EXPECT_EQ(text_of(second), between);
}

TEST_F(OpenedCase, AChangeThatARunWouldRefuseLeavesTheFileAlone)
{
    LesionAtTimepoint nothing_but_an_end;
    nothing_but_an_end.prompt.extent = {{{0, 0, 10}, {0, 0, -10}}};
    const auto refused = change_case(case_file(), "after", "T1", nothing_but_an_end);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Code::case_file);
    EXPECT_EQ(text_of(case_file()), kCase);
    EXPECT_FALSE(std::filesystem::exists(scratch_.path() / "case.0001.yaml"));
    EXPECT_FALSE(change_case(case_file(), "never", "T1", drawn(12)).ok());
    EXPECT_FALSE(change_case(case_file(), "after", "T9", drawn(12)).ok());
    EXPECT_EQ(text_of(case_file()), kCase);
}

}  // namespace
}  // namespace retromass::run

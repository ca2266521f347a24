#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "pipeline/run/run.h"
#include "sample_data/phantom.h"
#include "tests/support/scratch.h"

namespace retromass::run {
namespace {

TEST(Plan, RefusesACaseThatNeedsMoreMemoryThanThereIs)
{
    const test::Scratch scratch;
    sample_data::ShapeSpecification ball;
    ball.grid = {64, 64, 24};
    ASSERT_TRUE(sample_data::write_dicom(scratch.path() / "ct", sample_data::make_shape(ball).value().ct, {.date = *parse_date("2020-01-02"), .uid_seed = "plan"}).ok());
    std::ofstream(scratch.path() / "case.yaml") << "case: A\ntimepoints: [{id: a, ct: ct}]\nlesions: [{id: T1, role: target, organ: liver, nodal: false, timepoints: {a: {line: [[-10, 0, 0], [10, 0, 0]]}}}]\n";
    const auto file = read_case(scratch.path() / "case.yaml").value();

    RunParameters parameters;
    const auto unlimited = plan(file, {}, parameters);
    ASSERT_TRUE(unlimited.ok()) << unlimited.error().message;
    // HU and mask are three bytes a voxel at least.
    const double least_gb = 3.0 * 64 * 64 * 24 / 1e9;
    EXPECT_GE(unlimited->memory_gb, least_gb);

    parameters.available_memory_gb = unlimited->memory_gb / 2;
    const auto refused = plan(file, {}, parameters);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Code::memory);
    EXPECT_THAT(refused.error().message, testing::HasSubstr("GB are free"));
    parameters.available_memory_gb = unlimited->memory_gb * 2;
    EXPECT_TRUE(plan(file, {}, parameters).ok());
}

// What a worker of a batch may take is said by the plan: a file of many segments is read whole, however small the CT is; of NIfTI one grid is kept, whatever its values take in the file.
TEST(Plan, CountsTheMemoryOfALargeFileOfSegments)
{
    const test::Scratch scratch;
    sample_data::ShapeSpecification ball;
    ball.grid = {32, 32, 8};
    ASSERT_TRUE(sample_data::write_dicom(scratch.path() / "ct", sample_data::make_shape(ball).value().ct, {.date = *parse_date("2020-01-02"), .uid_seed = "plan"}).ok());
    std::ofstream(scratch.path() / "case.yaml") << "case: A\ntimepoints: [{id: a, ct: ct}]\nlesions: [{id: T1, role: target, organ: liver, nodal: false, timepoints: {a: {mask: masks.dcm}}}]\n";
    std::ofstream(scratch.path() / "masks.dcm") << "a few bytes";
    const auto file = read_case(scratch.path() / "case.yaml").value();
    const auto small = plan(file, {}, {});
    ASSERT_TRUE(small.ok()) << small.error().message;
    EXPECT_LT(small->memory_gb, 0.01);
    std::filesystem::resize_file(scratch.path() / "masks.dcm", 500'000'000);
    const auto large = plan(file, {}, {});
    ASSERT_TRUE(large.ok()) << large.error().message;
    EXPECT_GT(large->memory_gb, 0.5 + small->memory_gb);  // once at the least
    std::filesystem::rename(scratch.path() / "masks.dcm", scratch.path() / "masks.nii");
    std::ofstream(scratch.path() / "nifti.yaml") << "case: A\ntimepoints: [{id: a, ct: ct}]\nlesions: [{id: T1, role: target, organ: liver, nodal: false, timepoints: {a: {mask: masks.nii}}}]\n";
    EXPECT_LE(plan(read_case(scratch.path() / "nifti.yaml").value(), {}, {}).value().memory_gb, small->memory_gb);
}

}  // namespace
}  // namespace retromass::run

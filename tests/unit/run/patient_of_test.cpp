#include "pipeline/run/patient_of.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace retromass::run {
namespace {

using response::LesionStatus;
using testing::HasSubstr;

CaseLesion lesion(const std::string& id)
{
    CaseLesion out;
    out.lesion = {id, response::Role::target, "liver", "liver", false};
    return out;
}

outputs::LesionResult measured(const std::string& id, std::int64_t long_mm, double volume_ml)
{
    outputs::LesionResult out;
    out.lesion = id;
    out.status = LesionStatus::measured;
    measurement::LesionMeasurements m;
    m.long_axis.recorded = Length::mm(long_mm);
    m.short_axis.recorded = Length::mm(long_mm / 2);
    m.recorded_volume_ml = volume_ml;
    out.measurements = m;
    return out;
}

outputs::LesionResult silent(const std::string& id)
{
    outputs::LesionResult out;
    out.lesion = id;
    out.reason = "neither prompt nor status is given";
    return out;
}

/// T1 at the baseline; at the second time point it is split into T1a and T1b.
struct Split {
    CaseFile file;
    outputs::CaseResult result;

    Split()
    {
        file.case_id = "P";
        file.lesions = {lesion("T1"), lesion("T1a"), lesion("T1b")};
        file.lesions[0].timepoints["second"].split_into = {"T1a", "T1b"};
        for (const auto& l : file.lesions) result.lesions.push_back(l.lesion);
        for (const char* id : {"first", "second", "third"}) {
            file.timepoints.emplace_back().id = id;
            auto& now = result.timepoints.emplace_back();
            now.id = id;
            now.date = parse_date(id == std::string("first") ? "2024-01-01" : id == std::string("second") ? "2024-03-01" : "2024-05-01");
            now.new_lesions = response::NewLesions::none;
        }
        result.timepoints[0].lesions = {measured("T1", 50, 60), silent("T1a"), silent("T1b")};
        result.timepoints[1].lesions = {silent("T1"), measured("T1a", 20, 4), measured("T1b", 12, 1)};
        result.timepoints[2].lesions = {silent("T1"), measured("T1a", 18, 3), measured("T1b", 10, 1)};
    }
};

TEST(PatientOf, CountsASplitLesionAsItsPartsFromThereOn)
{
    const Split split;
    const auto patient = patient_of(split.file, split.result);
    ASSERT_EQ(patient.lesions.size(), 1u) << "the parts are no lesions of their own";
    const auto assessment = response::assess(patient);
    ASSERT_TRUE(assessment.ok());
    EXPECT_EQ(assessment->recist.at(1).sum, Length::mm(32));
    EXPECT_EQ(assessment->recist.at(2).sum, Length::mm(28));
    EXPECT_EQ(patient.timepoints[1].observations.at(0).volume_ml, 5);
    EXPECT_EQ(assessment->recist.at(1).overall.category, response::Category::pr) << "no new lesion came of it";
}

TEST(PatientOf, LeavesASplitLesionNotEvaluableWhereAPartIs)
{
    Split split;
    split.result.timepoints[1].lesions[2] = silent("T1b");
    const auto patient = patient_of(split.file, split.result);
    EXPECT_EQ(patient.timepoints[1].observations.at(0).status, LesionStatus::not_evaluable);
    EXPECT_THAT(patient.timepoints[1].observations.at(0).reason, HasSubstr("part T1b"));
}

TEST(PatientOf, KeepsWhatWasStatedOfThePartsOfASplitLesion)
{
    Split split;
    auto stated = [&](LesionStatus status) {
        split.result.timepoints[1].lesions[2] = silent("T1b");
        split.result.timepoints[1].lesions[2].status = status;
        return patient_of(split.file, split.result).timepoints[1].observations.at(0);
    };
    EXPECT_EQ(stated(LesionStatus::too_small).fragments, std::vector<Length>{Length::mm(5)}) << "E09: 5 mm where no value is given";
    EXPECT_EQ(stated(LesionStatus::unequivocal_progression).status, LesionStatus::not_evaluable) << "a target is summed, and this part has no length";
    split.file.lesions[0].lesion.role = split.result.lesions[0].role = response::Role::non_target;
    EXPECT_EQ(stated(LesionStatus::unequivocal_progression).status, LesionStatus::unequivocal_progression);
    EXPECT_EQ(stated(LesionStatus::increased).status, LesionStatus::increased);
    split.file.lesions[2].timepoints["second"].nodule = true;
    EXPECT_TRUE(stated(LesionStatus::absent).nodule);
}

TEST(PatientOf, CallsASplitNonTargetGoneOnlyWhereAllPartsAre)
{
    Split split;
    split.file.lesions[0].lesion.role = split.result.lesions[0].role = response::Role::non_target;
    split.result.timepoints[1].lesions[1] = silent("T1a");
    split.result.timepoints[1].lesions[1].status = LesionStatus::absent;  // the first part, the other is 12 mm
    const auto assessment = response::assess(patient_of(split.file, split.result));
    ASSERT_TRUE(assessment.ok());
    EXPECT_EQ(assessment->recist.at(1).non_target, response::Category::non_cr_non_pd);
    split.result.timepoints[1].lesions[2] = split.result.timepoints[1].lesions[1];
    split.result.timepoints[1].lesions[2].lesion = "T1b";
    EXPECT_EQ(response::assess(patient_of(split.file, split.result))->recist.at(1).non_target, response::Category::cr);
}

TEST(PatientOf, ListsALesionMeasuredAsAWholeAndStatedSplit)
{
    Split split;
    split.result.timepoints[1].lesions[0] = measured("T1", 40, 20);
    EXPECT_THAT(patient_of(split.file, split.result).timepoints[1].observations.at(0).conflict, HasSubstr("stated split"));
}

TEST(PatientOf, CarriesTheReadersIntervalNoduleAndConflict)
{
    Split split;
    split.file.lesions[0].timepoints["first"].interval_mm = response::Interval{48, 52};
    split.file.lesions[0].timepoints["first"].nodule = true;
    split.result.timepoints[0].lesions[0].conflict = "lies in the same place as T2";
    const auto first = patient_of(split.file, split.result).timepoints[0].observations.at(0);
    EXPECT_EQ(first.length_mm->low, 48);
    EXPECT_TRUE(first.nodule);
    EXPECT_EQ(first.conflict, "lies in the same place as T2");
}

TEST(PatientOf, TakesTheIntervalOfTheOtherAxisAndOfTheCoresDensityWhereAReaderStatesIt)
{
    Split split;
    auto& lesion = split.result.timepoints[0].lesions[0];
    lesion.intervals["short_axis_mm"] = {1, 99};
    lesion.intervals["hu_mean"] = {30, 60};  // of all voxels: not what Choi uses
    const auto own = patient_of(split.file, split.result).timepoints[0].observations.at(0);
    ASSERT_TRUE(own.other_axis_mm);
    EXPECT_EQ(own.other_axis_mm->ends.high, 99);
    EXPECT_TRUE(own.other_axis_mm->calibrated);
    EXPECT_FALSE(own.hu_interval);
    split.file.lesions[0].timepoints["first"].interval_hu = response::Interval{40, 52};
    const auto stated = patient_of(split.file, split.result).timepoints[0].observations.at(0);
    ASSERT_TRUE(stated.hu_interval);
    EXPECT_EQ(stated.hu_interval->ends.low, 40);
    EXPECT_FALSE(stated.hu_interval->calibrated);
    split.file.lesions[0].lesion.nodal = true;  // the short axis enters the sum
    lesion.intervals["long_axis_mm"] = {2, 98};
    const auto node = patient_of(split.file, split.result).timepoints[0].observations.at(0);
    EXPECT_EQ(node.length_mm->high, 99);
    EXPECT_EQ(node.other_axis_mm->ends.high, 98);
}

TEST(PatientOf, SaysWhereARepeatLandsWhereARepeatabilitySaysWhatRepeatsMeasureOnAverage)
{
    // 50 mm, between 50 / 1.1 and 50 x 1.1 on average: one repeat lies within 50 / 1.1^sqrt 2 and 50 x 1.1^sqrt 2. Our own interval stays as it is.
    Split split;
    auto& lesion = split.result.timepoints[0].lesions[0];
    lesion.intervals["long_axis_mm"] = {50 / 1.1, 50 * 1.1};
    const auto own = patient_of(split.file, split.result).timepoints[0].observations.at(0);
    EXPECT_TRUE(own.length_calibrated);
    EXPECT_DOUBLE_EQ(own.length_mm->high, 55);
    lesion.interval_origin.of_repeats = true;
    const auto repeats = patient_of(split.file, split.result).timepoints[0].observations.at(0);
    EXPECT_FALSE(repeats.length_calibrated);
    EXPECT_NEAR(repeats.length_mm->high, 50 * std::pow(1.1, std::sqrt(2.0)), 1e-9);
    EXPECT_NEAR(repeats.length_mm->low, 50 / std::pow(1.1, std::sqrt(2.0)), 1e-9);
}

TEST(PatientOf, TakesTheStudysFactsAndTheReadersPhaseBeforeTheHeaders)
{
    Split split;
    ingest::CtSeries ct;
    ct.volume.geometry = VolumeGeometry::axial({4, 4, 11}, 1, 1, 2.5, {0, 0, 0});
    ct.facts.kernel = "B30f";
    ct.facts.kvp = 120;
    ct.facts.slice_thickness_mm = 3;
    ct.facts.contrast_phase = "arterial";
    ct.notices.push_back({Code::lossy, "lossy"});
    split.result.timepoints[0].ct = ct;
    split.result.timepoints[0].reach_mm = {-12, 340};
    auto study = patient_of(split.file, split.result).timepoints[0].study;
    EXPECT_EQ(study.phase, "arterial");
    EXPECT_EQ(study.contrast, "given");
    EXPECT_EQ(study.kernel_class, "soft");
    EXPECT_EQ(study.slice_spacing_mm, 2.5);
    EXPECT_EQ(study.scanned_mm, 25);
    EXPECT_THAT(study.reach_mm, testing::Optional(testing::ElementsAre(-12, 340)));
    EXPECT_EQ(study.lossy, true);
    split.file.timepoints[0].phase = "portal-venous";
    EXPECT_EQ(patient_of(split.file, split.result).timepoints[0].study.phase, "portal-venous");
}

}  // namespace
}  // namespace retromass::run

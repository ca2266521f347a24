#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>

#include "pipeline/ingest/ingest.h"
#include "tests/support/real_data.h"

namespace retromass::ingest {
namespace {

namespace fs = std::filesystem;

/// What the manifest of the collection says of a folder: the volumes that must load, or the code that refuses.
struct Expected {
    const char* folder;
    std::vector<int> slices;              ///< of each loadable volume, in the order of the scan
    std::vector<double> spacing_mm;       ///< along the normal; negative = not uniform
    double tilt_deg = 0;
    std::optional<Code> refusal;          ///< of at least one series
    std::optional<Code> excluded;         ///< of at least one file
    double mean_hu = NAN;                 ///< of the first volume, padding left out
};

// Values: pydicom geometry and statistics of the collection's manifest, not ours.
const Expected kExpected[] = {
    {"30_derived/00_reference", {28}, {5}, 0, {}, {}, -562.257},
    {"30_derived/01_one_interior_slice_missing", {}, {}, 0, Code::missing_slices, {}},
    {"30_derived/03_same_SOP_file_twice", {28}, {5}, 0, {}, Code::duplicate_file, -562.257},
    {"30_derived/04_same_position_same_pixels_new_SOP", {28}, {5}, 0, {}, Code::duplicate_file, -562.257},
    {"30_derived/07_instance_number_reversed_names_shuffled", {28}, {5}, 0, {}, {}, -562.257},
    {"30_derived/11_every_slice_own_AcquisitionNumber_single_volume", {28}, {5}, 0, {}, {}, -562.257},
    {"30_derived/12_FFS_same_LPS_coords", {28}, {5}, 0, {}, {}, -562.257},
    {"30_derived/15_no_ImagePositionPatient", {}, {}, 0, Code::no_geometry, {}},
    {"30_derived/16_empty_type2_tags_anonymised", {28}, {5}, 0, {}, {}, -562.257},
    {"30_derived/19_pixel_spacing_changes_mid_series", {}, {}, 0, Code::mixed_spacing, {}},
    {"30_derived/20_two_patients_same_series_uid", {}, {}, 0, Code::two_patients, {}},
    {"30_derived/22_iop_slightly_unnormalised", {28}, {5}, 0, {}, {}, -562.257},
    {"30_derived/24_single_slice", {}, {}, 0, Code::single_slice, {}},
    {"30_derived/26_localizer_inside_axial_series", {28}, {5}, 0, {}, Code::localizer, -562.257},
    {"01_gantry_tilt_variable_spacing_GE", {28}, {-1}, 18.5, {}, {}},
    {"04_two_kernels_three_recons_one_folder", {8, 8, 8}, {}, 0, {}, {}},
    {"06_tilt_plus_missing_slice_Siemens", {}, {}, 0, Code::missing_slices, {}},
    {"08_bolus_monitoring_same_position", {}, {}, 0, Code::bolus_monitoring, {}},
    {"20_patientposition_FFS_real", {3}, {1.0}, 0, {}, {}},
};

}  // namespace

TEST(Quirks, GiveTheVolumesAndRefusalsOfTheirManifest)
{
    RETROMASS_NEEDS_DATA("quirks");
    for (const auto& expected : kExpected) {
        SCOPED_TRACE(expected.folder);
        const auto folder = test::data_folder() / "quirks" / expected.folder;
        if (!fs::exists(folder)) continue;  // part of the collection is kept elsewhere
        const auto found = scan({folder});
        ASSERT_TRUE(found.ok()) << found.error().message;
        std::vector<const SeriesCandidate*> loadable;
        bool refused = false;
        for (const auto& series : found->series) {
            if (!series.refused) loadable.push_back(&series);
            else refused = refused || series.refused->code == expected.refusal;
        }
        EXPECT_EQ(refused, expected.refusal.has_value());
        ASSERT_EQ(loadable.size(), expected.slices.size());
        for (std::size_t i = 0; i < loadable.size(); ++i) {
            EXPECT_EQ(loadable[i]->geometry.size().slices, expected.slices[i]);
            if (i < expected.spacing_mm.size()) {
                EXPECT_NEAR(loadable[i]->geometry.slice_spacing_mm().value_or(-1), expected.spacing_mm[i], 1e-3);  // DS strings of the files
            }
            EXPECT_NEAR(loadable[i]->geometry.tilt_deg(), expected.tilt_deg, 0.01);
        }
        if (expected.excluded) {
            bool set_aside = false;
            for (const auto& e : found->excluded) set_aside = set_aside || e.code == *expected.excluded;
            EXPECT_TRUE(set_aside);
        }
        if (std::isnan(expected.mean_hu)) continue;
        const auto loaded = load(*loadable.at(0));
        ASSERT_TRUE(loaded.ok()) << loaded.error().message;
        double sum = 0;
        double count = 0;
        for (const auto v : loaded->volume.hu.values()) {
            if (v == kPaddingHu) continue;
            sum += v;
            ++count;
        }
        EXPECT_NEAR(sum / count, expected.mean_hu, 0.001);  // the digits the manifest prints
    }
}

TEST(Quirks, TruncatedPixelsNeverGiveAVolume)
{
    RETROMASS_NEEDS_DATA("quirks/30_derived/23_one_truncated_pixel_data");
    const auto found = scan({test::data_folder() / "quirks/30_derived/23_one_truncated_pixel_data"});
    ASSERT_TRUE(found.ok());
    for (const auto& series : found->series) EXPECT_TRUE(series.refused || !load(series).ok());
}

TEST(MalformedFiles, CrashNeitherScanNorLoad)
{
    RETROMASS_NEEDS_DATA("quirks/26_fuzz_malformed");
    for (const char* folder : {"26_fuzz_malformed", "14_no_meta_wrong_meta_bad_headers"}) {
        const auto path = test::data_folder() / "quirks" / folder;
        if (!fs::exists(path)) continue;
        // In a process of its own, so that a crash is this test's failure and not its end.
        const pid_t child = fork();
        if (child == 0) {
            alarm(120);
            const auto found = scan({path});
            if (!found.ok()) _exit(1);
            for (const auto& series : found->series) {
                if (!series.refused) (void)load(series);
            }
            _exit(0);
        }
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << folder << ": status " << status;
    }
}

}  // namespace retromass::ingest

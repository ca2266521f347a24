#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <sstream>

#include "pipeline/ingest/ingest.h"
#include "tests/support/real_data.h"

namespace retromass::ingest {
namespace {

namespace fs = std::filesystem;
using enum Code;

constexpr double kUneven = -1;

/// One volume the manifest promises.
struct Volume {
    std::array<int, 3> size;                      ///< columns, rows, slices
    double spacing_mm;                            ///< along the normal, or kUneven
    double tilt_deg = 0;
    std::multiset<Code> notices;
};

/// What the manifest of the collection says of a folder; every volume, refusal and exclusion is listed.
struct Expected {
    std::string folder;
    std::vector<Volume> volumes;
    std::multiset<Code> refusals;
    std::map<Code, int> excluded;                 ///< how many files by code
    std::optional<double> mean_hu;                ///< of the first volume, padding left out
    bool judged = false;                          ///< geometry and statistics are those of tests/support/dicom_judge.py (pydicom)
};

const Volume kReference{{96, 96, 28}, 5, 0, {}};
constexpr double kReferenceMean_hu = -562.257;

std::vector<Expected> expectations()
{
    const auto like_reference = [](const char* variant) { return Expected{std::string("30_derived/") + variant, {kReference}, {}, {}, kReferenceMean_hu, true}; };
    const auto refusal = [](const char* folder, Code code) { return Expected{folder, {}, {code}, {}, {}, false}; };
    auto with = [](Expected e, const std::multiset<Code>& notices, std::map<Code, int> excluded) {
        for (auto& v : e.volumes) v.notices = notices;
        e.excluded = std::move(excluded);
        return e;
    };
    const auto repeated = [](const Volume& v, std::size_t count) { return std::vector<Volume>(count, v); };
    const auto phases = [&](const char* folder) { return Expected{folder, repeated({{96, 96, 28}, 5, 0, {several_phases}}, 3), {}, {}, {}, false}; };
    std::vector<Expected> all{
        // One defect each, made from the same series: whatever does not change the CT must give the reference volume.
        like_reference("00_reference"),
        refusal("30_derived/01_one_interior_slice_missing", missing_slices),
        refusal("30_derived/02_three_interior_slices_missing", missing_slices),
        with(like_reference("03_same_SOP_file_twice"), {duplicate_file}, {{duplicate_file, 2}}),
        with(like_reference("04_same_position_same_pixels_new_SOP"), {duplicate_file}, {{duplicate_file, 1}}),
        refusal("30_derived/05_same_position_different_pixels", conflicting_duplicate),
        refusal("30_derived/06_same_SOP_different_pixels", conflicting_duplicate),
        like_reference("07_instance_number_reversed_names_shuffled"),
        {"30_derived/08_rescale_slope_intercept_per_slice", {kReference}, {}, {}, {}, true},
        phases("30_derived/09_three_phases_AcquisitionNumber"),
        phases("30_derived/10_three_phases_no_distinguishing_tag_but_InstanceNumber"),
        like_reference("11_every_slice_own_AcquisitionNumber_single_volume"),
        like_reference("12_FFS_same_LPS_coords"),
        {"30_derived/13_HFP_prone", {kReference}, {}, {}, {}, true},
        like_reference("14_wrong_SliceThickness_SpacingBetweenSlices"),
        with(refusal("30_derived/15_no_ImagePositionPatient", no_geometry), {}, {{no_geometry, 28}}),
        like_reference("16_empty_type2_tags_anonymised"),
        {"30_derived/17_signed_padding_minus2000", {kReference}, {}, {}, {}, true},
        like_reference("18_position_jitter"),
        refusal("30_derived/19_pixel_spacing_changes_mid_series", mixed_spacing),
        refusal("30_derived/20_two_patients_same_series_uid", two_patients),
        {"30_derived/22_iop_slightly_unnormalised", {kReference}, {}, {}, kReferenceMean_hu, true},
        with(refusal("30_derived/23_one_truncated_pixel_data", missing_slices), {}, {{truncated_pixels, 1}}),
        refusal("30_derived/24_single_slice", single_slice),
        with(like_reference("26_localizer_inside_axial_series"), {}, {{localizer, 1}}),
        // Real series.
        {"01_gantry_tilt_variable_spacing_GE", {{{512, 512, 28}, kUneven, 18.5, {gantry_tilt, uneven_slices, anonymised_dates}}}, {}, {}, {}, true},
        {"03_philips_study_mixed_localizer_dose_two_tilts_DICOMDIR",
         {{{512, 512, 5}, 2.3708, 18.5, {gantry_tilt, few_slices}}, {{512, 512, 5}, 2.3970, 16.5, {gantry_tilt, few_slices}}},
         {}, {{localizer, 1}, {screenshot, 5}, {not_an_image, 6}, {missing_dicomdir_target, 123}}, {}, true},
        {"04_two_kernels_three_recons_one_folder", {{{512, 512, 8}, 5, 0, {few_slices}}, {{512, 512, 8}, 1, 0, {few_slices}}, {{512, 512, 8}, 1, 0, {few_slices}}}, {}, {}, {}, true},
        refusal("06_tilt_plus_missing_slice_Siemens", missing_slices),
        refusal("08_bolus_monitoring_same_position", bolus_monitoring),
        {"09_4D_phases_Toshiba_tiny", repeated({{3, 2, 4}, 0.5, 0, {few_slices}}, 19), {}, {}, {}, true},
        {"10_enhanced_multiframe/4D_Toshiba_tiny", repeated({{3, 2, 4}, 0.5, 0, {few_slices}}, 19), {}, {}, {}, false},
        refusal("10_enhanced_multiframe/NEMA_CT0012_perfusion_2frames", material_map),
        {"10_enhanced_multiframe/dcmqi_tiny", repeated({{23, 38, 3}, 2.5, 0, {few_slices, not_hu}}, 2), {}, {}, {}, false},  // Rescale Type US
        with(refusal("11_transfer_syntaxes_same_CT/fragmented_jpegls", single_slice), {}, {{duplicate_file, 4}, {not_dicom, 1}}),
        {"20_patientposition_FFS_real", {{{512, 512, 3}, 1.0, 0, {few_slices}}}, {}, {}, {}, true},
    };
    return all;
}

/// Folders whose files are judged one by one, or as malformed input, by other tests.
bool judged_elsewhere(const std::string& folder)
{
    for (const char* known : {"11_transfer_syntaxes_same_CT/cwil_CTImage", "12_pixel_bits_padding", "14_no_meta_wrong_meta_bad_headers", "15_charsets", "16_DICOMDIR_variants", "23_SEG_SR_RTSTRUCT_examples", "26_fuzz_malformed"}) {
        if (folder == known) return true;
    }
    return false;
}

const Expected* expectation_of(const std::vector<Expected>& all, const std::string& folder)
{
    for (const auto& e : all) {
        if (e.folder == folder) return &e;
        // Variants are known by their number: only their labels differ between copies of the collection.
        const auto number = std::string("30_derived/").size() + 3;
        if (folder.rfind("30_derived/", 0) == 0 && e.folder.substr(0, number) == folder.substr(0, number)) return &e;
    }
    return nullptr;
}

struct Judged {
    std::string uid;
    int columns, rows, slices;
    double column_mm, row_mm, slice_mm, x, y, z, tilt, mean, least, most;
};

std::vector<Judged> judge(const fs::path& folder)
{
    const auto command = "/usr/bin/python3 '" + (fs::path(RETROMASS_SOURCE_FOLDER) / "tests/support/dicom_judge.py").string() + "' '" + folder.string() + "' 2>/dev/null";
    std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    std::string text;
    char part[4096];
    while (pipe && fgets(part, sizeof part, pipe.get())) text += part;
    std::istringstream in(text);
    std::vector<Judged> out;
    std::string line;
    while (std::getline(in, line)) {
        std::istringstream words(line);
        std::vector<std::string> w{std::istream_iterator<std::string>(words), {}};
        if (w.size() != 14) continue;
        const auto n = [&](std::size_t i) { return std::strtod(w[i].c_str(), nullptr); };  // reads "nan"
        out.push_back({w[0], std::stoi(w[1]), std::stoi(w[2]), std::stoi(w[3]), n(4), n(5), n(6), n(7), n(8), n(9), n(10), n(11), n(12), n(13)});
    }
    return out;
}

struct Statistics {
    double mean = 0;
    int least = 0, most = 0;
};

Statistics statistics_of(const CtVolume& volume)
{
    Statistics out{0, 32767, -32768};
    double count = 0;
    for (const auto v : volume.hu.values()) {
        if (v == kPaddingHu) continue;
        out.mean += v;
        out.least = std::min<int>(out.least, v);
        out.most = std::max<int>(out.most, v);
        ++count;
    }
    out.mean /= count;
    return out;
}

void compare_with_judge(const fs::path& folder, const std::vector<const SeriesCandidate*>& loadable)
{
    const auto judged = judge(folder);
    ASSERT_FALSE(judged.empty()) << "pydicom judged nothing";
    for (const auto* series : loadable) {
        SCOPED_TRACE(series->facts.series_instance_uid);
        const auto found = std::find_if(judged.begin(), judged.end(), [&](const auto& j) { return j.uid == series->facts.series_instance_uid; });
        ASSERT_NE(found, judged.end());
        const auto& g = series->geometry;
        EXPECT_EQ(g.size(), (Dimensions{found->columns, found->rows, found->slices}));
        constexpr double ds = 1e-4;  // positions are decimal strings of six places at most; the normal is computed from them
        EXPECT_NEAR(g.column_spacing_mm(), found->column_mm, 1e-9);
        EXPECT_NEAR(g.row_spacing_mm(), found->row_mm, 1e-9);
        EXPECT_EQ(g.slice_spacing_mm().has_value(), !std::isnan(found->slice_mm));
        if (g.slice_spacing_mm()) {
            EXPECT_NEAR(*g.slice_spacing_mm(), found->slice_mm, ds);
        }
        EXPECT_NEAR(distance(g.slice_origin(0), {found->x, found->y, found->z}), 0, 1e-9);
        EXPECT_NEAR(g.tilt_deg(), found->tilt, 1e-3);
        const auto loaded = load(*series);
        ASSERT_TRUE(loaded.ok()) << loaded.error().message;
        const auto s = statistics_of(loaded->volume);
        if (std::isnan(found->mean)) continue;
        EXPECT_NEAR(s.mean, found->mean, 0.01);  // halves round away from zero here, to even there
        EXPECT_NEAR(s.least, found->least, 1);
        EXPECT_NEAR(s.most, found->most, 1);
    }
}

void check(const Expected& expected, const fs::path& folder)
{
    const auto found = scan({folder});
    ASSERT_TRUE(found.ok()) << found.error().message;
    std::vector<const SeriesCandidate*> loadable;
    std::multiset<Code> refusals;
    for (const auto& series : found->series) {
        if (series.refused) refusals.insert(series.refused->code);
        else loadable.push_back(&series);
    }
    EXPECT_EQ(refusals, expected.refusals);
    ASSERT_EQ(loadable.size(), expected.volumes.size());
    for (std::size_t i = 0; i < loadable.size(); ++i) {
        const auto& g = loadable[i]->geometry;
        const auto& volume = expected.volumes[i];
        EXPECT_EQ(g.size(), (Dimensions{volume.size[0], volume.size[1], volume.size[2]}));
        EXPECT_NEAR(g.slice_spacing_mm().value_or(kUneven), volume.spacing_mm, 1e-4);  // the digits the manifest prints
        EXPECT_NEAR(g.tilt_deg(), volume.tilt_deg, 0.01);
        std::multiset<Code> notices;
        for (const auto& notice : loadable[i]->notices) notices.insert(notice.code);
        EXPECT_EQ(notices, volume.notices);
    }
    if (expected.refusals.count(conflicting_duplicate) == 0) {  // which of the contradicting images come first is no promise
        std::map<Code, int> excluded;
        for (const auto& e : found->excluded) ++excluded[e.code];
        EXPECT_EQ(excluded, expected.excluded);
    }
    if (expected.mean_hu) {
        const auto loaded = load(*loadable.at(0));
        ASSERT_TRUE(loaded.ok()) << loaded.error().message;
        EXPECT_NEAR(statistics_of(loaded->volume).mean, *expected.mean_hu, 0.001);  // the digits the manifest prints
    }
    if (expected.judged) compare_with_judge(folder, loadable);
}

std::vector<std::string> folders_of_the_collection()
{
    const auto root = test::data_folder() / "quirks";
    std::vector<std::string> out;
    for (const auto& top : fs::directory_iterator(root)) {
        if (!top.is_directory()) continue;
        const auto name = top.path().filename().string();
        const bool labelled = name == "30_derived" || name == "10_enhanced_multiframe" || name == "11_transfer_syntaxes_same_CT";
        if (!labelled) {
            out.push_back(name);
            continue;
        }
        for (const auto& variant : fs::directory_iterator(top.path())) {
            if (variant.is_directory()) out.push_back(name + "/" + variant.path().filename().string());
        }
    }
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace

TEST(Quirks, GiveTheVolumesNoticesAndRefusalsOfTheirManifest)
{
    RETROMASS_NEEDS_DATA("quirks");
    const auto all = expectations();
    std::size_t known = 0;
    for (const auto& folder : folders_of_the_collection()) {
        SCOPED_TRACE(folder);
        if (judged_elsewhere(folder)) continue;
        const auto* expected = expectation_of(all, folder);
        EXPECT_TRUE(expected) << "a folder this test does not know: say what it must give";
        if (!expected) continue;
        check(*expected, test::data_folder() / "quirks" / folder);
        ++known;
    }
    EXPECT_GT(known, 0u);
}

TEST(Quirks, TwoFramesOfReferenceAreTwoVolumes)
{
    const auto derived = test::data_folder() / "quirks/30_derived";
    fs::path variant;
    if (fs::exists(derived)) {
        for (const auto& entry : fs::directory_iterator(derived)) {
            if (entry.path().filename().string().starts_with("21_")) variant = entry.path();
        }
    }
    // The collection is given in parts; a made series stands for this one in checklist_test.cpp.
    if (variant.empty()) GTEST_SKIP() << "variant 21 is not in this part of the collection";
    RETROMASS_NEEDS_DATA("quirks/30_derived");
    const auto found = scan({variant});
    ASSERT_TRUE(found.ok());
    ASSERT_EQ(found->series.size(), 2u);
    for (const auto& series : found->series) {
        ASSERT_FALSE(series.refused) << series.refused->message;
        EXPECT_TRUE(has(series.notices, two_frames_of_reference));
    }
}

TEST(Quirks, ADicomdirIsFollowedAndWhatItMissesIsReported)
{
    RETROMASS_NEEDS_DATA("quirks/16_DICOMDIR_variants");
    const auto folder = test::data_folder() / "quirks/16_DICOMDIR_variants/dicomdirtests";
    for (const char* name : {"DICOMDIR", "DICOMDIR-implicit", "DICOMDIR-bigEnd", "DICOMDIR-nooffset", "DICOMDIR-reordered", "DICOMDIR-nopatient"}) {
        if (!fs::exists(folder / name)) continue;
        SCOPED_TRACE(name);
        const auto found = scan({folder / name});
        ASSERT_TRUE(found.ok());
        // The README there: the same 31 images in six writings, of three patients; each is there or reported.
        std::size_t missing = 0;
        std::size_t other = 0;
        for (const auto& e : found->excluded) (e.code == missing_dicomdir_target ? missing : other) += 1;
        std::size_t slices = 0;
        for (const auto& series : found->series) slices += series.slices.size();
        EXPECT_EQ(missing + other + slices, 31u + 1u) << "31 files and the DICOMDIR itself";
    }
}

TEST(MalformedFiles, CrashNeitherScanNorLoadAndHoldLittleMemory)
{
    RETROMASS_NEEDS_DATA("quirks/26_fuzz_malformed");
    for (const char* folder : {"26_fuzz_malformed", "14_no_meta_wrong_meta_bad_headers", "15_charsets", "23_SEG_SR_RTSTRUCT_examples"}) {
        const auto path = test::data_folder() / "quirks" / folder;
        if (!fs::exists(path)) continue;
        // In a process of its own, so that a crash is this test's failure and not its end. Each file alone too: in a crowd one may hide another.
        const pid_t child = fork();
        if (child == 0) {
            alarm(120);
            std::vector<fs::path> paths{path};
            for (const auto& entry : fs::recursive_directory_iterator(path)) {
                if (entry.is_regular_file()) paths.push_back(entry.path());
            }
            for (const auto& one : paths) {
                const auto found = scan({one});
                if (!found.ok()) _exit(1);
                for (const auto& series : found->series) {
                    if (!series.refused) (void)load(series);
                }
            }
            _exit(0);
        }
        int status = 0;
        rusage used{};
        ASSERT_EQ(wait4(child, &status, 0, &used), child);
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << folder << ": status " << status;
        // These files are megabytes at most; the headers of some promise gigabytes. A header is read to 64 MiB at most by each thread.
        constexpr long most_kib = 512 * 1024;
        EXPECT_LT(used.ru_maxrss, most_kib) << folder;
    }
}

}  // namespace retromass::ingest

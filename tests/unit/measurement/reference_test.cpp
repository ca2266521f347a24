// Published values of masks that others measured. Read from RETROMASS_DATA.

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "measurement/measure.h"
#include "pipeline/ingest/ingest.h"
#include "tests/support/real_data.h"

namespace retromass::measurement {
namespace {

LesionMeasurements measured(const std::filesystem::path& file)
{
    const auto labels = ingest::read_labels(file).value();
    Mask mask(labels.labels.size());
    for (std::size_t i = 0; i < mask.values().size(); ++i) mask[i] = labels.labels[i] != 0;
    return measure(mask, labels.geometry, nullptr).value();
}

TEST(Reference, TheIbsiDigitalPhantomHasItsConsensusValues)
{
    RETROMASS_NEEDS_DATA("ibsi/digital_phantom_reference.csv");
    const auto folder = test::data_folder() / "ibsi";
    const auto labels = ingest::read_labels(folder / "digital_phantom_mask.nii.gz").value();
    const auto image = ingest::read_labels(folder / "digital_phantom_image.nii.gz").value();  // small whole numbers, so they read as labels
    Mask mask(labels.labels.size());
    Grid<std::int16_t> grey(labels.labels.size());
    for (std::size_t i = 0; i < mask.values().size(); ++i) {
        mask[i] = labels.labels[i] != 0;
        grey[i] = static_cast<std::int16_t>(image.labels[i]);
    }
    const auto m = measure(mask, labels.geometry, &grey).value();
    const std::map<std::string, double> ours{{"morph_volume", m.mesh_volume_mm3},
                                             {"morph_vol_approx", m.voxel_volume_mm3},
                                             {"morph_area_mesh", m.surface_area_mm2},
                                             {"morph_diam", m.max_3d_diameter_mm},
                                             {"morph_pca_maj_axis", m.principal_axes_mm[0]},
                                             {"morph_pca_min_axis", m.principal_axes_mm[1]},
                                             {"morph_pca_least_axis", m.principal_axes_mm[2]},
                                             {"stat_mean", m.hu->mean},
                                             {"stat_var", m.hu->sd * m.hu->sd},
                                             {"stat_median", m.hu->median},
                                             {"stat_min", m.hu->minimum},
                                             {"stat_max", m.hu->maximum},
                                             {"stat_p10", m.hu->p10},
                                             {"stat_p90", m.hu->p90}};
    std::ifstream table(folder / "digital_phantom_reference.csv");
    std::size_t compared = 0;
    for (std::string line; std::getline(table, line);) {
        std::istringstream fields(line);
        std::string value, tolerance, tag;
        std::getline(fields, value, ';');
        std::getline(fields, tolerance, ';');
        std::getline(fields, tag, ';');
        if (!tag.empty() && tag.back() == '\r') tag.pop_back();
        const auto found = ours.find(tag);
        if (found == ours.end()) continue;
        ++compared;
        // A tolerance of 0 compares the digits printed (docs/clinical.md 3.2).
        const auto point = value.find('.');
        const double half_a_digit = point == std::string::npos ? 0.5 : 0.5 * std::pow(10.0, -static_cast<double>(value.size() - point - 1));
        EXPECT_NEAR(found->second, std::stod(value), tolerance == "0" ? half_a_digit : std::stod(tolerance)) << tag;
    }
    EXPECT_EQ(compared, ours.size()) << "every feature we report has its row";
}

TEST(Reference, TwoLungLesionsHaveThePublishedShape)
{
    RETROMASS_NEEDS_DATA("pyradiomics_labels/lung2_label.nrrd");
    const auto folder = test::data_folder() / "pyradiomics_labels";
    // baseline_shape.csv, within 0.1 % (its principal axes divide by N, ours by N - 1; meshes differ where faces are ambiguous).
    const auto near = [](double value, double published) { EXPECT_NEAR(value, published, 0.001 * published); };
    const auto one = measured(folder / "lung1_label.nrrd");
    near(one.max_3d_diameter_mm, 21.3449467202);
    near(one.mesh_volume_mm3, 1330.97607931);
    near(one.surface_area_mm2, 782.241457999);
    near(one.voxel_volume_mm3, 1361.1978149414062);
    near(one.principal_axes_mm[0], 17.374483317150464);
    // The published in-slice diameter of lesion one mixes two slices; ours is of one.
    EXPECT_NEAR(one.long_axis.exact_mm, 16.4503, 1e-4);
    const auto two = measured(folder / "lung2_label.nrrd");
    near(two.max_3d_diameter_mm, 68.9824710303);
    near(two.mesh_volume_mm3, 48292.5216046);
    near(two.surface_area_mm2, 9537.54487991);
    near(two.principal_axes_mm[2], 31.75180297332843);
    EXPECT_NEAR(two.long_axis.exact_mm, 55.8023479973, 1e-6);
}

}  // namespace
}  // namespace retromass::measurement

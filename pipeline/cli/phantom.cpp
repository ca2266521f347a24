#include "sample_data/phantom.h"

#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/units.h"
#include "pipeline/cli/commands.h"
#include "pipeline/outputs/outputs.h"

namespace retromass::cli {
namespace {

struct Options {
    std::string folder;
    bool patient = false;
    bool invisible_mass = false;
    bool uncompressed = false;
    std::uint64_t seed = 1;
    std::string shape = "ball";
    std::vector<double> size_mm{30, 30, 30};
    std::vector<int> grid{96, 96, 64};
    std::vector<double> spacing_mm{1, 1, 1};
    double tilt_deg = 0;
    double noise_hu = 10;
    double lesion_hu = 60;
    double surrounding_hu = -100;
    double necrotic_fraction = 0.3;
    int threads = 0;
};

Status write_patient(const Options& options)
{
    sample_data::PatientOptions patient;
    patient.seed = options.seed;
    patient.lossless_jpeg = !options.uncompressed;
    patient.invisible_mass = options.invisible_mass;
    patient.threads = options.threads;
    RETROMASS_TRY_ASSIGN(const auto studies, sample_data::write_patient(options.folder, patient, terminal_progress()));
    std::cout << "wrote " << studies.size() << " studies of a SYNTHETIC patient, case.yaml and truth.json to " << options.folder << '\n';
    return Done{};
}

Status write_shape(const Options& options)
{
    const auto shape = sample_data::shape_named(options.shape);
    if (!shape) return Error{Code::usage, "--shape " + options.shape + ": known shapes are ball, box, ellipsoid, shell, dumbbell, crescent, reuleaux, two-components, rim-necrosis", "cli: phantom"};
    sample_data::ShapeSpecification wanted;
    wanted.shape = *shape;
    wanted.size_mm = options.size_mm;
    wanted.grid = {options.grid[0], options.grid[1], options.grid[2]};
    wanted.column_spacing_mm = options.spacing_mm[0];
    wanted.row_spacing_mm = options.spacing_mm[1];
    wanted.slice_spacing_mm = options.spacing_mm[2];
    wanted.gantry_tilt_deg = options.tilt_deg;
    wanted.noise_hu = options.noise_hu;
    wanted.lesion_hu = options.lesion_hu;
    wanted.surrounding_hu = options.surrounding_hu;
    wanted.necrotic_fraction = options.necrotic_fraction;
    wanted.seed = options.seed;
    RETROMASS_TRY_ASSIGN(const auto phantom, sample_data::make_shape(wanted));
    sample_data::DicomDescription description;
    description.uid_seed = "phantom " + options.shape + " " + std::to_string(options.seed);
    description.series_description = "SYNTHETIC " + options.shape;
    description.date = *parse_date("2020-01-01");
    description.lossless_jpeg = !options.uncompressed;
    const std::filesystem::path folder = options.folder;
    RETROMASS_TRY(sample_data::write_dicom(folder / "ct", phantom.ct, description, options.threads));
    RETROMASS_TRY(outputs::write_nifti(folder / "truth.nii.gz", phantom.mask, phantom.ct.geometry));
    nlohmann::ordered_json truth{{"shape", options.shape}, {"volume_ml", phantom.truth.volume_ml}, {"long_axis_mm", phantom.truth.long_axis_mm},
                                 {"short_axis_mm", phantom.truth.short_axis_mm}, {"craniocaudal_mm", phantom.truth.craniocaudal_mm},
                                 {"max_3d_diameter_mm", phantom.truth.max_3d_diameter_mm}, {"how", phantom.truth.how}};
    std::ofstream out(folder / "truth.json");
    out << truth.dump(1) << '\n';
    if (!out) return Error{Code::io, (folder / "truth.json").string() + " cannot be written", "cli: phantom"};
    std::cout << "wrote " << options.shape << ": " << fixed(phantom.truth.long_axis_mm, 2) << " x " << fixed(phantom.truth.short_axis_mm, 2) << " x "
              << fixed(phantom.truth.craniocaudal_mm, 2) << " mm, " << fixed(phantom.truth.volume_ml, 2) << " ml (" << phantom.truth.how << ") to " << options.folder << '\n';
    return Done{};
}

}  // namespace

void add_phantom(CLI::App& app, Context& context)
{
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("phantom", "Write CT series of exactly known truth: a geometric shape or the sample patient");
    command->add_option("DIR", options->folder, "Folder to write")->required();
    command->add_flag("--patient", options->patient, "The sample patient: five studies with case.yaml and truth.json");
    command->add_flag("--invisible-mass", options->invisible_mass, "With --patient: paint the mass to its surroundings, which no honest segmentation finds");
    command->add_flag("--uncompressed", options->uncompressed, "Explicit little endian instead of JPEG lossless");
    command->add_option("--seed", options->seed, "Another seed, another patient or noise");
    command->add_option("--shape", options->shape, "ball, box, ellipsoid, shell, dumbbell, crescent, reuleaux, two-components, rim-necrosis");
    command->add_option("--size", options->size_mm, "Extents x,y,z in mm")->delimiter(',')->expected(3);
    command->add_option("--grid", options->grid, "Columns,rows,slices")->delimiter(',')->expected(3)->check(CLI::Range(2, 2048));
    command->add_option("--spacing", options->spacing_mm, "Column,row,slice spacing in mm")->delimiter(',')->expected(3)->check(CLI::PositiveNumber);
    command->add_option("--tilt", options->tilt_deg, "Gantry tilt, degrees")->check(CLI::Range(-45.0, 45.0));
    command->add_option("--noise", options->noise_hu, "Noise, HU (standard deviation)")->check(CLI::NonNegativeNumber);
    command->add_option("--lesion-hu", options->lesion_hu, "HU of the lesion");
    command->add_option("--surrounding-hu", options->surrounding_hu, "HU around it");
    command->add_option("--necrotic-fraction", options->necrotic_fraction, "For rim-necrosis")->check(CLI::Range(0.0, 0.95));
    command->add_option("--threads", options->threads, "Threads (0 = all cores)")->check(CLI::NonNegativeNumber);
    command->footer("Example: retromass phantom ball --shape ball --size 40,40,40 --spacing 0.8,0.8,2.5");
    command->callback([options, &context] {
        const auto status = options->patient ? write_patient(*options) : write_shape(*options);
        if (!status) context.exit = complain(status.error());
    });
}

}  // namespace retromass::cli

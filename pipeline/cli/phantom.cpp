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

constexpr const char* kShapes = "ball, box, ellipsoid, shell, dumbbell, crescent, reuleaux, two-components, rim-necrosis";
constexpr const char* kFooter = R"(Shapes (--shape; --size is x,y,z in mm, x and y in the measured planes):
  ball            diameter x
  box             x by y by z
  ellipsoid       axes x, y, z
  shell           ball of diameter x, hollow within 0.6 of its radius
  dumbbell        two balls of diameter y with a neck, x long in all
  crescent        ball of diameter x less an equal ball
  reuleaux        prism of constant width x, z high
  two-components  two balls of diameter y apart, x long in all
  rim-necrosis    ellipsoid whose inner part (--necrotic-fraction of its volume) is 15 HU; --necrotic-offset 0 in the middle, 1 at the surface

DIR/ct holds the series, DIR/truth.json the exact sizes, DIR/truth.nii.gz the mask. With --patient: DIR/ct/<time point>,
DIR/truth/<time point>.nii.gz, DIR/case.yaml for `retromass run` and, where its lines lie in slices, DIR/lines.csv for `retromass batch plan`. The same options give the same bytes.

Examples:
  retromass phantom ball --shape ball --size 40,40,40 --spacing 0.8,0.8,2.5
  retromass phantom tilted --shape rim-necrosis --size 60,50,40 --necrotic-fraction 0.8 --grid 128,128,48 --tilt 18
  retromass phantom sample --patient
  retromass phantom another --patient --seed 7 --spacing 0.9,0.9,5 --phase arterial --noise 25
  retromass phantom lying --patient --orientation coronal
  retromass phantom leaning --patient --orientation 1,0,0,0,0.966,0.259 --uncompressed)";

struct Options {
    std::string folder;
    bool patient = false;
    bool invisible_mass = false;
    bool uncompressed = false;
    std::uint64_t seed = 1;
    std::string shape = "ball";
    std::vector<double> size_mm{30, 30, 30};
    std::vector<int> grid{96, 96, 64};
    std::vector<double> spacing_mm;
    std::string orientation = "axial";
    double tilt_deg = 0;
    std::string phase = "portal-venous";
    std::optional<double> noise_hu;
    double lesion_hu = 60;
    double surrounding_hu = -100;
    double necrotic_fraction = 0.3;
    double necrotic_offset = 0;
    int threads = 0;
};

Result<std::array<double, 6>> orientation_of(const std::string& text)
{
    if (const auto named = sample_data::orientation_named(text)) return *named;
    const auto values = numbers(text, 6, "--orientation");
    if (!values) return Error{Code::usage, "--orientation " + text + ": axial, coronal, sagittal, or six numbers, the directions of rows and columns in LPS", "cli: phantom"};
    std::array<double, 6> out{};
    std::copy(values->begin(), values->end(), out.begin());
    return out;
}

Status write_patient(const Options& options)
{
    sample_data::PatientOptions patient;
    patient.seed = options.seed;
    patient.lossless_jpeg = !options.uncompressed;
    patient.invisible_mass = options.invisible_mass;
    patient.threads = options.threads;
    if (!options.spacing_mm.empty()) {
        patient.scan.column_spacing_mm = options.spacing_mm[0];
        patient.scan.row_spacing_mm = options.spacing_mm[1];
        patient.scan.slice_spacing_mm = options.spacing_mm[2];
    }
    patient.scan.gantry_tilt_deg = options.tilt_deg;
    RETROMASS_TRY_ASSIGN(patient.scan.orientation, orientation_of(options.orientation));
    const auto phase = sample_data::phase_named(options.phase);
    if (!phase) return Error{Code::usage, "--phase " + options.phase + ": known phases are unenhanced, arterial, portal-venous", "cli: phantom"};
    patient.phase = *phase;
    if (options.noise_hu) patient.noise_hu = *options.noise_hu;
    RETROMASS_TRY_ASSIGN(const auto studies, sample_data::write_patient(options.folder, patient, terminal_progress()));
    const bool lines = std::filesystem::exists(std::filesystem::path(options.folder) / "lines.csv");
    std::cout << "wrote " << studies.size() << " studies of a SYNTHETIC patient, case.yaml, " << (lines ? "lines.csv " : "") << "and truth.json to " << options.folder << '\n';
    return Done{};
}

Status write_shape(const Options& options)
{
    const auto shape = sample_data::shape_named(options.shape);
    if (!shape) return Error{Code::usage, "--shape " + options.shape + ": known shapes are " + kShapes, "cli: phantom"};
    sample_data::ShapeSpecification wanted;
    wanted.shape = *shape;
    wanted.size_mm = options.size_mm;
    wanted.grid = {options.grid[0], options.grid[1], options.grid[2]};
    if (!options.spacing_mm.empty()) {
        wanted.column_spacing_mm = options.spacing_mm[0];
        wanted.row_spacing_mm = options.spacing_mm[1];
        wanted.slice_spacing_mm = options.spacing_mm[2];
    }
    wanted.gantry_tilt_deg = options.tilt_deg;
    RETROMASS_TRY_ASSIGN(wanted.orientation, orientation_of(options.orientation));
    wanted.noise_hu = options.noise_hu.value_or(10);
    wanted.lesion_hu = options.lesion_hu;
    wanted.surrounding_hu = options.surrounding_hu;
    wanted.necrotic_fraction = options.necrotic_fraction;
    wanted.necrotic_offset = options.necrotic_offset;
    wanted.seed = options.seed;
    RETROMASS_TRY_ASSIGN(const auto phantom, sample_data::make_shape(wanted));
    // The bytes of a series and its UIDs go together: every option is in the seed of the UIDs.
    std::string all = "phantom " + options.shape + " " + std::to_string(options.seed) + " " + options.orientation;
    for (const auto& list : {wanted.size_mm, {wanted.column_spacing_mm, wanted.row_spacing_mm, wanted.slice_spacing_mm, wanted.gantry_tilt_deg, wanted.noise_hu, wanted.lesion_hu, wanted.surrounding_hu, wanted.necrotic_fraction}}) {
        for (const double v : list) all += " " + fixed(v, 6);
    }
    for (const int n : options.grid) all += " " + std::to_string(n);
    if (wanted.necrotic_offset != 0) all += " offset " + fixed(wanted.necrotic_offset, 6);
    sample_data::DicomDescription description;
    description.uid_seed = all;
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

/// An option that means nothing here is refused, not passed over: the reader would believe in it.
Status fits(const CLI::App& command, bool patient)
{
    const auto without = [&](std::initializer_list<const char*> names, const std::string& why) -> Status {
        for (const char* option : names) {
            if (command.count(option) > 0) return Error{Code::usage, std::string(option) + " " + why, "cli: phantom"};
        }
        return Done{};
    };
    if (patient) {
        return without({"--shape", "--size", "--grid", "--lesion-hu", "--surrounding-hu", "--necrotic-fraction", "--necrotic-offset"}, "is for shapes; a patient takes --seed, --spacing, --tilt, --orientation, --phase and --noise");
    }
    return without({"--phase", "--invisible-mass"}, "goes with --patient; a shape takes --lesion-hu and --surrounding-hu");
}

}  // namespace

void add_phantom(CLI::App& app, Context& context)
{
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("phantom", "Write CT series of exactly known truth: a geometric shape or the sample patient");
    command->add_option("DIR", options->folder, "Folder to write")->required();
    command->add_flag("--patient", options->patient, "The sample patient: five studies with case.yaml and truth.json");
    command->add_option("--seed", options->seed, "With --patient: 1 (default) has the published sizes, any other is another body with another mass; with a shape: other noise");
    command->add_option("--spacing", options->spacing_mm, "Column,row,slice spacing in mm (default 1,1,1; with --patient 0.8,0.8,2.5)")->delimiter(',')->expected(3)->check(CLI::PositiveNumber);
    command->add_option("--tilt", options->tilt_deg, "Gantry tilt of axial slices, degrees")->check(CLI::Range(-30.0, 30.0));
    command->add_option("--orientation", options->orientation, "axial (default), coronal, sagittal, or six numbers as in Image Orientation (Patient)");
    command->add_option("--noise", options->noise_hu, "Noise, HU (standard deviation; default 10, with --patient 12)")->check(CLI::Range(0.0, 200.0));
    command->add_option("--phase", options->phase, "With --patient: unenhanced, arterial, portal-venous (default)");
    command->add_flag("--invisible-mass", options->invisible_mass, "With --patient: paint the mass to its surroundings, which no honest segmentation finds");
    command->add_flag("--uncompressed", options->uncompressed, "Explicit little endian instead of JPEG lossless");
    command->add_option("--shape", options->shape, kShapes);
    command->add_option("--size", options->size_mm, "Extents x,y,z in mm (default 30,30,30)")->delimiter(',')->expected(3);
    command->add_option("--grid", options->grid, "Columns,rows,slices (default 96,96,64)")->delimiter(',')->expected(3)->check(CLI::Range(2, 2048));
    command->add_option("--lesion-hu", options->lesion_hu, "HU of the lesion (default 60)")->check(CLI::Range(-1024.0, 3071.0));
    command->add_option("--surrounding-hu", options->surrounding_hu, "HU around it (default -100)")->check(CLI::Range(-1024.0, 3071.0));
    command->add_option("--necrotic-fraction", options->necrotic_fraction, "For rim-necrosis: part of the volume (default 0.3)")->check(CLI::Range(0.1, 0.8));
    command->add_option("--necrotic-offset", options->necrotic_offset, "For rim-necrosis: 0 = in the middle, 1 = at the surface, towards the greatest y (default 0)")->check(CLI::Range(0.0, 1.0));
    command->add_option("--threads", options->threads, "Threads (0 = all cores)")->check(CLI::NonNegativeNumber);
    command->footer(kFooter);
    command->callback([options, command, &context] {
        auto status = fits(*command, options->patient);
        if (status) status = options->patient ? write_patient(*options) : write_shape(*options);
        if (!status) context.exit = complain(status.error());
    });
}

}  // namespace retromass::cli

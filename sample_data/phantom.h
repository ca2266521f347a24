#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/date.h"
#include "core/progress.h"
#include "core/result.h"
#include "core/volume.h"

/// CT of exactly known truth: geometric shapes and the seed patient. Shares no code with measurement/.
namespace retromass::sample_data {

enum class Shape { ball, box, ellipsoid, shell, dumbbell, crescent, reuleaux, two_components, rim_necrosis };

/// Truth from closed forms or dense sampling of the analytic surface, never from voxels through measurement/.
struct Truth {
    double volume_ml = 0;
    double long_axis_mm = 0;         ///< continuous body, axial plane
    double short_axis_mm = 0;
    double craniocaudal_mm = 0;
    double max_3d_diameter_mm = 0;
    std::optional<double> surface_area_mm2;
    std::string how;                 ///< "closed form" or "sampled surface, 0.01 mm"
};

/// How the scanner cuts the body. Slices lie within 30 degrees of axial or exactly in coronal or sagittal planes: only there is
/// it defined which plane is measured (docs/clinical.md 2.5); other scans are refused.
struct Scan {
    double column_spacing_mm = 1;
    double row_spacing_mm = 1;
    double slice_spacing_mm = 1;             ///< along the normal of the slices
    double gantry_tilt_deg = 0;              ///< turns axial slices about their rows; the couch still moves straight
    std::array<double, 6> orientation{1, 0, 0, 0, 1, 0};  ///< as Image Orientation (Patient)
};
/// axial, coronal, sagittal.
std::optional<std::array<double, 6>> orientation_named(std::string_view name);

struct ShapeSpecification : Scan {
    Shape shape = Shape::ball;
    std::vector<double> size_mm{30, 30, 30};  ///< full extents (x, y, z); meaning per shape in docs/stages/sample_data.md
    double necrotic_fraction = 0.3;           ///< rim_necrosis: part of the volume
    double necrotic_offset = 0;               ///< rim_necrosis: 0 = in the middle, 1 = touches the surface at the greatest y
    Dimensions grid{64, 64, 64};
    double noise_hu = 0;
    double lesion_hu = 50;
    double surrounding_hu = -100;
    std::uint64_t seed = 1;
};

/// The shape's x and y lie in the measured planes and z along their normal, whichever way the scan is turned: the truth holds there.
struct ShapePhantom {
    CtVolume ct;
    Mask mask;      ///< voxel centres inside the analytic body
    Truth truth;
};
Result<ShapePhantom> make_shape(const ShapeSpecification& specification);
std::optional<Shape> shape_named(std::string_view name);

/// Writes a volume as CT Image Storage, one file a slice.
struct DicomDescription {
    std::string patient_id = "RETROMASS-PHANTOM";
    std::string series_description = "SYNTHETIC phantom";
    std::string study_description = "SYNTHETIC";
    std::string protocol;
    Date date{};
    int series_number = 1;
    std::string uid_seed;                 ///< the same seed gives the same UIDs
    std::string frame_of_reference_seed;
    std::string contrast_agent;
    std::string kernel = "B30f";
    double kvp = 120;
    double slice_thickness_mm = 0;        ///< 0 = the slice distance
    bool lossless_jpeg = true;            ///< else explicit VR little endian
};
std::string image_uid(const DicomDescription& series, int slice);  ///< SOP Instance UID of a slice, counted from 0
Status write_dicom(const std::filesystem::path& folder, const CtVolume& ct, const DicomDescription& description,
                   int threads = 0);

enum class Phase { unenhanced, arterial, portal_venous };
std::optional<Phase> phase_named(std::string_view name);
std::string_view name(Phase phase);

/// The sample patient: five studies. The truth of each is of the analytic mass, in the planes in which this scan is measured.
struct PatientOptions {
    std::uint64_t seed = 1;          ///< 1 = the published sizes; any other = another body with another mass
    Scan scan{0, 0, 2.5};            ///< a spacing of 0 in plane: 0.8 mm, or more where 512 pixels must hold a broader body
    Phase phase = Phase::portal_venous;
    double noise_hu = 12;            ///< standard deviation inside the body
    bool lossless_jpeg = true;
    bool invisible_mass = false;     ///< paints the mass to its surroundings' HU: for tests that a fake must fail
    int threads = 0;
};
struct StudyTruth {
    std::string timepoint;           ///< presentation, residual, day-38, after-5-cycles, after-radiotherapy
    Date date{};
    Truth truth;
};
/// Writes <folder>/ct/<timepoint>/*.dcm, <folder>/case.yaml with the demo's fixed prompts, <folder>/lines.csv with their lines (if
/// they lie in this scan's slices), <folder>/truth.json and <folder>/truth/<timepoint>.nii.gz (true masks on the CT grid).
Result<std::vector<StudyTruth>> write_patient(const std::filesystem::path& folder, const PatientOptions& options = {},
                                              const Progress& progress = {});

}  // namespace retromass::sample_data

#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/mask_variants.h"
#include "core/notice.h"
#include "core/result.h"
#include "core/units.h"
#include "core/volume.h"

/// What a mask measures: docs/clinical.md 1-4, exactly.
namespace retromass::measurement {

/// A measured quantity with its 95 % interval; the interval is empty until it is known.
struct Quantity {
    double value = 0;
    std::optional<double> low;
    std::optional<double> high;
};

/// A diameter between two boundary points.
struct Axis {
    double exact_mm = 0;      ///< as measured
    Length recorded;          ///< as recorded (docs/clinical.md 2.10); all that follows uses this
    PatientPoint a;           ///< endpoints, LPS mm
    PatientPoint b;
    int slice = 0;            ///< index along the measuring plane's normal
};

struct HuStatistics {
    std::size_t voxels = 0;   ///< padding left out
    double mean = 0;
    double sd = 0;            ///< population
    double median = 0;
    double p10 = 0;
    double p90 = 0;
    double minimum = 0;
    double maximum = 0;
};

/// Tissue parts, ml; they sum to the volume but for padding (docs/clinical.md 4.2).
struct Components {
    double gas_ml = 0;
    double fat_ml = 0;
    double low_attenuation_ml = 0;
    double solid_ml = 0;
    double dense_ml = 0;
    double unclassified_ml = 0;
};

struct MeasureParameters {
    double recorded_precision_mm = 0.1;
    double component_smoothing_mm = 1.5;   ///< sigma of the Gaussian inside the mask
    double gas_upper_hu = -200;
    double fat_upper_hu = -30;
    double low_attenuation_upper_hu = 20;
    double dense_lower_hu = 200;           ///< T: 130 where the study is stated unenhanced
    double metal_lower_hu = 2500;          ///< left out of hu_core
    int threads = 1;
};

struct LesionMeasurements {
    Axis long_axis;                     ///< docs/clinical.md 2.2
    Axis short_axis;                    ///< 2.3; on long_axis's slice
    Axis craniocaudal;                  ///< 2.4
    double outside_fraction = 0;        ///< part of the long axis outside its region
    double longest_inside_chord_mm = 0;
    double max_3d_diameter_mm = 0;
    double volume_ml = 0;               ///< exact
    double recorded_volume_ml = 0;      ///< to 0.01 ml
    double voxel_volume_mm3 = 0;        ///< the volume again, by voxel summation, unrounded (IBSI YEKZ; pyradiomics VoxelVolume)
    double mesh_volume_mm3 = 0;
    double surface_area_mm2 = 0;
    std::array<double, 3> principal_axes_mm{};  ///< major, minor, least
    PatientPoint centroid;
    std::size_t voxels = 0;
    int components_3d = 1;
    std::vector<double> parts_ml;               ///< of each separate part, largest first; the volume shared out by voxels
    std::optional<HuStatistics> hu;
    std::optional<HuStatistics> hu_core;        ///< without the outermost voxel layer and metal
    std::optional<Components> components;
    std::vector<Notice> notices;
};

/// Measures one mask. `hu` may be null: geometry only. Fails with empty_mask if no voxel is set, and with mask_grid if the
/// sizes differ.
Result<LesionMeasurements> measure(const Mask& mask, const VolumeGeometry& geometry, const Grid<std::int16_t>* hu,
                                   const MeasureParameters& parameters = {});

/// Where the mask reaches slices without their usual neighbour: it is measured across such a gap by half its width (docs/clinical.md 3.1).
/// `slices_are_missing`: gaps that are too wide are lost slices, not a design.
std::vector<Notice> irregular_gaps(const Mask& mask, const VolumeGeometry& geometry, bool slices_are_missing);

/// The quantities that carry a 95 % interval, by their names in case.json.
inline constexpr std::array<std::string_view, 5> kUncertain{"long_axis_mm", "short_axis_mm", "craniocaudal_mm", "volume_ml", "hu_mean"};
inline constexpr std::size_t kUncertainHu = 4;   ///< the last one: its spreads and CV are HU, the others' relative

/// Standard deviations of one quantity: of its logarithm, of a mean HU in HU.
struct Spread {
    double prompt = 0;        ///< from other hands' prompts
    double boundary = 0;      ///< from the probability of the boundary
    double grid = 0;          ///< from pixels and slices
    double acquisition = 0;   ///< from noise
    double total() const;
};
using Spreads = std::array<Spread, kUncertain.size()>;

/// `measured` on the CT, `ct` its geometry. Fails with empty_mask where most variants of the lesion hold no voxel.
Result<Spreads> spreads_of(const LesionMeasurements& measured, const VolumeGeometry& ct, const MaskVariants& variants);

/// 95 % intervals of a lesion (docs/stages/interval.md).
struct Uncertainty {
    std::array<Quantity, kUncertain.size()> quantities;   ///< in the order of kUncertain; low <= value <= high
    Spreads spreads;                  ///< where their width comes from; `prompt` is the within-case coefficient of variation
    std::string calibrated_on;        ///< the set of cases whose errors fixed the width
    std::string not_validated;        ///< why this case lies outside that set; empty = within
};
Result<Uncertainty> uncertainty_of(const LesionMeasurements& measured, const VolumeGeometry& ct, const MaskVariants& variants);

}  // namespace retromass::measurement

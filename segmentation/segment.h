#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/notice.h"
#include "core/progress.h"
#include "core/result.h"
#include "core/volume.h"

/// From a reader's prompt and a CT volume to a mask of the whole lesion.
namespace retromass::segmentation {

struct LineSegment {
    PatientPoint a;
    PatientPoint b;
};

/// What a reader gives to say where one lesion is. All positions LPS mm in the CT's frame of reference.
struct Prompt {
    std::vector<PatientPoint> points;                 ///< inside the lesion
    std::vector<LineSegment> lines;                   ///< first: RECIST long axis; second: short axis; on one slice
    std::optional<std::array<PatientPoint, 2>> box;   ///< two opposite corners
    std::optional<std::array<PatientPoint, 2>> extent;///< one point on the most cranial, one on the most caudal slice
    std::vector<std::vector<PatientPoint>> contours;  ///< closed, each on one slice
    std::optional<Mask> prior;                        ///< a mask on the CT's grid, of this or an earlier time point
    std::vector<PatientPoint> exclude;                ///< outside the lesion
    std::string frame_of_reference_uid;               ///< empty = the CT's
};

/// How the mask is made. Rows of `methods()`; a table, not a registry.
enum class Method { fusion, energy, ellipsoid };

struct MethodEntry {
    Method method;
    std::string_view name;     ///< as on the command line
    std::string_view meaning;
};
std::span<const MethodEntry> methods();

/// Methods and their constants are explained in docs/stages/segmentation.md.
struct SegmentParameters {
    Method method = Method::fusion;
    int threads = 0;
};

struct Segmentation {
    Mask mask;                   ///< on the CT grid
    Grid<float> probability;     ///< on the CT grid, re-calibrated so that the mask is P >= 0.5 but for hole filling and component choice
    std::vector<Notice> notices;
    double seed_hu = 0;          ///< the lesion's typical HU as seen in the core of the prompt
    double seed_hu_sd = 0;
    std::array<double, 3> working_spacing_mm{};
};

/// Checks a prompt against the volume before anything runs: inside, not in air, not contradictory, same frame of reference.
/// `frame_of_reference_uid` is the CT's.
Status check_prompt(const CtVolume& ct, const std::string& frame_of_reference_uid, const Prompt& prompt);

/// Segments one lesion. Deterministic; the same for any thread count.
Result<Segmentation> segment(const CtVolume& ct, const std::string& frame_of_reference_uid, const Prompt& prompt,
                             const SegmentParameters& parameters = {}, const Progress& progress = {});

}  // namespace retromass::segmentation

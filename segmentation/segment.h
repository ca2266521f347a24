#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/mask_variants.h"
#include "core/notice.h"
#include "core/progress.h"
#include "core/result.h"
#include "core/volume.h"
#include "segmentation/registration.h"

/// From a reader's prompt and a CT volume to a mask of the whole lesion; from an earlier scan's mask to one of the same lesion now; and
/// whether two scans show one skeleton.
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
    int variants = 0;            ///< re-runs from redrawn prompts (docs/stages/interval.md); none where no interval is wanted
};
inline constexpr int kVariants = 8;  ///< as many as an interval is calibrated with

struct Segmentation {
    Mask mask;                   ///< on the CT grid
    Grid<float> probability;     ///< on the CT grid, re-calibrated so that the mask is P >= 0.5 but for hole filling and component choice
    std::vector<Notice> notices;
    double seed_hu = 0;          ///< the lesion's typical HU as seen in the core of the prompt
    double seed_hu_sd = 0;
    std::array<double, 3> working_spacing_mm{};
    std::optional<MaskVariants> variants;  ///< where asked for; never of method ellipsoid, which has looked at nothing
};

/// Checks a prompt against the volume before anything runs: inside, not in air, not contradictory, same frame of reference.
/// `frame_of_reference_uid` is the CT's.
Status check_prompt(const CtVolume& ct, const std::string& frame_of_reference_uid, const Prompt& prompt);

/// Segments one lesion. Deterministic; the same for any thread count.
Result<Segmentation> segment(const CtVolume& ct, const std::string& frame_of_reference_uid, const Prompt& prompt,
                             const SegmentParameters& parameters = {}, const Progress& progress = {});

/// A lesion as an earlier scan shows it.
struct EarlierLesion {
    const CtVolume& ct;
    const Mask& mask;     ///< on that CT's grid
};

/// A lesion found again where nobody pointed at it.
struct Carried {
    Segmentation segmentation;
    Prompt prompt;              ///< made from what was found: long axis, short axis, top and bottom
    RegistrationTrust trust;
    std::string text;           ///< the figures the trust rests on
};

/// Why a registration is not believed around an earlier lesion of that radius (the ball of its volume); empty = it is (docs/stages/registration.md).
std::string doubt_of(const RegistrationTrust& trust, double radius_mm);

/// Finds an earlier lesion on the fixed scan of a registration whose moving scan shows it. The old outline says where to look and the
/// old pixels what it looks like; neither says how large it is now, so that nothing pulls towards "no change". Fails with
/// prompt_missing, saying why, wherever more than one answer fits or the registration cannot be trusted (docs/stages/registration.md).
Result<Carried> carry(const Registration& registration, const EarlierLesion& before, const CtVolume& now, const std::string& frame_of_reference_uid, const SegmentParameters& parameters,
                      const Progress& progress = {});

/// One change of a mask by hand. All positions LPS mm.
struct Edit {
    enum class Kind { add_sphere, remove_sphere, add_contour, remove_contour, fill_between, smooth, keep_component, undo };
    Kind kind = Kind::undo;
    std::vector<PatientPoint> points;  ///< the sphere's centre; the contour, on one slice; a point on each of two slices; a point of the component
    double mm = 0;                     ///< radius of a sphere, sigma of smoothing
};
/// A reader's changes in their order. As text a line each: a name, then numbers (docs/stages/segmentation.md, "Edits").
struct EditLog {
    std::string start;                 ///< fingerprint of the mask it was drawn on; empty = any mask
    std::vector<Edit> edits;
};
/// Fails with malformed, naming the line.
Result<EditLog> read_edits(std::string_view text);
/// Shortest digits that read back to the same numbers: a log written and read again replays to the same mask.
std::string text_of(const EditLog& log);

struct EditEffect {
    std::string what;                  ///< the line of the log
    std::size_t added = 0;             ///< voxels
    std::size_t removed = 0;
    bool undone = false;
};
struct EditedMask {
    Mask mask;
    std::vector<EditEffect> effects;   ///< one an edit but undo, in their order
};
/// Replays a log; the same mask bit by bit whenever mask, grid and log are. An undo takes back the last edit that still stands. Fails with
/// verification_failed on another mask than the log names, with prompt_outside or prompt_contradictory where an edit cannot be done, naming it,
/// and with empty_mask where nothing is left.
Result<EditedMask> edited(const Mask& mask, const VolumeGeometry& geometry, const EditLog& log);

/// 16 hex digits that tell masks apart by size and voxels (FNV-1a, 64 bits): against mistakes, not against forgers.
std::string fingerprint(const Mask& mask);

/// The bones of a scan on a coarse upright grid: little enough to keep one for every time point.
struct Skeleton {
    static constexpr double cell_mm = 3;
    static constexpr std::uint8_t full = 254;     ///< cortical bone all over the cell
    static constexpr std::uint8_t unknown = 255;  ///< outside the scan
    Grid<std::uint8_t> bone;                      ///< columns along LPS x, rows along y, slices along z
};
Skeleton skeleton_of(const CtVolume& ct, int threads = 0);

/// Whether two skeletons are one person's, whatever the position on the couch, the spacing, the noise and the part of the body that
/// is missing in one of them. Cautious: what cannot be told is `not_compared` (docs/stages/segmentation.md has the measured margins).
struct SkeletonMatch {
    enum class Verdict { same, different, not_compared };
    Verdict verdict = Verdict::not_compared;
    std::string text;         ///< the figures behind it, or why there is none
    double rigid = 0;         ///< correlation of the bones after the best rigid motion
    double elsewhere = 0;     ///< the best one at any other place
    double stretched = 0;     ///< with free size along each axis
    std::array<double, 3> size{1, 1, 1};  ///< that size: of the scan with the longer range, in those of the other
    double fitting = 0;       ///< part of the pieces of bone that fit when each may shift and turn by itself
    int pieces = 0;           ///< pieces of bone both scans show
    std::array<double, 2> beyond_mm{};    ///< where the verdict is `same`: how much farther than b, laid on it, a reaches towards the feet and towards the head; negative where b does
};
SkeletonMatch match(const Skeleton& a, const Skeleton& b, int threads = 0);

}  // namespace retromass::segmentation

#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/date.h"
#include "core/notice.h"
#include "core/progress.h"
#include "core/result.h"
#include "core/volume.h"
#include "measurement/measure.h"
#include "segmentation/segment.h"

/// The reader's eye on a case: what is shown (a scene), what is looked at (a view), and a window that shows it.
/// Everything but `show` and `render_scene` is plain C++ and pure: the same scene and view give the same picture.
namespace retromass::viewer {

/// One lesion at one time point.
struct LesionView {
    std::string lesion;
    std::string review_state = "unreviewed";  ///< unreviewed | accepted | edited | rejected (docs/clinical.md 5.4)
    std::string reader;                       ///< who reviewed it; empty = nobody
    std::shared_ptr<const Mask> mask;         ///< on the CT grid; null = no mask
    std::optional<measurement::LesionMeasurements> measurements;
    std::string reason;  ///< why there is no measurement
    segmentation::Prompt prompt;  ///< what a reader drew for it
    segmentation::EditLog edits;  ///< what a reader changed on its mask
    std::vector<segmentation::Edit> strokes;  ///< edits that the mask does not show yet
    std::vector<Notice> notices;
};

struct TimepointView {
    std::string id;
    std::optional<Date> date;
    std::shared_ptr<const CtVolume> ct;  ///< null = reported without images
    std::vector<LesionView> lesions;
    std::string signature;        ///< "R1, radiologist, 2026-01-02T10:00:00Z"; empty = not signed
    std::string baseline;         ///< id of the time point it is compared with; empty = none
    bool being_read = false;      ///< its images and lesions are not there yet
    std::string response;         ///< by the primary criterion, e.g. "PR -63.6 %"; empty = none is given
};

/// How the anatomy that one time point's scan shows lies in another's, by registration.
struct ScanLink {
    std::size_t here = 0;                                  ///< time points
    std::size_t there = 0;
    std::function<PatientPoint(PatientPoint)> to_there;    ///< LPS mm, each in its own scan; empty where the scans could not be laid on each other
    std::function<PatientPoint(PatientPoint)> to_here;
    std::string doubt;                                     ///< why they could not
    std::map<std::string, std::string> doubts;             ///< lesions there around which it is not believed, and why
};

/// A case as it is shown. Shares the volumes, copies none.
struct Scene {
    std::string case_id;
    bool synthetic = false;                 ///< SYNTHETIC stands in the band
    std::vector<TimepointView> timepoints;  ///< in the order of time
    std::string criterion;                  ///< the primary one, e.g. "RECIST 1.1"
    std::string message;                    ///< what was just done, or what is waited for
    std::string read_only;                  ///< why nothing can be decided or changed; empty = it can
    bool blinded = false;                   ///< a time point is shown once the one before is signed
    bool proposed = false;                  ///< the lesion looked at is a change that nobody has taken yet; the band says so
    std::vector<ScanLink> links;            ///< those made so far
    bool linking = false;                   ///< one more is being made
};

/// A display window: DICOM's Window Center and Window Width (PS3.3 C.11.2.1.2), HU.
struct Window {
    double center_hu = 40;
    double width_hu = 400;
    friend bool operator==(const Window&, const Window&) = default;
};

struct WindowPreset {
    char key;  ///< the key that chooses it
    std::string_view name;
    Window window;
};
/// abdomen, soft tissue, lung, bone; by the keys 1 to 4.
const std::array<WindowPreset, 4>& window_presets();
/// Grey value of one voxel; padding is black.
std::uint8_t grey(std::int16_t hu, Window window);
/// That of every voxel there can be: at `hu - INT16_MIN`.
std::vector<std::uint8_t> greys(Window window);

/// The acquired slice, and the two planes across the stack along its rows and columns. For a stack acquired near axial they
/// are the axial, coronal and sagittal plane; the letters at their edges come from the geometry.
enum class Plane { axial, coronal, sagittal };

enum class Decision { accept, reject };

/// What is looked at.
struct View {
    std::size_t timepoint = 0;
    std::size_t lesion = 0;
    PatientPoint cursor;  ///< where the three planes meet, LPS mm
    Window window;
    double zoom = 1;  ///< 1 = the whole plane; else round the cursor
    PatientPoint pan;                    ///< from the cursor to what is in the middle of the panes, mm
    double outline_opacity = 1;
    bool table = false;                  ///< stands beside the panes
    std::optional<std::size_t> beside;   ///< a time point that is shown on the left
    bool by_centre = false;              ///< linked by the lesion's centre, also where the scans are registered
};

/// The first time point with a CT, its first lesion with a mask, the cursor in the middle of the lesion's long axis.
/// Fails with no_series if no time point has a CT, and with mask_grid if a mask does not fit its CT.
Result<View> first_view(const Scene& scene);
/// Another time point (clamped at the ends; those without a CT are passed over), the same lesion where it is there; the cursor
/// goes to that lesion. The window stays, so that the eye compares like with like.
View other_timepoint(const Scene& scene, const View& view, int steps);
/// The next lesion of the time point, cyclic; the cursor goes to it.
View other_lesion(const Scene& scene, const View& view, int steps);
/// The plane moved by whole voxels, clamped to the volume. Upwards is towards the head for axial, else by rising index.
View moved(const Scene& scene, const View& view, Plane plane, int steps);
/// The cursor at a point, clamped into the volume.
View centred(const Scene& scene, const View& view, PatientPoint point);
/// The preset of a key; the same view if the key has none.
View with_preset(const View& view, char key);
/// Dragged with the mouse: right widens, down brightens; the width stays at 1 HU or more.
View dragged_window(const View& view, double right_px, double down_px);
/// Closer (factor above 1) or farther, between 1 and 16.
View zoomed(const View& view, double factor);
/// Moved sideways by mm in a plane: what is in the middle of the panes, not the cursor.
View panned(const View& view, PatientPoint by);
/// The time point's baseline, else the first one, beside the one looked at; or alone again.
View with_beside(const Scene& scene, const View& view);
/// The link between two time points, made from either; null = none yet.
const ScanLink* link_between(const Scene& scene, std::size_t one, std::size_t other);
/// Where places of the time point looked at lie in the one beside it.
struct Linked {
    std::function<PatientPoint(PatientPoint)> there;
    std::function<PatientPoint(PatientPoint)> back;   ///< its inverse, to 0.01 mm
    std::string how;                                  ///< in words
    std::string doubt;                                ///< why not through the registration; empty = it is, or none was made
};
/// Through the registration of both scans where that is believed around the lesion (and `view.by_centre` is not set); else by the centre of the lesion that both show, else by position on the couch. `view.beside` must be set.
Linked linked(const Scene& scene, const View& view);
/// The time point beside as a view of its own: the same window and zoom, the cursor at the linked place. `view.beside` must be set.
View beside(const Scene& scene, const View& view);
/// The time point beside and what links the two, in words.
std::string link_caption(const Scene& scene, const View& view);
/// Lays the scan of one time point on another's, their lesions left out, for a link that the scene does not have yet. Fails with cancelled alone: scans that do not fit are a
/// link with a doubt. `threads`: 0 = all cores.
Result<ScanLink> link_scans(const Scene& scene, std::size_t here, std::size_t there, int threads, const Progress& progress = {});

/// A row of the table of time points and lesions.
struct TableRow {
    std::string text;
    std::size_t timepoint = 0;
    std::optional<std::size_t> lesion;
    bool looked_at = false;
};
std::vector<TableRow> table(const Scene& scene, const View& view);
/// Long x short x craniocaudal, as recorded; ">= " before lower bounds, of a lesion that the edge of the scan cuts (definitions 2.9).
std::string sizes_text(const measurement::LesionMeasurements& measurements);
/// ">= " before what is a lower bound, else nothing.
std::string at_least(const measurement::LesionMeasurements& measurements);
/// The lesion, or the time point's first one with a mask; the same view where it has no CT.
View at_row(const Scene& scene, const View& view, const TableRow& row);

/// The scene with a lesion's review state and its reader; nothing else changes.
Scene reviewed(Scene scene, const View& view, Decision decision, const std::string& reader);

/// What a blinded reader must not see yet, taken out of the scene: all that follows the first time point with a CT that is not signed.
std::vector<TimepointView> take_unseen(Scene& scene);

/// What a key asks for. Keys are named as X names them: "Right", "Tab", "plus", "1" (docs/stages/viewer.md has the table).
struct Pressed {
    View view;  ///< the same where the key says nothing
    std::optional<Decision> decision;
    bool close = false;
};
Pressed pressed(const Scene& scene, const View& view, std::string_view key);

const CtVolume& ct_of(const Scene& scene, const View& view);
/// Null where the time point has no lesion.
const LesionView* lesion_of(const Scene& scene, const View& view);

/// A plane through a volume as a picture: pixel (x, y) has its centre at origin + x * pixel_x_mm * right + y * pixel_y_mm * down.
struct PlaneFrame {
    Plane plane = Plane::axial;
    PatientPoint origin;
    PatientPoint right;  ///< unit
    PatientPoint down;   ///< unit
    double pixel_x_mm = 1;
    double pixel_y_mm = 1;
    int width = 0;
    int height = 0;

    PatientPoint to_patient(double x, double y) const;
    std::array<double, 2> to_plane(PatientPoint point) const;  ///< projected
    double distance_mm(PatientPoint point) const;              ///< from the plane, unsigned
    friend bool operator==(const PlaneFrame&, const PlaneFrame&) = default;
};

/// The plane through the cursor that covers the whole stack, head up, tilted and uneven stacks included.
PlaneFrame plane_frame(const VolumeGeometry& geometry, Plane plane, PatientPoint cursor);
/// HU of its pixels, row by row: the nearest voxel within a slice, linear between slices, kPaddingHu outside.
std::vector<std::int16_t> sampled(const CtVolume& ct, const PlaneFrame& frame);

/// A line in the pixel coordinates of a plane.
struct PlaneLine {
    double x1 = 0;
    double y1 = 0;
    double x2 = 0;
    double y2 = 0;
    friend bool operator==(const PlaneLine&, const PlaneLine&) = default;
};
/// The outline of the mask: the pixel edges between inside and outside, joined to straight runs.
std::vector<PlaneLine> outline(const Mask& mask, const VolumeGeometry& geometry, const PlaneFrame& frame);

/// What of edits a plane shows: the circles that it cuts out of balls, contours on their slice.
std::vector<PlaneLine> edit_lines(const std::vector<segmentation::Edit>& edits, const VolumeGeometry& geometry, const PlaneFrame& frame);
/// What of a prompt a plane shows: lines and contours on their slice, points as crosses, boxes where they are cut, top and bottom slice
/// on the planes across.
std::vector<PlaneLine> prompt_lines(const segmentation::Prompt& prompt, const VolumeGeometry& geometry, const PlaneFrame& frame);

enum class CaliperKind { long_axis, short_axis, craniocaudal };
struct Caliper {
    CaliperKind kind = CaliperKind::long_axis;
    PlaneLine line;
    bool in_plane = true;  ///< else projected, and said so in the text
    std::string text;      ///< "long axis 220 mm", the recorded value
};
/// The calipers a plane shows: long and short axis only on the slice they were measured on, the craniocaudal extent on the two
/// planes across, projected where the plane does not hold it.
std::vector<Caliper> calipers(const measurement::LesionMeasurements& measured, const VolumeGeometry& geometry,
                              const PlaneFrame& frame);

/// Letters at the edges: where left, right, top and bottom of the plane point to (R L A P H F; "?" never).
struct EdgeLetters {
    char left, right, top, bottom;
};
EdgeLetters edge_letters(const PlaneFrame& frame);

/// The band across every picture: "UNREVIEWED - RESEARCH USE ONLY", or the review state and who reviewed.
std::string band(const Scene& scene, const View& view);
/// The lines of text beside the pictures: case, time point, values, notices.
std::vector<std::string> captions(const Scene& scene, const View& view);
/// The line of text of one plane: which slice, where, which window.
std::string plane_caption(const Scene& scene, const View& view, const PlaneFrame& frame);

/// What a reader now says of one lesion at one time point; both as the scene counts.
struct Change {
    std::size_t timepoint = 0;
    std::size_t lesion = 0;
    segmentation::Prompt prompt;
    std::optional<segmentation::EditLog> edits;     ///< all of them: the mask is changed, the prompt stays
    std::string reason;                             ///< why, where the time point was signed
};
/// What a change makes of the case: the very figures a run of the changed case file gives.
struct Outcome {
    std::vector<std::vector<LesionView>> lesions;   ///< of every time point, review states apart
    std::vector<std::string> responses;             ///< TimepointView::response of every time point
};

/// What the viewer may ask for; an empty function means it cannot be done here.
struct Callbacks {
    std::string reader;  ///< who decides; shown in the band
    /// With a reason where the time point was signed, as in all that follows.
    std::function<Status(std::size_t timepoint, std::size_t lesion, Decision decision, const std::string& reason)> review;
    /// Changes nothing; called beside the window, one at a time and never while `take` is.
    std::function<Result<Outcome>(const Change& change, const Progress& progress)> outcome;
    /// Writes the change, whose outcome was shown, into the case file. Answers what was done, in words.
    std::function<Result<std::string>(const Change& change)> take;
    /// Signs the time point's report. Answers TimepointView::signature.
    std::function<Result<std::string>(std::size_t timepoint, const std::string& reason)> sign;
    /// As `link_scans`, beside the window and one at a time. Without it time points are linked by the lesion's centre.
    std::function<Result<ScanLink>(std::size_t here, std::size_t there, const Progress& progress)> link;
};

/// A case of which a part was shown while the rest was being read: the time points are the same, and what was shown stays as it was.
struct Whole {
    Scene scene;
    Callbacks callbacks;
    std::optional<std::size_t> beside;   ///< View::beside, where the reader stopped with one
};
/// Asked now and then, from the window's thread: nothing while the case is still being read.
using StillReading = std::function<std::optional<Result<Whole>>()>;

struct Ended {
    int decisions = 0;  ///< reviews, changes and signatures
    View view;          ///< looked at in the end
};
/// Opens the window on `start` (else `first_view`) and returns when it is closed. Fails with no_display without one. Where a part of the case is still
/// being read, the window's title says so ("(reading)"); and where that fails, so does the window once it is closed.
Result<Ended> show(const Scene& scene, const Callbacks& callbacks, const std::optional<View>& start = {}, StillReading still_reading = {});

struct PictureSize {
    int width = 1200;
    int height = 900;
};
/// Whether there is a display for them. Fails with no_display.
Status check_display();
/// Draws what the window would show into a PNG, without a window on the screen; the same display is needed.
Status render_scene(const Scene& scene, const View& view, const std::filesystem::path& png, PictureSize size = {});

/// Where the surface of a lesion is seen from, in the window and in the pictures of a report: the patient's right front, a little from above. Unit.
PatientPoint surface_towards_viewer();
/// A square picture of one lesion's surface, in parallel projection: so many mm a pixel everywhere in it.
struct SurfaceFrame {
    PatientPoint centre;     ///< in the middle of the picture: the middle of what is seen of the mask
    PatientPoint right;      ///< unit
    PatientPoint up;         ///< unit
    double mm_per_pixel = 1;
    double bar_mm = 10;      ///< the bar that shows the scale
    friend bool operator==(const SurfaceFrame&, const SurfaceFrame&) = default;
};
inline constexpr int kSurface_px = 320;   ///< of a side: six in a row of a page are drawn smaller
/// One for each time point where the lesion has a mask and a CT. All have the scale at which the largest fills four fifths of the picture, so that what looks larger is larger.
std::vector<std::optional<SurfaceFrame>> surface_frames(const Scene& scene, const std::string& lesion);
/// Draws them as PNG, with bar and band, one file a time point (empty = none is drawn). Needs a display.
Status render_surfaces(const Scene& scene, const std::string& lesion, const std::vector<std::filesystem::path>& files);

}  // namespace retromass::viewer

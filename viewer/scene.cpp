#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "viewer/view.h"

namespace retromass::viewer {
namespace {

constexpr double kOffTheScan_mm = 1;   // beyond the face of its last slice

PatientPoint middle(PatientPoint a, PatientPoint b) { return 0.5 * (a + b); }

PatientPoint centre_of(const VolumeGeometry& geometry)
{
    const auto n = geometry.size();
    return geometry.to_patient(Index{n.columns / 2, n.rows / 2, n.slices / 2});
}

/// Where the eye goes first: the middle of the long axis, else the middle of the mask's box, else of the volume.
PatientPoint place_of(const TimepointView& timepoint, std::size_t lesion)
{
    const auto& geometry = timepoint.ct->geometry;
    if (lesion >= timepoint.lesions.size()) return centre_of(geometry);
    const auto& shown = timepoint.lesions[lesion];
    if (shown.measurements) return middle(shown.measurements->long_axis.a, shown.measurements->long_axis.b);
    if (!shown.mask) return centre_of(geometry);

    const auto n = shown.mask->size();
    Index low{n.columns, n.rows, n.slices};
    Index high{-1, -1, -1};
    for (int k = 0; k < n.slices; ++k) {
        for (int r = 0; r < n.rows; ++r) {
            for (int c = 0; c < n.columns; ++c) {
                if (!shown.mask->at(c, r, k)) continue;
                low = {std::min(low.column, c), std::min(low.row, r), std::min(low.slice, k)};
                high = {std::max(high.column, c), std::max(high.row, r), std::max(high.slice, k)};
            }
        }
    }
    if (high.column < 0) return centre_of(geometry);
    return middle(geometry.to_patient(low), geometry.to_patient(high));
}

View looking_at(const Scene& scene, View view, std::size_t timepoint, std::size_t lesion)
{
    view.timepoint = timepoint;
    view.lesion = lesion;
    view.cursor = place_of(scene.timepoints[timepoint], lesion);
    view.pan = {};
    return view;
}

/// The lesion of that name; else the first with a mask, else the first.
std::size_t lesion_named(const TimepointView& timepoint, const std::string& name)
{
    std::size_t masked = timepoint.lesions.size();
    for (std::size_t l = 0; l < timepoint.lesions.size(); ++l) {
        if (timepoint.lesions[l].lesion == name) return l;
        if (timepoint.lesions[l].mask) masked = std::min(masked, l);
    }
    return masked < timepoint.lesions.size() ? masked : 0;
}

/// Whether there is a place of the lesion to go to.
bool placed(const TimepointView& timepoint, std::size_t lesion)
{
    return lesion < timepoint.lesions.size() && (timepoint.lesions[lesion].measurements || timepoint.lesions[lesion].mask);
}

std::string upper(std::string text)
{
    for (char& c : text) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
}

}  // namespace

const std::array<WindowPreset, 4>& window_presets()
{
    // Usual reading windows; the width and centre in use stand in every picture.
    static constexpr std::array<WindowPreset, 4> presets{
        {{'1', "abdomen", {40, 400}}, {'2', "soft tissue", {50, 350}}, {'3', "lung", {-600, 1500}}, {'4', "bone", {400, 1800}}}};
    return presets;
}

std::uint8_t grey(std::int16_t hu, Window window)
{
    if (hu == kPaddingHu) return 0;
    // PS3.3 C.11.2.1.2.1, LINEAR, onto 0..255; its width is 1 or more, and 1 is a step.
    const double width = std::max(1.0, window.width_hu);
    const double centre = window.center_hu - 0.5;
    const double half = (width - 1) / 2;
    if (hu <= centre - half) return 0;
    if (hu > centre + half) return 255;
    return static_cast<std::uint8_t>(std::lround(((hu - centre) / (width - 1) + 0.5) * 255));
}

std::vector<std::uint8_t> greys(Window window)
{
    std::vector<std::uint8_t> out;
    for (int hu = std::numeric_limits<std::int16_t>::min(); hu <= std::numeric_limits<std::int16_t>::max(); ++hu) out.push_back(grey(static_cast<std::int16_t>(hu), window));
    return out;
}

Result<View> first_view(const Scene& scene)
{
    for (const auto& timepoint : scene.timepoints) {
        for (const auto& lesion : timepoint.lesions) {
            if (timepoint.ct && lesion.mask && lesion.mask->size() != timepoint.ct->geometry.size()) {
                return Error{Code::mask_grid,
                             "the mask of lesion " + lesion.lesion + " at " + timepoint.id + " is not on the grid of its CT",
                             "viewer"};
            }
        }
    }
    for (std::size_t t = 0; t < scene.timepoints.size(); ++t) {
        const auto& timepoint = scene.timepoints[t];
        if (!timepoint.ct) continue;
        std::size_t first = 0;
        while (first < timepoint.lesions.size() && !timepoint.lesions[first].mask) ++first;
        if (first == timepoint.lesions.size()) first = 0;
        return looking_at(scene, View{}, t, first);
    }
    return Error{Code::no_series, "no time point of case " + scene.case_id + " has a CT to show", "viewer"};
}

View other_timepoint(const Scene& scene, const View& view, int steps)
{
    const int direction = steps < 0 ? -1 : 1;
    const auto count = static_cast<int>(scene.timepoints.size());
    int reached = static_cast<int>(view.timepoint);
    for (int left = std::abs(steps), t = reached + direction; left > 0 && t >= 0 && t < count; t += direction) {
        if (!scene.timepoints[static_cast<std::size_t>(t)].ct) continue;
        reached = t;
        --left;
    }
    if (reached == static_cast<int>(view.timepoint)) return view;

    const auto& next = scene.timepoints[static_cast<std::size_t>(reached)];
    const auto* shown = lesion_of(scene, view);
    return looking_at(scene, view, static_cast<std::size_t>(reached), lesion_named(next, shown ? shown->lesion : ""));
}

View other_lesion(const Scene& scene, const View& view, int steps)
{
    const auto count = static_cast<int>(scene.timepoints[view.timepoint].lesions.size());
    if (count == 0) return view;
    const int next = ((static_cast<int>(view.lesion) + steps) % count + count) % count;
    return looking_at(scene, view, view.timepoint, static_cast<std::size_t>(next));
}

View moved(const Scene& scene, const View& view, Plane plane, int steps)
{
    const auto& geometry = ct_of(scene, view).geometry;
    const auto n = geometry.size();
    const auto to = [](double from, int by, int count) { return std::clamp(std::round(from) + by, 0.0, count - 1.0); };
    auto index = geometry.to_index(view.cursor);
    switch (plane) {
        case Plane::axial:
            index.slice = to(index.slice, geometry.normal().z < 0 ? -steps : steps, n.slices);
            break;
        case Plane::coronal:
            index.row = to(index.row, steps, n.rows);
            break;
        case Plane::sagittal:
            index.column = to(index.column, steps, n.columns);
            break;
    }
    View next = view;
    next.cursor = geometry.to_patient(index);
    return next;
}

View centred(const Scene& scene, const View& view, PatientPoint point)
{
    const auto& geometry = ct_of(scene, view).geometry;
    const auto n = geometry.size();
    auto index = geometry.to_index(point);
    index.column = std::clamp(index.column, 0.0, n.columns - 1.0);
    index.row = std::clamp(index.row, 0.0, n.rows - 1.0);
    index.slice = std::clamp(index.slice, 0.0, n.slices - 1.0);
    View next = view;
    next.cursor = geometry.to_patient(index);
    return next;
}

View with_preset(const View& view, char key)
{
    View next = view;
    for (const auto& preset : window_presets()) {
        if (preset.key == key) next.window = preset.window;
    }
    return next;
}

View dragged_window(const View& view, double right_px, double down_px)
{
    View next = view;
    next.window.width_hu = std::max(1.0, view.window.width_hu + 2 * right_px);
    next.window.center_hu = std::clamp(view.window.center_hu - down_px, -2000.0, 4000.0);
    return next;
}

View zoomed(const View& view, double factor)
{
    View next = view;
    next.zoom = std::clamp(view.zoom * factor, 1.0, 16.0);
    return next;
}

View at_row(const Scene& scene, const View& view, const TableRow& row)
{
    const auto& timepoint = scene.timepoints[row.timepoint];
    if (!timepoint.ct) return view;
    const auto* shown = lesion_of(scene, view);
    return looking_at(scene, view, row.timepoint, row.lesion ? *row.lesion : lesion_named(timepoint, shown ? shown->lesion : ""));
}

View panned(const View& view, PatientPoint by)
{
    View next = view;
    next.pan = view.pan + by;
    return next;
}

View with_beside(const Scene& scene, const View& view)
{
    View next = view;
    if (view.beside) {
        next.beside.reset();
        return next;
    }
    const auto& baseline = scene.timepoints[view.timepoint].baseline;
    for (std::size_t t = 0; t < scene.timepoints.size(); ++t) {
        if (t == view.timepoint || !scene.timepoints[t].ct) continue;
        if (!next.beside || scene.timepoints[t].id == baseline) next.beside = t;
    }
    return next;
}

const ScanLink* link_between(const Scene& scene, std::size_t one, std::size_t other)
{
    for (const auto& link : scene.links) {
        if ((link.here == one && link.there == other) || (link.here == other && link.there == one)) return &link;
    }
    return nullptr;
}

Linked linked(const Scene& scene, const View& view)
{
    const std::size_t here = view.timepoint, there = *view.beside;
    const auto* lesion = lesion_of(scene, view);
    const auto& other = scene.timepoints[there];
    const auto other_lesion = lesion_named(other, lesion ? lesion->lesion : "");
    const auto* const link = link_between(scene, here, there);
    Linked out;
    if (link) {
        const bool forward = link->here == here;
        const auto doubted = link->doubts.find(lesion ? lesion->lesion : "");
        out.doubt = doubted != link->doubts.end() ? doubted->second : link->doubt;
        if (out.doubt.empty() && !view.by_centre) {
            out.there = forward ? link->to_there : link->to_here;
            out.back = forward ? link->to_here : link->to_there;
            out.how = "linked through the registration";
            return out;
        }
    }
    const bool both = placed(scene.timepoints[here], view.lesion) && placed(other, other_lesion);
    const auto offset = both ? place_of(other, other_lesion) - place_of(scene.timepoints[here], view.lesion) : PatientPoint{};
    out.there = [offset](PatientPoint p) { return p + offset; };
    out.back = [offset](PatientPoint p) { return p - offset; };
    out.how = both ? "linked by the lesion's centre" : "linked by position on the couch";
    if (!link && scene.linking) out.how += " (registering)";
    else if (link && out.doubt.empty()) out.how += " (j: through the registration)";
    return out;
}

View beside(const Scene& scene, const View& view)
{
    const auto* here = lesion_of(scene, view);
    View out = view;
    out.timepoint = *view.beside;
    out.lesion = lesion_named(scene.timepoints[*view.beside], here ? here->lesion : "");
    out.cursor = centred(scene, out, linked(scene, view).there(view.cursor)).cursor;
    out.beside.reset();
    return out;
}

std::string link_caption(const Scene& scene, const View& view)
{
    const auto link = linked(scene, view);
    const auto& other = scene.timepoints[*view.beside];
    const auto place = link.there(view.cursor);
    const auto shown_place = beside(scene, view).cursor;
    const auto& geometry = other.ct->geometry;
    const int slice = std::clamp(static_cast<int>(std::lround(geometry.to_index(shown_place).slice)), 0, geometry.size().slices - 1);
    const bool shown = distance(shown_place, place) < 0.5 * geometry.slab_mm(slice) + kOffTheScan_mm;
    return other.id + ", " + link.how + (shown ? "" : "; beyond this scan");
}

Scene reviewed(Scene scene, const View& view, Decision decision, const std::string& reader)
{
    auto& lesions = scene.timepoints[view.timepoint].lesions;
    if (view.lesion < lesions.size()) {
        lesions[view.lesion].review_state = decision == Decision::accept ? "accepted" : "rejected";
        lesions[view.lesion].reader = reader;
    }
    return scene;
}

std::vector<TimepointView> take_unseen(Scene& scene)
{
    const auto open = std::find_if(scene.timepoints.begin(), scene.timepoints.end(), [](const auto& t) { return t.ct && t.signature.empty(); });
    if (open == scene.timepoints.end()) return {};
    std::vector<TimepointView> unseen(std::make_move_iterator(open + 1), std::make_move_iterator(scene.timepoints.end()));
    scene.timepoints.erase(open + 1, scene.timepoints.end());
    return unseen;
}

Pressed pressed(const Scene& scene, const View& view, std::string_view key)
{
    if (key == "Right") return {other_timepoint(scene, view, 1)};
    if (key == "Left") return {other_timepoint(scene, view, -1)};
    if (key == "Up") return {moved(scene, view, Plane::axial, 1)};
    if (key == "Down") return {moved(scene, view, Plane::axial, -1)};
    if (key == "Tab") return {other_lesion(scene, view, 1)};
    if (key == "plus" || key == "equal" || key == "KP_Add") return {zoomed(view, 1.25)};
    if (key == "0") {
        View whole = view;
        whole.zoom = 1;
        whole.pan = {};
        return {whole};
    }
    if (key == "s") return {with_beside(scene, view)};
    if (key == "j" && view.beside) {
        View with = view;
        with.by_centre = !view.by_centre;
        return {with};
    }
    if (key == "t") {
        View with = view;
        with.table = !view.table;
        return {with};
    }
    if (key == "o") {  // the outline, half of it, none of it
        View with = view;
        with.outline_opacity = view.outline_opacity > 0.75 ? 0.5 : view.outline_opacity > 0.25 ? 0 : 1;
        return {with};
    }
    if (key == "minus" || key == "KP_Subtract") return {zoomed(view, 0.8)};
    if (key == "a") return {view, Decision::accept};
    if (key == "x") return {view, Decision::reject};
    if (key == "q") return {view, std::nullopt, true};
    return {key.size() == 1 ? with_preset(view, key[0]) : view};
}

const CtVolume& ct_of(const Scene& scene, const View& view) { return *scene.timepoints[view.timepoint].ct; }

const LesionView* lesion_of(const Scene& scene, const View& view)
{
    const auto& lesions = scene.timepoints[view.timepoint].lesions;
    return view.lesion < lesions.size() ? &lesions[view.lesion] : nullptr;
}

std::string band(const Scene& scene, const View& view)
{
    const auto* lesion = lesion_of(scene, view);
    std::string text = upper(lesion ? lesion->review_state : "unreviewed");
    if (lesion && !lesion->reader.empty() && lesion->review_state != "unreviewed") text += " BY " + lesion->reader;
    if (scene.proposed) text = "PROPOSAL, NOT TAKEN";
    if (!scene.read_only.empty()) text += " - READ ONLY";
    if (scene.blinded) text += " - BLINDED";
    text += " - RESEARCH USE ONLY";
    return scene.synthetic ? text + " - SYNTHETIC" : text;
}

std::vector<std::string> captions(const Scene& scene, const View& view)
{
    const auto& timepoint = scene.timepoints[view.timepoint];
    std::vector<std::string> lines{scene.case_id + "   " + timepoint.id + (timepoint.date ? "   " + iso(*timepoint.date) : "") +
                                   (scene.blinded ? "" : "   " + std::to_string(view.timepoint + 1) + " of " + std::to_string(scene.timepoints.size())) +
                                   (timepoint.response.empty() ? "" : "   " + scene.criterion + ": " + timepoint.response)};
    const auto* lesion = lesion_of(scene, view);
    const auto add_message = [&] {
        if (!scene.message.empty()) lines.push_back("> " + scene.message);
    };
    const auto add_doubt = [&] {
        if (!view.beside) return;
        if (const auto link = linked(scene, view); !link.doubt.empty()) lines.push_back(link.how + ", not through the registration: " + link.doubt);
    };
    if (!lesion) {
        lines.push_back("no lesion");
        add_message();
        add_doubt();
        return lines;
    }
    if (lesion->measurements) {
        const auto& m = *lesion->measurements;
        lines.push_back(lesion->lesion + "   " + sizes_text(m) + " mm (long x short x craniocaudal)   " + at_least(m) + fixed(m.recorded_volume_ml, 2) + " ml");
    } else {
        lines.push_back(lesion->lesion + "   not evaluable" + (lesion->reason.empty() ? "" : ": " + lesion->reason));
    }
    add_message();
    add_doubt();
    for (const auto& notice : lesion->notices) lines.push_back(std::string(name(notice.code)) + ": " + notice.text);
    return lines;
}

std::string plane_caption(const Scene& scene, const View& view, const PlaneFrame& frame)
{
    const auto& geometry = ct_of(scene, view).geometry;
    const auto index = geometry.to_index(view.cursor);
    const auto n = geometry.size();
    const auto counted = [](const char* what, double at, int of) {
        return std::string(what) + " " + std::to_string(std::lround(at) + 1) + "/" + std::to_string(of);
    };
    std::string text;
    switch (frame.plane) {
        case Plane::axial:
            text = counted("axial: slice", index.slice, n.slices);
            break;
        case Plane::coronal:
            text = counted("coronal: row", index.row, n.rows);
            break;
        case Plane::sagittal:
            text = counted("sagittal: column", index.column, n.columns);
            break;
    }
    return text + "   C " + fixed(view.window.center_hu, 0) + " W " + fixed(view.window.width_hu, 0) + " HU";
}

}  // namespace retromass::viewer

#include <cairo.h>
#include <pango/pangocairo.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>

#include "pipeline/outputs/cairo/slice_view.h"
#include "pipeline/outputs/words.h"

namespace retromass::outputs {
namespace {

constexpr int kPicture_px = 680;        ///< longest side of the slice
constexpr int kTile_px = 300;           ///< width of a tile of a contact sheet
constexpr int kMinimum_px = 420;        ///< least width, so that the heading fits
constexpr int kHeading_px = 46;
constexpr int kBand_px = 26;
constexpr double kSmallLesion_mm = 60;  ///< below this the lesion is shown enlarged, with a locator
constexpr double kMargin_mm = 12;       ///< round the lesion
constexpr double kAir_mm = 5;           ///< round the body
constexpr double kWindowCentre_hu = 40, kWindowWidth_hu = 400;

struct Colour { double r, g, b; };      // Okabe-Ito: told apart by the colour-blind
constexpr Colour kContour{0.902, 0.624, 0.0};
constexpr Colour kFirst{0.337, 0.706, 0.914};
constexpr Colour kSecond{1, 1, 1};
constexpr Colour kBand{0.941, 0.894, 0.259};

using Surface = std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)>;
using Context = std::unique_ptr<cairo_t, decltype(&cairo_destroy)>;

void colour(cairo_t* c, Colour k, double alpha = 1) { cairo_set_source_rgba(c, k.r, k.g, k.b, alpha); }

enum class Anchor { left, middle, right };

struct TextStyle {
    double size_px = 15;
    bool bold = false;
    Colour ink{1, 1, 1};
    double box = 0;      ///< opacity of a dark box behind the text
    double widest = 0;   ///< ellipsis beyond; 0 = no limit
};

/// Draws text with its vertical middle at y; returns its width.
double draw_text(cairo_t* c, const std::string& text, double x, double y, Anchor anchor, const TextStyle& style)
{
    const std::unique_ptr<PangoLayout, decltype(&g_object_unref)> layout(pango_cairo_create_layout(c), &g_object_unref);
    PangoFontDescription* font = pango_font_description_from_string("DejaVu Sans");
    pango_font_description_set_absolute_size(font, style.size_px * PANGO_SCALE);
    pango_font_description_set_weight(font, style.bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(layout.get(), font);
    pango_font_description_free(font);
    pango_layout_set_single_paragraph_mode(layout.get(), TRUE);
    if (style.widest > 0) {
        pango_layout_set_ellipsize(layout.get(), PANGO_ELLIPSIZE_END);
        pango_layout_set_width(layout.get(), static_cast<int>(style.widest * PANGO_SCALE));
    }
    pango_layout_set_text(layout.get(), text.c_str(), static_cast<int>(text.size()));
    PangoRectangle extent;
    pango_layout_get_pixel_extents(layout.get(), nullptr, &extent);
    const double left = x - (anchor == Anchor::left ? 0 : anchor == Anchor::middle ? extent.width / 2.0 : extent.width);
    const double top = y - extent.height / 2.0;
    if (style.box > 0) {
        cairo_set_source_rgba(c, 0, 0, 0, style.box);
        cairo_rectangle(c, left - 4, top - 1, extent.width + 8, extent.height + 2);
        cairo_fill(c);
    }
    colour(c, style.ink);
    cairo_move_to(c, left - extent.x, top);
    pango_cairo_show_layout(c, layout.get());
    return extent.width;
}

void stroke_twice(cairo_t* c, Colour ink, double width)  // a dark halo keeps lines visible on white and on black tissue
{
    cairo_set_source_rgba(c, 0, 0, 0, 0.55);
    cairo_set_line_width(c, width + 2);
    cairo_stroke_preserve(c);
    colour(c, ink);
    cairo_set_line_width(c, width);
    cairo_stroke(c);
}

/// What a picture shows.
struct Scene {
    const CtVolume* ct = nullptr;
    const Mask* mask = nullptr;
    View view = View::axial;
    PatientPoint centre;
    struct Caliper {
        PatientPoint a, b;
        std::string label;
        Colour ink;
        bool dashed;
    };
    std::vector<Caliper> calipers;
    std::string heading, facts, place;
    std::string review_state;
    bool synthetic = false;
};

Field unite(Field a, const Field& b, double margin)
{
    return {std::min(a.left, b.left - margin), std::max(a.right, b.right + margin), std::min(a.top, b.top - margin), std::max(a.bottom, b.bottom + margin)};
}

PicturePlane plane_of(const Field& field, PatientPoint centre, const std::array<PatientPoint, 2>& directions, double longest_px)
{
    PicturePlane plane;
    plane.mm_per_pixel = std::max(field.width(), field.height()) / longest_px;
    plane.width = std::max(1, static_cast<int>(std::lround(field.width() / plane.mm_per_pixel)));
    plane.height = std::max(1, static_cast<int>(std::lround(field.height() / plane.mm_per_pixel)));
    plane.right = plane.mm_per_pixel * directions[0];
    plane.down = plane.mm_per_pixel * directions[1];
    plane.origin = centre + (field.left + plane.mm_per_pixel / 2) * directions[0] + (field.top + plane.mm_per_pixel / 2) * directions[1];
    return plane;
}

void draw_slice(cairo_t* c, const Scene& scene, const PicturePlane& plane)
{
    const auto grey = grey_values(*scene.ct, plane, kWindowCentre_hu, kWindowWidth_hu);
    const Surface image(cairo_image_surface_create(CAIRO_FORMAT_RGB24, plane.width, plane.height), &cairo_surface_destroy);
    auto* pixels = cairo_image_surface_get_data(image.get());
    const int stride = cairo_image_surface_get_stride(image.get());
    for (int y = 0; y < plane.height; ++y) {
        auto* line = reinterpret_cast<std::uint32_t*>(pixels + static_cast<std::ptrdiff_t>(y) * stride);
        for (int x = 0; x < plane.width; ++x) line[x] = 0x010101U * grey[static_cast<std::size_t>(y) * static_cast<std::size_t>(plane.width) + static_cast<std::size_t>(x)];
    }
    cairo_surface_mark_dirty(image.get());
    cairo_set_source_surface(c, image.get(), 0, 0);
    cairo_paint(c);
}

void draw_contour(cairo_t* c, const Scene& scene, const PicturePlane& plane, double width)
{
    const auto inside = mask_pixels(*scene.mask, scene.ct->geometry, plane);
    cairo_new_path(c);
    for (const auto& edge : outline_of(inside, plane.width, plane.height)) {
        cairo_move_to(c, edge.x0, edge.y0);
        cairo_line_to(c, edge.x1, edge.y1);
    }
    cairo_set_line_cap(c, CAIRO_LINE_CAP_SQUARE);
    stroke_twice(c, kContour, width);
}

struct Label {
    double x, y;
    std::string text;
    Colour ink;
};

/// Draws the line with end ticks; its label goes beyond the lower or right end, kept inside the picture.
Label draw_caliper(cairo_t* c, const Scene::Caliper& caliper, const PicturePlane& plane)
{
    const auto a = plane.seen(caliper.a), b = plane.seen(caliper.b);
    const double ax = a[0] + 0.5, ay = a[1] + 0.5, bx = b[0] + 0.5, by = b[1] + 0.5;  // pixel centres lie half a pixel in
    const double length = std::max(1e-9, std::hypot(bx - ax, by - ay));
    const double nx = -(by - ay) / length, ny = (bx - ax) / length;
    constexpr double kTick_px = 6;
    cairo_set_line_cap(c, CAIRO_LINE_CAP_BUTT);
    const double dashes[] = {7, 4};
    cairo_new_path(c);
    cairo_move_to(c, ax, ay);
    cairo_line_to(c, bx, by);
    if (caliper.dashed) cairo_set_dash(c, dashes, 2, 0);
    stroke_twice(c, caliper.ink, 1.8);
    cairo_set_dash(c, nullptr, 0, 0);
    cairo_new_path(c);
    for (const auto& end : {std::array{ax, ay}, std::array{bx, by}}) {
        cairo_move_to(c, end[0] - kTick_px * nx, end[1] - kTick_px * ny);
        cairo_line_to(c, end[0] + kTick_px * nx, end[1] + kTick_px * ny);
    }
    stroke_twice(c, caliper.ink, 1.8);
    const bool b_last = std::abs(by - ay) > std::abs(bx - ax) ? by > ay : bx > ax;
    const double ex = b_last ? bx : ax, ey = b_last ? by : ay, dx = (b_last ? 1 : -1) * (bx - ax) / length, dy = (b_last ? 1 : -1) * (by - ay) / length;
    constexpr double kBeside_px = 70, kBelow_px = 18;  // clear of the tick, whichever way the line runs
    return {ex + kBeside_px * dx, ey + kBelow_px * dy, caliper.label, caliper.ink};
}

void draw_labels(cairo_t* c, std::vector<Label> labels, const PicturePlane& plane)
{
    constexpr double kLine_px = 22, kHalf_px = 72;
    for (auto& label : labels) {
        label.x = std::clamp(label.x, kHalf_px, std::max(kHalf_px, plane.width - kHalf_px));
        label.y = std::clamp(label.y, 34.0, std::max(34.0, plane.height - 44.0));
    }
    for (std::size_t i = 1; i < labels.size(); ++i) {  // two labels never lie on each other
        for (std::size_t j = 0; j < i; ++j) {
            if (std::abs(labels[i].x - labels[j].x) < 2 * kHalf_px && std::abs(labels[i].y - labels[j].y) < kLine_px) {
                labels[i].y = labels[j].y + (labels[j].y + kLine_px < plane.height - 44.0 ? kLine_px : -kLine_px);
            }
        }
    }
    for (const auto& label : labels) draw_text(c, label.text, label.x, label.y, Anchor::middle, {14, true, label.ink, 0.72});
}

void draw_orientation(cairo_t* c, const PicturePlane& plane, const std::array<PatientPoint, 2>& directions)
{
    const TextStyle style{17, true, {1, 1, 1}, 0.5};
    const auto letter = [](PatientPoint d) { return std::string(1, letter_of(d)); };
    draw_text(c, letter(-1.0 * directions[0]), 14, plane.height / 2.0, Anchor::middle, style);
    draw_text(c, letter(directions[0]), plane.width - 14, plane.height / 2.0, Anchor::middle, style);
    draw_text(c, letter(-1.0 * directions[1]), plane.width / 2.0, 15, Anchor::middle, style);
    draw_text(c, letter(directions[1]), plane.width / 2.0, plane.height - 15, Anchor::middle, style);
}

void draw_scale_bar(cairo_t* c, const PicturePlane& plane)
{
    const double field_mm = plane.width * plane.mm_per_pixel;
    double bar_mm = 100;
    for (const double candidate : {100.0, 50.0, 20.0, 10.0, 5.0, 2.0}) {
        bar_mm = candidate;
        if (candidate < field_mm / 3.5) break;
    }
    const double length = bar_mm / plane.mm_per_pixel, x = 14, y = plane.height - 14;
    cairo_new_path(c);
    cairo_set_line_cap(c, CAIRO_LINE_CAP_BUTT);
    cairo_move_to(c, x, y - 5);
    cairo_line_to(c, x, y);
    cairo_line_to(c, x + length, y);
    cairo_line_to(c, x + length, y - 5);
    stroke_twice(c, {1, 1, 1}, 2);
    draw_text(c, fixed(bar_mm, 0) + " mm", x + length / 2, y - 15, Anchor::middle, {13, false, {1, 1, 1}, 0.5});
}

/// The whole slice in a corner with the enlarged part marked.
void draw_locator(cairo_t* c, const Scene& scene, const Field& whole, const Field& shown, const std::array<PatientPoint, 2>& directions, const PicturePlane& plane)
{
    const auto locator = plane_of(whole, scene.centre, directions, 170);
    const double x = plane.width - locator.width - 8, y = 8;
    cairo_save(c);
    cairo_translate(c, x, y);
    cairo_rectangle(c, 0, 0, locator.width, locator.height);
    cairo_clip(c);
    draw_slice(c, scene, locator);
    draw_contour(c, scene, locator, 1);
    cairo_rectangle(c, (shown.left - whole.left) / locator.mm_per_pixel, (shown.top - whole.top) / locator.mm_per_pixel, shown.width() / locator.mm_per_pixel, shown.height() / locator.mm_per_pixel);
    stroke_twice(c, {1, 1, 1}, 1.2);
    cairo_restore(c);
    cairo_rectangle(c, x - 0.5, y - 0.5, locator.width + 1, locator.height + 1);
    colour(c, {0.75, 0.75, 0.75});
    cairo_set_line_width(c, 1);
    cairo_stroke(c);
}

Status draw(const std::filesystem::path& file, const Scene& scene)
{
    const auto directions = directions_of(scene.view, scene.ct->geometry);
    const auto lesion = mask_field(*scene.mask, scene.ct->geometry, scene.centre, directions);
    const auto body = body_field(*scene.ct, scene.centre, directions);
    const auto whole = unite({body.left - kAir_mm, body.right + kAir_mm, body.top - kAir_mm, body.bottom + kAir_mm}, lesion, kMargin_mm);
    const bool small = std::max(lesion.width(), lesion.height()) < kSmallLesion_mm;
    Field shown = whole;
    if (small) {  // three lesion widths, at least 9 cm, round the lesion's middle
        const double half = std::max(45.0, 1.5 * std::max(lesion.width(), lesion.height()));
        const double x = (lesion.left + lesion.right) / 2, y = (lesion.top + lesion.bottom) / 2;
        shown = {x - half, x + half, y - half, y + half};
    }
    const auto plane = plane_of(shown, scene.centre, directions, kPicture_px);
    const int width = std::max(plane.width, kMinimum_px), height = kHeading_px + plane.height + kBand_px;
    const Surface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height), &cairo_surface_destroy);
    const Context context(cairo_create(surface.get()), &cairo_destroy);
    auto* c = context.get();

    const double shift = (width - plane.width) / 2.0;
    cairo_save(c);
    cairo_translate(c, std::floor(shift), kHeading_px);
    cairo_rectangle(c, 0, 0, plane.width, plane.height);
    cairo_clip(c);
    draw_slice(c, scene, plane);
    draw_contour(c, scene, plane, 1.6);
    std::vector<Label> labels;
    for (const auto& caliper : scene.calipers) labels.push_back(draw_caliper(c, caliper, plane));
    if (small) draw_locator(c, scene, whole, shown, directions, plane);
    draw_orientation(c, plane, directions);
    draw_scale_bar(c, plane);
    draw_labels(c, labels, plane);
    if (scene.synthetic) draw_text(c, "SYNTHETIC", plane.width - 12, plane.height - 18, Anchor::right, {16, true, kBand, 0.6});
    cairo_restore(c);

    cairo_set_source_rgb(c, 0.09, 0.09, 0.10);
    cairo_rectangle(c, 0, 0, width, kHeading_px);
    cairo_fill(c);
    draw_text(c, scene.heading, 10, 14, Anchor::left, {15, true, {1, 1, 1}, 0, width - 20.0});
    const double facts = draw_text(c, scene.facts, width - 10, 34, Anchor::right, {12, false, {0.78, 0.78, 0.78}});
    draw_text(c, scene.place, 10, 34, Anchor::left, {12, false, {0.78, 0.78, 0.78}, 0, width - facts - 32});

    colour(c, kBand);
    cairo_rectangle(c, 0, height - kBand_px, width, kBand_px);
    cairo_fill(c);
    draw_text(c, band_text(scene.review_state), width / 2.0, height - kBand_px / 2.0, Anchor::middle, {14, true, {0, 0, 0}});

    cairo_surface_flush(surface.get());
    const auto status = cairo_surface_write_to_png(surface.get(), file.c_str());
    if (status != CAIRO_STATUS_SUCCESS) return Error{Code::io, "cannot write " + file.string() + ": " + cairo_status_to_string(status), "outputs: write_key_images"};
    return Done{};
}

constexpr std::array<std::pair<View, const char*>, 3> kViews{{{View::axial, "axial"}, {View::coronal, "coronal"}, {View::sagittal, "sagittal"}}};

Result<Scene> scene_of(const CaseResult& result, const TimepointResult& timepoint, const LesionResult& lesion)
{
    if (!timepoint.ct || !lesion.mask || !lesion.measurements) return Error{Code::internal, "a picture needs a CT, a mask and its measurements", "outputs: write_key_images"};
    if (lesion.mask->size() != timepoint.ct->volume.hu.size()) return Error{Code::mask_grid, "the mask is not on the grid of the CT", "outputs: write_key_images"};
    Scene scene;
    scene.ct = &timepoint.ct->volume;
    scene.mask = &*lesion.mask;
    scene.review_state = lesion.review_state;
    scene.synthetic = result.synthetic;
    scene.facts = "window " + fixed(kWindowCentre_hu, 0) + "/" + fixed(kWindowWidth_hu, 0) + " HU";
    return scene;
}

/// Axial: the slice of the long axis with both axes; else through the centroid with the craniocaudal extent.
void turn_to(Scene& scene, View view, const LesionResult& lesion)
{
    const auto& m = *lesion.measurements;
    const auto cut = at_least(lesion);
    scene.view = view;
    scene.calipers.clear();
    if (view == View::axial) {
        scene.centre = 0.5 * (m.long_axis.a + m.long_axis.b);
        scene.calipers.push_back({m.short_axis.a, m.short_axis.b, "short " + cut + m.short_axis.recorded.text() + " mm", kSecond, true});
        scene.calipers.push_back({m.long_axis.a, m.long_axis.b, "long " + cut + m.long_axis.recorded.text() + " mm", kFirst, false});
    } else {
        scene.centre = m.centroid;
        scene.calipers.push_back({m.craniocaudal.a, m.craniocaudal.b, "craniocaudal " + cut + m.craniocaudal.recorded.text() + " mm", kFirst, false});
    }
}

/// One tile of a contact sheet: the lesion in the middle of a field whose size and scale are those of all tiles of its row.
Status draw_tile(const std::filesystem::path& file, const Scene& scene, double width_mm, double height_mm, double mm_per_pixel)
{
    const auto directions = directions_of(scene.view, scene.ct->geometry);
    const auto lesion = mask_field(*scene.mask, scene.ct->geometry, scene.centre, directions);
    const double x = (lesion.left + lesion.right) / 2, y = (lesion.top + lesion.bottom) / 2;
    const auto plane = plane_of({x - width_mm / 2, x + width_mm / 2, y - height_mm / 2, y + height_mm / 2}, scene.centre, directions, std::max(width_mm, height_mm) / mm_per_pixel);
    const Surface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, plane.width, plane.height), &cairo_surface_destroy);
    const Context context(cairo_create(surface.get()), &cairo_destroy);
    auto* c = context.get();
    draw_slice(c, scene, plane);
    draw_contour(c, scene, plane, 1.4);
    for (const auto& caliper : scene.calipers) draw_caliper(c, caliper, plane);
    draw_scale_bar(c, plane);
    if (scene.synthetic) draw_text(c, "SYNTHETIC", plane.width - 8, 12, Anchor::right, {12, true, kBand, 0.6});
    cairo_surface_flush(surface.get());
    const auto status = cairo_surface_write_to_png(surface.get(), file.c_str());
    if (status != CAIRO_STATUS_SUCCESS) return Error{Code::io, "cannot write " + file.string() + ": " + cairo_status_to_string(status), "outputs: write_sheet"};
    return Done{};
}

}  // namespace

Result<std::vector<std::string>> write_key_images(const std::filesystem::path& folder, const std::string& stem, const CaseResult& result,
                                                  const TimepointResult& timepoint, const LesionResult& lesion)
{
    RETROMASS_TRY_ASSIGN(auto scene, scene_of(result, timepoint, lesion));
    scene.heading = result.case_id + "   " + timepoint.id + "   " + (timepoint.date ? iso(*timepoint.date) : "no date");
    std::vector<std::string> names;
    for (const auto& [view, view_name] : kViews) {
        turn_to(scene, view, lesion);
        const int slice = static_cast<int>(std::lround(timepoint.ct->volume.geometry.to_index(scene.centre).slice));
        scene.place = "lesion " + lesion.lesion + ", " + (view == View::axial ? "axial slice of the long axis (" + std::to_string(slice + 1) + " of " + std::to_string(scene.mask->size().slices) + ")" : std::string(view_name) + " through the centroid");
        names.push_back(stem + "-" + view_name + ".png");
        RETROMASS_TRY(draw(folder / names.back(), scene));
    }
    return names;
}

Result<std::map<std::string, std::vector<std::string>>> write_sheet(const std::filesystem::path& folder, const CaseResult& result, const std::string& lesion_id)
{
    struct Tile {
        std::string stem;
        const LesionResult* lesion;
        Scene scene;
    };
    std::vector<Tile> tiles;
    std::array<std::array<double, 2>, kViews.size()> fields{};  // the widest and the highest lesion of each view
    for (const auto& timepoint : result.timepoints) {
        for (const auto& lesion : timepoint.lesions) {
            if (lesion.lesion != lesion_id || !timepoint.ct || !lesion.mask || !lesion.measurements) continue;
            RETROMASS_TRY_ASSIGN(auto scene, scene_of(result, timepoint, lesion));
            for (std::size_t v = 0; v < kViews.size(); ++v) {
                turn_to(scene, kViews[v].first, lesion);
                const auto field = mask_field(*scene.mask, scene.ct->geometry, scene.centre, directions_of(scene.view, scene.ct->geometry));
                fields[v] = {std::max(fields[v][0], field.width() + 2 * kMargin_mm), std::max(fields[v][1], field.height() + 2 * kMargin_mm)};
            }
            tiles.push_back({stem_of(timepoint, lesion), &lesion, std::move(scene)});
        }
    }
    double widest_mm = 0;
    for (const auto& field : fields) widest_mm = std::max(widest_mm, field[0]);
    std::map<std::string, std::vector<std::string>> names;
    for (auto& tile : tiles) {
        for (std::size_t v = 0; v < kViews.size(); ++v) {
            turn_to(tile.scene, kViews[v].first, *tile.lesion);
            names[tile.stem].push_back(tile.stem + "-sheet-" + kViews[v].second + ".png");
            // All rows are as wide: the widest of the fields is the width of each, so that one scale holds for the whole sheet.
            RETROMASS_TRY(draw_tile(folder / names[tile.stem].back(), tile.scene, widest_mm, fields[v][1], widest_mm / kTile_px));
        }
    }
    return names;
}

}  // namespace retromass::outputs

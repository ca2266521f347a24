#include <cairo-pdf.h>
#include <cairo.h>
#include <pango/pangocairo.h>

#include <algorithm>
#include <memory>

#include "pipeline/outputs/objects.h"
#include "pipeline/outputs/words.h"

namespace retromass::outputs {
namespace {

constexpr double kWidth_pt = 842, kHeight_pt = 595;  // A4 across
constexpr double kMargin_pt = 36;
constexpr double kText_pt = 7.5, kLine_pt = 10, kHeading_pt = 12;

using Surface = std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)>;
using Context = std::unique_ptr<cairo_t, decltype(&cairo_destroy)>;

void draw_line(cairo_t* c, const std::string& text, const char* family, double size_pt, double y)
{
    const std::unique_ptr<PangoLayout, decltype(&g_object_unref)> layout(pango_cairo_create_layout(c), &g_object_unref);
    PangoFontDescription* font = pango_font_description_from_string(family);
    pango_font_description_set_absolute_size(font, size_pt * PANGO_SCALE);
    pango_layout_set_font_description(layout.get(), font);
    pango_font_description_free(font);
    pango_layout_set_ellipsize(layout.get(), PANGO_ELLIPSIZE_END);
    pango_layout_set_width(layout.get(), static_cast<int>((kWidth_pt - 2 * kMargin_pt) * PANGO_SCALE));
    pango_layout_set_text(layout.get(), text.c_str(), static_cast<int>(text.size()));
    cairo_move_to(c, kMargin_pt, y);
    pango_cairo_show_layout(c, layout.get());
}

/// The heading of every page: whose case, and that nobody has signed it.
void begin_page(cairo_t* c, const CaseResult& result, const std::string& subject)
{
    draw_line(c, "Case " + result.case_id + (result.synthetic ? "  SYNTHETIC" : "") + "  [" + band_text(review_state_of(result)) + "]  " + subject, "DejaVu Sans Bold", kHeading_pt, kMargin_pt);
}

void write_table(cairo_t* c, const CaseResult& result)
{
    const double top = kMargin_pt + 2 * kHeading_pt;
    double y = kHeight_pt;  // the first line opens a page
    const auto table = response_table(result);
    bool any = false;
    for (std::size_t from = 0; from < table.size();) {
        const auto to = std::min(table.find('\n', from), table.size());
        if (y + kLine_pt > kHeight_pt - kMargin_pt) {
            if (any) cairo_show_page(c);
            begin_page(c, result, "response");
            y = top;
            any = true;
        }
        draw_line(c, table.substr(from, to - from), "DejaVu Sans Mono", kText_pt, y);
        y += kLine_pt;
        from = to + 1;
    }
    cairo_show_page(c);
}

/// The three views of one lesion side by side, as large as they fit.
Status write_views(cairo_t* c, const CaseResult& result, const TimepointResult& timepoint, const LesionResult& lesion, const std::filesystem::path& images)
{
    begin_page(c, result, timepoint.id + " " + date_text(timepoint.date) + "  " + lesion.lesion);
    const double room = (kWidth_pt - 2 * kMargin_pt) / 3;
    const double top = kMargin_pt + 2 * kHeading_pt;
    double x = kMargin_pt;
    for (const char* view : {"axial", "coronal", "sagittal"}) {
        const auto file = images / (stem_of(timepoint, lesion) + "-" + view + ".png");
        const Surface picture(cairo_image_surface_create_from_png(file.c_str()), &cairo_surface_destroy);
        if (cairo_surface_status(picture.get()) != CAIRO_STATUS_SUCCESS) return Error{Code::io, "cannot read " + file.string(), "outputs: write_pdf"};
        const double scale = std::min((room - 6) / cairo_image_surface_get_width(picture.get()), (kHeight_pt - kMargin_pt - top) / cairo_image_surface_get_height(picture.get()));
        cairo_save(c);
        cairo_translate(c, x, top);
        cairo_scale(c, scale, scale);
        cairo_set_source_surface(c, picture.get(), 0, 0);
        cairo_paint(c);
        cairo_restore(c);
        x += room;
    }
    cairo_show_page(c);
    return Done{};
}

}  // namespace

Status write_pdf(const std::filesystem::path& file, const CaseResult& result, const std::filesystem::path& images)
{
    const Surface surface(cairo_pdf_surface_create(file.c_str(), kWidth_pt, kHeight_pt), &cairo_surface_destroy);
    std::string date = "1900-01-01";  // of the last study, not the clock's: the same bytes at every run
    for (const auto& timepoint : result.timepoints) {
        if (timepoint.date) date = iso(*timepoint.date);
    }
    cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_CREATE_DATE, (date + "T00:00:00Z").c_str());
    cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_TITLE, "RESEARCH tumour response");
    {
        const Context c(cairo_create(surface.get()), &cairo_destroy);
        write_table(c.get(), result);
        for (const auto& timepoint : result.timepoints) {
            for (const auto& lesion : timepoint.lesions) {
                if (timepoint.ct && lesion.mask && lesion.measurements) RETROMASS_TRY(write_views(c.get(), result, timepoint, lesion, images));
            }
        }
    }
    cairo_surface_finish(surface.get());
    const auto status = cairo_surface_status(surface.get());
    if (status != CAIRO_STATUS_SUCCESS) return Error{Code::io, "cannot write " + file.string() + ": " + cairo_status_to_string(status), "outputs: write_pdf"};
    return Done{};
}

Result<RgbPicture> read_picture(const std::filesystem::path& file)
{
    const Surface picture(cairo_image_surface_create_from_png(file.c_str()), &cairo_surface_destroy);
    if (cairo_surface_status(picture.get()) != CAIRO_STATUS_SUCCESS) return Error{Code::io, "cannot read " + file.string(), "outputs: read_picture"};
    RgbPicture out{cairo_image_surface_get_width(picture.get()), cairo_image_surface_get_height(picture.get()), {}};
    const unsigned char* const data = cairo_image_surface_get_data(picture.get());
    const int stride = cairo_image_surface_get_stride(picture.get());
    for (int y = 0; y < out.height; ++y) {
        for (int x = 0; x < out.width; ++x) {
            std::uint32_t pixel = 0;  // native order: alpha, red, green, blue from the highest byte
            std::copy_n(data + y * stride + 4 * x, 4, reinterpret_cast<unsigned char*>(&pixel));
            for (const int shift : {16, 8, 0}) out.pixels.push_back(static_cast<std::uint8_t>(pixel >> shift & 0xff));
        }
    }
    return out;
}

}  // namespace retromass::outputs

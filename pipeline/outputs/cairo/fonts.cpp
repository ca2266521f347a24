#include <pango/pangocairo.h>

#include <memory>

#include "pipeline/outputs/outputs.h"

namespace retromass::outputs {

std::string font_family()
{
    const std::unique_ptr<PangoContext, decltype(&g_object_unref)> context(pango_font_map_create_context(pango_cairo_font_map_get_default()), &g_object_unref);
    const std::unique_ptr<PangoFontDescription, decltype(&pango_font_description_free)> wanted(pango_font_description_from_string("DejaVu Sans 10"), &pango_font_description_free);
    const std::unique_ptr<PangoFont, decltype(&g_object_unref)> found(pango_context_load_font(context.get(), wanted.get()), &g_object_unref);
    if (!found) return {};
    const std::unique_ptr<PangoFontDescription, decltype(&pango_font_description_free)> described(pango_font_describe(found.get()), &pango_font_description_free);
    const char* family = pango_font_description_get_family(described.get());
    return family ? family : "";
}

}  // namespace retromass::outputs

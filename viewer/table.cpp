#include "core/units.h"
#include "viewer/view.h"

namespace retromass::viewer {
namespace {

std::string figures(const LesionView& lesion)
{
    std::string text = "  " + lesion.lesion + "  ";
    if (!lesion.measurements) return text + "not evaluable";
    return text + sizes_text(*lesion.measurements) + " mm";
}

std::string volume_and_state(const LesionView& lesion)
{
    std::string text = "      ";
    if (lesion.measurements) text += at_least(*lesion.measurements) + fixed(lesion.measurements->recorded_volume_ml, 1) + " ml, ";
    text += lesion.review_state;
    return lesion.reader.empty() || lesion.review_state == "unreviewed" ? text : text + " " + lesion.reader;
}

}  // namespace

std::string at_least(const measurement::LesionMeasurements& m) { return has(m.notices, Code::truncated) ? ">= " : ""; }

std::string sizes_text(const measurement::LesionMeasurements& m)
{
    return at_least(m) + m.long_axis.recorded.text() + " x " + m.short_axis.recorded.text() + " x " + m.craniocaudal.recorded.text();
}

std::vector<TableRow> table(const Scene& scene, const View& view)
{
    std::vector<TableRow> rows;
    for (std::size_t t = 0; t < scene.timepoints.size(); ++t) {
        const auto& timepoint = scene.timepoints[t];
        const bool here = t == view.timepoint;
        rows.push_back({timepoint.id + (timepoint.date ? "  " + iso(*timepoint.date) : "") + (timepoint.ct ? "" : timepoint.being_read ? "  being read" : "  no images"), t, {}, here});
        if (!timepoint.response.empty()) rows.push_back({"  " + scene.criterion + ": " + timepoint.response, t, {}, here});
        if (!timepoint.signature.empty()) rows.push_back({"  signed by " + timepoint.signature, t, {}, here});
        for (std::size_t l = 0; l < timepoint.lesions.size(); ++l) {
            const auto& lesion = timepoint.lesions[l];
            const bool looked_at = here && l == view.lesion;
            rows.push_back({figures(lesion), t, l, looked_at});
            rows.push_back({volume_and_state(lesion), t, l, looked_at});
        }
    }
    return rows;
}

}  // namespace retromass::viewer

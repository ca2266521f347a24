#include "pipeline/outputs/verify.h"

#include <algorithm>
#include <cmath>

#include "pipeline/outputs/sr_content.h"
#include "pipeline/outputs/words.h"

namespace retromass::outputs {
namespace {

Error differs(const TimepointResult& timepoint, const std::string& lesion, const char* object, const std::string& what)
{
    return {Code::verification_failed, "time point " + timepoint.id + ", lesion " + lesion + ": the DICOM " + object + ", read back, " + what, "outputs: write_case"};
}

/// What a report must say of one lesion: the code and qualifier of a number, and the number.
struct Expected {
    const char* code;
    const char* qualifier;
    double value;
    const measurement::Axis* axis = nullptr;  ///< its end points, where they were drawn on an image
};

/// A 32-bit pixel coordinate of up to 65535 is exact to 0.004 pixels.
constexpr double kDrawn_px = 0.01;

bool drawn_along(const ingest::MarkedLine& line, const measurement::Axis& axis, const ingest::CtSeries& ct)
{
    const auto off = [&](const ingest::ImagePoint& drawn, PatientPoint point) {
        const auto index = ct.volume.geometry.to_index(point);
        return std::max(std::abs(drawn.column - 0.5 - index.column), std::abs(drawn.row - 0.5 - index.row));
    };
    const auto slice = static_cast<std::size_t>(std::lround(ct.volume.geometry.to_index(axis.a).slice));
    return line.sop_instance_uid == ct.slices[slice].sop_instance_uid && off(line.on_image[0], axis.a) < kDrawn_px && off(line.on_image[1], axis.b) < kDrawn_px;
}

}  // namespace

Status verify_seg(const std::filesystem::path& file, const TimepointResult& timepoint, const std::vector<const LesionResult*>& lesions)
{
    RETROMASS_TRY_ASSIGN(const auto labels, ingest::read_labels(file));
    for (std::size_t i = 0; i < lesions.size(); ++i) {
        const auto& lesion = *lesions[i];
        RETROMASS_TRY_ASSIGN(const auto read, ingest::mask_on_grid(labels, static_cast<int>(i + 1), timepoint.ct->volume.geometry));
        std::size_t unlike = 0;
        for (std::size_t v = 0; v < read.values().size(); ++v) unlike += (read[v] != 0) != ((*lesion.mask)[v] != 0) ? 1 : 0;
        if (unlike > 0) return differs(timepoint, lesion.lesion, "SEG", "differs from the mask in " + std::to_string(unlike) + " voxels");
        if (!lesion.measurements) continue;
        RETROMASS_TRY_ASSIGN(const auto again, measurement::measure(read, timepoint.ct->volume.geometry, nullptr));
        const auto& m = *lesion.measurements;
        const auto compare = [&](const char* what, double now, double before) -> Status {
            if (now == before) return Done{};
            return differs(timepoint, lesion.lesion, "SEG", std::string("gives ") + what + " " + fixed(now, 4) + ", recorded was " + fixed(before, 4));
        };
        RETROMASS_TRY(compare("a long axis of", again.long_axis.exact_mm, m.long_axis.exact_mm));
        RETROMASS_TRY(compare("a short axis of", again.short_axis.exact_mm, m.short_axis.exact_mm));
        RETROMASS_TRY(compare("a craniocaudal extent of", again.craniocaudal.exact_mm, m.craniocaudal.exact_mm));
        RETROMASS_TRY(compare("a volume of", again.volume_ml, m.volume_ml));
    }
    return Done{};
}

Status verify_structure_set(const std::filesystem::path& file, const TimepointResult& timepoint, const std::vector<const LesionResult*>& lesions)
{
    const auto skips_slices = [](const Mask& mask) {
        int stretches = 0;
        bool inside = false;
        for (int k = 0; k < mask.size().slices; ++k) {
            const auto plane = mask.plane(k);
            const bool now = std::any_of(plane.begin(), plane.end(), [](auto v) { return v != 0; });
            stretches += now && !inside ? 1 : 0;
            inside = now;
        }
        return stretches > 1;
    };
    if (std::all_of(lesions.begin(), lesions.end(), [&](const LesionResult* l) { return skips_slices(*l->mask); })) return Done{};
    RETROMASS_TRY_ASSIGN(const auto labels, ingest::read_labels(file, &timepoint.ct->volume.geometry));
    for (std::size_t i = 0; i < lesions.size(); ++i) {
        const auto& mask = *lesions[i]->mask;
        if (skips_slices(mask)) continue;
        RETROMASS_TRY_ASSIGN(const auto read, ingest::mask_on_grid(labels, static_cast<int>(i + 1), timepoint.ct->volume.geometry));
        std::size_t unlike = 0;
        for (std::size_t v = 0; v < read.values().size(); ++v) unlike += (read[v] != 0) != (mask[v] != 0) ? 1 : 0;
        if (unlike > 0) return differs(timepoint, lesions[i]->lesion, "RT Structure Set", "differs from the mask in " + std::to_string(unlike) + " voxels");
    }
    return Done{};
}

Status verify_report(const std::filesystem::path& file, const TimepointResult& timepoint)
{
    RETROMASS_TRY_ASSIGN(const auto marks, ingest::read_marks(file));
    for (const auto& lesion : timepoint.lesions) {
        if (!lesion.measurements) continue;
        const auto& m = *lesion.measurements;
        std::vector<Expected> expected{{"118565006 SCT", "", m.recorded_volume_ml}, {"410668003 SCT", "Head-Foot Axis", m.craniocaudal.recorded.as_mm()}};
        if (m.hu) expected.push_back({"112031 DCM", "Mean", m.hu->mean});
        if (lies_on_a_slice(m.long_axis, *timepoint.ct)) {
            expected.push_back({"103339001 SCT", "", m.long_axis.recorded.as_mm(), &m.long_axis});
            expected.push_back({"103340004 SCT", "", m.short_axis.recorded.as_mm(), &m.short_axis});
        }
        for (const auto& wanted : expected) {
            const ingest::ReportedValue* found = nullptr;
            for (const auto& mark : marks.all) {
                if (mark.tracking_uid != lesion.tracking_uid) continue;
                for (const auto& value : mark.values) {
                    if (value.code == wanted.code && value.qualifier == wanted.qualifier) found = &value;
                }
            }
            const auto what = std::string(wanted.code) + (*wanted.qualifier ? " " : "") + wanted.qualifier;
            if (!found || !found->value) return differs(timepoint, lesion.lesion, "SR", "lacks " + what);
            // Recorded values are decimals; a mean has the 13 digits and more that a decimal string holds.
            if (std::abs(*found->value - wanted.value) > 1e-9 * std::max(1.0, std::abs(wanted.value))) return differs(timepoint, lesion.lesion, "SR", "gives " + what + " as " + decimal_text(*found->value) + ", recorded was " + decimal_text(wanted.value));
            if (wanted.axis && (!found->line || !drawn_along(*found->line, *wanted.axis, *timepoint.ct))) return differs(timepoint, lesion.lesion, "SR", "draws " + what + " elsewhere than it was measured");
        }
    }
    return Done{};
}

}  // namespace retromass::outputs

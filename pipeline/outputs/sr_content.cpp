#include "pipeline/outputs/sr_content.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "pipeline/outputs/outline.h"
#include "pipeline/outputs/words.h"

namespace retromass::outputs {
namespace {

const CodedConcept kMm{"mm", "UCUM", "millimeter"};
const CodedConcept kMl{"cm3", "UCUM", "cubic centimeter"};
const CodedConcept kHu{"[hnsf'U]", "UCUM", "Hounsfield unit"};
const CodedConcept kMethod{"370129005", "SCT", "Measurement Method"};
const CodedConcept kRecist{"126081", "DCM", "RECIST 1.1"};
const CodedConcept kLength{"410668003", "SCT", "Length"};
const CodedConcept kComment{"121106", "DCM", "Comment"};

ContentItem container(const char* relationship, CodedConcept name, const char* template_id = "")
{
    ContentItem out;
    out.relationship = relationship;
    out.type = "CONTAINER";
    out.name = std::move(name);
    out.template_id = template_id;
    return out;
}

ContentItem code(const char* relationship, CodedConcept name, CodedConcept value)
{
    ContentItem out;
    out.relationship = relationship;
    out.type = "CODE";
    out.name = std::move(name);
    out.code = std::move(value);
    return out;
}

/// TEXT, PNAME, UIDREF or DATE.
ContentItem words(const char* type, const char* relationship, CodedConcept name, std::string value)
{
    ContentItem out;
    out.relationship = relationship;
    out.type = type;
    out.name = std::move(name);
    out.text = std::move(value);
    return out;
}

/// A 95 % interval and what it was calibrated on.
struct KnownInterval {
    response::Interval ends;
    std::string origin;
};

/// A number, with its 95 % interval where it has one: offsets below and above the value (CID 225).
ContentItem number(CodedConcept name, std::string decimal, const CodedConcept& unit, const std::optional<KnownInterval>& interval = {})
{
    ContentItem out;
    out.relationship = "CONTAINS";
    out.type = "NUM";
    out.name = std::move(name);
    out.text = std::move(decimal);
    out.code = unit;
    if (!interval) return out;
    const double value = std::stod(out.text);
    const auto offset = [&](CodedConcept range, double mm) {
        auto item = number(std::move(range), decimal_text(mm), unit);
        item.relationship = "HAS PROPERTIES";
        out.add(std::move(item));
    };
    offset({"371885007", "SCT", "-, range of lower measurement uncertainty"}, std::max(0.0, value - interval->ends.low));
    offset({"371886008", "SCT", "+, range of upper measurement uncertainty"}, std::max(0.0, interval->ends.high - value));
    out.add(words("TEXT", "HAS PROPERTIES", kComment, "95 % interval, " + interval->origin));
    return out;
}

ContentItem image(const char* relationship, CodedConcept name, const ObjectReference& object, int frame = 0, int segment = 0)
{
    ContentItem out;
    out.relationship = relationship;
    out.type = "IMAGE";
    out.name = std::move(name);
    out.object = object;
    out.frame = frame;
    out.segment = segment;
    return out;
}

CodedConcept site_code(const std::string& site)
{
    // CID 4 and 9514; a site that is not here stands in the lesion's comment as the case file has it.
    static const std::map<std::string, CodedConcept> known{
        {"retroperitoneum", {"82849001", "SCT", "Retroperitoneal space"}}, {"abdomen", {"113345001", "SCT", "Abdomen"}}, {"liver", {"10200004", "SCT", "Liver"}}, {"lung", {"39607008", "SCT", "Lung"}}};
    const auto found = known.find(site);
    return found == known.end() ? CodedConcept{} : found->second;
}

/// A response category of targets (CID 6144), or of non-targets; no value for what has no code.
CodedConcept response_code(response::Category category, bool target)
{
    using enum response::Category;
    switch (category) {
    case cr: return target ? CodedConcept{"112041", "DCM", "Target Lesion Complete Response"} : CodedConcept{"112045", "DCM", "Non-Target Lesion Complete Response"};
    case pr: return target ? CodedConcept{"112042", "DCM", "Target Lesion Partial Response"} : CodedConcept{};
    case sd: return target ? CodedConcept{"112044", "DCM", "Target Lesion Stable Disease"} : CodedConcept{};
    case non_cr_non_pd: return {"112046", "DCM", "Non-Target Lesion Incomplete Response or Stable Disease"};
    case pd: return target ? CodedConcept{"112043", "DCM", "Target Lesion Progressive Disease"} : CodedConcept{"112047", "DCM", "Non-Target Lesion Progressive Disease"};
    default: return {};
    }
}

class ReportBuilder {
public:
    ReportBuilder(const CaseResult& result, const TimepointResult& timepoint, std::string frame_of_reference_uid)
        : result_(result), timepoint_(timepoint), ct_(*timepoint.ct), frame_of_reference_uid_(std::move(frame_of_reference_uid))
    {
        for (const auto& slice : ct_.slices) ++uses_[slice.sop_instance_uid];
    }

    ContentItem report(const std::vector<std::string>& segmented, const std::optional<ObjectReference>& seg)
    {
        auto root = container("", {"126000", "DCM", "Imaging Measurement Report"}, "1500");
        root.add(code("HAS CONCEPT MOD", {"121049", "DCM", "Language of Content Item and Descendants"}, {"en-US", "RFC5646", "English (United States)"}));
        add_observers(root);
        root.add(code("HAS CONCEPT MOD", {"121058", "DCM", "Procedure reported"}, {"25045-6", "LN", "CT unspecified body region"}));
        auto measurements = container("CONTAINS", {"126010", "DCM", "Imaging Measurements"});
        for (const auto& lesion : timepoint_.lesions) {
            const auto at = std::find(segmented.begin(), segmented.end(), lesion.lesion);
            const bool has_segment = seg && at != segmented.end();
            measurements.add(volumetric(lesion, has_segment ? image("CONTAINS", {"121191", "DCM", "Referenced Segment"}, *seg, 0, static_cast<int>(at - segmented.begin()) + 1) : ContentItem{}));
            if (has_segment && lesion.measurements && lies_on_a_slice(lesion.measurements->long_axis, ct_)) measurements.add(planar(lesion));
        }
        root.add(image_library());
        root.add(std::move(measurements));
        root.add(evaluations());
        return root;
    }

private:
    void add_observers(ContentItem& root) const
    {
        const CodedConcept type{"121005", "DCM", "Observer Type"};
        if (!timepoint_.reader.empty()) {
            root.add(code("HAS OBS CONTEXT", type, {"121006", "DCM", "Person"}));
            root.add(words("PNAME", "HAS OBS CONTEXT", {"121008", "DCM", "Person Observer Name"}, timepoint_.reader));
        }
        root.add(code("HAS OBS CONTEXT", type, {"121007", "DCM", "Device"}));
        root.add(words("UIDREF", "HAS OBS CONTEXT", {"121012", "DCM", "Device Observer UID"}, derived_uid(std::string("device retromass ") + RETROMASS_VERSION, result_.uid_root)));
        root.add(words("TEXT", "HAS OBS CONTEXT", {"121013", "DCM", "Device Observer Name"}, "retromass"));
        root.add(words("TEXT", "HAS OBS CONTEXT", {"121014", "DCM", "Device Observer Manufacturer"}, "Retromass"));
        root.add(words("TEXT", "HAS OBS CONTEXT", {"121015", "DCM", "Device Observer Model Name"}, std::string("retromass ") + RETROMASS_VERSION));
    }

    ObjectReference image_of(int slice) const
    {
        const auto& source = ct_.slices[static_cast<std::size_t>(slice)];
        return {source.sop_class_uid, source.sop_instance_uid, ct_.facts.series_instance_uid};
    }
    int frame_of(int slice) const
    {
        const auto& source = ct_.slices[static_cast<std::size_t>(slice)];
        return uses_.at(source.sop_instance_uid) > 1 ? source.frame + 1 : 0;
    }

    /// The images that something is drawn on: viewers load what the library names.
    ContentItem image_library() const
    {
        auto library = container("CONTAINS", {"111028", "DCM", "Image Library"}, "1600");
        auto& group = library.add(container("CONTAINS", {"126200", "DCM", "Image Library Group"}));
        group.add(code("HAS ACQ CONTEXT", {"121139", "DCM", "Modality"}, {"CT", "DCM", "Computed Tomography"}));
        group.add(words("UIDREF", "HAS ACQ CONTEXT", {"112227", "DCM", "Frame of Reference UID"}, frame_of_reference_uid_));
        for (const int slice : drawn_on_) group.add(image("CONTAINS", {}, image_of(slice), frame_of(slice)));
        if (drawn_on_.empty()) group.add(image("CONTAINS", {}, image_of(0), frame_of(0)));
        return library;
    }

    const response::Lesion* known(const LesionResult& lesion) const
    {
        for (const auto& one : result_.lesions) {
            if (one.id == lesion.lesion) return &one;
        }
        return nullptr;
    }

    /// What every group of a lesion begins with.
    ContentItem group(const LesionResult& lesion, const char* template_id) const
    {
        auto out = container("CONTAINS", {"125007", "DCM", "Measurement Group"}, template_id);
        out.add(words("TEXT", "HAS OBS CONTEXT", {"112039", "DCM", "Tracking Identifier"}, lesion.lesion));
        out.add(words("UIDREF", "HAS OBS CONTEXT", {"112040", "DCM", "Tracking Unique Identifier"}, lesion.tracking_uid));
        const auto* const about = known(lesion);
        out.add(code("CONTAINS", {"121071", "DCM", "Finding"}, about && about->nodal ? CodedConcept{"59441001", "SCT", "Lymph node"} : CodedConcept{"4147007", "SCT", "Mass"}));
        out.add(words("TEXT", "HAS OBS CONTEXT", {"C2348792", "UMLS", "Time Point"}, timepoint_.id));
        return out;
    }
    void add_method_and_site(ContentItem& group, const LesionResult& lesion) const
    {
        group.add(code("HAS CONCEPT MOD", kMethod, kRecist));
        const auto* const about = known(lesion);
        const auto site = about ? site_code(about->site) : CodedConcept{};
        if (!site.value.empty()) group.add(code("HAS CONCEPT MOD", {"363698007", "SCT", "Finding Site"}, site));
    }

    static std::optional<KnownInterval> interval(const LesionResult& lesion, const char* quantity)
    {
        const auto found = lesion.intervals.find(quantity);
        return found == lesion.intervals.end() ? std::nullopt : std::optional(KnownInterval{found->second, interval_origin(lesion, quantity)});
    }

    ContentItem volumetric(const LesionResult& lesion, ContentItem segment)
    {
        const bool has_segment = !segment.type.empty();
        auto out = group(lesion, has_segment ? "1411" : "1501");
        if (has_segment) {
            out.add(std::move(segment));
            out.add(words("UIDREF", "CONTAINS", {"121232", "DCM", "Source series for segmentation"}, ct_.facts.series_instance_uid));
        }
        add_method_and_site(out, lesion);
        if (const auto& m = lesion.measurements; m && has_segment) {
            auto& volume = out.add(number({"118565006", "SCT", "Volume"}, fixed(m->recorded_volume_ml, 2), kMl, interval(lesion, "volume_ml")));
            volume.add(code("HAS CONCEPT MOD", kMethod, {"126030", "DCM", "Sum of segmented voxel volumes"}));
            out.add(craniocaudal(lesion));
            out.add(number({"L0JK", "IBSI", "Maximum 3D Diameter of a Mesh"}, decimal_text(m->max_3d_diameter_mm), kMm, interval(lesion, "max_3d_diameter_mm")));
            if (m->hu) {
                const auto density = [&](double value, CodedConcept derivation, const std::optional<KnownInterval>& known = {}) {
                    auto& item = out.add(number({"112031", "DCM", "Attenuation Coefficient"}, decimal_text(value), kHu, known));
                    item.add(code("HAS CONCEPT MOD", {"121401", "DCM", "Derivation"}, std::move(derivation)));
                };
                density(m->hu->mean, {"373098007", "SCT", "Mean"}, interval(lesion, "hu_mean"));
                density(m->hu->sd, {"386136009", "SCT", "Standard Deviation"});
                density(m->hu->median, {"373099004", "SCT", "Median"});
            }
        }
        out.add(words("TEXT", "CONTAINS", kComment, comment_of(lesion)));
        return out;
    }

    /// Status, review if there was one, site and notices in words.
    std::string comment_of(const LesionResult& lesion) const
    {
        std::string out = "status " + std::string(name(lesion.status)) + (lesion.reason.empty() ? "" : " (" + lesion.reason + ")");
        if (lesion.review_state != "unreviewed") out += "; " + lesion.review_state;  // that nobody reviewed it stands in the flags, which a signature changes
        if (!lesion.reviewer.empty()) out += (lesion.review_state != "unreviewed" ? " by " : "; reader ") + lesion.reviewer;
        if (const auto* const about = known(lesion); about && !about->site.empty()) out += "; site " + about->site;
        if (lesion.reader_long_axis) out += "; reader's line " + lesion.reader_long_axis->text() + " mm";
        for (const auto& notice : notices_of(lesion)) out += "; " + std::string(name(notice.code)) + ": " + notice.text;
        return out;
    }

    /// The extent along the normal of the measuring plane, from the line between its end points in the patient.
    ContentItem craniocaudal(const LesionResult& lesion) const
    {
        const auto& axis = lesion.measurements->craniocaudal;
        auto out = number(kLength, axis.recorded.text(), kMm, interval(lesion, "craniocaudal_mm"));
        out.add(code("HAS CONCEPT MOD", {"106233006", "SCT", "Topographical modifier"}, {"110861", "DCM", "Head-Foot Axis"}));
        ContentItem line;
        line.relationship = "INFERRED FROM";
        line.type = "SCOORD3D";
        line.name = {"121055", "DCM", "Path"};
        line.graphic_type = "POLYLINE";
        line.frame_of_reference_uid = frame_of_reference_uid_;
        for (const auto& p : {axis.a, axis.b}) line.points.insert(line.points.end(), {static_cast<float>(p.x), static_cast<float>(p.y), static_cast<float>(p.z)});
        out.add(std::move(line));
        return out;
    }

    /// DICOM's pixel coordinates of a point of the patient.
    std::array<float, 2> on_image(PatientPoint point) const
    {
        const auto index = ct_.volume.geometry.to_index(point);
        return {static_cast<float>(index.column + 0.5), static_cast<float>(index.row + 0.5)};
    }
    int slice_of(const measurement::Axis& axis) const { return static_cast<int>(std::lround(ct_.volume.geometry.to_index(axis.a).slice)); }

    ContentItem polyline(const char* relationship, CodedConcept name, std::vector<float> points, int slice) const
    {
        ContentItem out;
        out.relationship = relationship;
        out.type = "SCOORD";
        out.name = std::move(name);
        out.graphic_type = "POLYLINE";
        out.points = std::move(points);
        out.add(image("SELECTED FROM", {}, image_of(slice), frame_of(slice)));
        return out;
    }

    ContentItem planar(const LesionResult& lesion)
    {
        const auto& m = *lesion.measurements;
        const int slice = slice_of(m.long_axis);
        if (std::find(drawn_on_.begin(), drawn_on_.end(), slice) == drawn_on_.end()) drawn_on_.push_back(slice);
        auto out = group(lesion, "1410");
        out.add(polyline("CONTAINS", {"111030", "DCM", "Image Region"}, contour(*lesion.mask, slice, on_image(m.long_axis.a)), slice));
        add_method_and_site(out, lesion);
        const auto axis = [&](CodedConcept name, const measurement::Axis& a, const char* quantity) {
            auto& item = out.add(number(std::move(name), a.recorded.text(), kMm, interval(lesion, quantity)));
            const auto from = on_image(a.a);
            const auto to = on_image(a.b);
            item.add(polyline("INFERRED FROM", {"121055", "DCM", "Path"}, {from[0], from[1], to[0], to[1]}, slice));
        };
        axis({"103339001", "SCT", "Long axis"}, m.long_axis, "long_axis_mm");
        axis({"103340004", "SCT", "Short axis"}, m.short_axis, "short_axis_mm");
        return out;
    }

    /// The outline of the region on whose edge the point lies, closed.
    static std::vector<float> contour(const Mask& mask, int slice, std::array<float, 2> point)
    {
        std::vector<float> points;
        double nearest = -1;
        for (const auto& loop : outlines_of(mask.plane(slice), mask.size().columns, mask.size().rows)) {
            if (loop.hole) continue;
            double away = -1;
            for (std::size_t i = 0, j = loop.corners.size() - 1; i < loop.corners.size(); j = i++) {
                const auto& [ax, ay] = loop.corners[j];
                const auto& [bx, by] = loop.corners[i];
                const double dx = std::max({static_cast<double>(std::min(ax, bx)) - point[0], point[0] - static_cast<double>(std::max(ax, bx)), 0.0});
                const double dy = std::max({static_cast<double>(std::min(ay, by)) - point[1], point[1] - static_cast<double>(std::max(ay, by)), 0.0});
                if (away < 0 || std::hypot(dx, dy) < away) away = std::hypot(dx, dy);
            }
            if (nearest >= 0 && away >= nearest) continue;
            nearest = away;
            points.clear();
            for (const auto& corner : loop.corners) points.insert(points.end(), {static_cast<float>(corner[0]), static_cast<float>(corner[1])});
            points.insert(points.end(), {points[0], points[1]});
        }
        return points;
    }

    /// The response at this time point, by line of treatment; codes where there are any, and the whole in words.
    ContentItem evaluations() const
    {
        auto out = container("CONTAINS", {"C0034375", "UMLS", "Qualitative Evaluations"});
        for (const auto& row : result_.assessment.recist) {
            if (row.timepoint != timepoint_.id) continue;
            for (const bool target : {true, false}) {
                auto value = row.is_baseline ? CodedConcept{} : response_code(target ? row.target : row.non_target, target);
                if (value.value.empty()) continue;
                auto& item = out.add(code("CONTAINS", {"112048", "DCM", "Current Response"}, std::move(value)));
                item.add(code("HAS CONCEPT MOD", kMethod, kRecist));
            }
            std::string text = "RECIST 1.1, " + row.period + ": ";
            text += row.is_baseline ? std::string("baseline") : "overall response " + std::string(name(row.overall.category));
            if (!sum_text(row).empty()) text += ", sum of diameters " + sum_text(row) + " mm";
            if (!row.is_baseline && row.change_from_baseline_pct) text += ", " + signed_percent(row.change_from_baseline_pct) + " % from baseline " + row.baseline_timepoint;
            if (!row.is_baseline && row.change_from_nadir_pct) text += ", " + signed_percent(row.change_from_nadir_pct) + " % from nadir " + row.nadir_timepoint;
            text += ", new lesions " + (row.new_lesions ? std::string(name(*row.new_lesions)) : std::string("not stated"));
            if (!row.overall.reason.empty()) text += ". " + sentence(row.overall.reason);
            out.add(words("TEXT", "CONTAINS", kComment, text));
        }
        for (const auto& notice : timepoint_.notices) {
            if (notice.code == Code::outside_protocol) out.add(words("TEXT", "CONTAINS", kComment, std::string(name(notice.code)) + ": " + notice.text));
        }
        if (!result_.assessment.protocol.empty()) out.add(words("TEXT", "CONTAINS", kComment, "Protocol " + result_.assessment.protocol));
        const auto state = review_state_of(timepoint_);
        out.add(words("TEXT", "CONTAINS", kComment, "Research use, not for clinical decisions without review" + (state == "unreviewed" ? "" : "; " + state) + (result_.synthetic ? "; SYNTHETIC" : "")));
        return out;
    }

    const CaseResult& result_;
    const TimepointResult& timepoint_;
    const ingest::CtSeries& ct_;
    std::string frame_of_reference_uid_;
    std::map<std::string, int> uses_;  ///< slices an object holds
    std::vector<int> drawn_on_;
};

}  // namespace

bool lies_on_a_slice(const measurement::Axis& axis, const ingest::CtSeries& ct)
{
    constexpr double kSameSlice = 1e-3;  // of a slice
    const auto a = ct.volume.geometry.to_index(axis.a);
    const auto b = ct.volume.geometry.to_index(axis.b);
    const double slice = std::round(a.slice);
    return slice >= 0 && slice < static_cast<double>(ct.slices.size()) && std::abs(a.slice - slice) < kSameSlice && std::abs(b.slice - slice) < kSameSlice;
}

std::optional<Signature> signature_of(const TimepointResult& timepoint)
{
    Signature out;
    for (const auto& lesion : timepoint.lesions) {
        const bool decided = lesion.review_state == "accepted" || lesion.review_state == "edited";
        if (!decided || lesion.reviewer.empty() || lesion.review_time.empty()) return std::nullopt;
        if (lesion.review_time >= out.time) out = {lesion.reviewer, lesion.review_time};
    }
    if (out.time.empty()) return std::nullopt;
    return out;
}

ContentItem measurement_report(const CaseResult& result, const TimepointResult& timepoint, const std::vector<std::string>& segmented, const std::optional<ObjectReference>& seg,
                               const std::string& frame_of_reference_uid)
{
    return ReportBuilder(result, timepoint, frame_of_reference_uid).report(segmented, seg);
}

}  // namespace retromass::outputs

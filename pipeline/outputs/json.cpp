#include "pipeline/outputs/json.h"

#include <nlohmann/json.hpp>

#include <cmath>

namespace retromass::outputs {
namespace {

using nlohmann::ordered_json;

constexpr const char* kSchema = "retromass/1";
constexpr int kIndent = 1;

template <class T>
ordered_json or_null(const std::optional<T>& value)
{
    return value ? ordered_json(*value) : ordered_json();
}
ordered_json or_null(const std::optional<Date>& date) { return date ? ordered_json(iso(*date)) : ordered_json(); }
ordered_json or_null(const std::optional<Length>& length) { return length ? ordered_json(length->as_mm()) : ordered_json(); }
ordered_json or_null(const std::optional<response::NewLesions>& value) { return value ? ordered_json(name(*value)) : ordered_json(); }

ordered_json point(PatientPoint p) { return ordered_json::array({p.x, p.y, p.z}); }
ordered_json ends(const measurement::Axis& axis) { return ordered_json::array({point(axis.a), point(axis.b)}); }

using Intervals = std::map<std::string, response::Interval>;

ordered_json json_of(const std::vector<Notice>& notices)
{
    auto out = ordered_json::array();
    for (const auto& notice : notices) out.push_back({{"code", name(notice.code)}, {"text", notice.text}});
    return out;
}

ordered_json json_of(const std::optional<measurement::HuStatistics>& hu)
{
    if (!hu) return nullptr;
    return {{"mean", hu->mean}, {"sd", hu->sd}, {"median", hu->median}, {"p10", hu->p10}, {"p90", hu->p90},
            {"minimum", hu->minimum}, {"maximum", hu->maximum}, {"voxels", hu->voxels}};
}

ordered_json json_of(const std::optional<measurement::Components>& parts)
{
    if (!parts) return nullptr;
    return {{"gas", parts->gas_ml}, {"fat", parts->fat_ml}, {"low_attenuation", parts->low_attenuation_ml},
            {"solid", parts->solid_ml}, {"dense", parts->dense_ml}, {"unclassified", parts->unclassified_ml}};
}

void add_measurements(ordered_json& out, const measurement::LesionMeasurements& m, const Intervals& intervals)
{
    // A measured quantity; the interval is null until it is known.
    const auto add = [&](const char* quantity, double value) {
        const auto found = intervals.find(quantity);
        const bool known = found != intervals.end();
        out[quantity] = {{"value", value}, {"low", known ? ordered_json(found->second.low) : ordered_json()}, {"high", known ? ordered_json(found->second.high) : ordered_json()}};
    };
    add("long_axis_mm", m.long_axis.recorded.as_mm());
    add("short_axis_mm", m.short_axis.recorded.as_mm());
    add("craniocaudal_mm", m.craniocaudal.recorded.as_mm());
    add("max_3d_diameter_mm", m.max_3d_diameter_mm);
    add("volume_ml", m.recorded_volume_ml);
    add("voxel_volume_mm3", m.voxel_volume_mm3);
    add("mesh_volume_mm3", m.mesh_volume_mm3);
    add("surface_area_mm2", m.surface_area_mm2);
    out["principal_axes_mm"] = m.principal_axes_mm;
    out["hu"] = json_of(m.hu);
    if (const auto hu = intervals.find("hu_mean"); m.hu && hu != intervals.end()) out["hu"]["mean_low"] = hu->second.low, out["hu"]["mean_high"] = hu->second.high;
    out["hu_core"] = json_of(m.hu_core);
    if (const auto hu = intervals.find("hu_core_mean"); m.hu_core && hu != intervals.end()) out["hu_core"]["mean_low"] = hu->second.low, out["hu_core"]["mean_high"] = hu->second.high;
    out["components_ml"] = json_of(m.components);
    out["endpoints_lps_mm"] = {{"long_axis", ends(m.long_axis)}, {"short_axis", ends(m.short_axis)}, {"craniocaudal", ends(m.craniocaudal)}};
    out["centroid_lps_mm"] = point(m.centroid);
    out["voxels"] = m.voxels;
    out["components_3d"] = m.components_3d;
    out["outside_fraction"] = m.outside_fraction;
    out["longest_inside_chord_mm"] = m.longest_inside_chord_mm;
}

ordered_json json_of(const segmentation::Prompt& prompt)
{
    auto out = ordered_json::object();
    const auto points = [](const auto& all) {
        auto list = ordered_json::array();
        for (const auto& p : all) list.push_back(point(p));
        return list;
    };
    if (!prompt.points.empty()) out["points"] = points(prompt.points);
    if (!prompt.lines.empty()) {
        out["lines"] = ordered_json::array();
        for (const auto& line : prompt.lines) out["lines"].push_back(ordered_json::array({point(line.a), point(line.b)}));
    }
    if (prompt.box) out["box"] = points(*prompt.box);
    if (prompt.extent) out["extent"] = points(*prompt.extent);
    if (!prompt.contours.empty()) {
        out["contours"] = ordered_json::array();
        for (const auto& contour : prompt.contours) out["contours"].push_back(points(contour));
    }
    if (prompt.prior) out["prior_mask"] = true;
    if (!prompt.exclude.empty()) out["exclude"] = points(prompt.exclude);
    return out;
}

ordered_json json_of(const response::Decision& decision)
{
    auto inputs = ordered_json::array();
    for (const auto& [what, value] : decision.inputs) inputs.push_back({{"name", what}, {"value", value}});
    return {{"criterion", decision.criterion}, {"category", name(decision.category)}, {"rule", decision.rule},
            {"inputs", inputs}, {"reason", decision.reason}, {"notices", json_of(decision.notices)}};
}

ordered_json json_of(const std::optional<response::Interval>& interval)
{
    if (!interval) return nullptr;
    return {{"low", interval->low}, {"high", interval->high}};
}

ordered_json json_of(const response::Repeats& repeats)
{
    auto share = ordered_json::array();
    for (const auto& [category, part] : repeats.share) share.push_back({{"category", name(category)}, {"share", part}});
    return {{"change_from_baseline_pct", json_of(repeats.change_pct)}, {"share", share}, {"differs", or_null(repeats.differs)}, {"text", repeats.text}};
}

ordered_json json_of(const response::RecistTimepoint& row)
{
    return {{"timepoint", row.timepoint}, {"date", or_null(row.date)}, {"day", or_null(row.day)}, {"line", row.line}, {"period", row.period}, {"is_baseline", row.is_baseline},
            {"sum_mm", or_null(row.sum)}, {"partial_sum_mm", or_null(row.partial_sum)}, {"baseline_sum_mm", or_null(row.baseline_sum)},
            {"nadir_sum_mm", or_null(row.nadir_sum)}, {"baseline_timepoint", row.baseline_timepoint}, {"nadir_timepoint", row.nadir_timepoint},
            {"change_from_baseline_pct", or_null(row.change_from_baseline_pct)}, {"change_from_nadir_pct", or_null(row.change_from_nadir_pct)},
            {"confirmed", or_null(row.confirmed)}, {"target", name(row.target)}, {"non_target", name(row.non_target)},
            {"new_lesions", or_null(row.new_lesions)}, {"overall", json_of(row.overall)}, {"repeats", json_of(row.repeats)}};
}

ordered_json json_of(const response::LineSummary& line)
{
    return {{"line", line.line}, {"period", line.period}, {"baseline_timepoint", line.baseline_timepoint},
            {"best_overall_response", json_of(line.best_overall_response)}, {"best_response_date", or_null(line.best_response_date)},
            {"confirmed", or_null(line.confirmed)}, {"response_days", or_null(line.response_days)}, {"response_ended", line.response_ended},
            {"pfs", {{"start", or_null(line.pfs_start)}, {"end", or_null(line.pfs_end)}, {"days", or_null(line.pfs_days)},
                     {"months", or_null(line.pfs_months)}, {"event", line.pfs_event}, {"text", line.pfs_text}}},
            {"ttp", {{"end", or_null(line.ttp_end)}, {"days", or_null(line.ttp_days)}, {"event", line.ttp_event}}},
            {"complete_response_days", or_null(line.complete_response_days)}, {"stable_days", or_null(line.stable_days)},
            {"notices", json_of(line.notices)}};
}

ordered_json json_of(const response::GrowthPair& pair)
{
    return {{"lesion", pair.lesion}, {"from", pair.from}, {"to", pair.to}, {"basis", pair.basis}, {"days", pair.days}, {"fold", pair.fold},
            {"doubling_time_days", or_null(pair.doubling_time_days)}, {"specific_growth_rate_pct_day", pair.specific_growth_rate_pct_day}, {"notices", json_of(pair.notices)}};
}

ordered_json json_of(const std::optional<response::FittedRate>& rate)
{
    if (!rate) return nullptr;
    return {{"value", rate->value}, {"low", rate->interval ? ordered_json(rate->interval->low) : ordered_json()}, {"high", rate->interval ? ordered_json(rate->interval->high) : ordered_json()}};
}

ordered_json json_of(const response::SumKinetics& kinetics)
{
    auto steps = ordered_json::array();
    for (const auto& step : kinetics.steps) steps.push_back({{"from", step.from}, {"to", step.to}, {"days", step.days}, {"growth_rate_pct_month", step.growth_rate_pct_month}});
    return {{"line", kinetics.line}, {"period", kinetics.period}, {"points", kinetics.points}, {"steps", steps}, {"model", kinetics.model}, {"growth_per_day", json_of(kinetics.growth_per_day)},
            {"regression_per_day", json_of(kinetics.regression_per_day)}, {"regressing_share", json_of(kinetics.regressing_share)}, {"smallest_on_day", or_null(kinetics.smallest_on_day)}, {"text", kinetics.text}};
}

ordered_json json_of(const response::CriterionPeriod& period, const std::string& primary)
{
    auto timepoints = ordered_json::array();
    for (const auto& point : period.timepoints) {
        timepoints.push_back({{"timepoint", point.timepoint}, {"date", or_null(point.date)}, {"day", or_null(point.day)}, {"is_baseline", point.is_baseline}, {"value", or_null(point.value)},
                              {"baseline", or_null(point.baseline)}, {"nadir", or_null(point.nadir)}, {"nadir_timepoint", point.nadir_timepoint},
                              {"change_from_baseline_pct", or_null(point.change_from_baseline_pct)}, {"change_from_nadir_pct", or_null(point.change_from_nadir_pct)},
                              {"confirmed", or_null(point.confirmed)}, {"target", name(point.target)}, {"decision", json_of(point.decision)}});
        if (!point.repeats.text.empty()) timepoints.back()["repeats"] = json_of(point.repeats);
    }
    const bool applies = period.not_applicable.empty();
    return {{"criterion", period.criterion}, {"role", period.criterion == primary ? "primary" : "exploratory"}, {"line", period.line}, {"period", period.period}, {"quantity", period.quantity}, {"unit", period.unit},
            {"not_applicable", applies ? ordered_json() : ordered_json(period.not_applicable)}, {"timepoints", timepoints}, {"summary", applies ? json_of(period.summary) : ordered_json()}};
}

ordered_json json_of(const response::Disagreement& d)
{
    return {{"timepoint", d.timepoint}, {"line", d.line}, {"period", d.period}, {"primary", d.primary}, {"primary_category", name(d.primary_category)}, {"other", d.other}, {"other_category", name(d.other_category)}, {"reason", d.reason}};
}

ordered_json json_of(const response::Comparison& comparison)
{
    auto differences = ordered_json::array();
    for (const auto& d : comparison.differences) {
        differences.push_back({{"what", d.what}, {"before", d.before}, {"now", d.now}, {"of_size", d.of_size}, {"of_density", d.of_density}, {"text", d.text}});
    }
    return {{"from", comparison.from}, {"to", comparison.to}, {"size", comparison.size}, {"density", comparison.density}, {"differences", differences}, {"not_stated", comparison.not_stated}};
}

ordered_json json_of(const response::Assessment& assessment)
{
    ordered_json out{{"patient", assessment.patient}, {"primary", assessment.primary}};
    if (!assessment.protocol.empty()) out["protocol"] = assessment.protocol;
    for (const char* list : {"recist", "lines", "criteria", "disagreements", "comparisons", "identity", "growth", "kinetics"}) out[list] = ordered_json::array();
    for (const auto& period : assessment.criteria) out["criteria"].push_back(json_of(period, assessment.primary));
    for (const auto& d : assessment.disagreements) out["disagreements"].push_back(json_of(d));
    for (const auto& comparison : assessment.comparisons) out["comparisons"].push_back(json_of(comparison));
    for (const auto& note : assessment.identity) out["identity"].push_back({{"lesion", note.lesion}, {"timepoint", note.timepoint}, {"what", note.what}, {"suggested", note.suggested}, {"text", note.text}});
    for (const auto& kinetics : assessment.kinetics) out["kinetics"].push_back(json_of(kinetics));
    for (const auto& row : assessment.recist) out["recist"].push_back(json_of(row));
    for (const auto& line : assessment.lines) out["lines"].push_back(json_of(line));
    for (const auto& pair : assessment.growth) out["growth"].push_back(json_of(pair));
    out["notices"] = json_of(assessment.notices);
    out["policies"] = ordered_json::object();
    for (const auto& [policy, value] : assessment.policies) out["policies"][policy] = value;
    return out;
}

/// Null where nothing of the lesion carries an interval.
ordered_json json_of_origin(const LesionResult& lesion)
{
    if (lesion.intervals.empty()) return nullptr;
    const auto& origin = lesion.interval_origin;
    auto cv = ordered_json::object();
    for (const auto& [quantity, value] : origin.within_case_cv) cv[quantity] = value;
    return {{"calibrated_on", origin.calibrated_on.empty() ? ordered_json() : ordered_json(origin.calibrated_on)}, {"validated", !origin.calibrated_on.empty() && origin.not_validated.empty() && !origin.of_repeats},
            {"not_validated", origin.not_validated}, {"within_case_cv", cv}, {"stated", origin.stated.empty() ? ordered_json() : ordered_json(origin.stated)}};
}

ordered_json json_of(const std::optional<AppliedEdits>& edits)
{
    if (!edits) return nullptr;
    auto steps = ordered_json::array();
    for (const auto& effect : edits->effects) steps.push_back({{"edit", effect.what}, {"added", effect.added}, {"removed", effect.removed}, {"undone", effect.undone}});
    return {{"sha256", edits->sha256}, {"from", edits->start}, {"to", edits->result}, {"steps", steps}};
}

ordered_json json_of_description(const LesionResult& lesion)
{
    if (!lesion.description) return nullptr;
    const auto& said = *lesion.description;
    auto relations = ordered_json::array();
    for (const auto& relation : said.relations) relations.push_back({{"kind", relation.kind}, {"structure", relation.structure}});
    return {{"relations", relations}, {"texture", said.texture}, {"hydronephrosis", said.hydronephrosis}, {"ascites", said.ascites}, {"for_confirmation_from", lesion.described_at.empty() ? ordered_json() : ordered_json(lesion.described_at)}};
}

ordered_json json_of(const LesionResult& lesion)
{
    ordered_json out{{"id", lesion.lesion}, {"status", name(lesion.status)}, {"reason", lesion.reason}, {"tracking_uid", lesion.tracking_uid},
                     {"review_state", lesion.review_state}, {"reviewer", lesion.reviewer}, {"review_time", lesion.review_time},
                     {"prompt", lesion.prompt ? json_of(*lesion.prompt) : ordered_json()}, {"reader_long_axis_mm", or_null(lesion.reader_long_axis)}, {"edits", json_of(lesion.edits)},
                     {"recorded", lesion.counted ? ordered_json{{"mm", lesion.counted->as_mm()}, {"from", lesion.counted_from}} : ordered_json()},
                     {"merged_into", lesion.merged_into.empty() ? ordered_json() : ordered_json(lesion.merged_into)}, {"split_into", lesion.split_into}};
    out["carried"] = nullptr;
    if (!lesion.carried_from.empty()) out["carried"] = {{"from", lesion.carried_from}, {"trust", lesion.carried_trust}};
    out["description"] = json_of_description(lesion);
    std::vector<Notice> notices;
    if (lesion.measurements) {
        add_measurements(out, *lesion.measurements, lesion.intervals);
        out["intervals"] = json_of_origin(lesion);
        notices = lesion.measurements->notices;
    } else {
        for (const char* key : {"long_axis_mm", "short_axis_mm", "craniocaudal_mm", "max_3d_diameter_mm", "volume_ml"}) out[key] = nullptr;
    }
    notices.insert(notices.end(), lesion.notices.begin(), lesion.notices.end());
    out["notices"] = json_of(notices);
    return out;
}

ordered_json json_of(const ingest::CtSeries& ct)
{
    const auto& facts = ct.facts;
    const auto& geometry = ct.volume.geometry;
    const auto& size = geometry.size();
    return {{"study_instance_uid", facts.study_instance_uid}, {"series_instance_uid", facts.series_instance_uid},
            {"frame_of_reference_uid", facts.frame_of_reference_uid},
            {"dimensions", {size.columns, size.rows, size.slices}},
            {"spacing_mm", ordered_json::array({geometry.column_spacing_mm(), geometry.row_spacing_mm(), or_null(geometry.slice_spacing_mm())})},
            {"affine_lps_mm", or_null(geometry.affine_lps())}, {"gantry_tilt_deg", geometry.tilt_deg()},
            {"slice_thickness_mm", or_null(facts.slice_thickness_mm)}, {"kernel", facts.kernel}, {"kvp", or_null(facts.kvp)},
            {"contrast_phase", facts.contrast_phase}, {"manufacturer", facts.manufacturer}, {"model", facts.model}};
}

ordered_json json_of(const TimepointResult& timepoint)
{
    ordered_json out{{"id", timepoint.id}, {"visit", timepoint.visit.empty() ? ordered_json() : ordered_json(timepoint.visit)}, {"date", or_null(timepoint.date)}, {"date_source", timepoint.date_source}, {"reader", timepoint.reader},
                     {"new_lesions", or_null(timepoint.new_lesions)}, {"ct", timepoint.ct ? json_of(*timepoint.ct) : ordered_json()},
                     {"signature", nullptr}, {"lesions", ordered_json::array()}, {"notices", json_of(timepoint.notices)}};
    for (const auto& lesion : timepoint.lesions) out["lesions"].push_back(json_of(lesion));
    return out;
}

ordered_json json_of(const response::Treatment& treatment)
{
    return {{"kind", treatment.kind}, {"line", treatment.line}, {"start", or_null(treatment.start)}, {"end", or_null(treatment.end)},
            {"lesions", treatment.lesions}, {"note", treatment.note}};
}

/// Bytes that are no UTF-8 are replaced, never thrown over.
std::string text_of(const ordered_json& json) { return json.dump(kIndent, ' ', false, ordered_json::error_handler_t::replace); }

}  // namespace

std::string measurements_json(const std::string& lesion, const measurement::LesionMeasurements& measured)
{
    ordered_json out{{"id", lesion}};
    add_measurements(out, measured, {});
    out["notices"] = json_of(measured.notices);
    return text_of(out);
}

std::string assessment_json(const response::Assessment& assessment) { return text_of(json_of(assessment)); }

std::string case_json(const CaseResult& result)
{
    ordered_json out{{"schema", kSchema}, {"case", result.case_id}, {"synthetic", result.synthetic}, {"deidentified", result.hiding.has_value()}};
    out["use"] = "research use, not for clinical decisions without review";
    for (const char* list : {"lesions", "treatments", "events", "timepoints"}) out[list] = ordered_json::array();
    for (const auto& lesion : result.lesions) {
        out["lesions"].push_back({{"id", lesion.id}, {"role", name(lesion.role)}, {"site", lesion.site}, {"organ", lesion.organ}, {"nodal", lesion.nodal}});
    }
    for (const auto& treatment : result.treatments) out["treatments"].push_back(json_of(treatment));
    for (const auto& event : result.events) out["events"].push_back({{"kind", event.kind}, {"date", iso(event.date)}});
    for (const auto& timepoint : result.timepoints) out["timepoints"].push_back(json_of(timepoint));
    out["response"] = json_of(result.assessment);
    out["alternatives"] = ordered_json::object();
    for (const auto& [policy, assessment] : result.alternatives) out["alternatives"][policy] = json_of(assessment);
    out["settings"] = ordered_json::array();
    for (const auto& [setting, value] : result.settings) out["settings"].push_back({{"name", setting}, {"value", value}});
    out["notices"] = json_of(result.notices);
    return text_of(out) + "\n";
}

}  // namespace retromass::outputs

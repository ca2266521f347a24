#include <algorithm>
#include <array>

#include "pipeline/outputs/report.h"
#include "pipeline/outputs/words.h"

// The report lesion by lesion: pictures at one scale, sizes, densities and what changed; and the paragraph for a radiology report.

namespace retromass::outputs {
namespace {

using Look = Cell::Look;
using response::LesionStatus;

constexpr std::array<const char*, 3> kViews{"axial", "coronal", "sagittal"};

struct Seen {
    const TimepointResult* timepoint;
    const LesionResult* lesion;
};

std::vector<Seen> course_of(const CaseResult& result, const std::string& lesion)
{
    std::vector<Seen> out;
    for (const auto& timepoint : result.timepoints) {
        for (const auto& seen : timepoint.lesions) {
            if (seen.lesion == lesion) out.push_back({&timepoint, &seen});
        }
    }
    return out;
}

std::string components_text(const measurement::LesionMeasurements& m)
{
    if (!m.components) return "";
    const auto& c = *m.components;
    std::string out;
    for (const auto& [what, ml] : {std::pair{"gas", c.gas_ml}, {"fat", c.fat_ml}, {"low attenuation", c.low_attenuation_ml}, {"solid", c.solid_ml}, {"dense", c.dense_ml}, {"unclassified", c.unclassified_ml}}) {
        if (ml >= 0.005) out += (out.empty() ? "" : ", ") + std::string(what) + " " + fixed(ml, 2) + " ml";
    }
    return out;
}

/// Where a lesion's intervals come from, and how far its numbers move between hands.
std::string intervals_text(const LesionResult& lesion)
{
    const auto& origin = lesion.interval_origin;
    if (lesion.intervals.empty()) return "";
    std::string out = sentence(interval_origin(lesion, ""));
    for (const auto& [quantity, cv] : origin.within_case_cv) {
        if (quantity == "volume_ml" || quantity == "long_axis_mm") out += std::string(quantity == "volume_ml" ? " Volume" : " Long axis") + " varies by " + fixed(100 * cv, 1) + " % between prompts.";
    }
    if (!origin.calibrated_on.empty() && !origin.stated.empty()) out += " Stated by the reader: " + origin.stated + ".";
    return out;
}

std::string acquisition_text(const ingest::CtSeries& ct)
{
    const auto& geometry = ct.volume.geometry;
    const auto& size = geometry.size();
    std::string out = std::to_string(size.slices) + " slices of " + std::to_string(size.columns) + " x " + std::to_string(size.rows) + ", pixels " + fixed(geometry.column_spacing_mm(), 3) + " x " + fixed(geometry.row_spacing_mm(), 3) + " mm";
    out += geometry.slice_spacing_mm() ? ", slice distance " + fixed(*geometry.slice_spacing_mm(), 2) + " mm" : ", uneven slices";
    if (ct.facts.kvp) out += ", " + fixed(*ct.facts.kvp, 0) + " kVp";
    if (!ct.facts.kernel.empty()) out += ", kernel " + ct.facts.kernel;
    if (!ct.facts.contrast_phase.empty()) out += ", phase " + ct.facts.contrast_phase;
    return out;
}

/// The axis that RECIST counts: the short one of a node (docs/clinical.md 2.8).
const measurement::Axis* counted_axis(const CaseResult& result, const std::string& lesion, const std::string& timepoint)
{
    const bool nodal = std::any_of(result.lesions.begin(), result.lesions.end(), [&](const auto& l) { return l.id == lesion && l.nodal; });
    for (const auto& seen : course_of(result, lesion)) {
        if (seen.timepoint->id != timepoint || !seen.lesion->measurements || seen.lesion->status != LesionStatus::measured) continue;
        return nodal ? &seen.lesion->measurements->short_axis : &seen.lesion->measurements->long_axis;
    }
    return nullptr;
}

/// A lesion's own change since a time point: of display alone, as all percentages (docs/clinical.md 2.10).
Cell change_since(const CaseResult& result, const std::string& lesion, const std::string& now, const std::string& then)
{
    if (then.empty() || then == now) return {"", Look::number};
    const auto* a = counted_axis(result, lesion, then);
    const auto* b = counted_axis(result, lesion, now);
    if (!a || !b || a->recorded.hundredths == 0) return {"", Look::number};
    return {signed_percent(100.0 * static_cast<double>((b->recorded - a->recorded).hundredths) / static_cast<double>(a->recorded.hundredths)), Look::number, "from " + then};
}

const response::RecistTimepoint* recist_at(const CaseResult& result, const std::string& timepoint)
{
    const response::RecistTimepoint* out = nullptr;
    for (const auto& row : result.assessment.recist) {
        if (row.timepoint == timepoint && (!out || !row.is_baseline)) out = &row;
    }
    return out;
}

std::vector<Cell> measured_row(const CaseResult& result, const Seen& seen)
{
    const auto& lesion = *seen.lesion;
    std::vector<Cell> out{{seen.timepoint->id, Look::head}, {date_text(seen.timepoint->date), Look::date}, {std::string(name(lesion.status)), Look::text, lesion.reason}};
    if (const auto& m = lesion.measurements) {
        const auto cut = at_least(lesion);
        const auto with = [&](const std::string& value, const char* quantity, int decimals) { return Cell{value, Look::number, interval_text(lesion, quantity, decimals)}; };
        out.push_back(with(cut + mm_text(m->long_axis.recorded), "long_axis_mm", 1));
        out.push_back(with(cut + mm_text(m->short_axis.recorded), "short_axis_mm", 1));
        out.push_back(with(cut + mm_text(m->craniocaudal.recorded), "craniocaudal_mm", 1));
        out.push_back({cut + fixed(m->max_3d_diameter_mm, 1), Look::number});
        out.push_back(with(cut + fixed(m->recorded_volume_ml, 2), "volume_ml", 1));
        out.push_back(with(m->hu ? fixed(m->hu->mean, 0) + " +- " + fixed(m->hu->sd, 0) : "", "hu_mean", 0));
    } else {
        out.insert(out.end(), 6, Cell{"", Look::number});
    }
    const auto* row = recist_at(result, seen.timepoint->id);
    const bool compared = row && !row->is_baseline;
    out.push_back(compared ? change_since(result, lesion.lesion, row->timepoint, row->baseline_timepoint) : Cell{"", Look::number, row ? "baseline" : ""});
    out.push_back(compared ? change_since(result, lesion.lesion, row->timepoint, row->nadir_timepoint) : Cell{"", Look::number});
    out.push_back({lesion.reader_long_axis ? mm_text(*lesion.reader_long_axis) : "", Look::number});
    out.push_back({lesion.review_state, Look::text, lesion.reviewer});
    return out;
}

void add_sheet(const std::vector<Seen>& course, const Pictures& pictures, std::vector<Block>& out)
{
    bool any = false;
    for (std::size_t view = 0; view < kViews.size(); ++view) {
        Figures row{{}, true};
        for (const auto& [timepoint, lesion] : course) {
            const auto found = pictures.sheets.find(stem_of(*timepoint, *lesion));
            if (found == pictures.sheets.end() || view >= found->second.size()) continue;
            row.items.push_back({found->second[view], std::string(kViews[view]) + " plane of " + timepoint->id + " with the outline and axes of lesion " + lesion->lesion + ", at the scale of its row", timepoint->id + ", " + kViews[view]});
        }
        if (row.items.empty()) continue;
        if (!any) out.push_back(Words{"All time points at one scale: what looks larger is larger. Amber: outline of the measured mask. Blue: long axis or craniocaudal extent. White, dashed: short axis.", Words::Look::soft});
        any = true;
        out.push_back(std::move(row));
    }
}

/// The same course in 3-D; or why it is not there.
void add_surfaces(const std::vector<Seen>& course, const Pictures& pictures, std::vector<Block>& out)
{
    Figures row{{}, true};
    for (const auto& [timepoint, lesion] : course) {
        const auto found = pictures.surfaces.find(stem_of(*timepoint, *lesion));
        if (found == pictures.surfaces.end() || !lesion->measurements) continue;
        const auto& m = *lesion->measurements;
        row.items.push_back({found->second, "surface of lesion " + lesion->lesion + " at " + timepoint->id + " in 3-D, seen from the patient's right front and a little from above, at the scale of its row; long axis " + m.long_axis.recorded.text() + " mm, short axis " +
                                                m.short_axis.recorded.text() + " mm, craniocaudal " + m.craniocaudal.recorded.text() + " mm",
                             timepoint->id + ", 3-D"});
    }
    if (!row.items.empty()) {
        out.push_back(Words{"Surfaces of the masks from the patient's right front, smoothed for the eye: no figure is taken from them. One scale, shown by the bar. Inside, cyan: long axis; magenta: short axis; green: craniocaudal extent.", Words::Look::soft});
        out.push_back(std::move(row));
    } else if (!pictures.no_surfaces.empty()) {
        out.push_back(Words{"3-D pictures of the surface were asked for and are left out: " + pictures.no_surfaces + ".", Words::Look::soft});
    }
}

void add_details(const Seen& seen, const Pictures& pictures, std::vector<Block>& out)
{
    const auto& [timepoint, lesion] = seen;
    out.push_back(Heading{3, timepoint->id + (timepoint->date ? ", " + iso(*timepoint->date) : std::string(", no date")) + (timepoint->date_source.empty() ? "" : " (" + timepoint->date_source + ")") + ", lesion " + lesion->lesion, lesion->review_state});
    Facts facts;
    const auto fact = [&facts](const std::string& what, const std::string& value) {
        if (!value.empty()) facts.rows.emplace_back(what, value);
    };
    if (!lesion->measurements) fact("Status", std::string(name(lesion->status)) + (lesion->reason.empty() ? "" : ": " + lesion->reason));
    if (const auto& m = lesion->measurements) {
        fact("95 % intervals", intervals_text(*lesion));
        fact("Parts", components_text(*m));
        const auto core = interval_text(*lesion, "hu_core_mean", 1);
        if (m->hu) fact("Density", "mean " + fixed(m->hu->mean, 1) + " HU, SD " + fixed(m->hu->sd, 1) + ", median " + fixed(m->hu->median, 1) + (m->hu_core ? "; core mean " + fixed(m->hu_core->mean, 1) + (core.empty() ? "" : " (95 % " + core + ")") : ""));
    }
    if (lesion->description && lesion->described_at.empty()) fact("Reader's description", description_text(*lesion->description));
    if (lesion->description && !lesion->described_at.empty()) fact("For confirmation", "stated at " + lesion->described_at + ", not here: " + description_text(*lesion->description));
    if (timepoint->ct) fact("Images", acquisition_text(*timepoint->ct));
    out.push_back(std::move(facts));
    if (const auto notices = notices_of(*lesion); !notices.empty()) out.push_back(Remarks{remarks_of(notices)});
    const auto found = pictures.of.find(stem_of(*timepoint, *lesion));
    if (found == pictures.of.end() || !lesion->measurements) return;
    const auto& m = *lesion->measurements;
    const std::string alts[] = {"axial slice with the outline, long axis " + m.long_axis.recorded.text() + " mm and short axis " + m.short_axis.recorded.text() + " mm",
                                "coronal plane through the centroid with the outline and craniocaudal extent " + m.craniocaudal.recorded.text() + " mm", "sagittal plane through the centroid with the outline and the craniocaudal extent"};
    Figures figures;
    for (std::size_t i = 0; i < found->second.size(); ++i) figures.items.push_back({found->second[i], timepoint->id + ", lesion " + lesion->lesion + ": " + alts[std::min<std::size_t>(i, 2)], ""});
    out.push_back(std::move(figures));
}

/// What stands after a lesion's sizes in the paragraph. A description that waits for confirmation is no finding of this study.
std::string described(const LesionResult& lesion) { return lesion.description && lesion.described_at.empty() ? "; " + description_text(*lesion.description) : ""; }

/// "80.2 mm (8.0 cm)"
std::string both_units(Length length) { return length.text() + " mm (" + fixed(length.as_mm() / 10, 1) + " cm)"; }

std::string lesion_sentence(const CaseResult& result, const TimepointResult& timepoint, const LesionResult& lesion)
{
    std::string site;
    for (const auto& known : result.lesions) {
        if (known.id == lesion.lesion) site = known.site;
    }
    std::string out = "Lesion " + lesion.lesion + (site.empty() ? "" : " (" + site + ")") + ": ";
    if (!lesion.measurements) return out + std::string(name(lesion.status)) + (lesion.reason.empty() ? "" : ", " + lesion.reason) + described(lesion) + ".";
    const auto& m = *lesion.measurements;
    const auto cut = at_least(lesion);
    const auto cm = [](Length l) { return fixed(l.as_mm() / 10, 1); };
    out += cut + m.long_axis.recorded.text() + " x " + m.short_axis.recorded.text() + " x " + m.craniocaudal.recorded.text() + " mm (" + cm(m.long_axis.recorded) + " x " + cm(m.short_axis.recorded) + " x " + cm(m.craniocaudal.recorded) +
           " cm; long axis, short axis, craniocaudal), volume " + cut + fixed(m.recorded_volume_ml, 2) + " ml";
    const auto* row = recist_at(result, timepoint.id);
    if (row && !row->is_baseline) {
        if (const auto* before = counted_axis(result, lesion.lesion, row->baseline_timepoint)) out += "; at baseline (" + row->baseline_timepoint + ") " + both_units(before->recorded);
    }
    out += described(lesion);
    if (!lesion.carried_from.empty()) out += "; found again from " + lesion.carried_from + " by registration, nobody marked it here";
    return out + ".";
}

}  // namespace

std::string description_text(const Description& description)
{
    std::string out;
    const auto add = [&out](const std::string& what, const std::string& word) {
        if (!word.empty()) out.append(out.empty() ? "" : "; ").append(what).append(" ").append(word);
    };
    for (const auto& relation : description.relations) add(relation.kind, relation.structure);
    add("texture", description.texture);
    add("hydronephrosis", description.hydronephrosis);
    add("ascites", description.ascites);
    return out;
}

std::string report_paragraph(const CaseResult& result)
{
    const auto last = std::find_if(result.timepoints.rbegin(), result.timepoints.rend(), [](const auto& t) { return !t.lesions.empty(); });
    if (last == result.timepoints.rend()) return "";
    std::string out = "CT" + (last->date ? " of " + iso(*last->date) : std::string()) + " (" + last->id + "). ";
    for (const auto& lesion : last->lesions) out += lesion_sentence(result, *last, lesion) + " ";
    const auto* row = recist_at(result, last->id);
    if (row) {
        if (row->sum) out += "Sum of target diameters " + both_units(*row->sum);
        if (row->sum && row->change_from_baseline_pct && !row->is_baseline) out += ", " + signed_percent(row->change_from_baseline_pct) + " % from baseline";
        if (row->sum && row->change_from_nadir_pct && !row->is_baseline) out += ", " + signed_percent(row->change_from_nadir_pct) + " % from nadir";
        if (row->sum) out += ". ";
        if (!row->is_baseline) out += std::string("New lesions: ") + (row->new_lesions ? std::string(name(*row->new_lesions)) : "not stated") + ". ";
    }
    if (result.assessment.primary == "recist-1.1") {
        if (row) out += "RECIST 1.1: " + category_text(*row) + (row->confirmed ? *row->confirmed ? " (confirmed)" : " (unconfirmed)" : "") + ", " + row->period + ". ";
        if (row && row->repeats.differs) out += row->repeats.text + " ";
    } else {
        for (const auto& period : result.assessment.criteria) {
            if (period.criterion != result.assessment.primary || period.timepoints.empty() || period.timepoints.back().timepoint != last->id) continue;
            out += std::string(response::criterion_title(period.criterion)) + ": " + category_text(period.timepoints.back()) + ", " + period.period + ". ";
            if (period.timepoints.back().repeats.differs) out += period.timepoints.back().repeats.text + " ";
        }
    }
    const auto state = review_state_of(*last);
    return out + "Measured by Retromass " + RETROMASS_VERSION + ", " + state + ".";
}

std::vector<Block> lesion_blocks(const CaseResult& result, const Pictures& pictures)
{
    std::vector<Block> out;
    for (const auto& lesion : result.lesions) {
        const auto course = course_of(result, lesion.id);
        if (course.empty()) continue;
        out.push_back(Heading{2, "Lesion " + lesion.id + ": " + std::string(name(lesion.role)) + (lesion.site.empty() ? "" : ", " + lesion.site) + (lesion.nodal ? ", node" : ""), ""});
        add_sheet(course, pictures, out);
        add_surfaces(course, pictures, out);
        Table table{"Lengths in mm, as recorded; long and short axis in the axial plane, craniocaudal along the slices' normal; changes of the axis that RECIST counts; HU as mean and standard deviation. Below a value its 95 % interval.",
                    {{"Time point"}, {"Date"}, {"Status"}, {"Long", true}, {"Short", true}, {"Cranio-caudal", true}, {"Max 3-D", true}, {"Volume, ml", true}, {"HU", true}, {"% from baseline", true}, {"% from nadir", true}, {"Reader's line", true}, {"Review"}}, {}};
        for (const auto& seen : course) table.rows.push_back(measured_row(result, seen));
        out.push_back(std::move(table));
        for (const auto& seen : course) add_details(seen, pictures, out);
    }
    std::vector<Block> remarks;
    for (const auto& timepoint : result.timepoints) {
        for (const auto& remark : remarks_of(timepoint.notices)) remarks.push_back(Remarks{{{remark.word, timepoint.id, remark.text}}});
        if (const auto found = pictures.remarks.find(timepoint.id); found != pictures.remarks.end()) remarks.push_back(Words{timepoint.id + ": " + found->second});
    }
    if (!remarks.empty()) out.push_back(Heading{2, "On the studies", ""});
    out.insert(out.end(), remarks.begin(), remarks.end());
    return out;
}

}  // namespace retromass::outputs

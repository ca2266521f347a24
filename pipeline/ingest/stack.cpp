#include <algorithm>
#include <cmath>

#include "core/units.h"
#include "pipeline/ingest/header.h"

namespace retromass::ingest {
namespace {

constexpr double kSpacing_mm = 0.01;            // or 1 % of the median (docs/stages/ingest.md)
constexpr double kSpacingRelative = 0.01;
constexpr double kGapFactor = 1.5;              // a larger gap may be a missing slice (docs/stages/ingest.md)
constexpr double kMultiple = 0.1;               // how near a whole multiple of the usual distance
constexpr double kThickerByDesign = 1.25;       // slices of another block of the protocol
constexpr int kRunByDesign = 5;                 // that many equal gaps in a row, where no thickness is stated
constexpr double kTiltNotice_deg = 0.05;
constexpr double kAxial_deg = 30;               // definitions 2.5
constexpr int kEligibleSlices = 20;
constexpr std::size_t kLocationAgrees = 10;     // of so many slices one may contradict; more, and the tag means something else

std::string mm(double value) { return fixed(value, 2) + " mm"; }

double lower_median(std::vector<double> values)
{
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// The distances between slices, and what is wrong with them.
struct Gaps {
    std::vector<double> mm;
    double usual = 0;
    double tolerance = 0;
    std::vector<std::size_t> missing;   ///< gaps that are whole multiples of the usual one without being meant so
    bool uneven = false;

    bool usual_at(std::size_t k) const { return std::abs(mm[k] - usual) <= tolerance; }
};

/// Whether a gap that is a multiple of the usual one belongs to another block of the protocol (head CT of 4 and 8 mm): thicker slices on
/// both sides, or, where no thickness is stated, a long run of equal gaps.
bool meant_so(const Gaps& gaps, std::size_t k, const Images& sorted)
{
    std::vector<double> usual;
    for (std::size_t i = 0; i < gaps.mm.size(); ++i) {
        if (!gaps.usual_at(i)) continue;
        for (const auto at : {i, i + 1}) {
            if (sorted[at]->facts.slice_thickness_mm) usual.push_back(*sorted[at]->facts.slice_thickness_mm);
        }
    }
    const auto& before = sorted[k]->facts.slice_thickness_mm;
    const auto& after = sorted[k + 1]->facts.slice_thickness_mm;
    if (before && after && !usual.empty()) return std::min(*before, *after) > kThickerByDesign * lower_median(usual);
    const auto equal = [&](std::size_t i) { return std::abs(gaps.mm[i] - gaps.mm[k]) <= gaps.tolerance; };
    int run = 1;
    for (auto i = k; i > 0 && equal(i - 1); --i) ++run;
    for (auto i = k + 1; i < gaps.mm.size() && equal(i); ++i) ++run;
    return run >= kRunByDesign;
}

/// The distance the scanner meant. Mostly the usual gap; where most slices are lost, the usual gap is itself a multiple: then the smallest
/// one of which all are whole multiples, if it comes at least twice and every slice has one thickness (blocks of a protocol differ in it).
double meant_distance(const Gaps& gaps, const Images& sorted)
{
    const double usual = lower_median(gaps.mm);
    const double least = *std::min_element(gaps.mm.begin(), gaps.mm.end());
    const double tolerance = std::max(kSpacing_mm, kSpacingRelative * least);
    if (usual < kGapFactor * least || std::count_if(gaps.mm.begin(), gaps.mm.end(), [&](double gap) { return gap - least <= tolerance; }) < 2) return usual;
    const bool multiples = std::all_of(gaps.mm.begin(), gaps.mm.end(), [&](double gap) { return std::abs(gap / least - std::round(gap / least)) < kMultiple; });
    const auto& thickness = sorted.front()->facts.slice_thickness_mm;
    const bool one_thickness = thickness && std::all_of(sorted.begin(), sorted.end(), [&](const auto* h) { return h->facts.slice_thickness_mm == thickness; });
    return multiples && one_thickness ? least : usual;
}

Gaps gaps_of(const Images& sorted)
{
    Gaps gaps;
    for (std::size_t k = 1; k < sorted.size(); ++k) gaps.mm.push_back(position_mm(*sorted[k]) - position_mm(*sorted[k - 1]));
    gaps.usual = meant_distance(gaps, sorted);
    gaps.tolerance = std::max(kSpacing_mm, kSpacingRelative * gaps.usual);
    for (std::size_t k = 0; k < gaps.mm.size(); ++k) {
        if (gaps.usual_at(k)) continue;
        const double ratio = gaps.mm[k] / gaps.usual;
        if (ratio > kGapFactor && std::abs(ratio - std::round(ratio)) < kMultiple && !meant_so(gaps, k, sorted)) gaps.missing.push_back(k);
        else gaps.uneven = true;
    }
    return gaps;
}

std::string missing_text(const Gaps& gaps, const Images& sorted)
{
    constexpr std::size_t shown = 8;
    std::string out;
    for (std::size_t i = 0; i < gaps.missing.size() && i < shown; ++i) {
        const auto k = gaps.missing[i];
        out += (i ? "; " : "") + std::to_string(std::lround(gaps.mm[k] / gaps.usual) - 1) + " after slice " + std::to_string(k + 1) + " at " + mm(position_mm(*sorted[k])) + " (gap " +
               mm(gaps.mm[k]) + ", expected " + mm(gaps.usual) + ")";
    }
    if (gaps.missing.size() > shown) out += "; and " + std::to_string(gaps.missing.size() - shown) + " more gaps";
    return out;
}

/// Parts of a concatenation that are not there (PS3.3 C.7.6.16.2.2.4).
std::string missing_parts(const Images& images)
{
    std::vector<std::string> parts;
    int stated = 0;
    for (const auto* h : images) {
        if (h->concatenation_uid.empty()) continue;
        stated = std::max(stated, h->concatenation_parts);
        parts.push_back(h->source.sop_instance_uid);
    }
    std::sort(parts.begin(), parts.end());
    const auto found = static_cast<int>(std::unique(parts.begin(), parts.end()) - parts.begin());
    return stated > found && found > 0 ? std::to_string(found) + " of the " + std::to_string(stated) + " parts of the concatenation are there" : std::string();
}

/// Slices whose Slice Location runs against their positions, where nearly all others agree: two images may have been exchanged.
std::string against_slice_location(const Images& sorted)
{
    std::vector<std::size_t> rising;
    std::vector<std::size_t> falling;
    for (std::size_t k = 1; k < sorted.size(); ++k) {
        const auto& a = sorted[k - 1]->slice_location_mm;
        const auto& b = sorted[k]->slice_location_mm;
        if (!a || !b || *a == *b) return {};
        (*b > *a ? rising : falling).push_back(k);
    }
    const auto& odd = rising.size() < falling.size() ? rising : falling;
    if (odd.empty() || odd.size() * kLocationAgrees > sorted.size()) return {};
    std::string out;
    for (const auto k : odd) out += (out.empty() ? "" : ", ") + std::to_string(k) + " and " + std::to_string(k + 1);
    return out;
}

std::string why_not_eligible(const SeriesCandidate& series, const ScanParameters& parameters)
{
    const auto slices = series.geometry.size().slices;
    if (series.facts.kind != ImageKind::attenuation) return "a " + std::string(name(series.facts.kind)) + " image";
    const bool by_design = has(series.notices, Code::uneven_slices) && !has(series.notices, Code::missing_slices);
    if (!series.geometry.uniform() && !(by_design && accepts(parameters, Code::uneven_slices))) return "slice distance is not uniform";
    if (series.geometry.angle_to_axial_deg() > kAxial_deg) return "not axial";
    if (slices < kEligibleSlices) return std::to_string(slices) + " slices, fewer than " + std::to_string(kEligibleSlices);
    return {};
}

}  // namespace

bool accepts(const ScanParameters& parameters, Code code) { return std::find(parameters.accepted.begin(), parameters.accepted.end(), code) != parameters.accepted.end(); }

double position_mm(const Header& h) { return dot(*h.position, cross(*h.column_step, *h.row_step)); }

void take_slices(const Images& images, SeriesCandidate& out)
{
    out.slices.reserve(images.size());
    for (auto* h : images) out.slices.push_back(std::move(h->source));
}

SeriesCandidate refused(const Images& images, Code code, const std::string& why)
{
    SeriesCandidate out;
    out.facts = images.front()->facts;
    take_slices(images, out);
    out.refused = Error{code, "series " + out.facts.series_instance_uid + ": " + why, "ingest"};
    out.why_not_eligible = why;
    return out;
}

SeriesCandidate stack(const Images& sorted, const ScanParameters& parameters, std::vector<Notice> notices)
{
    const Header& first = *sorted.front();
    if (sorted.size() < 2) return refused(sorted, Code::single_slice, "one slice gives no volume; expected at least two");
    std::vector<PatientPoint> origins;
    for (const auto* h : sorted) origins.push_back(*h->position);
    auto geometry = VolumeGeometry::from_slices(first.columns, first.rows, *first.column_step, *first.row_step, *first.column_spacing_mm, *first.row_spacing_mm, origins);
    if (!geometry) return refused(sorted, geometry.error().code, geometry.error().message);
    const auto bytes = static_cast<std::uint64_t>(geometry->size().voxels()) * sizeof(std::int16_t);
    if (bytes > parameters.largest_volume_bytes) {
        return refused(sorted, Code::oversized, "the volume needs " + std::to_string(bytes >> 20) + " MiB, more than the limit of " + std::to_string(parameters.largest_volume_bytes >> 20) + " MiB");
    }
    const auto gaps = gaps_of(sorted);
    std::string missing;
    if (!gaps.missing.empty()) missing = "slices are missing: " + missing_text(gaps, sorted);
    if (const auto parts = missing_parts(sorted); !parts.empty()) missing += (missing.empty() ? "" : "; ") + parts;
    if (!missing.empty() && !accepts(parameters, Code::missing_slices)) {
        auto out = refused(sorted, Code::missing_slices, missing + "; send the series again, or say --accept missing-slices");
        out.geometry = *geometry;
        out.notices = notices;
        return out;
    }
    const auto [least, most] = std::minmax_element(gaps.mm.begin(), gaps.mm.end());
    if (!missing.empty()) notices.push_back({Code::missing_slices, missing + " (accepted)"});
    if (gaps.uneven) {
        notices.push_back({Code::uneven_slices, "slice distance runs from " + mm(*least) + " to " + mm(*most) + "; volumes are sums of area times slab"});
    } else if (missing.empty() && !geometry->uniform()) {
        notices.push_back({Code::uneven_slices, "slices are " + mm(gaps.usual) + " apart but shift sideways unevenly; volumes are sums of area times slab"});
    }
    // Measured by their distance all the same: what lies between them was not imaged, or every second image was lost on the way.
    const auto& thickness = first.facts.slice_thickness_mm;
    if (thickness && *thickness > 0 && missing.empty() && !gaps.uneven && gaps.usual > kGapFactor * *thickness) {
        notices.push_back({Code::slices_apart, "slices of " + mm(*thickness) + " lie " + mm(gaps.usual) + " apart: what lies between them is not in the images"});
    }
    if (geometry->tilt_deg() > kTiltNotice_deg) {
        notices.push_back({Code::gantry_tilt, "the stack leans " + fixed(geometry->tilt_deg(), 2) + " degrees against the slice normal; slices are " + mm(gaps.usual) + " apart along it"});
    }
    if (const auto pairs = against_slice_location(sorted); !pairs.empty()) {
        notices.push_back({Code::slice_out_of_place, "Slice Location runs against Image Position between slices " + pairs});
    }
    const double off_axial = geometry->angle_to_axial_deg();
    if (off_axial > kAxial_deg) notices.push_back({Code::not_axial, "the slice normal is " + fixed(off_axial, 1) + " degrees from the patient's long axis"});
    if (std::any_of(sorted.begin(), sorted.end(), [](const auto* h) { return h->lossy; })) notices.push_back({Code::lossy, "the images were compressed with loss"});
    if (!first.facts.date()) notices.push_back({Code::anonymised_dates, "the series carries no date"});
    if (first.facts.frame_of_reference_uid.empty()) notices.push_back({Code::no_frame_of_reference, "the series names no frame of reference: prompts and masks cannot be matched to it by identity"});
    if (static_cast<int>(sorted.size()) < kEligibleSlices) notices.push_back({Code::few_slices, std::to_string(sorted.size()) + " slices"});
    if (first.facts.kind != ImageKind::attenuation) {
        notices.push_back({Code::material_map, "a " + std::string(name(first.facts.kind)) + " image: its values depend on the chosen energy and are not compared with those of others"});
    }
    SeriesCandidate out;
    out.facts = first.facts;
    out.geometry = std::move(geometry).value();
    take_slices(sorted, out);
    out.notices = std::move(notices);
    out.why_not_eligible = why_not_eligible(out, parameters);
    out.eligible = out.why_not_eligible.empty();
    return out;
}

}  // namespace retromass::ingest

#include "measurement/response/recist.h"

#include <algorithm>
#include <array>
#include <map>

namespace retromass::response {
namespace {

// E09: the limits of measurability and of the sums.
constexpr Length kMeasurable = Length::mm(10);
constexpr Length kMeasurableOnXray = Length::mm(20);
constexpr Length kMeasurableNode = Length::mm(15);
constexpr Length kNormalNode = Length::mm(10);
constexpr Length kThinSlice = Length::mm(5);
constexpr Length kAbsoluteGrowth = Length::mm(5);
constexpr std::size_t kMostTargets = 5;
constexpr int kMostPerOrgan = 2;

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string lowered(std::string_view text)
{
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (c == ' ' || c == '-') c = '_';
    }
    return out;
}

Length twice(Length slice) { return {2 * slice.hundredths}; }

/// Paired organs and all nodes count as one organ.
std::string organ_group(const Candidate& candidate)
{
    if (candidate.kind == DiseaseKind::nodal) return "node";
    std::string organ = lowered(candidate.organ);
    for (const std::string_view side : {"left_", "right_"}) {
        if (organ.starts_with(side)) organ.erase(0, side.size());
    }
    for (const std::string_view side : {"_left", "_right"}) {
        if (organ.ends_with(side)) organ.erase(organ.size() - side.size());
    }
    static const std::map<std::string, std::string, std::less<>> plurals{
        {"lungs", "lung"}, {"kidneys", "kidney"}, {"ovaries", "ovary"}, {"adrenals", "adrenal"}, {"adrenal_gland", "adrenal"},
        {"adrenal_glands", "adrenal"}, {"breasts", "breast"}};
    const auto found = plurals.find(organ);
    return found == plurals.end() ? organ : found->second;
}

Length size_of(const TargetReading& reading)
{
    Length total{};
    for (const auto part : reading.parts) total = total + part;
    return total;
}

bool evaluated(const TargetReading& reading) { return reading.merged || !reading.parts.empty(); }

std::string mm(Length length) { return length.text() + " mm"; }

}  // namespace

std::optional<MeasurabilityFacts> disease_named(std::string_view words)
{
    const auto text = lowered(words);
    MeasurabilityFacts facts;
    facts.irradiated = contains(text, "irradiated") || contains(text, "locally_treated");
    facts.progressed_since = contains(text, "progressed");
    if (contains(text, "simple_cyst")) {
        facts.kind = DiseaseKind::simple_cyst;
    } else if (contains(text, "cystic")) {
        facts.kind = DiseaseKind::cystic_metastasis;
    } else if (contains(text, "bone")) {
        const bool soft = contains(text, "soft_tissue") && !contains(text, "blastic") && !contains(text, "without") && !contains(text, "no_soft");
        facts.kind = soft ? DiseaseKind::lytic_bone_with_soft_tissue : DiseaseKind::never_measurable;
    } else if (contains(text, "nonnodal") || contains(text, "non_nodal")) {
        facts.kind = DiseaseKind::non_nodal;
    } else if (contains(text, "nod")) {
        facts.kind = DiseaseKind::nodal;
    } else {
        for (const std::string_view word : {"effusion", "ascites", "leptomeningeal", "lymphangi", "inflammatory", "blastic", "skin", "peritoneal", "carcinomatosis", "organomegaly", "marrow"}) {
            if (contains(text, word)) {
                facts.kind = DiseaseKind::never_measurable;
                return facts;
            }
        }
        return std::nullopt;
    }
    return facts;
}

std::optional<Imaging> imaging_named(std::string_view word)
{
    static const std::map<std::string, Imaging, std::less<>> known{
        {"ct", Imaging::ct_or_mr}, {"mr", Imaging::ct_or_mr}, {"mri", Imaging::ct_or_mr}, {"pet_ct", Imaging::ct_or_mr},
        {"pet/ct", Imaging::ct_or_mr}, {"xray", Imaging::chest_xray}, {"x_ray", Imaging::chest_xray}, {"cxr", Imaging::chest_xray},
        {"chest_xray", Imaging::chest_xray}, {"chest_x_ray", Imaging::chest_xray}, {"cr", Imaging::chest_xray}, {"dx", Imaging::chest_xray},
        {"caliper", Imaging::caliper}, {"calipers", Imaging::caliper}, {"clinical", Imaging::caliper},
        {"us", Imaging::never_measurable}, {"ultrasound", Imaging::never_measurable}, {"sonography", Imaging::never_measurable},
        {"pt", Imaging::never_measurable}, {"pet", Imaging::never_measurable}, {"nm", Imaging::never_measurable},
        {"scintigraphy", Imaging::never_measurable}, {"bone_scan", Imaging::never_measurable}, {"endoscopy", Imaging::never_measurable}};
    const auto found = known.find(lowered(word));
    if (found == known.end()) return std::nullopt;
    return found->second;
}

Measurability measurability(const MeasurabilityFacts& facts, const Policies& policies)
{
    if (facts.kind == DiseaseKind::simple_cyst) return Measurability::not_a_lesion;
    const bool thick = facts.imaging == Imaging::ct_or_mr && facts.slice && *facts.slice > kThinSlice;
    const bool never = facts.kind == DiseaseKind::never_measurable || facts.imaging == Imaging::never_measurable ||
                       (facts.irradiated && !facts.progressed_since);
    if (facts.kind == DiseaseKind::nodal) {
        if (facts.imaging == Imaging::never_measurable) return Measurability::non_measurable;
        if (facts.short_axis < kNormalNode) return Measurability::normal_node;
        auto least = kMeasurableNode;
        if (thick && policies.value("node_slice_rule") != "none") least = std::max(least, twice(*facts.slice));
        if (never && facts.short_axis >= least) return Measurability::non_measurable;
        return facts.short_axis >= least ? Measurability::target_eligible : Measurability::non_target_pathological;
    }
    if (never) return Measurability::non_measurable;
    auto least = facts.imaging == Imaging::chest_xray ? kMeasurableOnXray : kMeasurable;
    if (thick) least = std::max(least, twice(*facts.slice));
    return facts.long_axis >= least ? Measurability::target_eligible : Measurability::non_measurable;
}

std::vector<Candidate> baseline_targets(std::span<const Candidate> candidates)
{
    std::vector<Candidate> eligible;
    for (const auto& candidate : candidates) {
        MeasurabilityFacts facts;
        facts.kind = candidate.kind;
        facts.long_axis = facts.short_axis = candidate.size;
        if (measurability(facts) == Measurability::target_eligible) eligible.push_back(candidate);
    }
    std::stable_sort(eligible.begin(), eligible.end(), [](const auto& a, const auto& b) { return a.size > b.size; });

    std::map<std::string, int> taken;
    std::vector<Candidate> chosen;
    for (int most = 1; most <= kMostPerOrgan; ++most) {  // round 1: the largest of each organ; round 2: the second ones, by size
        for (const auto& candidate : eligible) {
            auto& count = taken[organ_group(candidate)];
            const bool already = std::any_of(chosen.begin(), chosen.end(), [&](const auto& c) { return c.id == candidate.id; });
            if (already || count >= most || chosen.size() == kMostTargets) continue;
            chosen.push_back(candidate);
            ++count;
        }
    }
    return chosen;
}

bool progressed(Length current, Length nadir)
{
    // At least 20 % and at least 5 mm (E09 4.3.1). With nadir 0 the first holds for any size: infinite growth.
    return 5 * current.hundredths >= 6 * nadir.hundredths && current - nadir >= kAbsoluteGrowth;
}

bool responded(Length current, Length baseline) { return 10 * current.hundredths <= 7 * baseline.hundredths; }

Category target_from_sums(const TargetSums& sums, PrPersistence persistence)
{
    if (progressed(sums.current, sums.nadir)) return Category::pd;
    if (responded(sums.current, sums.baseline)) return Category::pr;
    if (sums.pr_stands && persistence == PrPersistence::carry_forward) return Category::pr;
    return Category::sd;
}

bool gone(const TargetReading& reading)
{
    if (reading.merged) return true;  // its disease is read in the partner
    return std::all_of(reading.parts.begin(), reading.parts.end(),
                       [&](Length part) { return reading.nodal ? part < kNormalNode : part == Length{}; });
}

TargetVerdict target_verdict(std::span<const TargetReading> readings, const TargetHistory& history, PrPersistence persistence)
{
    TargetVerdict out;
    bool missing = false;
    bool left = false;
    for (const auto& reading : readings) {
        if (!evaluated(reading)) {
            missing = true;
            continue;
        }
        out.partial = out.partial + size_of(reading);
        left = left || !gone(reading);
    }
    // A merged lesion whose partner is not evaluable says nothing: the partner is then among the missing.
    if (!missing) out.sum = out.partial;
    if (history.overall_cr && left) out.category = Category::pd;
    else if (missing) out.category = progressed(out.partial, history.nadir) ? Category::pd : Category::ne;
    else if (!left) out.category = Category::cr;
    else out.category = target_from_sums({history.baseline, history.nadir, *out.sum, history.pr_stands}, persistence);
    return out;
}

TargetOutcome target_response(std::span<const TargetReading> readings, const TargetHistory& history, PrPersistence persistence)
{
    const auto verdict = target_verdict(readings, history, persistence);
    TargetOutcome out{verdict.category, verdict.sum, verdict.partial, {}, {}};
    std::string missing;
    std::string left;
    for (const auto& reading : readings) {
        if (!evaluated(reading)) missing += (missing.empty() ? "" : ", ") + reading.id + (reading.reason.empty() ? "" : " (" + reading.reason + ")");
        else if (!gone(reading) && left.empty()) left = reading.id;
    }
    const std::string change = "sum " + mm(out.partial) + ", baseline " + mm(history.baseline) + ", nadir " + mm(history.nadir);
    if (history.overall_cr && !left.empty()) {
        out.rule = "RECIST 1.1 4.7 disease after complete response";
        out.reason = left + " is seen again after an overall complete response, which is progression whatever its size";
        return out;
    }
    if (!missing.empty() && out.category == Category::pd) {
        out.rule = "RECIST 1.1 3.5 progression of the evaluated targets alone";
        out.reason = "the evaluated targets alone are progression (" + change + ") although " + missing + " is not evaluable";
        return out;
    }
    if (!missing.empty()) {
        out.rule = "RECIST 1.1 3.5 target not evaluable";
        out.reason = "the sum is incomplete: " + missing + " not evaluable";
        return out;
    }
    if (left.empty()) {
        out.rule = "RECIST 1.1 4.1 complete response";
        out.reason = "every target is gone, and nodes are below 10 mm";
        return out;
    }
    switch (out.category) {
    case Category::pd:
        out.rule = "RECIST 1.1 4.2 progressive disease";
        out.reason = "the sum is at least 20 % and 5 mm above the nadir (" + change + ")";
        break;
    case Category::pr:
        if (responded(*out.sum, history.baseline)) {
            out.rule = "RECIST 1.1 4.3 partial response";
            out.reason = "the sum is at least 30 % below the baseline (" + change + ")";
        } else {
            out.rule = "RECIST 1.1 4.6 partial response carried forward";
            out.reason = "a partial response stands and progression is not reached (" + change + ")";
        }
        break;
    default:
        out.rule = "RECIST 1.1 4.4 stable disease";
        out.reason = "neither 30 % below the baseline nor 20 % and 5 mm above the nadir (" + change + ")";
    }
    return out;
}

Outcome overall_response(Category target, Category non_target, NewLesions new_lesions)
{
    if (new_lesions == NewLesions::unequivocal) return {Category::pd, "RECIST 1.1 6.1 new lesion", "an unequivocal new lesion is progression"};
    if (target == Category::pd) return {Category::pd, "RECIST 1.1 7 target progression", "the targets progressed"};
    if (non_target == Category::pd) return {Category::pd, "RECIST 1.1 5.3 non-target progression", "non-target disease progressed unequivocally"};
    if (target == Category::na) {
        switch (non_target) {
        case Category::cr: return {Category::cr, "RECIST 1.1 7 non-target only", "all non-target disease is gone"};
        case Category::non_cr_non_pd: return {Category::non_cr_non_pd, "RECIST 1.1 7 non-target only", "non-target disease persists without unequivocal progression"};
        case Category::na: return {Category::ned, "RECIST 1.1 7.2 no disease at baseline", "there was no disease at the baseline and there is none now"};
        default: return {Category::ne, "RECIST 1.1 7 non-target only", "non-target disease was not evaluated"};
        }
    }
    switch (target) {
    case Category::cr:
        if (non_target == Category::cr || non_target == Category::na) return {Category::cr, "RECIST 1.1 7 complete response", "all targets and all non-target disease are gone"};
        return {Category::pr, "RECIST 1.1 7 partial response",
                non_target == Category::ne ? "all targets are gone, but non-target disease was not evaluated" : "all targets are gone, but non-target disease persists"};
    case Category::pr: return {Category::pr, "RECIST 1.1 7 partial response", "the targets responded and nothing progressed"};
    case Category::sd: return {Category::sd, "RECIST 1.1 7 stable disease", "the targets are stable and nothing progressed"};
    default: return {Category::ne, "RECIST 1.1 7 not evaluable", "the targets are not evaluable and nothing shows progression"};
    }
}

}  // namespace retromass::response

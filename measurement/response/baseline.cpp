#include <algorithm>

#include "measurement/response/recist.h"
#include "measurement/response/response.h"

namespace retromass::response {
namespace {

MeasurabilityFacts facts_of(const BaselineLesion& lesion)
{
    MeasurabilityFacts out;
    out.kind = lesion.nodal ? DiseaseKind::nodal : DiseaseKind::non_nodal;
    out.imaging = imaging_named(lesion.modality).value_or(Imaging::ct_or_mr);
    out.long_axis = out.short_axis = lesion.size;
    out.irradiated = lesion.treated_locally;
    if (lesion.slice_mm) out.slice = Length::recorded(*lesion.slice_mm, 0.01);
    return out;
}

/// Why a lesion is no target by its own size and history.
std::string why_not(const BaselineLesion& lesion, const Policies& policies)
{
    auto facts = facts_of(lesion);
    const auto is = measurability(facts, policies);
    if (is == Measurability::target_eligible) return {};
    if (lesion.treated_locally) {
        facts.irradiated = false;
        if (measurability(facts, policies) == Measurability::target_eligible) return "treated locally before, so a target only where it has grown since";
    }
    const auto size = lesion.size.text() + " mm" + (lesion.nodal ? " short axis" : "");
    if (is == Measurability::normal_node) return size + ": a node below 10 mm is normal";
    facts.slice.reset();
    if (measurability(facts, policies) == Measurability::target_eligible) return size + ", below twice the slice thickness of " + facts_of(lesion).slice->text() + " mm";
    return size + ", below measurability" + (lesion.nodal ? " (15 mm)" : facts.imaging == Imaging::chest_xray ? " (20 mm)" : " (10 mm)");
}

}  // namespace

TargetProposal propose_targets(std::span<const BaselineLesion> lesions, const Policies& policies)
{
    TargetProposal out;
    std::vector<Candidate> eligible;
    for (const auto& lesion : lesions) {
        if (auto why = why_not(lesion, policies); !why.empty()) {
            out.others.emplace_back(lesion.id, std::move(why));
            continue;
        }
        out.measurable.push_back(lesion.id);
        // An organ that nobody stated is not taken for another lesion's.
        eligible.push_back({lesion.id, lesion.organ.empty() && !lesion.nodal ? "not stated: " + lesion.id : lesion.organ, lesion.nodal ? DiseaseKind::nodal : DiseaseKind::non_nodal, lesion.size});
    }
    const auto chosen = baseline_targets(eligible);
    const auto is_chosen = [&](const std::string& id) { return std::any_of(chosen.begin(), chosen.end(), [&](const auto& c) { return c.id == id; }); };
    for (const auto& lesion : lesions) {
        if (is_chosen(lesion.id)) out.targets.push_back(lesion.id);
    }
    for (const auto& candidate : eligible) {
        if (!is_chosen(candidate.id)) out.others.emplace_back(candidate.id, "others come first: at most five targets, two an organ, the largest of each organ before the second ones");
    }
    return out;
}

}  // namespace retromass::response

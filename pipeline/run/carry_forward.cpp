#include "pipeline/run/carry_forward.h"

#include <algorithm>

namespace retromass::run {
namespace {

/// What the case file says of a lesion at a time point; null = nothing.
const LesionAtTimepoint* stated_at(const CaseLesion& lesion, const std::string& timepoint)
{
    const auto at = lesion.timepoints.find(timepoint);
    return at == lesion.timepoints.end() ? nullptr : &at->second;
}

/// All that was found on a scan, to be left out of the registration.
Mask lesions_of(const outputs::TimepointResult& timepoint)
{
    Mask out(timepoint.ct->volume.geometry.size());
    for (const auto& lesion : timepoint.lesions) {
        if (!lesion.mask) continue;
        for (std::size_t i = 0; i < out.values().size(); ++i) out[i] = out[i] || (*lesion.mask)[i];
    }
    return out;
}

}  // namespace

std::string CarryForward::why_not(const CaseLesion& lesion, std::size_t from, const outputs::TimepointResult& now) const
{
    if (file_.diameter_from == "reader") return "the reader's own line counts (diameter_from), and a carried lesion has none";
    const auto& then = before_[from];
    const auto& result = *std::find_if(then.lesions.begin(), then.lesions.end(), [&](const auto& l) { return l.lesion == lesion.lesion.id; });
    const auto* const stated = stated_at(lesion, then.id);
    if (stated && stated->status) return "it is stated " + std::string(response::name(*stated->status)) + " there";
    if (!result.mask) return "it has no mask there" + (result.reason.empty() ? std::string() : " (" + result.reason + ")");
    if (result.status != response::LesionStatus::measured) return "it was not evaluable there (" + result.reason + ")";
    for (const auto& treatment : file_.treatments) {
        const bool local = treatment.kind == "surgery" || treatment.kind == "ablation";
        const bool of_it = treatment.lesions.empty() || std::find(treatment.lesions.begin(), treatment.lesions.end(), lesion.lesion.id) != treatment.lesions.end();
        if (!local || !of_it || !treatment.start) continue;
        const bool between = !then.date || !now.date || (*then.date < *treatment.start && !(*now.date < *treatment.start));
        if (between) return (treatment.kind == "surgery" ? "an operation" : "an ablation") + std::string(" lies between");  // no date: it would escape de-identification
    }
    const auto phase_of = [&](const outputs::TimepointResult& t) {
        const auto stated_there = std::find_if(file_.timepoints.begin(), file_.timepoints.end(), [&](const auto& c) { return c.id == t.id; });
        return stated_there != file_.timepoints.end() && !stated_there->phase.empty() ? stated_there->phase : t.ct->facts.contrast_phase;
    };
    const auto phase_then = phase_of(then), phase_now = phase_of(now);
    if (!phase_then.empty() && !phase_now.empty() && phase_then != phase_now) return "the phases differ (" + phase_then + ", " + phase_now + "), and with them what the lesion looks like";
    return {};
}

Result<std::optional<CarriedForward>> CarryForward::find(const CaseLesion& lesion, const outputs::TimepointResult& now, const Progress& progress)
{
    std::optional<CarriedForward> out;
    if (!file_.carries_forward || !now.ct) return out;
    // Never across a time point where the lesion could have been seen and was not measured.
    std::size_t from = before_.size();
    while (from > 0) {
        const auto& at = before_[from - 1];
        if (const auto* const stated = stated_at(lesion, at.id); stated && !stated->split_into.empty()) return out;  // its parts count since
        if (at.ct || stated_at(lesion, at.id)) break;
        --from;
    }
    if (from == 0) return out;
    --from;
    const auto seen = std::any_of(before_.begin(), before_.end(), [&](const auto& t) { return std::any_of(t.lesions.begin(), t.lesions.end(), [&](const auto& l) { return l.lesion == lesion.lesion.id && l.mask; }); });
    if (!seen) return out;
    const auto& then = before_[from];
    out.emplace();
    out->from = then.id;
    out->refusal = why_not(lesion, from, now);
    if (!out->refusal.empty()) {
        out->refusal += "; give a prompt";
        return out;
    }
    if (!registrations_.contains(from)) {
        const auto lesions = lesions_of(then);
        segmentation::RegistrationParameters settings;
        settings.threads = parameters_.threads;
        registrations_.emplace(from, segmentation::register_scans({now.ct->volume}, {then.ct->volume, &lesions}, settings, progress));
    }
    const auto& registration = registrations_.at(from);
    if (!registration) {
        if (registration.error().code == Code::cancelled) return registration.error();
        out->refusal = registration.error().message + "; give a prompt";
        return out;
    }
    const auto& mask = *std::find_if(then.lesions.begin(), then.lesions.end(), [&](const auto& l) { return l.lesion == lesion.lesion.id; })->mask;
    segmentation::SegmentParameters settings;
    settings.method = parameters_.method;
    settings.threads = parameters_.threads;
    settings.variants = segmentation::kVariants;
    auto found = segmentation::carry(*registration, {then.ct->volume, mask}, now.ct->volume, now.ct->facts.frame_of_reference_uid, settings, progress);
    if (found) out->found = std::move(found).value();
    else if (found.error().code == Code::cancelled) return std::move(found).error();
    else out->refusal = found.error().message;
    return out;
}

std::optional<CarryForward::Registered> CarryForward::last_registration() const
{
    for (auto r = registrations_.rbegin(); r != registrations_.rend(); ++r) {
        if (r->second) return Registered{r->first, &*r->second};
    }
    return std::nullopt;
}

}  // namespace retromass::run

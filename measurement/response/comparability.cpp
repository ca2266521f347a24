#include "measurement/response/comparability.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace retromass::response {
namespace {

constexpr const char* kNamed = "named";
constexpr const char* kWidens = "widens";
constexpr const char* kNot = "not-comparable";

using Rule = ComparabilityRule;
constexpr Rule kOtherSlices{"slice thickness or distance: differs by more than # mm", 0.5, kNamed, kNamed, "*ours*: nominal values scatter below it"};
constexpr Rule kThickerSlices{"slice thickness or distance: # times", 2, kWidens, kWidens, "*ours*, half way to the next"};
constexpr Rule kThickestSlices{"slice thickness or distance: # times, as 1.25 and 5 mm", 4, kWidens, kNot, "[Zhao 2014]: not to be used interchangeably"};
constexpr Rule kFewSlices{"slices above # mm, lesion below two of them", 5, kNot, kNot, "[RECIST 1.1]: not measurable"};
constexpr Rule kOtherKernel{"kernel: another name", 0, kNamed, kNamed, "[Zhao 2014]"};
constexpr Rule kSharpAndSoft{"kernel: soft and sharp", 0, kWidens, kWidens, "[Zhao 2014]"};
constexpr Rule kNearKvp{"kVp: up to # apart", 20, kNamed, kWidens, "6.6"};
constexpr Rule kFarKvp{"kVp: more than # apart", kNearKvp.limit, kNamed, kNot, "6.6"};
constexpr Rule kOtherPhase{"phase", 0, kWidens, kNot, "6.6; margins are seen by enhancement"};
constexpr Rule kOtherContrast{"contrast or none", 0, kWidens, kNot, "6.6; margins are seen by enhancement"};
constexpr Rule kOtherPlainKind{"kind of image: monoenergetic and plain", 0, kNamed, kNot, "6.6"};
constexpr Rule kOtherKind{"kind of image: a material map or virtual non-contrast", 0, kNot, kNot, "6.6"};
constexpr Rule kLossy{"compressed with loss", 0, kNamed, kWidens, "*ours*"};
constexpr Rule kCut{"lesion cut by the edge of a scan", 0, kNot, kNamed, "2.9"};
constexpr Rule kMissingEnd{"the scan ends # mm or more before the other one did, at the head or the feet, by the bones", 50, kNamed, kNamed, "5.2: new lesions there would not be seen; *ours*: more than a vertebra with its disc"};
constexpr Rule kShorterScan{"where the bones could not be compared, or a scan leans by more than 3 degrees: scan shorter than # of the other one", 0.8, kNamed, kNamed, "5.2; *ours*"};
constexpr std::array kRules{kOtherSlices, kThickerSlices, kThickestSlices, kFewSlices, kOtherKernel, kSharpAndSoft, kNearKvp, kFarKvp, kOtherPhase, kOtherContrast, kOtherPlainKind, kOtherKind, kLossy, kCut, kMissingEnd, kShorterScan};
constexpr double kMeasurableSlices = 2;          // E09: a lesion below two slices is not measurable

constexpr const char* kHead = "body towards the head";
constexpr const char* kFeet = "body towards the feet";
constexpr const char* kLength = "scanned length";

bool is_coverage(const StudyDifference& d) { return d.what == kHead || d.what == kFeet || d.what == kLength; }

int severity(std::string_view effect) { return effect == kNot ? 2 : effect == kWidens ? 1 : 0; }

std::string mm_of(double value) { return fixed(value, 2) + " mm"; }

/// Collects the differences of one pair.
class Pair {
public:
    Pair(const Timepoint& before, const Timepoint& now) : a_(before.study), b_(now.study)
    {
        out_.from = before.id;
        out_.to = now.id;
    }

    void add(const Rule& rule, std::string what, std::string before, std::string now, std::string text)
    {
        out_.differences.push_back({std::move(what), std::move(before), std::move(now), rule.of_size, rule.of_density, std::move(text)});
    }

    void slices(const char* what, const std::optional<double>& before, const std::optional<double>& now)
    {
        if (!both(what, before.has_value(), now.has_value())) return;
        const double ratio = std::max(*before, *now) / std::max(std::min(*before, *now), 1e-6);
        const bool wide = ratio >= kThickerSlices.limit;
        if (!wide && std::abs(*before - *now) <= kOtherSlices.limit) return;
        add(ratio >= kThickestSlices.limit ? kThickestSlices : wide ? kThickerSlices : kOtherSlices, what, mm_of(*before), mm_of(*now),
            wide ? "one study averages over slices " + fixed(ratio, 1) + " times as thick: its edges and its density are blurred otherwise" : "the slices differ slightly");
    }

    void words(const Rule& rule, const char* what, const std::string& before, const std::string& now, const std::string& text)
    {
        if (!both(what, !before.empty(), !now.empty()) || before == now) return;
        add(rule, what, before, now, text);
    }

    void acquisition()
    {
        slices("slice thickness", a_.slice_thickness_mm, b_.slice_thickness_mm);
        slices("slice spacing", a_.slice_spacing_mm, b_.slice_spacing_mm);
        kernel();
        if (both("kVp", a_.kvp.has_value(), b_.kvp.has_value()) && *a_.kvp != *b_.kvp) {
            const bool far = std::abs(*a_.kvp - *b_.kvp) > kNearKvp.limit;
            add(far ? kFarKvp : kNearKvp, "kVp", fixed(*a_.kvp, 0), fixed(*b_.kvp, 0), "iodine and bone are brighter at a lower voltage");
        }
        words(kOtherPhase, "phase", a_.phase, b_.phase, "enhancement moves visible margins and sets the density");
        words(kOtherContrast, "contrast", a_.contrast, b_.contrast, "one study has contrast and the other has none");
        words(plain(a_.image_kind) && plain(b_.image_kind) ? kOtherPlainKind : kOtherKind, "image kind", a_.image_kind, b_.image_kind, "the images show different quantities");
        if (both("lossy compression", a_.lossy.has_value(), b_.lossy.has_value()) && (*a_.lossy || *b_.lossy)) {
            const auto word = [](bool lossy) { return lossy ? "lossy" : "none"; };
            add(kLossy, "lossy compression", word(*a_.lossy), word(*b_.lossy), "compression with loss changes edges and noise");
        }
        coverage();
    }

    void coverage()
    {
        if (a_.reach_mm && b_.reach_mm) {
            missing(kHead, (*a_.reach_mm)[1] - (*b_.reach_mm)[1]);
            missing(kFeet, (*b_.reach_mm)[0] - (*a_.reach_mm)[0]);
        } else if (both(kLength, a_.scanned_mm.has_value(), b_.scanned_mm.has_value()) && *b_.scanned_mm < kShorterScan.limit * *a_.scanned_mm) {
            add(kShorterScan, kLength, mm_of(*a_.scanned_mm), mm_of(*b_.scanned_mm), "body regions seen before may be missing: new lesions there would not be seen");
        }
    }

    void missing(const char* what, double mm)
    {
        if (mm < kMissingEnd.limit) return;
        add(kMissingEnd, what, "seen", "without the last " + fixed(mm, 0) + " mm", "that part of the body was seen before and is missing: new lesions there would not be seen");
    }

    void lesion(const Lesion& lesion, const Observation* before, const Observation* now)
    {
        for (const auto* observation : {before, now}) {
            if (!observation || !observation->cut) continue;
            add(kCut, "coverage of " + lesion.id, before && before->cut ? "cut" : "whole", now && now->cut ? "cut" : "whole", lesion.id + " is cut by the edge of a scan: its size is a lower bound");
            break;
        }
        const auto& spacing = std::max(a_.slice_spacing_mm, b_.slice_spacing_mm);
        if (!spacing || *spacing <= kFewSlices.limit) return;
        for (const auto* observation : {before, now}) {
            const auto reading = target_reading(lesion, observation);
            if (reading.parts.empty() || total(reading) == Length{} || total(reading).as_mm() >= kMeasurableSlices * *spacing) continue;
            add(kFewSlices, "slices across " + lesion.id, "", "", lesion.id + " is smaller than two slices of " + mm_of(*spacing));
            return;
        }
    }

    Comparison result() &&
    {
        const auto worst = [&](std::string StudyDifference::*effect) {
            int most = 0;
            for (const auto& d : out_.differences) most = std::max(most, severity(d.*effect));
            return most == 2 ? kNot : most == 1 ? "widened" : "comparable";
        };
        out_.size = worst(&StudyDifference::of_size);
        out_.density = worst(&StudyDifference::of_density);
        return std::move(out_);
    }

private:
    static bool plain(const std::string& kind) { return kind == "attenuation" || kind == "monoenergetic"; }

    bool both(const char* what, bool before, bool now)
    {
        if (before && now) return true;
        out_.not_stated.emplace_back(what);
        return false;
    }

    void kernel()
    {
        if (!both("kernel", !a_.kernel.empty() || !a_.kernel_class.empty(), !b_.kernel.empty() || !b_.kernel_class.empty())) return;
        const auto shown = [](const StudyFacts& f) { return f.kernel.empty() ? f.kernel_class : f.kernel_class.empty() ? f.kernel : f.kernel + " (" + f.kernel_class + ")"; };
        const bool classes = !a_.kernel_class.empty() && !b_.kernel_class.empty();
        if (classes && a_.kernel_class != b_.kernel_class) {
            add(kSharpAndSoft, "kernel", shown(a_), shown(b_), "a sharp and a soft kernel draw edges and noise otherwise");
        } else if (a_.kernel != b_.kernel) {
            add(kOtherKernel, "kernel", shown(a_), shown(b_), "the kernels have different names");
        }
    }

    const StudyFacts& a_;
    const StudyFacts& b_;
    Comparison out_;
};

Comparison compared(const PeriodContext& context, std::size_t before, std::size_t now)
{
    Pair pair(context.timepoint(before), context.timepoint(now));
    pair.acquisition();
    for (const auto l : context.lesions.targets) {
        const auto& lesion = context.patient.lesions[l];
        pair.lesion(lesion, observation_of(context.timepoint(before), lesion.id), observation_of(context.timepoint(now), lesion.id));
    }
    return std::move(pair).result();
}

/// Definitions 5.2: what was seen at the baseline and is missing now stands beside the category.
void note_coverage(const Comparison& comparison, RecistTimepoint& row)
{
    if (row.baseline_timepoint != comparison.from) return;
    for (const auto& d : comparison.differences) {
        if (is_coverage(d)) row.overall.notices.push_back({Code::body_region_missing, d.what + (d.what == kLength ? " " + d.before + " at " + comparison.from + ", " : " seen at " + comparison.from + ", ") + d.now + " at " + comparison.to + ": " + d.text});
    }
}

}  // namespace

std::span<const ComparabilityRule> comparability_rules() { return kRules; }

std::vector<Comparison> compare_studies(const PeriodContext& context, const std::vector<RecistTimepoint>& rows)
{
    std::vector<Comparison> out;
    if (!context.period.baseline) return out;
    for (std::size_t row = 1; row < rows.size(); ++row) {
        const auto now = context.period.follow_ups[row - 1];
        out.push_back(compared(context, *context.period.baseline, now));
        if (rows[row].nadir_timepoint.empty() || rows[row].nadir_timepoint == rows[row].baseline_timepoint) continue;
        for (const auto t : context.period.follow_ups) {
            if (context.timepoint(t).id == rows[row].nadir_timepoint) out.push_back(compared(context, t, now));
        }
    }
    return out;
}

void note_comparisons(const std::vector<Comparison>& comparisons, std::vector<RecistTimepoint>& rows)
{
    for (const auto& comparison : comparisons) {
        std::string which;
        for (const auto& d : comparison.differences) {
            if (severity(d.of_size) > 0) append(which, d.what + (d.before.empty() ? "" : " " + d.before + " and " + d.now));
        }
        const bool barred = comparison.size == kNot;
        for (auto& row : rows) {
            if (row.timepoint != comparison.to || row.is_baseline) continue;
            note_coverage(comparison, row);
            if (which.empty()) continue;
            row.overall.notices.push_back({barred ? Code::not_comparable : Code::comparison_widened,
                                           "sizes of " + comparison.from + " and " + comparison.to + (barred ? " are not comparable: " : " compare less closely: ") + which});
        }
    }
}

void note_comparisons(const std::vector<RecistTimepoint>& rows, CriterionPeriod& criterion)
{
    for (auto& point : criterion.timepoints) {
        for (const auto& row : rows) {
            if (row.timepoint != point.timepoint || row.is_baseline) continue;
            for (const auto& notice : row.overall.notices) {
                const bool of_comparison = notice.code == Code::body_region_missing || notice.code == Code::not_comparable || notice.code == Code::comparison_widened;
                if (of_comparison) point.decision.notices.push_back(notice);
            }
        }
    }
}

}  // namespace retromass::response

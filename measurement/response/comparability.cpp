#include "measurement/response/comparability.h"

#include <algorithm>
#include <cmath>

namespace retromass::response {
namespace {

// The table of docs/clinical.md 6.7, with its sources. A ratio is the larger over the smaller.
constexpr double kNamedSlice_mm = 0.5;           // below it the nominal values of scanners scatter
constexpr double kWideningSliceRatio = 2;
constexpr double kIncomparableSliceRatio = 4;    // 1.25 and 5 mm
constexpr double kMeasurableSlices = 2;          // E09: a lesion below two slices is not measurable
constexpr double kThinSlice_mm = 5;
constexpr double kIncomparableKvp = 20;
constexpr double kShorterScan = 0.8;

constexpr const char* kNamed = "named";
constexpr const char* kWidens = "widens";
constexpr const char* kNot = "not-comparable";

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

    void add(std::string what, std::string before, std::string now, const char* size, const char* density, std::string text)
    {
        out_.differences.push_back({std::move(what), std::move(before), std::move(now), size, density, std::move(text)});
    }

    void slices(const char* what, const std::optional<double>& before, const std::optional<double>& now)
    {
        if (!both(what, before.has_value(), now.has_value())) return;
        const double ratio = std::max(*before, *now) / std::max(std::min(*before, *now), 1e-6);
        const bool wide = ratio >= kWideningSliceRatio;
        if (!wide && std::abs(*before - *now) <= kNamedSlice_mm) return;
        add(what, mm_of(*before), mm_of(*now), wide ? kWidens : kNamed, ratio >= kIncomparableSliceRatio ? kNot : wide ? kWidens : kNamed,
            wide ? "one study averages over slices " + fixed(ratio, 1) + " times as thick: its edges and its density are blurred otherwise" : "the slices differ slightly");
    }

    void words(const char* what, const std::string& before, const std::string& now, const char* size, const char* density, const std::string& text)
    {
        if (!both(what, !before.empty(), !now.empty()) || before == now) return;
        add(what, before, now, size, density, text);
    }

    void acquisition()
    {
        slices("slice thickness", a_.slice_thickness_mm, b_.slice_thickness_mm);
        slices("slice spacing", a_.slice_spacing_mm, b_.slice_spacing_mm);
        kernel();
        if (both("kVp", a_.kvp.has_value(), b_.kvp.has_value()) && *a_.kvp != *b_.kvp) {
            const bool far = std::abs(*a_.kvp - *b_.kvp) > kIncomparableKvp;
            add("kVp", fixed(*a_.kvp, 0), fixed(*b_.kvp, 0), kNamed, far ? kNot : kWidens, "iodine and bone are brighter at a lower voltage");
        }
        words("phase", a_.phase, b_.phase, kWidens, kNot, "enhancement moves visible margins and sets the density");
        words("contrast", a_.contrast, b_.contrast, kWidens, kNot, "one study has contrast and the other has none");
        words("image kind", a_.image_kind, b_.image_kind, plain(a_.image_kind) && plain(b_.image_kind) ? kNamed : kNot, kNot, "the images show different quantities");
        if (both("lossy compression", a_.lossy.has_value(), b_.lossy.has_value()) && (*a_.lossy || *b_.lossy)) {
            const auto word = [](bool lossy) { return lossy ? "lossy" : "none"; };
            add("lossy compression", word(*a_.lossy), word(*b_.lossy), kNamed, kWidens, "compression with loss changes edges and noise");
        }
        if (both("scanned length", a_.scanned_mm.has_value(), b_.scanned_mm.has_value()) && *b_.scanned_mm < kShorterScan * *a_.scanned_mm) {
            add("scanned length", mm_of(*a_.scanned_mm), mm_of(*b_.scanned_mm), kNamed, kNamed, "body regions seen before may be missing: new lesions there would not be seen");
        }
    }

    void lesion(const Lesion& lesion, const Observation* before, const Observation* now)
    {
        for (const auto* observation : {before, now}) {
            if (!observation || !observation->cut) continue;
            add("coverage of " + lesion.id, before && before->cut ? "cut" : "whole", now && now->cut ? "cut" : "whole", kNot, kNamed, lesion.id + " is cut by the edge of a scan: its size is a lower bound");
            break;
        }
        const auto& spacing = std::max(a_.slice_spacing_mm, b_.slice_spacing_mm);
        if (!spacing || *spacing <= kThinSlice_mm) return;
        for (const auto* observation : {before, now}) {
            const auto reading = target_reading(lesion, observation);
            if (reading.parts.empty() || total(reading) == Length{} || total(reading).as_mm() >= kMeasurableSlices * *spacing) continue;
            add("slices across " + lesion.id, "", "", kNot, kNot, lesion.id + " is smaller than two slices of " + mm_of(*spacing));
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
            add("kernel", shown(a_), shown(b_), kWidens, kWidens, "a sharp and a soft kernel draw edges and noise otherwise");
        } else if (a_.kernel != b_.kernel) {
            add("kernel", shown(a_), shown(b_), kNamed, kNamed, "the kernels have different names");
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

}  // namespace

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
        if (comparison.size == "comparable") continue;
        std::string which;
        for (const auto& d : comparison.differences) {
            if (severity(d.of_size) > 0) append(which, d.what + (d.before.empty() ? "" : " " + d.before + " and " + d.now));
        }
        const bool barred = comparison.size == kNot;
        for (auto& row : rows) {
            if (row.timepoint != comparison.to || row.is_baseline) continue;
            row.overall.notices.push_back({barred ? Code::not_comparable : Code::comparison_widened,
                                           "sizes of " + comparison.from + " and " + comparison.to + (barred ? " are not comparable: " : " compare less closely: ") + which});
        }
    }
}

}  // namespace retromass::response

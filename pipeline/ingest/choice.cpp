#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <map>
#include <set>

#include "core/units.h"
#include "pipeline/ingest/ingest.h"

namespace retromass::ingest {
namespace {

constexpr double kBestSpacing_mm = 2.5;         // issue's rule: nearest 2.5 mm within 1 to 5 mm
constexpr double kLeastSpacing_mm = 1;
constexpr double kMostSpacing_mm = 5;
constexpr double kSpacingStep_mm = 0.01;        // closer spacings count as equal
constexpr double kSameThickness_mm = 0.5;
constexpr int kSharpFrom = 50;                  // Siemens: B50 and above are sharp

std::string describe(const SeriesCandidate& series)
{
    const auto& f = series.facts;
    return "series " + std::to_string(f.series_number) + " \"" + f.series_description + "\" (" + std::to_string(series.slices.size()) + " slices, " + f.series_instance_uid +
           (series.volume_index ? ", volume " + std::to_string(series.volume_index) : std::string()) + ")";
}

constexpr std::array<std::string_view, 7> kSeriesWords{"portal-venous", "arterial", "delayed", "none", "soft", "sharp", "thinnest"};

/// What one word of a trial's rule finds in a series. What no header states is no match.
RankStep step_of(const std::string& word, const AcquisitionFacts& facts)
{
    constexpr double kNotStated = 1e6;
    const auto what = kOfProtocol + word;
    if (word == "thinnest") {
        const auto& thickness = facts.slice_thickness_mm;
        return {what, thickness ? fixed(*thickness, 2) + " mm" : "not stated", thickness ? std::round(*thickness / kSpacingStep_mm) * kSpacingStep_mm : kNotStated};
    }
    const bool of_kernel = word == "soft" || word == "sharp";
    const auto found = of_kernel ? std::string(name(kernel_class(facts.kernel))) : facts.contrast_phase;
    return {what, found.empty() || found == "unknown" ? "not stated" : found, found == word ? 0.0 : 1.0};
}

std::vector<RankStep> steps_of(const SeriesCandidate& series, const ChoiceParameters& parameters)
{
    const auto& f = series.facts;
    const auto& g = series.geometry;
    std::vector<RankStep> out;
    const auto add = [&](const char* what, std::string value, double key) { out.push_back({what, std::move(value), key}); };
    add("loadable", series.refused ? "no" : "yes", series.refused ? 1 : 0);
    add("eligible", series.eligible ? "yes" : "no: " + series.why_not_eligible, series.eligible ? 0 : 1);
    if (!parameters.lesion.empty()) {
        const bool covers = g.size().slices > 0 && std::all_of(parameters.lesion.begin(), parameters.lesion.end(), [&](const auto& p) { return g.contains(p); });
        add("covers the lesion", covers ? "yes" : "no", covers ? 0 : 1);
    }
    const auto add_frame_of_reference = [&] {
        if (parameters.prompt_frame_of_reference_uid.empty()) return;
        const bool same = f.frame_of_reference_uid == parameters.prompt_frame_of_reference_uid;
        add("frame of reference of the prompt", same ? "yes" : "no", same ? 0 : 1);
    };
    if (!parameters.rule.empty()) {  // it chooses among the series that the prompt holds in, whichever of them it was drawn on
        add_frame_of_reference();
        for (const auto& word : parameters.rule) out.push_back(step_of(word, f));
    }
    if (!parameters.prompt_series_uids.empty()) {
        const auto& drawn_on = parameters.prompt_series_uids;
        const bool same = std::find(drawn_on.begin(), drawn_on.end(), f.series_instance_uid) != drawn_on.end();
        add("series of the prompt", same ? "yes" : "no", same ? 0 : 1);
    }
    if (parameters.rule.empty()) add_frame_of_reference();
    const auto kernel = kernel_class(f.kernel);
    const auto kernel_text = std::string(name(kernel)) + (f.kernel.empty() ? "" : " (" + f.kernel + ")");
    if (parameters.baseline) {
        const bool same_kernel = kernel == kernel_class(parameters.baseline->kernel);
        const auto& before = parameters.baseline->slice_thickness_mm;
        const bool same_thickness = f.slice_thickness_mm && before && std::abs(*f.slice_thickness_mm - *before) <= kSameThickness_mm;
        add("kernel class and thickness as at baseline", same_kernel ? same_thickness ? "both" : "kernel class" : same_thickness ? "thickness" : "neither",
            2 - (same_kernel ? 1 : 0) - (same_thickness ? 1 : 0));
    }
    const auto spacing = g.size().slices > 0 ? g.slice_spacing_mm() : std::nullopt;
    if (spacing) {
        const bool within = *spacing >= kLeastSpacing_mm - kSpacingStep_mm && *spacing <= kMostSpacing_mm + kSpacingStep_mm;
        constexpr double kOutside = 1000;
        add("slice spacing nearest 2.5 mm within 1 to 5 mm", fixed(*spacing, 2) + " mm", std::round(std::abs(*spacing - kBestSpacing_mm) / kSpacingStep_mm) * kSpacingStep_mm + (within ? 0 : kOutside));
    } else {
        add("slice spacing nearest 2.5 mm within 1 to 5 mm", "none", 1e6);
    }
    add("soft-tissue kernel", kernel_text, kernel == KernelClass::soft ? 0 : kernel == KernelClass::unknown ? 1 : 2);
    const std::vector<std::string> phases{"portal-venous", "arterial", "none", "delayed"};
    const auto phase = std::find(phases.begin(), phases.end(), f.contrast_phase);
    add("phase: portal-venous, arterial, none, delayed", f.contrast_phase.empty() ? "not stated" : f.contrast_phase, static_cast<double>(phase - phases.begin()));
    add("more slices", std::to_string(series.slices.size()), -static_cast<double>(series.slices.size()));
    add("Series Instance UID", f.series_instance_uid + (series.volume_index ? ", volume " + std::to_string(series.volume_index) : ""), 0);
    return out;
}

/// The first step that tells two series apart.
std::size_t deciding(const RankedSeries& a, const RankedSeries& b)
{
    for (std::size_t s = 0; s < a.steps.size(); ++s) {
        if (a.steps[s].key != b.steps[s].key) return s;
    }
    return a.steps.size() - 1;
}

}  // namespace

std::span<const std::string_view> series_words() { return kSeriesWords; }

std::string_view name(KernelClass kernel)
{
    switch (kernel) {
    case KernelClass::soft: return "soft";
    case KernelClass::sharp: return "sharp";
    case KernelClass::unknown: return "unknown";
    }
    return "";
}

KernelClass kernel_class(std::string_view kernel)
{
    auto name = std::string(kernel.substr(0, kernel.find('\\')));
    for (auto& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    while (!name.empty() && name.back() == ' ') name.pop_back();
    // GE and Philips name, Siemens and Canon number their kernels.
    static const std::set<std::string> soft{"STANDARD", "STND", "SOFT", "DETAIL", "CHST", "A", "B", "UA", "UB", "SA", "SB", "EA", "EB", "CA", "CB", "XCA", "XCB"};
    static const std::set<std::string> sharp{"BONE", "BONEPLUS", "LUNG", "EDGE", "ULTRA", "C", "D", "E", "L", "YA", "YB", "YC", "YD", "YE", "UC", "SC", "EC", "CC", "XCC", "XCD"};
    if (soft.count(name)) return KernelClass::soft;
    if (sharp.count(name)) return KernelClass::sharp;
    std::size_t letters = 0;
    while (letters < name.size() && std::isalpha(static_cast<unsigned char>(name[letters]))) ++letters;
    std::size_t end = letters;
    while (end < name.size() && std::isdigit(static_cast<unsigned char>(name[end]))) ++end;
    if (letters == 0 || letters > 2 || end == letters || end - letters > 2) return KernelClass::unknown;
    const int number = std::stoi(name.substr(letters, end - letters));
    if (name.compare(0, letters, "FC") == 0) return number < 30 ? KernelClass::soft : KernelClass::sharp;
    return number < kSharpFrom ? KernelClass::soft : KernelClass::sharp;
}

std::vector<StudyChoice> rank(const Scan& scan, const ChoiceParameters& parameters)
{
    std::map<std::string, StudyChoice> studies;
    for (std::size_t i = 0; i < scan.series.size(); ++i) {
        const auto& series = scan.series[i];
        auto& study = studies[series.facts.study_instance_uid];
        study.study_instance_uid = series.facts.study_instance_uid;
        study.ranked.push_back({i, steps_of(series, parameters), {}});
    }
    std::vector<StudyChoice> out;
    for (auto& [unused, study] : studies) {
        auto& ranked = study.ranked;
        std::sort(ranked.begin(), ranked.end(), [&](const RankedSeries& a, const RankedSeries& b) {
            const auto step = deciding(a, b);
            if (a.steps[step].key != b.steps[step].key) return a.steps[step].key < b.steps[step].key;
            return std::tie(scan.series[a.series].facts.series_instance_uid, scan.series[a.series].volume_index) <
                   std::tie(scan.series[b.series].facts.series_instance_uid, scan.series[b.series].volume_index);
        });
        const auto against = [&](const RankedSeries& one, const RankedSeries& other) {
            const auto step = deciding(one, other);
            return one.steps[step].what + ": " + one.steps[step].value + " against " + other.steps[step].value;
        };
        for (std::size_t r = 0; r < ranked.size(); ++r) {
            if (r > 0) ranked[r].decided_by = against(ranked[r], ranked[r - 1]);
            else if (ranked.size() > 1) ranked[r].decided_by = against(ranked[0], ranked[1]);
        }
        out.push_back(std::move(study));
    }
    return out;
}

Result<SeriesCandidate> one_series(const Scan& scan, const std::string& series_uid)
{
    ChoiceParameters parameters;
    parameters.series_uid = series_uid;
    return one_series(scan, parameters);
}

Result<SeriesCandidate> one_series(const Scan& scan, const ChoiceParameters& parameters)
{
    // UID, or UID#N for volume N of a series that holds several.
    const auto mark = parameters.series_uid.find('#');
    const auto uid = parameters.series_uid.substr(0, mark);
    const auto volume = mark == std::string::npos ? std::string() : parameters.series_uid.substr(mark + 1);
    std::vector<const SeriesCandidate*> loadable;
    std::vector<const SeriesCandidate*> eligible;
    std::string refused;
    const Error* only = nullptr;
    bool several = false;
    for (const auto& series : scan.series) {
        if (!uid.empty() && series.facts.series_instance_uid != uid) continue;
        if (!volume.empty() && std::to_string(series.volume_index) != volume) continue;
        if (!series.refused) {
            loadable.push_back(&series);
            if (series.eligible) eligible.push_back(&series);
            continue;
        }
        refused += (refused.empty() ? "" : "; ") + describe(series) + ": " + series.refused->message;
        several = several || only;
        only = &*series.refused;
    }
    if (loadable.empty()) {
        if (refused.empty()) {
            return Error{Code::no_series, "no CT series found" + std::string(scan.excluded.empty() ? "" : " (" + std::to_string(scan.excluded.size()) + " files set aside; retromass series shows why)"), "ingest"};
        }
        return Error{several ? Code::no_series : only->code, refused, "ingest"};
    }
    const auto& fitting = eligible.empty() ? loadable : eligible;
    if (fitting.size() == 1) return *fitting.front();
    const bool one_study = std::all_of(fitting.begin(), fitting.end(), [&](const auto* s) { return s->facts.study_instance_uid == fitting.front()->facts.study_instance_uid; });
    if (!eligible.empty() && one_study && parameters.series_uid.empty()) {
        for (const auto& study : rank(scan, parameters)) {
            if (study.study_instance_uid != fitting.front()->facts.study_instance_uid) continue;
            auto chosen = scan.series[study.ranked.front().series];
            chosen.notices.push_back({Code::series_chosen, describe(chosen) + " was chosen among " + std::to_string(eligible.size()) + " that fit; " + study.ranked.front().decided_by +
                                                               " (retromass series shows the ranking)"});
            return chosen;
        }
    }
    std::string list;
    for (const auto* series : fitting) list += (list.empty() ? "" : "; ") + describe(*series);
    return Error{Code::several_series, "several CT series fit, name one by its Series Instance UID (UID#N for volume N of it): " + list, "ingest"};
}

}  // namespace retromass::ingest

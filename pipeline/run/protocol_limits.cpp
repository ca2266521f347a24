#include "pipeline/run/protocol_limits.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include "core/units.h"

namespace retromass::run {
namespace {

constexpr int kDecimals = 2;  // of a limit in the text that is hashed

std::optional<double> limit(const YAML::Node& map, const char* key)
{
    if (!map[key]) return std::nullopt;
    const auto value = value_of<double>(map[key], "a number");
    if (!std::isfinite(value) || value <= 0) fault(map[key], "expected a number above 0, found '" + map[key].Scalar() + "'");
    return value;
}

std::string joined(const std::vector<std::string>& words)
{
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "" : ",") + word;
    return out;
}

/// Day 0 of the visit windows: the first dose of systemic treatment. Of several lines none: which of them is the trial's nobody said.
std::optional<Date> start_of_treatment(const std::vector<response::Treatment>& treatments, std::string& why_not)
{
    std::optional<Date> out;
    std::set<int> lines;
    for (const auto& treatment : treatments) {
        if (treatment.kind != "systemic") continue;
        if (treatment.line > 0) lines.insert(treatment.line);
        if (treatment.start && (!out || *treatment.start < *out)) out = treatment.start;
    }
    if (lines.size() > 1) {
        why_not = "the days from which of " + std::to_string(lines.size()) + " lines of treatment is not said; the time points' own visits stand";
        return std::nullopt;
    }
    if (!out) why_not = "no systemic treatment with a start";
    return out;
}

constexpr double kSame_mm = 0.005;  // limits are stated to 0.01 mm

std::string mm(double value) { return fixed(value, kDecimals) + " mm"; }

std::string listed(const std::vector<std::string>& words)
{
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i) out += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
    return out;
}

/// The windows of the visits, counted from the start of treatment.
class VisitWindows {
public:
    VisitWindows(const Protocol& protocol, const std::vector<response::Treatment>& treatments) : protocol_(protocol), start_(start_of_treatment(treatments, why_not_)) {}

    /// Names the visit where it has no name; answers what does not fit.
    std::vector<Notice> outside(const std::optional<Date>& date, std::string& visit) const
    {
        if (protocol_.visits.empty()) return {};
        const auto say = [](const std::string& what) { return std::vector<Notice>{{Code::outside_protocol, what}}; };
        if (!start_ || !date) return say("the visit window was not checked: " + (start_ ? "no calendar date" : why_not_));
        const auto day = days_between(*start_, *date);
        const auto* window = visit_on(protocol_, day);
        if (visit.empty() && window) visit = window->name;
        if (window && window->name == visit) return {};
        return say("day " + std::to_string(day) + " of treatment lies in " + (window ? "the window of visit " + window->name : "no visit window") + " of protocol " + protocol_.id + (visit.empty() ? "" : "; the time point is visit " + visit));
    }

private:
    const Protocol& protocol_;
    std::string why_not_;
    std::optional<Date> start_;
};

void append(std::vector<Notice>& to, std::vector<Notice> more) { to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end())); }

}  // namespace

std::string word_of(const YAML::Node& node, const std::vector<std::string>& known)
{
    const auto found = value_of<std::string>(node, "a word");
    if (std::find(known.begin(), known.end(), found) != known.end()) return found;
    fault(node, "expected one of " + joined(known) + ", found '" + found + "'; did you mean '" + nearest(found, known) + "'?");
}

Acquisition acquisition_of(const YAML::Node& node)
{
    allow(node, "acquisition", {"slice_thickness_max_mm", "slice_spacing_max_mm", "pixel_max_mm", "coverage_min_mm", "kvp", "phases", "kernel", "lossy"});
    Acquisition out;
    out.slice_thickness_max_mm = limit(node, "slice_thickness_max_mm");
    out.slice_spacing_max_mm = limit(node, "slice_spacing_max_mm");
    out.pixel_max_mm = limit(node, "pixel_max_mm");
    out.coverage_min_mm = limit(node, "coverage_min_mm");
    if (const auto kvp = node["kvp"]) {
        if (!kvp.IsSequence() || kvp.size() != 2) fault(kvp, "kvp is [from, to]");
        out.kvp = {value_of<double>(kvp[0], "a number"), value_of<double>(kvp[1], "a number")};
        if (!((*out.kvp)[0] > 0) || !((*out.kvp)[1] >= (*out.kvp)[0])) fault(kvp, "kvp is [from, to], the lower one first");
    }
    if (const auto phases = node["phases"]) {
        const std::vector<std::string> known{"portal-venous", "arterial", "delayed", "none"};
        if (phases.IsScalar()) out.phases = {word_of(phases, known)};
        else for (const auto& phase : phases) out.phases.push_back(word_of(phase, known));
        std::sort(out.phases.begin(), out.phases.end());
    }
    if (node["kernel"]) out.kernel = word_of(node["kernel"], {"soft", "sharp"});
    if (node["lossy"]) out.lossy = word_of(node["lossy"], {"refused", "allowed"});
    if (out.lossy == "allowed") out.lossy.clear();  // the same as not stated
    return out;
}

std::vector<Visit> visits_of(const YAML::Node& node)
{
    if (!node.IsSequence()) fault(node, "visits is a list of {name, from_day, to_day}");
    std::vector<Visit> out;
    for (const auto& item : node) {
        allow(item, "a visit", {"name", "from_day", "to_day"});
        Visit visit;
        visit.name = needed(item, "name", "a visit");
        for (const char* key : {"from_day", "to_day"}) {
            if (!item[key]) fault(item, "visit '" + visit.name + "' needs '" + key + "', a whole number of days from the start of treatment (day 0)");
        }
        visit.from_day = value_of<long>(item["from_day"], "a whole number of days");
        visit.to_day = value_of<long>(item["to_day"], "a whole number of days");
        if (visit.to_day < visit.from_day) fault(item["to_day"], "the window of visit '" + visit.name + "' ends before it begins");
        if (!out.empty() && visit.from_day <= out.back().to_day) fault(item["from_day"], "the window of visit '" + visit.name + "' begins before that of '" + out.back().name + "' has ended");
        if (std::any_of(out.begin(), out.end(), [&](const auto& other) { return other.name == visit.name; })) fault(item["name"], "visit '" + visit.name + "' stands twice");
        out.push_back(visit);
    }
    return out;
}

std::vector<std::string> series_rule_of(const YAML::Node& node)
{
    const auto words = ingest::series_words();
    const std::vector<std::string> known(words.begin(), words.end());
    if (!node.IsSequence() || node.size() == 0) fault(node, "series is a list of words, the most important first, of " + joined(known));
    std::vector<std::string> out;
    for (const auto& item : node) {
        auto word = word_of(item, known);
        if (std::find(out.begin(), out.end(), word) != out.end()) fault(item, "'" + word + "' stands twice in series");
        out.push_back(std::move(word));
    }
    return out;
}

void add_rules(const Protocol& protocol, std::map<std::string, std::string>& rules)
{
    const auto& a = protocol.acquisition;
    const auto add = [&](const char* name, const std::optional<double>& value) {
        if (value) rules[std::string("acquisition ") + name] = fixed(*value, kDecimals);
    };
    add("slice_thickness_max_mm", a.slice_thickness_max_mm);
    add("slice_spacing_max_mm", a.slice_spacing_max_mm);
    add("pixel_max_mm", a.pixel_max_mm);
    add("coverage_min_mm", a.coverage_min_mm);
    if (a.kvp) rules["acquisition kvp"] = fixed((*a.kvp)[0], kDecimals) + " to " + fixed((*a.kvp)[1], kDecimals);
    if (!a.phases.empty()) rules["acquisition phases"] = joined(a.phases);
    if (!a.kernel.empty()) rules["acquisition kernel"] = a.kernel;
    if (!a.lossy.empty()) rules["acquisition lossy"] = a.lossy;
    if (!protocol.series.empty()) rules["series"] = joined(protocol.series);
    if (!protocol.evaluator.empty()) rules["evaluator"] = protocol.evaluator;
    for (std::size_t v = 0; v < protocol.visits.size(); ++v) {
        const auto& visit = protocol.visits[v];
        rules["visit " + visit.name] = "day " + std::to_string(visit.from_day) + " to " + std::to_string(visit.to_day);
    }
}

const Visit* visit_on(const Protocol& protocol, long day)
{
    const auto found = std::find_if(protocol.visits.begin(), protocol.visits.end(), [&](const auto& visit) { return visit.from_day <= day && day <= visit.to_day; });
    return found == protocol.visits.end() ? nullptr : &*found;
}

ScannedAs scanned_as(const ingest::AcquisitionFacts& facts, const VolumeGeometry& geometry, const std::vector<Notice>& notices)
{
    ScannedAs out;
    out.slice_thickness_mm = facts.slice_thickness_mm;
    out.phase = facts.contrast_phase;
    if (const auto kernel = ingest::kernel_class(facts.kernel); kernel != ingest::KernelClass::unknown) out.kernel_class = name(kernel);
    out.kvp = facts.kvp;
    out.lossy = has(notices, Code::lossy);
    const int slices = geometry.size().slices;
    if (slices < 2) return out;
    out.pixel_mm = std::max(geometry.column_spacing_mm(), geometry.row_spacing_mm());
    out.scanned_mm = geometry.slice_position_mm(slices - 1) - geometry.slice_position_mm(0);
    out.slice_spacing_mm = 0;
    for (int k = 1; k < slices; ++k) out.slice_spacing_mm = std::max(*out.slice_spacing_mm, geometry.slice_position_mm(k) - geometry.slice_position_mm(k - 1));
    return out;
}

std::vector<LimitCheck> limit_checks(const Acquisition& asked, const ScannedAs& found)
{
    std::vector<LimitCheck> out;
    const auto at_most = [&](const char* what, const std::optional<double>& limit, const std::optional<double>& value) {
        if (limit) out.push_back({what, "at most " + mm(*limit), value ? mm(*value) : "", value && *value <= *limit + kSame_mm});
    };
    at_most("slice thickness", asked.slice_thickness_max_mm, found.slice_thickness_mm);
    at_most("largest slice distance", asked.slice_spacing_max_mm, found.slice_spacing_mm);
    at_most("pixel size", asked.pixel_max_mm, found.pixel_mm);
    if (const auto& least = asked.coverage_min_mm) {
        out.push_back({"scanned length", "at least " + mm(*least), found.scanned_mm ? mm(*found.scanned_mm) : "", found.scanned_mm && *found.scanned_mm >= *least - kSame_mm});
    }
    if (!asked.phases.empty()) out.push_back({"contrast phase", listed(asked.phases), found.phase, std::find(asked.phases.begin(), asked.phases.end(), found.phase) != asked.phases.end()});
    if (!asked.kernel.empty()) out.push_back({"reconstruction kernel", asked.kernel, found.kernel_class, found.kernel_class == asked.kernel});
    if (const auto& kvp = asked.kvp) {
        out.push_back({"tube voltage", fixed((*kvp)[0], 0) + " to " + fixed((*kvp)[1], 0) + " kV", found.kvp ? fixed(*found.kvp, 0) + " kV" : "", found.kvp && *found.kvp >= (*kvp)[0] && *found.kvp <= (*kvp)[1]});
    }
    if (asked.lossy == "refused") out.push_back({"compression", "none with loss", !found.lossy ? "" : *found.lossy ? "with loss" : "without loss", found.lossy == false});
    return out;
}

std::vector<Notice> outside_limits(const Protocol& protocol, const ScannedAs& found)
{
    std::vector<Notice> out;
    for (const auto& check : limit_checks(protocol.acquisition, found)) {
        if (!check.met) out.push_back({Code::outside_protocol, check.what + " " + (check.found.empty() ? "is not stated" : check.found) + ", protocol " + protocol.id + " asks for " + check.expected});
    }
    return out;
}

void note_outside(outputs::CaseResult& result, const CaseFile& file)
{
    if (!file.protocol) return;
    const VisitWindows windows(*file.protocol, file.treatments);
    for (std::size_t t = 0; t < result.timepoints.size(); ++t) {
        auto& timepoint = result.timepoints[t];
        if (timepoint.ct) {
            auto found = scanned_as(timepoint.ct->facts, timepoint.ct->volume.geometry, timepoint.ct->notices);
            if (t < file.timepoints.size() && !file.timepoints[t].phase.empty()) found.phase = file.timepoints[t].phase;
            append(timepoint.notices, outside_limits(*file.protocol, found));
        } else if (!limit_checks(file.protocol->acquisition, {}).empty()) {
            timepoint.notices.push_back({Code::outside_protocol, "the acquisition was not checked: no images"});
        }
        append(timepoint.notices, windows.outside(timepoint.date, timepoint.visit));
    }
}

std::vector<std::vector<Notice>> notices_outside(const Protocol& protocol, response::Patient& patient)
{
    const VisitWindows windows(protocol, patient.treatments);
    std::vector<std::vector<Notice>> out;
    for (auto& timepoint : patient.timepoints) {
        const auto& study = timepoint.study;
        ScannedAs found;
        found.slice_thickness_mm = study.slice_thickness_mm;
        found.slice_spacing_mm = study.slice_spacing_mm;
        found.scanned_mm = study.scanned_mm;
        found.phase = study.phase;
        found.kernel_class = study.kernel_class;
        if (const auto kernel = ingest::kernel_class(study.kernel); found.kernel_class.empty() && kernel != ingest::KernelClass::unknown) found.kernel_class = name(kernel);
        found.kvp = study.kvp;
        found.lossy = study.lossy;
        auto& notices = out.emplace_back(outside_limits(protocol, found));
        append(notices, windows.outside(timepoint.date, timepoint.visit));
    }
    return out;
}

void add_outside(response::Assessment& assessment, const std::string& timepoint, const std::vector<Notice>& notices)
{
    const auto add = [&](response::Decision& decision) {
        for (const auto& notice : notices) {
            if (notice.code == Code::outside_protocol) decision.notices.push_back(notice);
        }
    };
    for (auto& row : assessment.recist) {
        if (row.timepoint == timepoint) add(row.overall);
    }
    for (auto& period : assessment.criteria) {
        if (period.criterion != assessment.primary) continue;  // beside the answer that leads; once is enough for the others
        for (auto& point : period.timepoints) {
            if (point.timepoint == timepoint) add(point.decision);
        }
    }
}

}  // namespace retromass::run

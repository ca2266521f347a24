#include "pipeline/run/protocol_limits.h"

#include <cmath>
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
std::optional<Date> start_of_treatment(const CaseFile& file, std::string& why_not)
{
    std::optional<Date> out;
    std::set<int> lines;
    for (const auto& treatment : file.treatments) {
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

void name_visits(outputs::CaseResult& result, const CaseFile& file)
{
    std::string why_not;
    const auto start = start_of_treatment(file, why_not);
    if (!file.protocol || file.protocol->visits.empty()) return;
    for (auto& timepoint : result.timepoints) {
        if (!start || !timepoint.date) {
            result.settings.emplace_back("visit window not checked", timepoint.id + ": " + (start ? "no date" : why_not));
            continue;
        }
        const auto day = days_between(*start, *timepoint.date);
        const auto* visit = visit_on(*file.protocol, day);
        if (timepoint.visit.empty() && visit) timepoint.visit = visit->name;
        if (!visit || visit->name != timepoint.visit) {
            result.settings.emplace_back("outside the visit window", timepoint.id + (timepoint.visit.empty() ? "" : " (" + timepoint.visit + ")") + ": day " + std::to_string(day) +
                                                                         (visit ? " lies in that of " + visit->name : " lies in none"));
        }
    }
}

}  // namespace retromass::run

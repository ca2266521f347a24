#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>

#include "pipeline/run/keys.h"
#include "pipeline/run/protocol.h"
#include "pipeline/run/run.h"

namespace retromass::run {
namespace {

Date date_of(const YAML::Node& node)
{
    const auto date = parse_date(value_of<std::string>(node, "a date"));
    if (!date) fault(node, "'" + node.Scalar() + "' is not a date (expected YYYY-MM-DD)");
    return *date;
}

template <class Enum>
Enum one_of(const YAML::Node& node, std::initializer_list<Enum> values)
{
    const auto wanted = value_of<std::string>(node, "a word");
    std::vector<std::string> known;
    for (const auto value : values) {
        if (response::name(value) == wanted) return value;
        known.emplace_back(response::name(value));
    }
    fault(node, "'" + wanted + "' is not known here; did you mean '" + nearest(wanted, known) + "'?");
}

PatientPoint point_of(const YAML::Node& node)
{
    if (!node.IsSequence() || node.size() != 3) fault(node, "a point is [x, y, z] in mm (LPS)");
    const PatientPoint p{value_of<double>(node[0], "a number"), value_of<double>(node[1], "a number"), value_of<double>(node[2], "a number")};
    if (!std::isfinite(p.x + p.y + p.z)) fault(node, "a point holds finite numbers");
    return p;
}

std::array<PatientPoint, 2> two_points_of(const YAML::Node& node, const char* what)
{
    if (!node.IsSequence() || node.size() != 2) fault(node, std::string(what) + " is two points [[x,y,z],[x,y,z]]");
    return {point_of(node[0]), point_of(node[1])};
}

std::vector<PatientPoint> points_of(const YAML::Node& node, const char* what)
{
    if (!node.IsSequence()) fault(node, std::string(what) + " is a list of points");
    std::vector<PatientPoint> points;
    for (const auto& p : node) points.push_back(point_of(p));
    return points;
}

Length length_of(const YAML::Node& node)
{
    const auto length = Length::parse(value_of<std::string>(node, "a length in mm"));
    if (!length) fault(node, "'" + node.Scalar() + "' is not a length in mm with at most two decimals");
    return *length;
}

CaseTimepoint timepoint_of(const YAML::Node& node)
{
    allow(node, "a time point", {"id", "ct", "files", "series", "new_lesions", "reader", "date", "day", "visit", "phase", "contrast", "marker_normal"});
    CaseTimepoint out;
    out.id = needed(node, "id", "a time point");
    out.ct = text(node, "ct");
    out.files = text(node, "files");
    if (!out.files.empty() && out.ct.empty()) fault(node["files"], "files lists what of ct counts; state ct too");
    out.series_uid = text(node, "series");
    out.reader = text(node, "reader");
    out.visit = text(node, "visit");
    out.phase = text(node, "phase");
    out.contrast = text(node, "contrast");
    using enum response::NewLesions;
    if (node["new_lesions"]) out.new_lesions = one_of(node["new_lesions"], {none, equivocal, unequivocal, not_assessed});
    if (node["date"]) out.date = date_of(node["date"]);
    if (node["day"]) out.day = value_of<long>(node["day"], "a whole number of days");
    if (node["marker_normal"]) out.marker_normal = value_of<bool>(node["marker_normal"], "true or false");
    return out;
}

std::string word_of(const YAML::Node& map, const char* key, const std::vector<std::string>& known)
{
    auto word = text(map, key);
    if (map[key] && std::find(known.begin(), known.end(), word) == known.end()) fault(map[key], "'" + word + "' is not known as " + key + "; did you mean '" + nearest(word, known) + "'?");
    return word;
}

outputs::Description description_of(const YAML::Node& node)
{
    allow(node, "a description", {"relation", "texture", "hydronephrosis", "ascites"});
    outputs::Description out;
    if (const auto relations = node["relation"]) {
        if (!relations.IsSequence()) fault(relations, "relation is a list, e.g. [{abuts: left kidney}]");
        for (const auto& relation : relations) {
            allow(relation, "a relation", {"abuts", "displaces", "compresses", "encases", "invades"});
            for (const auto& item : relation) out.relations.push_back({item.first.as<std::string>(), value_of<std::string>(item.second, "a vessel or an organ")});
        }
    }
    out.texture = text(node, "texture");
    out.hydronephrosis = word_of(node, "hydronephrosis", {"none", "left", "right", "both"});
    out.ascites = word_of(node, "ascites", {"none", "small", "moderate", "large"});
    if (out.relations.empty() && out.texture.empty() && out.hydronephrosis.empty() && out.ascites.empty()) fault(node, "the description says nothing");
    return out;
}

LesionAtTimepoint at_timepoint(const YAML::Node& node)
{
    allow(node, "a lesion's time point",
          {"line", "short_line", "point", "points", "box", "extent", "contour", "contours", "include", "exclude", "mask", "prior", "label", "edits", "marks", "mark", "frame_of_reference", "status", "reader",
           "date", "reported", "split_into", "merged_into", "interval_mm", "interval_hu", "nodule", "description"});
    LesionAtTimepoint out;
    auto& prompt = out.prompt;
    if (node["short_line"] && !node["line"]) fault(node["short_line"], "short_line (the short axis) needs line (the long axis)");
    for (const char* key : {"line", "short_line"}) {
        if (!node[key]) continue;
        const auto ends = two_points_of(node[key], key);
        prompt.lines.push_back({ends[0], ends[1]});
    }
    if (node["point"]) prompt.points.push_back(point_of(node["point"]));
    if (node["points"]) {
        for (const auto& p : points_of(node["points"], "points")) prompt.points.push_back(p);
    }
    if (node["include"]) {
        for (const auto& p : points_of(node["include"], "include")) prompt.points.push_back(p);
    }
    if (node["box"]) prompt.box = two_points_of(node["box"], "box");
    if (node["extent"]) prompt.extent = two_points_of(node["extent"], "extent");
    if (node["contour"]) prompt.contours.push_back(points_of(node["contour"], "contour"));
    if (node["contours"]) {
        if (!node["contours"].IsSequence()) fault(node["contours"], "contours is a list of contours");
        for (const auto& contour : node["contours"]) prompt.contours.push_back(points_of(contour, "contour"));
    }
    if (node["exclude"]) prompt.exclude = points_of(node["exclude"], "exclude");
    prompt.frame_of_reference_uid = text(node, "frame_of_reference");
    out.mask_file = text(node, "mask");
    out.prior_file = text(node, "prior");
    out.edits_file = text(node, "edits");
    out.label = text(node, "label");
    out.marks_file = text(node, "marks");
    out.mark = text(node, "mark");
    if (node["label"] && out.mask_file.empty() && out.prior_file.empty()) fault(node["label"], "label names one of several in a mask or prior");
    if (node["mark"] && out.marks_file.empty()) fault(node["mark"], "mark names one of several in a file of marks");
    if (!out.marks_file.empty() && !prompt.lines.empty()) fault(node["marks"], "give either lines or a file of marks");
    out.has_prompt = !prompt.points.empty() || !prompt.lines.empty() || prompt.box || !prompt.contours.empty() || !out.marks_file.empty() || !out.prior_file.empty();
    if (!out.has_prompt && (prompt.extent || !prompt.exclude.empty())) {
        fault(node, "extent and exclude say where a lesion ends; a line, point, box or contour must say where it is");
    }
    if (out.has_prompt && !out.mask_file.empty()) fault(node, "give either a prompt or a mask to measure, not both");
    out.reader = text(node, "reader");
    if (!out.edits_file.empty() && !out.has_prompt && out.mask_file.empty()) fault(node["edits"], "edits change the mask of a prompt or a mask file; neither is given");
    if (!out.edits_file.empty() && out.reader.empty()) fault(node["edits"], "edits are a reader's; reader says whose");
    if (node["date"]) out.status_date = date_of(node["date"]);
    if (node["status"]) {
        using enum response::LesionStatus;
        out.status = one_of(node["status"], {measured, absent, too_small, not_evaluable, present, increased, unequivocal_progression, equivocal, merged,
                                             resected, normal_node});
        // Only a reader can say this (docs/clinical.md 5.1): who and when belong to it.
        const bool readers_word = *out.status == absent || *out.status == too_small || *out.status == not_evaluable;
        if (readers_word && (out.reader.empty() || !out.status_date)) {
            fault(node["status"], "status '" + std::string(response::name(*out.status)) + "' is a reader's statement and needs reader and date");
        }
        if (*out.status == merged && text(node, "merged_into").empty()) fault(node["status"], "status 'merged' needs merged_into");
    }
    if (const auto reported = node["reported"]) {
        allow(reported, "reported", {"long_axis_mm", "short_axis_mm", "source", "by"});
        if (!reported["long_axis_mm"]) fault(reported, "reported needs long_axis_mm");
        out.reported_long_axis = length_of(reported["long_axis_mm"]);
        if (reported["short_axis_mm"]) out.reported_short_axis = length_of(reported["short_axis_mm"]);
        out.reported_source = needed(reported, "source", "reported");
        out.reported_by = needed(reported, "by", "reported");
    }
    out.merged_into = text(node, "merged_into");
    out.split_into = texts_of(node["split_into"]);
    if (node["split_into"] && out.split_into.size() < 2) fault(node["split_into"], "split_into names the parts, two lesions at least");
    if (node["nodule"]) out.nodule = value_of<bool>(node["nodule"], "true or false");
    if (node["description"]) out.description = description_of(node["description"]);
    if (const auto interval = node["interval_mm"]) {
        if (!interval.IsSequence() || interval.size() != 2) fault(interval, "interval_mm is [low, high]: where 95 of 100 repeated measurements land");
        const response::Interval ends{value_of<double>(interval[0], "a number"), value_of<double>(interval[1], "a number")};
        if (!(ends.low > 0) || !(ends.high >= ends.low) || !std::isfinite(ends.high)) fault(interval, "interval_mm holds two lengths above 0, the lower one first");
        out.interval_mm = ends;
    }
    if (const auto interval = node["interval_hu"]) {
        if (!interval.IsSequence() || interval.size() != 2) fault(interval, "interval_hu is [low, high]: where 95 of 100 repeated measurements of the mean HU land");
        const response::Interval ends{value_of<double>(interval[0], "a number"), value_of<double>(interval[1], "a number")};
        if (!std::isfinite(ends.low) || !std::isfinite(ends.high) || !(ends.high >= ends.low)) fault(interval, "interval_hu holds two HU, the lower one first");
        out.interval_hu = ends;
    }
    return out;
}

CaseLesion lesion_of(const YAML::Node& node)
{
    allow(node, "a lesion", {"id", "role", "site", "organ", "nodal", "tracking_uid", "timepoints"});
    CaseLesion out;
    out.lesion.id = needed(node, "id", "a lesion");
    using enum response::Role;
    if (node["role"]) out.lesion.role = one_of(node["role"], {target, non_target, new_lesion});
    out.lesion.site = text(node, "site");
    out.lesion.organ = text(node, "organ", out.lesion.site);
    out.tracking_uid = text(node, "tracking_uid");
    if (const auto why = outputs::fault_of_uid(out.tracking_uid); node["tracking_uid"] && !why.empty()) fault(node["tracking_uid"], "tracking_uid '" + out.tracking_uid + "' is no UID: " + why);
    if (node["nodal"]) out.lesion.nodal = value_of<bool>(node["nodal"], "true or false");
    if (node["timepoints"]) {
        if (!node["timepoints"].IsMap()) fault(node["timepoints"], "a lesion's timepoints is a map from time point to prompt or status");
        for (const auto& item : node["timepoints"]) {
            if (!out.timepoints.emplace(item.first.as<std::string>(), at_timepoint(item.second)).second) {
                fault(item.first, "time point '" + item.first.as<std::string>() + "' stands twice");
            }
        }
    }
    return out;
}

response::Treatment treatment_of(const YAML::Node& node)
{
    allow(node, "a treatment", {"kind", "line", "date", "start", "end", "lesions", "agents", "dose_gy", "fractions", "immunotherapy", "note"});
    response::Treatment out;
    out.kind = needed(node, "kind", "a treatment");
    const std::vector<std::string> kinds{"systemic", "radiotherapy", "surgery", "ablation", "embolisation"};
    if (std::find(kinds.begin(), kinds.end(), out.kind) == kinds.end()) {
        fault(node["kind"], "treatment kind '" + out.kind + "' is not known; did you mean '" + nearest(out.kind, kinds) + "'?");
    }
    if (node["line"]) out.line = value_of<int>(node["line"], "a whole number");
    if (node["date"] && node["start"]) fault(node["date"], "give either date or start, not both");
    if (node["date"]) out.start = out.end = date_of(node["date"]);
    if (node["start"]) out.start = date_of(node["start"]);
    if (node["end"]) out.end = date_of(node["end"]);
    if (!out.start) fault(node, "a treatment needs date or start");
    if (out.end && *out.end < *out.start) fault(node, "the treatment ends before it starts");
    out.lesions = texts_of(node["lesions"]);
    if (node["immunotherapy"]) out.immunotherapy = value_of<bool>(node["immunotherapy"], "true or false");
    std::string note = text(node, "note");
    const auto add = [&](const std::string& part) { note += (note.empty() ? "" : ", ") + part; };
    for (const auto& agent : texts_of(node["agents"])) add(agent);
    if (node["dose_gy"]) add(text(node, "dose_gy") + " Gy");
    if (node["fractions"]) add(text(node, "fractions") + " fractions");
    out.note = note;
    return out;
}

response::Event event_of(const YAML::Node& node)
{
    allow(node, "an event", {"kind", "date", "note"});
    const auto kind = needed(node, "kind", "an event");
    const std::vector<std::string> kinds{"randomisation", "new-anticancer-therapy", "clinical-progression", "death", "last-contact", "off-study"};
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
        fault(node["kind"], "event kind '" + kind + "' is not known; did you mean '" + nearest(kind, kinds) + "'?");
    }
    if (!node["date"]) fault(node, "an event needs a date");
    return {kind, date_of(node["date"])};
}

template <class T>
void list_of(const YAML::Node& node, const char* what, T (*read)(const YAML::Node&), std::vector<T>& out)
{
    if (!node) return;
    if (!node.IsSequence()) fault(node, std::string(what) + " is a list");
    for (const auto& item : node) out.push_back(read(item));
}

/// The time point from which on the lesion is its parts.
std::string first_split(const CaseFile& file, const CaseLesion& lesion)
{
    for (const auto& timepoint : file.timepoints) {
        const auto at = lesion.timepoints.find(timepoint.id);
        if (at != lesion.timepoints.end() && !at->second.split_into.empty()) return timepoint.id;
    }
    return {};
}

void check_references(const YAML::Node& root, const CaseFile& file)
{
    std::vector<std::string> timepoints;
    for (const auto& t : file.timepoints) {
        if (std::find(timepoints.begin(), timepoints.end(), t.id) != timepoints.end()) fault(root["timepoints"], "time point '" + t.id + "' stands twice");
        timepoints.push_back(t.id);
    }
    std::vector<std::string> lesions;
    for (const auto& l : file.lesions) {
        if (std::find(lesions.begin(), lesions.end(), l.lesion.id) != lesions.end()) fault(root["lesions"], "lesion '" + l.lesion.id + "' stands twice");
        lesions.push_back(l.lesion.id);
    }
    for (std::size_t i = 0; i < file.lesions.size(); ++i) {
        for (std::size_t j = i + 1; j < file.lesions.size(); ++j) {
            const auto& uid = file.lesions[i].tracking_uid;
            if (!uid.empty() && uid == file.lesions[j].tracking_uid) {
                fault(root["lesions"], "lesions '" + file.lesions[i].lesion.id + "' and '" + file.lesions[j].lesion.id + "' have one tracking_uid; it names one lesion");
            }
        }
    }
    for (const auto& l : file.lesions) {
        for (const auto& [id, at] : l.timepoints) {
            if (std::find(timepoints.begin(), timepoints.end(), id) == timepoints.end()) {
                fault(root["lesions"], "lesion '" + l.lesion.id + "' names time point '" + id + "', which is not listed; did you mean '" + nearest(id, timepoints) + "'?");
            }
            for (const auto& part : at.split_into) {
                if (std::find(lesions.begin(), lesions.end(), part) == lesions.end() || part == l.lesion.id) {
                    fault(root["lesions"], "lesion '" + l.lesion.id + "' is split into '" + part + "', which is no other lesion listed");
                }
                for (const auto& other : file.lesions) {
                    if (other.lesion.id != part) continue;
                    const auto place = [&](const std::string& timepoint) { return std::find(timepoints.begin(), timepoints.end(), timepoint); };
                    for (const auto& [when, there] : other.timepoints) {
                        if (place(when) < place(first_split(file, l))) {
                            fault(root["lesions"], "lesion '" + part + "', a part of '" + l.lesion.id + "', is stated at '" + when + "', before the split at '" + first_split(file, l) + "'; until then the whole counts");
                        }
                        if (!there.split_into.empty()) fault(root["lesions"], "lesion '" + part + "', a part of '" + l.lesion.id + "', is split itself; list all parts with '" + l.lesion.id + "'");
                    }
                }
            }
        }
    }
    for (const auto& t : file.treatments) {
        for (const auto& id : t.lesions) {
            if (std::find(lesions.begin(), lesions.end(), id) == lesions.end()) fault(root["treatments"], "a treatment names lesion '" + id + "', which is not listed");
        }
    }
}

CaseFile case_of(const YAML::Node& root)
{
    allow(root, "the case", {"case", "protocol", "timepoints", "treatments", "events", "lesions", "response", "diameter_from", "recorded_precision_mm", "accept", "carry_forward"});
    CaseFile out;
    out.case_id = needed(root, "case", "the case file");
    out.states_rules = root["response"] || root["diameter_from"] || root["recorded_precision_mm"];
    if (!root["timepoints"]) fault(root, "the case file needs timepoints");
    if (!root["lesions"]) fault(root, "the case file needs lesions");
    list_of(root["timepoints"], "timepoints", timepoint_of, out.timepoints);
    list_of(root["treatments"], "treatments", treatment_of, out.treatments);
    list_of(root["events"], "events", event_of, out.events);
    list_of(root["lesions"], "lesions", lesion_of, out.lesions);
    if (out.timepoints.empty()) fault(root["timepoints"], "no time point is listed");
    if (out.lesions.empty()) fault(root["lesions"], "no lesion is listed");
    if (const auto response = root["response"]) {
        allow(response, "response", {"primary", "criteria", "policies"});
        out.primary = text(response, "primary", out.primary);
        if (response["primary"]) check_criterion(response["primary"], out.primary);
        out.criteria = texts_of(response["criteria"]);
        for (const auto& criterion : out.criteria) check_criterion(response["criteria"], criterion);
        if (response["policies"]) out.policies = policies_of(response["policies"]);
    }
    out.diameter_from = text(root, "diameter_from", out.diameter_from);
    if (out.diameter_from != "mask" && out.diameter_from != "reader") fault(root["diameter_from"], "diameter_from is mask or reader");
    if (root["recorded_precision_mm"]) {
        out.recorded_precision_mm = value_of<double>(root["recorded_precision_mm"], "0.1 or 1");
        if (out.recorded_precision_mm != 0.1 && out.recorded_precision_mm != 1) fault(root["recorded_precision_mm"], "recorded_precision_mm is 0.1 or 1");
    }
    if (root["carry_forward"]) out.carries_forward = value_of<bool>(root["carry_forward"], "true or false");
    for (const auto& accepted : texts_of(root["accept"])) {
        const auto code = code_named(accepted);
        if (!code || !entry(*code).acceptable) fault(root["accept"], "'" + accepted + "' is not a code that can be accepted");
        out.accepted.push_back(*code);
    }
    check_references(root, out);
    return out;
}

}  // namespace

Result<segmentation::EditLog> edits_in(const std::filesystem::path& file)
{
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    if (!in) return Error{Code::io, "the edits " + file.string() + " cannot be read", "run"};
    auto log = segmentation::read_edits(text);
    if (!log) return at(Error{log.error().code, file.filename().string() + ": " + log.error().message, log.error().where}, "run");
    return log;
}

Result<CaseFile> read_case(const std::filesystem::path& file)
{
    std::string protocol_file;
    RETROMASS_TRY_ASSIGN(auto out, read_keys(file, [&](const YAML::Node& root) {
                             auto read = case_of(root);
                             protocol_file = text(root, "protocol");
                             return read;
                         }));
    out.folder = std::filesystem::absolute(file).parent_path();
    if (!protocol_file.empty()) {
        RETROMASS_TRY_ASSIGN(const auto protocol, read_protocol(out.folder / protocol_file));
        RETROMASS_TRY(take_protocol(out, protocol));
    }
    return out;
}

}  // namespace retromass::run

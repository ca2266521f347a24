#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <list>

#include "pipeline/run/run.h"

namespace retromass::run {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEvery = "*";  ///< stands for every time point in a template's lesion

/// Whether the whole text fits the pattern: * any characters, ? one, letters in either case.
bool fits(std::string_view text, std::string_view pattern)
{
    const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b)); };
    std::size_t at = 0, in = 0, star = pattern.npos, from = 0;
    while (at < text.size()) {
        if (in < pattern.size() && pattern[in] == '*') {
            star = in++;
            from = at;
        } else if (in < pattern.size() && (pattern[in] == '?' || same(pattern[in], text[at]))) {
            ++in;
            ++at;
        } else if (star != pattern.npos) {
            in = star + 1;
            at = ++from;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', in) == pattern.npos;
}

CaseTemplate::Rule rule_of(const YAML::Node& node)
{
    CaseTemplate::Rule out;
    for (const auto& item : node) out[item.first.as<std::string>()] = item.second.as<std::string>();
    return out;
}

Result<CaseTemplate> template_of(const fs::path& file)
{
    const auto refuse = [&](const std::string& why) { return Error{Code::case_file, file.string() + ": " + why, "run: read_templates"}; };
    try {
        auto root = YAML::LoadFile(file.string());
        if (!root.IsMap() || !root["match"]) return refuse("a template needs match: tag names with the values they must have, e.g. {StudyDescription: \"*abdomen*\"}");
        CaseTemplate out;
        out.name = file.stem().string();
        const auto match = root["match"];
        if (match.IsSequence()) {
            for (const auto& rule : match) out.rules.push_back(rule_of(rule));
        } else {
            out.rules.push_back(rule_of(match));
        }
        if (std::any_of(out.rules.begin(), out.rules.end(), [](const auto& rule) { return rule.empty(); })) return refuse("an empty match would take every study; name a tag, e.g. {Modality: CT}");
        for (const char* key : {"timepoints", "case"}) {
            if (root[key]) return refuse(std::string(key) + " come from the studies that match; a template does not state them");
        }
        root.remove("match");
        out.text = YAML::Dump(root);
        return out;
    } catch (const YAML::Exception& error) {
        return refuse("line " + std::to_string(error.mark.line + 1) + ": " + error.msg);
    }
}

/// One case, put together from what is known of it and a draft of all its studies.
class Composition {
public:
    Composition(const ingest::Scan& scan, const fs::path& folder, YAML::Node base, YAML::Node from_template, const YAML::Node& draft)
        : folder_(folder), base_(std::move(base)), template_(std::move(from_template)), draft_(draft)
    {
        for (const auto& series : scan.series) study_of_[series.facts.series_instance_uid] = series.facts.study_instance_uid;
    }

    ComposedCase compose(const std::string& draft_text)
    {
        for (std::size_t at = 0; at < draft_text.size();) {  // what the draft remarks stays with the case
            const auto end = std::min(draft_text.find('\n', at), draft_text.size());
            const auto line = draft_text.substr(at, end - at);
            if (line.rfind("  # not taken", 0) == 0 || line.rfind("  # found", 0) == 0 || line.rfind("  # a study without", 0) == 0) remarks_ += line.substr(2) + "\n";
            at = end + 1;
        }
        take_timepoints();
        take_marks();
        take_standing_prompts();
        if (lesions().empty()) base_["lesions"] = draft_["lesions"];
        ComposedCase out;
        out.missing = missing();
        out.text = "# Composed by retromass pacs listen; what a reader states here is kept when the next study comes.\n" + remarks_ + YAML::Dump(base_) + "\n";
        return out;
    }

private:
    std::string study_of(const YAML::Node& timepoint) const
    {
        const auto series = timepoint["series"] ? timepoint["series"].as<std::string>() : std::string();
        const auto known = study_of_.find(series.substr(0, series.find('#')));
        return known == study_of_.end() ? std::string() : known->second;
    }

    /// New studies take their place by date; a time point that is there stays as it is.
    void take_timepoints()
    {
        std::list<YAML::Node> known;  // a vector would assign nodes to make room, and that writes into the tree
        for (const auto& timepoint : base_["timepoints"]) known.push_back(timepoint);
        auto behind = known.begin();
        for (const auto& drafted : draft_["timepoints"]) {
            const auto study = study_of(drafted);
            const auto same = std::find_if(known.begin(), known.end(), [&](const auto& t) { return study_of(t) == study; });
            auto id = drafted["id"].as<std::string>();
            if (same != known.end()) {
                behind = std::next(same);
                id_of_[id] = (*same)["id"].template as<std::string>();
                continue;
            }
            const auto taken = [&](const std::string& name) { return std::any_of(known.begin(), known.end(), [&](const auto& t) { return t["id"].template as<std::string>() == name; }); };
            auto added = YAML::Clone(drafted);
            for (int nth = 2; taken(id); ++nth) id = drafted["id"].as<std::string>() + "-" + std::to_string(nth);
            id_of_[drafted["id"].as<std::string>()] = id;
            added["id"] = id;
            known.insert(behind, added);
        }
        YAML::Node all(YAML::NodeType::Sequence);
        for (const auto& timepoint : known) {
            all.push_back(timepoint);
            timepoints_.push_back(timepoint["id"].as<std::string>());
        }
        base_["timepoints"] = all;
    }

    std::vector<YAML::Node> lesions() const
    {
        std::vector<YAML::Node> out;
        for (const auto& lesion : base_["lesions"]) out.push_back(lesion);
        return out;
    }

    /// The lesion a mark is of: the one that has this mark already, else the one that bears its name. Across files only a tracking UID is the
    /// same mark: names such as "line 1" come again in every file and are of other lesions there.
    YAML::Node lesion_of(const std::string& mark, const std::string& file, bool tracked, const std::string& name) const
    {
        for (auto lesion : lesions()) {
            for (const auto& at : lesion["timepoints"]) {
                const bool same_mark = at.second["mark"] && at.second["mark"].as<std::string>() == mark;
                const bool same_file = at.second["marks"] && at.second["marks"].as<std::string>() == file;
                if (same_mark && (tracked || same_file)) return lesion;
            }
        }
        for (auto lesion : lesions()) {
            if (lesion["id"].as<std::string>() == name) return lesion;
        }
        return YAML::Node(YAML::NodeType::Undefined);
    }

    std::string free_id() const
    {
        for (std::size_t n = lesions().size() + 1;; ++n) {
            const auto id = "T" + std::to_string(n);
            const auto all = lesions();
            if (std::none_of(all.begin(), all.end(), [&](const auto& lesion) { return lesion["id"].template as<std::string>() == id; })) return id;
        }
    }

    void take_marks()
    {
        for (const auto& drafted : draft_["lesions"]) {
            if (!drafted["timepoints"] || drafted["timepoints"].size() == 0) continue;
            const auto first = drafted["timepoints"].begin()->second;
            const auto mark = first["mark"].as<std::string>();
            const auto file = first["marks"].as<std::string>();
            const auto marks = ingest::read_marks(folder_ / file);
            const auto found = marks ? ingest::mark_named(*marks, mark) : Result<ingest::Mark>(marks.error());
            auto lesion = lesion_of(mark, file, found && !found->tracking_uid.empty() && found->tracking_uid == mark, found ? found->name : mark);
            if (!lesion.IsDefined() && template_["lesions"]) {
                remarks_ += "# not taken: a mark that bears the name of no lesion of the template\n";
                continue;
            }
            if (!lesion.IsDefined()) {
                lesion = YAML::Clone(drafted);
                lesion["id"] = free_id();
                lesion["timepoints"] = YAML::Node(YAML::NodeType::Map);
                base_["lesions"].push_back(lesion);
            }
            for (const auto& at : drafted["timepoints"]) {
                const auto id = id_of_[at.first.as<std::string>()];
                if (!stated(lesion, id)) {
                    lesion["timepoints"][id] = at.second;
                    continue;
                }
                const auto known = lesion["timepoints"][id];
                const bool same = known["marks"] && known["mark"] && known["marks"].as<std::string>() == at.second["marks"].as<std::string>() && known["mark"].as<std::string>() == at.second["mark"].as<std::string>();
                if (same) continue;
                const auto remark = "# not taken: another mark of " + lesion["id"].as<std::string>() + " at " + id + ", in " + file + "; a reader has to choose\n";
                if (remarks_.find(remark) == std::string::npos) remarks_ += remark;
            }
        }
    }

    /// A prompt the template gives for every time point: of what always lies in the same place.
    void take_standing_prompts()
    {
        for (auto lesion : lesions()) {
            if (lesion["timepoints"]) lesion["timepoints"].remove(kEvery);
            for (const auto& given : template_["lesions"]) {
                const auto every = given["timepoints"] ? given["timepoints"][kEvery] : YAML::Node(YAML::NodeType::Undefined);
                if (!every || given["id"].as<std::string>() != lesion["id"].as<std::string>()) continue;
                for (const auto& id : timepoints_) {
                    if (!stated(lesion, id)) lesion["timepoints"][id] = YAML::Clone(every);
                }
            }
        }
    }

    static bool stated(const YAML::Node& lesion, const std::string& timepoint)
    {
        const auto all = lesion["timepoints"];
        const auto at = all ? all[timepoint] : YAML::Node(YAML::NodeType::Undefined);
        return at.IsDefined() && at.IsMap() && at.size() > 0;
    }

    /// Where nobody said where a lesion is, or what became of it. A new lesion need not be there before it came.
    std::vector<std::string> missing() const
    {
        std::vector<std::string> out;
        for (const auto& lesion : lesions()) {
            bool there = !lesion["role"] || lesion["role"].as<std::string>() != "new";
            bool anywhere = false;
            for (const auto& id : timepoints_) {
                const bool here = stated(lesion, id);
                there = there || here;
                anywhere = anywhere || here;
                if (there && !here) out.push_back(lesion["id"].as<std::string>() + " at " + id);
            }
            if (!there && !anywhere) out.push_back(lesion["id"].as<std::string>());
        }
        return out;
    }

    fs::path folder_;
    YAML::Node base_;
    YAML::Node template_;
    YAML::Node draft_;
    std::map<std::string, std::string> study_of_;   ///< by series
    std::map<std::string, std::string> id_of_;      ///< of a time point, by its name in the draft
    std::vector<std::string> timepoints_;
    std::string remarks_;
};

}  // namespace

Result<std::vector<CaseTemplate>> read_templates(const fs::path& folder)
{
    std::error_code error;
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        if (entry.path().extension() == ".yaml" || entry.path().extension() == ".yml") files.push_back(entry.path());
    }
    if (error) return Error{Code::io, "the templates " + folder.string() + " cannot be read: " + error.message(), "run: read_templates"};
    std::sort(files.begin(), files.end());
    std::vector<CaseTemplate> out;
    for (const auto& file : files) {
        RETROMASS_TRY_ASSIGN(auto read, template_of(file));
        out.push_back(std::move(read));
    }
    return out;
}

const CaseTemplate* template_for(const std::vector<CaseTemplate>& templates, const TagValues& values)
{
    const auto holds = [&](const CaseTemplate::Rule& rule) {
        return std::all_of(rule.begin(), rule.end(), [&](const auto& wanted) {
            const auto there = values.find(wanted.first);
            return there != values.end() && std::any_of(there->second.begin(), there->second.end(), [&](const auto& value) { return fits(value, wanted.second); });
        });
    };
    const auto found = std::find_if(templates.begin(), templates.end(), [&](const auto& t) { return std::any_of(t.rules.begin(), t.rules.end(), holds); });
    return found == templates.end() ? nullptr : &*found;
}

Result<ComposedCase> compose_case(const ingest::Scan& scan, const CaseTemplate& from, const std::string& known, const DraftParameters& parameters)
{
    try {
        const auto given = YAML::Load(from.text);
        auto base = known.empty() ? YAML::Clone(given) : YAML::Load(known);
        if (!base.IsMap()) base = YAML::Node(YAML::NodeType::Map);
        if (!base["case"]) base["case"] = parameters.case_id;
        RETROMASS_TRY_ASSIGN(const auto draft, draft_case(scan, parameters));
        return Composition(scan, parameters.folder, base, given, YAML::Load(draft)).compose(draft);
    } catch (const YAML::Exception& error) {
        return Error{Code::case_file, "template " + from.name + " and the case do not fit: " + error.msg, "run: compose_case"};
    }
}

}  // namespace retromass::run

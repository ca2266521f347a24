#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <list>
#include <set>

#include "pipeline/run/draft.h"

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
    Composition(const ingest::Scan& scan, const fs::path& folder, const std::string& known, const YAML::Node& base, const YAML::Node& from_template, const Draft& draft)
        : folder_(folder), known_(known), base_(base), template_(from_template), found_(draft), draft_(YAML::Load(draft.text))
    {
        for (const auto& series : scan.series) study_of_[series.facts.series_instance_uid] = series.facts.study_instance_uid;
    }

    ComposedCase compose()
    {
        const auto& draft_text = found_.text;
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

    /// The lesion that one of these marks is of.
    YAML::Node lesion_of(const std::vector<std::pair<std::string, Dispute>>& asked) const
    {
        for (const auto& [timepoint, dispute] : asked) {
            for (const auto& [file, mark] : dispute.marks) {
                const auto marks = ingest::read_marks(folder_ / file);
                const auto found = marks ? ingest::mark_named(*marks, mark) : Result<ingest::Mark>(marks.error());
                const auto lesion = lesion_of(mark, file, found && !found->tracking_uid.empty() && found->tracking_uid == mark, found ? found->name : mark);
                if (lesion.IsDefined()) return lesion;
            }
        }
        return YAML::Node(YAML::NodeType::Undefined);
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

    /// The marks that come into question for a lesion at a time point. More than one: they say different things.
    struct Question {
        std::vector<MarkedPrompt> marks;
        bool disputed = false;
        void ask(const MarkedPrompt& mark)
        {
            if (std::find(marks.begin(), marks.end(), mark) == marks.end()) marks.push_back(mark);
            disputed = disputed || marks.size() > 1;
        }
    };

    static MarkedPrompt mark_in(const YAML::Node& at)
    {
        if (!at.IsMap() || !at["marks"]) return {};
        return {at["marks"].as<std::string>(), at["mark"] ? at["mark"].as<std::string>() : std::string()};
    }

    void take_marks()
    {
        std::map<std::pair<std::string, std::string>, Question> questions;  // by lesion and time point
        std::size_t nth = 0;
        for (const auto& drafted : draft_["lesions"]) {
            std::vector<std::pair<std::string, Dispute>> asked;  // clear prompts are disputes of one
            for (const auto& at : drafted["timepoints"]) asked.push_back({at.first.as<std::string>(), Dispute{nth, {}, {mark_in(at.second)}}});
            const auto clear = asked.size();
            for (const auto& dispute : found_.disputes) {
                if (dispute.lesion == nth) asked.push_back({dispute.timepoint, dispute});
            }
            ++nth;
            if (asked.empty()) continue;
            auto lesion = lesion_of(asked);
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
            for (std::size_t i = 0; i < asked.size(); ++i) {
                auto& question = questions[{lesion["id"].as<std::string>(), id_of_[asked[i].first]}];
                for (const auto& mark : asked[i].second.marks) question.ask(mark);
                question.disputed = question.disputed || i >= clear;
            }
        }
        for (auto lesion : lesions()) {
            for (const auto& id : timepoints_) {
                const auto question = questions.find({lesion["id"].as<std::string>(), id});
                if (question != questions.end()) answer(lesion, id, question->second);
            }
        }
    }

    /// Takes the one mark there is. Of several none is taken, unless a reader has chosen since it was asked; a reader's own word stays in any case.
    void answer(YAML::Node lesion, const std::string& id, const Question& question)
    {
        const auto where = lesion["id"].as<std::string>() + " at " + id;
        const bool known = stated(lesion, id);
        const auto taken = known ? mark_in(lesion["timepoints"][id]) : MarkedPrompt{};
        const bool ours_to_change = !taken.file.empty() && (found_.replaced.contains(taken.file) || std::find(question.marks.begin(), question.marks.end(), taken) != question.marks.end());
        if (!question.disputed) {
            const auto& mark = question.marks.front();
            if (!known || (ours_to_change && !(taken == mark))) lesion["timepoints"][id] = YAML::Load(mark.yaml());
            else if (!(taken == mark)) remarks_ += "# not taken: " + mark.yaml() + ": the case states " + where + " otherwise\n";
            return;
        }
        auto remark = "# ambiguous: " + where + ": ";
        for (const auto& mark : question.marks) remark += (&mark == &question.marks.front() ? "" : " or ") + mark.yaml();
        remark += "; a reader has to choose\n";
        remarks_ += remark;
        if (known && ours_to_change && known_.find(remark) == std::string::npos) lesion["timepoints"].remove(id);
        if (!stated(lesion, id)) disputed_.insert(where);
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
                    if (!stated(lesion, id) && !disputed_.contains(lesion["id"].as<std::string>() + " at " + id)) lesion["timepoints"][id] = YAML::Clone(every);
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
    const std::string& known_;                      ///< the case as it was
    YAML::Node base_;
    YAML::Node template_;
    const Draft& found_;
    YAML::Node draft_;
    std::map<std::string, std::string> study_of_;   ///< by series
    std::map<std::string, std::string> id_of_;      ///< of a time point, by its name in the draft
    std::vector<std::string> timepoints_;
    std::set<std::string> disputed_;                ///< "T1 at 2020-01-31"
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
        auto drafting = parameters;
        drafting.own_marks = false;  // a number of this program's is nobody's word of where a lesion is
        if (base["protocol"]) {
            const auto protocol = read_protocol(parameters.folder / base["protocol"].as<std::string>());
            if (protocol) drafting.protocol = *protocol;  // the run refuses one that cannot be read, and says why
        }
        RETROMASS_TRY_ASSIGN(const auto draft, draft_of(scan, drafting));
        return Composition(scan, parameters.folder, known, base, given, draft).compose();
    } catch (const YAML::Exception& error) {
        return Error{Code::case_file, "template " + from.name + " and the case do not fit: " + error.msg, "run: compose_case"};
    }
}

}  // namespace retromass::run

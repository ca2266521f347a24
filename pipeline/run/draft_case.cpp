#include <algorithm>
#include <cctype>
#include <map>

#include "core/units.h"
#include "pipeline/run/draft.h"
#include "pipeline/run/protocol_limits.h"

namespace retromass::run {

std::string quoted(const std::string& text)
{
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
    return out + "\"";
}

std::string MarkedPrompt::yaml() const { return "{marks: " + quoted(file) + ", mark: " + quoted(mark) + "}"; }

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSeriesListed = 8;  // of a study's others; a scanner makes dozens

/// A study with its chosen series, or why there is none.
struct Study {
    std::string timepoint;      ///< its id in the case file
    const ingest::SeriesCandidate* chosen = nullptr;
    std::size_t candidates = 0;
    std::string decided_by;
    std::vector<std::string> behind;  ///< the other series in their order, and what put each there
    std::string why_not;
};

/// Text fit for a comment of one line.
std::string one_line(std::string text)
{
    for (auto& c : text) {
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    }
    return text;
}

/// The deepest folder that holds every file of the series, as the case file names it, and of those that marks of its study were drawn on: without
/// their images nobody can tell where these lie.
std::string folder_of(const ingest::SeriesCandidate& series, const ingest::Scan& scan, const std::vector<std::string>& marked, const fs::path& base)
{
    auto common = fs::absolute(series.slices.front().file).parent_path().lexically_normal();
    for (const auto& other : scan.series) {
        const bool of_a_mark = other.facts.study_instance_uid == series.facts.study_instance_uid && std::find(marked.begin(), marked.end(), other.facts.series_instance_uid) != marked.end();
        if (&other != &series && !of_a_mark) continue;
        for (const auto& slice : other.slices) {
            const auto file = fs::absolute(slice.file).lexically_normal();
            while (common.has_relative_path() && std::mismatch(common.begin(), common.end(), file.begin(), file.end()).first != common.end()) common = common.parent_path();
        }
    }
    const auto relative = common.lexically_relative(fs::absolute(base).lexically_normal());
    return relative.empty() ? common.string() : relative.string();
}

std::string label_of(const ingest::SeriesCandidate& series)
{
    return "series " + std::to_string(series.facts.series_number) + " \"" + one_line(series.facts.series_description) + '"' + (series.volume_index ? ", volume " + std::to_string(series.volume_index) : "");
}

Study study_of(const ingest::Scan& scan, const ingest::StudyChoice& choice)
{
    Study out;
    out.candidates = choice.ranked.size();
    const auto& first = choice.ranked.front();
    const auto& series = scan.series[first.series];
    if (series.refused) out.why_not = series.refused->message;
    else out.chosen = &series;
    out.decided_by = first.decided_by;
    for (std::size_t r = 1; r < choice.ranked.size(); ++r) {
        const auto& row = choice.ranked[r];
        out.behind.push_back(std::to_string(r + 1) + ". " + label_of(scan.series[row.series]) + ": " + row.decided_by);
    }
    return out;
}

/// What was marked in one file.
struct MarksFile {
    std::string file;
    ingest::Marks marks;
    bool by_name = false;   ///< the marks' names are the patient's lesions, in every file alike
};

/// What the marks say of the series to choose, by the study they were drawn in.
std::map<std::string, ingest::ChoiceParameters> prompted(const ingest::Scan& scan, const std::vector<MarksFile>& files)
{
    std::map<std::string, ingest::ChoiceParameters> out;
    for (const auto& file : files) {
        for (const auto& mark : file.marks.all) {
            const auto lines = mark.long_axis ? ingest::placed(mark, scan) : Result<ingest::PlacedLines>(Error{});
            if (!lines) continue;
            const auto drawn_on = std::find_if(scan.series.begin(), scan.series.end(), [&](const auto& series) {
                if (!lines->series_instance_uid.empty()) return series.facts.series_instance_uid == lines->series_instance_uid;
                return !lines->frame_of_reference_uid.empty() && series.facts.frame_of_reference_uid == lines->frame_of_reference_uid;
            });
            if (drawn_on == scan.series.end()) continue;
            auto& choice = out[drawn_on->facts.study_instance_uid];
            if (!lines->series_instance_uid.empty()) choice.prompt_series_uids.push_back(lines->series_instance_uid);
            choice.prompt_frame_of_reference_uid = lines->frame_of_reference_uid;
            for (const auto& line : lines->lines) choice.lesion.insert(choice.lesion.end(), line.begin(), line.end());
        }
    }
    return out;
}


Status one_patient(const std::vector<Study>& studies, const std::vector<Code>& accepted)
{
    if (std::find(accepted.begin(), accepted.end(), Code::different_patient) != accepted.end()) return Done{};
    for (std::size_t a = 0; a < studies.size(); ++a) {
        for (std::size_t b = a + 1; b < studies.size(); ++b) {
            if (!studies[a].chosen || !studies[b].chosen) continue;
            const auto what = ingest::contradiction(studies[a].chosen->facts.patient, studies[b].chosen->facts.patient);
            if (!what.empty()) return Error{Code::different_patient, "the studies are not of one patient: " + what + " contradict each other; give one patient's folder, or say --accept different-patient-ids", "run: draft_case"};
        }
    }
    return Done{};
}

bool earlier(const Study& a, const Study& b)
{
    const auto key = [](const Study& s) {
        const auto date = s.chosen ? s.chosen->facts.date() : std::optional<Date>();
        return std::make_pair(date ? iso(*date) : std::string("~"), s.chosen ? s.chosen->facts.study_instance_uid : std::string());
    };
    return key(a) < key(b);
}

/// The studies by date, each with the series that its own prompts and the baseline's series make the first.
std::vector<Study> studies_of(const ingest::Scan& scan, const std::map<std::string, ingest::ChoiceParameters>& prompts, const std::vector<std::string>& rule, const std::optional<ingest::AcquisitionFacts>& baseline)
{
    std::vector<Study> out;
    for (const auto& any : ingest::rank(scan)) {
        const auto prompt = prompts.find(any.study_instance_uid);
        auto choice = prompt == prompts.end() ? ingest::ChoiceParameters{} : prompt->second;
        choice.baseline = baseline;
        choice.rule = rule;
        for (const auto& ranked : ingest::rank(scan, choice)) {
            if (ranked.study_instance_uid == any.study_instance_uid) out.push_back(study_of(scan, ranked));
        }
    }
    std::sort(out.begin(), out.end(), earlier);
    return out;
}

/// Where a lesion is at a time point: a mark or a mask, and what else says so, differently.
struct DraftPrompt {
    std::string timepoint;
    std::string text;                     ///< as the case file states it
    MarkedPrompt mark;                    ///< empty for a mask
    std::vector<std::array<PatientPoint, 2>> lines;
    bool ours = false;                    ///< measured by this program, not marked by a reader
    std::vector<DraftPrompt> others;
    std::string unclear;                  ///< why it names no single mark
};
/// A lesion drafted from marks: one tracking UID is one lesion, whatever it is called.
struct DraftLesion {
    std::string key;
    std::string name;
    std::string site;
    std::vector<DraftPrompt> prompts;     ///< one a time point

    DraftPrompt* at(const std::string& timepoint)
    {
        const auto found = std::find_if(prompts.begin(), prompts.end(), [&](const auto& p) { return p.timepoint == timepoint; });
        return found == prompts.end() ? nullptr : &*found;
    }
};
struct FoundMarks {
    std::vector<DraftLesion> lesions;
    std::string remarks;                  ///< what was found and is not taken by itself, as comments

    DraftLesion& lesion(const std::string& key, const std::string& name, const std::string& site)
    {
        const auto known = std::find_if(lesions.begin(), lesions.end(), [&](const auto& l) { return l.key == key; });
        return known != lesions.end() ? *known : lesions.emplace_back(DraftLesion{key, name, site, {}});
    }
};

constexpr double kSameLine_mm = 0.01;     ///< coordinates of reports have 32 bits

bool same_lines(const DraftPrompt& a, const DraftPrompt& b)
{
    const auto same = [](const auto& x, const auto& y) {
        return (distance(x[0], y[0]) < kSameLine_mm && distance(x[1], y[1]) < kSameLine_mm) || (distance(x[0], y[1]) < kSameLine_mm && distance(x[1], y[0]) < kSameLine_mm);
    };
    return !a.lines.empty() && a.lines.size() == b.lines.size() && std::equal(a.lines.begin(), a.lines.end(), b.lines.begin(), same);
}

std::string relative_to(const fs::path& file, const fs::path& base)
{
    const auto relative = fs::absolute(file).lexically_normal().lexically_relative(fs::absolute(base).lexically_normal());
    return relative.empty() ? file.string() : relative.string();
}

const Study* study_with(const std::vector<Study>& studies, const ingest::PlacedLines& lines)
{
    for (const auto& study : studies) {
        if (study.chosen && study.chosen->facts.frame_of_reference_uid == lines.frame_of_reference_uid && !lines.frame_of_reference_uid.empty()) return &study;
    }
    return nullptr;
}

/// Adds what a mark says; why it is left out, if it is. A reader's mark goes before what this program measured; of two that differ neither is taken.
std::string add(DraftLesion& lesion, DraftPrompt prompt)
{
    auto* const known = lesion.at(prompt.timepoint);
    if (!known) {
        lesion.prompts.push_back(std::move(prompt));
        return {};
    }
    if (!known->unclear.empty() && known->mark.file == prompt.mark.file) return {};  // said of the file's first
    if (same_lines(*known, prompt)) return "it is the line of " + known->mark.file + " again";
    if (prompt.ours && !known->ours) return "this program measured it from " + known->mark.file;
    if (known->ours && !prompt.ours) std::swap(*known, prompt);
    else if (std::none_of(known->others.begin(), known->others.end(), [&](const auto& other) { return same_lines(other, prompt); })) known->others.push_back(std::move(prompt));
    return {};
}

void take_marks(FoundMarks& found, const MarksFile& from, const ingest::Scan& scan, const std::vector<Study>& studies)
{
    const auto& [file, marks, by_name] = from;
    for (const auto& mark : marks.all) {
        const auto what = quoted(one_line(mark.name)) + " of " + one_line(file);
        const auto leave_out = [&](const std::string& why) { found.remarks += "  # not taken: " + what + ": " + one_line(why) + "\n"; };
        if (!mark.long_axis) {
            if (marks.format != "SR") leave_out(mark.no_lines);  // groups of an SR have many kinds of number
            continue;
        }
        const auto& name = mark.tracking_uid.empty() ? mark.name : mark.tracking_uid;
        const auto lines = ingest::placed(mark, scan);
        const auto* const study = lines ? study_with(studies, *lines) : nullptr;
        const auto unique = ingest::mark_named(marks, name);
        if (!lines || !study) {
            leave_out(!lines ? lines.error().message : std::string("it was drawn in another frame of reference than the series chosen"));
            continue;
        }
        const auto key = !mark.tracking_uid.empty() ? mark.tracking_uid : (by_name ? std::string() : file) + " " + mark.name;
        const MarkedPrompt prompt{file, name};
        const auto why = add(found.lesion(key, mark.name, mark.site), DraftPrompt{study->timepoint, prompt.yaml(), prompt, lines->lines, marks.ours, {}, unique ? std::string() : unique.error().message});
        if (!why.empty()) leave_out(why);
    }
}

/// Whether a name fits a pattern in which '*' stands for any text; capitals and small letters are the same.
bool fits(std::string_view name, std::string_view pattern)
{
    if (pattern.empty()) return name.empty();
    if (pattern[0] == '*') return fits(name, pattern.substr(1)) || (!name.empty() && fits(name.substr(1), pattern));
    const auto small = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
    return !name.empty() && small(name[0]) == small(pattern[0]) && fits(name.substr(1), pattern.substr(1));
}

/// Masks are named for the reader to choose: an organ is no lesion. Those whose name fits one of the patterns are taken, to be measured.
void name_masks(FoundMarks& found, const fs::path& path, const std::string& file, const std::vector<Study>& studies, const std::vector<std::string>& patterns)
{
    // Where names are asked for, it may be one of them, and somebody has to look; else nothing was to be taken of it.
    const auto leave_out = [&](const std::string& why) { found.remarks += (patterns.empty() ? "  # fits no series here: " : "  # not taken: ") + one_line(file + ": " + why) + "\n"; };
    std::string why_not;
    for (const auto& study : studies) {
        if (!study.chosen) continue;
        const auto& frame = study.chosen->facts.frame_of_reference_uid;
        const auto labels = ingest::read_labels(path, &study.chosen->geometry, frame);
        if (!labels) {
            if (labels.error().code == Code::not_an_image) return;  // a plan or a dose, not a mask
            if (!why_not.empty()) continue;
            why_not = labels.error().message;
            if (const auto named = path.string() + ": "; why_not.starts_with(named)) why_not.erase(0, named.size());  // the remark names it its own way
            continue;
        }
        if (labels->frame_of_reference_uid.empty() || frame.empty()) {
            why_not = std::string(frame.empty() ? "the CT" : "the mask") + " names no frame of reference, so nothing says that one belongs to the other";
            continue;
        }
        for (const auto& label : labels->present) {
            const auto said = label.name.empty() ? std::to_string(label.value) : label.name;
            if (std::any_of(patterns.begin(), patterns.end(), [&](const auto& pattern) { return fits(said, pattern); })) {
                const auto key = label.tracking_uid.empty() ? file + " " + said : label.tracking_uid;
                auto& lesion = found.lesion(key, said, {});
                DraftPrompt prompt{study.timepoint, "{mask: " + quoted(file) + ", label: " + quoted(one_line(said)) + "}", {}, {}, false, {}, {}};
                auto* const known = lesion.at(study.timepoint);
                if (!known) lesion.prompts.push_back(std::move(prompt));
                else if (known->lines.empty()) known->others.push_back(std::move(prompt));
                if (!known || known->lines.empty()) continue;
            }
            found.remarks += "  # found: " + quoted(study.timepoint) + ": {mask: " + quoted(file) + ", label: " + quoted(label.name.empty() ? std::to_string(label.value) : one_line(label.name)) + "}\n";
        }
        for (const auto& notice : labels->notices) {
            if (notice.code == Code::mask_grid) leave_out(notice.text);  // a region that does not fit, where others do
        }
        return;
    }
    if (!why_not.empty()) leave_out(why_not);
}

/// Masks that are no DICOM say nothing of the scan they are of: they are named for every time point on whose grid they fit.
void name_plain_masks(FoundMarks& found, const fs::path& path, const std::string& file, const std::vector<Study>& studies)
{
    constexpr std::size_t most = 20;  // more are no lesions but an image
    const auto labels = ingest::read_labels(path);
    if (!labels || labels->present.empty() || labels->present.size() > most) return;
    for (const auto& study : studies) {
        if (!study.chosen || !ingest::mask_on_grid(*labels, labels->present.front().value, study.chosen->geometry)) continue;
        for (const auto& label : labels->present) {
            found.remarks += "  # found: " + quoted(study.timepoint) + ": {mask: " + quoted(file) + (labels->present.size() > 1 ? ", label: \"" + std::to_string(label.value) + "\"" : std::string()) + "}\n";
        }
    }
}

bool ends_with_any_of(const fs::path& path, std::initializer_list<std::string_view> endings)
{
    auto name = path.filename().string();
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return std::any_of(endings.begin(), endings.end(), [&](auto ending) { return name.ends_with(ending); });
}

/// Reports, presentation states, tables of lines and masks that lie beside the CT, and the tables of lines that were handed in.
struct Beside {
    std::vector<MarksFile> marks;
    std::vector<fs::path> masks;
    std::vector<fs::path> plain_masks;  ///< NIfTI and NRRD
    std::set<std::string> replaced;  ///< files that another one here replaces
    std::string remarks;             ///< as comments
};

Beside found_beside(const ingest::Scan& scan, const DraftParameters& parameters)
{
    Beside out;
    for (const auto& table : parameters.tables) {
        const auto file = relative_to(table, parameters.folder);
        if (auto marks = ingest::read_marks(table)) out.marks.push_back({file, std::move(*marks), true});
        else out.remarks += "  # not taken: " + one_line(file + ": " + marks.error().message) + "\n";
    }
    std::set<std::string> replaced;
    for (const auto& excluded : scan.excluded) {
        const bool plain = excluded.code == Code::not_dicom;
        if (plain && ends_with_any_of(excluded.file, {".nii", ".nii.gz", ".nrrd"})) out.plain_masks.push_back(excluded.file);
        const bool table = plain && ends_with_any_of(excluded.file, {".csv"});  // of lines, if it has their columns
        if (!table && excluded.code != Code::not_an_image) continue;
        auto marks = ingest::read_marks(excluded.file);
        if (!marks && marks.error().code == Code::not_an_image) out.masks.push_back(excluded.file);
        if (!marks) continue;
        replaced.insert(marks->replaces.begin(), marks->replaces.end());
        out.marks.push_back({relative_to(excluded.file, parameters.folder), std::move(*marks), false});
    }
    replaced.erase("");  // a table has no instance
    std::erase_if(out.marks, [&](const auto& file) {
        if (replaced.contains(file.marks.sop_instance_uid)) {
            out.replaced.insert(file.file);
            out.remarks += "  # not taken: " + one_line(file.file) + ": another report here replaces it\n";
            return true;
        }
        return file.marks.ours && !parameters.own_marks;
    });
    return out;
}

/// A site that calls itself a lymph node.
bool says_node(const std::string& site) { return fits(site, "*node*") || fits(site, "*lymphknoten*"); }

std::string listed(const std::vector<std::string>& words, const char* between = ", ")
{
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "" : between) + word;
    return out;
}

/// Which lines at the first study would be targets, as a comment: the choice, and what is a node, is the reader's. Lengths as the protocol records them,
/// by its policies.
std::string proposed_targets(const FoundMarks& found, const std::vector<Study>& studies, const Protocol& protocol)
{
    response::Policies policies;
    for (const auto& [name, value] : protocol.policies) {
        [[maybe_unused]] const auto known = policies.set(name, value);  // checked when read
    }
    const auto first = std::find_if(studies.begin(), studies.end(), [](const auto& study) { return study.chosen != nullptr; });
    std::vector<response::BaselineLesion> lesions;
    std::string nodes, open;
    bool sites = true;
    for (std::size_t i = 0; i < found.lesions.size(); ++i) {
        const auto& lesion = found.lesions[i];
        const auto at = std::find_if(lesion.prompts.begin(), lesion.prompts.end(), [&](const auto& prompt) { return prompt.timepoint == first->timepoint; });
        if (at == lesion.prompts.end() || at->lines.empty() || !at->others.empty() || !at->unclear.empty()) continue;  // nothing, or more than one thing, is said of its size
        response::BaselineLesion baseline;
        baseline.id = "T" + std::to_string(i + 1);
        baseline.organ = lesion.site;
        const auto length = [&](std::size_t line) { return distance(at->lines[line][0], at->lines[line][1]); };
        baseline.nodal = says_node(lesion.site);
        if (baseline.nodal) {
            nodes += (nodes.empty() ? "" : ", ") + baseline.id;
            if (at->lines.size() < 2) {
                open += "  # " + baseline.id + ": its site says lymph node, and the short axis that decides is not marked\n";
                continue;
            }
        }
        baseline.size = Length::recorded(baseline.nodal ? std::min(length(0), length(1)) : length(0), protocol.recorded_precision_mm);
        baseline.slice_mm = first->chosen->facts.slice_thickness_mm;
        sites = sites && !lesion.site.empty();
        lesions.push_back(std::move(baseline));
    }
    if (lesions.empty()) return open;
    const auto proposal = response::propose_targets(lesions, policies);
    const bool by_reader = policies.value("target_choice") == "reader";
    const auto& targets = by_reader ? proposal.measurable : proposal.targets;
    const auto measurable = [&](const std::string& id) { return std::find(proposal.measurable.begin(), proposal.measurable.end(), id) != proposal.measurable.end(); };
    std::string out = "  # " + std::string(by_reader ? "measurable" : "proposed targets") + " at " + first->timepoint + ", " + (nodes.empty() ? "none of them taken for a node" : "by their sites nodes: " + nodes) + ": " + (targets.empty() ? "none" : listed(targets)) + "\n";
    if (by_reader) out += "  # which of them are targets the reader chooses alone (target_choice=reader)\n";
    for (const auto& [id, why] : proposal.others) {
        if (!by_reader || !measurable(id)) out += "  # " + id + " rather non-target: " + why + "\n";
    }
    out += open;
    out += "  # a lesion irradiated or ablated before is a target only where it has grown since: state such treatments, and the run judges by them\n";
    if (!sites && !by_reader) out += "  # where no site is stated, 'two an organ' was not looked at\n";
    return out;
}

/// Why there is no series: the first one's reason, and where to read the others'.
Error nothing_to_measure(const ingest::Scan& scan)
{
    std::string what = "no study here has a CT series to measure";
    for (const auto& series : scan.series) {
        if (!series.refused || series.slices.empty()) continue;
        what += ": " + one_line(series.refused->message) + "; retromass series " + fs::absolute(series.slices.front().file).parent_path().lexically_normal().string() + " shows all";
        return Error{Code::no_series, what, "run: draft_case"};
    }
    return Error{Code::no_series, what + "; retromass series shows why", "run: draft_case"};
}

}  // namespace

Result<Draft> draft_of(const ingest::Scan& scan, const DraftParameters& parameters)
{
    const auto beside = found_beside(scan, parameters);
    const auto prompts = prompted(scan, beside.marks);
    const auto protocol = parameters.protocol.value_or(Protocol{});  // what none states is what everybody has
    auto studies = studies_of(scan, prompts, protocol.series, std::nullopt);
    if (studies.empty() || !studies.front().chosen) return nothing_to_measure(scan);
    // The first study is chosen by itself; the others look for its kernel and thickness.
    const auto* baseline = studies.front().chosen;
    for (const auto& study : studies_of(scan, prompts, protocol.series, baseline->facts)) {
        for (auto& known : studies) {
            const bool same = study.chosen && known.chosen && study.chosen->facts.study_instance_uid == known.chosen->facts.study_instance_uid;
            if (same && known.chosen != baseline) known = study;
        }
    }
    RETROMASS_TRY(one_patient(studies, parameters.accepted));

    std::string out = "# Drafted by retromass init: check the time points, then say where the lesions are.\n";
    out += "case: " + quoted(parameters.case_id) + "        # a pseudonym, never the patient's name\n";
    if (!parameters.protocol_file.empty()) out += "protocol: " + quoted(relative_to(parameters.protocol_file, parameters.folder)) + "        # " + one_line(protocol.id) + " version " + std::to_string(protocol.version) + "\n";
    out += "timepoints:\n";
    std::map<std::string, int> used;
    const bool all_dated = std::all_of(studies.begin(), studies.end(), [](const auto& study) { return !study.chosen || study.chosen->facts.date(); });
    for (auto& study : studies) {
        if (!study.chosen) {
            out += "  # a study without a series to measure: " + one_line(study.why_not) + "\n";
            continue;
        }
        const auto& facts = study.chosen->facts;
        const auto date = facts.date();
        const auto base = date ? iso(*date) : std::string("undated");
        const int nth = ++used[base];
        const auto id = nth == 1 && date ? base : base + "-" + std::to_string(nth);
        study.timepoint = id;
        out += "  # " + one_line(facts.study_description.empty() ? std::string("study") : facts.study_description) + ", " + label_of(*study.chosen) + ", " + (date ? facts.date_source() : std::string("no date in the images: state date or day")) + "\n";
        if (study.candidates > 1) out += "  # first of " + std::to_string(study.candidates) + " series; " + one_line(study.decided_by) + "\n";
        for (std::size_t i = 0; i < study.behind.size() && i < kSeriesListed; ++i) out += "  #   " + one_line(study.behind[i]) + "\n";
        if (study.behind.size() > kSeriesListed) out += "  #   and " + std::to_string(study.behind.size() - kSeriesListed) + " more (retromass series)\n";
        for (const auto& notice : outside_limits(protocol, scanned_as(facts, study.chosen->geometry, study.chosen->notices))) out += "  # outside protocol: " + one_line(notice.text) + "\n";
        if (!study.chosen->eligible) out += "  # not measured by itself: " + one_line(study.chosen->why_not_eligible) + "\n";
        out += "  - id: " + quoted(id) + "\n";
        const auto prompt = prompts.find(facts.study_instance_uid);
        out += "    ct: " + quoted(folder_of(*study.chosen, scan, prompt == prompts.end() ? std::vector<std::string>{} : prompt->second.prompt_series_uids, parameters.folder)) + "\n";
        if (const auto list = parameters.lists.find(facts.study_instance_uid); list != parameters.lists.end()) out += "    files: " + quoted(list->second) + "\n";
        out += "    series: " + quoted(facts.series_instance_uid + (study.chosen->volume_index ? "#" + std::to_string(study.chosen->volume_index) : "")) + "\n";
        const auto stated = parameters.visits.find(facts.study_instance_uid);
        const auto& visit = stated == parameters.visits.end() ? DraftParameters::Visit{} : stated->second;
        if (!visit.reader.empty()) out += "    reader: " + quoted(visit.reader) + "\n";
        // A nominal day is when the visit was planned: where the images have dates, those count.
        if (!visit.day.empty()) out += all_dated ? "    # planned for day " + visit.day + "\n" : "    day: " + visit.day + "\n";
        if (!visit.visit.empty()) out += "    visit: " + quoted(visit.visit) + "\n";
        else if (!visit.day.empty() && all_dated) out += "    visit: " + quoted("day " + visit.day) + "\n";
        else if (nth > 1 && date) out += "    visit: " + quoted(id) + "   # shares its date with another time point\n";
        out += "    # new_lesions: none | equivocal | unequivocal, with reader: " + (protocol.readers.empty() ? "NAME" : one_line(listed(protocol.readers, " | "))) + "; unstated, the overall response is not evaluable\n";
    }
    if (!protocol.visits.empty()) out += "# treatments: [{kind: systemic, line: 1, start: YYYY-MM-DD}]   # from which the protocol counts the days of its visits\n";
    FoundMarks found;
    found.remarks = beside.remarks;
    for (const auto& file : beside.marks) take_marks(found, file, scan, studies);
    for (const auto& file : beside.masks) name_masks(found, file, relative_to(file, parameters.folder), studies, parameters.labels);
    for (const auto& file : beside.plain_masks) name_plain_masks(found, file, relative_to(file, parameters.folder), studies);
    Draft draft{{}, {}, beside.replaced};
    out += "lesions:\n" + found.remarks + proposed_targets(found, studies, protocol);
    for (std::size_t i = 0; i < found.lesions.size(); ++i) {
        const auto& lesion = found.lesions[i];
        out += "  - id: T" + std::to_string(i + 1) + "            # marked as " + quoted(one_line(lesion.name)) + "\n    role: target\n    site: " + quoted(lesion.site) + "\n";
        std::string clear;
        for (const auto& prompt : lesion.prompts) {
            if (prompt.others.empty() && prompt.unclear.empty()) {
                clear += "      " + quoted(prompt.timepoint) + ": " + prompt.text + "\n";
                continue;
            }
            Dispute dispute{i, prompt.timepoint, {prompt.mark}};
            out += "    # ambiguous: " + quoted(prompt.timepoint) + ": " + prompt.text;
            for (const auto& other : prompt.others) {
                out += " or " + other.text;
                dispute.marks.push_back(other.mark);
            }
            out += (prompt.unclear.empty() ? "" : ": " + one_line(prompt.unclear)) + "; a reader has to choose\n";
            if (!prompt.mark.file.empty()) draft.disputes.push_back(std::move(dispute));
        }
        out += clear.empty() ? "    timepoints: {}\n" : "    timepoints:\n" + clear;
    }
    if (found.lesions.empty()) {
        out += "  - id: T1\n"
               "    role: target\n"
               "    site: \"\"\n"
               "    # prompts: for each time point where the lesion is, e.g. {line: [[x, y, z], [x, y, z]]} in mm (LPS), {point: [x, y, z]}, {marks: FILE, mark: NAME},\n"
               "    # {mask: FILE, label: NAME}, or a reader's {status: absent, reader: NAME, date: YYYY-MM-DD}\n"
               "    timepoints: {}\n";
    }
    draft.text = std::move(out);
    return draft;
}

Result<std::string> draft_case(const ingest::Scan& scan, const DraftParameters& parameters)
{
    RETROMASS_TRY_ASSIGN(auto draft, draft_of(scan, parameters));
    return std::move(draft.text);
}

}  // namespace retromass::run

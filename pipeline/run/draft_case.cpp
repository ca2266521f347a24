#include <algorithm>
#include <cctype>
#include <map>

#include "pipeline/run/run.h"

namespace retromass::run {
namespace {

namespace fs = std::filesystem;

/// A study with its chosen series, or why there is none.
struct Study {
    const ingest::SeriesCandidate* chosen = nullptr;
    std::size_t candidates = 0;
    std::string decided_by;
    std::string why_not;
};

std::string quoted(const std::string& text)
{
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
    return out + "\"";
}

/// Text fit for a comment of one line.
std::string one_line(std::string text)
{
    for (auto& c : text) {
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    }
    return text;
}

/// The deepest folder that holds every file of the series, as the case file names it.
std::string folder_of(const ingest::SeriesCandidate& series, const fs::path& base)
{
    auto common = fs::absolute(series.slices.front().file).parent_path().lexically_normal();
    for (const auto& slice : series.slices) {
        const auto file = fs::absolute(slice.file).lexically_normal();
        while (common.has_relative_path() && std::mismatch(common.begin(), common.end(), file.begin(), file.end()).first != common.end()) common = common.parent_path();
    }
    const auto relative = common.lexically_relative(fs::absolute(base).lexically_normal());
    return relative.empty() ? common.string() : relative.string();
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

}  // namespace

Result<std::string> draft_case(const ingest::Scan& scan, const DraftParameters& parameters)
{
    const auto studies_with = [&](const ingest::ChoiceParameters& choice) {
        std::vector<Study> studies;
        for (const auto& ranked : ingest::rank(scan, choice)) studies.push_back(study_of(scan, ranked));
        std::sort(studies.begin(), studies.end(), earlier);
        return studies;
    };
    auto studies = studies_with({});
    if (studies.empty() || !studies.front().chosen) return Error{Code::no_series, "no study here has a CT series to measure; retromass series shows why", "run: draft_case"};
    // The first study is chosen by itself; the others look for its kernel and thickness.
    const auto* baseline = studies.front().chosen;
    ingest::ChoiceParameters like_baseline;
    like_baseline.baseline = baseline->facts;
    for (const auto& study : studies_with(like_baseline)) {
        for (auto& known : studies) {
            const bool same = study.chosen && known.chosen && study.chosen->facts.study_instance_uid == known.chosen->facts.study_instance_uid;
            if (same && known.chosen != baseline) known = study;
        }
    }
    RETROMASS_TRY(one_patient(studies, parameters.accepted));

    std::string out = "# Drafted by retromass init: check the time points, then say where the lesions are.\n";
    out += "case: " + quoted(parameters.case_id) + "        # a pseudonym, never the patient's name\n";
    out += "timepoints:\n";
    std::map<std::string, int> used;
    for (const auto& study : studies) {
        if (!study.chosen) {
            out += "  # a study without a series to measure: " + one_line(study.why_not) + "\n";
            continue;
        }
        const auto& facts = study.chosen->facts;
        const auto date = facts.date();
        const auto base = date ? iso(*date) : std::string("undated");
        const int nth = ++used[base];
        const auto id = nth == 1 && date ? base : base + "-" + std::to_string(nth);
        out += "  # " + one_line(facts.study_description.empty() ? std::string("study") : facts.study_description) + ", series " + std::to_string(facts.series_number) + " \"" +
               one_line(facts.series_description) + "\", " + (date ? facts.date_source() : std::string("no date in the images: state date or day")) + "\n";
        if (study.candidates > 1) out += "  # first of " + std::to_string(study.candidates) + " series; " + one_line(study.decided_by) + "\n";
        if (!study.chosen->eligible) out += "  # not measured by itself: " + one_line(study.chosen->why_not_eligible) + "\n";
        out += "  - id: " + quoted(id) + "\n";
        out += "    ct: " + quoted(folder_of(*study.chosen, parameters.folder)) + "\n";
        out += "    series: " + quoted(facts.series_instance_uid + (study.chosen->volume_index ? "#" + std::to_string(study.chosen->volume_index) : "")) + "\n";
        if (nth > 1 && date) out += "    visit: " + quoted(id) + "   # shares its date with another time point\n";
        out += "    # new_lesions: none | equivocal | unequivocal, with reader: NAME; unstated, the overall response is not evaluable\n";
    }
    out += "lesions:\n"
           "  - id: T1\n"
           "    role: target\n"
           "    site: \"\"\n"
           "    # prompts: for each time point where the lesion is, e.g. {line: [[x, y, z], [x, y, z]]} in mm (LPS), {point: [x, y, z]}, {mask: FILE},\n"
           "    # or a reader's {status: absent, reader: NAME, date: YYYY-MM-DD}\n"
           "    timepoints: {}\n";
    return out;
}

}  // namespace retromass::run

#include <algorithm>
#include <cctype>
#include <map>

#include "pipeline/trial/trial.h"

namespace retromass::trial {
namespace {

using ingest::SeriesCandidate;

/// What is asked of one study, one line each.
class StudyChecks {
public:
    StudyChecks(const run::Protocol& protocol, StudyQc& out) : protocol_(protocol), out_(out) {}

    void pass(const std::string& what, const std::string& expected, const std::string& found)
    {
        out_.checks.push_back({what, Verdict::pass, expected, found, what + " " + found + (expected.empty() ? "" : " (" + expected + ")")});
    }
    void query(const std::string& what, const std::string& expected, const std::string& found, const std::string& request)
    {
        auto is = found.empty() ? what + " is not stated in the images" : what + " is " + found;
        is.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(is.front())));
        out_.checks.push_back({what, Verdict::query, expected, found, is + (expected.empty() ? "" : "; protocol " + protocol_.id + " asks for " + expected) + ". " + request});
    }
    void not_checked(const std::string& what, const std::string& expected, const std::string& why)
    {
        out_.checks.push_back({what, Verdict::not_checked, expected, "", what + " was not checked: " + why});
    }

private:
    const run::Protocol& protocol_;
    StudyQc& out_;
};

/// What the site is asked to do where a limit is not met, by what is limited: the value is another one, or none is stated.
std::string request_of(const run::LimitCheck& check, const run::Acquisition& asked)
{
    const bool stated = !check.found.empty();
    if (check.what == "scanned length") return stated ? "Please send the other part of the scan, or state that it was not scanned." : "Please send the series again.";
    if (check.what == "contrast phase") return stated ? "Please send the series of that phase, or state that it was not scanned." : "Please state the phase of this series.";
    if (check.what == "reconstruction kernel") return stated ? "Please send the reconstruction with a " + asked.kernel + " kernel." : "Please state whether this series was made with a soft or a sharp kernel.";
    if (check.what == "tube voltage") return stated ? "Please state why, and keep to the protocol at the next visit." : "Please state it.";
    if (check.what == "compression") return "Please send the images as the scanner made them.";
    if (!stated) return "Please state it, or send the images with it.";
    return check.what == "pixel size" ? "Please send the series with the smaller field of view." : "Please send a thinner reconstruction of this study, or state that there is none.";
}

/// What is asked of the pixels, phase and reconstruction.
void check_acquisition(StudyChecks& checks, const run::Acquisition& asked, const SeriesCandidate& series)
{
    for (const auto& check : run::limit_checks(asked, run::scanned_as(series.facts, series.geometry, series.notices))) {
        if (check.met) checks.pass(check.what, check.expected, check.found);
        else checks.query(check.what, check.expected, check.found, request_of(check, asked));
    }
}

/// What every study has to be, whatever the protocol says: all slices there, one volume in HU that can be measured.
void check_series(StudyChecks& checks, const SeriesCandidate& series)
{
    const std::string what = "series to measure";
    const auto label = "series " + std::to_string(series.facts.series_number);
    if (series.refused) {
        const bool gap = series.refused->code == Code::missing_slices;
        const auto& why = gap ? series.why_not_eligible.substr(0, series.why_not_eligible.find("; send")) : std::string(entry(series.refused->code).meaning);
        checks.query(what, "", label + ", which cannot be used (" + std::string(name(series.refused->code)) + "): " + why, "Please send the series again, all of its images.");
        return;
    }
    if (!series.eligible) checks.query(what, "", label + ", which is not measured by itself: " + series.why_not_eligible, "Please send an axial series in Hounsfield units, or state that there is none.");
    else checks.pass(what, "", label + ", " + std::to_string(series.geometry.size().slices) + " slices, none missing");
    if (has(series.notices, Code::slices_apart)) checks.query("slice distance", "", "larger than the slices are thick", "Please check whether every image of the series was sent.");
    if (has(series.notices, Code::missing_slices)) checks.query("slices", "", "missing in this series", "Please send the series again, all of its images.");
}

/// What the protocol's rule chose the series by, where there were several.
void check_rule(StudyChecks& checks, const run::Protocol& protocol, const ingest::StudyChoice& choice, const SeriesCandidate& series)
{
    if (protocol.series.empty() || series.refused) return;
    std::string found;
    for (const auto& step : choice.ranked.front().steps) {
        if (step.what.starts_with(ingest::kOfProtocol)) found += (found.empty() ? "" : ", ") + step.value;
    }
    std::string asked;
    for (const auto& word : protocol.series) asked += (asked.empty() ? "" : ", ") + word;
    checks.pass("series rule", "chosen of " + std::to_string(choice.ranked.size()) + " by " + asked, "series " + std::to_string(series.facts.series_number) + ": " + found);
}

void check_dates(StudyChecks& checks, const run::Protocol& protocol, const QcParameters& parameters, StudyQc& study)
{
    if (!study.date) {
        checks.query("date", "", "", "Please state the date of the examination, or its day from the start of treatment.");
        return;
    }
    if (protocol.visits.empty()) return;
    if (!study.day) {
        if (!parameters.start) checks.not_checked("visit window", "", "the start of treatment is not stated (--start)");
        return;
    }
    const auto* visit = run::visit_on(protocol, *study.day);
    if (visit) {
        study.visit = visit->name;
        checks.pass("visit window", visit->name + ", day " + std::to_string(visit->from_day) + " to " + std::to_string(visit->to_day), "day " + std::to_string(*study.day));
        return;
    }
    const auto distance = [&](const run::Visit& v) { return *study.day < v.from_day ? v.from_day - *study.day : *study.day - v.to_day; };
    const auto nearest = std::min_element(protocol.visits.begin(), protocol.visits.end(), [&](const auto& a, const auto& b) { return distance(a) < distance(b); });
    checks.query("visit window", nearest->name + " on day " + std::to_string(nearest->from_day) + " to " + std::to_string(nearest->to_day), "day " + std::to_string(*study.day) + ", in the window of no visit",
                 "Please state which visit this study belongs to, and why it was " + std::to_string(distance(*nearest)) + (distance(*nearest) == 1 ? " day" : " days") + (*study.day < nearest->from_day ? " early." : " late."));
}

/// The study's files that carry images and could not be used.
void check_files(Qc& out, const ingest::Scan& scan)
{
    std::map<Code, std::size_t> lost;
    for (const auto& file : scan.excluded) {
        switch (file.code) {
        case Code::malformed:
        case Code::truncated_pixels:
        case Code::oversized:
        case Code::unsupported_syntax:
        case Code::private_compression:
        case Code::missing_dicomdir_target: ++lost[file.code]; break;
        default: break;
        }
    }
    for (const auto& [code, count] : lost) {
        out.patient.push_back({"files", Verdict::query, "", std::to_string(count) + " (" + std::string(name(code)) + ")",
                               std::to_string(count) + (count == 1 ? " file" : " files") + " could not be used (" + std::string(name(code)) + "): " + std::string(entry(code).meaning) + " Please send them again, uncompressed."});
    }
}

std::string of_date(const StudyQc& study) { return study.date ? "of " + iso(*study.date) : "without a date (" + study.study_instance_uid + ")"; }

void check_patient(Qc& out, const std::vector<const SeriesCandidate*>& series)
{
    bool compared = series.size() > 1;
    bool same = true;
    for (std::size_t b = 1; b < series.size(); ++b) {
        bool with_any = false;
        for (std::size_t a = 0; a < b; ++a) {
            const auto& first = series[a]->facts.patient;
            const auto& second = series[b]->facts.patient;
            with_any = with_any || ingest::comparable(first, second);
            const auto what = ingest::contradiction(first, second);
            if (what.empty()) continue;
            same = false;
            out.patient.push_back({"same patient", Verdict::query, "one patient", what + " contradict",
                                   what + " in the studies " + of_date(out.studies[a]) + " and " + of_date(out.studies[b]) + " contradict each other. Please check that both are of this patient."});
            break;
        }
        compared = compared && with_any;
    }
    if (series.size() < 2 || !same) return;
    if (compared) out.patient.push_back({"same patient", Verdict::pass, "one patient", "nothing contradicts", "same patient: patient ID, birth date and sex, where stated, agree in all " + std::to_string(series.size()) + " studies"});
    else out.patient.push_back({"same patient", Verdict::query, "one patient", "", "Patient ID, birth date and sex are not stated in every study. Please confirm that all are of this patient."});
}

/// The baseline is recent enough, and no visit before the last study was left out.
void check_course(Qc& out, const run::Protocol& protocol, const QcParameters& parameters)
{
    if (!parameters.start) {
        out.patient.push_back({"baseline", Verdict::not_checked, "", "", "the baseline window was not checked: the start of treatment is not stated (--start)"});
        return;
    }
    response::Policies policies;
    for (const auto& [name, value] : protocol.policies) {
        [[maybe_unused]] const auto known = policies.set(name, value);  // checked when the protocol was read
    }
    const auto window = policies.number("baseline_window_days");
    std::optional<long> baseline, last;
    for (const auto& study : out.studies) {
        if (!study.day) continue;
        if (*study.day <= 0 && (!baseline || *study.day > *baseline)) baseline = study.day;
        if (!last || *study.day > *last) last = study.day;
    }
    const auto expected = "a study at most " + std::to_string(window) + " days before the start of treatment";
    if (!baseline) out.patient.push_back({"baseline", Verdict::query, expected, "", "No study on or before the start of treatment on " + iso(*parameters.start) + " was received; protocol " + protocol.id + " asks for " + expected + ". Please send it."});
    else if (-*baseline > window) out.patient.push_back({"baseline", Verdict::query, expected, std::to_string(-*baseline) + " days before", "The last study before treatment is " + std::to_string(-*baseline) + " days older than its start; protocol " + protocol.id + " asks for " + expected + ". Please send a later one, or state that there is none."});
    else out.patient.push_back({"baseline", Verdict::pass, expected, std::to_string(-*baseline) + " days before", "baseline " + std::to_string(-*baseline) + " days before the start of treatment (at most " + std::to_string(window) + ")"});
    for (const auto& visit : protocol.visits) {
        const bool there = std::any_of(out.studies.begin(), out.studies.end(), [&](const auto& study) { return study.visit == visit.name; });
        if (there || !last || visit.to_day >= *last) continue;
        out.patient.push_back({"visits", Verdict::query, visit.name, "", "No study of visit " + visit.name + " (day " + std::to_string(visit.from_day) + " to " + std::to_string(visit.to_day) + ") was received, though a later one was. Please send it, or state that the visit was missed."});
    }
}

}  // namespace

std::string_view name(Verdict verdict)
{
    switch (verdict) {
    case Verdict::pass: return "pass";
    case Verdict::query: return "query";
    case Verdict::not_checked: return "not-checked";
    }
    return "";
}

Result<Qc> check_studies(const ingest::Scan& scan, const run::Protocol& protocol, const QcParameters& parameters)
{
    struct Studied {
        StudyQc qc;
        const SeriesCandidate* series = nullptr;
    };
    std::vector<Studied> studies;
    ingest::ChoiceParameters choosing;
    choosing.rule = protocol.series;
    for (const auto& choice : ingest::rank(scan, choosing)) {
        if (choice.ranked.empty()) continue;
        const auto& series = scan.series[choice.ranked.front().series];
        StudyQc study;
        study.study_instance_uid = choice.study_instance_uid;
        if (!series.refused) study.series_instance_uid = series.facts.series_instance_uid;
        study.date = series.facts.date();
        if (study.date && parameters.start) study.day = days_between(*parameters.start, *study.date);
        StudyChecks checks(protocol, study);
        check_dates(checks, protocol, parameters, study);
        check_series(checks, series);
        check_rule(checks, protocol, choice, series);
        check_acquisition(checks, protocol.acquisition, series);
        studies.push_back({std::move(study), &series});
    }
    if (studies.empty()) return Error{Code::no_series, "no CT series was found: nothing could be checked", "trial: qc"};
    std::stable_sort(studies.begin(), studies.end(), [](const auto& a, const auto& b) {
        const auto key = [](const Studied& s) { return std::make_pair(s.qc.date ? iso(*s.qc.date) : std::string("~"), s.qc.study_instance_uid); };
        return key(a) < key(b);
    });
    Qc out;
    std::vector<const SeriesCandidate*> measured;
    for (auto& study : studies) {
        out.studies.push_back(std::move(study.qc));
        measured.push_back(study.series);
    }
    check_patient(out, measured);
    check_course(out, protocol, parameters);
    check_files(out, scan);
    const auto count = [&](const std::vector<Check>& checks) {
        for (const auto& check : checks) {
            out.queries += check.verdict == Verdict::query;
            out.not_checked += check.verdict == Verdict::not_checked;
        }
    };
    count(out.patient);
    for (const auto& study : out.studies) count(study.checks);
    return out;
}

}  // namespace retromass::trial

#include "pipeline/run/series_of.h"

#include <algorithm>
#include <fstream>
#include <string_view>

#include "pipeline/run/accepted.h"

namespace retromass::run {
namespace {

Error named(Error error, const CaseTimepoint& timepoint, const std::string& lesion = {})
{
    error.message = "time point " + timepoint.id + (lesion.empty() ? "" : ", lesion " + lesion) + ": " + error.message;
    return error;
}

/// Adds the lines of a mark to a prompt.
Result<ingest::PlacedLines> add_mark(const CaseFile& file, const LesionAtTimepoint& at, const ingest::Scan& scan, segmentation::Prompt& prompt, std::string& tracking_uid)
{
    RETROMASS_TRY_ASSIGN(const auto marks, ingest::read_marks(file.folder / at.marks_file));
    RETROMASS_TRY_ASSIGN(const auto mark, ingest::mark_named(marks, at.mark));
    RETROMASS_TRY_ASSIGN(auto placed, ingest::placed(mark, scan));
    for (const auto& [a, b] : placed.lines) prompt.lines.push_back({a, b});
    if (!prompt.frame_of_reference_uid.empty() && prompt.frame_of_reference_uid != placed.frame_of_reference_uid) {
        return Error{Code::prompt_frame_of_reference, "mark " + mark.name + " lies in frame of reference " + placed.frame_of_reference_uid + ", the case file states " + prompt.frame_of_reference_uid, "run"};
    }
    if (prompt.frame_of_reference_uid.empty()) prompt.frame_of_reference_uid = placed.frame_of_reference_uid;
    tracking_uid = mark.tracking_uid;
    return placed;
}

std::string joined(const std::vector<std::string>& words)
{
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
    return out;
}

/// Where the case file names a series and the protocol's rule would choose another one: the reader's word counts, and is said.
void hold_to_rule(ingest::SeriesCandidate& named_one, const ingest::Scan& scan, ingest::ChoiceParameters choice)
{
    choice.series_uid.clear();
    const auto is_named = [&](std::size_t series) {
        const auto& facts = scan.series[series].facts;
        return facts.series_instance_uid == named_one.facts.series_instance_uid && scan.series[series].volume_index == named_one.volume_index;
    };
    for (const auto& study : ingest::rank(scan, choice)) {
        const auto own = std::find_if(study.ranked.begin(), study.ranked.end(), [&](const auto& ranked) { return is_named(ranked.series); });
        if (own == study.ranked.end()) continue;
        const auto& first = study.ranked.front();
        for (std::size_t s = 0; s < own->steps.size(); ++s) {
            const auto& here = own->steps[s];
            const auto& other = first.steps[s];
            if (here.key == other.key) continue;
            if (!here.what.starts_with(ingest::kOfProtocol)) return;  // not the rule's to say
            named_one.notices.push_back({Code::outside_protocol, "the case file names series " + std::to_string(named_one.facts.series_number) + "; by the protocol's rule (" + joined(choice.rule) + ") series " +
                                                                     std::to_string(scan.series[first.series].facts.series_number) + " would be measured: " + here.what.substr(std::string_view(ingest::kOfProtocol).size()) + ": " + other.value + " against " + here.value});
            return;
        }
    }
}

}  // namespace

Result<std::vector<std::filesystem::path>> files_of(const CaseFile& file, const CaseTimepoint& timepoint)
{
    if (timepoint.files.empty()) return std::vector{file.folder / timepoint.ct};
    const auto list = file.folder / timepoint.files;
    std::ifstream in(list);
    if (!in) return Error{Code::io, list.string() + ", the list of the time point's files, cannot be read", "run"};
    std::vector<std::filesystem::path> out;
    for (std::string line; std::getline(in, line);) {
        if (!line.empty()) out.push_back((list.parent_path() / line).lexically_normal());
    }
    if (out.empty()) return Error{Code::case_file, list.string() + ", the list of the time point's files, is empty", "run"};
    return out;
}

Result<ChosenSeries> series_of(const CaseFile& file, const CaseTimepoint& timepoint, const std::optional<ingest::AcquisitionFacts>& baseline,
                               const RunParameters& parameters, const Progress& progress)
{
    ingest::ScanParameters settings;
    settings.threads = parameters.threads;
    settings.accepted = accepted_of(file, parameters);
    const auto files = files_of(file, timepoint);
    if (!files) return named(files.error(), timepoint);
    auto scan = ingest::scan(*files, settings, progress);
    if (!scan) return named(std::move(scan).error(), timepoint);
    ingest::ChoiceParameters choice;
    choice.series_uid = timepoint.series_uid;
    choice.baseline = baseline;
    if (file.protocol) choice.rule = file.protocol->series;
    ChosenSeries out;
    for (const auto& lesion : file.lesions) {
        const auto found = lesion.timepoints.find(timepoint.id);
        if (found == lesion.timepoints.end() || !found->second.has_prompt) continue;
        const auto& at = found->second;
        auto& prompt = out.prompts[lesion.lesion.id] = at.prompt;
        if (!at.marks_file.empty()) {
            const auto marked = add_mark(file, at, *scan, prompt, out.tracking_uids[lesion.lesion.id]);
            if (!marked) return named(marked.error(), timepoint, lesion.lesion.id);
            if (!marked->series_instance_uid.empty()) choice.prompt_series_uids.push_back(marked->series_instance_uid);
        }
        if (!prompt.frame_of_reference_uid.empty()) choice.prompt_frame_of_reference_uid = prompt.frame_of_reference_uid;
        choice.lesion.insert(choice.lesion.end(), prompt.points.begin(), prompt.points.end());
        for (const auto& line : prompt.lines) choice.lesion.insert(choice.lesion.end(), {line.a, line.b});
        for (const auto& contour : prompt.contours) choice.lesion.insert(choice.lesion.end(), contour.begin(), contour.end());
        if (prompt.extent) choice.lesion.insert(choice.lesion.end(), prompt.extent->begin(), prompt.extent->end());
    }
    auto series = ingest::one_series(*scan, choice);
    if (!series) return named(std::move(series).error(), timepoint);
    out.series = std::move(*series);
    if (!choice.series_uid.empty() && !choice.rule.empty()) hold_to_rule(out.series, *scan, choice);
    return out;
}

}  // namespace retromass::run

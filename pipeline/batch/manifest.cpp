#include "pipeline/batch/manifest.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "pipeline/batch/batch.h"
#include "pipeline/run/run.h"

namespace retromass::batch {
namespace {

Error fault(const std::string& place, const std::string& what) { return {Code::table, place + ": " + what, "batch: manifest"}; }

/// Fit to be a folder's name anywhere.
bool is_name(const std::string& text)
{
    const auto fits = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.'; };
    return !text.empty() && text.size() <= 64 && text[0] != '.' && text[0] != '-' && std::all_of(text.begin(), text.end(), fits);
}

bool is_day(const std::string& text)
{
    return !text.empty() && text.size() <= 6 && text.find_first_not_of("0123456789", text[0] == '-' ? 1 : 0) == std::string::npos && text != "-";
}

}  // namespace

Result<std::vector<ManifestRow>> read_manifest(const std::filesystem::path& file)
{
    RETROMASS_TRY_ASSIGN(const auto rows, run::read_rows(file, {"study_uid", "folder", "studyid", "usubjid", "visit", "day", "site", "reader"}, {}));
    std::vector<ManifestRow> out;
    std::set<std::string> seen;
    for (const auto& row : rows) {
        const auto cell = [&](const char* column) {
            const auto found = row.cells.find(column);
            return found == row.cells.end() ? std::string() : found->second;
        };
        ManifestRow entry{row.place, cell("study_uid"), cell("folder"), cell("studyid"), cell("usubjid"), cell("visit"), cell("day"), cell("site"), cell("reader")};
        if (entry.study_uid.empty() == entry.folder.empty()) return fault(row.place, "name the study by study_uid or by folder, one of the two");
        if (!entry.folder.empty()) entry.folder = std::filesystem::absolute(file.parent_path() / entry.folder).lexically_normal().string();
        while (entry.folder.size() > 1 && entry.folder.back() == '/') entry.folder.pop_back();
        if (!seen.insert(entry.study_uid + entry.folder).second) return fault(row.place, "this study has a row already");
        if (!entry.subject.empty() && !is_name(entry.subject)) {
            return fault(row.place, "usubjid '" + entry.subject + "' becomes the name of a folder: letters, digits, '.', '-' and '_' only, at most 64, not starting with '.' or '-'");
        }
        if (!entry.day.empty() && !is_day(entry.day)) return fault(row.place, "day '" + entry.day + "' is not a whole number of days");
        out.push_back(std::move(entry));
    }
    return out;
}

void find_studies(std::vector<ManifestRow>& rows, const ingest::Scan& scan)
{
    std::unordered_map<std::string_view, std::set<std::string_view>> studies_below;  // of the folders of `rows`
    for (const auto& row : rows) {
        if (!row.folder.empty()) studies_below.try_emplace(row.folder);
    }
    if (studies_below.empty()) return;
    for (const auto& series : scan.series) {
        if (series.slices.empty()) continue;
        const auto file = std::filesystem::absolute(series.slices.front().file).lexically_normal().string();
        for (auto end = file.find('/', 1); end != std::string::npos; end = file.find('/', end + 1)) {
            const auto found = studies_below.find(std::string_view(file).substr(0, end));
            if (found != studies_below.end()) found->second.insert(series.facts.study_instance_uid);
        }
    }
    for (auto& row : rows) {
        if (row.folder.empty()) continue;
        const auto& there = studies_below.at(row.folder);
        if (there.size() == 1) row.study_uid = *there.begin();
    }
}

OpenRows::OpenRows(std::vector<ManifestRow> rows) : rows_(std::move(rows))
{
    for (std::size_t i = 0; i < rows_.size(); ++i) open_.emplace(rows_[i].study_uid, i);
}

std::optional<ManifestRow> OpenRows::take(const std::string& study_uid)
{
    const auto first = open_.lower_bound(study_uid);  // of equal keys the one that came first
    if (study_uid.empty() || first == open_.end() || first->first != study_uid) return std::nullopt;
    const auto row = first->second;
    open_.erase(first);
    return rows_[row];
}

std::vector<ManifestRow> OpenRows::left() const
{
    std::set<std::size_t> places;
    for (const auto& [study, place] : open_) places.insert(place);
    std::vector<ManifestRow> out;
    for (const auto place : places) out.push_back(rows_[place]);
    return out;
}

}  // namespace retromass::batch

#include "pipeline/trial/case_record.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

namespace retromass::trial {
namespace {

using nlohmann::json;

std::string text(const json& map, const char* key)
{
    const auto found = map.find(key);
    return found == map.end() || found->is_null() ? std::string() : found->get<std::string>();
}

std::optional<Length> length(const json& value)
{
    if (!value.is_number()) return std::nullopt;
    return Length::recorded(value.get<double>(), 0.01);
}

std::optional<double> number(const json& value) { return value.is_number() ? std::optional(value.get<double>()) : std::nullopt; }

LesionRecord lesion_of(const json& row)
{
    LesionRecord out;
    out.id = row.at("id");
    out.status = row.at("status");
    out.reason = text(row, "reason");
    out.tracking_uid = text(row, "tracking_uid");
    out.merged_into = text(row, "merged_into");
    out.split_into = row.at("split_into").get<std::vector<std::string>>();
    for (const auto& notice : row.at("notices")) out.cut = out.cut || notice.at("code") == name(Code::truncated);
    if (const auto& recorded = row.at("recorded"); recorded.is_object()) out.counted = length(recorded.at("mm"));
    for (const char* quantity : {"long_axis_mm", "short_axis_mm", "craniocaudal_mm", "volume_ml"}) {
        if (const auto& value = row.at(quantity); value.is_object()) out.quantities[quantity] = value.at("value");
    }
    return out;
}

TimepointRecord timepoint_of(const json& row)
{
    TimepointRecord out;
    out.id = row.at("id");
    out.visit = text(row, "visit");
    out.date = text(row, "date");
    out.reader = text(row, "reader");
    if (const auto& ct = row.at("ct"); ct.is_object()) {
        out.study_uid = ct.at("study_instance_uid");
        out.series_uid = ct.at("series_instance_uid");
    }
    for (const auto& lesion : row.at("lesions")) out.lesions.push_back(lesion_of(lesion));
    return out;
}

ResponseRecord recist_of(const json& row)
{
    ResponseRecord out;
    out.timepoint = row.at("timepoint");
    out.line = row.at("line");
    out.period = row.at("period");
    out.is_baseline = row.at("is_baseline");
    out.sum = length(row.at("sum_mm"));
    out.nadir = length(row.at("nadir_sum_mm"));
    out.from_baseline_pct = number(row.at("change_from_baseline_pct"));
    out.from_nadir_pct = number(row.at("change_from_nadir_pct"));
    out.target = row.at("target");
    out.non_target = row.at("non_target");
    out.new_lesions = text(row, "new_lesions");
    out.overall = row.at("overall").at("category");
    out.reason = row.at("overall").at("reason");
    return out;
}

CaseRecord record_of(const json& root)
{
    CaseRecord out;
    out.case_id = root.at("case");
    out.synthetic = root.at("synthetic");
    for (const auto& setting : root.at("settings")) out.settings[setting.at("name")] = setting.at("value");
    for (const auto& row : root.at("lesions")) out.lesions.push_back({row.at("id"), row.at("role"), row.at("site"), row.at("organ"), row.at("nodal")});
    for (const auto& row : root.at("timepoints")) out.timepoints.push_back(timepoint_of(row));
    const auto& response = root.at("response");
    out.primary = response.at("primary");
    out.protocol = text(response, "protocol");
    out.policies = response.at("policies").get<std::map<std::string, std::string>>();
    for (const auto& row : response.at("recist")) out.recist.push_back(recist_of(row));
    for (const auto& row : response.at("lines")) {
        out.periods.push_back({row.at("line"), row.at("period"), row.at("best_overall_response").at("category"), text(row, "best_response_date")});
    }
    out.leading = out.recist;
    if (out.primary == "recist-1.1") return out;
    for (auto& row : out.leading) row.overall = "";
    for (const auto& period : response.at("criteria")) {
        if (period.at("criterion") != out.primary) continue;
        for (const auto& point : period.at("timepoints")) {
            for (auto& row : out.leading) {
                if (row.timepoint == point.at("timepoint") && row.period == period.at("period")) row.overall = point.at("decision").at("category");
            }
        }
    }
    return out;
}

}  // namespace

const LesionRecord* TimepointRecord::lesion(const std::string& wanted) const
{
    const auto found = std::find_if(lesions.begin(), lesions.end(), [&](const auto& l) { return l.id == wanted; });
    return found == lesions.end() ? nullptr : &*found;
}

const TimepointRecord* CaseRecord::timepoint(const std::string& wanted) const
{
    const auto found = std::find_if(timepoints.begin(), timepoints.end(), [&](const auto& t) { return t.id == wanted; });
    return found == timepoints.end() ? nullptr : &*found;
}

const ListedLesion* CaseRecord::lesion(const std::string& wanted) const
{
    const auto found = std::find_if(lesions.begin(), lesions.end(), [&](const auto& l) { return l.id == wanted; });
    return found == lesions.end() ? nullptr : &*found;
}

Result<CaseRecord> read_case_record(const std::filesystem::path& folder)
{
    const auto file = folder / "case.json";
    std::ifstream in(file);
    if (!in) return Error{Code::io, file.string() + " cannot be read: name a result folder of retromass run", "trial: read_case_record"};
    try {
        auto out = record_of(json::parse(in));
        out.folder = folder;
        return out;
    } catch (const json::exception& error) {
        return Error{Code::table, file.string() + " is not what this version of retromass run writes: " + error.what(), "trial: read_case_record"};
    }
}

Result<std::map<std::string, CaseRecord>> read_case_records(const std::vector<std::filesystem::path>& folders)
{
    std::map<std::string, CaseRecord> out;
    const auto add = [&](const std::filesystem::path& folder) -> Status {
        RETROMASS_TRY_ASSIGN(auto record, read_case_record(folder));
        const auto [there, added] = out.emplace(record.case_id, record);
        if (!added) return Error{Code::usage, "case " + record.case_id + " is in " + there->second.folder.string() + " and in " + folder.string() + "; name one of them", "trial: read_case_records"};
        return Done{};
    };
    for (const auto& folder : folders) {
        std::vector<std::filesystem::path> inside;
        std::error_code error;
        for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
            if (std::filesystem::exists(entry.path() / "case.json")) inside.push_back(entry.path());
        }
        if (std::filesystem::exists(folder / "case.json") || inside.empty()) inside = {folder};
        std::sort(inside.begin(), inside.end());
        for (const auto& one : inside) RETROMASS_TRY(add(one));
    }
    return out;
}

Status one_set_of_rules(const std::vector<const std::map<std::string, CaseRecord>*>& cases, const std::optional<run::Protocol>& given)
{
    std::vector<run::SeenProtocol> seen;
    if (given) seen.push_back({run::name_of(*given), "--protocol"});
    for (const auto* records : cases) {
        for (const auto& [unused, record] : *records) seen.push_back({record.protocol, record.folder.string()});
    }
    return run::check_versions(seen);
}

}  // namespace retromass::trial

#include "pipeline/pacs/query.h"

#include <algorithm>
#include <charconv>

namespace retromass::pacs {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool ascii(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// "20130101-20131231", open on either side; empty = any day (PS3.4 C.2.2.2.5).
std::string date_range(const Query& query)
{
    const auto dicom = [](const std::optional<Date>& date) {
        auto text = date ? iso(*date) : std::string();
        std::erase(text, '-');
        return text;
    };
    if (!query.from && !query.to) return {};
    if (query.from == query.to) return dicom(query.from);
    return dicom(query.from) + "-" + dicom(query.to);
}

std::optional<int> count_of(const std::string& text)
{
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
    return value;
}

/// Whether one of the values joined by backslash fits; an empty pattern, or no value to compare, does.
bool any_fits(const std::string& pattern, const std::string& values)
{
    if (pattern.empty() || values.empty()) return true;
    for (std::size_t at = 0; at <= values.size();) {
        const auto end = std::min(values.find('\\', at), values.size());
        if (matches(pattern, std::string_view(values).substr(at, end - at))) return true;
        at = end + 1;
    }
    return false;
}

}  // namespace

Attributes keys_of(const Query& query, Depth depth)
{
    switch (depth) {
    case Depth::patient: return {{tag::patient_id, query.patient_id}, {tag::patient_name, query.patient_name}};
    case Depth::study:
        return {{tag::patient_id, query.patient_id}, {tag::patient_name, query.patient_name}, {tag::study_instance_uid, query.study_instance_uid},
                {tag::study_date, date_range(query)}, {tag::accession_number, query.accession_number},
                {tag::study_description, query.level == Level::studies ? query.description : std::string()}, {tag::modalities_in_study, query.modality},
                {tag::series_in_study, ""}, {tag::instances_in_study, ""}};
    case Depth::series:
        return {{tag::study_instance_uid, query.study_instance_uid}, {tag::series_instance_uid, ""}, {tag::modality, query.modality}, {tag::series_number, ""},
                {tag::series_description, query.description}, {tag::instances_in_series, ""}};
    case Depth::image: return {{tag::study_instance_uid, query.study_instance_uid}, {tag::sop_instance_uid, ""}, {tag::sop_class_uid, ""}};
    }
    return {};
}

Match match_of(const Attributes& answer)
{
    const auto text = [&](Tag which) {
        const auto found = answer.find(which);
        return found == answer.end() ? std::string() : found->second;
    };
    Match out;
    out.patient_id = text(tag::patient_id);
    out.patient_name = text(tag::patient_name);
    out.study_instance_uid = text(tag::study_instance_uid);
    const auto date = parse_date(text(tag::study_date));
    out.study_date = date ? iso(*date) : std::string();
    out.accession_number = text(tag::accession_number);
    out.study_description = text(tag::study_description);
    out.modalities = text(tag::modalities_in_study);
    out.series_instance_uid = text(tag::series_instance_uid);
    out.series_number = text(tag::series_number);
    out.series_description = text(tag::series_description);
    out.modality = text(tag::modality);
    out.series = count_of(text(tag::series_in_study));
    out.instances = count_of(text(out.series_instance_uid.empty() ? tag::instances_in_study : tag::instances_in_series));
    return out;
}

bool fits(const Query& query, const Match& match)
{
    const bool at_series = query.level == Level::series;
    if (ascii(query.patient_name) && ascii(match.patient_name) && !any_fits(query.patient_name, match.patient_name)) return false;
    if (!any_fits(query.patient_id, match.patient_id) || !any_fits(query.accession_number, match.accession_number)) return false;
    const auto& description = at_series ? match.series_description : match.study_description;
    if (ascii(query.description) && ascii(description) && !any_fits(query.description, description)) return false;
    if (!any_fits(query.modality, at_series ? match.modality : match.modalities)) return false;
    if (const auto date = parse_date(match.study_date)) return (!query.from || *query.from <= *date) && (!query.to || *date <= *query.to);
    return true;
}

bool matches(std::string_view pattern, std::string_view text)
{
    // Greedy with one way back to the last star: linear in the product at worst, never exponential.
    std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.size() && (pattern[p] == '?' || lower(pattern[p]) == lower(text[t]))) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

bool is_uid(std::string_view text)
{
    constexpr std::size_t kLongest = 64;
    if (text.empty() || text.size() > kLongest || text.front() == '.' || text.back() == '.' || text.find("..") != std::string_view::npos) return false;
    return text.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace retromass::pacs

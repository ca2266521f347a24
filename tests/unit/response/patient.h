#pragma once

#include <string>
#include <vector>

#include "measurement/response/response.h"

/// Patients by a few words, for the tests of assess().
namespace retromass::test {

inline response::Observation measured(const std::string& lesion, const std::string& mm)
{
    response::Observation out;
    out.lesion = lesion;
    out.status = response::LesionStatus::measured;
    out.long_axis = out.short_axis = *Length::parse(mm);
    return out;
}

inline response::Observation stated(const std::string& lesion, response::LesionStatus status)
{
    response::Observation out;
    out.lesion = lesion;
    out.status = status;
    return out;
}

inline response::Timepoint timepoint(const std::string& date, std::vector<response::Observation> observations,
                                     std::optional<response::NewLesions> new_lesions = response::NewLesions::none)
{
    response::Timepoint out;
    out.id = date;
    out.date = parse_date(date);
    out.new_lesions = new_lesions;
    out.observations = std::move(observations);
    return out;
}

inline response::Treatment systemic(int line, const std::string& start)
{
    response::Treatment out;
    out.kind = "systemic";
    out.line = line;
    out.start = parse_date(start);
    return out;
}

inline response::Treatment local(const std::string& kind, const std::string& start, const std::string& end, std::vector<std::string> lesions)
{
    response::Treatment out;
    out.kind = kind;
    out.start = parse_date(start);
    out.end = parse_date(end);
    out.lesions = std::move(lesions);
    return out;
}

inline response::Lesion lesion(const std::string& id, response::Role role = response::Role::target)
{
    return {id, role, "liver", "liver", false};
}

inline response::Patient of(std::vector<response::Timepoint> timepoints, std::vector<response::Lesion> lesions = {lesion("T1")})
{
    response::Patient out;
    out.id = "P";
    out.lesions = std::move(lesions);
    out.timepoints = std::move(timepoints);
    return out;
}

/// The row of a time point in a line; a default row where there is none.
inline response::RecistTimepoint row_of(const response::Assessment& assessment, const std::string& id, int line = 0)
{
    for (const auto& row : assessment.recist) {
        if (row.timepoint == id && row.line == line) return row;
    }
    return {};
}

inline response::Policies with(const std::vector<std::pair<std::string, std::string>>& settings)
{
    response::Policies out;
    for (const auto& [name, value] : settings) {
        const auto status = out.set(name, value);
        RETROMASS_ASSERT(status.ok(), "tests name known policies");
    }
    return out;
}

}  // namespace retromass::test

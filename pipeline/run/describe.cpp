#include "pipeline/run/describe.h"

#include <map>

namespace retromass::run {
namespace {

/// What is gone, or merged into another lesion, touches nothing any longer.
bool is_there(response::LesionStatus status)
{
    using enum response::LesionStatus;
    return status != absent && status != resected && status != merged;
}

}  // namespace

void describe(const CaseFile& file, std::vector<outputs::TimepointResult>& timepoints)
{
    struct Stated {
        outputs::Description description;
        std::string timepoint;
    };
    std::map<std::string, Stated> last;
    for (auto& timepoint : timepoints) {
        for (std::size_t l = 0; l < timepoint.lesions.size(); ++l) {
            auto& lesion = timepoint.lesions[l];
            const auto& said = file.lesions[l].timepoints;
            const auto at = said.find(timepoint.id);
            if (at != said.end() && at->second.description) last[lesion.lesion] = {*at->second.description, timepoint.id};
            const auto known = last.find(lesion.lesion);
            if (known == last.end() || !is_there(lesion.status)) continue;
            lesion.description = known->second.description;
            if (known->second.timepoint != timepoint.id) lesion.described_at = known->second.timepoint;
        }
    }
}

}  // namespace retromass::run
